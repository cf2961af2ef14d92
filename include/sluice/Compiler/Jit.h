//===- Jit.h - Models compiled in memory ------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_COMPILER_JIT_H
#define SLUICE_COMPILER_JIT_H

#include "sluice/Support/HostTensor.h"

#include <memory>
#include <string>
#include <vector>

namespace sluice {

class CompiledModel;
class JitModel;

/// Code in this process, without weights. Copies share the code, which lives as
/// long as they or a model that was made of it. Several threads may use one.
class JitProgram {
public:
  /// Loads the code of `model`, which was compiled without a ModelInterface.
  static llvm::Expected<JitProgram> create(const CompiledModel &model);

  /// Makes a model of the code and its weights, e.g. WeightsFile::getHandle();
  /// null if it has none. Where they lie as the model wants them, they are used
  /// in place: see sluice_weights_create for who owns what. The object may go
  /// afterwards.
  llvm::Expected<JitModel> load(const sluice_weights *weights) const;

  /// The manifest as JSON; see sluice-c/Runtime.h.
  const std::string &getManifest() const;

private:
  struct Code;
  explicit JitProgram(std::shared_ptr<const Code> code);
  std::shared_ptr<const Code> code;
};

/// A compiled model in this process, ready to run. Several threads may run one
/// model at once, and models are independent of each other.
class JitModel {
public:
  /// Loads the code of `model`, which was compiled without a ModelInterface,
  /// and its weights from the safetensors file at `weightsPath`, which may be
  /// empty if the model has none.
  static llvm::Expected<JitModel> create(const CompiledModel &model,
                                         llvm::StringRef weightsPath);

  /// Runs a public function. Inputs must have the declared element types and
  /// shapes; results are fresh tensors. A check that fails is an error too.
  llvm::Expected<std::vector<HostTensor>>
  run(llvm::StringRef function, llvm::ArrayRef<HostTensor> inputs) const;

  /// The same with the caller's buffers, without a copy of the inputs: see
  /// sluice_model_call. For an output without `data` the caller frees the
  /// tensor with sluice_tensor_free.
  llvm::Error call(llvm::StringRef function,
                   llvm::ArrayRef<sluice_tensor> inputs,
                   llvm::MutableArrayRef<sluice_tensor> outputs) const;

  /// Runs `function` `runs` times and returns the seconds of each run, without
  /// those of converting inputs and results.
  llvm::Expected<std::vector<double>> time(llvm::StringRef function,
                                           llvm::ArrayRef<HostTensor> inputs,
                                           unsigned runs) const;

  /// OpenMP threads of each later run; 0 for OpenMP's own default.
  void setThreads(int numThreads);

  /// See sluice_model_counters_json.
  std::string getCountersJson() const;
  void resetCounters();

  /// The model behind the C interface, which this object keeps.
  sluice_model *getHandle() const { return model.get(); }
  /// Hands it over: it goes by sluice_model_destroy, with its code.
  sluice_model *release() { return model.release(); }

private:
  friend class JitProgram;
  struct Destroy {
    void operator()(sluice_model *model) const { sluice_model_destroy(model); }
  };
  explicit JitModel(sluice_model *model) : model(model) {}
  llvm::Expected<int> findFunction(llvm::StringRef name) const;

  std::unique_ptr<sluice_model, Destroy> model;
};

} // namespace sluice

#endif // SLUICE_COMPILER_JIT_H
