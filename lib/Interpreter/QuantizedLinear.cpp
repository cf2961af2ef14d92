//===- QuantizedLinear.cpp - Products of packed small numbers ---*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include "sluice/Dialect/Sluice/IR/Sluice.h"

using namespace mlir;
using namespace sluice;
using namespace sluice::interpreter;

static uint8_t getByte(const Tensor &tensor, int64_t position) {
  return static_cast<uint8_t>(tensor.data()[position].i);
}

LogicalResult
sluice::interpreter::evaluateQuantizedLinear(Evaluator &evaluator,
                                             Operation *operation) {
  auto op = cast<QuantizedLinearOp>(operation);
  Tensor input = evaluator.getTensor(op.getInput());
  Tensor weight = evaluator.getTensor(op.getWeight());
  Tensor scales = evaluator.getTensor(op.getScales());
  Tensor zeros, inputScales;
  if (op.getZeros())
    zeros = evaluator.getTensor(op.getZeros());
  if (op.getInputScales())
    inputScales = evaluator.getTensor(op.getInputScales());
  int64_t numRows = input.getDim(0), numIn = input.getDim(1);
  int64_t numOut = op.getType().getDimSize(1);
  constexpr int64_t width = 16, side = 4;
  int64_t lines = weight.getDim(1), numbersPerByte = op.isPacked() ? 2 : 1;
  if (lines * op.getLineInputs() != numIn)
    return op.emitError("expected an input of ")
           << lines * op.getLineInputs() << " columns but got shape "
           << getShapeText(input.getShape());
  if (op.getInputScales() && inputScales.getDim(0) != numRows)
    return op.emitError("expected scales for ")
           << numRows << " rows, as the input has, but got shape "
           << getShapeText(inputScales.getShape());
  FailureOr<Tensor> result = evaluator.makeTensor(op, {numRows, numOut});
  if (failed(result))
    return failure();

  SmallVector<float> numbers = getNumbers(op.getElementType()), powers;
  if (op.getScaleType())
    powers = getNumbers(*op.getScaleType());
  int64_t blocks = scales.getDim(1);
  auto getWeight = [&](int64_t out, int64_t in) -> double {
    int64_t panel = out / width, column = out % width;
    int64_t line = in / (side * numbersPerByte);
    int64_t inLine = in % (side * numbersPerByte);
    uint8_t byte =
        getByte(weight, ((panel * lines + line) * width + column) * side +
                            inLine % side);
    if (op.isPacked())
      byte = inLine < side ? byte & 15 : byte >> 4;
    int64_t block = in / op.getBlock();
    Element stored = scales.data()[(panel * blocks + block) * width + column];
    double scale = op.getScaleType() ? powers[uint8_t(stored.i)] : stored.f;
    double zero = 0.0;
    if (op.getZeros()) {
      int64_t row = op.isPacked() ? block / 2 : block;
      uint8_t bits =
          getByte(zeros, (panel * zeros.getDim(1) + row) * width + column);
      if (op.isPacked())
        bits = block % 2 ? bits >> 4 : bits & 15;
      zero = numbers[bits];
    }
    return (numbers[byte] - zero) * scale;
  };
  auto getInput = [&](int64_t row, int64_t in) -> double {
    Element element = input.data()[row * numIn + in];
    if (!op.getInputScales())
      return element.f;
    return element.i *
           inputScales
               .data()[row * inputScales.getDim(1) + in / op.getInputBlock()]
               .f;
  };
  Element *target = result->mutableData();
  SmallVector<double> column(numIn);
  for (int64_t out = 0; out < numOut; ++out) {
    for (int64_t in = 0; in < numIn; ++in)
      column[in] = getWeight(out, in);
    for (int64_t row = 0; row < numRows; ++row) {
      double sum = 0.0;
      for (int64_t in = 0; in < numIn; ++in)
        sum += getInput(row, in) * column[in];
      target[row * numOut + out].f =
          roundNarrow(sum, op.getType().getElementType());
    }
  }
  evaluator.countMultiplyAdds(numRows * numIn * numOut);
  evaluator.set(op, std::move(*result));
  return success();
}
