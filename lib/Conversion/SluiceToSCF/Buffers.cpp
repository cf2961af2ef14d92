//===- Buffers.cpp - What loops fill in any order ---------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Buffers.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace sluice;

Value sluice::makeBuffer(LoopBuilder &b, ArrayRef<OpFoldResult> sizes,
                         Type elementType) {
  return memref::AllocOp::create(b, b.loc, sizes, elementType);
}

Value sluice::makeBuffer(LoopBuilder &b, RankedTensorType type,
                         ValueRange dynamicSizes) {
  return memref::AllocOp::create(
      b, b.loc, MemRefType::get(type.getShape(), type.getElementType()),
      dynamicSizes);
}

Value sluice::toTensor(LoopBuilder &b, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  return bufferization::ToTensorOp::create(
      b, b.loc, RankedTensorType::get(type.getShape(), type.getElementType()),
      buffer, /*restrict=*/true, /*writable=*/true);
}

Value sluice::load(LoopBuilder &b, Value buffer, ValueRange at) {
  return memref::LoadOp::create(b, b.loc, buffer, at);
}

void sluice::store(LoopBuilder &b, Value value, Value buffer, ValueRange at) {
  memref::StoreOp::create(b, b.loc, value, buffer, at);
}

Value sluice::postIncrement(LoopBuilder &b, Value buffer, ValueRange at) {
  Value before = load(b, buffer, at);
  store(b, b.add(before, b.index(1)), buffer, at);
  return before;
}

void sluice::forRange(LoopBuilder &b, Value first, Value last,
                      llvm::function_ref<void(LoopBuilder &, Value)> body) {
  scf::ForOp::create(
      b, b.loc, first, last, b.index(1), ValueRange{},
      [&](OpBuilder &builder, Location loc, Value i, ValueRange) {
        LoopBuilder inner(builder, loc);
        body(inner, i);
        scf::YieldOp::create(inner, loc);
      });
}

void sluice::forEach(LoopBuilder &b, Value count,
                     llvm::function_ref<void(LoopBuilder &, Value)> body) {
  forRange(b, b.index(0), count, body);
}

void sluice::forEachInParallel(
    LoopBuilder &b, Value count,
    llvm::function_ref<void(LoopBuilder &, Value)> body) {
  makeForall(b, count, {}, [&](LoopBuilder &b, Value i, ValueRange) {
    body(b, i);
    return SmallVector<ParallelInsert>{};
  });
}

void sluice::forChunksInParallel(
    LoopBuilder &b, Value count, int64_t size,
    llvm::function_ref<void(LoopBuilder &, Value, Value, Value)> body) {
  Value most = b.index(size);
  Value chunks = arith::CeilDivUIOp::create(b, b.loc, count, most);
  forEachInParallel(b, chunks, [&](LoopBuilder &b, Value chunk) {
    Value first = b.mul(chunk, most);
    Value last = arith::MinUIOp::create(b, b.loc, b.add(first, most), count);
    body(b, chunk, first, last);
  });
}
