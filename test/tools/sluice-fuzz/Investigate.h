//===- Investigate.h - Why a case fails, and how small ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TEST_FUZZ_INVESTIGATE_H
#define SLUICE_TEST_FUZZ_INVESTIGATE_H

#include "Runner.h"

#include "llvm/Support/Error.h"

namespace sluice {

struct InvestigateOptions {
  RunOptions run;
  /// Where the folder sluice-fuzz-<seed> is made.
  std::string output = ".";
  /// How many smaller models may be tried; 0: leave it as it is.
  unsigned attempts = 500;
};

/// Choices as `--choices` takes them, and back.
std::string toText(const std::vector<uint64_t> &choices);
llvm::Expected<std::vector<uint64_t>> parseChoices(llvm::StringRef text);

/// Runs the failing case in processes of its own, which may crash or never end;
/// makes it smaller, writes it as files, finds the guilty pass, and prints what
/// came out. This process must have no threads.
llvm::Error investigate(uint64_t seed, std::vector<uint64_t> choices,
                        const InvestigateOptions &options);

} // namespace sluice

#endif // SLUICE_TEST_FUZZ_INVESTIGATE_H
