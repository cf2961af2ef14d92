//===- Jit.cpp - Models compiled in memory ----------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Compiler/Jit.h"

#include "sluice/Compiler/Compiler.h"
#include "sluice/Compiler/PhaseTimes.h"
#include "sluice/Support/Weights.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/JSON.h"

#include <chrono>
#include <dlfcn.h>

using namespace sluice;

namespace {

/// Results of a call, until they were copied.
struct CTensors {
  explicit CTensors(size_t count) : tensors(count, sluice_tensor()) {}
  CTensors(const CTensors &) = delete;
  ~CTensors() {
    for (sluice_tensor &tensor : tensors)
      sluice_tensor_free(&tensor);
  }
  std::vector<sluice_tensor> tensors;
};

} // namespace

/// Closes what dlopen returned.
struct CloseLibrary {
  void operator()(void *handle) const { dlclose(handle); }
};
using LibraryHandle = std::unique_ptr<void, CloseLibrary>;

struct JitProgram::Code {
  // In this order: the code calls the libraries.
  LibraryHandle libraries;
  std::unique_ptr<llvm::orc::LLJIT> jit;
  std::string manifest;
  std::vector<sluice_packed_fn> functions;
};

JitProgram::JitProgram(std::shared_ptr<const Code> code)
    : code(std::move(code)) {}

const std::string &JitProgram::getManifest() const { return code->manifest; }

static llvm::Error makeError(const sluice_error &error) {
  return llvm::createStringError(llvm::Twine(error.message));
}

/// The library or program that this code is in. What it was linked with (C,
/// OpenMP) can be found through it even if others cannot see it, as in a
/// program that loaded libsluice with dlopen.
static LibraryHandle openSelf() {
  static const char anchor = 0;
  Dl_info info;
  void *handle = nullptr;
  if (dladdr(&anchor, &info) && info.dli_fname)
    handle = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  return LibraryHandle(handle ? handle : dlopen(nullptr, RTLD_LAZY));
}

/// Lets the code call `libraries` and the runtime.
static llvm::Error defineSymbols(llvm::orc::LLJIT &jit, void *libraries) {
  llvm::orc::JITDylib &library = jit.getMainJITDylib();
  llvm::orc::SymbolMap symbols;
  size_t count = 0;
  const sluice_runtime_symbol *table = sluice_runtime_symbols(&count);
  for (size_t i = 0; i < count; ++i)
    symbols[jit.mangleAndIntern(table[i].name)] = {
        llvm::orc::ExecutorAddr::fromPtr(table[i].address),
        llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
  if (llvm::Error error =
          library.define(llvm::orc::absoluteSymbols(std::move(symbols))))
    return error;
  library.addGenerator(
      std::make_unique<llvm::orc::DynamicLibrarySearchGenerator>(
          llvm::sys::DynamicLibrary(libraries),
          jit.getDataLayout().getGlobalPrefix()));
  return llvm::Error::success();
}

/// The addresses of the packed functions, in the manifest's order.
static llvm::Expected<std::vector<sluice_packed_fn>>
lookUpFunctions(llvm::orc::LLJIT &jit, const std::string &manifest) {
  std::vector<sluice_packed_fn> functions;
  llvm::Expected<llvm::json::Value> json = llvm::json::parse(manifest);
  if (!json)
    return json.takeError();
  const llvm::json::Object *root = json->getAsObject();
  const llvm::json::Array *specs = root ? root->getArray("functions") : nullptr;
  if (!specs)
    return llvm::createStringError("the model's manifest has no \"functions\"");
  for (const llvm::json::Value &spec : *specs) {
    const llvm::json::Object *object = spec.getAsObject();
    llvm::StringRef name = object ? object->getString("name").value_or("") : "";
    llvm::Expected<llvm::orc::ExecutorAddr> address =
        jit.lookup(getPackedName(name));
    if (!address)
      return address.takeError();
    functions.push_back(address->toPtr<sluice_packed_fn>());
  }
  // Never a null table, even for no functions.
  functions.push_back(nullptr);
  return functions;
}

llvm::Expected<JitProgram> JitProgram::create(const CompiledModel &model) {
  if (llvm::Error error = model.checkHost())
    return std::move(error);
  // One object: the memory of several may be further apart than calls between
  // them can reach.
  llvm::SmallVector<char, 0> object;
  if (llvm::Error error = model.emit(CompiledModel::Format::Object, object))
    return std::move(error);
  PhaseTimer timer(model.getPhases(), "link");
  auto code = std::make_shared<Code>();
  code->manifest = model.getManifest();
  llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> jit =
      llvm::orc::LLJITBuilder().create();
  if (!jit)
    return jit.takeError();
  code->jit = std::move(*jit);
  // The reason why something cannot be linked comes here, by default to be
  // printed; the look-up itself only says what it was looking for.
  auto reason = std::make_shared<std::string>();
  code->jit->getExecutionSession().setErrorReporter(
      [reason](llvm::Error error) {
        *reason += llvm::toString(std::move(error)) + "; ";
      });
  code->libraries = openSelf();
  if (llvm::Error error = defineSymbols(*code->jit, code->libraries.get()))
    return std::move(error);
  if (llvm::Error error =
          code->jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(
              llvm::StringRef(object.data(), object.size()), "sluice-model")))
    return std::move(error);
  llvm::Expected<std::vector<sluice_packed_fn>> functions =
      lookUpFunctions(*code->jit, code->manifest);
  if (!functions)
    return llvm::createStringError(*reason +
                                   llvm::toString(functions.takeError()));
  code->functions = std::move(*functions);
  return JitProgram(std::move(code));
}

llvm::Expected<JitModel> JitProgram::load(const sluice_weights *weights) const {
  sluice_model *created = nullptr;
  sluice_error error;
  if (sluice_model_create_with(code->manifest.c_str(), code->functions.data(),
                               weights, &created, &error) != 0)
    return makeError(error);
  JitModel model(created);
  sluice_model_set_owner(
      created, new std::shared_ptr<const Code>(code), [](void *owner) {
        delete static_cast<std::shared_ptr<const Code> *>(owner);
      });
  return model;
}

llvm::Expected<JitModel> JitModel::create(const CompiledModel &model,
                                          llvm::StringRef weightsPath) {
  llvm::Expected<JitProgram> program = JitProgram::create(model);
  if (!program)
    return program.takeError();
  PhaseTimer timer(model.getPhases(), "weights");
  if (weightsPath.empty())
    return program->load(nullptr);
  llvm::Expected<WeightsFile> weights = WeightsFile::open(weightsPath);
  if (!weights)
    return weights.takeError();
  return program->load(weights->getHandle());
}

llvm::Expected<int> JitModel::findFunction(llvm::StringRef name) const {
  int function = sluice_model_find_function(model.get(), name.str().c_str());
  if (function < 0)
    return llvm::createStringError("the model has no public function '" + name +
                                   "'");
  return function;
}

llvm::Error JitModel::call(llvm::StringRef name,
                           llvm::ArrayRef<sluice_tensor> inputs,
                           llvm::MutableArrayRef<sluice_tensor> outputs) const {
  llvm::Expected<int> function = findFunction(name);
  if (!function)
    return function.takeError();
  sluice_error error;
  if (sluice_model_call(model.get(), *function, inputs.data(),
                        int(inputs.size()), outputs.data(), int(outputs.size()),
                        &error) != 0)
    return makeError(error);
  return llvm::Error::success();
}

/// Views of `inputs` for the C interface.
static llvm::Expected<std::vector<sluice_tensor>>
viewInputs(llvm::StringRef function, llvm::ArrayRef<HostTensor> inputs) {
  std::vector<sluice_tensor> views;
  for (const HostTensor &input : inputs) {
    llvm::Expected<sluice_tensor> view = input.toC();
    if (!view)
      return llvm::createStringError(function + ": input " +
                                     std::to_string(views.size()) + ": " +
                                     llvm::toString(view.takeError()));
    views.push_back(*view);
  }
  return views;
}

llvm::Expected<std::vector<HostTensor>>
JitModel::run(llvm::StringRef name, llvm::ArrayRef<HostTensor> inputs) const {
  llvm::Expected<int> function = findFunction(name);
  if (!function)
    return function.takeError();
  llvm::Expected<std::vector<sluice_tensor>> views = viewInputs(name, inputs);
  if (!views)
    return views.takeError();
  int numResults = sluice_model_num_results(model.get(), *function);
  CTensors results{size_t(numResults)};
  sluice_error error;
  if (sluice_model_call(model.get(), *function, views->data(),
                        int(views->size()), results.tensors.data(), numResults,
                        &error) != 0)
    return makeError(error);
  std::vector<HostTensor> tensors;
  for (const sluice_tensor &result : results.tensors) {
    llvm::Expected<HostTensor> tensor = HostTensor::fromC(result);
    if (!tensor)
      return tensor.takeError();
    tensors.push_back(std::move(*tensor));
  }
  return tensors;
}

llvm::Expected<std::vector<double>>
JitModel::time(llvm::StringRef name, llvm::ArrayRef<HostTensor> inputs,
               unsigned runs) const {
  llvm::Expected<int> function = findFunction(name);
  if (!function)
    return function.takeError();
  llvm::Expected<std::vector<sluice_tensor>> views = viewInputs(name, inputs);
  if (!views)
    return views.takeError();
  int numResults = sluice_model_num_results(model.get(), *function);
  std::vector<double> seconds;
  for (unsigned i = 0; i < runs; ++i) {
    CTensors results{size_t(numResults)};
    sluice_error error;
    auto start = std::chrono::steady_clock::now();
    int failed = sluice_model_call(model.get(), *function, views->data(),
                                   int(views->size()), results.tensors.data(),
                                   numResults, &error);
    std::chrono::duration<double> elapsed =
        std::chrono::steady_clock::now() - start;
    if (failed)
      return makeError(error);
    seconds.push_back(elapsed.count());
  }
  return seconds;
}

void JitModel::setThreads(int numThreads) {
  sluice_model_set_threads(model.get(), numThreads);
}

std::string JitModel::getCountersJson() const {
  std::unique_ptr<char, decltype(&std::free)> text(
      sluice_model_counters_json(model.get()), &std::free);
  return text ? text.get() : "{}";
}

void JitModel::resetCounters() { sluice_model_reset_counters(model.get()); }
