//===- sluicec.cpp - Compiles a model file to native code -------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Compiler/Artifact.h"
#include "sluice/Compiler/Compiler.h"
#include "sluice/Compiler/DiagnosticPrinter.h"
#include "sluice/Compiler/PhaseTimes.h"
#include "sluice/InitAll.h"
#include "sluice/Support/AtomicFile.h"
#include "sluice/Support/CommandLine.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"

using namespace sluice;
namespace cl = llvm::cl;

namespace {

enum class Emit { SharedLibrary, Object, Assembly, LLVMIR, MLIR };

/// The command line, in an object so that nothing is global.
struct Options {
  cl::OptionCategory category{"sluicec options"};
  cl::opt<std::string> input{cl::Positional, cl::desc("<model.mlir>"),
                             cl::cat(category)};
  cl::opt<std::string> output{
      "o",
      cl::desc("Output file; '-' for the standard output with\n"
               "--emit=asm, llvm or mlir (default: the model's\nname with "
               "the suffix of its kind, in the\ncurrent folder)"),
      cl::value_desc("file"), cl::cat(category)};
  cl::opt<Emit> emit{
      "emit", cl::desc("What to write (default: so)"),
      cl::values(
          clEnumValN(Emit::SharedLibrary, "so",
                     "a shared library, and its C header beside it"),
          clEnumValN(Emit::Object, "obj",
                     "an object file, and its C header; to be linked "
                     "with libsluice_artifact.a, libsluice_rt.a and libomp"),
          clEnumValN(Emit::Assembly, "asm", "assembly"),
          clEnumValN(Emit::LLVMIR, "llvm",
                     "LLVM's own language (.ll), optimised"),
          clEnumValN(Emit::MLIR, "mlir",
                     "the program as LLVM gets it, in MLIR's llvm dialect")),
      cl::init(Emit::SharedLibrary), cl::cat(category)};
  cl::opt<std::string> weights{
      "weights",
      cl::desc("Check the model's weights against this\nsafetensors file now; "
               "its absolute path becomes what\n<prefix>_load opens if it is "
               "given NULL. The file\nitself is not copied"),
      cl::value_desc("file"), cl::cat(category)};
  cl::opt<std::string> target{
      "target",
      cl::desc("Architecture and system to compile for, as clang\nhas it, e.g. "
               "aarch64-linux-gnu (default: native, this\nmachine). For "
               "another than this machine's everything\nbut --emit=so"),
      cl::value_desc("triple"), cl::init("native"), cl::cat(category)};
  cl::opt<std::string> cpu{
      "cpu",
      cl::desc(
          "Processors to compile for, by LLVM's names\n(default: native, "
          "this machine, or with another\n--target generic or x86-64; help "
          "lists the names).\nOf several the file has "
          "code for each: the best that a\nmachine can run is chosen when "
          "the model is loaded, or\nthat which the environment variable "
          "SLUICE_CPU names"),
      cl::value_desc("name,..."), cl::cat(category)};
  cl::opt<std::string> prefix{
      "prefix",
      cl::desc("What the C functions' names begin with\n(default: the output "
               "file's name)"),
      cl::value_desc("identifier"), cl::cat(category)};
  cl::opt<bool> counters{
      "counters",
      cl::desc("Let the model count what its experts do (tokens,\n"
               "multiply-adds, ...), see <prefix>_counters_json"),
      cl::cat(category)};
  cl::opt<bool> remarks{
      "remarks",
      cl::desc("Print what the compiler decided for which line of the\n"
               "model, and why (the name in brackets is the pass,\n"
               "see docs/Passes.md)"),
      cl::cat(category)};
  cl::opt<bool> printSchedule{
      "print-schedule",
      cl::desc("Compile nothing, but print as JSON which kernels\nmultiply "
               "how many rows (tokens of an expert) with\neach weight, on "
               "each processor of --cpu; see\ndocs/Performance.md"),
      cl::cat(category)};
  cl::opt<bool> timing{
      "timing",
      cl::desc("Print the seconds that each phase of the compilation\ntook to "
               "the standard error"),
      cl::cat(category)};
  cl::extrahelp example{
      "\nEXAMPLE:\n"
      "  sluicec olmoe.mlir -o olmoe.so --weights olmoe.safetensors\n"
      "  cc main.c olmoe.so -Wl,-rpath,'$ORIGIN'    # main.c includes "
      "olmoe.h\n\n"
      "  The header explains how to load the model and call its functions.\n"};
};

} // namespace

static int fail(const llvm::Twine &message) {
  llvm::WithColor::error(llvm::errs(), "sluicec") << message << "\n";
  return 1;
}

static int fail(llvm::Error error) {
  return endTool(std::move(error), "sluicec");
}

static llvm::StringRef getSuffix(Emit emit) {
  switch (emit) {
  case Emit::SharedLibrary:
    return "so";
  case Emit::Object:
    return "o";
  case Emit::Assembly:
    return "s";
  case Emit::LLVMIR:
    return "ll";
  case Emit::MLIR:
    break;
  }
  // A model in the current folder must not be overwritten.
  return "llvm.mlir";
}

static std::string chooseOutput(const Options &options) {
  if (!options.output.empty())
    return options.output;
  llvm::StringRef stem =
      options.input == "-" ? "model" : llvm::sys::path::stem(options.input);
  return (stem + "." + getSuffix(options.emit)).str();
}

static bool isText(Emit emit) {
  return emit == Emit::Assembly || emit == Emit::LLVMIR || emit == Emit::MLIR;
}

static ArtifactKind getKind(Emit emit) {
  switch (emit) {
  case Emit::SharedLibrary:
    return ArtifactKind::SharedLibrary;
  case Emit::Object:
    return ArtifactKind::Object;
  case Emit::Assembly:
    return ArtifactKind::Assembly;
  case Emit::LLVMIR:
  case Emit::MLIR:
    break;
  }
  return ArtifactKind::LLVMIR;
}

static bool isSameFile(llvm::StringRef a, llvm::StringRef b) {
  bool same = false;
  return !llvm::sys::fs::equivalent(a, b, same) && same;
}

/// That what is asked for can be written to `output`.
static llvm::Error checkOutput(const Options &options, llvm::StringRef output) {
  if (output == "-" && !isText(options.emit))
    return llvm::createStringError(
        llvm::Twine("expected a file's name after -o, since --emit=") +
        (options.emit == Emit::Object ? "obj" : "so") + " does not write text");
  if (isSameFile(options.input, output))
    return llvm::createStringError(
        "the output '" + output +
        "' is the model itself; name another file by -o");
  if (options.emit == Emit::SharedLibrary)
    if (llvm::Error error = checkHostTarget(options.target))
      return llvm::createStringError("cannot link: " +
                                     llvm::toString(std::move(error)));
  return llvm::Error::success();
}

/// That there is no option of what --print-schedule does not do.
static llvm::Error checkPrintSchedule(const Options &options) {
  const cl::Option *unused[] = {&options.output, &options.emit, &options.prefix,
                                &options.weights};
  for (const cl::Option *option : unused)
    if (option->getNumOccurrences())
      return llvm::createStringError(
          llvm::Twine("expected no ") +
          (option->ArgStr.size() == 1 ? "-" : "--") + option->ArgStr +
          " beside --print-schedule, which compiles nothing");
  return llvm::Error::success();
}

static int run(const Options &options, LinkOptions link, PhaseTimes &phases) {
  if (llvm::Error error = checkTarget(options.target))
    return fail("--target: " + llvm::toString(std::move(error)));
  if (options.cpu == "help") {
    printCPUs(llvm::outs(), options.target);
    return 0;
  }
  if (options.input.empty())
    return fail("expected a model file but got none; try --help");
  std::string output = chooseOutput(options);
  if (llvm::Error error = options.printSchedule ? checkPrintSchedule(options)
                                                : checkOutput(options, output))
    return fail(std::move(error));
  CompileOptions compile;
  compile.phases = &phases;
  compile.target = options.target;
  compile.cpu = options.cpu.getNumOccurrences() ? options.cpu.getValue()
                                                : getDefaultCPU(options.target);
  compile.counters = options.counters;
  if (llvm::Error error = checkCPUs(compile.cpu, compile.target))
    return fail(std::move(error));

  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  llvm::SourceMgr sourceMgr;
  DiagnosticPrinter printer(sourceMgr, &context, "sluicec", options.remarks);
  PhaseTimer parsing(&phases, "parse");
  mlir::OwningOpRef<mlir::ModuleOp> module =
      loadModel(options.input, sourceMgr, &context);
  parsing.stop();
  if (!module)
    return 1;
  if (options.printSchedule) {
    mlir::FailureOr<std::string> schedule = describeSchedule(*module, compile);
    if (mlir::failed(schedule))
      return 1;
    llvm::outs() << *schedule << "\n";
    return 0;
  }
  if (mlir::failed(lowerModel(*module, compile)))
    return 1;

  llvm::Expected<ModelInterface> interface = createInterface(
      *module,
      options.prefix.empty()
          ? getDefaultPrefix(output == "-" ? options.input.getValue() : output)
          : options.prefix.getValue(),
      options.weights, &phases);
  if (!interface)
    return fail(interface.takeError());

  if (options.emit == Emit::MLIR) {
    std::string text;
    llvm::raw_string_ostream os(text);
    module->print(os);
    os << "\n";
    if (llvm::Error error = writeFileAtomically(output, text))
      return fail(std::move(error));
    return 0;
  }
  mlir::FailureOr<CompiledModel> model =
      compileModel(*module, compile, &*interface);
  if (mlir::failed(model))
    return 1;
  if (context.isMultithreadingEnabled())
    link.threadPool = &context.getThreadPool();
  if (llvm::Error error = writeArtifact(*model, *interface,
                                        getKind(options.emit), output, link))
    return fail(std::move(error));
  return 0;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  startTool();
  Options options;
  cl::HideUnrelatedOptions(options.category);
  if (llvm::Error error = parseCommandLine(
          argc, argv,
          "sluicec: compiles a model file ahead of time to native code\n\n"
          "The result needs no part of Sluice or LLVM to run, only libomp and "
          "the\n"
          "C and C++ libraries. Files appear when they are complete.\n"))
    return fail(std::move(error));
  static char anchor;
  std::string executable = llvm::sys::fs::getMainExecutable(argv[0], &anchor);
  PhaseTimes phases;
  PhaseTimer total(/*times=*/nullptr, "total");
  int status = run(options, {getRuntimeDirectory(executable)}, phases);
  if (options.timing)
    phases.print(llvm::errs(), total.getSeconds());
  return status;
}
