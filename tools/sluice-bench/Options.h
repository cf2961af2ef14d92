//===- Options.h - The command line of sluice-bench -------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TOOLS_SLUICE_BENCH_OPTIONS_H
#define SLUICE_TOOLS_SLUICE_BENCH_OPTIONS_H

#include "Layer.h"
#include "llvm/Support/CommandLine.h"

namespace sluice::bench {

/// The options as they were given, in an object so that nothing is global.
struct Options {
  Options();

  llvm::cl::OptionCategory category;
  llvm::cl::opt<int64_t> width, inner, experts, perToken;
  llvm::cl::opt<std::string> tokens, body, type, activations;
  llvm::cl::opt<int64_t> group;
  llvm::cl::opt<std::string> routing;
  llvm::cl::opt<std::string> model, entry;
  llvm::cl::opt<std::string> baselines;
  llvm::cl::opt<int> threads;
  llvm::cl::opt<std::string> cpu;
  llvm::cl::opt<double> seconds;
  llvm::cl::opt<std::string> json, plot;
  llvm::cl::extrahelp more;
};

/// What they mean.
struct Choices {
  LayerShape shape;
  Routing routing = Routing::Uniform;
  std::vector<int64_t> tokens;
  std::vector<std::string> baselines;
  /// Nobody asked for them: those that are not to be had are left out.
  bool defaultBaselines = true;
  int threads = 1;
};

/// Checks all options but what depends on the machine.
llvm::Expected<Choices> check(const Options &options);

} // namespace sluice::bench

#endif // SLUICE_TOOLS_SLUICE_BENCH_OPTIONS_H
