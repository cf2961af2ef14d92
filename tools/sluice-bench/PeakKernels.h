//===- PeakKernels.h - Arithmetic in registers ------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TOOLS_SLUICE_BENCH_PEAKKERNELS_H
#define SLUICE_TOOLS_SLUICE_BENCH_PEAKKERNELS_H

#include <cstddef>

namespace sluice::bench {

enum class PeakKind { F32, BF16, Int8 };

struct PeakKernel {
  PeakKind kind;
  /// LLVM's names of the features that it needs, separated by commas.
  const char *features;
  /// Does `turns` turns of the loop.
  void (*run)(long turns);
  /// What one turn does; a multiply-add is two operations.
  long operationsPerTurn;
};

/// All kernels of this architecture; null after the last one.
extern const PeakKernel *const peakKernels[];

constexpr int maxStreams = 8;

/// Reads `numBytes` bytes as `streams` sequential streams: one alone does not
/// keep all of a core's outstanding misses busy. `memory` is aligned to 64.
void readStreams(int streams, const char *memory, size_t numBytes);

} // namespace sluice::bench

#endif // SLUICE_TOOLS_SLUICE_BENCH_PEAKKERNELS_H
