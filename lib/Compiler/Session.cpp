//===- Session.cpp - The compiler as a library ------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Compiler/Session.h"

#include "Remarks.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "sluice/Compiler/PhaseTimes.h"
#include "sluice/InitAll.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/ThreadPool.h"

using namespace sluice;
using mlir::ModuleOp;
using mlir::OwningOpRef;

/// An error whose text has been, or will be, reported as a diagnostic.
static llvm::Error makeReported() { return llvm::createStringError(""); }

static mlir::DialectRegistry makeRegistry() {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  return registry;
}

/// MLIR's table of passes belongs to the process.
static void registerPassesOnce() {
  [[maybe_unused]] static const bool registered = [] {
    registerAllPasses();
    return true;
  }();
}

Session::Session(SessionOptions options, DiagnosticHandler handler)
    : handler(std::move(handler)),
      context(makeRegistry(), mlir::MLIRContext::Threading::DISABLED) {
  // The place in the file says more than the op in its generic form.
  context.printOpOnDiagnostic(false);
  context.getDiagEngine().registerHandler(
      [this](mlir::Diagnostic &diagnostic) { receive(diagnostic); });
  setOptions(std::move(options));
}

Session::~Session() = default;

void Session::setOptions(SessionOptions newOptions) {
  if (newOptions.threadPool != options.threadPool) {
    context.disableMultithreading();
    if (newOptions.threadPool)
      context.setThreadPool(*newOptions.threadPool);
  }
  options = std::move(newOptions);
  if (options.remarks && !remarksEnabled)
    remarksEnabled = mlir::succeeded(reportRemarks(context));
}

//===----------------------------------------------------------------------===//
// Diagnostics
//===----------------------------------------------------------------------===//

/// `text` with spaces for line ends.
static std::string onOneLine(llvm::StringRef text) {
  llvm::SmallVector<llvm::StringRef> lines;
  text.split(lines, '\n', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  return llvm::join(lines, " ");
}

std::string Diagnostic::describe() const {
  std::string text = onOneLine(message);
  if (file.empty())
    return text;
  return file + ":" + std::to_string(line) + ":" + std::to_string(column) +
         ": " + text;
}

void Session::send(const mlir::Diagnostic &diagnostic,
                   Diagnostic::Severity severity) {
  Diagnostic result;
  result.severity = severity;
  result.message = diagnostic.str();
  if (auto place =
          diagnostic.getLocation()->findInstanceOf<mlir::FileLineColLoc>()) {
    result.file = place.getFilename().str();
    result.line = place.getLine();
    result.column = place.getColumn();
  }
  if (severity == Diagnostic::Severity::Error && firstError.empty())
    firstError = result.describe();
  if (handler)
    handler(result);
}

void Session::receive(mlir::Diagnostic &diagnostic) {
  Diagnostic::Severity severity = Diagnostic::Severity::Error;
  switch (diagnostic.getSeverity()) {
  case mlir::DiagnosticSeverity::Note:
    severity = Diagnostic::Severity::Note;
    break;
  case mlir::DiagnosticSeverity::Remark:
    severity = Diagnostic::Severity::Remark;
    break;
  case mlir::DiagnosticSeverity::Warning:
    severity = Diagnostic::Severity::Warning;
    break;
  case mlir::DiagnosticSeverity::Error:
    break;
  }
  if (severity == Diagnostic::Severity::Remark && !options.remarks)
    return;
  send(diagnostic, severity);
  for (mlir::Diagnostic &note : diagnostic.getNotes())
    send(note, Diagnostic::Severity::Note);
}

llvm::Error Session::collect(llvm::function_ref<llvm::Error()> body) {
  firstError.clear();
  llvm::Error error = body();
  if (!error)
    return error;
  std::string text = llvm::toString(std::move(error));
  if (!text.empty())
    mlir::emitError(mlir::UnknownLoc::get(&context)) << text;
  if (firstError.empty())
    mlir::emitError(mlir::UnknownLoc::get(&context))
        << "failed for a reason that was not reported";
  return llvm::createStringError(firstError);
}

llvm::Error Session::report(llvm::Error error) {
  return collect([&] { return std::move(error); });
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

llvm::Expected<OwningOpRef<ModuleOp>> Session::parse(llvm::StringRef text,
                                                     llvm::StringRef name) {
  OwningOpRef<ModuleOp> module;
  llvm::Error error = collect([&]() -> llvm::Error {
    llvm::SourceMgr sourceMgr;
    PhaseTimer timer(options.compile.phases, "parse");
    module = parseModel(llvm::MemoryBuffer::getMemBufferCopy(text, name),
                        sourceMgr, &context);
    return module ? llvm::Error::success() : makeReported();
  });
  if (error)
    return std::move(error);
  return module;
}

llvm::Expected<OwningOpRef<ModuleOp>> Session::parseFile(llvm::StringRef path) {
  OwningOpRef<ModuleOp> module;
  llvm::Error error = collect([&]() -> llvm::Error {
    llvm::SourceMgr sourceMgr;
    PhaseTimer timer(options.compile.phases, "parse");
    module = loadModel(path, sourceMgr, &context);
    return module ? llvm::Error::success() : makeReported();
  });
  if (error)
    return std::move(error);
  return module;
}

llvm::Error Session::check(ModuleOp module) {
  if (!module)
    return llvm::createStringError("expected a module but got none");
  if (module.getContext() != &context)
    return llvm::createStringError(
        "expected a module of this session but got one of another context");
  // What the caller built has perhaps not been verified.
  return mlir::succeeded(mlir::verify(module)) ? llvm::Error::success()
                                               : makeReported();
}

/// Splits a pipeline at the commas that are not within brackets.
static llvm::SmallVector<llvm::StringRef> splitPipeline(llvm::StringRef text) {
  llvm::SmallVector<llvm::StringRef> elements;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    char c = i < text.size() ? text[i] : ',';
    depth += c == '(' || c == '{';
    depth -= c == ')' || c == '}';
    if (i < text.size() && (c != ',' || depth > 0))
      continue;
    elements.push_back(text.slice(begin, i).trim());
    begin = i + 1;
  }
  return elements;
}

/// Adds one pass, pipeline or group. MLIR's parser of pipelines is only asked
/// about groups: it refuses passes for functions where a module is expected.
static llvm::Error addElement(llvm::StringRef element, mlir::PassManager &pm) {
  auto fail = [&](llvm::StringRef what) {
    return llvm::createStringError("pass pipeline, at '" + element +
                                   "': " + what);
  };
  std::string message;
  size_t end = element.find_first_of("({");
  if (end != llvm::StringRef::npos && element[end] == '(') {
    llvm::raw_string_ostream stream(message);
    if (mlir::succeeded(mlir::parsePassPipeline(element, pm, stream)))
      return llvm::Error::success();
    // "<parser's name>:1:5: error: what", the pipeline, a caret.
    llvm::StringRef first = llvm::StringRef(message).split('\n').first;
    auto [place, what] = first.split(": error: ");
    return fail(what.empty() ? first : what);
  }
  llvm::StringRef name = element.substr(0, end).rtrim();
  llvm::StringRef options = element.substr(name.size()).ltrim();
  if (options.consume_front("{") && !options.consume_back("}"))
    return fail("expected '}' at the end of the options");
  const mlir::PassRegistryEntry *entry = mlir::PassInfo::lookup(name);
  if (!entry)
    entry = mlir::PassPipelineInfo::lookup(name);
  if (!entry)
    return fail(name.empty() ? "expected the name of a pass but got none"
                             : "there is no pass or pipeline of this name");
  auto remember = [&](const llvm::Twine &text) {
    message = text.str();
    return mlir::failure();
  };
  if (mlir::succeeded(entry->addToPipeline(pm, options, remember)))
    return llvm::Error::success();
  return fail(message.empty() ? "the options are not valid"
                              : onOneLine(message));
}

/// Reads `pipeline` into `pm`, which is for modules.
static llvm::Error readPipeline(llvm::StringRef pipeline,
                                mlir::PassManager &pm) {
  registerPassesOnce();
  pipeline = pipeline.trim();
  if (pipeline.starts_with("builtin.module(") && pipeline.ends_with(")"))
    pipeline = pipeline.drop_front(15).drop_back().trim();
  for (llvm::StringRef element : splitPipeline(pipeline))
    if (llvm::Error error = addElement(element, pm))
      return error;
  return llvm::Error::success();
}

/// Runs `pm` over a copy, which takes the module's place if that succeeds.
static llvm::Error runOnCopy(mlir::PassManager &pm, ModuleOp module) {
  OwningOpRef<ModuleOp> copy = module.clone();
  if (mlir::failed(pm.run(*copy)))
    return makeReported();
  module->setAttrs((*copy)->getAttrDictionary());
  module.getBodyRegion().takeBody(copy->getBodyRegion());
  return llvm::Error::success();
}

llvm::Error Session::runPasses(ModuleOp module, llvm::StringRef pipeline) {
  return collect([&]() -> llvm::Error {
    if (llvm::Error error = check(module))
      return error;
    mlir::PassManager pm(&context, ModuleOp::getOperationName(),
                         mlir::OpPassManager::Nesting::Implicit);
    if (llvm::Error error = readPipeline(pipeline, pm))
      return error;
    return runOnCopy(pm, module);
  });
}

llvm::Error
Session::runPasses(ModuleOp module,
                   llvm::function_ref<void(mlir::OpPassManager &)> build) {
  return collect([&]() -> llvm::Error {
    if (llvm::Error error = check(module))
      return error;
    mlir::PassManager pm(&context);
    build(pm);
    return runOnCopy(pm, module);
  });
}

llvm::Expected<ModelInterface> Session::inspect(ModuleOp module) {
  std::optional<ModelInterface> interface;
  llvm::Error error = collect([&]() -> llvm::Error {
    if (llvm::Error error = check(module))
      return error;
    llvm::Expected<ModelInterface> created =
        ModelInterface::create(describeModel(module), "model");
    if (!created)
      return created.takeError();
    interface = std::move(*created);
    return llvm::Error::success();
  });
  if (error)
    return std::move(error);
  return std::move(*interface);
}

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

llvm::Expected<JitProgram> Session::compile(ModuleOp module) {
  std::optional<JitProgram> program;
  llvm::Error error = collect([&]() -> llvm::Error {
    if (llvm::Error error = check(module))
      return error;
    CompileOptions compile = options.compile;
    llvm::Expected<std::string> cpu = chooseCPU(compile.cpu, compile.target);
    if (!cpu) {
      module.emitError() << llvm::toString(cpu.takeError());
      return makeReported();
    }
    compile.cpu = *cpu;
    OwningOpRef<ModuleOp> copy = module.clone();
    if (mlir::failed(lowerModel(*copy, compile)))
      return makeReported();
    mlir::FailureOr<CompiledModel> compiled = compileModel(*copy, compile);
    if (mlir::failed(compiled))
      return makeReported();
    llvm::Expected<JitProgram> created = JitProgram::create(*compiled);
    if (!created)
      return created.takeError();
    program = std::move(*created);
    return llvm::Error::success();
  });
  if (error)
    return std::move(error);
  return std::move(*program);
}

llvm::Error Session::write(ModuleOp module, llvm::StringRef path,
                           const WriteOptions &writeOptions) {
  return collect([&]() -> llvm::Error {
    if (llvm::Error error = check(module))
      return error;
    OwningOpRef<ModuleOp> copy = module.clone();
    if (mlir::failed(lowerModel(*copy, options.compile)))
      return makeReported();
    llvm::Expected<ModelInterface> interface =
        createInterface(*copy,
                        writeOptions.prefix.empty() ? getDefaultPrefix(path)
                                                    : writeOptions.prefix,
                        writeOptions.weights, options.compile.phases);
    if (!interface)
      return interface.takeError();
    mlir::FailureOr<CompiledModel> compiled =
        compileModel(*copy, options.compile, &*interface);
    if (mlir::failed(compiled))
      return makeReported();
    LinkOptions link{options.runtimeDirectory.empty()
                         ? findRuntimeDirectory()
                         : options.runtimeDirectory,
                     options.threadPool};
    return writeArtifact(*compiled, *interface, writeOptions.kind, path, link);
  });
}
