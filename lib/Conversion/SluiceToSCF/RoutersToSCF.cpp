//===- RoutersToSCF.cpp - Selection and the algebra of gates ----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Buffers.h"
#include "Ranking.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace sluice;

/// Scores that a turn of a thread ranks, and how many tokens these are at most:
/// few tokens of many experts are shared out, too.
static constexpr int64_t scoresPerChunk = 4096;
static constexpr int64_t maxTokensPerChunk = 16;

static Value isPresent(LoopBuilder &b, Value expert) {
  return arith::CmpIOp::create(b, b.loc, arith::CmpIPredicate::sge, expert,
                               b.index(0));
}

/// Computes new values of all slots from experts and values, slot by slot;
/// `body` gets them and possibly a number a token.
static Value mapSlots(LoopBuilder &b, GatesValue gates, Value perToken,
                      Type elementType,
                      llvm::function_ref<Value(LoopBuilder &, Value expert,
                                               Value value, Value number)>
                          body) {
  AffineMap all = b.getMultiDimIdentityMap(2);
  SmallVector<Value> inputs = {gates.experts, gates.values};
  SmallVector<AffineMap> maps = {all, all};
  if (perToken) {
    inputs.push_back(perToken);
    maps.push_back(all.dropResult(1));
  }
  maps.push_back(all);
  Value empty = makeEmptyLike(b, b.loc, gates.values, elementType);
  return linalg::GenericOp::create(
             b, b.loc, empty.getType(), inputs, ValueRange{empty}, maps,
             SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel),
             [&](OpBuilder &builder, Location loc, ValueRange args) {
               LoopBuilder lb(builder, loc);
               lb.yield(
                   body(lb, args[0], args[1], perToken ? args[2] : Value()));
             })
      .getResult(0);
}

namespace {
struct ConvertTopK : OpConversionPattern<TopKOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(TopKOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    GatesType type = op.getGates().getType();
    Value scores = adaptor.getScores();
    Value weighing =
        adaptor.getWeights() ? adaptor.getWeights() : adaptor.getScores();
    Type scoreType = getElementTypeOrSelf(scores.getType());
    int64_t numExperts = type.getExperts();
    Value tokens = tensor::DimOp::create(b, b.loc, scores, 0);
    SmallVector<OpFoldResult> sizes = {
        tensor::getMixedSize(b, b.loc, scores, 0), b.getIndexAttr(op.getK())};
    Value experts = makeBuffer(b, sizes, b.getIndexType());
    Value values = makeBuffer(b, sizes, type.getElementType());
    int64_t tokensPerChunk =
        std::clamp<int64_t>(scoresPerChunk / numExperts, 1, maxTokensPerChunk);
    forChunksInParallel(
        b, tokens, tokensPerChunk,
        [&](LoopBuilder &b, Value, Value first, Value last) {
          KeyQueue queue(b, getKeyType(scoreType), numExperts, op.getK());
          forRange(b, first, last, [&](LoopBuilder &b, Value t) {
            queue.fill(b, [&](LoopBuilder &b, Value e) {
              return makeSortKey(b, b.extract(scores, {t, e}));
            });
            forEach(b, b.index(op.getK()), [&](LoopBuilder &b, Value j) {
              Value expert = queue.take(b);
              store(b, expert, experts, {t, j});
              store(b, b.extract(weighing, {t, expert}), values, {t, j});
            });
          });
        });
    rewriter.replaceOpWithMultiple(
        op, {SmallVector<Value>{toTensor(b, experts), toTensor(b, values)}});
    return success();
  }
};

struct ConvertAlways : OpConversionPattern<AlwaysOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(AlwaysOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    GatesType type = op.getGates().getType();
    SmallVector<APInt> numbers;
    for (int64_t expert : op.getExperts())
      numbers.push_back(APInt(64, expert));
    auto listType = RankedTensorType::get(
        {static_cast<int64_t>(numbers.size())}, b.getIndexType());
    Value list = arith::ConstantOp::create(
        b, b.loc, DenseElementsAttr::get(listType, numbers));
    Value weights = adaptor.getWeights();
    SmallVector<OpFoldResult> sizes = {
        tensor::getMixedSize(b, b.loc, weights, 0),
        b.getIndexAttr(numbers.size())};
    Value experts = tensor::EmptyOp::create(b, b.loc, sizes, b.getIndexType());
    Value values =
        tensor::EmptyOp::create(b, b.loc, sizes, type.getElementType());
    AffineMap all = b.getMultiDimIdentityMap(2);
    auto generic = linalg::GenericOp::create(
        b, b.loc, TypeRange{experts.getType(), values.getType()},
        ValueRange{list}, ValueRange{experts, values},
        ArrayRef<AffineMap>{all.dropResult(0), all, all},
        SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel),
        [&](OpBuilder &builder, Location loc, ValueRange args) {
          Value t = linalg::IndexOp::create(builder, loc, 0);
          Value value = tensor::ExtractOp::create(builder, loc, weights,
                                                  ValueRange{t, args[0]});
          linalg::YieldOp::create(builder, loc, ValueRange{args[0], value});
        });
    rewriter.replaceOpWithMultiple(op,
                                   {SmallVector<Value>(generic.getResults())});
    return success();
  }
};

struct ConvertKeepGroups : OpConversionPattern<KeepGroupsOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(KeepGroupsOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    auto type = cast<RankedTensorType>(op.getType());
    Type element = type.getElementType();
    Type arithmetic = getArithmeticType(element);
    Value scores = adaptor.getScores();
    int64_t numGroups = op.getGroups(), size = type.getDimSize(1) / numGroups;
    Value groups = b.index(numGroups), groupSize = b.index(size);
    Value tokens = tensor::DimOp::create(b, b.loc, scores, 0);

    // Scores of the groups, [T, groups].
    SmallVector<OpFoldResult> sizes = {
        tensor::getMixedSize(b, b.loc, scores, 0), b.getIndexAttr(numGroups)};
    Value empty = tensor::EmptyOp::create(b, b.loc, sizes, arithmetic);
    Value groupScores =
        linalg::GenericOp::create(
            b, b.loc, empty.getType(), ValueRange{}, ValueRange{empty},
            ArrayRef<AffineMap>{b.getMultiDimIdentityMap(2)},
            SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel),
            [&](OpBuilder &builder, Location loc, ValueRange) {
              LoopBuilder lb(builder, loc);
              lb.yield(scoreGroup(lb, op, scores, groupSize));
            })
            .getResult(0);

    // A group is kept if fewer than `keep` groups come before it.
    Value result0 = makeEmptyLike(b, b.loc, scores, element);
    double masked = op.getMasked() == MaskValue::Zero
                        ? 0.0
                        : -std::numeric_limits<double>::infinity();
    Value mask = b.constant(element, masked);
    ValueRange results = makeForall(
        b, tokens, result0, [&](LoopBuilder &b, Value t, ValueRange shared) {
          SmallVector<OpFoldResult> offsets, rowSizes;
          getRows(b, shared[0], t, b.getIndexAttr(1), offsets, rowSizes);
          SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
          Value row = tensor::ExtractSliceOp::create(
              b, b.loc, shared[0], offsets, rowSizes, strides);
          auto key = [&](LoopBuilder &b, Value g) {
            return makeSortKey(b, tensor::ExtractOp::create(
                                      b, b.loc, groupScores, ValueRange{t, g}));
          };
          ValueRange filled = makeFor(
              b, groups, row, [&](LoopBuilder &b, Value g, ValueRange carried) {
                Value own = key(b, g);
                ValueRange before =
                    makeFor(b, groups, b.index(0),
                            [&](LoopBuilder &b, Value other, ValueRange count) {
                              Value ahead =
                                  comesBefore(b, key(b, other), other, own, g);
                              Value more = arith::IndexCastUIOp::create(
                                  b, b.loc, b.getIndexType(), ahead);
                              return SmallVector<Value>{arith::AddIOp::create(
                                  b, b.loc, count[0], more)};
                            });
                Value kept =
                    arith::CmpIOp::create(b, b.loc, arith::CmpIPredicate::slt,
                                          before[0], b.index(op.getKeep()));
                ValueRange group = makeFor(
                    b, groupSize, carried,
                    [&](LoopBuilder &b, Value i, ValueRange inner) {
                      Value e = arith::AddIOp::create(
                          b, b.loc,
                          arith::MulIOp::create(b, b.loc, g, groupSize), i);
                      Value score = tensor::ExtractOp::create(b, b.loc, scores,
                                                              ValueRange{t, e});
                      Value value =
                          arith::SelectOp::create(b, b.loc, kept, score, mask);
                      return SmallVector<Value>{
                          tensor::InsertOp::create(b, b.loc, value, inner[0],
                                                   ValueRange{b.index(0), e})};
                    });
                return SmallVector<Value>{group[0]};
              });
          return SmallVector<ParallelInsert>{
              {filled[0], shared[0], offsets, rowSizes}};
        });
    rewriter.replaceOp(op, castTo(rewriter, op.getLoc(), results[0], type));
    return success();
  }

private:
  /// The score of the group that the loops of the surrounding linalg op point
  /// to: its largest entry, or the sum of its two largest.
  static Value scoreGroup(LoopBuilder &b, KeepGroupsOp op, Value scores,
                          Value groupSize) {
    Type arithmetic = getArithmeticType(
        cast<RankedTensorType>(op.getType()).getElementType());
    Value t = linalg::IndexOp::create(b, b.loc, 0);
    Value g = linalg::IndexOp::create(b, b.loc, 1);
    Value start = arith::MulIOp::create(b, b.loc, g, groupSize);
    Value low =
        b.constant(arithmetic, -std::numeric_limits<double>::infinity());
    Value lowKey = makeSortKey(b, low);
    ValueRange best = makeFor(
        b, groupSize, {low, lowKey, low, lowKey},
        [&](LoopBuilder &b, Value i, ValueRange sofar) {
          Value e = arith::AddIOp::create(b, b.loc, start, i);
          Value score = b.convert(
              tensor::ExtractOp::create(b, b.loc, scores, ValueRange{t, e}),
              arithmetic);
          Value key = makeSortKey(b, score);
          auto greater = [&](Value l, Value r) -> Value {
            return arith::CmpIOp::create(b, b.loc, arith::CmpIPredicate::sgt, l,
                                         r);
          };
          auto select = [&](Value c, Value l, Value r) -> Value {
            return arith::SelectOp::create(b, b.loc, c, l, r);
          };
          Value first = greater(key, sofar[1]);
          Value second = greater(key, sofar[3]);
          return SmallVector<Value>{
              select(first, score, sofar[0]), select(first, key, sofar[1]),
              select(first, sofar[0], select(second, score, sofar[2])),
              select(first, sofar[1], select(second, key, sofar[3]))};
        });
    if (op.getGroupScore() == GroupScore::Max)
      return best[0];
    return arith::AddFOp::create(b, b.loc, best[0], best[2]);
  }
};

struct ConvertNormalize : OpConversionPattern<NormalizeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(NormalizeOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    GatesValue gates(adaptor.getInput());
    Type element = cast<GatesType>(op.getType()).getElementType();
    Type f = getArithmeticType(element);
    std::optional<double> p;
    if (op.getP())
      p = op.getP()->convertToDouble();
    bool isMax = p && std::isinf(*p);
    // Powers of small numbers are 0 in f32, and the quotient infinite.
    if (p && *p != 1.0 && !isMax)
      f = b.getF64Type();

    SmallVector<OpFoldResult> rows = {
        tensor::getMixedSize(b, b.loc, gates.values, 0)};
    Value zero = makeFilled(b, b.loc, rows, f, 0.0);
    AffineMap all = b.getMultiDimIdentityMap(2);
    Value norm =
        linalg::GenericOp::create(
            b, b.loc, zero.getType(), ValueRange{gates.experts, gates.values},
            ValueRange{zero}, ArrayRef<AffineMap>{all, all, all.dropResult(1)},
            ArrayRef<utils::IteratorType>{utils::IteratorType::parallel,
                                          utils::IteratorType::reduction},
            [&](OpBuilder &builder, Location loc, ValueRange args) {
              LoopBuilder b(builder, loc);
              Value value = power(b, b.convert(args[1], f), p);
              Value more =
                  isMax ? arith::MaximumFOp::create(b, loc, args[2], value)
                              .getResult()
                        : arith::AddFOp::create(b, loc, args[2], value)
                              .getResult();
              b.yield(arith::SelectOp::create(b, loc, isPresent(b, args[0]),
                                              more, args[2]));
            })
            .getResult(0);
    Value values = mapSlots(
        b, gates, norm, element,
        [&](LoopBuilder &b, Value, Value value, Value number) {
          Value divisor = root(b, number, p);
          if (double eps = op.getEpsValue())
            divisor =
                arith::AddFOp::create(b, b.loc, divisor, b.constant(f, eps));
          if (op.getMin())
            divisor = arith::MaximumFOp::create(
                b, b.loc, divisor,
                b.constant(f, op.getMin()->convertToDouble()));
          return b.convert(
              arith::DivFOp::create(b, b.loc, b.convert(value, f), divisor),
              element);
        });
    rewriter.replaceOpWithMultiple(op,
                                   {SmallVector<Value>{gates.experts, values}});
    return success();
  }

private:
  /// |value|^p; the value itself if there is no p, |value| if p is infinite.
  static Value power(LoopBuilder &b, Value value, std::optional<double> p) {
    if (!p)
      return value;
    Value magnitude = math::AbsFOp::create(b, b.loc, value);
    if (*p == 1.0 || std::isinf(*p))
      return magnitude;
    if (*p == 2.0)
      return arith::MulFOp::create(b, b.loc, magnitude, magnitude);
    return math::PowFOp::create(b, b.loc, magnitude,
                                b.constant(value.getType(), *p));
  }

  static Value root(LoopBuilder &b, Value sum, std::optional<double> p) {
    if (!p || *p == 1.0 || std::isinf(*p))
      return sum;
    if (*p == 2.0)
      return math::SqrtOp::create(b, b.loc, sum);
    return math::PowFOp::create(b, b.loc, sum,
                                b.constant(sum.getType(), 1.0 / *p));
  }
};

struct ConvertScale : OpConversionPattern<ScaleOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ScaleOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    GatesValue gates(adaptor.getInput());
    Type element = cast<GatesType>(op.getType()).getElementType();
    Type f = getArithmeticType(element);
    Value values = mapSlots(
        b, gates, {}, element, [&](LoopBuilder &b, Value, Value value, Value) {
          Value factor = b.constant(f, op.getFactor().convertToDouble());
          return b.convert(
              arith::MulFOp::create(b, b.loc, b.convert(value, f), factor),
              element);
        });
    rewriter.replaceOpWithMultiple(op,
                                   {SmallVector<Value>{gates.experts, values}});
    return success();
  }
};

struct ConvertEntries : OpConversionPattern<EntriesOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(EntriesOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    GatesValue gates(adaptor.getGates());
    Value indices = mapSlots(b, gates, {}, b.getI64Type(),
                             [&](LoopBuilder &b, Value expert, Value, Value) {
                               return arith::IndexCastOp::create(
                                   b, b.loc, b.getI64Type(), expert);
                             });
    Type element = getElementTypeOrSelf(gates.values.getType());
    Value values = mapSlots(
        b, gates, {}, element,
        [&](LoopBuilder &b, Value expert, Value value, Value) {
          return arith::SelectOp::create(b, b.loc, isPresent(b, expert), value,
                                         b.constant(element, 0.0));
        });
    rewriter.replaceOp(op, {indices, values});
    return success();
  }
};

/// Maps on values: the same op on the tensor of values. What it makes of an
/// absent slot is not read.
template <typename OpTy> struct ConvertMap : OpConversionPattern<OpTy> {
  using OpConversionPattern<OpTy>::OpConversionPattern;
  using Adaptor = typename OpConversionPattern<OpTy>::OneToNOpAdaptor;
  LogicalResult
  matchAndRewrite(OpTy op, Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!isa<GatesType>(op.getType()))
      return rewriter.notifyMatchFailure(op, "not on gates");
    LoopBuilder b(rewriter, op.getLoc());
    GatesValue gates(adaptor.getOperands().front());
    Value values = gates.values;
    if constexpr (std::is_same_v<OpTy, SoftmaxOp>) {
      // Absent slots must not take part: exp(-inf) is 0.
      Type element = getElementTypeOrSelf(values.getType());
      values = mapSlots(
          b, gates, {}, element,
          [&](LoopBuilder &b, Value expert, Value value, Value) {
            return arith::SelectOp::create(
                b, b.loc, isPresent(b, expert), value,
                b.constant(element, -std::numeric_limits<double>::infinity()));
          });
    }
    OperationState state(op.getLoc(), OpTy::getOperationName(), values,
                         values.getType(), op->getAttrs());
    Value result = rewriter.create(state)->getResult(0);
    rewriter.replaceOpWithMultiple(op,
                                   {SmallVector<Value>{gates.experts, result}});
    return success();
  }
};
} // namespace

void sluice::populateRoutersToSCFPatterns(const TypeConverter &converter,
                                          RewritePatternSet &patterns) {
  patterns
      .add<ConvertTopK, ConvertAlways, ConvertKeepGroups, ConvertNormalize,
           ConvertScale, ConvertEntries, ConvertMap<SoftmaxOp>,
           ConvertMap<SigmoidOp>, ConvertMap<SoftplusOp>, ConvertMap<SiluOp>,
           ConvertMap<ReluOp>, ConvertMap<GeluOp>, ConvertMap<ClampOp>>(
          converter, patterns.getContext());
}
