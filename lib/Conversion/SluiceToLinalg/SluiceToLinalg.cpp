//===- SluiceToLinalg.cpp - Tensor ops to linalg ----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantToLinalg.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"
#include "sluice/Analysis/PanelProduct.h"
#include "sluice/Conversion/Passes.h"
#include "sluice/Conversion/Utils.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"

namespace sluice {
#define GEN_PASS_DEF_CONVERTSLUICETOLINALG
#include "sluice/Conversion/Passes.h.inc"
} // namespace sluice

using namespace mlir;
using namespace sluice;

/// An elementwise op on one tensor: `body` computes in the arithmetic type.
static Value mapElements(OpBuilder &builder, Location loc, Value input,
                         llvm::function_ref<Value(LoopBuilder &, Value)> body) {
  auto type = cast<RankedTensorType>(input.getType());
  Type arithmetic = getArithmeticType(type.getElementType());
  AffineMap map = builder.getMultiDimIdentityMap(type.getRank());
  Value empty = makeEmptyLike(builder, loc, input, type.getElementType());
  return linalg::GenericOp::create(
             builder, loc, type, ValueRange{input}, ValueRange{empty},
             ArrayRef<AffineMap>{map, map},
             SmallVector<utils::IteratorType>(type.getRank(),
                                              utils::IteratorType::parallel),
             [&](OpBuilder &b, Location l, ValueRange args) {
               LoopBuilder lb(b, l);
               Value x = lb.convert(args[0], arithmetic);
               lb.yield(lb.convert(body(lb, x), type.getElementType()));
             })
      .getResult(0);
}

namespace {
template <typename OpTy> struct ConvertElementwise : OpConversionPattern<OpTy> {
  using OpConversionPattern<OpTy>::OpConversionPattern;
  using Body = Value (*)(OpTy, LoopBuilder &, Value);
  ConvertElementwise(MLIRContext *context, Body body)
      : OpConversionPattern<OpTy>(context), body(body) {}
  LogicalResult
  matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!isa<RankedTensorType>(op.getType()))
      return rewriter.notifyMatchFailure(op, "gates become tensors first");
    rewriter.replaceOp(
        op,
        mapElements(rewriter, op.getLoc(), adaptor.getOperands().front(),
                    [&](LoopBuilder &b, Value x) { return body(op, b, x); }));
    return success();
  }
  Body body;
};
} // namespace

static Value sigmoid(LoopBuilder &b, Value x) {
  Value one = b.constant(x.getType(), 1.0);
  Value e = math::ExpOp::create(b, b.loc, arith::NegFOp::create(b, b.loc, x));
  return arith::DivFOp::create(b, b.loc, one,
                               arith::AddFOp::create(b, b.loc, one, e));
}

static Value softplus(LoopBuilder &b, Value x) {
  Value zero = b.constant(x.getType(), 0.0);
  Value magnitude = math::AbsFOp::create(b, b.loc, x);
  Value e =
      math::ExpOp::create(b, b.loc, arith::NegFOp::create(b, b.loc, magnitude));
  return arith::AddFOp::create(b, b.loc,
                               arith::MaximumFOp::create(b, b.loc, x, zero),
                               math::Log1pOp::create(b, b.loc, e));
}

static Value silu(LoopBuilder &b, Value x) {
  Value one = b.constant(x.getType(), 1.0);
  Value e = math::ExpOp::create(b, b.loc, arith::NegFOp::create(b, b.loc, x));
  return arith::DivFOp::create(b, b.loc, x,
                               arith::AddFOp::create(b, b.loc, one, e));
}

static Value gelu(GeluOp op, LoopBuilder &b, Value x) {
  Type type = x.getType();
  auto mul = [&](Value l, Value r) -> Value {
    return arith::MulFOp::create(b, b.loc, l, r);
  };
  auto add = [&](Value l, Value r) -> Value {
    return arith::AddFOp::create(b, b.loc, l, r);
  };
  Value curve;
  if (op.getKind() == GeluKind::Erf) {
    curve = math::ErfOp::create(
        b, b.loc, mul(x, b.constant(type, 0.70710678118654752440)));
  } else {
    Value cube = mul(mul(x, x), x);
    Value inner = add(x, mul(b.constant(type, 0.044715), cube));
    curve = math::TanhOp::create(
        b, b.loc, mul(b.constant(type, 0.79788456080286535588), inner));
  }
  return mul(mul(b.constant(type, 0.5), x), add(b.constant(type, 1.0), curve));
}

static Value clamp(ClampOp op, LoopBuilder &b, Value x) {
  // The bounds are those of the element type, not of the arithmetic's.
  Type element = getElementTypeOrSelf(op.getType());
  auto bound = [&](const APFloat &value) {
    return b.convert(b.constant(element, value.convertToDouble()), x.getType());
  };
  if (op.getMin())
    x = arith::MaximumFOp::create(b, b.loc, x, bound(*op.getMin()));
  if (op.getMax())
    x = arith::MinimumFOp::create(b, b.loc, x, bound(*op.getMax()));
  return x;
}

namespace {
struct ConvertLinear : OpConversionPattern<LinearOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(LinearOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value input = adaptor.getInput(), weight = adaptor.getWeight();
    auto type = cast<RankedTensorType>(op.getType());
    Type sum = getArithmeticType(type.getElementType());
    for (Value operand : adaptor.getOperands())
      if (getElementTypeOrSelf(operand.getType()).isF64())
        sum = rewriter.getF64Type();

    OpFoldResult rows = tensor::getMixedSize(rewriter, loc, input, 0);
    bool isPacked = op.getLayout() == Layout::Panels;
    OpFoldResult columns =
        isPacked ? OpFoldResult(rewriter.getIndexAttr(type.getDimSize(1)))
                 : tensor::getMixedSize(rewriter, loc, weight, op.getOutDim());
    Value result =
        isPacked ? multiplyPanels(rewriter, loc, input, weight, rows, type, sum)
                 : multiply(rewriter, op, input, weight, rows, columns, sum);
    finish(rewriter, op, adaptor.getBias(), result, rows, columns, sum);
    return success();
  }

private:
  /// The body of a product: `args` are an element of the input, one of the
  /// weight, and the sum.
  static void accumulate(OpBuilder &b, Location loc, ValueRange args,
                         arith::FastMathFlags flags) {
    LoopBuilder lb(b, loc);
    Type sum = args[2].getType();
    Value product = arith::MulFOp::create(b, loc, lb.convert(args[0], sum),
                                          lb.convert(args[1], sum), flags);
    lb.yield(arith::AddFOp::create(b, loc, args[2], product, flags));
  }

  /// `input` with zeros up to `columns`, where its last line is not filled.
  static Value fillLines(OpBuilder &b, Location loc, Value input,
                         OpFoldResult rows, int64_t columns) {
    auto type = cast<RankedTensorType>(input.getType());
    if (type.isDynamicDim(1) || type.getDimSize(1) == columns)
      return input;
    Value filled = makeFilled(b, loc, {rows, b.getIndexAttr(columns)},
                              type.getElementType(), 0.0);
    SmallVector<OpFoldResult> offsets(2, b.getIndexAttr(0));
    SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
    SmallVector<OpFoldResult> sizes = {rows,
                                       b.getIndexAttr(type.getDimSize(1))};
    return tensor::InsertSliceOp::create(b, loc, input, filled, offsets, sizes,
                                         strides);
  }

  /// The product with a weight in panels: [rows, panels * width], of which the
  /// result's columns are cut out.
  static Value multiplyPanels(OpBuilder &b, Location loc, Value input,
                              Value weight, OpFoldResult rows,
                              RankedTensorType type, Type sum) {
    auto packed = cast<RankedTensorType>(weight.getType());
    int64_t panels = packed.getDimSize(0), width = packed.getDimSize(2);
    PanelProduct product;
    if (packed.getRank() == 4)
      product.side = packed.getDimSize(3);
    int64_t columns = type.getDimSize(1);
    // A slice of no rows would begin behind the end.
    if (isConstantIntValue(rows, 0))
      return makeFilled(b, loc, {rows, b.getIndexAttr(columns)}, sum, 0.0);
    Value accumulator = makeFilled(
        b, loc, {rows, b.getIndexAttr(panels), b.getIndexAttr(width)}, sum,
        0.0);
    input = fillLines(b, loc, input, rows, packed.getDimSize(1) * product.side);
    Value sums = linalg::GenericOp::create(
                     b, loc, accumulator.getType(), ValueRange{input, weight},
                     ValueRange{accumulator}, product.getMaps(b.getContext()),
                     product.getIterators(),
                     [](OpBuilder &b, Location loc, ValueRange args) {
                       accumulate(b, loc, args, arith::FastMathFlags::contract);
                     })
                     .getResult(0);
    SmallVector<ReassociationIndices> groups = {{0}, {1, 2}};
    Value result = tensor::CollapseShapeOp::create(b, loc, sums, groups);
    if (columns == panels * width)
      return result;
    SmallVector<OpFoldResult> offsets(2, b.getIndexAttr(0));
    SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
    SmallVector<OpFoldResult> sizes = {rows, b.getIndexAttr(columns)};
    return tensor::ExtractSliceOp::create(b, loc, result, offsets, sizes,
                                          strides);
  }

  static Value multiply(OpBuilder &rewriter, LinearOp op, Value input,
                        Value weight, OpFoldResult rows, OpFoldResult columns,
                        Type sum) {
    Location loc = op.getLoc();
    Value accumulator = makeFilled(rewriter, loc, {rows, columns}, sum, 0.0);

    // The innermost loop walks along the weight's rows, which lie together in
    // memory; the outermost one reads each of them once for all tokens.
    AffineExpr d0, d1, d2;
    bindDims(rewriter.getContext(), d0, d1, d2);
    using utils::IteratorType;
    SmallVector<AffineExpr> in, w, out;
    SmallVector<IteratorType> iterators;
    if (op.getLayout() == Layout::OutIn) { // (column, row, k)
      in = {d1, d2}, w = {d0, d2}, out = {d1, d0};
      iterators = {IteratorType::parallel, IteratorType::parallel,
                   IteratorType::reduction};
    } else { // (k, row, column)
      in = {d1, d0}, w = {d0, d2}, out = {d1, d2};
      iterators = {IteratorType::reduction, IteratorType::parallel,
                   IteratorType::parallel};
    }
    auto maps =
        AffineMap::inferFromExprList({in, w, out}, rewriter.getContext());
    return linalg::GenericOp::create(
               rewriter, loc, accumulator.getType(), ValueRange{input, weight},
               ValueRange{accumulator}, maps, iterators,
               [](OpBuilder &b, Location loc, ValueRange args) {
                 accumulate(b, loc, args,
                            arith::FastMathFlags::reassoc |
                                arith::FastMathFlags::contract);
               })
        .getResult(0);
  }

  static void finish(ConversionPatternRewriter &rewriter, LinearOp op,
                     Value bias, Value result, OpFoldResult rows,
                     OpFoldResult columns, Type sum) {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    if (!bias && type == result.getType()) {
      rewriter.replaceOp(op, result);
      return;
    }
    using utils::IteratorType;
    // Bias and rounding, once each.
    SmallVector<Value> inputs = {result};
    AffineMap identity = rewriter.getMultiDimIdentityMap(2);
    SmallVector<AffineMap> endMaps = {identity};
    if (bias) {
      inputs.push_back(bias);
      endMaps.push_back(identity.dropResult(0));
    }
    endMaps.push_back(identity);
    Value empty = tensor::EmptyOp::create(rewriter, loc,
                                          ArrayRef<OpFoldResult>{rows, columns},
                                          type.getElementType());
    Value end =
        linalg::GenericOp::create(
            rewriter, loc, empty.getType(), inputs, ValueRange{empty}, endMaps,
            SmallVector<IteratorType>(2, IteratorType::parallel),
            [&](OpBuilder &b, Location l, ValueRange args) {
              LoopBuilder lb(b, l);
              Value value = args[0];
              if (inputs.size() == 2)
                value = arith::AddFOp::create(b, l, value,
                                              lb.convert(args[1], sum));
              lb.yield(lb.convert(value, type.getElementType()));
            })
            .getResult(0);
    rewriter.replaceOp(op, castTo(rewriter, loc, end, type));
  }
};

struct ConvertSoftmax : OpConversionPattern<SoftmaxOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(SoftmaxOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (!type)
      return rewriter.notifyMatchFailure(op, "gates become tensors first");
    Location loc = op.getLoc();
    Value input = adaptor.getInput();
    Type f = getArithmeticType(type.getElementType());
    int64_t rank = type.getRank();
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(rewriter, loc, input);
    SmallVector<OpFoldResult> rowSizes(sizes);
    rowSizes.pop_back();

    AffineMap all = rewriter.getMultiDimIdentityMap(rank);
    AffineMap row = all.dropResult(rank - 1);
    SmallVector<utils::IteratorType> parallel(rank,
                                              utils::IteratorType::parallel);
    SmallVector<utils::IteratorType> reduce(parallel);
    reduce.back() = utils::IteratorType::reduction;

    auto reduceRows = [&](Value from, double start, auto combine) -> Value {
      Value init = makeFilled(rewriter, loc, rowSizes, f, start);
      return linalg::GenericOp::create(
                 rewriter, loc, init.getType(), ValueRange{from},
                 ValueRange{init}, ArrayRef<AffineMap>{all, row}, reduce,
                 [&](OpBuilder &b, Location l, ValueRange args) {
                   LoopBuilder lb(b, l);
                   lb.yield(combine(lb, lb.convert(args[0], f), args[1]));
                 })
          .getResult(0);
    };
    auto mapRows = [&](Value from, Value rows, Type to, auto body) -> Value {
      Value empty = tensor::EmptyOp::create(rewriter, loc, sizes, to);
      return linalg::GenericOp::create(
                 rewriter, loc, empty.getType(), ValueRange{from, rows},
                 ValueRange{empty}, ArrayRef<AffineMap>{all, row, all},
                 parallel,
                 [&](OpBuilder &b, Location l, ValueRange args) {
                   LoopBuilder lb(b, l);
                   lb.yield(lb.convert(
                       body(lb, lb.convert(args[0], f), args[1]), to));
                 })
          .getResult(0);
    };

    Value max =
        reduceRows(input, -std::numeric_limits<double>::infinity(),
                   [](LoopBuilder &b, Value x, Value best) -> Value {
                     return arith::MaximumFOp::create(b, b.loc, x, best);
                   });
    Value exp = mapRows(
        input, max, f, [](LoopBuilder &b, Value x, Value best) -> Value {
          return math::ExpOp::create(b, b.loc,
                                     arith::SubFOp::create(b, b.loc, x, best));
        });
    Value sum =
        reduceRows(exp, 0.0, [](LoopBuilder &b, Value x, Value sofar) -> Value {
          return arith::AddFOp::create(b, b.loc, sofar, x);
        });
    Value result = mapRows(exp, sum, type.getElementType(),
                           [](LoopBuilder &b, Value x, Value total) -> Value {
                             return arith::DivFOp::create(b, b.loc, x, total);
                           });
    rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
    return success();
  }
};

struct ConvertRMSNorm : OpConversionPattern<RMSNormOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(RMSNormOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    Type f = getArithmeticType(type.getElementType());
    if (op.getGain() && getElementTypeOrSelf(op.getGain().getType()).isF64())
      f = rewriter.getF64Type();
    int64_t rank = type.getRank();
    Value input = adaptor.getInput();
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(rewriter, loc, input);
    AffineMap all = rewriter.getMultiDimIdentityMap(rank);
    AffineMap row = all.dropResult(rank - 1);
    using utils::IteratorType;
    SmallVector<IteratorType> parallel(rank, IteratorType::parallel);
    SmallVector<IteratorType> reduce(parallel);
    reduce.back() = IteratorType::reduction;

    Value zero = makeFilled(rewriter, loc, ArrayRef(sizes).drop_back(), f, 0.0);
    Value squares =
        linalg::GenericOp::create(
            rewriter, loc, zero.getType(), ValueRange{input}, ValueRange{zero},
            ArrayRef<AffineMap>{all, row}, reduce,
            [&](OpBuilder &builder, Location l, ValueRange args) {
              LoopBuilder b(builder, l);
              Value x = b.convert(args[0], f);
              b.yield(arith::AddFOp::create(b, l, args[1],
                                            arith::MulFOp::create(b, l, x, x)));
            })
            .getResult(0);

    SmallVector<Value> inputs = {input, squares};
    SmallVector<AffineMap> maps = {all, row};
    if (op.getGain()) {
      inputs.push_back(adaptor.getGain());
      maps.push_back(
          AffineMap::get(rank, 0, rewriter.getAffineDimExpr(rank - 1)));
    }
    maps.push_back(all);
    Value empty =
        tensor::EmptyOp::create(rewriter, loc, sizes, type.getElementType());
    double count = type.getShape().back();
    Value result =
        linalg::GenericOp::create(
            rewriter, loc, empty.getType(), inputs, ValueRange{empty}, maps,
            parallel,
            [&](OpBuilder &builder, Location l, ValueRange args) {
              LoopBuilder b(builder, l);
              Value mean =
                  arith::DivFOp::create(b, l, args[1], b.constant(f, count));
              Value shifted = arith::AddFOp::create(
                  b, l, mean, b.constant(f, op.getEps().convertToDouble()));
              Value value =
                  arith::DivFOp::create(b, l, b.convert(args[0], f),
                                        math::SqrtOp::create(b, l, shifted));
              if (op.getGain())
                value =
                    arith::MulFOp::create(b, l, value, b.convert(args[2], f));
              b.yield(b.convert(value, type.getElementType()));
            })
            .getResult(0);
    rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
    return success();
  }
};

struct ConvertBroadcast : OpConversionPattern<BroadcastOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(BroadcastOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    Value source = adaptor.getSource();
    Value empty =
        makeEmptyLike(rewriter, loc, adaptor.getLike(), type.getElementType());
    auto sourceType = dyn_cast<RankedTensorType>(source.getType());
    if (!sourceType) {
      Value filled =
          linalg::FillOp::create(rewriter, loc, source, empty).getResult(0);
      rewriter.replaceOp(op, filled);
      return success();
    }
    int64_t missing = type.getRank() - sourceType.getRank();
    SmallVector<AffineExpr> from;
    for (int64_t i = 0; i < sourceType.getRank(); ++i)
      from.push_back(sourceType.getDimSize(i) == 1
                         ? rewriter.getAffineConstantExpr(0)
                         : rewriter.getAffineDimExpr(missing + i));
    SmallVector<AffineMap> maps = {
        AffineMap::get(type.getRank(), 0, from, getContext()),
        rewriter.getMultiDimIdentityMap(type.getRank())};
    rewriter.replaceOpWithNewOp<linalg::GenericOp>(
        op, type, ValueRange{source}, ValueRange{empty}, maps,
        SmallVector<utils::IteratorType>(type.getRank(),
                                         utils::IteratorType::parallel),
        [](OpBuilder &b, Location l, ValueRange args) {
          linalg::YieldOp::create(b, l, args[0]);
        });
    return success();
  }
};

struct ConvertSplit : OpConversionPattern<SplitOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(SplitOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getInput().getType());
    int64_t parts = op.getParts(), size = type.getShape().back() / parts;
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(rewriter, loc, adaptor.getInput());
    sizes.back() = rewriter.getIndexAttr(size);
    SmallVector<OpFoldResult> offsets(type.getRank(), rewriter.getIndexAttr(0));
    SmallVector<OpFoldResult> strides(type.getRank(), rewriter.getIndexAttr(1));
    if (op.getInterleaved())
      strides.back() = rewriter.getIndexAttr(parts);
    SmallVector<Value> results;
    for (auto [part, result] : llvm::enumerate(op.getResults())) {
      offsets.back() =
          rewriter.getIndexAttr(op.getInterleaved() ? part : part * size);
      Value slice = tensor::ExtractSliceOp::create(
          rewriter, loc, adaptor.getInput(), offsets, sizes, strides);
      results.push_back(castTo(rewriter, loc, slice, result.getType()));
    }
    rewriter.replaceOp(op, results);
    return success();
  }
};

struct ConvertSluiceToLinalg
    : sluice::impl::ConvertSluiceToLinalgBase<ConvertSluiceToLinalg> {
  void runOnOperation() override {
    if (failed(decomposeAggregates()))
      return signalPassFailure();
    ConversionTarget target(getContext());
    target.addLegalDialect<arith::ArithDialect, linalg::LinalgDialect,
                           math::MathDialect, tensor::TensorDialect>();
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    target.addDynamicallyLegalOp<LinearOp, RMSNormOp, SoftmaxOp, BroadcastOp,
                                 SplitOp, SigmoidOp, SoftplusOp, SiluOp, ReluOp,
                                 GeluOp, ClampOp>([](Operation *op) {
      return !isa<RankedTensorType>(op->getResult(0).getType());
    });
    target.addIllegalOp<DequantizeOp, QuantizeOp, QuantizedLinearOp>();
    RewritePatternSet patterns(&getContext());
    populateSluiceToLinalgPatterns(patterns);
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }

private:
  /// linalg ops that are several (linalg.softmax) have no loops of their own.
  LogicalResult decomposeAggregates() {
    SmallVector<linalg::AggregatedOpInterface> ops;
    getOperation()->walk(
        [&](linalg::AggregatedOpInterface op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (linalg::AggregatedOpInterface op : ops) {
      rewriter.setInsertionPoint(op);
      FailureOr<SmallVector<Value>> parts = op.decomposeOperation(rewriter);
      if (failed(parts))
        return op->emitError("cannot be decomposed into linalg.generic");
      rewriter.replaceOp(op, *parts);
    }
    return success();
  }
};
} // namespace

void sluice::populateSluiceToLinalgPatterns(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<ConvertLinear, ConvertRMSNorm, ConvertSoftmax, ConvertBroadcast,
               ConvertSplit>(context);
  populateQuantToLinalgPatterns(patterns);
  populateQuantizedLinearPatterns(patterns);
  patterns.add<ConvertElementwise<SigmoidOp>>(
      context,
      [](SigmoidOp, LoopBuilder &b, Value x) { return sigmoid(b, x); });
  patterns.add<ConvertElementwise<SoftplusOp>>(
      context,
      [](SoftplusOp, LoopBuilder &b, Value x) { return softplus(b, x); });
  patterns.add<ConvertElementwise<SiluOp>>(
      context, [](SiluOp, LoopBuilder &b, Value x) { return silu(b, x); });
  patterns.add<ConvertElementwise<ReluOp>>(
      context, [](ReluOp, LoopBuilder &b, Value x) -> Value {
        return arith::MaximumFOp::create(b, b.loc, x,
                                         b.constant(x.getType(), 0.0));
      });
  patterns.add<ConvertElementwise<GeluOp>>(context, gelu);
  patterns.add<ConvertElementwise<ClampOp>>(context, clamp);
}
