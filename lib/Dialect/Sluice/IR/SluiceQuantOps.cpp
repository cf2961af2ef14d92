//===- SluiceQuantOps.cpp - Constraints of quantised numbers ----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"
#include "llvm/Support/CheckedArithmetic.h"

using namespace mlir;
using namespace sluice;

/// C1 of both ops: `type` is what is cut into blocks.
static LogicalResult verifyBlocks(Operation *op, RankedTensorType type,
                                  ArrayRef<int64_t> blocks) {
  if (type.getRank() < 1)
    return op->emitOpError("expected at least one dimension to cut into blocks "
                           "but got ")
           << type;
  if (static_cast<int64_t>(blocks.size()) != type.getRank())
    return op->emitOpError("expected ")
           << type.getRank() << " block sizes, one for each dimension of "
           << type << ", but got " << blocks.size();
  for (auto [d, block] : llvm::enumerate(blocks))
    if (type.isDynamicDim(d) && block != 1)
      return op->emitOpError("expected blocks of 1 along dimension ")
             << d << " of " << type << ", which is dynamic, but got " << block;
  return success();
}

/// How many blocks there are along each dimension.
static SmallVector<int64_t> countBlocks(RankedTensorType type,
                                        ArrayRef<int64_t> blocks) {
  SmallVector<int64_t> counts(type.getShape());
  for (auto [count, block] : llvm::zip_equal(counts, blocks))
    if (!ShapedType::isDynamic(count))
      count = llvm::divideCeil(count, block);
  return counts;
}

/// C2 of dequantize and C3 of quantize.
static LogicalResult verifyScales(Operation *op, Value scales,
                                  ArrayRef<int64_t> counts) {
  auto type = cast<RankedTensorType>(scales.getType());
  if (type.getShape() != ArrayRef(counts))
    return op->emitOpError("expected scales of ")
           << type.clone(counts) << ", one for each block, but got " << type;
  return success();
}

/// The number of bytes in the dimensions of `shape`; nothing if one is dynamic
/// or there are too many.
static std::optional<int64_t> countBytes(ArrayRef<int64_t> shape) {
  std::optional<int64_t> count = 1;
  for (int64_t size : shape)
    count = ShapedType::isDynamic(size) || !count
                ? std::nullopt
                : llvm::checkedMul(*count, size);
  return count;
}

/// C4, C5 and C6 of dequantize: `stored`, `what` in messages, has the bytes of
/// the numbers of `shape`.
static LogicalResult verifyStorage(DequantizeOp op, Value stored,
                                   ArrayRef<int64_t> shape, StringRef what) {
  auto type = cast<RankedTensorType>(stored.getType());
  size_t last = shape.size() - 1;
  bool isSplit = type.getRank() > static_cast<int64_t>(shape.size());
  SmallVector<int64_t> bytes(shape);
  if (!ShapedType::isDynamic(bytes.back())) {
    if (op.isPacked())
      bytes.back() = llvm::divideCeil(bytes.back(), 2);
  } else if (op.isPacked() || isSplit) {
    return op.emitOpError("expected a result whose last dimension is static, "
                          "because ")
           << (op.isPacked() ? "two numbers are in a byte"
                             : "that of the input is cut into several")
           << ", but got " << op.getType();
  }
  auto isCompatible = [&] {
    if (!isSplit)
      return type.getShape() == ArrayRef(bytes);
    return type.getShape().take_front(last) == ArrayRef(bytes).drop_back() &&
           countBytes(type.getShape().drop_front(last)) == bytes.back();
  };
  if (!isCompatible())
    return op.emitOpError("expected the ")
           << what << " to be " << type.clone(bytes)
           << ", the last dimension perhaps cut into several, but got " << type;
  return success();
}

LogicalResult DequantizeOp::verify() {
  RankedTensorType result = getType();
  if (failed(verifyBlocks(*this, result, getBlocks()))) // C1
    return failure();
  SmallVector<int64_t> counts = countBlocks(result, getBlocks());
  if (failed(verifyScales(*this, getScales(), counts))) // C2
    return failure();
  RankedTensorType scales = getScales().getType();
  if (scales.getElementType().isInteger() != getScaleType().has_value()) // C3
    return emitOpError("expected ")
           << (getScaleType() ? "scales of i8 for f8E8M0FNU"
                              : "'as f8E8M0FNU' after scales of i8")
           << " but got " << scales << (getScaleType() ? "" : " without it");
  if (failed(verifyStorage(*this, getInput(), result.getShape(), // C4, C5
                           "input")))
    return failure();
  if (!getZeros())
    return success();
  if (!isa<IntegerType>(getElementType())) // C6
    return emitOpError("expected zero points for integers only but got ")
           << getElementType();
  return verifyStorage(*this, getZeros(), counts, "zero points");
}

LogicalResult QuantizeOp::verify() {
  RankedTensorType input = getInput().getType();
  if (failed(verifyBlocks(*this, input, getBlocks()))) // C1
    return failure();
  if (input.getShape() != getQuantized().getType().getShape()) // C2
    return emitOpError("expected a first result of ")
           << getQuantized().getType().clone(input.getShape())
           << ", the shape of the input, but got " << getQuantized().getType();
  SmallVector<int64_t> counts = countBlocks(input, getBlocks());
  if (failed(verifyScales(*this, getScales(), counts))) // C3
    return failure();
  if (isSymmetric() == (getZeros() != nullptr)) // C4
    return emitOpError(isSymmetric()
                           ? "expected two results for i8, which has no zero "
                             "points, but got three"
                           : "expected three results for ui8, numbers, scales "
                             "and zero points, but got two");
  if (!getZeros())
    return success();
  auto zeros = cast<RankedTensorType>(getZeros().getType());
  if (zeros.getShape() != ArrayRef(counts)) // C4
    return emitOpError("expected zero points of ")
           << zeros.clone(counts) << ", one for each block, but got " << zeros;
  return success();
}

//===----------------------------------------------------------------------===//
// Canonicalizations
//===----------------------------------------------------------------------===//

namespace {
/// Zero points of 0 change nothing.
struct DropNoZeros : OpRewritePattern<DequantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(DequantizeOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.getZeros() || !matchPattern(op.getZeros(), m_Zero()))
      return rewriter.notifyMatchFailure(op, "the zero points are not all 0");
    rewriter.modifyOpInPlace(op, [&] { op.getZerosMutable().clear(); });
    return success();
  }
};

/// The last rounding is part of the op: a bf16 result needs no f32 one.
struct RoundOnce : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::TruncFOp op,
                                PatternRewriter &rewriter) const override {
    auto dequantize = op.getIn().getDefiningOp<DequantizeOp>();
    if (!dequantize || !dequantize->hasOneUse())
      return rewriter.notifyMatchFailure(op, "no dequantized value of its own");
    Type to = getElementTypeOrSelf(op.getType());
    if (!dequantize.getType().getElementType().isF32() ||
        !(to.isF16() || to.isBF16()))
      return rewriter.notifyMatchFailure(op, "not from f32 to f16 or bf16");
    if (op.getRoundingmode().value_or(arith::RoundingMode::to_nearest_even) !=
        arith::RoundingMode::to_nearest_even)
      return rewriter.notifyMatchFailure(op, "rounds in another direction");
    rewriter.replaceOpWithNewOp<DequantizeOp>(
        op, cast<RankedTensorType>(op.getType()), dequantize.getInput(),
        dequantize.getScales(), dequantize.getZeros(),
        dequantize.getElementTypeAttr(), dequantize.getScaleTypeAttr(),
        dequantize.getBlocksAttr());
    rewriter.eraseOp(dequantize);
    return success();
  }
};
} // namespace

void DequantizeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                               MLIRContext *context) {
  patterns.add<DropNoZeros, RoundOnce>(context);
}
