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

/// A compiled model in this process, ready to run. Several threads may run one
/// model at once, and models are independent of each other.
class JitModel {
public:
  /// Loads the code of `model`, which was compiled without a ModelInterface,
  /// and its weights from the safetensors file at `weightsPath`, which may be
  /// empty if the model has none.
  static llvm::Expected<JitModel> create(const CompiledModel &model,
                                         llvm::StringRef weightsPath);
  JitModel(JitModel &&);
  JitModel &operator=(JitModel &&);
  ~JitModel();

  /// Runs a public function. Inputs must have the declared element types and
  /// shapes; results are fresh tensors. A check that fails is an error too.
  llvm::Expected<std::vector<HostTensor>>
  run(llvm::StringRef function, llvm::ArrayRef<HostTensor> inputs) const;

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

private:
  struct Impl;
  explicit JitModel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace sluice

#endif // SLUICE_COMPILER_JIT_H
