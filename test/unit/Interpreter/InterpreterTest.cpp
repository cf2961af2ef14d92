//===- InterpreterTest.cpp - Running models from text -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InterpreterTest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "sluice/Dialect/Check/IR/Check.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"

using namespace mlir;
using namespace sluice;
using namespace sluice::interpreter;

HostTensor sluice::interpreter::make(Dtype dtype, ArrayRef<int64_t> shape,
                                     ArrayRef<double> values) {
  llvm::Expected<HostTensor> tensor =
      HostTensor::fromDoubles(dtype, shape, values);
  if (!tensor) {
    ADD_FAILURE() << llvm::toString(tensor.takeError());
    return HostTensor();
  }
  return std::move(*tensor);
}

InterpreterTest::InterpreterTest()
    : handler(&context, [this](Diagnostic &diagnostic) {
        diagnostics += diagnostic.str() + "\n";
        return success();
      }) {
  context.disableMultithreading();
  context.allowUnregisteredDialects();
  context
      .loadDialect<arith::ArithDialect, check::CheckDialect, func::FuncDialect,
                   linalg::LinalgDialect, math::MathDialect, scf::SCFDialect,
                   SluiceDialect, tensor::TensorDialect>();
}

void InterpreterTest::load(StringRef text, Options options) {
  interpreter.reset();
  module = parseSourceString<ModuleOp>(text, &context);
  ASSERT_TRUE(module) << diagnostics;
  interpreter = std::make_unique<Interpreter>(*module, options);
}

std::vector<std::vector<double>>
InterpreterTest::run(ArrayRef<HostTensor> inputs) {
  if (!interpreter)
    return {};
  FailureOr<SmallVector<HostTensor>> results =
      interpreter->runExact("main", inputs);
  EXPECT_TRUE(succeeded(results)) << diagnostics;
  std::vector<std::vector<double>> numbers;
  shapes.clear();
  if (succeeded(results))
    for (const HostTensor &result : *results) {
      numbers.push_back(result.toDoubles());
      shapes.push_back(result.shape().vec());
    }
  return numbers;
}

std::string InterpreterTest::fail(ArrayRef<HostTensor> inputs) {
  if (!interpreter)
    return {};
  diagnostics.clear();
  EXPECT_TRUE(failed(interpreter->runExact("main", inputs)));
  return diagnostics;
}

void sluice::interpreter::expectSame(ArrayRef<double> actual,
                                     ArrayRef<double> expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (auto [i, pair] : llvm::enumerate(llvm::zip_equal(actual, expected))) {
    auto [a, e] = pair;
    bool isSame = std::isnan(a) ? std::isnan(e)
                                : a == e && std::signbit(a) == std::signbit(e);
    EXPECT_TRUE(isSame) << "element " << i << " is " << a << ", not " << e;
  }
}

void sluice::interpreter::expectNear(ArrayRef<double> actual,
                                     ArrayRef<double> expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (auto [i, pair] : llvm::enumerate(llvm::zip_equal(actual, expected)))
    EXPECT_NEAR(std::get<0>(pair), std::get<1>(pair), 1e-12) << "element " << i;
}
