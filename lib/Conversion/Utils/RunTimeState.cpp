//===- RunTimeState.cpp - What compiled code reports ------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Conversion/RunTimeState.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace sluice;

/// The state's word that counts failures; see lib/Runtime/CPU for the others.
static constexpr int64_t kFailureCountWord = 4;

void sluice::recordFailure(LoopBuilder &b, Value state, int64_t code,
                           Value index, Value actual, Value expected) {
  // Several threads may fail at once: the one that counts first writes.
  Value one = arith::ConstantIntOp::create(b, b.loc, 1, 64);
  Value before =
      memref::AtomicRMWOp::create(b, b.loc, arith::AtomicRMWKind::addi, one,
                                  state, b.index(kFailureCountWord));
  Value none = arith::ConstantIntOp::create(b, b.loc, 0, 64);
  Value first = b.compare(arith::CmpIPredicate::eq, before, none);
  auto branch = scf::IfOp::create(b, b.loc, first, /*withElse=*/false);
  OpBuilder then = branch.getThenBodyBuilder();
  LoopBuilder inner(then, b.loc);
  auto store = [&](int64_t word, Value value) {
    if (value.getType().isF64())
      value = arith::BitcastOp::create(inner, b.loc, inner.getI64Type(), value);
    memref::StoreOp::create(inner, b.loc, value, state, inner.index(word));
  };
  store(0, arith::ConstantIntOp::create(inner, b.loc, code, 64));
  store(1, index);
  store(2, actual);
  store(3, expected);
}

void sluice::addToCounter(LoopBuilder &b, Value state, Value index,
                          Value amount) {
  Value value = arith::IndexCastOp::create(b, b.loc, b.getI64Type(), amount);
  memref::AtomicRMWOp::create(b, b.loc, arith::AtomicRMWKind::addi, value,
                              state, index);
}
