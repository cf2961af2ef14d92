//===- Compile.cpp - From the LLVM dialect to code --------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Compiler/Compiler.h"

#include "EntryPoints.h"
#include "Target.h"

#include "mlir/Target/LLVMIR/Export.h"
#include "sluice/Compiler/PhaseTimes.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace sluice;

CompiledModel::CompiledModel() = default;
CompiledModel::CompiledModel(CompiledModel &&) = default;
CompiledModel::~CompiledModel() = default;

CompiledModel &CompiledModel::operator=(CompiledModel &&other) {
  // The old module must go before the old context.
  module = std::move(other.module);
  machine = std::move(other.machine);
  context = std::move(other.context);
  problem = std::move(other.problem);
  manifest = std::move(other.manifest);
  processors = std::move(other.processors);
  phases = other.phases;
  return *this;
}

/// Only the packed functions stay visible, so that LLVM may inline and remove
/// everything else.
static void internalize(llvm::Module &module) {
  std::string packedPrefix = getPackedName("");
  for (llvm::Function &function : module)
    if (!function.isDeclaration() &&
        !function.getName().starts_with(packedPrefix))
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
  for (llvm::GlobalVariable &global : module.globals())
    if (!global.isDeclaration())
      global.setLinkage(llvm::GlobalValue::InternalLinkage);
}

/// Hides the packed functions, which the entry points' tables have.
static void internalizePacked(llvm::Module &module) {
  std::string packedPrefix = getPackedName("");
  for (llvm::Function &function : module)
    if (function.getName().starts_with(packedPrefix))
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
}

void sluice::redirectDiagnostics(llvm::LLVMContext &context,
                                 std::string &problem) {
  context.setDiagnosticHandlerCallBack(
      [](const llvm::DiagnosticInfo *info, void *problem) {
        auto &text = *static_cast<std::string *>(problem);
        if (info->getSeverity() != llvm::DS_Error || !text.empty())
          return;
        llvm::raw_string_ostream stream(text);
        llvm::DiagnosticPrinterRawOStream printer(stream);
        info->print(printer);
      },
      &problem);
}

/// Lets the runtime report that there is no memory, and keep blocks between
/// calls. After the optimisation, which knows what malloc means.
static void checkAllocations(llvm::Module &module) {
  for (llvm::StringRef name : {"malloc", "calloc", "free"})
    if (llvm::Function *function = module.getFunction(name))
      function->setName("sluice_rt_" + name);
}

namespace {

/// What lowerModel made for one processor.
struct Lowered {
  Processor processor;
  mlir::ModuleOp module;
};

} // namespace

/// One entry for each processor, the best first.
static llvm::Expected<std::vector<Lowered>>
splitLowered(mlir::ModuleOp lowered, const CompileOptions &options) {
  std::vector<Lowered> result;
  auto add = [&](llvm::StringRef cpu, mlir::ModuleOp module) -> llvm::Error {
    llvm::Expected<Processor> processor = lookupProcessor(cpu, options.target);
    if (!processor)
      return processor.takeError();
    result.push_back({std::move(*processor), module});
    return llvm::Error::success();
  };
  for (auto module : lowered.getOps<mlir::ModuleOp>())
    if (llvm::Error error = add(module.getSymName().value_or(""), module))
      return std::move(error);
  if (result.empty())
    if (llvm::Error error = add(options.cpu, lowered))
      return std::move(error);
  return result;
}

/// Optimised IR for one processor. Null after an error that was reported.
static llvm::Expected<std::unique_ptr<llvm::Module>>
makeModule(const Lowered &lowered, llvm::LLVMContext &context,
           const CompileOptions &options) {
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      createTargetMachine(lowered.processor.cpu, options.target,
                          options.optLevel);
  if (!machine)
    return machine.takeError();
  PhaseTimer translation(options.phases, "translate");
  std::unique_ptr<llvm::Module> module =
      mlir::translateModuleToLLVMIR(lowered.module, context, "sluice-model");
  if (!module)
    return nullptr;
  internalize(*module);
  setTarget(*module, **machine, lowered.processor);
  translation.stop();
  PhaseTimer optimization(options.phases, "optimize");
  if (llvm::Error error = optimize(*module, **machine, options.optLevel))
    return std::move(error);
  checkAllocations(*module);
  return module;
}

/// Adds `suffix` to the names of what `module` defines, so that a profile or a
/// disassembly says for which processor a function is.
static void renameFunctions(llvm::Module &module, llvm::StringRef suffix) {
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      function.setName(function.getName() + suffix);
}

static llvm::Error getManifest(mlir::ModuleOp module, std::string &manifest) {
  auto attribute = module->getAttrOfType<mlir::StringAttr>("sluice.manifest");
  if (!attribute)
    return llvm::createStringError(
        "expected the attribute 'sluice.manifest' on "
        "the lowered module but found none");
  manifest = attribute.getValue().str();
  return llvm::Error::success();
}

mlir::FailureOr<CompiledModel>
sluice::compileModel(mlir::ModuleOp lowered, const CompileOptions &options,
                     const ModelInterface *interface) {
  auto fail = [&](llvm::Error error) {
    return mlir::emitError(lowered.getLoc())
           << llvm::toString(std::move(error));
  };
  CompiledModel result;
  result.phases = options.phases;
  llvm::Expected<std::vector<Lowered>> parts = splitLowered(lowered, options);
  if (!parts)
    return fail(parts.takeError());
  for (const Lowered &part : *parts)
    result.processors.push_back(part.processor);
  if (!interface && parts->size() > 1) {
    llvm::Expected<size_t> index = findRunnable(result.processors);
    if (!index)
      return fail(index.takeError());
    parts = std::vector<Lowered>{(*parts)[*index]};
    result.processors = {parts->front().processor};
  }

  result.problem = std::make_unique<std::string>();
  result.context = std::make_unique<llvm::LLVMContext>();
  redirectDiagnostics(*result.context, *result.problem);
  std::vector<ProcessorCode> codes;
  for (auto [part, processor] : llvm::zip_equal(*parts, result.processors)) {
    ProcessorCode &code = codes.emplace_back();
    code.processor = &processor;
    if (llvm::Error error = getManifest(part.module, code.manifest))
      return fail(std::move(error));
    llvm::Expected<std::unique_ptr<llvm::Module>> module =
        makeModule(part, *result.context, options);
    if (!module)
      return fail(module.takeError());
    if (!*module)
      return mlir::failure(); // reported
    if (parts->size() > 1) {
      code.suffix = "." + processor.cpu;
      renameFunctions(**module, code.suffix);
    }
    if (!result.module)
      result.module = std::move(*module);
    else if (llvm::Linker::linkModules(*result.module, std::move(*module)))
      return fail(llvm::createStringError(
          result.problem->empty() ? "the code for " + processor.cpu +
                                        " does not go with that for others"
                                  : *result.problem));
  }
  if (!result.problem->empty())
    return fail(llvm::createStringError(*result.problem));
  result.manifest = codes.front().manifest;
  // Functions say themselves which processor they are for; what else there is,
  // the least able one must understand.
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      createTargetMachine(result.processors.back().cpu, options.target,
                          options.optLevel);
  if (!machine)
    return fail(machine.takeError());
  result.machine = std::move(*machine);
  if (interface) {
    addEntryPoints(*result.module, *interface, codes);
    internalizePacked(*result.module);
  }
  if (parts->size() > 1)
    mergeConstants(*result.module);
  return result;
}

llvm::Error CompiledModel::checkHost() const {
  return findRunnable(processors).takeError();
}

std::string CompiledModel::getTarget() const {
  return processors.front().target;
}

llvm::Error sluice::generateCode(llvm::Module &module,
                                 llvm::TargetMachine &machine,
                                 llvm::CodeGenFileType type,
                                 llvm::SmallVectorImpl<char> &output) {
  llvm::raw_svector_ostream os(output);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, os, /*DwoOut=*/nullptr, type))
    return llvm::createStringError("LLVM cannot write this kind of file for " +
                                   machine.getTargetTriple().str());
  passes.run(module);
  return llvm::Error::success();
}

llvm::Error CompiledModel::emit(Format format,
                                llvm::SmallVectorImpl<char> &output) const {
  if (format == Format::LLVMIR) {
    llvm::raw_svector_ostream os(output);
    module->print(os, /*AAW=*/nullptr);
    return llvm::Error::success();
  }
  PhaseTimer timer(phases, "generate code");
  // Code generation changes the module.
  std::unique_ptr<llvm::Module> copy = llvm::CloneModule(*module);
  auto type = format == Format::Assembly ? llvm::CodeGenFileType::AssemblyFile
                                         : llvm::CodeGenFileType::ObjectFile;
  if (llvm::Error error = generateCode(*copy, *machine, type, output))
    return error;
  if (!problem->empty())
    return llvm::createStringError(*problem);
  return llvm::Error::success();
}
