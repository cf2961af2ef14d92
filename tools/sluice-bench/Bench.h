//===- Bench.h - Measuring cell by cell -------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TOOLS_SLUICE_BENCH_BENCH_H
#define SLUICE_TOOLS_SLUICE_BENCH_BENCH_H

#include "Peaks.h"
#include "Subject.h"

namespace sluice::bench {

/// What one number of tokens took.
struct Cell {
  int64_t tokens = 0;
  /// Of the compiled model.
  double best = 0, median = 0;
  /// What its best run did.
  Work work;
  size_t runs = 0;
  /// In the subject's order.
  std::vector<double> baselines;
};

/// Runs the compiled model and its baselines in turn, on fresh inputs each
/// time, for about `seconds`, and at least three times. `peaks` is measured in
/// between.
llvm::Expected<Cell> measureCell(Subject &subject, int64_t tokens,
                                 double seconds, Peaks &peaks);

/// The larger of the time that the arithmetic and the time that the bytes take
/// at least, in seconds; nothing if the work is not known.
std::optional<double> getFloor(const Subject &subject, const Work &work,
                               const Peaks &peaks);

} // namespace sluice::bench

#endif // SLUICE_TOOLS_SLUICE_BENCH_BENCH_H
