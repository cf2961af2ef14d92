//===- InterpreterTest.h - Running models from text -------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TEST_UNIT_INTERPRETER_INTERPRETERTEST_H
#define SLUICE_TEST_UNIT_INTERPRETER_INTERPRETERTEST_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "sluice/Interpreter/Interpreter.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

namespace sluice::interpreter {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double NaN = std::numeric_limits<double>::quiet_NaN();

/// A tensor with the given elements.
HostTensor make(Dtype dtype, llvm::ArrayRef<int64_t> shape,
                llvm::ArrayRef<double> values);
inline HostTensor f32(llvm::ArrayRef<int64_t> shape,
                      llvm::ArrayRef<double> values) {
  return make(Dtype::F32, shape, values);
}

class InterpreterTest : public ::testing::Test {
protected:
  InterpreterTest();

  /// Parses and verifies a module.
  void load(llvm::StringRef text, Options options = Options());

  /// Runs @main of the loaded module and returns its results unrounded, each as
  /// the list of its elements; no results if it failed. Expects success.
  std::vector<std::vector<double>> run(llvm::ArrayRef<HostTensor> inputs = {});

  /// Runs @main, expects it to fail, and returns the diagnostic.
  std::string fail(llvm::ArrayRef<HostTensor> inputs = {});

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::unique_ptr<Interpreter> interpreter;
  /// Shapes of the results of the last run.
  std::vector<std::vector<int64_t>> shapes;
  /// Diagnostics so far, one a line.
  std::string diagnostics;

  mlir::ScopedDiagnosticHandler handler;
};

/// Element by element, NaN equal to NaN, and -0.0 different from 0.0.
void expectSame(llvm::ArrayRef<double> actual, llvm::ArrayRef<double> expected);
/// Element by element within 1e-12.
void expectNear(llvm::ArrayRef<double> actual, llvm::ArrayRef<double> expected);

} // namespace sluice::interpreter

#endif // SLUICE_TEST_UNIT_INTERPRETER_INTERPRETERTEST_H
