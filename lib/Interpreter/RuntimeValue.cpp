//===- RuntimeValue.cpp - What an SSA value is at run time ------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RuntimeValue.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <limits>
#include <numeric>

using namespace mlir;
using namespace sluice::interpreter;

static int64_t product(ArrayRef<int64_t> shape) {
  // Unsigned, because an empty tensor may have dimensions of any size.
  uint64_t result = 1;
  for (int64_t dim : shape)
    result *= dim;
  return result;
}

//===----------------------------------------------------------------------===//
// Tensor
//===----------------------------------------------------------------------===//

Tensor::Tensor(ArrayRef<int64_t> shape, Element init)
    : shape(shape), numElements(product(shape)),
      buffer(std::make_shared<std::vector<Element>>(numElements, init)) {}

int64_t Tensor::getRowSize() const { return product(getShape().drop_front()); }

Element *Tensor::mutableData() {
  if (!buffer || buffer.use_count() > 1) {
    auto copy = std::make_shared<std::vector<Element>>();
    if (buffer)
      copy->assign(data(), data() + numElements);
    buffer = std::move(copy);
    offset = 0;
  }
  return buffer->data() + offset;
}

Tensor Tensor::withShape(ArrayRef<int64_t> newShape) const {
  Tensor result = *this;
  result.shape.assign(newShape.begin(), newShape.end());
  return result;
}

Tensor Tensor::getPart(int64_t index) const {
  Tensor result = withShape(getShape().drop_front());
  result.numElements = getRowSize();
  result.offset = offset + index * result.numElements;
  return result;
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

int64_t Gates::countDropped(int64_t from, int64_t to) const {
  int64_t number = 0;
  for (const Dropped &limited : dropped) {
    auto range =
        ArrayRef(*limited.perExpert).slice(limited.from + from, to - from);
    number = std::accumulate(range.begin(), range.end(), number);
  }
  return number;
}

bool sluice::interpreter::isKnownElementType(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type))
    return integer.isSignless() && integer.getWidth() >= 1 &&
           integer.getWidth() <= 64;
  return isa<IndexType, Float16Type, BFloat16Type, Float32Type, Float64Type>(
      type);
}

/// Rounds to a binary format with `precision` significant bits, the smallest
/// normal exponent `minExponent` and the largest one `maxExponent`.
static double roundToFormat(double value, int precision, int minExponent,
                            int maxExponent) {
  if (value == 0.0 || !std::isfinite(value))
    return value;
  // Numbers of the format near `value` are multiples of 2^step. Scaling by it
  // is exact, so that only nearbyint rounds.
  int step = std::max(std::ilogb(value), minExponent) - (precision - 1);
  double rounded = std::ldexp(std::nearbyint(std::ldexp(value, -step)), step);
  if (std::fabs(rounded) >= std::ldexp(1.0, maxExponent + 1))
    return std::copysign(std::numeric_limits<double>::infinity(), value);
  return rounded;
}

double sluice::interpreter::roundNarrow(double value, Type type) {
  if (isa<Float16Type>(type))
    return roundToFormat(value, 11, -14, 15);
  if (isa<BFloat16Type>(type))
    return roundToFormat(value, 8, -126, 127);
  return value;
}

double sluice::interpreter::roundToType(double value, Type type) {
  if (isa<Float32Type>(type))
    return roundToFormat(value, 24, -126, 127);
  return roundNarrow(value, type);
}

unsigned sluice::interpreter::getIntWidth(Type type) {
  return isa<IndexType>(type) ? 64 : type.getIntOrFloatBitWidth();
}

int64_t sluice::interpreter::wrapInt(int64_t value, unsigned width) {
  if (width == 1)
    return value & 1;
  if (width >= 64)
    return value;
  unsigned unused = 64 - width;
  return static_cast<int64_t>(static_cast<uint64_t>(value) << unused) >> unused;
}

int64_t sluice::interpreter::asSigned(int64_t value, unsigned width) {
  return width == 1 ? -value : value;
}

uint64_t sluice::interpreter::asUnsigned(int64_t value, unsigned width) {
  uint64_t bits = static_cast<uint64_t>(value);
  return width >= 64 ? bits : bits & ((uint64_t(1) << width) - 1);
}
