//===- sluice-fuzz.cpp - Compiled code against the oracle -*- C++
//-*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Generates models (routers x bodies x sizes x types) with inputs, compiles
// each and compares it with the interpreter: routing exactly, values within the
// bound that Program.h derives, and bit by bit between numbers of threads.
//
// Where a choice is so close that rounding may rightly decide otherwise, the
// inputs are drawn anew; a case for which that does not help is left out and
// counted. Ties of exact scores are not close: they must go to the lower index.
//
// A case depends on its own seed only, so that one line repeats a failure.
//
//===----------------------------------------------------------------------===//

#include "Case.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "sluice/Compiler/Compiler.h"
#include "sluice/Compiler/Jit.h"
#include "sluice/InitAll.h"
#include "sluice/Interpreter/Interpreter.h"
#include "sluice/Support/Npy.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/PrettyStackTrace.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <cstring>

using namespace sluice;
namespace cl = llvm::cl;

static cl::OptionCategory category("sluice-fuzz options");
static cl::opt<uint64_t> seedOption("seed", cl::init(1), cl::cat(category),
                                    cl::desc("Seed of all cases (default: 1)"));
static cl::opt<unsigned>
    countOption("count", cl::init(100), cl::cat(category),
                cl::desc("Number of cases (default: 100)"));
static cl::opt<uint64_t>
    caseOption("case", cl::cat(category),
               cl::desc("Run only the case of this seed of its own"));
static cl::opt<std::string>
    dumpOption("dump", cl::value_desc("folder"), cl::cat(category),
               cl::desc("With --case: write model.mlir and inputs there"));
static cl::opt<int> optLevelOption(
    "opt-level", cl::init(-1), cl::cat(category),
    cl::desc("LLVM's level for all cases (default: mostly 0, some 1 and 3)"));
static cl::opt<bool> verboseOption("verbose", cl::cat(category),
                                   cl::desc("Print a line for each case"));
static cl::opt<unsigned>
    maxFailuresOption("max-failures", cl::init(1), cl::cat(category),
                      cl::desc("Stop after this many mismatches (default: 1)"));

namespace {

using Tensors = llvm::SmallVector<HostTensor>;

enum class Outcome { Agrees, Differs, LeftOut };

/// Runs one case.
class CaseRunner {
public:
  CaseRunner(mlir::MLIRContext &context, const Case &c)
      : context(context), c(c) {}

  Outcome run();

  /// Why they differ.
  std::string message;
  unsigned redraws = 0;
  /// The largest error as a share of its bound.
  double share = 0;
  std::vector<HostTensor> inputs;

private:
  Outcome fail(const llvm::Twine &text) {
    message = text.str();
    return Outcome::Differs;
  }
  mlir::OwningOpRef<mlir::ModuleOp> parse(const std::string &text);
  bool draw(interpreter::Interpreter &oracle);
  bool interpret(mlir::ModuleOp module);
  llvm::Expected<JitModel> compile(mlir::ModuleOp module);
  bool checkRouting(llvm::ArrayRef<HostTensor> actual);
  bool checkResult(const HostTensor &actual);
  /// |actual - expected| <= bound of each element.
  bool checkClose(llvm::StringRef what, const HostTensor &actual,
                  const HostTensor &expected,
                  llvm::function_ref<double(int64_t)> bound);
  double logitMagnitude() const;

  mlir::MLIRContext &context;
  const Case &c;
  /// What diagnostics said.
  std::string diagnostics;
  Tensors result, routing, majorant;
  /// The largest finite magnitude of a gate, and the gates' relative error.
  double gateMagnitude = 0, gateError = 0;
};

} // namespace

mlir::OwningOpRef<mlir::ModuleOp> CaseRunner::parse(const std::string &text) {
  return mlir::parseSourceString<mlir::ModuleOp>(text, &context, "case");
}

/// A bound of the logits: the sum of the magnitudes of their terms.
double CaseRunner::logitMagnitude() const {
  auto find = [&](const Value &value) -> const HostTensor & {
    for (auto [argument, input] : llvm::zip_equal(c.arguments, inputs))
      if (argument.value.name == value.name)
        return input;
    llvm_unreachable("the router's operands are arguments");
  };
  const Router &router = c.router;
  double largest = 0;
  if (!router.isProduct) {
    for (double v : find(router.arguments.front()).toDoubles())
      if (std::isfinite(v))
        largest = std::max(largest, std::fabs(v));
    return largest;
  }
  std::vector<double> x = find(router.input).toDoubles(),
                      w = find(router.weight).toDoubles(), b;
  if (router.hasBias)
    b = find(router.bias).toDoubles();
  int64_t in = router.input.shape[1];
  for (int64_t t = 0; t < c.tokens; ++t)
    for (int64_t e = 0; e < router.experts; ++e) {
      double sum = router.hasBias ? std::fabs(b[e]) : 0;
      for (int64_t i = 0; i < in; ++i)
        sum += std::fabs(x[t * in + i] *
                         w[router.inOut ? i * router.experts + e : e * in + i]);
      largest = std::max(largest, sum);
    }
  return largest;
}

/// Draws inputs until no choice is closer than rounding may decide.
bool CaseRunner::draw(interpreter::Interpreter &oracle) {
  for (redraws = 0; redraws < 40; ++redraws) {
    inputs = drawInputs(c, c.seed + 0x1000 * (redraws + 1));
    oracle.resetCounters();
    auto routed = oracle.runExact("route", inputs);
    if (failed(routed))
      return false;
    uint64_t ties = oracle.getExactTies();
    double needed = c.router.selectionPerLogit * logitMagnitude() +
                    c.router.selectionConstant;
    if (oracle.getSmallestMargin() < needed ||
        (c.router.mayRoundToTies && ties > 0))
      continue;
    oracle.resetCounters();
    auto computed = oracle.runExact("moe", inputs);
    if (failed(computed))
      return false;
    if (oracle.getSmallestMargin() < std::max(needed, c.innerMargin))
      continue;
    routing = std::move(*routed);
    result = std::move(*computed);
    return true;
  }
  return false;
}

/// The majorant, and what is known of the gates.
bool CaseRunner::interpret(mlir::ModuleOp module) {
  const Router &router = c.router;
  for (double v : routing[1].toDoubles())
    if (std::isfinite(v))
      gateMagnitude = std::max(gateMagnitude, std::fabs(v));
  double scale = std::max(gateMagnitude, 1e-30);
  double spread = router.perLogit * logitMagnitude();
  gateError = router.constant + (router.isRelative ? spread : spread / scale);
  if (router.gates.type == Dtype::F16)
    gateError += 0x1p-22 / scale;
  std::vector<HostTensor> all;
  for (const HostTensor &input : inputs)
    all.push_back(llvm::cantFail(input.clone()));
  for (const HostTensor &input : inputs) {
    std::vector<double> values = input.toDoubles();
    for (double &v : values)
      v = std::fabs(v);
    all.push_back(llvm::cantFail(
        HostTensor::fromDoubles(Dtype::F64, input.shape(), values)));
  }
  all.push_back(llvm::cantFail(HostTensor::fromDoubles(
      Dtype::F64, {}, {c.isWeighed ? gateMagnitude : 1})));
  interpreter::Interpreter oracle(module);
  auto computed = oracle.runExact("majorant", all);
  if (failed(computed))
    return false;
  majorant = std::move(*computed);
  return true;
}

llvm::Expected<JitModel> CaseRunner::compile(mlir::ModuleOp module) {
  CompileOptions options;
  options.parallel = c.parallel;
  options.counters = c.counters;
  options.optLevel = optLevelOption < 0 ? c.optLevel : unsigned(optLevelOption);
  if (failed(lowerModel(module, options)))
    return llvm::createStringError("lowering failed");
  mlir::FailureOr<CompiledModel> compiled = compileModel(module, options);
  if (failed(compiled))
    return llvm::createStringError("compiling failed");
  return JitModel::create(*compiled, "");
}

static std::string indexText(const HostTensor &tensor, int64_t index) {
  std::string text;
  for (int64_t i : tensor.unflatten(index))
    text += (text.empty() ? "" : ", ") + std::to_string(i);
  return "[" + text + "]";
}

bool CaseRunner::checkRouting(llvm::ArrayRef<HostTensor> actual) {
  if (actual[0].shape() != routing[0].shape()) {
    message = "@route: indices of another shape";
    return false;
  }
  for (int64_t i = 0; i < routing[0].numElements(); ++i)
    if (actual[0].getInteger(i) != routing[0].getInteger(i)) {
      message = "@route: index " + indexText(routing[0], i) + " is " +
                std::to_string(actual[0].getInteger(i)) +
                " but the oracle has " +
                std::to_string(routing[0].getInteger(i));
      return false;
    }
  double bound = 2 * gateError * gateMagnitude + c.tiny;
  return checkClose("@route: weight", actual[1], routing[1],
                    [&](int64_t) { return bound; });
}

bool CaseRunner::checkResult(const HostTensor &actual) {
  std::vector<double> limits = majorant[0].toDoubles();
  double relative = c.error + c.gateDegree * gateError;
  return checkClose("@moe: element", actual, result[0], [&](int64_t i) {
    return 2 * relative * limits[i] + c.tiny;
  });
}

bool CaseRunner::checkClose(llvm::StringRef what, const HostTensor &actual,
                            const HostTensor &expected,
                            llvm::function_ref<double(int64_t)> bound) {
  if (actual.shape() != expected.shape()) {
    message = (what + ": another shape, " + actual.typeText() + " for " +
               expected.typeText())
                  .str();
    return false;
  }
  for (int64_t i = 0; i < expected.numElements(); ++i) {
    double a = actual.get(i), e = expected.get(i), limit = bound(i);
    bool same = std::isnan(e) ? std::isnan(a) : a == e;
    if (same)
      continue;
    double error = std::fabs(a - e);
    if (std::isfinite(e) && error <= limit) {
      share = std::max(share, error / limit);
      continue;
    }
    llvm::raw_string_ostream os(message);
    os << what << " " << indexText(expected, i) << " is "
       << llvm::format("%.9g", a) << " but the oracle has "
       << llvm::format("%.9g", e) << "; the error "
       << llvm::format("%.3g", error) << " is above the bound "
       << llvm::format("%.3g", limit);
    return false;
  }
  return true;
}

static bool sameBits(llvm::ArrayRef<HostTensor> a,
                     llvm::ArrayRef<HostTensor> b) {
  return llvm::all_of(llvm::zip_equal(a, b), [](auto pair) {
    auto [x, y] = pair;
    return x.bytes() == y.bytes();
  });
}

Outcome CaseRunner::run() {
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diag) {
    if (diag.getSeverity() == mlir::DiagnosticSeverity::Error)
      diagnostics += diag.str() + "\n";
    return mlir::success();
  });
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(c.model);
  if (!module)
    return fail("the model is not valid: " + diagnostics);
  {
    interpreter::Interpreter oracle(*module);
    if (!draw(oracle))
      return diagnostics.empty()
                 ? Outcome::LeftOut
                 : fail("the interpreter failed: " + diagnostics);
  }
  mlir::OwningOpRef<mlir::ModuleOp> bounds = parse(c.majorant);
  if (!bounds || !interpret(*bounds))
    return fail("the majorant failed: " + diagnostics + "\n" + c.majorant);

  llvm::Expected<JitModel> compiled = compile(*module);
  if (!compiled)
    return fail(llvm::toString(compiled.takeError()) + ": " + diagnostics);
  std::vector<HostTensor> first;
  for (int threads : {1, 3}) {
    compiled->setThreads(threads);
    auto actual = compiled->run("moe", inputs);
    if (!actual)
      return fail("@moe failed: " + llvm::toString(actual.takeError()));
    if (threads == 1) {
      auto routed = compiled->run("route", inputs);
      if (!routed)
        return fail("@route failed: " + llvm::toString(routed.takeError()));
      if (!checkRouting(*routed) || !checkResult((*actual)[0]))
        return Outcome::Differs;
      first = std::move(*actual);
    } else if (!sameBits(first, *actual)) {
      return fail("@moe: other bits with 3 threads than with 1");
    }
  }
  return Outcome::Agrees;
}

static llvm::Error dumpText(llvm::StringRef name, llvm::StringRef text) {
  llvm::SmallString<128> path(dumpOption);
  llvm::sys::path::append(path, name);
  std::error_code code;
  llvm::raw_fd_ostream os(path, code);
  if (code)
    return llvm::createStringError(code, "cannot write " + path);
  os << text;
  return llvm::Error::success();
}

static llvm::Error dumpModel(const Case &c) {
  if (std::error_code code = llvm::sys::fs::create_directories(dumpOption))
    return llvm::createStringError(code,
                                   "cannot make the folder " + dumpOption);
  if (llvm::Error error = dumpText("model.mlir", c.model))
    return error;
  return dumpText("majorant.mlir", c.majorant);
}

static llvm::Error dumpInputs(llvm::ArrayRef<HostTensor> inputs) {
  for (auto [i, input] : llvm::enumerate(inputs)) {
    llvm::SmallString<128> path(dumpOption);
    llvm::sys::path::append(path, "input" + std::to_string(i) + ".npy");
    if (llvm::Error error = writeNpy(path, input))
      return error;
  }
  return llvm::Error::success();
}

static std::unique_ptr<mlir::MLIRContext> makeContext() {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  auto context = std::make_unique<mlir::MLIRContext>(
      registry, mlir::MLIRContext::Threading::DISABLED);
  return context;
}

/// What all cases together came to.
struct Summary {
  unsigned cases = 0, mismatches = 0, leftOut = 0, redrawn = 0;
  double share = 0;
};

static llvm::Error runCase(mlir::MLIRContext &context, uint64_t seed,
                           bool isSingle, Summary &summary) {
  Case c = generateCase(seed);
  // Shown by the stack trace of a crash.
  std::string doing = "case " + std::to_string(c.seed) + ": " + c.summary;
  llvm::PrettyStackTraceString crash(doing.c_str());
  // The model before it runs, which may crash.
  bool dumps = isSingle && !dumpOption.empty();
  if (dumps)
    if (llvm::Error error = dumpModel(c))
      return error;

  CaseRunner runner(context, c);
  Outcome outcome = runner.run();
  if (dumps)
    if (llvm::Error error = dumpInputs(runner.inputs))
      return error;
  ++summary.cases;
  summary.leftOut += outcome == Outcome::LeftOut;
  summary.redrawn += runner.redraws > 0 && outcome != Outcome::LeftOut;
  summary.share = std::max(summary.share, runner.share);
  if (verboseOption || isSingle)
    llvm::outs() << doing << (outcome == Outcome::LeftOut ? " (left out)" : "")
                 << llvm::format(", error %.2g of the bound\n", runner.share);
  if (outcome == Outcome::Differs) {
    ++summary.mismatches;
    llvm::outs() << "mismatch: " << runner.message << "\ncase: " << c.summary
                 << "\n"
                 << c.model << "repeat: sluice-fuzz --case=" << c.seed
                 << " --dump=<folder>\n";
  }
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(
      argc, argv,
      "Compares compiled code with the interpreter on generated models\n\n"
      "Example: sluice-fuzz --seed 7 --count 1000\n");
  bool isSingle = caseOption.getNumOccurrences() > 0;
  unsigned count = isSingle ? 1 : unsigned(countOption);
  Random seeds(seedOption);
  Summary summary;
  std::unique_ptr<mlir::MLIRContext> context;
  // What is left out does not count, unless nothing else comes.
  for (unsigned i = 0; i < 2 * count && summary.cases - summary.leftOut < count;
       ++i) {
    // A context keeps every type that it has seen.
    if (i % 50 == 0)
      context = makeContext();
    uint64_t seed = isSingle ? uint64_t(caseOption) : seeds.next();
    if (llvm::Error error = runCase(*context, seed, isSingle, summary)) {
      llvm::errs() << "sluice-fuzz: error: "
                   << llvm::toString(std::move(error)) << "\n";
      return 1;
    }
    if (summary.mismatches == maxFailuresOption)
      break;
  }
  llvm::outs() << summary.cases - summary.leftOut << " cases, "
               << summary.mismatches << " mismatches, " << summary.leftOut
               << " left out, " << summary.redrawn
               << " drawn again; largest error "
               << llvm::format("%.2g", summary.share) << " of its bound\n";
  return summary.mismatches > 0;
}
