//===- Baseline.h - What the compiled layer is compared with ----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TOOLS_SLUICE_BENCH_BASELINE_H
#define SLUICE_TOOLS_SLUICE_BENCH_BASELINE_H

#include "Layer.h"
#include "llvm/ADT/StringMap.h"

namespace sluice::bench {

/// Another implementation of the same layer, in f32. It is given the router's
/// choice: choosing is not in its time, but grouping tokens by expert is.
class Baseline {
public:
  virtual ~Baseline() = default;
  virtual llvm::StringRef getName() const = 0;
  /// What is known about it, for the report.
  virtual std::string describe() const = 0;

  /// Makes room for `batch`, and copies its input where that must be padded.
  virtual llvm::Error prepare(const Batch &batch) = 0;
  /// Computes the layer; the batch is the one that was prepared.
  virtual void run(const Batch &batch) = 0;
  /// Element `column` of a token's result of the last run.
  virtual float get(int64_t token, int64_t column) const = 0;
};

/// The experts' matrices in f32, [experts, out, in]; `up` is null where there
/// is none. Someone else's.
struct FloatWeights {
  const float *gate = nullptr;
  const float *up = nullptr;
  const float *down = nullptr;
};

/// The slots of a batch, grouped by expert: those of e from offsets[e] to
/// offsets[e + 1].
struct Groups {
  std::vector<int32_t> offsets, slots;
  int64_t getRows(int64_t e) const { return offsets[e + 1] - offsets[e]; }
};
void group(const Batch &batch, int64_t experts, Groups &groups);

/// Memory in large pages, as both baselines want it; grows only.
class FloatBuffer {
public:
  llvm::Error resize(size_t count);
  float *data() const { return memory.get(); }

private:
  struct Free {
    void operator()(float *memory) const;
  };
  std::unique_ptr<float, Free> memory;
  size_t size = 0;
};

/// The hand-written layer for the best instruction set of `features`. Packs the
/// weights, which need not stay.
llvm::Expected<std::unique_ptr<Baseline>>
createHandLayer(const LayerShape &shape, const FloatWeights &weights,
                const llvm::StringMap<bool> &features, int threads);

/// Gather, OpenBLAS's sgemm for each expert, and scatter, with the kernels that
/// fit `features`. The weights stay the caller's. Fails where the library is
/// not installed.
llvm::Expected<std::unique_ptr<Baseline>>
createOpenBLAS(const LayerShape &shape, const FloatWeights &weights,
               const llvm::StringMap<bool> &features, int threads);

/// Whether the baselines can be made here, without making them.
llvm::Error checkHandLayer(const llvm::StringMap<bool> &features);
llvm::Error checkOpenBLAS(const llvm::StringMap<bool> &features);

} // namespace sluice::bench

#endif // SLUICE_TOOLS_SLUICE_BENCH_BASELINE_H
