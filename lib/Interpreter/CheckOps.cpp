//===- CheckOps.cpp - The check dialect on values ---------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include "sluice/Dialect/Check/IR/Check.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace mlir;
using namespace sluice::interpreter;

/// "[1, 4]" for a flat index.
static std::string getIndexText(int64_t position, ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "[";
  llvm::interleaveComma(getStrides(shape), os, [&](int64_t stride) {
    os << position / stride;
    position %= stride;
  });
  os << "]";
  return text;
}

static std::string getNumberText(double number, int numDigits = 6) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.*g", numDigits, number);
  return text;
}

/// Both numbers, with as few digits as show the difference.
static std::string getDifferenceText(double actual, double expected) {
  std::string actualText, expectedText;
  for (int numDigits : {6, 9, 17}) {
    actualText = getNumberText(actual, numDigits);
    expectedText = getNumberText(expected, numDigits);
    if (actualText != expectedText)
      break;
  }
  return actualText + " but " + expectedText + " was expected";
}

static LogicalResult checkShapes(Operation *op, const Tensor &actual,
                                 const Tensor &expected) {
  if (actual.getShape() == expected.getShape())
    return success();
  return op->emitError() << op->getName().stripDialect()
                         << " failed: expected a tensor of shape "
                         << getShapeText(expected.getShape())
                         << " but got one of shape "
                         << getShapeText(actual.getShape());
}

static bool isClose(double actual, double expected, double tolerance) {
  if (std::isnan(actual) || std::isnan(expected))
    return std::isnan(actual) && std::isnan(expected);
  if (std::isinf(actual) || std::isinf(expected))
    return actual == expected;
  return std::fabs(actual - expected) <= tolerance;
}

static LogicalResult evaluateExpectClose(Evaluator &evaluator,
                                         sluice::check::ExpectCloseOp op) {
  Tensor actual = evaluator.getTensor(op.getActual());
  Tensor expected = evaluator.getTensor(op.getExpected());
  if (failed(checkShapes(op, actual, expected)))
    return failure();
  // What is compared are the numbers of the type: an f32 that was computed
  // without rounding can equal an f32 constant.
  Type type = cast<RankedTensorType>(op.getActual().getType()).getElementType();
  auto get = [&](const Tensor &tensor, int64_t i) {
    return roundToType(tensor.data()[i].f, type);
  };
  int64_t numElements = actual.getNumElements();
  double largest = 0.0;
  for (int64_t i = 0; i < numElements; ++i)
    if (double number = get(expected, i); std::isfinite(number))
      largest = std::max(largest, std::fabs(number));
  double tolerance = op.getTolerance().convertToDouble();
  for (int64_t i = 0; i < numElements; ++i)
    if (!isClose(get(actual, i), get(expected, i), tolerance * largest))
      return op.emitError("expect_close failed: element ")
             << getIndexText(i, actual.getShape()) << " is "
             << getDifferenceText(get(actual, i), get(expected, i))
             << " (tolerance " << getNumberText(tolerance) << ")";
  return success();
}

static LogicalResult evaluateExpectEqual(Evaluator &evaluator,
                                         sluice::check::ExpectEqualOp op) {
  Tensor actual = evaluator.getTensor(op.getActual());
  Tensor expected = evaluator.getTensor(op.getExpected());
  if (failed(checkShapes(op, actual, expected)))
    return failure();
  for (int64_t i = 0; i < actual.getNumElements(); ++i)
    if (actual.data()[i].i != expected.data()[i].i)
      return op.emitError("expect_equal failed: element ")
             << getIndexText(i, actual.getShape()) << " is "
             << actual.data()[i].i << " but " << expected.data()[i].i
             << " was expected";
  return success();
}

LogicalResult sluice::interpreter::evaluateCheck(Evaluator &evaluator,
                                                 Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](check::ExpectCloseOp op) {
        return evaluateExpectClose(evaluator, op);
      })
      .Case([&](check::ExpectEqualOp op) {
        return evaluateExpectEqual(evaluator, op);
      })
      .Default([&](Operation *op) { return evaluator.emitUnknown(op); });
}
