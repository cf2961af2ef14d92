//===- Random.h - Random numbers, the same everywhere -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TEST_FUZZ_RANDOM_H
#define SLUICE_TEST_FUZZ_RANDOM_H

#include <cstdint>
#include <initializer_list>

namespace sluice {

/// SplitMix64. The standard library's distributions differ between
/// implementations, and a seed must mean the same case on every machine.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}

  uint64_t next() {
    uint64_t z = (state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  /// From `low` to `high`, both included.
  int64_t between(int64_t low, int64_t high) {
    return low + int64_t(next() % uint64_t(high - low + 1));
  }
  /// In [0, 1).
  double uniform() { return double(next() >> 11) * 0x1p-53; }
  bool chance(double probability) { return uniform() < probability; }
  /// Roughly normal, of variance 1: a sum of twelve.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i)
      sum += uniform();
    return sum;
  }
  template <typename T> T pick(std::initializer_list<T> choices) {
    return choices.begin()[next() % choices.size()];
  }

private:
  uint64_t state;
};

} // namespace sluice

#endif // SLUICE_TEST_FUZZ_RANDOM_H
