//===- Peaks.h - What a machine can do at most ------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TOOLS_SLUICE_BENCH_PEAKS_H
#define SLUICE_TOOLS_SLUICE_BENCH_PEAKS_H

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"

#include <memory>
#include <optional>
#include <vector>

namespace sluice::bench {

/// The instruction-set extensions, by LLVM's names, that both this machine and
/// the processor `cpu` ("native": this one) have. `cpu` is a name that checkCPU
/// accepts.
llvm::StringMap<bool> getFeatures(llvm::StringRef cpu);

/// A loop that does arithmetic in registers, as much as there are units for.
struct PeakKernel;

/// Measures the peaks of all threads together. What is known grows with each
/// measurement: each peak is the best of all runs so far, since a machine may
/// be shared.
class Peaks {
public:
  /// `features` limits which instructions are used.
  Peaks(const llvm::StringMap<bool> &features, int threads);
  ~Peaks();

  /// Measures everything, for about `seconds`.
  void measure(double seconds);
  /// Measures everything once more, in some milliseconds.
  void probe();

  /// Operations per second; a multiply-add is two. Nothing where the processor
  /// has no such instruction.
  std::optional<double> getF32() const { return best(f32); }
  std::optional<double> getBF16() const { return best(bf16); }
  std::optional<double> getInt8() const { return best(int8); }
  /// Bytes read per second, with as many streams a thread as are best.
  double getRead() const;
  /// How many streams that is.
  int getStreams() const;

private:
  struct Measured {
    const PeakKernel *kernel;
    double rate = 0;
  };
  using Candidates = std::vector<Measured>;
  static std::optional<double> best(const Candidates &candidates);
  void run(Candidates &candidates);
  void read(int streams);

  int threads;
  Candidates f32, bf16, int8;
  std::vector<double> readRates;
  struct Free {
    void operator()(void *memory) const;
  };
  std::unique_ptr<char, Free> buffer;
  size_t turn = 0;
};

} // namespace sluice::bench

#endif // SLUICE_TOOLS_SLUICE_BENCH_PEAKS_H
