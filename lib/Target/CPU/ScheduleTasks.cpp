//===- ScheduleTasks.cpp - Which thread runs which iteration ---*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "sluice/Target/CPU/Passes.h"

namespace sluice {
#define GEN_PASS_DEF_SLUICESCHEDULETASKS
#include "sluice/Target/CPU/Passes.h.inc"
} // namespace sluice

using namespace mlir;

/// True if an iteration's work is as large as its data says: it calls a
/// function around micro-kernels, or makes a buffer whose size only the router
/// knows.
static bool isUneven(omp::WsloopOp loop) {
  return loop
      .walk([](Operation *op) {
        auto alloc = dyn_cast<memref::AllocOp>(op);
        bool isUneven = isa<func::CallOp>(op) ||
                        (alloc && !alloc.getDynamicSizes().empty());
        return isUneven ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Lets the thread that arrives run a loop of one iteration, or none, alone,
/// and threads leave the loop without a barrier of its own: the region's end
/// has one.
static void avoidWaiting(omp::ParallelOp region, omp::WsloopOp loop) {
  if (region.getIfExpr() || loop->getParentOp() != region ||
      !isa<omp::TerminatorOp>(loop->getNextNode()))
    return;
  loop.setNowait(true);
  auto nest = cast<omp::LoopNestOp>(loop.getWrappedLoop());
  auto bounds =
      llvm::concat<const Value>(nest.getLoopLowerBounds(),
                                nest.getLoopUpperBounds(), nest.getLoopSteps());
  if (!llvm::all_of(bounds, [&](Value bound) {
        return !region->isAncestor(bound.getParentRegion()->getParentOp());
      }))
    return;

  OpBuilder b(region);
  Location loc = loop.getLoc();
  Value several;
  for (auto [lower, upper, step] :
       llvm::zip_equal(nest.getLoopLowerBounds(), nest.getLoopUpperBounds(),
                       nest.getLoopSteps())) {
    Value size = arith::SubIOp::create(b, loc, upper, lower);
    Value more =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, size, step);
    several = several ? arith::OrIOp::create(b, loc, several, more) : more;
  }
  region.getIfExprMutable().assign(several);
}

namespace {
struct ScheduleTasks : sluice::impl::SluiceScheduleTasksBase<ScheduleTasks> {
  void runOnOperation() override {
    getOperation()->walk([&](omp::WsloopOp loop) {
      if (auto region = dyn_cast<omp::ParallelOp>(loop->getParentOp()))
        avoidWaiting(region, loop);
      if (loop.getScheduleKind() || !isUneven(loop))
        return;
      loop.setScheduleKind(omp::ClauseScheduleKind::Dynamic);
      ++numDynamic;
    });
  }
};
} // namespace
