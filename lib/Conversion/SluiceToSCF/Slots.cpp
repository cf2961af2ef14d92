//===- Slots.cpp - Gates slot by slot ---------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Slots.h"

using namespace mlir;
using namespace sluice;

Value sluice::mapSlots(
    LoopBuilder &b, GatesValue gates, Type elementType,
    llvm::function_ref<Value(LoopBuilder &, Value, Value, Value)> body) {
  AffineMap all = b.getMultiDimIdentityMap(2);
  Value empty = makeEmptyLike(b, b.loc, gates.experts, elementType);
  return linalg::GenericOp::create(
             b, b.loc, empty.getType(), ValueRange{gates.experts, gates.values},
             ValueRange{empty}, ArrayRef<AffineMap>{all, all, all},
             SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel),
             [&](OpBuilder &builder, Location loc, ValueRange args) {
               LoopBuilder inner(builder, loc);
               Value token = linalg::IndexOp::create(builder, loc, 0);
               inner.yield(body(inner, token, args[0], args[1]));
             })
      .getResult(0);
}

SmallVector<Value>
RowFiller::run(LoopBuilder &b,
               llvm::function_ref<Row(LoopBuilder &, Value, Row)> fill) {
  SmallVector<OpFoldResult> sizes = {tokens, b.getIndexAttr(type.getSlots())};
  Value experts = tensor::EmptyOp::create(b, b.loc, sizes, b.getIndexType());
  Value values =
      tensor::EmptyOp::create(b, b.loc, sizes, type.getElementType());
  Value count = getValueOrCreateConstantIndexOp(b, b.loc, tokens);
  ValueRange results = makeForall(
      b, count, {experts, values},
      [&](LoopBuilder &b, Value t, ValueRange shared) {
        SmallVector<OpFoldResult> offsets, rowSizes;
        getRows(b, shared[0], t, b.getIndexAttr(1), offsets, rowSizes);
        SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
        auto slice = [&](Value tensor) -> Value {
          return tensor::ExtractSliceOp::create(b, b.loc, tensor, offsets,
                                                rowSizes, strides);
        };
        Value absent =
            linalg::FillOp::create(b, b.loc, b.index(-1), slice(shared[0]))
                .getResult(0);
        Value zero = b.constant(type.getElementType(), 0.0);
        Value zeros = linalg::FillOp::create(b, b.loc, zero, slice(shared[1]))
                          .getResult(0);
        Row row = fill(b, t, {absent, zeros, b.index(0)});
        return SmallVector<ParallelInsert>{
            {row[0], shared[0], offsets, rowSizes},
            {row[1], shared[1], offsets, rowSizes}};
      });
  return llvm::to_vector_of<Value>(results);
}

RowFiller::Row RowFiller::append(LoopBuilder &b, ValueRange row,
                                 Value condition, Value expert, Value value) {
  Value room = b.compare(arith::CmpIPredicate::slt, row[2], slots);
  return ifElse(b, b.conjunction(condition, room), row,
                [&](LoopBuilder &b) -> Row {
                  return fill(b, row, row[2], expert, value);
                });
}

RowFiller::Row RowFiller::place(LoopBuilder &b, ValueRange row, Value condition,
                                Value expert, Value value) {
  return ifElse(b, condition, row, [&](LoopBuilder &b) -> Row {
    return fill(b, row, expert, expert, value);
  });
}

RowFiller::Row RowFiller::fill(LoopBuilder &b, ValueRange row, Value slot,
                               Value expert, Value value) {
  Value zero = b.index(0);
  return {b.insert(expert, row[0], {zero, slot}),
          b.insert(value, row[1], {zero, slot}), b.add(row[2], b.index(1))};
}
