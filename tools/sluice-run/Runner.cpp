//===- Runner.cpp - Two ways to run a model ---------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Runner.h"

#include "sluice/Compiler/Jit.h"
#include "sluice/Interpreter/Interpreter.h"
#include "sluice/Support/Weights.h"

#include <chrono>

using namespace sluice;

llvm::Error sluice::makeReportedError() { return llvm::createStringError(""); }

namespace {

class CompiledRunner : public Runner {
public:
  CompiledRunner(JitModel model, llvm::StringRef entry)
      : model(std::move(model)), entry(entry) {}

  llvm::Expected<std::vector<HostTensor>>
  run(llvm::ArrayRef<HostTensor> inputs) override {
    return model.run(entry, inputs);
  }
  llvm::Expected<std::vector<double>> time(llvm::ArrayRef<HostTensor> inputs,
                                           unsigned runs) override {
    return model.time(entry, inputs, runs);
  }
  std::string getCountersJson() override { return model.getCountersJson(); }

private:
  JitModel model;
  std::string entry;
};

class InterpretingRunner : public Runner {
public:
  InterpretingRunner(mlir::ModuleOp module, llvm::StringRef entry,
                     std::optional<WeightsFile> file, bool exact)
      : weights(std::move(file)), entry(entry), exact(exact),
        interpreter(module, makeOptions()) {}

  llvm::Expected<std::vector<HostTensor>>
  run(llvm::ArrayRef<HostTensor> inputs) override {
    auto results = exact ? interpreter.runExact(entry, inputs)
                         : interpreter.run(entry, inputs);
    if (mlir::failed(results))
      return makeReportedError();
    std::vector<HostTensor> tensors;
    for (HostTensor &result : *results)
      tensors.push_back(std::move(result));
    return tensors;
  }
  llvm::Expected<std::vector<double>> time(llvm::ArrayRef<HostTensor> inputs,
                                           unsigned runs) override {
    std::vector<double> seconds;
    for (unsigned i = 0; i < runs; ++i) {
      auto start = std::chrono::steady_clock::now();
      if (auto results = run(inputs); !results)
        return results.takeError();
      std::chrono::duration<double> elapsed =
          std::chrono::steady_clock::now() - start;
      seconds.push_back(elapsed.count());
    }
    return seconds;
  }
  std::string getCountersJson() override {
    std::string text;
    llvm::raw_string_ostream os(text);
    interpreter.printCountersJSON(os);
    return text;
  }

private:
  interpreter::Options makeOptions() const {
    interpreter::Options options;
    options.weights = weights ? &*weights : nullptr;
    return options;
  }

  // Before the interpreter, which points to it.
  std::optional<WeightsFile> weights;
  std::string entry;
  bool exact;
  interpreter::Interpreter interpreter;
};

} // namespace

llvm::Expected<std::unique_ptr<Runner>>
sluice::createCompiledRunner(mlir::ModuleOp module, llvm::StringRef entry,
                             llvm::StringRef weightsPath,
                             const CompileOptions &options, int threads) {
  llvm::Expected<std::string> cpu = chooseCPU(options.cpu, options.target);
  if (!cpu)
    return cpu.takeError();
  CompileOptions chosen = options;
  chosen.cpu = *cpu;
  mlir::OwningOpRef<mlir::ModuleOp> copy = module.clone();
  if (mlir::failed(lowerModel(*copy, chosen)))
    return makeReportedError();
  mlir::FailureOr<CompiledModel> compiled = compileModel(*copy, chosen);
  if (mlir::failed(compiled))
    return makeReportedError();
  llvm::Expected<JitModel> model = JitModel::create(*compiled, weightsPath);
  if (!model)
    return model.takeError();
  model->setThreads(threads);
  return std::make_unique<CompiledRunner>(std::move(*model), entry);
}

llvm::Expected<std::unique_ptr<Runner>>
sluice::createInterpretingRunner(mlir::ModuleOp module, llvm::StringRef entry,
                                 llvm::StringRef weightsPath, bool exact) {
  std::optional<WeightsFile> weights;
  if (!weightsPath.empty()) {
    llvm::Expected<WeightsFile> file = WeightsFile::open(weightsPath);
    if (!file)
      return file.takeError();
    weights = std::move(*file);
  }
  return std::make_unique<InterpretingRunner>(module, entry, std::move(weights),
                                              exact);
}
