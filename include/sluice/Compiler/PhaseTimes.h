//===- PhaseTimes.h - Where a compilation spends its time -------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_COMPILER_PHASETIMES_H
#define SLUICE_COMPILER_PHASETIMES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <chrono>
#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace sluice {

/// Seconds of wall time by phase. Phases do not overlap, so that their sum is
/// at most the time in which they ran. For one thread at a time.
///
/// The compiler's phases, in order (CompileOptions::phases):
///
///   parse         the file's text to a verified module
///   plan          passes on the model level: bodies inlined, dispatch planned
///   lower         passes down to MLIR's LLVM dialect; from buffers on for each
///                 processor
///   translate     to LLVM IR, for each processor
///   optimize      LLVM's optimiser, for each processor
///   generate code LLVM's code generator
///   link          the linker, or loading of the code into the process
///   weights       their check, or their loading and packing
class PhaseTimes {
public:
  struct Phase {
    std::string name;
    double seconds;
  };

  /// Adds to the phase of this name, which is appended if it is new.
  void add(llvm::StringRef name, double seconds);
  /// In the order in which they first ended.
  llvm::ArrayRef<Phase> getPhases() const { return phases; }
  double getSum() const;

  /// Prints a table with `total`, of which what is no phase is "other".
  void print(llvm::raw_ostream &os, double total) const;

private:
  std::vector<Phase> phases;
};

/// Measures a phase from its construction to stop or its end.
class PhaseTimer {
public:
  /// `times` may be null: then nothing is measured.
  PhaseTimer(PhaseTimes *times, llvm::StringRef name)
      : times(times), name(name) {}
  PhaseTimer(const PhaseTimer &) = delete;
  PhaseTimer &operator=(const PhaseTimer &) = delete;
  ~PhaseTimer() { stop(); }

  void stop();
  /// Seconds since the construction.
  double getSeconds() const;

private:
  PhaseTimes *times;
  llvm::StringRef name;
  std::chrono::steady_clock::time_point start =
      std::chrono::steady_clock::now();
};

} // namespace sluice

#endif // SLUICE_COMPILER_PHASETIMES_H
