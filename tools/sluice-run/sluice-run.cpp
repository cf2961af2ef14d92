//===- sluice-run.cpp - Runs a model file -----------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"
#include "Runner.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "sluice/Compiler/DiagnosticPrinter.h"
#include "sluice/Compiler/PhaseTimes.h"
#include "sluice/InitAll.h"
#include "sluice/Support/CommandLine.h"
#include "sluice/Support/Compare.h"
#include "sluice/Support/Npy.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"

using namespace sluice;
namespace cl = llvm::cl;

namespace {

enum class Target { CPU, Interpreter };

/// Creating more would exhaust the machine, which OpenMP reports by aborting.
constexpr int maxThreads = 1024;

/// The command line, in an object so that nothing is global.
struct Options {
  cl::OptionCategory category{"sluice-run options"};
  cl::opt<std::string> model{cl::Positional, cl::desc("<model.mlir>"),
                             cl::cat(category)};
  cl::opt<std::string> entry{
      "entry",
      cl::desc("Public function to run (default: the only one, or\nmain, or "
               "moe)"),
      cl::value_desc("name"), cl::cat(category)};
  cl::opt<std::string> weights{
      "weights",
      cl::desc("Safetensors file with the numbers of the model's\nweights"),
      cl::value_desc("file"), cl::cat(category)};
  cl::list<std::string> inputs{
      "input",
      cl::desc(
          "One .npy file (numpy.save) per argument of the\nfunction, in order"),
      cl::value_desc("x.npy"), cl::cat(category)};
  cl::list<std::string> outputs{
      "output",
      cl::desc("Where to write the results: one .npy file per\nresult"),
      cl::value_desc("y.npy"), cl::cat(category)};
  cl::list<std::string> expects{
      "expect",
      cl::desc("Compare the results: one .npy file per result. A\nmismatch is "
               "printed and makes the exit code 1"),
      cl::value_desc("y.npy"), cl::cat(category)};
  cl::opt<double> tolerance{
      "tolerance",
      cl::desc(
          "Largest error of --expect and --check, relative to\nthe largest "
          "magnitude of the expected tensor;\nintegers must be equal "
          "(default: 1e-5; for f16\nresults 2^-10, for bf16 2^-7)"),
      cl::value_desc("t"), cl::init(1e-5), cl::cat(category)};
  cl::opt<Target> target{
      "target", cl::desc("What runs the model (default: cpu)"),
      cl::values(
          clEnumValN(Target::CPU, "cpu", "compiled to native code in memory"),
          clEnumValN(Target::Interpreter, "interpreter",
                     "the interpreter: each op by its definition, in "
                     "64-bit floats; slow")),
      cl::init(Target::CPU), cl::cat(category)};
  cl::opt<bool> check{
      "check",
      cl::desc("Compare the compiled code's results with the\ninterpreter's. A "
               "mismatch is printed, makes the exit\ncode 1, and is the "
               "compiler's mistake"),
      cl::cat(category)};
  cl::opt<std::string> time{
      "time",
      cl::desc("Print the fastest and the median time of some runs\n(default: "
               "10), after a warm-up"),
      cl::value_desc("runs"), cl::ValueOptional, cl::cat(category)};
  cl::opt<std::string> counters{
      "counters",
      cl::desc("Print what each set of experts did in one run:\ntokens, "
               "entries (a token at one expert),\nmultiply-adds, tokens of "
               "each expert; =json: as\none JSON object on the standard "
               "output, and\neverything else on the standard error"),
      cl::value_desc("json"), cl::ValueOptional, cl::cat(category)};
  cl::opt<int> threads{
      "threads",
      cl::desc("Number of threads (default: OMP_NUM_THREADS, else\nall cores). "
               "Results do not depend on it"),
      cl::value_desc("n"), cl::init(0), cl::cat(category)};
  cl::opt<std::string> cpu{
      "cpu",
      cl::desc("Processors to compile for, by LLVM's names: the best\nthat "
               "this machine can run is taken (default: native;\nhelp lists "
               "the names)"),
      cl::value_desc("name,..."), cl::init("native"), cl::cat(category)};
  cl::opt<bool> timing{
      "timing",
      cl::desc("Print the seconds that each phase took, from the start\nuntil "
               "the model could be called, to the standard error"),
      cl::cat(category)};
  cl::extrahelp example{
      "\nEXAMPLE:\n"
      "  sluice-run olmoe.mlir --entry=moe --weights olmoe.safetensors \\\n"
      "    --input x.npy --expect y.npy --check --time\n\n"
      "  compiles the model, runs @moe on x.npy, compares the result with "
      "y.npy and\n  with the interpreter's, and prints how long it took.\n\n"
      ".npy files: any shape, C order; f32, f64, f16, i8, i32, i64, bool, and "
      "bf16 "
      "as raw u16.\n"};
};

/// One use of the tool.
class Session {
public:
  explicit Session(const Options &options)
      : options(options),
        info(options.counters == "json" ? llvm::errs() : llvm::outs()) {}

  llvm::Error run();

private:
  llvm::Error checkOptions();
  llvm::Error checkOutputs() const;
  llvm::Error chooseEntry(mlir::ModuleOp module);
  llvm::Error readInputs();
  llvm::Error checkCount(llvm::StringRef option, size_t files, size_t expected,
                         llvm::StringRef what) const;
  llvm::Expected<std::unique_ptr<Runner>> createRunner(mlir::ModuleOp module);
  llvm::Error compare(llvm::StringRef what, size_t index,
                      const HostTensor &actual, const HostTensor &expected);
  llvm::Error writeOutputs(llvm::ArrayRef<HostTensor> results) const;
  llvm::Error compareWithFiles(llvm::ArrayRef<HostTensor> results);
  llvm::Error compareWithInterpreter(mlir::ModuleOp module,
                                     llvm::ArrayRef<HostTensor> results);

  const Options &options;
  /// Where everything but JSON goes.
  llvm::raw_ostream &info;
  PhaseTimes phases;
  unsigned timedRuns = 0;
  mlir::func::FuncOp entry;
  std::vector<HostTensor> inputs;
  std::vector<HostTensor> expected;
  bool anyMismatch = false;
};

} // namespace

static std::string toText(double number) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", number);
  return text;
}

llvm::Error Session::checkOptions() {
  if (options.model.empty())
    return llvm::createStringError(
        "expected a model file but got none; try --help");
  if (!(options.tolerance >= 0) || std::isinf(options.tolerance))
    return llvm::createStringError(
        "expected a finite --tolerance of at least 0 but got " +
        toText(options.tolerance));
  if (options.threads.getNumOccurrences() && options.threads < 1)
    return llvm::createStringError(
        "expected at least 1 for --threads but got " +
        llvm::Twine(options.threads.getValue()));
  if (options.threads > maxThreads)
    return llvm::createStringError(
        "expected at most " + llvm::Twine(maxThreads) +
        " for --threads but got " + llvm::Twine(options.threads.getValue()));
  if (llvm::Error error = checkOutputs())
    return error;
  if (options.time.getNumOccurrences()) {
    timedRuns = 10;
    if (!options.time.empty() &&
        (llvm::StringRef(options.time).getAsInteger(10, timedRuns) ||
         timedRuns == 0))
      return llvm::createStringError(
          "expected a number of runs of at least 1 for --time but got '" +
          options.time + "'");
  }
  if (!options.counters.empty() && options.counters != "json")
    return llvm::createStringError("expected --counters or --counters=json "
                                   "but got --counters=" +
                                   options.counters);
  if (options.check && options.target == Target::Interpreter)
    return llvm::createStringError("--check compares compiled code with the "
                                   "interpreter; it goes with --target=cpu");
  return checkCPUs(options.cpu);
}

static bool isSameFile(llvm::StringRef a, llvm::StringRef b) {
  bool same = false;
  return !llvm::sys::fs::equivalent(a, b, same) && same;
}

/// Results must overwrite neither each other nor what they are made from. An
/// input may be replaced: it was read before.
llvm::Error Session::checkOutputs() const {
  llvm::StringSet<> seen;
  for (llvm::StringRef path : options.outputs) {
    // Devices take any number of results.
    llvm::sys::fs::file_status status;
    if (!llvm::sys::fs::status(path, status) && llvm::sys::fs::is_other(status))
      continue;
    if (!seen.insert(path).second)
      return llvm::createStringError("expected another file for each --output "
                                     "but got '" +
                                     path + "' twice");
    for (llvm::StringRef source :
         {llvm::StringRef(options.model), llvm::StringRef(options.weights)})
      if (isSameFile(path, source))
        return llvm::createStringError(
            "the output '" + path + "' is the " +
            (source == options.model ? "model" : "weight file") +
            " itself; name another file by --output");
  }
  return llvm::Error::success();
}

llvm::Error Session::chooseEntry(mlir::ModuleOp module) {
  llvm::SmallVector<mlir::func::FuncOp> candidates;
  std::string names;
  for (auto function : module.getOps<mlir::func::FuncOp>()) {
    if (!function.isPublic() || function.isDeclaration())
      continue;
    candidates.push_back(function);
    names += (names.empty() ? "" : ", ") + function.getSymName().str();
  }
  if (candidates.empty())
    return llvm::createStringError("the model has no public function");
  auto find = [&](llvm::StringRef name) {
    for (mlir::func::FuncOp function : candidates)
      if (function.getSymName() == name)
        entry = function;
    return bool(entry);
  };
  if (options.entry.getNumOccurrences()) {
    if (find(options.entry))
      return llvm::Error::success();
    return llvm::createStringError("the model has no public function '" +
                                   options.entry + "'; it has " + names);
  }
  if (candidates.size() == 1)
    entry = candidates.front();
  else if (!find("main") && !find("moe"))
    return llvm::createStringError("the model has several public functions; "
                                   "choose one by --entry: " +
                                   names);
  return llvm::Error::success();
}

llvm::Error Session::checkCount(llvm::StringRef option, size_t files,
                                size_t expected, llvm::StringRef what) const {
  if (files == expected)
    return llvm::Error::success();
  return llvm::createStringError("expected " + std::to_string(expected) +
                                 " --" + option + (expected == 1 ? "" : "s") +
                                 ", one per " + what + " of @" +
                                 mlir::func::FuncOp(entry).getSymName() +
                                 ", but got " + std::to_string(files));
}

llvm::Error Session::readInputs() {
  if (llvm::Error error = checkCount("input", options.inputs.size(),
                                     entry.getNumArguments(), "argument"))
    return error;
  for (auto [path, type] :
       llvm::zip_equal(options.inputs, entry.getArgumentTypes())) {
    llvm::Expected<HostTensor> tensor = readNpy(path, getDtype(type));
    if (!tensor)
      return tensor.takeError();
    inputs.push_back(std::move(*tensor));
  }
  size_t numResults = entry.getNumResults();
  if (!options.outputs.empty())
    if (llvm::Error error =
            checkCount("output", options.outputs.size(), numResults, "result"))
      return error;
  if (options.expects.empty())
    return llvm::Error::success();
  if (llvm::Error error =
          checkCount("expect", options.expects.size(), numResults, "result"))
    return error;
  // Now, since an output may go to the same file.
  for (auto [path, type] :
       llvm::zip_equal(options.expects, entry.getResultTypes())) {
    llvm::Expected<HostTensor> tensor = readNpy(path, getDtype(type));
    if (!tensor)
      return tensor.takeError();
    expected.push_back(std::move(*tensor));
  }
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<Runner>>
Session::createRunner(mlir::ModuleOp module) {
  llvm::StringRef name = entry.getSymName();
  if (options.target == Target::Interpreter)
    return createInterpretingRunner(module, name, options.weights,
                                    /*exact=*/false);
  CompileOptions compile;
  compile.cpu = options.cpu;
  compile.counters = options.counters.getNumOccurrences() != 0;
  compile.phases = &phases;
  return createCompiledRunner(module, name, options.weights, compile,
                              options.threads);
}

llvm::Error Session::compare(llvm::StringRef what, size_t index,
                             const HostTensor &actual,
                             const HostTensor &expected) {
  double tolerance = options.tolerance;
  if (!options.tolerance.getNumOccurrences()) {
    // A step of the type: results may be rounded to either neighbour.
    std::optional<Dtype> dtype = getDtype(entry.getResultTypes()[index]);
    if (dtype == Dtype::F16)
      tolerance = 0x1p-10;
    else if (dtype == Dtype::BF16)
      tolerance = 0x1p-7;
  }
  llvm::Expected<Comparison> comparison =
      compareTensors(actual, expected, tolerance);
  if (!comparison)
    return llvm::createStringError("result " + std::to_string(index) +
                                   " against " + what + ": " +
                                   llvm::toString(comparison.takeError()));
  anyMismatch |= !comparison->matches();
  (comparison->matches() ? info
                         : llvm::WithColor::error(llvm::errs(), "sluice-run"))
      << "result " << index << " against " << what << ": "
      << comparison->describe() << "\n";
  return llvm::Error::success();
}

llvm::Error Session::compareWithFiles(llvm::ArrayRef<HostTensor> results) {
  for (auto [index, tensor] : llvm::enumerate(expected))
    if (llvm::Error error =
            compare(options.expects[index], index, results[index], tensor))
      return error;
  return llvm::Error::success();
}

llvm::Error
Session::compareWithInterpreter(mlir::ModuleOp module,
                                llvm::ArrayRef<HostTensor> results) {
  llvm::Expected<std::unique_ptr<Runner>> oracle = createInterpretingRunner(
      module, entry.getSymName(), options.weights, /*exact=*/true);
  if (!oracle)
    return oracle.takeError();
  llvm::Expected<std::vector<HostTensor>> exact = (*oracle)->run(inputs);
  if (!exact)
    return exact.takeError();
  for (auto [index, expected] : llvm::enumerate(*exact)) {
    // Widening loses nothing, and types must be the same.
    const HostTensor &result = results[index];
    llvm::Expected<HostTensor> actual =
        isFloat(result.dtype())
            ? HostTensor::fromDoubles(Dtype::F64, result.shape(),
                                      result.toDoubles())
            : result.clone();
    if (!actual)
      return actual.takeError();
    if (llvm::Error error =
            compare("the interpreter", index, *actual, expected))
      return error;
  }
  return llvm::Error::success();
}

/// All of them, or none that was not there before.
llvm::Error Session::writeOutputs(llvm::ArrayRef<HostTensor> results) const {
  llvm::SmallVector<llvm::StringRef> created;
  for (auto [path, result] : llvm::zip(options.outputs, results)) {
    bool existed = llvm::sys::fs::exists(path);
    if (llvm::Error error = writeNpy(path, result)) {
      for (llvm::StringRef other : created)
        llvm::sys::fs::remove(other);
      return error;
    }
    if (!existed)
      created.push_back(path);
  }
  return llvm::Error::success();
}

llvm::Error Session::run() {
  PhaseTimer total(/*times=*/nullptr, "total");
  if (llvm::Error error = checkOptions())
    return error;
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  llvm::SourceMgr sourceMgr;
  // sluicec --remarks shows the remarks.
  DiagnosticPrinter printer(sourceMgr, &context, "sluice-run",
                            /*showRemarks=*/false);
  PhaseTimer parsing(&phases, "parse");
  mlir::OwningOpRef<mlir::ModuleOp> module =
      loadModel(options.model, sourceMgr, &context);
  parsing.stop();
  if (!module)
    return makeReportedError();
  if (llvm::Error error = chooseEntry(*module))
    return error;
  if (llvm::Error error = readInputs())
    return error;

  llvm::Expected<std::unique_ptr<Runner>> runner = createRunner(*module);
  if (!runner)
    return runner.takeError();
  if (options.timing)
    phases.print(llvm::errs(), total.getSeconds());
  llvm::Expected<std::vector<HostTensor>> results = (*runner)->run(inputs);
  if (!results)
    return results.takeError();
  std::string counters = (*runner)->getCountersJson();

  if (llvm::Error error = writeOutputs(*results))
    return error;
  if (llvm::Error error = compareWithFiles(*results))
    return error;
  if (options.check)
    if (llvm::Error error = compareWithInterpreter(*module, *results))
      return error;
  if (timedRuns) {
    llvm::Expected<std::vector<double>> seconds =
        (*runner)->time(inputs, timedRuns);
    if (!seconds)
      return seconds.takeError();
    printTimes(info, *seconds);
  }
  if (options.counters == "json")
    llvm::outs() << counters << "\n";
  else if (options.counters.getNumOccurrences())
    printCounters(llvm::outs(), counters);
  // A mismatch has been printed.
  return anyMismatch ? makeReportedError() : llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  startTool();
  Options options;
  cl::HideUnrelatedOptions(options.category);
  llvm::Error error = parseCommandLine(
      argc, argv,
      "sluice-run: compiles a model file in memory and runs one function\n\n"
      "A model file (.mlir) says what is computed; weights and inputs are "
      "files of\n"
      "their own. docs/Tutorial explains them from the beginning.\n");
  if (!error && options.cpu == "help") {
    printCPUs(llvm::outs());
    return 0;
  }
  if (!error)
    error = Session(options).run();
  return endTool(std::move(error), "sluice-run");
}
