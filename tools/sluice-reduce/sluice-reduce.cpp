//===- sluice-reduce.cpp - Makes a model smaller that fails -----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reducer.h"

#include "mlir/IR/MLIRContext.h"
#include "sluice/Compiler/Compiler.h"
#include "sluice/Compiler/DiagnosticPrinter.h"
#include "sluice/InitAll.h"
#include "sluice/Support/AtomicFile.h"
#include "sluice/Support/CommandLine.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"

using namespace sluice;
namespace cl = llvm::cl;

namespace {

/// The command line, in an object so that nothing is global.
struct Options {
  cl::OptionCategory category{"sluice-reduce options"};
  cl::opt<std::string> input{cl::Positional, cl::desc("<model.mlir>"),
                             cl::cat(category)};
  cl::opt<std::string> test{
      "test",
      cl::desc("Program that looks for the mistake. It is called\nwith "
               "--test-arg's, then the name of a model file,\nand must exit "
               "with 0 if the mistake is still there"),
      cl::value_desc("program"), cl::cat(category)};
  cl::list<std::string> testArguments{
      "test-arg", cl::desc("Argument of the program, before the model file"),
      cl::value_desc("text"), cl::cat(category)};
  cl::opt<std::string> output{"o",
                              cl::desc("Where to write the smaller model "
                                       "(default: -,\nthe standard output)"),
                              cl::value_desc("file"), cl::init("-"),
                              cl::cat(category)};
  cl::extrahelp example{
      "\nEXAMPLE:\n"
      "  sluice-reduce model.mlir --test=./fails.sh -o small.mlir\n\n"
      "  where fails.sh is, for a model that the compiler gets wrong:\n"
      "    #!/bin/sh\n"
      "    sluice-run \"$1\" --input x.npy --check 2>&1 | grep 'against the "
      "interpreter: element'\n"};
};

/// Runs the test on modules, and counts.
class Tester {
public:
  Tester(llvm::StringRef program, llvm::ArrayRef<std::string> arguments)
      : program(program), arguments(arguments) {}

  /// The exit status of the test for the module; negative if it crashed.
  llvm::Expected<int> run(mlir::ModuleOp module);
  unsigned runs = 0;

private:
  std::string program;
  llvm::ArrayRef<std::string> arguments;
};

} // namespace

llvm::Expected<int> Tester::run(mlir::ModuleOp module) {
  llvm::SmallString<128> path;
  int descriptor = -1;
  if (std::error_code code = llvm::sys::fs::createTemporaryFile(
          "sluice-reduce", "mlir", descriptor, path))
    return llvm::createStringError(code, "cannot make a temporary file: " +
                                             code.message());
  llvm::FileRemover remover(path);
  llvm::raw_fd_ostream os(descriptor, /*shouldClose=*/true);
  module.print(os);
  os << "\n";
  os.close();
  if (std::error_code code = os.error()) {
    os.clear_error();
    return llvm::createStringError(code, "cannot write '" + path +
                                             "': " + code.message());
  }
  llvm::SmallVector<llvm::StringRef> words = {program};
  words.append(arguments.begin(), arguments.end());
  words.push_back(path);
  // What the test prints says nothing about the result.
  std::optional<llvm::StringRef> nowhere[] = {
      llvm::StringRef(), llvm::StringRef(), llvm::StringRef()};
  std::string message;
  bool failedToStart = false;
  int status = llvm::sys::ExecuteAndWait(program, words, std::nullopt, nowhere,
                                         0, 0, &message, &failedToStart);
  ++runs;
  if (failedToStart)
    return llvm::createStringError("cannot run the test '" + program +
                                   "': " + message);
  return status;
}

static llvm::Expected<std::string> findProgram(llvm::StringRef name) {
  if (name.empty())
    return llvm::createStringError(
        "expected a program that looks for the mistake; name it by --test");
  // As a shell does: a name with a slash is a path.
  llvm::ErrorOr<std::string> path = name.contains('/')
                                        ? llvm::ErrorOr<std::string>(name.str())
                                        : llvm::sys::findProgramByName(name);
  if (!path || !llvm::sys::fs::can_execute(*path))
    return llvm::createStringError(
        "expected an executable program for --test but got '" + name +
        "'; a script needs 'chmod +x', and the name of one in this folder "
        "begins with './'");
  return *path;
}

static llvm::Error reduce(const Options &options) {
  if (options.input.empty())
    return llvm::createStringError(
        "expected a model file but got none; try --help");
  llvm::Expected<std::string> program = findProgram(options.test);
  if (!program)
    return program.takeError();
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  llvm::SourceMgr sourceMgr;
  DiagnosticPrinter printer(sourceMgr, &context, "sluice-reduce",
                            /*showRemarks=*/false);
  mlir::OwningOpRef<mlir::ModuleOp> module =
      loadModel(options.input, sourceMgr, &context);
  if (!module)
    return llvm::createStringError("");

  Tester tester(*program, options.testArguments);
  llvm::Expected<int> status = tester.run(*module);
  if (!status)
    return status.takeError();
  if (*status)
    return llvm::createStringError(
        "expected the test to exit with 0 for the model as it is, since the "
        "mistake is in it, but got " +
        llvm::Twine(*status));
  unsigned before = Reducer::countOps(*module);
  llvm::Error error = llvm::Error::success();
  Reducer reducer(std::move(module), [&](mlir::ModuleOp candidate) {
    llvm::Expected<int> status = tester.run(candidate);
    if (status)
      return *status == 0;
    error = llvm::joinErrors(std::move(error), status.takeError());
    return false;
  });
  reducer.run();
  if (error)
    return error;

  std::string text;
  llvm::raw_string_ostream(text) << reducer.getModule() << "\n";
  if (llvm::Error error = writeFileAtomically(options.output, text))
    return error;
  llvm::errs() << "sluice-reduce: " << Reducer::countOps(reducer.getModule())
               << " of " << before << " ops are left after " << tester.runs
               << " runs of the test\n";
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  startTool();
  Options options;
  cl::HideUnrelatedOptions(options.category);
  llvm::Error error = parseCommandLine(
      argc, argv,
      "sluice-reduce: makes a model file smaller that shows a mistake\n\n"
      "Takes parts of the model away, one after the other, and keeps what is "
      "left\n"
      "as long as a test of yours still finds the mistake in it.\n");
  if (!error)
    error = reduce(options);
  return endTool(std::move(error), "sluice-reduce");
}
