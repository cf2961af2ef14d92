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

/// A vector of `size` indices, all `value`.
static Value makeIndices(LoopBuilder &b, ArrayRef<OpFoldResult> sizes,
                         int64_t value) {
  Value empty = tensor::EmptyOp::create(b, b.loc, sizes, b.getIndexType());
  return linalg::FillOp::create(b, b.loc, b.index(value), empty).getResult(0);
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
          return makeFor(
              b, tokens, init, [&](LoopBuilder &b, Value t, ValueRange outer) {
                ValueRange inner = makeFor(
                    b, slotsPerToken, outer,
                    [&](LoopBuilder &b, Value j, ValueRange carried) {
                      Value expert = b.extract(gates.experts, {t, j});
                      Value present = arith::CmpIOp::create(
                          b, b.loc, arith::CmpIPredicate::sge, expert, zero);
                      return ifElse(b, present, carried, [&](LoopBuilder &b) {
                        Value slot = b.add(
                            arith::MulIOp::create(b, b.loc, t, slotsPerToken),
                            j);
                        return body(b, expert, slot, carried);
                      });
                    });
                return SmallVector<Value>(inner);
              });
        };

    // Column e's size at e + 1, then running sums.
    Value counts = makeIndices(b, {b.getIndexAttr(type.getExperts() + 1)}, 0);
    counts = forEntries(
        counts, [&](LoopBuilder &b, Value expert, Value, ValueRange carried) {
          Value at = b.add(expert, one);
          Value more = b.add(b.extract(carried[0], at), one);
          return SmallVector<Value>{b.insert(more, carried[0], at)};
        })[0];
    Value offsets =
        makeFor(b, b.index(type.getExperts()), counts,
                [&](LoopBuilder &b, Value e, ValueRange carried) {
                  Value next = b.add(e, one);
                  Value sum = b.add(b.extract(carried[0], e),
                                    b.extract(carried[0], next));
                  return SmallVector<Value>{b.insert(sum, carried[0], next)};
                })[0];

    Value slots = arith::MulIOp::create(b, b.loc, tokens, slotsPerToken);
    auto orderType = cast<RankedTensorType>(op.getOrder().getType());
    OpFoldResult slotCount =
        orderType.hasStaticShape()
            ? OpFoldResult(b.getIndexAttr(orderType.getDimSize(0)))
            : OpFoldResult(slots);
    Value order0 = tensor::EmptyOp::create(
        b, b.loc, ArrayRef<OpFoldResult>{slotCount}, b.getIndexType());
    ValueRange sorted =
        forEntries({order0, offsets}, [&](LoopBuilder &b, Value expert,
                                          Value slot, ValueRange carried) {
          Value at = b.extract(carried[1], expert);
          return SmallVector<Value>{
              b.insert(slot, carried[0], at),
              b.insert(b.add(at, one), carried[1], expert)};
        });

    // Positions grow with the expert, so filling each token's row in order of
    // the positions sorts it.
    Value place0 = makeIndices(b, {rows, b.getIndexAttr(type.getSlots())}, -1);
    Value filled0 = makeIndices(b, {rows}, 0);
    Value entries = b.extract(offsets, b.index(type.getExperts()));
    ValueRange placed = makeFor(
        b, entries, {place0, filled0},
        [&](LoopBuilder &b, Value p, ValueRange carried) {
          Value t = arith::DivUIOp::create(b, b.loc, b.extract(sorted[0], p),
                                           slotsPerToken);
          Value at = b.extract(carried[1], t);
          return SmallVector<Value>{b.insert(p, carried[0], {t, at}),
                                    b.insert(b.add(at, one), carried[1], t)};
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
