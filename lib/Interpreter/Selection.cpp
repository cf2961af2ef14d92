//===- Selection.cpp - The order of scores ----------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Selection.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace sluice::interpreter;

static bool isLarger(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return std::isnan(a) && !std::isnan(b);
  return a > b;
}

SmallVector<int64_t> sluice::interpreter::rank(ArrayRef<double> scores) {
  auto order = llvm::to_vector(llvm::seq<int64_t>(0, scores.size()));
  llvm::sort(order, [&](int64_t a, int64_t b) {
    if (isLarger(scores[a], scores[b]) || isLarger(scores[b], scores[a]))
      return isLarger(scores[a], scores[b]);
    return a < b;
  });
  return order;
}

void sluice::interpreter::recordDecision(Evaluator &evaluator, double first,
                                         double second) {
  if (!isLarger(first, second)) {
    ++evaluator.exactTies;
    return;
  }
  // No rounding brings a number to the other side of an infinity or a NaN.
  if (!std::isfinite(first) || !std::isfinite(second))
    return;
  double gap = std::fabs(first - second) /
               std::max({std::fabs(first), std::fabs(second), 1e-30});
  evaluator.smallestMargin = std::min(evaluator.smallestMargin, gap);
}

SmallVector<double> sluice::interpreter::getRow(const Tensor &matrix,
                                                int64_t row) {
  const Element *first = matrix.data() + row * matrix.getDim(1);
  return llvm::map_to_vector(ArrayRef(first, matrix.getDim(1)),
                             [](Element element) { return element.f; });
}

SmallVector<double> sluice::interpreter::getColumn(const Tensor &matrix,
                                                   int64_t column) {
  SmallVector<double> numbers;
  for (int64_t row = 0; row < matrix.getDim(0); ++row)
    numbers.push_back(matrix.data()[row * matrix.getDim(1) + column].f);
  return numbers;
}
