//===- Investigate.cpp - Why a case fails, and how small --------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Investigate.h"

#include "Files.h"
#include "Isolated.h"
#include "Reduce.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace sluice;

static constexpr unsigned timeLimit = 60;

std::string sluice::toText(const std::vector<uint64_t> &choices) {
  return llvm::join(llvm::map_range(choices,
                                    [](uint64_t n) {
                                      return std::to_string(n);
                                    }),
                    ",");
}

llvm::Expected<std::vector<uint64_t>>
sluice::parseChoices(llvm::StringRef text) {
  std::vector<uint64_t> choices;
  for (llvm::StringRef word : llvm::split(text, ','))
    if (!text.empty() && word.getAsInteger(10, choices.emplace_back()))
      return llvm::createStringError(
          "expected numbers with commas in --choices but got '" + word + "'");
  return choices;
}

namespace {
/// How a case failed.
struct Failure {
  /// What reduction must keep: which result, or how it crashed. Empty if it did
  /// not fail.
  std::string kind;
  std::string message;
  std::vector<uint64_t> choices;
};
} // namespace

static Failure runIsolated(uint64_t seed, const std::vector<uint64_t> &choices,
                           const RunOptions &options) {
  IsolatedWork work(
      [&](IsolatedWork::Write write) {
        Case c = generateCase(seed, choices);
        write(toText(c.choices) + "\n");
        std::unique_ptr<mlir::MLIRContext> context = makeContext();
        CaseRunner runner(*context, c, options);
        if (runner.run() == Outcome::Differs)
          write(runner.message);
      },
      timeLimit);
  std::string text;
  while (work.read(text))
    ;
  Failure failure;
  std::string end = work.finish();
  auto [used, message] = llvm::StringRef(text).split('\n');
  if (llvm::Expected<std::vector<uint64_t>> parsed = parseChoices(used))
    failure.choices = std::move(*parsed);
  else
    llvm::consumeError(parsed.takeError());
  failure.kind = end.empty() ? message.split(':').first.str() : end;
  failure.message = end.empty() ? message.str() : "crash: " + end;
  return failure;
}

static std::string findGuilty(const Case &c, const RunOptions &options) {
  IsolatedWork work(
      [&](IsolatedWork::Write write) {
        std::unique_ptr<mlir::MLIRContext> context = makeContext();
        CaseRunner runner(*context, c, options);
        std::string guilty = runner.findGuiltyPass([&](llvm::StringRef pass) {
          write("running " + pass.str() + "\n");
        });
        write("guilty " + guilty);
      },
      2 * timeLimit);
  std::string text;
  while (work.read(text))
    ;
  std::string end = work.finish();
  llvm::StringRef rest = text;
  if (end.empty() && rest.contains("guilty "))
    return rest.split("guilty ").second.str();
  // The last that was announced did not come back.
  llvm::StringRef last = rest.rsplit("running ").second.trim();
  return (last.empty() ? "none: the interpreter" : last).str() + ": " + end;
}

llvm::Error sluice::investigate(uint64_t seed, std::vector<uint64_t> choices,
                                const InvestigateOptions &options) {
  llvm::raw_ostream &os = llvm::outs();
  Failure failure = runIsolated(seed, choices, options.run);
  if (failure.kind.empty()) {
    os << "case " << seed << " fails only behind other cases\n";
    return llvm::Error::success();
  }
  size_t before = generateCase(seed, choices).model.size();
  if (options.attempts > 0)
    choices = reduceChoices(choices, options.attempts, [&](Choices &candidate) {
      Failure now = runIsolated(seed, candidate, options.run);
      candidate = now.choices;
      return now.kind == failure.kind;
    });
  failure = runIsolated(seed, choices, options.run);
  Case c = generateCase(seed, choices);
  std::string repeat = "sluice-fuzz --case=" + std::to_string(seed) +
                       " --choices=" + toText(choices);
  if (options.run.injectBug)
    repeat += " --inject-bug";
  if (options.run.optLevel >= 0)
    repeat += " --opt-level=" + std::to_string(options.run.optLevel);
  std::string why = failure.message + "\nguilty pass: " +
                    findGuilty(c, options.run) + "\nrepeat: " + repeat + "\n";

  llvm::SmallString<128> folder(options.output);
  llvm::sys::path::append(folder, "sluice-fuzz-" + std::to_string(seed));
  // The inputs with which it failed; as drawn first if it crashed.
  std::vector<HostTensor> values = drawInputs(c, c.seed + 0x1000);
  os << "mismatch: " << why << "model: " << folder << "/model.mlir, "
     << before << " bytes made " << c.model.size() << "\n"
     << c.model;
  return dumpCase(c, values, folder, why);
}
