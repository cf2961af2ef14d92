//===- Report.h - What a run prints -----------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TOOLS_SLUICE_RUN_REPORT_H
#define SLUICE_TOOLS_SLUICE_RUN_REPORT_H

#include "llvm/ADT/StringRef.h"

#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace sluice {

/// "time: min 1.20 ms, median 1.31 ms (10 runs)"; there is at least one.
void printTimes(llvm::raw_ostream &os, std::vector<double> seconds);

/// A paragraph for each routed op of a sluice_model_counters_json.
void printCounters(llvm::raw_ostream &os, llvm::StringRef json);

} // namespace sluice

#endif // SLUICE_TOOLS_SLUICE_RUN_REPORT_H
