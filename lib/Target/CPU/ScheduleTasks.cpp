//===- ScheduleTasks.cpp - Uneven iterations, taken one by one --*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

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

namespace {
struct ScheduleTasks : sluice::impl::SluiceScheduleTasksBase<ScheduleTasks> {
  void runOnOperation() override {
    getOperation()->walk([&](omp::WsloopOp loop) {
      if (loop.getScheduleKind() || !isUneven(loop))
        return;
      loop.setScheduleKind(omp::ClauseScheduleKind::Dynamic);
      ++numDynamic;
    });
  }
};
} // namespace
