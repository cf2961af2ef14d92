//===- ModelOpsTest.cpp - Products, activations, weights --------*- C++ -*-===//
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

  std::vector<std::vector<double>>
  runWithWeights(const char *model, std::string header, llvm::StringRef data);
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

TEST_F(ModelOpsTest, rmsNorm) {
  const std::string head = "func.func @main(%x: tensor<?x2xf32>, "
                           "%w: tensor<2xf32>) -> tensor<?x2xf32> {\n";
  const std::string tail = "return %y : tensor<?x2xf32>\n}";
  load(head + "%y = sluice.rms_norm %x eps 0.5 : tensor<?x2xf32>\n" + tail);
  // Means of squares: 24.5 and 0, with eps 25 and 0.5.
  HostTensor inputs[] = {f32({2, 2}, {0, 7, 0, 0}), f32({2}, {2, -3})};
  auto results = run(inputs);
  ASSERT_EQ(results.size(), 1u);
  expectNear(results[0], {0, 1.4, 0, 0});
  load(head +
       "%y = sluice.rms_norm %x eps 0.5 gain %w : tensor<?x2xf32>, "
       "tensor<2xf32>\n" +
       tail);
  HostTensor others[] = {f32({2, 2}, {0, 7, 7, 0}), f32({2}, {2, -3})};
  results = run(others);
  ASSERT_EQ(results.size(), 1u);
  expectNear(results[0], {0, -4.2, 2.8, 0});
  HostTensor none[] = {f32({0, 2}, {}), f32({2}, {2, -3})};
  run(none);
  EXPECT_EQ(shapes[0], (std::vector<int64_t>{0, 2}));

  // 0 / 0 without an eps.
  load(head + "%y = sluice.rms_norm %x eps 0.0 : tensor<?x2xf32>\n" + tail);
  results = run(inputs);
  ASSERT_EQ(results.size(), 1u);
  expectSame(llvm::ArrayRef(results[0]).drop_front(2), {NaN, NaN});
}

TEST_F(ModelOpsTest, rmsNormRoundsOnce) {
  load(R"(func.func @main() -> tensor<2xbf16> {
    %x = arith.constant dense<[1.0, 2.0]> : tensor<2xbf16>
    %w = arith.constant dense<1.28125> : tensor<2xbf16>
    %y = sluice.rms_norm %x eps 0.0 gain %w : tensor<2xbf16>, tensor<2xbf16>
    return %y : tensor<2xbf16>
  })");
  auto results = run();
  ASSERT_EQ(results.size(), 1u);
  // Rounded before the gain, they would be 0.8125 and 1.625.
  expectSame(results[0], {0.80859375, 1.6171875});
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

TEST_F(ModelOpsTest, broadcastOfAnyElements) {
  load(R"(func.func @main(%x: tensor<?x2xf32>, %b: tensor<?x1xi1>,
        %i: tensor<2xi32>, %n: i64, %d: index)
      -> (tensor<?x2xi1>, tensor<?x2xi32>, tensor<?x2xi64>, tensor<?x2xindex>) {
    %a = sluice.broadcast %b like %x : tensor<?x1xi1>, tensor<?x2xf32>
    %c = sluice.broadcast %i like %x : tensor<2xi32>, tensor<?x2xf32>
    %e = sluice.broadcast %n like %x : i64, tensor<?x2xf32>
    %f = sluice.broadcast %d like %a : index, tensor<?x2xi1>
    return %a, %c, %e, %f
      : tensor<?x2xi1>, tensor<?x2xi32>, tensor<?x2xi64>, tensor<?x2xindex>
  })");
  HostTensor inputs[] = {f32({2, 2}, {NaN, 0, 0, 0}),
                         make(Dtype::Bool, {2, 1}, {1, 0}),
                         make(Dtype::I32, {2}, {-1, 2}),
                         make(Dtype::I64, {}, {-7}), make(Dtype::I64, {}, {9})};
  auto results = run(inputs);
  ASSERT_EQ(results.size(), 4u);
  expectSame(results[0], {1, 1, 0, 0});
  expectSame(results[1], {-1, 2, -1, 2});
  expectSame(results[2], {-7, -7, -7, -7});
  expectSame(results[3], {9, 9, 9, 9});
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

/// Runs @main of `model` with a weights file of this header and data.
std::vector<std::vector<double>>
ModelOpsTest::runWithWeights(const char *model, std::string header,
                             llvm::StringRef data) {
  header.resize((header.size() + 7) / 8 * 8, ' ');
  uint64_t headerSize = header.size();
  llvm::SmallString<128> path;
  EXPECT_FALSE(
      llvm::sys::fs::createTemporaryFile("sluice", "safetensors", path));
  llvm::FileRemover remover(path);
  std::error_code error;
  llvm::raw_fd_ostream file(path, error);
  EXPECT_FALSE(error);
  file.write(reinterpret_cast<const char *>(&headerSize), sizeof(headerSize));
  file << header << data;
  file.close();

  llvm::Expected<WeightsFile> weights = WeightsFile::open(path);
  if (!weights) {
    ADD_FAILURE() << llvm::toString(weights.takeError());
    return {};
  }
  Options options;
  options.weights = &*weights;
  load(model, options);
  auto results = run();
  interpreter.reset();
  return results;
}

template <typename T, size_t n>
static llvm::StringRef asBytes(const T (&numbers)[n]) {
  return llvm::StringRef(reinterpret_cast<const char *>(numbers),
                         sizeof(numbers));
}

TEST_F(ModelOpsTest, weightsAreStacked) {
  const float numbers[] = {1, 2, 3, 4};
  auto results = runWithWeights(
      weightModel,
      R"({"experts.0.w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
      R"("experts.1.w":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]}})",
      asBytes(numbers));
  ASSERT_EQ(results.size(), 2u);
  expectSame(results[0], {1, 2, 3, 4});
  expectSame(results[1], {1, 2, 3, 4});
}

TEST_F(ModelOpsTest, integerWeights) {
  const char model[] = R"(
    sluice.weight @i "i" : tensor<2xi32>
    sluice.weight @j "j" : tensor<2xi64>
    func.func @main() -> (tensor<2xi32>, tensor<2xi64>) {
      %i = sluice.get_weight @i : tensor<2xi32>
      %j = sluice.get_weight @j : tensor<2xi64>
      %large = arith.constant dense<9007199254740992> : tensor<2xi64>
      %d = arith.subi %j, %large : tensor<2xi64>
      return %i, %d : tensor<2xi32>, tensor<2xi64>
    })";
  // 2^53 + 1 is not a double.
  const int64_t numbers[] = {(int64_t(7) << 32) | 0xFFFFFFFF, 9007199254740993,
                             9007199254740992};
  auto results = runWithWeights(
      model,
      R"({"i":{"dtype":"I32","shape":[2],"data_offsets":[0,8]},)"
      R"("j":{"dtype":"I64","shape":[2],"data_offsets":[8,24]}})",
      asBytes(numbers));
  ASSERT_EQ(results.size(), 2u);
  expectSame(results[0], {-1, 7});
  expectSame(results[1], {1, 0});
}

TEST_F(ModelOpsTest, weightsWithoutAFile) {
  load(weightModel);
  EXPECT_EQ(fail(), "expected a weights file for '@w' but none was given; give "
                    "it with --weights\n");
}
