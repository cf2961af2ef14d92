//===- Compare.h - Comparing results with expectations ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_SUPPORT_COMPARE_H
#define SLUICE_SUPPORT_COMPARE_H

#include "sluice/Support/HostTensor.h"

namespace sluice {

/// The outcome of compareTensors.
struct Comparison {
  /// Elements that do not match.
  int64_t numMismatches = 0;
  int64_t numElements = 0;

  /// The largest magnitude of a finite expected element, or 1 if that is 0:
  /// what floating point errors are divided by. 1 for integers.
  double scale = 1;
  /// The largest |actual - expected| / scale; infinite if NaNs or infinities
  /// are not at the same places.
  double largestError = 0;

  /// The first mismatch: its index along each dimension, and both values as
  /// they should be printed. Meaningless if there is none.
  llvm::SmallVector<int64_t> firstIndex;
  std::string firstActual;
  std::string firstExpected;

  bool matches() const { return numMismatches == 0; }

  /// "largest error 1.2e-07 (relative to the largest magnitude, 3.5)", or
  /// "element [1, 4] is 0.5 but 0.25 was expected (tolerance 1e-05; 3 of 64
  /// elements differ, largest error 0.1 ...)".
  std::string describe() const;

  double tolerance = 0;
  bool exact = false;
};

/// Compares element by element. Floating point: |actual - expected| <=
/// tolerance * scale, NaN matches NaN, an infinity matches the same infinity.
/// Integers and bools match exactly. Different shapes or element types, and a
/// negative or NaN tolerance, are errors.
llvm::Expected<Comparison> compareTensors(const HostTensor &actual,
                                          const HostTensor &expected,
                                          double tolerance);

} // namespace sluice

#endif // SLUICE_SUPPORT_COMPARE_H
