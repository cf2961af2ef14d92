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
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
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
  return *this;
}

/// Only what is called from outside stays visible, so that LLVM may inline and
/// remove everything else.
static void internalize(llvm::Module &module, bool keepPacked) {
  std::string packedPrefix = getPackedName("");
  for (llvm::Function &function : module)
    if (!function.isDeclaration() &&
        !(keepPacked && function.getName().starts_with(packedPrefix)))
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
  for (llvm::GlobalVariable &global : module.globals())
    if (!global.isDeclaration())
      global.setLinkage(llvm::GlobalValue::InternalLinkage);
}

/// Lets `context` report its first error to `problem`, and nothing to the
/// standard error: what else LLVM has to say is not about the model.
static void redirectDiagnostics(llvm::LLVMContext &context,
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

mlir::FailureOr<CompiledModel>
sluice::compileModel(mlir::ModuleOp lowered, const CompileOptions &options,
                     const ModelInterface *interface) {
  auto fail = [&](llvm::Error error) {
    return mlir::emitError(lowered.getLoc())
           << llvm::toString(std::move(error));
  };
  CompiledModel result;
  auto manifest = lowered->getAttrOfType<mlir::StringAttr>("sluice.manifest");
  if (!manifest)
    return lowered.emitError("expected the attribute 'sluice.manifest' on the "
                             "lowered module but found none");
  result.manifest = manifest.getValue().str();

  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      createTargetMachine(options.cpu, options.optLevel);
  if (!machine)
    return fail(machine.takeError());
  result.machine = std::move(*machine);
  result.problem = std::make_unique<std::string>();
  result.context = std::make_unique<llvm::LLVMContext>();
  redirectDiagnostics(*result.context, *result.problem);
  result.module =
      mlir::translateModuleToLLVMIR(lowered, *result.context, "sluice-model");
  if (!result.module)
    return mlir::failure(); // reported
  internalize(*result.module, /*keepPacked=*/!interface);
  if (interface)
    addEntryPoints(*result.module, *interface, result.manifest,
                   getRequiredFeatures(*result.machine));
  setTarget(*result.module, *result.machine);
  if (llvm::Error error =
          optimize(*result.module, *result.machine, options.optLevel))
    return fail(std::move(error));
  if (!result.problem->empty())
    return fail(llvm::createStringError(*result.problem));
  checkAllocations(*result.module);
  return result;
}

llvm::Error CompiledModel::checkHost() const { return checkHostRuns(*machine); }

llvm::Error CompiledModel::emit(Format format,
                                llvm::SmallVectorImpl<char> &output) const {
  llvm::raw_svector_ostream os(output);
  if (format == Format::LLVMIR) {
    module->print(os, /*AAW=*/nullptr);
    return llvm::Error::success();
  }
  // Code generation changes the module.
  std::unique_ptr<llvm::Module> copy = llvm::CloneModule(*module);
  llvm::legacy::PassManager passes;
  auto type = format == Format::Assembly ? llvm::CodeGenFileType::AssemblyFile
                                         : llvm::CodeGenFileType::ObjectFile;
  if (machine->addPassesToEmitFile(passes, os, /*DwoOut=*/nullptr, type))
    return llvm::createStringError("LLVM cannot write this kind of file for " +
                                   machine->getTargetTriple().str());
  passes.run(*copy);
  if (!problem->empty())
    return llvm::createStringError(*problem);
  return llvm::Error::success();
}
