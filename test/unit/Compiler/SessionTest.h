//===- SessionTest.h - What the tests of sessions share ---------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TEST_UNIT_COMPILER_SESSIONTEST_H
#define SLUICE_TEST_UNIT_COMPILER_SESSIONTEST_H

#include "sluice/Compiler/Session.h"
#include "sluice/Support/Weights.h"

#include <gtest/gtest.h>

namespace sluice::test {

/// Each token goes to the expert of its larger component.
inline constexpr llvm::StringLiteral layer = R"(
sluice.weight @w "experts.{e}.w" : tensor<2x1x2xf32>
func.func @main(%x: tensor<?x2xf32> {sluice.name = "x"}) -> tensor<?x1xf32> {
  %w = sluice.get_weight @w : tensor<2x1x2xf32>
  %g = sluice.topk %x, 1 : tensor<?x2xf32>
  %y = sluice.experts by %g : !sluice.gates<?x2xf32, 1 per token>
      (%t = %x : tensor<?x2xf32>) with (%v = %w : tensor<2x1x2xf32>)
      combine sum weight none -> tensor<?x1xf32> {
    %o = sluice.linear %t, %v : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x1xf32>
    sluice.yield %o : tensor<?x1xf32>
  }
  return %y : tensor<?x1xf32>
}
)";

/// A view of `data`, which is of the element type T.
template <typename T>
sluice_tensor view(T *data, std::vector<int64_t> shape,
                   sluice_dtype dtype = SLUICE_F32) {
  sluice_tensor tensor = {};
  tensor.data = const_cast<std::remove_const_t<T> *>(data);
  tensor.dtype = dtype;
  tensor.rank = int32_t(shape.size());
  std::copy(shape.begin(), shape.end(), tensor.shape);
  return tensor;
}

/// The weights of `layer`: a token's sum, and its difference.
struct LayerWeights {
  float sum[2] = {1, 1};
  float difference[2] = {1, -1};
  std::vector<sluice_named_tensor> tensors = {
      {"experts.0.w", view(sum, {1, 2})},
      {"experts.1.w", view(difference, {1, 2})}};

  WeightsFile open() const {
    return llvm::cantFail(WeightsFile::fromMemory(tensors));
  }
};

inline constexpr float tokens[6] = {2, 1, 3, 4, 6, 5};

/// A session whose diagnostics become lines of text.
struct TestSession {
  explicit TestSession(SessionOptions options = SessionOptions())
      : session(std::move(options), [this](const Diagnostic &diagnostic) {
          static constexpr const char *names[] = {"note", "remark", "warning",
                                                  "error"};
          diagnostics.push_back(names[int(diagnostic.severity)] +
                                (": " + diagnostic.describe()));
        }) {}

  mlir::OwningOpRef<mlir::ModuleOp> parse(llvm::StringRef text = layer) {
    return llvm::cantFail(session.parse(text, "layer.mlir"));
  }
  JitModel load(const LayerWeights &weights) {
    JitProgram program = llvm::cantFail(session.compile(*parse()));
    return llvm::cantFail(program.load(weights.open().getHandle()));
  }

  std::vector<std::string> diagnostics;
  Session session;
};

/// The text of what must be an error.
template <typename T> std::string errorOf(llvm::Expected<T> result) {
  EXPECT_FALSE(bool(result));
  return result ? "" : llvm::toString(result.takeError());
}
inline std::string errorOf(llvm::Error error) {
  EXPECT_TRUE(bool(error));
  return llvm::toString(std::move(error));
}

using Lines = std::vector<std::string>;

} // namespace sluice::test

#endif // SLUICE_TEST_UNIT_COMPILER_SESSIONTEST_H
