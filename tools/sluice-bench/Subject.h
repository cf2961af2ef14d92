//===- Subject.h - What is measured -----------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TOOLS_SLUICE_BENCH_SUBJECT_H
#define SLUICE_TOOLS_SLUICE_BENCH_SUBJECT_H

#include "Baseline.h"
#include "sluice/Compiler/Session.h"

namespace sluice {
class WeightsFile;
} // namespace sluice

namespace sluice::bench {

/// What does not depend on where the model comes from.
struct SubjectOptions {
  std::string cpu = "native";
  int threads = 1;
  /// In this order; only for a LayerShape.
  std::vector<std::string> baselines;
};

/// How much one run does at least.
struct Work {
  /// Of the chosen experts; a multiply-add is two.
  double operations = 0;
  /// Of the weights of the experts that have a token.
  double bytes = 0;
  int64_t touchedExperts = 0;
};

/// A compiled model, with what it is compared with.
class Subject {
public:
  virtual ~Subject() = default;

  /// What is measured, in one line.
  virtual std::string describe() const = 0;
  /// The element types of the experts' weights and of what they are multiplied
  /// with, and how tokens choose; for the report.
  virtual std::string getWeightType() const = 0;
  virtual std::string getActivationType() const = 0;
  virtual std::string getRouting() const = 0;

  /// Begins with so many tokens: makes inputs, runs everything once, and fails
  /// if results are wrong.
  virtual llvm::Error start(int64_t tokens) = 0;
  /// Makes fresh inputs.
  virtual llvm::Error next() = 0;
  /// Runs the compiled model.
  virtual llvm::Error call() = 0;
  /// What the last call did; no operations if that is not known.
  virtual llvm::Expected<Work> getWork() = 0;

  virtual size_t getNumBaselines() const { return 0; }
  virtual llvm::StringRef getBaselineName(size_t index) const { return ""; }
  virtual void runBaseline(size_t index) {}

  double getCompileSeconds() const { return compileSeconds; }
  double getLoadSeconds() const { return loadSeconds; }

protected:
  /// Compiles and loads.
  llvm::Expected<JitModel> build(Session &session, mlir::ModuleOp module,
                                 const WeightsFile &weights, int threads);

private:
  double compileSeconds = 0, loadSeconds = 0;
};

/// A layer that is made for the purpose.
llvm::Expected<std::unique_ptr<Subject>>
createLayerSubject(const LayerShape &shape, Routing routing,
                   const SubjectOptions &options);

/// The function `entry` of a model file (empty: the only one, or main, or moe),
/// with made-up weights and inputs. Dimensions that the file leaves open are
/// the number of tokens.
llvm::Expected<std::unique_ptr<Subject>>
createFileSubject(llvm::StringRef path, llvm::StringRef entry,
                  const SubjectOptions &options);

/// Fails if `bytes` bytes do not fit into this machine's memory.
llvm::Error checkMemory(double bytes);

/// Prints what a session says: warnings and errors that nobody returns.
void printDiagnostic(const Diagnostic &diagnostic);

} // namespace sluice::bench

#endif // SLUICE_TOOLS_SLUICE_BENCH_SUBJECT_H
