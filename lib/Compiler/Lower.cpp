//===- Lower.cpp - From a file to the LLVM dialect --------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Compiler/Compiler.h"

#include "CheckModel.h"
#include "CheckText.h"
#include "Target.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "sluice/Compiler/PhaseTimes.h"
#include "sluice/Pipelines/Pipelines.h"
#include "sluice/Target/CPU/Products.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace sluice;

OwningOpRef<ModuleOp> sluice::loadModel(llvm::StringRef path,
                                        llvm::SourceMgr &sourceMgr,
                                        MLIRContext *context) {
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> file = openInputFile(path, &message);
  if (!file) {
    emitError(UnknownLoc::get(context)) << message;
    return nullptr;
  }
  return parseModel(std::move(file), sourceMgr, context);
}

OwningOpRef<ModuleOp>
sluice::parseModel(std::unique_ptr<llvm::MemoryBuffer> contents,
                   llvm::SourceMgr &sourceMgr, MLIRContext *context) {
  llvm::StringRef text = contents->getBuffer();
  std::string name = contents->getBufferIdentifier().str();
  unsigned buffer =
      sourceMgr.AddNewSourceBuffer(std::move(contents), llvm::SMLoc());
  std::optional<TextProblem> problem;
  if (!isBytecode(llvm::MemoryBufferRef(text, name)))
    problem = findTextProblem(text);
  if (problem) {
    auto [line, column] = sourceMgr.getLineAndColumn(
        llvm::SMLoc::getFromPointer(problem->at), buffer);
    emitError(FileLineColLoc::get(context, name, line, column))
        << problem->message;
    return nullptr;
  }
  // Verifies too.
  return parseSourceFile<ModuleOp>(sourceMgr, ParserConfig(context));
}

std::string sluice::getPackedName(llvm::StringRef name) {
  return ("__sluice_packed_" + name).str();
}

/// Adds `__sluice_packed_<name>`, which calls the C interface of a function
/// with `numArguments` arguments behind the results.
static LogicalResult addPackedFunction(ModuleOp module, llvm::StringRef name,
                                       size_t numArguments, bool hasResults) {
  auto target =
      module.lookupSymbol<LLVM::LLVMFuncOp>(("_mlir_ciface_" + name).str());
  if (!target)
    return module.emitError()
           << "expected the C interface of function '" << name
           << "' in the lowered module but found none";
  size_t expected = numArguments + (hasResults ? 1 : 0);
  if (target.getNumArguments() != expected)
    return target.emitError() << "expected " << expected
                              << " arguments, as the manifest says, but got "
                              << target.getNumArguments();

  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  Location loc = target.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(module.getContext());
  auto packed = LLVM::LLVMFuncOp::create(
      builder, loc, getPackedName(name),
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(module.getContext()),
                                  {pointer}));
  Block *entry = packed.addEntryBlock(builder);
  builder.setInsertionPointToStart(entry);
  SmallVector<Value> arguments;
  // args[0] is there even if there are no results.
  for (size_t i = hasResults ? 0 : 1; i <= numArguments; ++i) {
    Value address = LLVM::GEPOp::create(
        builder, loc, pointer, pointer, entry->getArgument(0),
        ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(int32_t(i))});
    arguments.push_back(LLVM::LoadOp::create(builder, loc, pointer, address));
  }
  LLVM::CallOp::create(builder, loc, target, arguments);
  LLVM::ReturnOp::create(builder, loc, ValueRange());
  return success();
}

/// Adds the packed functions of everything in the manifest.
static LogicalResult addPackedFunctions(ModuleOp module) {
  auto attribute = module->getAttrOfType<StringAttr>("sluice.manifest");
  if (!attribute)
    return module.emitError("expected the attribute 'sluice.manifest' on the "
                            "lowered module but found none");
  llvm::Expected<llvm::json::Value> json =
      llvm::json::parse(attribute.getValue());
  if (!json)
    return module.emitError("the attribute 'sluice.manifest' is no JSON: ")
           << llvm::toString(json.takeError());
  const llvm::json::Object *manifest = json->getAsObject();
  const llvm::json::Array *functions =
      manifest ? manifest->getArray("functions") : nullptr;
  if (!functions)
    return module.emitError("expected a list \"functions\" in the attribute "
                            "'sluice.manifest'");
  auto sizeOf = [](const llvm::json::Object &object, llvm::StringRef key) {
    const llvm::json::Array *array = object.getArray(key);
    return array ? array->size() : 0;
  };
  for (const llvm::json::Value &value : *functions) {
    const llvm::json::Object *function = value.getAsObject();
    std::optional<llvm::StringRef> name =
        function ? function->getString("name") : std::nullopt;
    if (!name)
      return module.emitError("expected a \"name\" in each function of the "
                              "attribute 'sluice.manifest'");
    size_t numArguments =
        1 + sizeOf(*function, "weights") + sizeOf(*function, "inputs");
    if (failed(addPackedFunction(module, *name, numArguments,
                                 sizeOf(*function, "results") != 0)))
      return failure();
  }
  return success();
}

/// Removes the names of inputs and results, which the manifest has: the
/// translation to LLVM IR would warn of attributes that it does not know.
static void removeNames(ModuleOp module) {
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      function.removeArgAttr(i, "sluice.name");
    for (unsigned i = 0; i < function.getNumResults(); ++i)
      function.removeResultAttr(
          i, StringAttr::get(module.getContext(), "sluice.name"));
  }
}

/// Runs the passes that `build` adds, as the phase `name`.
static LogicalResult
runPasses(ModuleOp module, PhaseTimes *phases, llvm::StringRef name,
          llvm::function_ref<void(OpPassManager &)> build) {
  PhaseTimer timer(phases, name);
  PassManager pm(module.getContext());
  build(pm);
  return pm.run(module);
}

/// From buffers to the LLVM dialect, for the machine in `options`.
static LogicalResult lowerForMachine(ModuleOp module, const CPUOptions &options,
                                     PhaseTimes *phases) {
  if (failed(runPasses(module, phases, "lower", [&](OpPassManager &pm) {
        buildCPUMachinePipeline(pm, options);
      })))
    return failure();
  removeNames(module);
  return addPackedFunctions(module);
}

/// Everything that is the same for all of the options' processors, whose
/// machines then replace that of `cpu`.
static FailureOr<std::vector<Processor>>
lowerToBuffers(ModuleOp module, const CompileOptions &options,
               CPUOptions &cpu) {
  if (failed(checkModel(module)))
    return failure();
  llvm::Expected<std::vector<Processor>> processors =
      parseCPUs(options.cpu, options.target);
  if (!processors)
    return module.emitError() << llvm::toString(processors.takeError());
  cpu.parallel = options.parallel;
  cpu.counters = options.counters;
  cpu.machine = processors->front().machine;
  if (failed(
          runPasses(module, options.phases, "plan",
                    [&](OpPassManager &pm) { buildPlanPipeline(pm, cpu); })) ||
      failed(runPasses(module, options.phases, "lower", [&](OpPassManager &pm) {
        buildCPUBufferPipeline(pm, cpu);
      })))
    return failure();
  return std::move(*processors);
}

FailureOr<std::string> sluice::describeSchedule(ModuleOp module,
                                                const CompileOptions &options) {
  CPUOptions cpu;
  FailureOr<std::vector<Processor>> processors =
      lowerToBuffers(module, options, cpu);
  if (failed(processors))
    return failure();
  llvm::json::Array all;
  for (const Processor &processor : *processors) {
    OwningOpRef<ModuleOp> variant = module.clone();
    for (llvm::json::Value &product :
         describeProducts(*variant, *lookupCPUMachine(processor.machine))) {
      (*product.getAsObject())["cpu"] = processor.cpu;
      all.push_back(std::move(product));
    }
  }
  std::string text;
  llvm::raw_string_ostream(text)
      << llvm::formatv("{0:2}", llvm::json::Value(std::move(all)));
  return text;
}

LogicalResult sluice::lowerModel(ModuleOp module,
                                 const CompileOptions &options) {
  CPUOptions cpu;
  FailureOr<std::vector<Processor>> processors =
      lowerToBuffers(module, options, cpu);
  if (failed(processors))
    return failure();
  if (processors->size() == 1)
    return lowerForMachine(module, cpu, options.phases);

  SmallVector<OwningOpRef<ModuleOp>> variants;
  for (const Processor &processor : *processors) {
    OwningOpRef<ModuleOp> &variant = variants.emplace_back(module.clone());
    variant->setSymName(processor.cpu);
    cpu.machine = processor.machine;
    if (failed(lowerForMachine(*variant, cpu, options.phases)))
      return failure();
  }
  module.getBody()->clear();
  for (OwningOpRef<ModuleOp> &variant : variants)
    module.push_back(variant.release());
  return success();
}
