//===- SetsToSCF.cpp - Gates as sets of entries -----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Buffers.h"
#include "Ranking.h"
#include "Slots.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "sluice/Conversion/RunTimeState.h"

using namespace mlir;
using namespace sluice;

/// A tensor that is repeated to tokens x experts, at one place of these.
static Value extractSpread(LoopBuilder &b, Value tensor, Value token,
                           Value expert) {
  auto type = cast<RankedTensorType>(tensor.getType());
  // Absent entries have no place; what is read for them is not used.
  expert = arith::MaxSIOp::create(b, b.loc, expert, b.index(0));
  Value full[] = {token, expert};
  SmallVector<Value> indices;
  for (int64_t d = 0; d < type.getRank(); ++d)
    indices.push_back(type.getDimSize(d) == 1 ? b.index(0)
                                              : full[d + 2 - type.getRank()]);
  return b.extract(tensor, indices);
}

namespace {
struct ConvertColumns : OpConversionPattern<ColumnsOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ColumnsOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    GatesValue gates(adaptor.getInput());
    auto from = cast<GatesType>(op.getInput().getType());
    auto type = cast<GatesType>(op.getType());
    RowFiller filler(b, type, tensor::getMixedSize(b, b.loc, gates.experts, 0));
    Value slots = b.index(from.getSlots());
    Value first = b.index(op.getFrom()), last = b.index(op.getTo());
    SmallVector<Value> result =
        filler.run(b, [&](LoopBuilder &b, Value t, RowFiller::Row row) {
          return llvm::to_vector_of<Value>(makeFor(
              b, slots, row, [&](LoopBuilder &b, Value j, ValueRange carried) {
                Value expert = b.extract(gates.experts, {t, j});
                Value inside = b.conjunction(
                    b.compare(arith::CmpIPredicate::sge, expert, first),
                    b.compare(arith::CmpIPredicate::slt, expert, last));
                Value number = arith::SubIOp::create(b, b.loc, expert, first);
                Value value = b.extract(gates.values, {t, j});
                return filler.put(b, carried, inside, number, value);
              }));
        });
    rewriter.replaceOpWithMultiple(op, {result});
    return success();
  }
};

struct ConvertJoin : OpConversionPattern<JoinOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(JoinOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    GatesValue first(adaptor.getA()), second(adaptor.getB());
    auto a = cast<GatesType>(op.getA().getType());
    auto c = cast<GatesType>(op.getB().getType());
    auto type = cast<GatesType>(op.getType());
    RowFiller filler(b, type, tensor::getMixedSize(b, b.loc, first.experts, 0));
    auto slotsOf = [&](GatesType gates) { return b.index(gates.getSlots()); };
    Value aSlots = slotsOf(a), cSlots = slotsOf(c);
    SmallVector<Value> result = filler.run(b, [&](LoopBuilder &b, Value t,
                                                  RowFiller::Row row) {
      ValueRange firstRow = makeFor(
          b, aSlots, row, [&](LoopBuilder &b, Value j, ValueRange carried) {
            Value expert = b.extract(first.experts, {t, j});
            return filler.put(b, carried, isEntry(b, expert), expert,
                              b.extract(first.values, {t, j}));
          });
      return llvm::to_vector_of<Value>(makeFor(
          b, cSlots, firstRow,
          [&](LoopBuilder &b, Value j, ValueRange carried) {
            Value expert = b.extract(second.experts, {t, j});
            Value fresh = makeFor(
                b, aSlots, isEntry(b, expert),
                [&](LoopBuilder &b, Value i, ValueRange sofar) {
                  Value other = b.extract(first.experts, {t, i});
                  Value differs =
                      b.compare(arith::CmpIPredicate::ne, other, expert);
                  return SmallVector<Value>{b.conjunction(sofar[0], differs)};
                })[0];
            return filler.put(b, carried, fresh, expert,
                              b.extract(second.values, {t, j}));
          }));
    });
    rewriter.replaceOpWithMultiple(op, {result});
    return success();
  }
};

struct ConvertFilter : OpConversionPattern<FilterOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(FilterOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    GatesValue gates(adaptor.getInput());
    Value mask = adaptor.getMask().front();
    Value experts =
        mapSlots(b, gates, b.getIndexType(),
                 [&](LoopBuilder &b, Value token, Value expert, Value) {
                   Value keep = extractSpread(b, mask, token, expert);
                   return b.select(keep, expert, b.index(-1));
                 });
    rewriter.replaceOpWithMultiple(op,
                                   {SmallVector<Value>{experts, gates.values}});
    return success();
  }
};

struct ConvertScaleBy : OpConversionPattern<ScaleByOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ScaleByOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    GatesValue gates(adaptor.getInput());
    Value factors = adaptor.getFactor().front();
    Type element = cast<GatesType>(op.getType()).getElementType();
    Type f = getArithmeticType(element);
    if (getElementTypeOrSelf(factors.getType()).isF64())
      f = b.getF64Type();
    Value values = mapSlots(
        b, gates, element,
        [&](LoopBuilder &b, Value token, Value expert, Value value) {
          Value factor = b.convert(extractSpread(b, factors, token, expert), f);
          return b.convert(
              arith::MulFOp::create(b, b.loc, b.convert(value, f), factor),
              element);
        });
    rewriter.replaceOpWithMultiple(op,
                                   {SmallVector<Value>{gates.experts, values}});
    return success();
  }
};

struct ConvertLimit : OpConversionPattern<LimitOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(LimitOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    GatesValue gates(adaptor.getInput());
    auto type = cast<GatesType>(op.getType());
    Value capacity = adaptor.getCapacity().front();
    Value tokens = tensor::DimOp::create(b, b.loc, gates.experts, 0);
    Value slots = b.index(type.getCount());
    Value order;
    if (op.getPriority())
      order = rank(b, adaptor.getPriority().front(), tokens);

    Value zero = b.index(0);
    SmallVector<OpFoldResult> size = {b.getIndexAttr(type.getExperts())};
    Value empty = tensor::EmptyOp::create(b, b.loc, size, b.getIndexType());
    Value used = linalg::FillOp::create(b, b.loc, zero, empty).getResult(0);
    auto visit = [&](LoopBuilder &b, Value i, Value j, ValueRange carried) {
      Value t = order ? b.extract(order, i) : i;
      Value expert = b.extract(carried[0], {t, j});
      return ifElse(
          b, isEntry(b, expert), carried,
          [&](LoopBuilder &b) -> SmallVector<Value> {
            Value taken = b.extract(carried[1], expert);
            Value room = b.compare(arith::CmpIPredicate::slt, taken, capacity);
            Value kept = b.select(room, expert, b.index(-1));
            countDropped(b, op, expert, room);
            Value more = arith::AddIOp::create(b, b.loc, taken, b.index(1));
            return {b.insert(kept, carried[0], {t, j}),
                    b.insert(b.select(room, more, taken), carried[1], expert)};
          });
    };
    bool byChoice = op.getOrder() == LimitOrder::Choice;
    ValueRange result =
        makeFor(b, byChoice ? slots : tokens, {gates.experts, used},
                [&](LoopBuilder &b, Value outer, ValueRange carried) {
                  return llvm::to_vector_of<Value>(
                      makeFor(b, byChoice ? tokens : slots, carried,
                              [&](LoopBuilder &b, Value inner, ValueRange now) {
                                return byChoice ? visit(b, inner, outer, now)
                                                : visit(b, outer, inner, now);
                              }));
                });
    rewriter.replaceOpWithMultiple(
        op, {SmallVector<Value>{result[0], gates.values}});
    return success();
  }

private:
  /// Adds 1 to the counters that `sluice.counter` lists, [word, from, to] each,
  /// if `expert`, one of from <= e < to, has no `room`.
  static void countDropped(LoopBuilder &b, LimitOp op, Value expert,
                           Value room) {
    auto words = op->getAttrOfType<ArrayAttr>("sluice.counter");
    if (!words)
      return;
    Value state = op->getParentOfType<FunctionOpInterface>().getArgument(0);
    for (auto word : words.getAsRange<DenseI64ArrayAttr>()) {
      ArrayRef<int64_t> range = word.asArrayRef();
      Value isMine = arith::AndIOp::create(
          b, b.loc,
          b.compare(arith::CmpIPredicate::sge, expert, b.index(range[1])),
          b.compare(arith::CmpIPredicate::slt, expert, b.index(range[2])));
      Value isDropped =
          b.select(room, arith::ConstantIntOp::create(b, b.loc, 0, 1), isMine);
      addToCounter(
          b, state, b.index(range[0]),
          arith::IndexCastUIOp::create(b, b.loc, b.getIndexType(), isDropped));
    }
  }

  /// The tokens by falling priority.
  static Value rank(LoopBuilder &b, Value priority, Value tokens) {
    Type keyType = getKeyType(getElementTypeOrSelf(priority.getType()));
    Value keys = makeBuffer(b, ArrayRef<OpFoldResult>{tokens}, keyType);
    forEach(b, tokens, [&](LoopBuilder &b, Value t) {
      Value score = b.extract(priority, {t, b.index(0)});
      store(b, makeSortKey(b, score), keys, t);
    });
    return toTensor(b, sortByKeys(b, keys, tokens));
  }
};

struct ConvertCapacity : OpConversionPattern<CapacityOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(CapacityOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    Type f64 = b.getF64Type();
    Value rows = tensor::DimOp::create(b, b.loc, adaptor.getTokens(), 0);
    Value share = arith::MulFOp::create(
        b, b.loc, b.constant(f64, op.getNumber().convertToDouble()),
        arith::UIToFPOp::create(
            b, b.loc, f64,
            arith::IndexCastOp::create(b, b.loc, b.getI64Type(), rows)));
    if (op.getKind() == CapacityKind::Factor) {
      auto type = cast<RankedTensorType>(op.getTokens().getType());
      share = arith::DivFOp::create(b, b.loc, share,
                                    b.constant(f64, type.getDimSize(1)));
    }
    switch (op.getRounding()) {
    case Rounding::Floor:
      share = math::FloorOp::create(b, b.loc, share);
      break;
    case Rounding::Nearest:
      share = math::RoundEvenOp::create(b, b.loc, share);
      break;
    case Rounding::Ceil:
      share = math::CeilOp::create(b, b.loc, share);
      break;
    }
    // More room than there are tokens in the world, and it still is an integer.
    share = arith::MinimumFOp::create(b, b.loc, share, b.constant(f64, 0x1p62));
    Value whole = arith::FPToSIOp::create(b, b.loc, b.getI64Type(), share);
    Value result = arith::MaxSIOp::create(
        b, b.loc, arith::IndexCastOp::create(b, b.loc, b.getIndexType(), whole),
        b.index(op.getMin()));
    rewriter.replaceOp(op, result);
    return success();
  }
};
} // namespace

void sluice::populateSetsToSCFPatterns(const TypeConverter &converter,
                                       RewritePatternSet &patterns) {
  patterns.add<ConvertColumns, ConvertJoin, ConvertFilter, ConvertScaleBy,
               ConvertLimit, ConvertCapacity>(converter, patterns.getContext());
}
