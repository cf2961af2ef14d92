//===- SplitTasks.cpp - Few tasks share their products ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SplitTasks.h"

#include "ProductFunctions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace sluice;

Value sluice::getNumThreads(LoopBuilder &b) {
  constexpr StringLiteral name = "omp_get_max_threads";
  auto module =
      b.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  if (!module.lookupSymbol(name)) {
    OpBuilder declarations = OpBuilder::atBlockEnd(module.getBody());
    func::FuncOp::create(declarations, b.loc, name,
                         b.getFunctionType({}, {b.getI32Type()}))
        .setPrivate();
  }
  auto call = func::CallOp::create(b, b.loc, name, b.getI32Type());
  return arith::IndexCastUIOp::create(b, b.loc, b.getIndexType(),
                                      call.getResult(0));
}

void sluice::splitFewTasks(scf::ForallOp loop) {
  if (loop.getRank() != 1 || loop.getNumResults() != 0)
    return;
  OpBuilder builder(loop);
  LoopBuilder b(builder, loop.getLoc());
  auto get = [&](ArrayRef<OpFoldResult> bounds) {
    return getValueOrCreateConstantIndexOp(b, b.loc, bounds.front());
  };
  Value lower = get(loop.getMixedLowerBound());
  Value upper = get(loop.getMixedUpperBound());
  Value step = get(loop.getMixedStep());
  Value tasks = ceilDiv(b, b.sub(upper, lower), step);
  Value threads = getNumThreads(b);
  // What all threads have time for until the last one is done.
  Value rounds = ceilDiv(b, tasks, threads);
  Value room = b.mul(rounds, threads);
  Value isFew = b.compare(arith::CmpIPredicate::ult, b.mul(tasks, b.index(8)),
                          b.mul(room, b.index(7)));
  auto choice = scf::IfOp::create(b, b.loc, isFew, /*withElseRegion=*/true);

  OpBuilder inside = choice.getThenBodyBuilder();
  auto serial = scf::ForOp::create(inside, b.loc, lower, upper, step);
  IRMapping mapping;
  mapping.map(loop.getInductionVar(0), serial.getInductionVar());
  inside.setInsertionPointToStart(serial.getBody());
  for (Operation &op : loop.getBody()->without_terminator())
    inside.clone(op, mapping);

  loop->moveBefore(choice.elseBlock()->getTerminator());
}
