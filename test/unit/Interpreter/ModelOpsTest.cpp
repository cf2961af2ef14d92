//===- ModelOpsTest.cpp - Products, activations, weights --------*- C++ -*-===//
//-*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InterpreterTest.h"
#include "sluice/Support/Weights.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/raw_ostream.h"

using namespace sluice;
using namespace sluice::interpreter;

namespace {
class ModelOpsTest : public InterpreterTest {
protected:
  /// Runs `op`, which makes %y of the type of %x, on one row of numbers.
  std::vector<double> map(const std::string &op, llvm::ArrayRef<double> values,
                          const std::string &type = "f32",
                          Dtype dtype = Dtype::F32) {
    std::string tensor = "tensor<?x" + type + ">";
    load("func.func @main(%x: " + tensor + ") -> " + tensor + " {\n%y = " + op +
         " : " + tensor + "\nreturn %y : " + tensor + "\n}");
    auto results =
        run({make(dtype, {static_cast<int64_t>(values.size())}, values)});
    return results.empty() ? std::vector<double>() : results[0];
  }
};
} // namespace

TEST_F(ModelOpsTest, linearInBothLayoutsWithBias) {
  load(R"(func.func @main(%x: tensor<?x2xf32>, %w: tensor<3x2xf32>,
        %v: tensor<2x3xf32>, %b: tensor<3xf32>)
      -> (tensor<?x3xf32>, tensor<?x3xf32>) {
    %y = sluice.linear %x, %w bias %b
      : (tensor<?x2xf32>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<?x3xf32>
    %z = sluice.linear %x, %v layout in_out
      : (tensor<?x2xf32>, tensor<2x3xf32>) -> tensor<?x3xf32>
    return %y, %z : tensor<?x3xf32>, tensor<?x3xf32>
  })");
  HostTensor inputs[] = {
      f32({2, 2}, {1, 2, 3, 4}), f32({3, 2}, {1, 0, 0, 1, 1, 1}),
      f32({2, 3}, {1, 0, 1, 0, 1, 1}), f32({3}, {10, 20, 30})};
  auto results = run(inputs);
  ASSERT_EQ(results.size(), 2u);
  expectSame(results[0], {11, 22, 33, 13, 24, 37});
  expectSame(results[1], {1, 2, 3, 3, 4, 7});
}

TEST_F(ModelOpsTest, linearRoundsOnceToANarrowResult) {
  load(R"(func.func @main(%x: tensor<1x3xbf16>)
      -> (tensor<1x1xbf16>, tensor<1x1xf32>) {
    %w = arith.constant dense<1.0> : tensor<1x3xbf16>
    %y = sluice.linear %x, %w
      : (tensor<1x3xbf16>, tensor<1x3xbf16>) -> tensor<1x1xbf16>
    %z = sluice.linear %x, %w
      : (tensor<1x3xbf16>, tensor<1x3xbf16>) -> tensor<1x1xf32>
    return %y, %z : tensor<1x1xbf16>, tensor<1x1xf32>
  })");
  double small = std::ldexp(1.0, -8);
  auto results = run({make(Dtype::BF16, {1, 3}, {1, small, small})});
  ASSERT_EQ(results.size(), 2u);
  expectSame(results[0], {1 + 2 * small});
  expectSame(results[1], {1 + 2 * small});
  results = run({make(Dtype::BF16, {1, 3}, {1, small, 0})});
  ASSERT_EQ(results.size(), 2u);
  // Half way between two numbers of bf16: the even one.
  expectSame(results[0], {1});
  expectSame(results[1], {1 + small});
}

TEST_F(ModelOpsTest, activations) {
  expectNear(map("sluice.sigmoid %x", {0, 1}), {0.5, 1 / (1 + std::exp(-1.0))});
  expectSame(map("sluice.sigmoid %x", {inf, -inf, NaN}), {1, 0, NaN});
  expectNear(map("sluice.softplus %x", {0, 1, 1000, -1000}),
             {std::log(2.0), std::log(1 + std::exp(1.0)), 1000, 0});
  expectNear(map("sluice.silu %x", {0, 2, -2}),
             {0, 2 / (1 + std::exp(-2.0)), -2 / (1 + std::exp(2.0))});
  expectSame(map("sluice.silu %x", {-inf, inf}), {NaN, inf});
  expectSame(map("sluice.relu %x", {-1, -0.0, 2, NaN}), {0, 0, 2, NaN});
  expectNear(map("sluice.gelu %x erf", {0, 1, -1}),
             {0, 0.8413447460685429, -0.15865525393145705});
  double x = std::sqrt(2 / M_PI) * (1 + 0.044715);
  expectNear(map("sluice.gelu %x tanh", {0, 1}), {0, (1 + std::tanh(x)) / 2});
  expectSame(map("sluice.clamp %x min -1.0 max 2.0", {-3, 0.5, 3, NaN}),
             {-1, 0.5, 2, NaN});
  expectSame(map("sluice.clamp %x max 0.1", {3}), {static_cast<double>(0.1f)});
}

TEST_F(ModelOpsTest, softmax) {
  double e = std::exp(1.0);
  expectNear(map("sluice.softmax %x", {1000, 1001}),
             {1 / (1 + e), e / (1 + e)});
  expectSame(map("sluice.softmax %x", {-inf, 0}), {0, 1});
  expectSame(map("sluice.softmax %x", {-inf, -inf}), {NaN, NaN});
  expectSame(map("sluice.softmax %x", {0, inf}), {NaN, NaN});
  expectSame(map("sluice.softmax %x", {0, NaN}), {NaN, NaN});
  expectSame(map("sluice.softmax %x", {}), {});
  expectSame(map("sluice.softmax %x", {1, 1, 1}, "bf16", Dtype::BF16),
             {0.333984375, 0.333984375, 0.333984375});
}

TEST_F(ModelOpsTest, split) {
  load(R"(func.func @main(%x: tensor<?x4xf32>)
      -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) {
    %a, %b = sluice.split %x : tensor<?x4xf32> into 2
    %c, %d = sluice.split %x interleaved : tensor<?x4xf32> into 2
    return %a, %b, %c, %d
      : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
  })");
  auto results = run({f32({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8})});
  ASSERT_EQ(results.size(), 4u);
  expectSame(results[0], {1, 2, 5, 6});
  expectSame(results[1], {3, 4, 7, 8});
  expectSame(results[2], {1, 3, 5, 7});
  expectSame(results[3], {2, 4, 6, 8});
}

TEST_F(ModelOpsTest, broadcast) {
  load(R"(func.func @main(%x: tensor<?x2xf32>, %v: tensor<2xf32>,
        %c: tensor<?x1xf32>, %s: f32)
      -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) {
    %a = sluice.broadcast %v like %x : tensor<2xf32>, tensor<?x2xf32>
    %b = sluice.broadcast %c like %x : tensor<?x1xf32>, tensor<?x2xf32>
    %d = sluice.broadcast %s like %x : f32, tensor<?x2xf32>
    return %a, %b, %d : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
  })");
  HostTensor x = f32({2, 2}, {0, 0, 0, 0});
  HostTensor inputs[] = {std::move(x), f32({2}, {1, 2}), f32({2, 1}, {3, 4}),
                         f32({}, {5})};
  auto results = run(inputs);
  ASSERT_EQ(results.size(), 3u);
  expectSame(results[0], {1, 2, 1, 2});
  expectSame(results[1], {3, 3, 4, 4});
  expectSame(results[2], {5, 5, 5, 5});

  HostTensor wrong[] = {f32({2, 2}, {0, 0, 0, 0}), f32({2}, {1, 2}),
                        f32({3, 1}, {3, 4, 5}), f32({}, {5})};
  EXPECT_EQ(fail(wrong),
            "expected dimension 0 of the source to have size 2 but got 3\n");
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

static const char weightModel[] = R"(
  sluice.weight @w "experts.{e}.w" : tensor<2x1x2xf32>
  func.func @main() -> (tensor<2x1x2xf32>, tensor<2x1x2xf32>) {
    %a = sluice.get_weight @w : tensor<2x1x2xf32>
    %b = sluice.get_weight @w : tensor<2x1x2xf32>
    return %a, %b : tensor<2x1x2xf32>, tensor<2x1x2xf32>
  })";

TEST_F(ModelOpsTest, weightsAreStacked) {
  std::string header =
      R"({"experts.0.w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
      R"("experts.1.w":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const float numbers[] = {1, 2, 3, 4};
  uint64_t headerSize = header.size();

  llvm::SmallString<128> path;
  ASSERT_FALSE(
      llvm::sys::fs::createTemporaryFile("sluice", "safetensors", path));
  llvm::FileRemover remover(path);
  std::error_code error;
  llvm::raw_fd_ostream file(path, error);
  ASSERT_FALSE(error);
  file.write(reinterpret_cast<const char *>(&headerSize), sizeof(headerSize));
  file << header;
  file.write(reinterpret_cast<const char *>(numbers), sizeof(numbers));
  file.close();

  llvm::Expected<WeightsFile> weights = WeightsFile::open(path);
  ASSERT_TRUE(static_cast<bool>(weights))
      << llvm::toString(weights.takeError());
  Options options;
  options.weights = &*weights;
  load(weightModel, options);
  auto results = run();
  ASSERT_EQ(results.size(), 2u);
  expectSame(results[0], {1, 2, 3, 4});
  expectSame(results[1], {1, 2, 3, 4});
  interpreter.reset();
}

TEST_F(ModelOpsTest, weightsWithoutAFile) {
  load(weightModel);
  EXPECT_EQ(fail(), "expected a weights file for '@w' but none was given; give "
                    "it with --weights\n");
}
