//===- PlanToSCF.cpp - A plan is a counting sort ----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SluiceToSCF.h"

using namespace mlir;
using namespace sluice;

static Value add(LoopBuilder &b, Value l, Value r) {
  return arith::AddIOp::create(b, b.loc, l, r);
}

static Value extract(LoopBuilder &b, Value tensor, ValueRange indices) {
  return tensor::ExtractOp::create(b, b.loc, tensor, indices);
}

static Value insert(LoopBuilder &b, Value value, Value tensor,
                    ValueRange indices) {
  return tensor::InsertOp::create(b, b.loc, value, tensor, indices);
}

/// A vector of `size` indices, all `value`.
static Value makeIndices(LoopBuilder &b, ArrayRef<OpFoldResult> sizes,
                         int64_t value) {
  Value empty = tensor::EmptyOp::create(b, b.loc, sizes, b.getIndexType());
  return linalg::FillOp::create(b, b.loc, b.index(value), empty).getResult(0);
}

/// `then` if `condition` holds, else what is carried stays.
static SmallVector<Value>
ifElse(LoopBuilder &b, Value condition, ValueRange carried,
       llvm::function_ref<SmallVector<Value>(LoopBuilder &)> then) {
  auto branch = scf::IfOp::create(
      b, b.loc, condition,
      [&](OpBuilder &builder, Location loc) {
        LoopBuilder inner(builder, loc);
        scf::YieldOp::create(inner, loc, then(inner));
      },
      [&](OpBuilder &builder, Location loc) {
        scf::YieldOp::create(builder, loc, carried);
      });
  return llvm::to_vector_of<Value>(branch.getResults());
}

namespace {
struct ConvertPlan : OpConversionPattern<PlanOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(PlanOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    GatesValue gates(adaptor.getGates());
    auto type = cast<GatesType>(op.getGates().getType());
    Value zero = b.index(0), one = b.index(1);
    Value tokens = tensor::DimOp::create(b, b.loc, gates.experts, 0);
    Value slotsPerToken = b.index(type.getSlots());
    OpFoldResult rows = tensor::getMixedSize(b, b.loc, gates.experts, 0);

    // For each present entry in order of the slots.
    auto forEntries =
        [&](ValueRange init,
            llvm::function_ref<SmallVector<Value>(LoopBuilder &, Value expert,
                                                  Value slot, ValueRange)>
                body) {
          return makeFor(b, tokens, init, [&](LoopBuilder &b, Value t,
                                              ValueRange outer) {
            ValueRange inner = makeFor(
                b, slotsPerToken, outer,
                [&](LoopBuilder &b, Value j, ValueRange carried) {
                  Value expert = extract(b, gates.experts, {t, j});
                  Value present = arith::CmpIOp::create(
                      b, b.loc, arith::CmpIPredicate::sge, expert, zero);
                  return ifElse(b, present, carried, [&](LoopBuilder &b) {
                    Value slot = add(b,
                                     arith::MulIOp::create(b, b.loc, t,
                                                           slotsPerToken),
                                     j);
                    return body(b, expert, slot, carried);
                  });
                });
            return SmallVector<Value>(inner);
          });
        };

    // Column e's size at e + 1, then running sums.
    Value counts = makeIndices(
        b, {b.getIndexAttr(type.getExperts() + 1)}, 0);
    counts = forEntries(counts, [&](LoopBuilder &b, Value expert, Value,
                                    ValueRange carried) {
      Value at = add(b, expert, one);
      Value more = add(b, extract(b, carried[0], at), one);
      return SmallVector<Value>{insert(b, more, carried[0], at)};
    })[0];
    Value offsets =
        makeFor(b, b.index(type.getExperts()), counts,
                [&](LoopBuilder &b, Value e, ValueRange carried) {
                  Value next = add(b, e, one);
                  Value sum = add(b, extract(b, carried[0], e),
                                  extract(b, carried[0], next));
                  return SmallVector<Value>{insert(b, sum, carried[0], next)};
                })[0];

    Value slots = arith::MulIOp::create(b, b.loc, tokens, slotsPerToken);
    auto orderType = cast<RankedTensorType>(op.getOrder().getType());
    OpFoldResult slotCount =
        orderType.hasStaticShape()
            ? OpFoldResult(b.getIndexAttr(orderType.getDimSize(0)))
            : OpFoldResult(slots);
    Value order0 =
        tensor::EmptyOp::create(b, b.loc, ArrayRef<OpFoldResult>{slotCount},
                                b.getIndexType());
    ValueRange sorted = forEntries(
        {order0, offsets},
        [&](LoopBuilder &b, Value expert, Value slot, ValueRange carried) {
          Value at = extract(b, carried[1], expert);
          return SmallVector<Value>{
              insert(b, slot, carried[0], at),
              insert(b, add(b, at, one), carried[1], expert)};
        });

    // Positions grow with the expert, so filling each token's row in order of
    // the positions sorts it.
    Value place0 = makeIndices(b, {rows, b.getIndexAttr(type.getSlots())}, -1);
    Value filled0 = makeIndices(b, {rows}, 0);
    Value entries = extract(b, offsets, b.index(type.getExperts()));
    ValueRange placed = makeFor(
        b, entries, {place0, filled0},
        [&](LoopBuilder &b, Value p, ValueRange carried) {
          Value t = arith::DivUIOp::create(
              b, b.loc, extract(b, sorted[0], p), slotsPerToken);
          Value at = extract(b, carried[1], t);
          return SmallVector<Value>{
              insert(b, p, carried[0], {t, at}),
              insert(b, add(b, at, one), carried[1], t)};
        });
    rewriter.replaceOp(op, {offsets, sorted[0], placed[0]});
    return success();
  }
};
} // namespace

void sluice::populatePlanToSCFPatterns(const TypeConverter &converter,
                                       RewritePatternSet &patterns) {
  patterns.add<ConvertPlan>(converter, patterns.getContext());
}
