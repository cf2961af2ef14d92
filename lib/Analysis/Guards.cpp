//===- Guards.cpp - Ops that the wrong numbers would break ------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Analysis/Guards.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

/// True if `index` is a constant within dimension `d` of `type`.
static bool isWithin(Value index, RankedTensorType type, unsigned d) {
  std::optional<int64_t> number = getConstantIntValue(index);
  return number && !type.isDynamicDim(d) && *number >= 0 &&
         *number < type.getDimSize(d);
}

/// True if `size` is dimension `d` of `tensor`, whatever that is.
static bool isDim(OpFoldResult size, Value tensor, unsigned d) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (std::optional<int64_t> number = getConstantIntValue(size))
    return *number == type.getDimSize(d);
  auto dim = dyn_cast<Value>(size).getDefiningOp<tensor::DimOp>();
  return dim && dim.getSource() == tensor &&
         dim.getConstantIndex() == static_cast<int64_t>(d);
}

/// True if dimension `d` of a slice of `whole` is all of it, or was checked by
/// the verifier.
static bool isGoodSlice(OffsetSizeAndStrideOpInterface slice, Value whole,
                        unsigned d) {
  bool isStatic = !slice.isDynamicOffset(d) && !slice.isDynamicStride(d);
  if (isStatic && !slice.isDynamicSize(d) &&
      !cast<RankedTensorType>(whole.getType()).isDynamicDim(d))
    return true;
  return isStatic && slice.getStaticOffset(d) == 0 &&
         slice.getStaticStride(d) == 1 &&
         isDim(slice.getMixedSizes()[d], whole, d);
}

static bool isGoodSize(Value size) {
  if (std::optional<int64_t> number = getConstantIntValue(size))
    return *number >= 0;
  return size.getDefiningOp<tensor::DimOp>() != nullptr;
}

/// True if division by `divisor` is defined for every dividend.
static bool isGoodDivisor(Value divisor, bool isSigned) {
  auto isGood = [&](const APInt &number) {
    return !number.isZero() && !(isSigned && number.isAllOnes());
  };
  APInt number;
  DenseIntElementsAttr numbers;
  if (matchPattern(divisor, m_ConstantInt(&number)))
    return isGood(number);
  return matchPattern(divisor, m_Constant(&numbers)) &&
         llvm::all_of(numbers.getValues<APInt>(), isGood);
}

static bool isGoodShift(Value amount) {
  auto isGood = [](const APInt &number) {
    return number.ult(number.getBitWidth());
  };
  APInt number;
  DenseIntElementsAttr numbers;
  if (matchPattern(amount, m_ConstantInt(&number)))
    return isGood(number);
  return matchPattern(amount, m_Constant(&numbers)) &&
         llvm::all_of(numbers.getValues<APInt>(), isGood);
}

static bool hasGoodIndices(Value tensor, ValueRange indices) {
  auto type = cast<RankedTensorType>(tensor.getType());
  for (auto [d, index] : llvm::enumerate(indices))
    if (!isWithin(index, type, d))
      return false;
  return true;
}

llvm::StringRef sluice::getGuardMessage(Operation *op) {
  constexpr llvm::StringLiteral index = "index {actual} in dimension {index} "
                                        "is out of bounds, expected 0 or more "
                                        "and less than {expected}";
  constexpr llvm::StringLiteral slice =
      "the slice reaches to element {actual} of dimension {index}, expected it "
      "to stay within 0 and {expected}";
  if (auto extract = dyn_cast<tensor::ExtractOp>(op))
    return hasGoodIndices(extract.getTensor(), extract.getIndices()) ? ""
                                                                     : index;
  if (auto insert = dyn_cast<tensor::InsertOp>(op))
    return hasGoodIndices(insert.getDest(), insert.getIndices()) ? "" : index;
  if (auto extract = dyn_cast<tensor::ExtractSliceOp>(op)) {
    for (int64_t d = 0, e = extract.getSourceType().getRank(); d < e; ++d)
      if (!isGoodSlice(extract, extract.getSource(), d))
        return slice;
    return "";
  }
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(op)) {
    for (int64_t d = 0, e = insert.getDestType().getRank(); d < e; ++d)
      if (!isGoodSlice(insert, insert.getDest(), d))
        return slice;
    return "";
  }
  if (isa<arith::DivSIOp, arith::RemSIOp, arith::CeilDivSIOp,
          arith::FloorDivSIOp>(op))
    return isGoodDivisor(op->getOperand(1), /*isSigned=*/true)
               ? ""
               : "{actual} / {expected} is not a number of the type, expected "
                 "a divisor other than 0 and a result that fits";
  if (isa<arith::DivUIOp, arith::RemUIOp, arith::CeilDivUIOp>(op))
    return isGoodDivisor(op->getOperand(1), /*isSigned=*/false)
               ? ""
               : "{actual} / {expected} is not a number, expected a divisor "
                 "other than 0";
  if (isa<arith::ShLIOp, arith::ShRUIOp, arith::ShRSIOp>(op))
    return isGoodShift(op->getOperand(1))
               ? ""
               : "expected to shift by less than {expected} bits but got "
                 "{actual}";
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return expand.getOutputShape().empty()
               ? ""
               : "the parts of dimension {index} multiply to {actual}, "
                 "expected {expected}";
  if (isa<tensor::EmptyOp, tensor::GenerateOp, tensor::SplatOp>(op)) {
    for (Value operand : op->getOperands())
      if (operand.getType().isIndex() && !isGoodSize(operand))
        return "size {actual} of dimension {index} is negative";
    return "";
  }
  return "";
}
