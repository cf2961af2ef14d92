//===- Runner.h - Compares one case with the oracle -------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TEST_FUZZ_RUNNER_H
#define SLUICE_TEST_FUZZ_RUNNER_H

#include "Case.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "sluice/Compiler/Compiler.h"
#include "sluice/Compiler/Jit.h"
#include "sluice/Support/HostTensor.h"
#include "sluice/Support/Weights.h"
#include "llvm/Support/FileUtilities.h"

#include <map>
#include <string>
#include <vector>

namespace sluice {

enum class Outcome {
  Agrees,
  /// The result is wrong, or there is none.
  Differs,
  /// Rounding may rightly decide otherwise.
  LeftOut,
};

struct RunOptions {
  /// LLVM's level; -1 for that of the case.
  int optLevel = -1;
  /// Lower with InjectedBug.h's pass behind the plan pipeline.
  bool injectBug = false;
};

/// A context in which cases can be run; it keeps every type it has seen.
std::unique_ptr<mlir::MLIRContext> makeContext();

/// Collects errors instead of printing them.
class ErrorCollector : public mlir::ScopedDiagnosticHandler {
public:
  ErrorCollector(mlir::MLIRContext &context, std::string &text);
};

/// Runs one case, once.
class CaseRunner {
public:
  CaseRunner(mlir::MLIRContext &context, const Case &c,
             const RunOptions &options)
      : context(context), c(c), options(options) {}

  /// Interprets, compiles, compares.
  Outcome run();
  /// For a case of which `run` says that it differs: runs the pipeline pass by
  /// pass, with the interpreter after each. Returns which pass is guilty, in
  /// words. `announce` gets the name of each pass before it runs, which may
  /// crash.
  std::string
  findGuiltyPass(llvm::function_ref<void(llvm::StringRef)> announce);

  /// What differs, and how.
  std::string message;
  unsigned redraws = 0;
  /// The largest error as a share of its bound.
  double share = 0;
  /// Of all arguments, weights too.
  std::vector<HostTensor> values;
  /// How often the model has each op.
  std::map<std::string, unsigned> ops;

private:
  /// What becomes of the model that the pipeline has brought this far.
  enum class Level { Agrees, Differs, NotExecutable };

  Outcome fail(const llvm::Twine &text) {
    message = text.str();
    return Outcome::Differs;
  }
  mlir::OwningOpRef<mlir::ModuleOp> parse(const std::string &text);
  /// Runs the interpreter; Agrees if there is something to compare with.
  Outcome prepare(mlir::ModuleOp module);
  bool draw(mlir::ModuleOp module);
  /// Inputs, and a file of weights, of this number.
  bool drawValues(uint64_t seed);
  bool interpret(mlir::ModuleOp module);
  bool lower(mlir::ModuleOp module);
  llvm::Expected<JitModel> compile(mlir::ModuleOp module);
  Level interpretLowered(mlir::ModuleOp module);
  bool checkCounters(const std::string &actual);
  bool checkRouting(llvm::ArrayRef<HostTensor> actual);
  bool checkResult(const HostTensor &actual);
  /// |actual - expected| <= bound of each element.
  bool checkClose(llvm::StringRef what, const HostTensor &actual,
                  const HostTensor &expected,
                  llvm::function_ref<double(int64_t)> bound);
  double logitMagnitude() const;
  CompileOptions compileOptions() const;
  /// Passes behind which the interpreter could not run.
  unsigned unknown = 0;

  mlir::MLIRContext &context;
  const Case &c;
  RunOptions options;
  /// What diagnostics said.
  std::string diagnostics;
  /// The values of arguments that are no weights.
  std::vector<HostTensor> inputs;
  /// Empty if the case has no weights.
  llvm::SmallString<64> weightsPath;
  llvm::FileRemover weightsRemover;
  std::optional<WeightsFile> weights;
  /// What the oracle computed, and what its counters were.
  llvm::SmallVector<HostTensor> result, routing, majorant;
  std::string counters;
  /// The largest finite magnitude of a gate, and the gates' relative error.
  double gateMagnitude = 0, gateError = 0;
};

} // namespace sluice

#endif // SLUICE_TEST_FUZZ_RUNNER_H
