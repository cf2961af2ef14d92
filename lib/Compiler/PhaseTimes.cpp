//===- PhaseTimes.cpp - Where a compilation spends its time -----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Compiler/PhaseTimes.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <numeric>

using namespace sluice;

void PhaseTimes::add(llvm::StringRef name, double seconds) {
  auto found = llvm::find_if(
      phases, [&](const Phase &phase) { return phase.name == name; });
  if (found == phases.end())
    phases.push_back({name.str(), seconds});
  else
    found->seconds += seconds;
}

double PhaseTimes::getSum() const {
  return std::accumulate(
      phases.begin(), phases.end(), 0.0,
      [](double sum, const Phase &phase) { return sum + phase.seconds; });
}

void PhaseTimes::print(llvm::raw_ostream &os, double total) const {
  auto row = [&](llvm::StringRef name, double seconds) {
    os << llvm::format("%9.4f %5.1f%%  ", seconds,
                       total > 0 ? 100 * seconds / total : 0.0)
       << name << "\n";
  };
  os << "  seconds  share  phase\n";
  for (const Phase &phase : phases)
    row(phase.name, phase.seconds);
  // Two clocks need not agree to the last digit.
  row("other", std::max(0.0, total - getSum()));
  row("total", total);
}

double PhaseTimer::getSeconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

void PhaseTimer::stop() {
  if (times)
    times->add(name, getSeconds());
  times = nullptr;
}
