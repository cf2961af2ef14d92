//===- SluiceQuantizedLinear.cpp - Constraints of packed products -*- C++
//-*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Builders.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"

using namespace mlir;
using namespace sluice;

static bool areCompatible(int64_t a, int64_t b) {
  return a == b || ShapedType::isDynamic(a) || ShapedType::isDynamic(b);
}

LogicalResult QuantizedLinearOp::verify() {
  auto input = cast<RankedTensorType>(getInput().getType());
  auto weight = cast<RankedTensorType>(getWeight().getType());
  auto result = cast<RankedTensorType>(getType());
  int64_t inputs = input.getDimSize(1), lineInputs = getLineInputs();
  if (!weight.hasStaticShape() || weight.getDimSize(2) != 16 ||
      weight.getDimSize(3) != 4 ||
      weight.getDimSize(1) * lineInputs != inputs) // C1
    return emitOpError("expected a weight of [panels, ")
           << (ShapedType::isDynamic(inputs) ? int64_t(0) : inputs) / lineInputs
           << ", 16, 4] bytes, " << lineInputs
           << " inputs of each output in a line, for an input of " << input
           << " but got " << weight;
  int64_t panels = weight.getDimSize(0);
  int64_t blocks = llvm::divideCeil(inputs, getBlock());
  auto checkPanels = [&](Value value, int64_t count,
                         StringRef what) -> LogicalResult {
    auto type = cast<RankedTensorType>(value.getType());
    if (type.getShape() == ArrayRef<int64_t>{panels, count, 16})
      return success();
    return emitOpError("expected ")
           << what << " of " << type.clone(ArrayRef<int64_t>{panels, count, 16})
           << " but got " << type;
  };
  auto scales = cast<RankedTensorType>(getScales().getType());
  if (failed(checkPanels(getScales(), blocks, "scales"))) // C2
    return failure();
  if (scales.getElementType().isInteger() != getScaleType().has_value()) // C2
    return emitOpError("expected ")
           << (getScaleType() ? "scales of i8 for f8E8M0FNU"
                              : "'as f8E8M0FNU' after scales of i8")
           << " but got " << scales;
  if (getZeros()) { // C3
    if (!isa<IntegerType>(getElementType()))
      return emitOpError("expected zero points for integers only but got ")
             << getElementType();
    int64_t count = isPacked() ? int64_t(llvm::divideCeil(blocks, 2)) : blocks;
    if (failed(checkPanels(getZeros(), count, "zero points")))
      return failure();
  }
  if (input.getElementType().isInteger() != (getInputScales() != nullptr)) // C4
    return emitOpError("expected scales of the input ")
           << (getInputScales() ? "for integers only" : "for integers")
           << " but got an input of " << input;
  if (!getInputScales() && getInputBlock() != 0) // C4
    return emitOpError("expected no blocks of an input without scales but got ")
           << getInputBlock();
  if (getInputScales()) { // C4, C5
    if (getInputBlock() < 1 || getInputBlock() % lineInputs != 0)
      return emitOpError("expected blocks of the input of a multiple of ")
             << lineInputs << " inputs but got " << getInputBlock();
    auto type = cast<RankedTensorType>(getInputScales().getType());
    int64_t count = llvm::divideCeil(inputs, getInputBlock());
    if (type.getDimSize(1) != count ||
        !areCompatible(type.getDimSize(0), input.getDimSize(0)))
      return emitOpError("expected scales of the input of ")
             << type.clone(ArrayRef<int64_t>{input.getDimSize(0), count})
             << " but got " << type;
  }
  if (getBlock() % lineInputs != 0) // C5
    return emitOpError("expected blocks of a multiple of ")
           << lineInputs << " inputs but got " << getBlock();
  if (!areCompatible(result.getDimSize(0), input.getDimSize(0)) ||
      result.isDynamicDim(1) ||
      llvm::divideCeil(result.getDimSize(1), 16) != uint64_t(panels)) // C6
    return emitOpError("expected a result of the input's rows and of columns "
                       "that take ")
           << panels << " panels of 16 but got " << result;
  return success();
}
