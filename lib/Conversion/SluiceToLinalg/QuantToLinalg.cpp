//===- QuantToLinalg.cpp - Quantised numbers to linalg ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantToLinalg.h"
#include "NumberBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"
#include "sluice/Conversion/Utils.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"
#include "llvm/ADT/APFloat.h"

#include <limits>

using namespace mlir;
using namespace sluice;
using utils::IteratorType;

//===----------------------------------------------------------------------===//
// Bits
//===----------------------------------------------------------------------===//

Value NumberBuilder::decode(Value bits, Type type) {
  if (auto format = dyn_cast<FloatType>(type))
    return decodeFloat(bits, format.getFloatSemantics());
  unsigned width = type.getIntOrFloatBitWidth();
  if (!type.isUnsignedInteger()) {
    // Moves the negative half below 0.
    int64_t half = int64_t(1) << (width - 1);
    bits = sub(arith::XOrIOp::create(*this, loc, bits, integer(half)),
               integer(half));
  }
  return toFloat(bits);
}

/// Of a float of up to 8 bits, exactly. Normal numbers move into the fields of
/// an f32; the others are integers times the smallest step, so that no f32
/// below the normal ones, which are slow, is made on the way.
Value NumberBuilder::decodeFloat(Value bits, const llvm::fltSemantics &format) {
  using llvm::APFloat;
  int width = APFloat::semanticsSizeInBits(format);
  int fraction = APFloat::semanticsPrecision(format) - 1;
  int bias = 1 - APFloat::semanticsMinExponent(format);
  int64_t signBit = int64_t(1) << (width - 1);

  Value magnitude = bitAnd(bits, signBit - 1);
  Value normal = bitsToFloat(add(shiftLeft(magnitude, 23 - fraction),
                                 integer(int64_t(127 - bias) << 23)));
  Value small =
      arith::MulFOp::create(*this, loc, toFloat(magnitude),
                            number(std::ldexp(1.0, 1 - bias - fraction)));
  Value isSmall = compare(arith::CmpIPredicate::ult, magnitude,
                          integer(int64_t(1) << fraction));
  Value value = select(isSmall, small, normal);

  // Patterns that are no numbers, from the largest one down.
  auto patternOf = [](const APFloat &number) -> int64_t {
    return number.bitcastToAPInt().getZExtValue();
  };
  if (APFloat::semanticsHasInf(format)) {
    Value infinity = integer(patternOf(APFloat::getInf(format)));
    value = select(compare(arith::CmpIPredicate::eq, magnitude, infinity),
                   number(std::numeric_limits<double>::infinity()), value);
  }
  if (APFloat::semanticsHasNaN(format)) {
    Value largest = integer(patternOf(APFloat::semanticsHasInf(format)
                                          ? APFloat::getInf(format)
                                          : APFloat::getLargest(format)));
    value = select(compare(arith::CmpIPredicate::ugt, magnitude, largest),
                   number(std::numeric_limits<double>::quiet_NaN()), value);
  }
  Value sign = shiftLeft(bitAnd(bits, signBit), 32 - width);
  return bitsToFloat(arith::OrIOp::create(
      *this, loc, arith::BitcastOp::create(*this, loc, getI32Type(), value),
      sign));
}

Value NumberBuilder::decodePower(Value byte) {
  Value bits = shiftLeft(byte, 23);
  bits = select(equals(byte, 0), integer(0x00400000), bits);
  bits = select(equals(byte, 255), integer(0x7fc00000), bits);
  return bitsToFloat(bits);
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

static Value divide(LoopBuilder &b, Value index, int64_t by) {
  return by == 1
             ? index
             : arith::DivUIOp::create(b, b.loc, index, b.index(by)).getResult();
}

/// `tensor` with all dimensions behind the first `rank` - 1 as one.
static Value flattenLast(OpBuilder &b, Location loc, Value tensor,
                         int64_t rank) {
  int64_t from = cast<RankedTensorType>(tensor.getType()).getRank();
  if (from == rank)
    return tensor;
  SmallVector<ReassociationIndices> groups(rank);
  for (int64_t d = 0; d < from; ++d)
    groups[std::min(d, rank - 1)].push_back(d);
  return tensor::CollapseShapeOp::create(b, loc, tensor, groups);
}

static SmallVector<OpFoldResult> makeIndices(OpBuilder &b, int64_t rank,
                                             int64_t value) {
  return SmallVector<OpFoldResult>(rank, b.getIndexAttr(value));
}

//===----------------------------------------------------------------------===//
// dequantize
//===----------------------------------------------------------------------===//

namespace {
struct ConvertDequantize : OpConversionPattern<DequantizeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(DequantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = op.getType();
    int64_t rank = type.getRank(), size = type.getShape().back();
    int64_t block = op.getBlocks().back();
    Value input = flattenLast(rewriter, loc, adaptor.getInput(), rank);
    Value zeros = adaptor.getZeros();
    if (zeros)
      zeros = flattenLast(rewriter, loc, zeros, rank);

    // The last dimension as blocks, so that an inner loop has one scale, and a
    // block of packed numbers as bytes, so that no loop shifts by what it
    // counts. Where blocks end within a byte or beyond the tensor, elements are
    // found one by one.
    bool isStatic = !ShapedType::isDynamic(size);
    bool isCut = isStatic && block > 1 && size % block == 0 && size != 0 &&
                 !(op.isPacked() && block % 2 != 0);
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(rewriter, loc, input);
    sizes.pop_back();
    SmallVector<ReassociationIndices> groups;
    for (int64_t d = 0; d < rank - 1; ++d)
      groups.push_back({d});
    auto &last = groups.emplace_back();
    auto addLoop = [&](OpFoldResult loop) {
      last.push_back(sizes.size());
      sizes.push_back(loop);
    };
    if (isCut) {
      addLoop(rewriter.getIndexAttr(size / block));
      addLoop(rewriter.getIndexAttr(op.isPacked() ? block / 2 : block));
      if (op.isPacked())
        addLoop(rewriter.getIndexAttr(2));
    } else {
      addLoop(isStatic ? OpFoldResult(rewriter.getIndexAttr(size))
                       : tensor::getMixedSize(rewriter, loc, input, rank - 1));
    }

    Value empty =
        tensor::EmptyOp::create(rewriter, loc, sizes, type.getElementType());
    int64_t loops = sizes.size();
    AffineMap map = rewriter.getMultiDimIdentityMap(loops);
    Value result =
        linalg::GenericOp::create(
            rewriter, loc, empty.getType(), ValueRange{}, ValueRange{empty},
            ArrayRef<AffineMap>{map},
            SmallVector<IteratorType>(loops, IteratorType::parallel),
            [&](OpBuilder &builder, Location l, ValueRange) {
              NumberBuilder b(builder, l);
              b.yield(b.convert(
                  makeElement(b, op, input, adaptor.getScales(), zeros, isCut),
                  type.getElementType()));
            })
            .getResult(0);
    if (loops != rank)
      result = tensor::CollapseShapeOp::create(rewriter, loc, result, groups);
    rewriter.replaceOp(op, castTo(rewriter, loc, result, type));
    return success();
  }

private:
  /// (q - z) * s of the element that the loops are at.
  static Value makeElement(NumberBuilder &b, DequantizeOp op, Value input,
                           Value scales, Value zeros, bool isCut) {
    int64_t rank = op.getType().getRank(), block = op.getBlocks().back();
    auto loop = [&](int64_t d) -> Value {
      return linalg::IndexOp::create(b, b.loc, d);
    };
    // Where the element is, and where its block is.
    SmallVector<Value> element, scale;
    for (int64_t d = 0; d < rank - 1; ++d) {
      element.push_back(loop(d));
      scale.push_back(divide(b, loop(d), op.getBlocks()[d]));
    }
    scale.push_back(isCut ? loop(rank - 1) : divide(b, loop(rank - 1), block));
    Value number;
    if (isCut && op.isPacked()) {
      element.push_back(
          b.add(b.mul(loop(rank - 1), b.index(block / 2)), loop(rank)));
      number = extract(b, op, input, element, loop(rank + 1));
    } else {
      element.push_back(
          isCut ? b.add(b.mul(loop(rank - 1), b.index(block)), loop(rank))
                : loop(rank - 1));
      number = extract(b, op, input, element);
    }
    if (zeros)
      number =
          arith::SubFOp::create(b, b.loc, number, extract(b, op, zeros, scale));
    Value factor = b.extract(scales, scale);
    factor = op.getScaleType() ? b.decodePower(b.widen(factor))
                               : b.convert(factor, b.getF32Type());
    return arith::MulFOp::create(b, b.loc, number, factor);
  }

  /// The number at `indices`; of two in the byte there number `half`, if that
  /// is given, else that of the last index.
  static Value extract(NumberBuilder &b, DequantizeOp op, Value stored,
                       SmallVector<Value> indices, Value half = {}) {
    if (op.isPacked() && !half) {
      Value two = b.index(2);
      half = arith::RemUIOp::create(b, b.loc, indices.back(), two);
      indices.back() = divide(b, indices.back(), 2);
    }
    Value bits = b.widen(b.extract(stored, indices));
    if (half) {
      half = arith::IndexCastOp::create(b, b.loc, b.getI32Type(), half);
      bits = b.bitAnd(
          arith::ShRUIOp::create(b, b.loc, bits, b.shiftLeft(half, 2)), 15);
    }
    return b.decode(bits, op.getElementType());
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// quantize
//===----------------------------------------------------------------------===//

/// The nearest integer, ties to even, of a number below 2^22: beyond 2^23 there
/// are no fractions, and adding rounds. Any processor does it in vectors.
static Value roundEven(NumberBuilder &b, Value x) {
  Value shift = b.number(0x1.8p23);
  return arith::SubFOp::create(
      b, b.loc, arith::AddFOp::create(b, b.loc, x, shift), shift);
}

/// roundeven(x * r), and 0 in a block that has no steps (r = 0), whatever x is.
static Value countSteps(NumberBuilder &b, Value x, Value r) {
  Value zero = b.number(0.0);
  Value isEmpty =
      arith::CmpFOp::create(b, b.loc, arith::CmpFPredicate::OEQ, r, zero);
  Value steps = arith::MulFOp::create(b, b.loc, x, r);
  return roundEven(b, b.select(isEmpty, zero, steps));
}

static Value toByte(NumberBuilder &b, Value number) {
  Value integer = arith::FPToSIOp::create(b, b.loc, b.getI32Type(), number);
  return arith::TruncIOp::create(b, b.loc, b.getI8Type(), integer);
}

/// s and 1 / s, with the exceptions of the op's definition, for blocks whose
/// numbers spread over `width`.
static std::pair<Value, Value> chooseScale(NumberBuilder &b, Value width,
                                           double steps) {
  Value infinity = b.number(std::numeric_limits<double>::infinity());
  auto isFinite = [&](Value magnitude) -> Value {
    return arith::CmpFOp::create(b, b.loc, arith::CmpFPredicate::OLT, magnitude,
                                 infinity);
  };
  Value zero = b.number(0.0);
  Value scale = arith::DivFOp::create(b, b.loc, width, b.number(steps));
  Value inverse = arith::DivFOp::create(b, b.loc, b.number(1.0), scale);
  Value hasSteps = isFinite(inverse);
  return {b.select(isFinite(width), b.select(hasSteps, scale, zero),
                   b.number(std::numeric_limits<double>::quiet_NaN())),
          b.select(hasSteps, inverse, zero)};
}

namespace {
/// Loops over blocks and over the elements in them: `whole` for what has both,
/// `outer` for what has one element a block.
struct BlockLoops {
  SmallVector<OpFoldResult> sizes;
  /// Loops of each dimension.
  SmallVector<ReassociationIndices> groups;
  SmallVector<IteratorType> reduction;
  AffineMap whole, outer;
};

struct ConvertQuantize : OpConversionPattern<QuantizeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(QuantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    BlockLoops loops;
    Value input = cut(rewriter, op, adaptor.getInput(), loops);
    ValueRange widths = measure(rewriter, op, input, loops);
    ValueRange scales = chooseScales(rewriter, op, widths);
    Value quantized = round(rewriter, op, input, scales, loops);
    quantized = join(rewriter, loc, quantized, adaptor.getInput(), loops,
                     op.getQuantized().getType());
    SmallVector<Value> results = {
        quantized, castTo(rewriter, loc, scales[0], op.getScales().getType())};
    if (op.getZeros())
      results.push_back(
          castTo(rewriter, loc, scales[3], op.getZeros().getType()));
    rewriter.replaceOp(op, results);
    return success();
  }

private:
  /// The input as whole blocks: 0, which changes no block's numbers, where the
  /// last ones are shorter.
  static Value cut(OpBuilder &b, QuantizeOp op, Value input,
                   BlockLoops &loops) {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(input.getType());
    int64_t rank = type.getRank();
    SmallVector<OpFoldResult> padded = tensor::getMixedSizes(b, loc, input);
    SmallVector<OpFoldResult> sizes = padded;
    SmallVector<AffineExpr> outer;
    SmallVector<int64_t> shape;
    bool isPadded = false;
    for (int64_t d = 0; d < rank; ++d) {
      int64_t size = type.getDimSize(d);
      auto addLoop = [&](OpFoldResult loop, int64_t extent, IteratorType kind) {
        loops.groups[d].push_back(loops.sizes.size());
        loops.sizes.push_back(loop);
        loops.reduction.push_back(kind);
        shape.push_back(extent);
      };
      loops.groups.emplace_back();
      outer.push_back(b.getAffineDimExpr(loops.sizes.size()));
      int64_t block = op.getBlocks()[d];
      if (block > 1)
        block = std::min(block, std::max<int64_t>(size, 1));
      if (block == 1) {
        addLoop(sizes[d], size, IteratorType::parallel);
        continue;
      }
      int64_t count = llvm::divideCeil(size, block);
      addLoop(b.getIndexAttr(count), count, IteratorType::parallel);
      addLoop(b.getIndexAttr(block), block, IteratorType::reduction);
      padded[d] = b.getIndexAttr(count * block);
      isPadded |= count * block != size;
    }
    int64_t numLoops = loops.sizes.size();
    loops.whole = b.getMultiDimIdentityMap(numLoops);
    loops.outer = AffineMap::get(numLoops, 0, outer, b.getContext());
    if (isPadded) {
      Value zeros = makeFilled(b, loc, padded, type.getElementType(), 0.0);
      input = tensor::InsertSliceOp::create(b, loc, input, zeros,
                                            makeIndices(b, rank, 0), sizes,
                                            makeIndices(b, rank, 1));
    }
    if (numLoops == rank)
      return input;
    return tensor::ExpandShapeOp::create(
        b, loc, RankedTensorType::get(shape, type.getElementType()), input,
        loops.groups, loops.sizes);
  }

  /// The inverse for the numbers of all blocks.
  static Value join(OpBuilder &b, Location loc, Value blocks, Value like,
                    const BlockLoops &loops, RankedTensorType type) {
    int64_t rank = type.getRank();
    if (static_cast<int64_t>(loops.sizes.size()) != rank)
      blocks = tensor::CollapseShapeOp::create(b, loc, blocks, loops.groups);
    auto joined = cast<RankedTensorType>(blocks.getType());
    if (failed(verifyCompatibleShape(joined, type)))
      blocks = tensor::ExtractSliceOp::create(
          b, loc, blocks, makeIndices(b, rank, 0),
          tensor::getMixedSizes(b, loc, like), makeIndices(b, rank, 1));
    return castTo(b, loc, blocks, type);
  }

  /// max |x| of each block, or min(x, 0) and max(x, 0).
  static ValueRange measure(OpBuilder &b, QuantizeOp op, Value input,
                            const BlockLoops &loops) {
    Location loc = op.getLoc();
    SmallVector<OpFoldResult> sizes;
    for (const ReassociationIndices &group : loops.groups)
      sizes.push_back(loops.sizes[group.front()]);
    unsigned count = op.isSymmetric() ? 1 : 2;
    SmallVector<Value> start(count,
                             makeFilled(b, loc, sizes, b.getF32Type(), 0.0));
    SmallVector<AffineMap> maps(1 + count, loops.outer);
    maps[0] = loops.whole;
    return linalg::GenericOp::create(
               b, loc, TypeRange(ValueRange(start)), ValueRange{input}, start,
               maps, loops.reduction,
               [&](OpBuilder &builder, Location l, ValueRange args) {
                 NumberBuilder n(builder, l);
                 Value x = n.convert(args[0], n.getF32Type());
                 SmallVector<Value> values;
                 if (op.isSymmetric())
                   values = {arith::MaximumFOp::create(
                       n, l, math::AbsFOp::create(n, l, x), args[1])};
                 else
                   values = {arith::MinimumFOp::create(n, l, x, args[1]),
                             arith::MaximumFOp::create(n, l, x, args[2])};
                 linalg::YieldOp::create(n, l, values);
               })
        .getResults();
  }

  /// Of each block s and 1 / s; with zero points, z as a float and as a byte.
  static ValueRange chooseScales(OpBuilder &b, QuantizeOp op,
                                 ValueRange widths) {
    Location loc = op.getLoc();
    SmallVector<Type> elements(op.isSymmetric() ? 2 : 3, b.getF32Type());
    if (!op.isSymmetric())
      elements.push_back(b.getI8Type());
    SmallVector<Value> empty;
    for (Type element : elements)
      empty.push_back(makeEmptyLike(b, loc, widths[0], element));
    int64_t rank = op.getInput().getType().getRank();
    SmallVector<AffineMap> maps(widths.size() + empty.size(),
                                b.getMultiDimIdentityMap(rank));
    return linalg::GenericOp::create(
               b, loc, TypeRange(ValueRange(empty)), widths, empty, maps,
               SmallVector<IteratorType>(rank, IteratorType::parallel),
               [&](OpBuilder &builder, Location l, ValueRange args) {
                 NumberBuilder n(builder, l);
                 Value width = args[0];
                 if (!op.isSymmetric())
                   width = arith::SubFOp::create(n, l, args[1], args[0]);
                 auto [scale, inverse] =
                     chooseScale(n, width, op.isSymmetric() ? 127.0 : 255.0);
                 SmallVector<Value> values = {scale, inverse};
                 if (!op.isSymmetric()) {
                   Value zero = countSteps(
                       n, arith::NegFOp::create(n, l, args[0]), inverse);
                   values.append({zero, toByte(n, zero)});
                 }
                 linalg::YieldOp::create(n, l, values);
               })
        .getResults();
  }

  static Value round(OpBuilder &b, QuantizeOp op, Value input,
                     ValueRange scales, const BlockLoops &loops) {
    Location loc = op.getLoc();
    SmallVector<Value> inputs = {input, scales[1]};
    SmallVector<AffineMap> maps = {loops.whole, loops.outer};
    if (!op.isSymmetric()) {
      inputs.push_back(scales[2]);
      maps.push_back(loops.outer);
    }
    maps.push_back(loops.whole);
    Value empty = tensor::EmptyOp::create(b, loc, loops.sizes, b.getI8Type());
    return linalg::GenericOp::create(
               b, loc, empty.getType(), inputs, ValueRange{empty}, maps,
               SmallVector<IteratorType>(loops.sizes.size(),
                                         IteratorType::parallel),
               [&](OpBuilder &builder, Location l, ValueRange args) {
                 NumberBuilder n(builder, l);
                 Value x = n.convert(args[0], n.getF32Type());
                 Value steps = countSteps(n, x, args[1]);
                 if (!op.isSymmetric())
                   steps = arith::AddFOp::create(n, l, steps, args[2]);
                 steps = arith::MaximumFOp::create(
                     n, l, steps, n.number(op.isSymmetric() ? -127.0 : 0.0));
                 steps = arith::MinimumFOp::create(
                     n, l, steps, n.number(op.isSymmetric() ? 127.0 : 255.0));
                 n.yield(toByte(n, steps));
               })
        .getResult(0);
  }
};
} // namespace

void sluice::populateQuantToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<ConvertDequantize, ConvertQuantize>(patterns.getContext());
}
