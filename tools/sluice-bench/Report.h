//===- Report.h - What a measurement says -----------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TOOLS_SLUICE_BENCH_REPORT_H
#define SLUICE_TOOLS_SLUICE_BENCH_REPORT_H

#include "Bench.h"

namespace sluice::bench {

/// Everything that was measured.
struct Report {
  const Subject &subject;
  const Peaks &peaks;
  /// The processor that was compiled for, by LLVM's name.
  std::string cpu;
  int threads;
  std::vector<Cell> cells;
};

/// "native" as the name of this machine's processor.
std::string getCPUName(llvm::StringRef cpu);

/// The machine's peaks and what is measured.
void printHead(llvm::raw_ostream &os, const Report &report);
/// A row for each cell.
void printTable(llvm::raw_ostream &os, const Report &report);

/// The object that docs/Performance.md describes. With `withWork`, each cell
/// has its operations and bytes, too, which plot.py wants.
llvm::Error writeJSON(llvm::StringRef path, const Report &report,
                      bool withWork = false);

/// The Python program that plots, found where it can be run: fails if there is
/// no Python with matplotlib. `executable` is this program.
llvm::Expected<std::string> findPlotPython(llvm::StringRef executable);
/// Draws the roofline as an SVG file by plot.py.
llvm::Error writePlot(llvm::StringRef path, llvm::StringRef python,
                      llvm::StringRef executable, const Report &report);

} // namespace sluice::bench

#endif // SLUICE_TOOLS_SLUICE_BENCH_REPORT_H
