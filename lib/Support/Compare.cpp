//===- Compare.cpp - Comparing results with expectations --------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Support/Compare.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <limits>

using namespace llvm;
using namespace sluice;

static std::string numberText(double value, int digits) {
  std::string text;
  raw_string_ostream(text) << format("%.*g", digits, value);
  return text;
}

std::string Comparison::describe() const {
  std::string error = "largest error " + numberText(largestError, 4);
  if (!exact)
    error += " relative to the largest magnitude " + numberText(scale, 4);
  if (matches())
    return error;
  std::string text = "element [";
  raw_string_ostream os(text);
  interleaveComma(firstIndex, os);
  os << "] is " << firstActual << " but " << firstExpected << " was expected (";
  if (!exact)
    os << "tolerance " << numberText(tolerance, 6) << "; ";
  os << numMismatches << " of " << numElements << " elements differ, " << error
     << ")";
  return text;
}

static void recordMismatch(Comparison &result, const HostTensor &tensor,
                           int64_t index, std::string actual,
                           std::string expected) {
  if (result.numMismatches++ != 0)
    return;
  result.firstIndex = tensor.unflatten(index);
  result.firstActual = std::move(actual);
  result.firstExpected = std::move(expected);
}

static void compareIntegers(const HostTensor &actual,
                            const HostTensor &expected, Comparison &result) {
  for (int64_t i = 0; i < result.numElements; ++i) {
    int64_t a = actual.getInteger(i), e = expected.getInteger(i);
    if (a == e)
      continue;
    // As doubles: the difference of two integers may not fit in one.
    result.largestError =
        std::max(result.largestError, std::abs(double(a) - double(e)));
    recordMismatch(result, expected, i, std::to_string(a), std::to_string(e));
  }
}

/// |a - e| / scale, where infinities and NaNs only equal themselves.
static double relativeError(double a, double e, double scale) {
  if (a == e || (std::isnan(a) && std::isnan(e)))
    return 0;
  if (!std::isfinite(a) || !std::isfinite(e))
    return std::numeric_limits<double>::infinity();
  double difference = std::abs(a - e);
  return std::isfinite(difference) ? difference / scale
                                   : std::abs(a / scale - e / scale);
}

static void compareFloats(const HostTensor &actual, const HostTensor &expected,
                          Comparison &result) {
  double largest = 0;
  for (int64_t i = 0; i < result.numElements; ++i) {
    double magnitude = std::abs(expected.get(i));
    if (std::isfinite(magnitude))
      largest = std::max(largest, magnitude);
  }
  result.scale = largest == 0 ? 1 : largest;
  for (int64_t i = 0; i < result.numElements; ++i) {
    double a = actual.get(i), e = expected.get(i);
    double error = relativeError(a, e, result.scale);
    result.largestError = std::max(result.largestError, error);
    // An infinite tolerance does not excuse a NaN.
    if (error <= result.tolerance && std::isfinite(error))
      continue;
    int digits = 6;
    while (digits < 17 && a != e &&
           numberText(a, digits) == numberText(e, digits))
      digits += 3;
    digits = std::min(digits, 17);
    recordMismatch(result, expected, i, numberText(a, digits),
                   numberText(e, digits));
  }
}

Expected<Comparison> sluice::compareTensors(const HostTensor &actual,
                                            const HostTensor &expected,
                                            double tolerance) {
  if (!(tolerance >= 0))
    return createStringError("expected a tolerance of at least 0 but got " +
                             numberText(tolerance, 6));
  if (actual.dtype() != expected.dtype() || actual.shape() != expected.shape())
    return createStringError("expected " + expected.typeText() + " but got " +
                             actual.typeText());
  Comparison result;
  result.numElements = expected.numElements();
  result.tolerance = tolerance;
  result.exact = !isFloat(expected.dtype());
  if (result.exact)
    compareIntegers(actual, expected, result);
  else
    compareFloats(actual, expected, result);
  return result;
}
