//===- EntryPoints.cpp - A model's C functions in LLVM IR -------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EntryPoints.h"

#include "sluice/Compiler/Compiler.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

using namespace sluice;

namespace {

/// Writes the functions into one module.
class Writer {
public:
  Writer(llvm::Module &module, const ModelInterface &interface)
      : module(module), interface(interface), builder(module.getContext()),
        pointer(builder.getPtrTy()) {}

  void addLoad(llvm::Constant *artifact);
  void addForward(llvm::StringRef name, llvm::StringRef target,
                  llvm::Type *result, llvm::ArrayRef<llvm::Type *> parameters);
  void addCall(unsigned index, const ModelInterface::Function &function);
  void addCPU(llvm::Constant *artifact);
  llvm::Constant *addCode(const ProcessorCode &code);
  llvm::Constant *addArtifact(llvm::ArrayRef<ProcessorCode> codes);
  void addAll(llvm::ArrayRef<ProcessorCode> codes);

private:
  llvm::Function *begin(llvm::StringRef name, llvm::Type *result,
                        llvm::ArrayRef<llvm::Type *> parameters);
  llvm::Value *call(llvm::StringRef name, llvm::Type *result,
                    llvm::ArrayRef<llvm::Value *> arguments);
  llvm::Constant *addString(llvm::StringRef text) {
    return builder.CreateGlobalString(text, ".text", 0, &module);
  }
  llvm::Constant *addTable(llvm::ArrayRef<llvm::Constant *> entries);

  llvm::Module &module;
  const ModelInterface &interface;
  llvm::IRBuilder<> builder;
  llvm::PointerType *pointer;
};

} // namespace

/// A visible function, with the builder in its body.
llvm::Function *Writer::begin(llvm::StringRef name, llvm::Type *result,
                              llvm::ArrayRef<llvm::Type *> parameters) {
  auto *function = llvm::Function::Create(
      llvm::FunctionType::get(result, parameters, /*isVarArg=*/false),
      llvm::GlobalValue::ExternalLinkage, interface.getPrefix() + "_" + name,
      module);
  function->addFnAttr("target-cpu", "generic");
  function->addFnAttr("target-features", "");
  builder.SetInsertPoint(
      llvm::BasicBlock::Create(module.getContext(), "entry", function));
  return function;
}

llvm::Value *Writer::call(llvm::StringRef name, llvm::Type *result,
                          llvm::ArrayRef<llvm::Value *> arguments) {
  llvm::SmallVector<llvm::Type *> types;
  for (llvm::Value *argument : arguments)
    types.push_back(argument->getType());
  llvm::FunctionCallee callee = module.getOrInsertFunction(
      name, llvm::FunctionType::get(result, types, /*isVarArg=*/false));
  return builder.CreateCall(callee, arguments);
}

llvm::Constant *Writer::addTable(llvm::ArrayRef<llvm::Constant *> entries) {
  llvm::Type *element = entries.empty() ? pointer : entries.front()->getType();
  auto *type = llvm::ArrayType::get(element, entries.size());
  return new llvm::GlobalVariable(
      module, type, /*isConstant=*/true, llvm::GlobalValue::PrivateLinkage,
      llvm::ConstantArray::get(type, entries), ".table");
}

/// A sluice_artifact_code of lib/Runtime/Artifact/Artifact.h.
llvm::Constant *Writer::addCode(const ProcessorCode &code) {
  llvm::SmallVector<llvm::Constant *> packed;
  for (const ModelInterface::Function &function : interface.getFunctions())
    packed.push_back(
        module.getFunction(getPackedName(function.name) + code.suffix));
  return llvm::ConstantStruct::getAnon(
      {addString(code.processor->cpu), addString(code.processor->features),
       addString(code.manifest), addTable(packed)});
}

/// A sluice_artifact.
llvm::Constant *Writer::addArtifact(llvm::ArrayRef<ProcessorCode> codes) {
  llvm::SmallVector<llvm::Constant *> entries;
  for (const ProcessorCode &code : codes)
    entries.push_back(addCode(code));
  const std::string &weights = interface.getDefaultWeights();
  llvm::Type *size = module.getDataLayout().getIntPtrType(module.getContext());
  auto *value = llvm::ConstantStruct::getAnon(
      {addTable(entries), llvm::ConstantInt::get(size, codes.size()),
       weights.empty() ? llvm::ConstantPointerNull::get(pointer)
                       : addString(weights)});
  return new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                  llvm::GlobalValue::PrivateLinkage, value,
                                  ".artifact");
}

/// const char *P_cpu(void)
void Writer::addCPU(llvm::Constant *artifact) {
  begin("cpu", pointer, {});
  builder.CreateRet(call("sluice_artifact_cpu", pointer, {artifact}));
}

/// int P_load(const char *weights, P **model, sluice_error *error)
void Writer::addLoad(llvm::Constant *artifact) {
  llvm::Function *function =
      begin("load", builder.getInt32Ty(), {pointer, pointer, pointer});
  builder.CreateRet(call("sluice_artifact_load", builder.getInt32Ty(),
                         {artifact, function->getArg(0), function->getArg(1),
                          function->getArg(2)}));
}

/// A function that is one of the runtime's under another name.
void Writer::addForward(llvm::StringRef name, llvm::StringRef target,
                        llvm::Type *result,
                        llvm::ArrayRef<llvm::Type *> parameters) {
  llvm::Function *function = begin(name, result, parameters);
  llvm::SmallVector<llvm::Value *> arguments;
  for (llvm::Argument &argument : function->args())
    arguments.push_back(&argument);
  llvm::Value *value = call(target, result, arguments);
  if (result->isVoidTy())
    builder.CreateRetVoid();
  else
    builder.CreateRet(value);
}

/// int P_f(const P *model, const sluice_tensor *inputs...,
///         sluice_tensor *results..., sluice_error *error)
void Writer::addCall(unsigned index, const ModelInterface::Function &spec) {
  size_t numInputs = spec.inputs.size(), numResults = spec.results.size();
  llvm::SmallVector<llvm::Type *> parameters(2 + numInputs + numResults,
                                             pointer);
  llvm::Function *function =
      begin(spec.cName, builder.getInt32Ty(), parameters);

  llvm::SmallVector<llvm::Constant *> names;
  for (const ModelInterface::Value &value : spec.inputs)
    names.push_back(addString(value.cName));
  for (const ModelInterface::Value &value : spec.results)
    names.push_back(addString(value.cName));
  auto *type = llvm::ArrayType::get(pointer, numInputs + numResults);
  llvm::Value *tensors = builder.CreateAlloca(type);
  for (size_t i = 0; i < numInputs + numResults; ++i)
    builder.CreateStore(function->getArg(unsigned(1 + i)),
                        builder.CreateConstGEP1_64(pointer, tensors, i));
  builder.CreateRet(
      call("sluice_artifact_call", builder.getInt32Ty(),
           {function->getArg(0), builder.getInt32(index), tensors,
            builder.getInt32(uint32_t(numInputs)),
            builder.CreateConstGEP1_64(pointer, tensors, numInputs),
            builder.getInt32(uint32_t(numResults)), addTable(names),
            function->getArg(unsigned(1 + numInputs + numResults))}));
}

void Writer::addAll(llvm::ArrayRef<ProcessorCode> codes) {
  llvm::Type *none = builder.getVoidTy();
  llvm::Constant *artifact = addArtifact(codes);
  addLoad(artifact);
  addCPU(artifact);
  addForward("free", "sluice_model_destroy", none, {pointer});
  addForward("set_threads", "sluice_model_set_threads", none,
             {pointer, builder.getInt32Ty()});
  addForward("counters_json", "sluice_model_counters_json", pointer, {pointer});
  addForward("reset_counters", "sluice_model_reset_counters", none, {pointer});
  addForward("free_tensor", "sluice_tensor_free", none, {pointer});
  for (auto [index, function] : llvm::enumerate(interface.getFunctions()))
    addCall(unsigned(index), function);
}

void sluice::addEntryPoints(llvm::Module &module,
                            const ModelInterface &interface,
                            llvm::ArrayRef<ProcessorCode> codes) {
  Writer(module, interface).addAll(codes);
}

llvm::ArrayRef<llvm::StringLiteral> sluice::getCommonNames() {
  static constexpr llvm::StringLiteral names[] = {
      "load",           "cpu",        "free", "set_threads", "counters_json",
      "reset_counters", "free_tensor"};
  return names;
}

std::vector<std::string>
sluice::getExportedNames(const ModelInterface &interface) {
  std::vector<std::string> names;
  for (llvm::StringRef name : getCommonNames())
    names.push_back(interface.getPrefix() + "_" + name.str());
  for (const ModelInterface::Function &function : interface.getFunctions())
    names.push_back(interface.getPrefix() + "_" + function.cName);
  return names;
}
