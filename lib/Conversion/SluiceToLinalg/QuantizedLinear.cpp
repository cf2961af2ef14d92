//===- QuantizedLinear.cpp - Products of packed numbers to linalg -*- C++
//-*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NumberBuilder.h"
#include "QuantToLinalg.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"
#include "sluice/Analysis/QuantizedProduct.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"

using namespace mlir;
using namespace sluice;
using utils::IteratorType;

/// The body: the sum and, on it, the products of one byte's numbers.
static void accumulate(NumberBuilder &b, const QuantizedProduct &product,
                       ValueRange args) {
  Value sum = args.back(), scale = args[product.getScalesNumber()];
  scale = product.hasPowers ? b.decodePower(b.widen(scale))
                            : b.convert(scale, b.getF32Type());
  Value byte = b.widen(args[product.getWeightNumber()]), zero;
  if (product.hasZeros) {
    zero = b.widen(args[product.getZerosNumber()]);
    if (product.isPacked()) {
      // Blocks take turns in a byte.
      Value line = linalg::IndexOp::create(b, b.loc, 2);
      Value block = arith::DivUIOp::create(
          b, b.loc, line, b.index(product.block / product.getLineInputs()));
      Value odd = arith::RemUIOp::create(b, b.loc, block, b.index(2));
      Value amount = b.shiftLeft(
          arith::IndexCastOp::create(b, b.loc, b.getI32Type(), odd), 2);
      zero = b.bitAnd(arith::ShRUIOp::create(b, b.loc, zero, amount), 15);
    }
    zero = b.decode(zero, product.numbers);
  }
  auto add = [&](Value input, Value bits) {
    if (product.hasInputScales())
      input = arith::MulFOp::create(
          b, b.loc,
          b.toFloat(arith::ExtSIOp::create(b, b.loc, b.getI32Type(), input)),
          args[product.getInputScalesNumber()]);
    else
      input = b.convert(input, b.getF32Type());
    Value number = b.decode(bits, product.numbers);
    if (zero)
      number = arith::SubFOp::create(b, b.loc, number, zero);
    Value weight = arith::MulFOp::create(b, b.loc, number, scale);
    Value term = arith::MulFOp::create(b, b.loc, input, weight);
    sum = arith::AddFOp::create(b, b.loc, sum, term);
  };
  if (product.isPacked()) {
    add(args[0], b.bitAnd(byte, 15));
    add(args[1], arith::ShRUIOp::create(b, b.loc, byte, b.integer(4)));
  } else {
    add(args[0], byte);
  }
  b.yield(sum);
}

namespace {
struct ConvertQuantizedLinear : OpConversionPattern<QuantizedLinearOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(QuantizedLinearOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = op.getType();
    QuantizedProduct product;
    product.numbers = op.getElementType();
    product.hasPowers = op.getScaleType().has_value();
    product.hasZeros = op.getZeros() != nullptr;
    product.inputBlock = op.getInputScales() ? op.getInputBlock() : 0;
    product.block = op.getBlock();

    SmallVector<Value> inputs = {adaptor.getInput()};
    if (product.isPacked())
      inputs.push_back(adaptor.getInput());
    inputs.append({adaptor.getWeight(), adaptor.getScales()});
    if (product.hasInputScales())
      inputs.push_back(adaptor.getInputScales());
    if (product.hasZeros)
      inputs.push_back(adaptor.getZeros());

    int64_t columns = type.getDimSize(1);
    int64_t panels = op.getWeight().getType().getDimSize(0);
    constexpr int64_t width = 16;
    OpFoldResult rows =
        tensor::getMixedSize(rewriter, loc, adaptor.getInput(), 0);
    // A slice of no rows would begin behind the end.
    if (isConstantIntValue(rows, 0)) {
      rewriter.replaceOp(
          op, castTo(rewriter, loc,
                     makeFilled(rewriter, loc,
                                {rows, rewriter.getIndexAttr(columns)},
                                type.getElementType(), 0.0),
                     type));
      return success();
    }
    Value zeros = makeFilled(
        rewriter, loc,
        {rows, rewriter.getIndexAttr(panels), rewriter.getIndexAttr(width)},
        type.getElementType(), 0.0);
    SmallVector<IteratorType> iterators(5, IteratorType::parallel);
    iterators[2] = iterators[3] = IteratorType::reduction;
    auto generic = linalg::GenericOp::create(
        rewriter, loc, zeros.getType(), inputs, ValueRange{zeros},
        product.getMaps(rewriter.getContext()), iterators,
        [&](OpBuilder &builder, Location loc, ValueRange args) {
          NumberBuilder b(builder, loc);
          accumulate(b, product, args);
        });
    product.mark(generic);
    SmallVector<ReassociationIndices> groups = {{0}, {1, 2}};
    Value result = tensor::CollapseShapeOp::create(
        rewriter, loc, generic.getResult(0), groups);
    if (columns != panels * width) {
      SmallVector<OpFoldResult> offsets(2, rewriter.getIndexAttr(0));
      SmallVector<OpFoldResult> strides(2, rewriter.getIndexAttr(1));
      SmallVector<OpFoldResult> sizes = {rows, rewriter.getIndexAttr(columns)};
      result = tensor::ExtractSliceOp::create(rewriter, loc, result, offsets,
                                              sizes, strides);
    }
    rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
    return success();
  }
};
} // namespace

void sluice::populateQuantizedLinearPatterns(RewritePatternSet &patterns) {
  patterns.add<ConvertQuantizedLinear>(patterns.getContext());
}
