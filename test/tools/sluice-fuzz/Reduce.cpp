//===- Reduce.cpp - Makes a failing case smaller ----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reduce.h"

#include <algorithm>

using namespace sluice;

namespace {
class Reducer {
public:
  Reducer(Choices choices, unsigned attempts,
          llvm::function_ref<bool(Choices &)> stillFails)
      : best(std::move(choices)), attempts(attempts), stillFails(stillFails) {}

  Choices run() {
    Choices before;
    do {
      before = best;
      for (size_t length : {32, 16, 8, 4, 2, 1}) {
        zero(length);
        cut(length);
      }
      lower();
    } while (best != before && attempts > 0);
    return best;
  }

private:
  /// Fewer choices are smaller, then smaller ones.
  static bool isSmaller(const Choices &a, const Choices &b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  }
  bool attempt(Choices candidate) {
    // 0 is what comes behind the end.
    while (!candidate.empty() && candidate.back() == 0)
      candidate.pop_back();
    if (attempts == 0 || !isSmaller(candidate, best))
      return false;
    --attempts;
    // The call leaves the choices that were used.
    if (!stillFails(candidate))
      return false;
    while (!candidate.empty() && candidate.back() == 0)
      candidate.pop_back();
    if (isSmaller(candidate, best))
      best = std::move(candidate);
    return true;
  }
  void cut(size_t length) {
    for (size_t at = best.size(); at-- > 0;) {
      if (at + length > best.size())
        continue;
      Choices candidate = best;
      auto begin = candidate.begin() + ptrdiff_t(at);
      candidate.erase(begin, begin + ptrdiff_t(length));
      attempt(std::move(candidate));
    }
  }
  void zero(size_t length) {
    for (size_t at = 0; at < best.size(); at += length) {
      Choices candidate = best;
      size_t end = std::min(at + length, candidate.size());
      std::fill(candidate.begin() + ptrdiff_t(at),
                candidate.begin() + ptrdiff_t(end), 0);
      if (candidate != best)
        attempt(std::move(candidate));
    }
  }
  void lower() {
    for (size_t at = 0; at < best.size(); ++at)
      for (uint64_t by : {best[at] / 2, uint64_t(1)}) {
        if (at >= best.size() || by == 0 || best[at] < by)
          continue;
        Choices candidate = best;
        candidate[at] -= by;
        attempt(std::move(candidate));
      }
  }

  Choices best;
  unsigned attempts;
  llvm::function_ref<bool(Choices &)> stillFails;
};
} // namespace

Choices sluice::reduceChoices(Choices choices, unsigned attempts,
                              llvm::function_ref<bool(Choices &)> stillFails) {
  return Reducer(std::move(choices), attempts, stillFails).run();
}
