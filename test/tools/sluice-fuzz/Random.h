//===- Random.h - Random numbers, the same everywhere -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TEST_FUZZ_RANDOM_H
#define SLUICE_TEST_FUZZ_RANDOM_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace sluice {

/// SplitMix64. The standard library's distributions differ between
/// implementations, and a seed must mean the same case on every machine.
///
/// What is drawn can be written down and played back, changed: each choice is a
/// number of which 0 is the simplest. That is how a failing case is made
/// smaller: with fewer and smaller choices the generator still makes a valid
/// case (the idea is that of Hypothesis, MacIver and Donaldson 2020).
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}
  /// Plays choices back; behind their end all are 0.
  explicit Random(std::vector<uint64_t> choices)
      : isReplay(true), choices(std::move(choices)) {}

  uint64_t next() {
    uint64_t z = (state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  /// Below `count`.
  uint64_t below(uint64_t count) {
    return choose(count, [&] { return next() % count; });
  }
  /// From `low` to `high`, both included.
  int64_t between(int64_t low, int64_t high) {
    return low + int64_t(below(uint64_t(high - low + 1)));
  }
  bool chance(double probability) {
    return choose(2, [&] { return uint64_t(uniform() < probability); }) != 0;
  }
  /// Roughly normal, of variance 1: a sum of twelve. No choice.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i)
      sum += uniform();
    return sum;
  }
  template <typename T> T pick(std::initializer_list<T> choices) {
    return choices.begin()[below(choices.size())];
  }

  /// Writes choices down from now on.
  void record() { isRecording = true; }
  /// What was chosen; of what is played back, as much as was asked for.
  std::vector<uint64_t> getChoices() const {
    auto end = choices.end();
    if (isReplay && at < choices.size())
      end = choices.begin() + ptrdiff_t(at);
    return std::vector<uint64_t>(choices.begin(), end);
  }

private:
  /// In [0, 1).
  double uniform() { return double(next() >> 11) * 0x1p-53; }

  template <typename Fn> uint64_t choose(uint64_t count, Fn &&draw) {
    if (isReplay) {
      uint64_t choice = at < choices.size() ? choices[at] : 0;
      ++at;
      return std::min(choice, count - 1);
    }
    uint64_t choice = draw();
    if (isRecording)
      choices.push_back(choice);
    return choice;
  }

  uint64_t state = 0;
  bool isReplay = false, isRecording = false;
  size_t at = 0;
  std::vector<uint64_t> choices;
};

} // namespace sluice

#endif // SLUICE_TEST_FUZZ_RANDOM_H
