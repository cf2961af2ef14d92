//===- RoutedCounters.h - What a routed op did ------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The counters are part of the semantics: interpreter and compiled code must
// report the same ones, so there is one place that writes them. It uses the
// standard library only and is compiled into the archive SluiceRuntime.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_SUPPORT_ROUTEDCOUNTERS_H
#define SLUICE_SUPPORT_ROUTEDCOUNTERS_H

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

/// The sums of one routed op over a number of calls of its function. All sums
/// stop at the largest integer instead of wrapping round.
struct RoutedCounters {
  std::string function;
  /// The op within its function, e.g. "experts#0".
  std::string op;
  /// Its source location, e.g. "model.mlir:9:8".
  std::string where;

  /// How often the op ran.
  int64_t calls = 0;
  /// Rows of the gates.
  int64_t tokens = 0;
  /// Entries that were present, hence expert evaluations of one token.
  int64_t entries = 0;
  /// Entries that a capacity (sluice.limit) took out on the way to the experts.
  int64_t dropped = 0;
  /// Executed multiply-adds of the experts' products.
  int64_t multiplyAdds = 0;
  /// Bytes of the weights of the experts with at least one token, per call.
  int64_t weightBytes = 0;
  /// One per expert.
  std::vector<int64_t> tokensPerExpert;

  /// Adds what one call of the function did. `entriesPerExpert` has one number
  /// per expert.
  void add(int64_t numCalls, int64_t numTokens, int64_t numEntries,
           int64_t numDropped,
           const std::vector<int64_t> &entriesPerExpert,
           int64_t multiplyAddsPerEntry, int64_t weightBytesPerExpert);

  /// Adds the weights of `experts` experts that had a token.
  void addTouched(int64_t experts, int64_t weightBytesPerExpert);
};

/// {"routed":[{"function":...},...]}, on one line, without a line end.
std::string toJson(const std::vector<RoutedCounters> &counters);

} // namespace sluice

#endif // SLUICE_SUPPORT_ROUTEDCOUNTERS_H
