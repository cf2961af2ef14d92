//===- Timer.h - Seconds ----------------------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TOOLS_SLUICE_BENCH_TIMER_H
#define SLUICE_TOOLS_SLUICE_BENCH_TIMER_H

#include <chrono>

namespace sluice::bench {

/// Seconds since some moment.
inline double now() {
  std::chrono::duration<double> elapsed =
      std::chrono::steady_clock::now().time_since_epoch();
  return elapsed.count();
}

} // namespace sluice::bench

#endif // SLUICE_TOOLS_SLUICE_BENCH_TIMER_H
