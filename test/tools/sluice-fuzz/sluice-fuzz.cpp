//===- sluice-fuzz.cpp - Compiled code against the oracle -------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Generates models (routers x bodies x sizes x types) with inputs, compiles
// each and compares it with the interpreter: routing exactly, counters exactly,
// values within the bound that Program.h derives, and bit by bit between
// numbers of threads.
//
// Where a choice is so close that rounding may rightly decide otherwise, the
// inputs are drawn anew; a case for which that does not help is left out and
// counted. Ties of exact scores are not close: they must go to the lower index.
//
// A case depends on its own seed only, so that one line repeats a failure.
// Cases run in processes of their own (--jobs), so that a crash is a failure
// like others; see Investigate.h for what becomes of one.
//
//===----------------------------------------------------------------------===//

#include "Files.h"
#include "Investigate.h"
#include "Isolated.h"

#include "sluice/InitAll.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

#include <csignal>
#include <poll.h>
#include <unistd.h>

using namespace sluice;
namespace cl = llvm::cl;

static cl::OptionCategory category("sluice-fuzz options");
static cl::opt<uint64_t> seedOption("seed", cl::init(1), cl::cat(category),
                                    cl::desc("Seed of all cases (default: 1)"));
static cl::opt<unsigned>
    countOption("count", cl::init(100), cl::cat(category),
                cl::desc("Number of cases (default: 100)"));
static cl::opt<unsigned>
    jobsOption("jobs", cl::init(1), cl::cat(category),
               cl::desc("Processes that run cases (default: 1)"));
static cl::opt<uint64_t>
    caseOption("case", cl::cat(category), cl::value_desc("seed"),
               cl::desc("Run one case only: the one that a failure's line "
                        "`repeat:` or --verbose names by this number"));
static cl::opt<std::string>
    choicesOption("choices", cl::value_desc("n,n,..."), cl::cat(category),
                  cl::desc("With --case: what the generator chooses, as the "
                           "line `repeat:` of a failure says"));
static cl::opt<std::string>
    dumpOption("dump", cl::value_desc("folder"), cl::cat(category),
               cl::desc("With --case: write model.mlir and inputs there"));
static cl::opt<std::string> outputOption(
    "output", cl::value_desc("folder"), cl::init("."), cl::cat(category),
    cl::desc("Where a failure's folder sluice-fuzz-<seed> is made: the model "
             "made smaller, inputs, weights (default: .)"));
static cl::opt<unsigned> attemptsOption(
    "reduce", cl::value_desc("runs"), cl::init(500), cl::cat(category),
    cl::desc("How many smaller models may be tried when a failure is reduced; "
             "0 leaves it as it is (default: 500)"));
static cl::opt<int> optLevelOption(
    "opt-level", cl::init(-1), cl::cat(category),
    cl::desc("LLVM's level for all cases (default: mostly 0, some 1 and 3)"));
static cl::opt<bool> listOpsOption(
    "list-ops", cl::cat(category),
    cl::desc("Say in how many cases each op of the dialect occurs; exit with 1 "
             "if one of the model level never does"));
static cl::opt<bool>
    injectOption("inject-bug", cl::cat(category),
                 cl::desc("Lower with a pass that turns products into sums: "
                          "what a failure looks like"));
static cl::opt<bool> verboseOption("verbose", cl::cat(category),
                                   cl::desc("Print a line for each case"));
static cl::opt<unsigned>
    maxFailuresOption("max-failures", cl::init(1), cl::cat(category),
                      cl::desc("Stop after this many mismatches (default: 1)"));

/// A case that takes longer is a failure.
static constexpr unsigned timeLimit = 120;

static RunOptions runOptions() { return {optLevelOption, injectOption}; }

namespace {

/// What all cases together came to.
struct Summary {
  unsigned cases = 0, leftOut = 0, redrawn = 0;
  double share = 0;
  std::map<std::string, unsigned> ops;
  /// Seeds of cases that failed.
  std::vector<uint64_t> failures;
};

/// A process that runs every `jobs`-th case.
class Worker {
public:
  Worker(unsigned first, unsigned quota) : next(first), quota(quota) {}

  /// Starts, or goes on behind a crash.
  void start();
  bool isRunning() const { return work != nullptr; }
  int getDescriptor() const { return work->getDescriptor(); }
  /// Takes what the process has written into account.
  void receive(Summary &summary);

private:
  void runCases(IsolatedWork::Write write);
  void readLine(llvm::StringRef line, Summary &summary);

  /// The number of the next case, and how many are to be compared yet.
  unsigned next, quota;
  uint64_t current = 0;
  bool inCase = false;
  std::string text;
  std::unique_ptr<IsolatedWork> work;
};

} // namespace

static uint64_t seedOf(unsigned number) {
  // SplitMix64's state grows by a constant: its outputs have numbers.
  return Random(seedOption + number * 0x9E3779B97F4A7C15u).next();
}

void Worker::runCases(IsolatedWork::Write write) {
  std::unique_ptr<mlir::MLIRContext> context;
  // What is left out does not count, unless nothing else comes.
  unsigned most = 2 * quota + 10;
  std::string ops;
  for (unsigned i = 0; quota > 0 && i < most; ++i, next += jobsOption) {
    // A context keeps every type that it has seen.
    if (i % 50 == 0)
      context = makeContext();
    uint64_t seed = seedOf(next);
    write("case " + std::to_string(seed) + "\n");
    alarm(timeLimit);
    Case c = generateCase(seed);
    CaseRunner runner(*context, c, runOptions());
    Outcome outcome = runner.run();
    alarm(0);
    quota -= outcome != Outcome::LeftOut;
    std::string line;
    llvm::raw_string_ostream os(line);
    os << "done " << int(outcome) << " " << runner.redraws << " "
       << llvm::format("%.3g", runner.share) << " " << c.summary << "\n";
    for (const auto &[name, count] : runner.ops)
      os << "op " << name << "\n";
    write(line);
  }
}

void Worker::start() {
  work = std::make_unique<IsolatedWork>(
      [&](IsolatedWork::Write write) { runCases(write); }, /*seconds=*/0);
}

void Worker::readLine(llvm::StringRef line, Summary &summary) {
  if (line.consume_front("case ")) {
    line.getAsInteger(10, current);
    inCase = true;
    return;
  }
  if (line.consume_front("op ")) {
    ++summary.ops[line.str()];
    return;
  }
  line.consume_front("done ");
  unsigned outcome = 0, redraws = 0;
  double share = 0;
  line.consumeInteger(10, outcome);
  line = line.ltrim();
  line.consumeInteger(10, redraws);
  auto [number, text] = line.ltrim().split(' ');
  number.getAsDouble(share);
  inCase = false;
  next += jobsOption;
  ++summary.cases;
  bool isLeftOut = Outcome(outcome) == Outcome::LeftOut;
  quota -= !isLeftOut;
  summary.leftOut += isLeftOut;
  summary.redrawn += redraws > 0 && !isLeftOut;
  summary.share = std::max(summary.share, share);
  if (Outcome(outcome) == Outcome::Differs)
    summary.failures.push_back(current);
  if (verboseOption)
    llvm::outs() << "case " << current << ": " << text
                 << (isLeftOut ? " (left out)" : "") << ", error " << number
                 << " of the bound\n";
}

void Worker::receive(Summary &summary) {
  bool more = work->read(text);
  size_t end;
  while ((end = text.find('\n')) != std::string::npos) {
    readLine(llvm::StringRef(text).take_front(end), summary);
    text.erase(0, end + 1);
  }
  if (more)
    return;
  std::string problem = work->finish();
  work.reset();
  text.clear();
  if (!inCase)
    return;
  // It ended within a case: the next process goes on behind it.
  inCase = false;
  next += jobsOption;
  quota -= quota > 0;
  ++summary.cases;
  summary.failures.push_back(current);
  if (quota > 0)
    start();
}

static Summary runAll() {
  Summary summary;
  std::vector<Worker> workers;
  for (unsigned i = 0; i < jobsOption; ++i)
    workers.emplace_back(i, countOption / jobsOption +
                                (i < countOption % jobsOption));
  for (Worker &worker : workers)
    worker.start();
  while (summary.failures.size() < maxFailuresOption) {
    std::vector<pollfd> descriptors;
    std::vector<Worker *> running;
    for (Worker &worker : workers)
      if (worker.isRunning()) {
        descriptors.push_back({worker.getDescriptor(), POLLIN, 0});
        running.push_back(&worker);
      }
    if (running.empty())
      break;
    poll(descriptors.data(), nfds_t(descriptors.size()), /*timeout=*/-1);
    for (auto [descriptor, worker] : llvm::zip_equal(descriptors, running))
      if (descriptor.revents)
        worker->receive(summary);
  }
  return summary;
}

/// How often each op occurs. False if one that a model may have never does.
static bool listOps(const Summary &summary) {
  // What only the plan level has.
  constexpr llvm::StringLiteral planLevel[] = {"sluice.plan", "sluice.grouped",
                                               "sluice.quantized_linear"};
  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  context->loadAllAvailableDialects();
  bool all = true;
  for (mlir::RegisteredOperationName name :
       context->getRegisteredOperations()) {
    if (name.getDialectNamespace() != "sluice")
      continue;
    auto found = summary.ops.find(name.getStringRef().str());
    unsigned count = found == summary.ops.end() ? 0 : found->second;
    bool isPlan = llvm::is_contained(planLevel, name.getStringRef());
    llvm::outs() << name.getStringRef() << " " << count
                 << (isPlan ? " (plan level)" : "") << "\n";
    all &= isPlan || count > 0;
  }
  for (const auto &[name, count] : summary.ops)
    if (!llvm::StringRef(name).starts_with("sluice."))
      llvm::outs() << name << " " << count << "\n";
  return all;
}

static llvm::Error runSingle(bool &differs) {
  std::vector<uint64_t> choices;
  Case c = generateCase(caseOption);
  if (choicesOption.getNumOccurrences() > 0) {
    auto parsed = parseChoices(choicesOption);
    if (!parsed)
      return parsed.takeError();
    c = generateCase(caseOption, std::move(*parsed));
  }
  // The model before it runs, which may crash.
  if (!dumpOption.empty())
    if (llvm::Error error = dumpCase(c, {}, dumpOption, ""))
      return error;
  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  CaseRunner runner(*context, c, runOptions());
  Outcome outcome = runner.run();
  if (!dumpOption.empty() && !runner.values.empty())
    if (llvm::Error error =
            dumpCase(c, runner.values, dumpOption, runner.message))
      return error;
  differs = outcome == Outcome::Differs;
  llvm::outs() << "case " << c.seed << ": " << c.summary
               << (outcome == Outcome::LeftOut ? " (left out)" : "")
               << llvm::format(", error %.2g of the bound\n", runner.share);
  if (differs)
    llvm::outs() << "mismatch: " << runner.message << "\n" << c.model;
  return llvm::Error::success();
}

static int report(llvm::Error error) {
  llvm::errs() << "sluice-fuzz: error: " << llvm::toString(std::move(error))
               << "\n";
  return 1;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(
      argc, argv,
      "Compares compiled code with the interpreter on generated models\n\n"
      "Example: sluice-fuzz --seed 7 --count 1000 --jobs 2\n");
  if (jobsOption == 0)
    return report(llvm::createStringError("expected at least one job"));
  if (caseOption.getNumOccurrences() > 0) {
    bool differs = false;
    if (llvm::Error error = runSingle(differs))
      return report(std::move(error));
    return differs;
  }
  Summary summary = runAll();
  InvestigateOptions options;
  options.run = runOptions();
  options.output = outputOption;
  options.attempts = attemptsOption;
  for (uint64_t seed : summary.failures)
    if (llvm::Error error =
            investigate(seed, generateCase(seed).choices, options))
      return report(std::move(error));
  bool all = !listOpsOption || listOps(summary);
  llvm::outs() << summary.cases - summary.leftOut << " cases, "
               << summary.failures.size() << " mismatches, " << summary.leftOut
               << " left out, " << summary.redrawn
               << " drawn again; largest error "
               << llvm::format("%.2g", summary.share) << " of its bound\n";
  return !summary.failures.empty() || !all;
}
