//===- Runner.h - Two ways to run a model -----------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TOOLS_SLUICE_RUN_RUNNER_H
#define SLUICE_TOOLS_SLUICE_RUN_RUNNER_H

#include "mlir/IR/BuiltinOps.h"
#include "sluice/Compiler/Compiler.h"
#include "sluice/Support/HostTensor.h"

#include <memory>

namespace sluice {

/// Runs one function of a model. Errors that MLIR's diagnostics have already
/// told come back without a text.
class Runner {
public:
  virtual ~Runner() = default;
  virtual llvm::Expected<std::vector<HostTensor>>
  run(llvm::ArrayRef<HostTensor> inputs) = 0;
  /// Seconds of each run.
  virtual llvm::Expected<std::vector<double>>
  time(llvm::ArrayRef<HostTensor> inputs, unsigned runs) = 0;
  /// What all runs so far did.
  virtual std::string getCountersJson() = 0;
};

/// Compiles a copy of `module`. `threads` 0 is OpenMP's default.
llvm::Expected<std::unique_ptr<Runner>>
createCompiledRunner(mlir::ModuleOp module, llvm::StringRef entry,
                     llvm::StringRef weightsPath, const CompileOptions &options,
                     int threads);

/// With `exact`, results are binary64 where they are floating point.
llvm::Expected<std::unique_ptr<Runner>>
createInterpretingRunner(mlir::ModuleOp module, llvm::StringRef entry,
                         llvm::StringRef weightsPath, bool exact);

/// An error without a text.
llvm::Error makeReportedError();

} // namespace sluice

#endif // SLUICE_TOOLS_SLUICE_RUN_RUNNER_H
