//===- Model.h - A model behind the C interface -----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_RUNTIME_CPU_MODEL_H
#define SLUICE_LIB_RUNTIME_CPU_MODEL_H

#include "Manifest.h"

#include "sluice/Support/RoutedCounters.h"

#include <atomic>
#include <memory>
#include <mutex>

namespace sluice::rt {

struct WeightsCloser {
  void operator()(sluice_weights *weights) const {
    sluice_weights_close(weights);
  }
};

/// A tensor that is freed with its owner.
struct OwnedTensor : sluice_tensor {
  OwnedTensor() : sluice_tensor() {}
  OwnedTensor(OwnedTensor &&other) noexcept : sluice_tensor(other) {
    other.allocation = nullptr;
  }
  OwnedTensor &operator=(OwnedTensor &&) = delete;
  ~OwnedTensor() { sluice_tensor_free(this); }
};

} // namespace sluice::rt

/// Behind the C interface's opaque type.
struct sluice_model {
  sluice::rt::Manifest manifest;
  std::vector<sluice_packed_fn> functions;
  /// Open as long as tensors may point into the map.
  std::unique_ptr<sluice_weights, sluice::rt::WeightsCloser> source;
  std::vector<sluice::rt::OwnedTensor> weights;
  std::atomic<int> numThreads{0};

  /// See sluice_model_set_owner.
  void *owner = nullptr;
  void (*release)(void *owner) = nullptr;

  mutable std::mutex countersMutex;
  /// One per counter of the manifest; guarded by countersMutex.
  mutable std::vector<sluice::RoutedCounters> counters;

  /// The function's description; nullptr if there is none with this index.
  const sluice::rt::FunctionSpec *function(int index) const;
  /// Sums of zero.
  void resetCounters() const;
  /// Adds what a call of `function` left in its state.
  void addCounters(const std::vector<int64_t> &state) const;
};

#endif // SLUICE_LIB_RUNTIME_CPU_MODEL_H
