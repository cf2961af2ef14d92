//===- HandKernels.h - The hand-written layer, by ISA -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What HandLayer.cpp and the files that are compiled for one instruction set
// each share. No code: the linker would be free to take that of either.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TOOLS_SLUICE_BENCH_HANDKERNELS_H
#define SLUICE_TOOLS_SLUICE_BENCH_HANDKERNELS_H

#include <cstddef>
#include <cstdint>

namespace sluice::bench {

class Member;

/// One call of the layer, with everything that its threads share.
struct HandCall {
  /// Padded to the width of a panel, with zeros.
  int64_t width, inner;
  int64_t tokens, experts, perToken;
  /// Whether the first product has two matrices, gate and up.
  bool gated;

  /// [tokens, width].
  const float *input;
  float *output;
  /// By slot, which is token * perToken + its place among the token's experts.
  const float *weights;
  /// The slots, grouped by expert: those of e from offsets[e] to offsets[e +
  /// 1].
  const int32_t *slots;
  const int32_t *offsets;

  /// Panels of each expert: [columns / panelWidth, rows, panelWidth].
  const float *gate, *up, *down;

  /// All packed hidden rows, and where each expert's begin.
  float *hidden;
  const int64_t *hiddenAt;
  /// For each thread: an expert's packed input, and panels of results.
  float *const *packed;
  float *const *results;
};

/// The layer for one instruction set.
struct HandKernels {
  const char *name;
  /// LLVM's names of the features that it needs, separated by commas.
  const char *features;
  /// Columns of a panel of weights; the width and the inner width must be
  /// multiples.
  int64_t panelWidth;
  /// Panels of results that a thread holds at a time.
  int64_t resultPanels;
  /// How many rows `rows` packed ones take.
  int64_t (*packedRows)(int64_t rows);
  /// One thread's part.
  void (*run)(const HandCall &call, Member &member);
};

/// The best first; null after the last one. None where nobody wrote one for the
/// architecture.
extern const HandKernels *const handKernels[];

} // namespace sluice::bench

#endif // SLUICE_TOOLS_SLUICE_BENCH_HANDKERNELS_H
