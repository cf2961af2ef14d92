//===- sluice-bench.cpp - Measures a layer against the machine --*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bench.h"
#include "Options.h"
#include "Report.h"
#include "sluice/Compiler/Compiler.h"
#include "sluice/Support/CommandLine.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/WithColor.h"

#include <cstdlib>

using namespace sluice;
using namespace sluice::bench;
namespace cl = llvm::cl;

/// Fails, or leaves out with a remark, the baselines that are not to be had.
static llvm::Error checkBaselines(const Options &options, Choices &choices) {
  llvm::StringMap<bool> features = getFeatures(options.cpu);
  std::vector<std::string> found;
  for (const std::string &name : choices.baselines) {
    llvm::Error error =
        name == "hand" ? checkHandLayer(features) : checkOpenBLAS(features);
    if (!error) {
      found.push_back(name);
      continue;
    }
    if (!choices.defaultBaselines)
      return error;
    llvm::WithColor::remark(llvm::errs(), "sluice-bench")
        << "without the baseline '" << name
        << "': " << llvm::toString(std::move(error)) << "\n";
  }
  choices.baselines = std::move(found);
  return llvm::Error::success();
}

/// What would only fail after a long run.
static llvm::Error checkFolder(llvm::StringRef option, llvm::StringRef path) {
  llvm::StringRef folder = llvm::sys::path::parent_path(path);
  if (path.empty() || path == "-" || folder.empty() ||
      llvm::sys::fs::is_directory(folder))
    return llvm::Error::success();
  return llvm::createStringError("cannot write --" + option + " '" + path +
                                 "': there is no folder '" + folder + "'");
}

static llvm::Error run(const Options &options, llvm::StringRef executable) {
  llvm::Expected<Choices> choices = check(options);
  if (!choices)
    return choices.takeError();
  if (llvm::Error error = checkFolder("json", options.json))
    return error;
  if (llvm::Error error = checkFolder("plot", options.plot))
    return error;
  std::string python;
  if (!options.plot.empty()) {
    llvm::Expected<std::string> found = findPlotPython(executable);
    if (!found)
      return found.takeError();
    python = std::move(*found);
  }
  if (llvm::Error error = checkBaselines(options, *choices))
    return error;

  SubjectOptions subjectOptions;
  subjectOptions.cpu = options.cpu;
  subjectOptions.threads = choices->threads;
  subjectOptions.baselines = choices->baselines;
  auto subject =
      options.model.empty()
          ? createLayerSubject(choices->shape, choices->routing, subjectOptions)
          : createFileSubject(options.model, options.entry, subjectOptions);
  if (!subject)
    return subject.takeError();

  Peaks peaks(getFeatures(options.cpu), choices->threads);
  peaks.measure(std::min(2.0, options.seconds.getValue()));
  Report report{
      **subject, peaks, getCPUName(options.cpu), choices->threads, {}};
  // Somebody waits for the table, whose floors are only known at the end.
  bool talks = llvm::errs().is_displayed();
  for (int64_t tokens : choices->tokens) {
    if (talks)
      llvm::errs() << "\r" << tokens << " tokens ...    ";
    llvm::Expected<Cell> cell =
        measureCell(**subject, tokens, options.seconds, peaks);
    if (talks)
      llvm::errs() << "\r                         \r";
    if (!cell)
      return cell.takeError();
    report.cells.push_back(std::move(*cell));
  }

  llvm::raw_ostream &os = options.json == "-" ? llvm::errs() : llvm::outs();
  printHead(os, report);
  printTable(os, report);
  if (!options.json.empty())
    if (llvm::Error error = writeJSON(options.json, report))
      return error;
  if (!options.plot.empty())
    return writePlot(options.plot, python, executable, report);
  return llvm::Error::success();
}

/// Binds OpenMP's threads to processors: those that work for less than a
/// millisecond at a time may otherwise be left together on one. Before OpenMP
/// is used, which then reads these; a user's own stand.
static void bindThreads() {
  if (std::getenv("OMP_PROC_BIND") || std::getenv("KMP_AFFINITY"))
    return;
  setenv("OMP_PROC_BIND", "spread", /*overwrite=*/0);
  setenv("OMP_PLACES", "cores", /*overwrite=*/0);
}

int main(int argc, char **argv) {
  bindThreads();
  llvm::InitLLVM init(argc, argv);
  startTool();
  Options options;
  cl::HideUnrelatedOptions(options.category);
  llvm::Error error = parseCommandLine(
      argc, argv,
      "sluice-bench: how near a layer comes to what this machine can do\n\n"
      "Measures the machine's peak arithmetic and its read bandwidth, then a "
      "layer of\n"
      "experts for several numbers of tokens, in turn with baselines. "
      "docs/Performance.md\n"
      "explains the columns.\n");
  if (!error && options.cpu == "help") {
    printCPUs(llvm::outs());
    return 0;
  }
  // Any function of this program does to find out where it is.
  if (!error)
    error = run(options, llvm::sys::fs::getMainExecutable(
                             argv[0], reinterpret_cast<void *>(&run)));
  return endTool(std::move(error), "sluice-bench");
}
