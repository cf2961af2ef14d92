//===- PackedWeightsTest.cpp - Tests of weights in panels -------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice-c/Runtime.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace {

/// (%w) -> %w: descriptors of one rank have the same layout.
template <size_t rank> void identity(void **args) {
  std::memcpy(args[0], args[2], (3 + 2 * rank) * sizeof(int64_t));
}

using Shape = std::vector<int64_t>;

struct Packed {
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;
};

/// What a model gets of the bytes `stored`, of shape `shape`, packed in panels
/// of 16 with the manifest's further `members`.
template <size_t rank>
Packed pack(std::vector<uint8_t> stored, const std::vector<int64_t> &shape,
            const std::string &members, const std::string &of = "out_in",
            sluice_dtype type = SLUICE_I8) {
  std::string typeName = type == SLUICE_BF16 ? "bf16" : "i8";
  std::string sizes, dynamic;
  for (int64_t size : shape)
    sizes += (sizes.empty() ? "" : ",") + std::to_string(size);
  for (size_t i = 0; i < rank; ++i)
    dynamic += dynamic.empty() ? "-1" : ",-1";
  std::string manifest =
      R"({"sluice_manifest": 1, "name": "m", "state_size": 8, "weights": [)"
      R"({"symbol": "w", "tensor": "w", "dtype": ")" +
      typeName + R"(", "shape": [)" + sizes +
      R"(], "panels": {"width": 16, "of": ")" + of + "\"" + members +
      R"(}}], "functions": [{"name": "get", "inputs": [], "results": [)"
      R"({"dtype": ")" +
      typeName + R"(", "shape": [)" + dynamic + R"(]}], "weights": [0]}]})";

  sluice_named_tensor tensor = {};
  tensor.name = "w";
  tensor.tensor.data = stored.data();
  tensor.tensor.dtype = type;
  tensor.tensor.rank = int32_t(shape.size());
  std::copy(shape.begin(), shape.end(), tensor.tensor.shape);
  sluice_packed_fn functions[] = {identity<rank>};
  sluice_weights *weights = nullptr;
  sluice_model *model = nullptr;
  sluice_tensor result = {};
  sluice_error error = {};
  Packed packed;
  bool isCalled =
      sluice_weights_create(&tensor, 1, &weights, &error) == 0 &&
      sluice_model_create_with(manifest.c_str(), functions, weights, &model,
                               &error) == 0 &&
      sluice_model_call(model, 0, nullptr, 0, &result, 1, &error) == 0;
  EXPECT_TRUE(isCalled) << error.message;
  if (isCalled) {
    packed.shape.assign(result.shape, result.shape + result.rank);
    size_t size = sluice_dtype_size(type);
    for (int64_t extent : packed.shape)
      size *= size_t(extent);
    auto *bytes = static_cast<const uint8_t *>(result.data);
    packed.bytes.assign(bytes, bytes + size);
    sluice_tensor_free(&result);
  }
  sluice_model_destroy(model);
  sluice_weights_close(weights);
  return packed;
}

/// Bytes that differ, none of whose halves are equal.
std::vector<uint8_t> makeBytes(size_t count) {
  std::vector<uint8_t> bytes(count);
  for (size_t i = 0; i < count; ++i)
    bytes[i] = uint8_t(i * 37 + 11);
  return bytes;
}

TEST(PackedWeights, FourBytesSideBySide) {
  // Two matrices of 17 outputs: the second panel has one.
  constexpr size_t matrices = 2, outputs = 17, inputs = 8;
  std::vector<uint8_t> stored = makeBytes(matrices * outputs * inputs);
  Packed packed = pack<5>(stored, {2, 17, 8}, R"(, "by": 4)");
  ASSERT_EQ(packed.shape, (Shape{2, 2, 2, 16, 4}));
  for (size_t at = 0; at < packed.bytes.size(); ++at) {
    size_t j = at % 4, column = at / 4 % 16, line = at / 64 % 2,
           panel = at / 128 % 2, matrix = at / 256;
    size_t output = panel * 16 + column, input = line * 4 + j;
    EXPECT_EQ(packed.bytes[at],
              output < outputs
                  ? stored[(matrix * outputs + output) * inputs + input]
                  : 0)
        << at;
  }
}

TEST(PackedWeights, RowsOfInputsSideBySide) {
  std::vector<uint8_t> stored = makeBytes(4 * 18);
  Packed packed = pack<4>(stored, {4, 18}, R"(, "by": 2)", "in_out");
  ASSERT_EQ(packed.shape, (Shape{2, 2, 16, 2}));
  for (size_t at = 0; at < packed.bytes.size(); ++at) {
    size_t j = at % 2, column = at / 2 % 16, line = at / 32 % 2,
           panel = at / 64;
    size_t output = panel * 16 + column, input = line * 2 + j;
    EXPECT_EQ(packed.bytes[at], output < 18 ? stored[input * 18 + output] : 0)
        << at;
  }
}

TEST(PackedWeights, OddNumbersOfFloatsSideBySide) {
  // Three matrices, so that threads have something to share; the last line of
  // each has one number.
  constexpr size_t matrices = 3, outputs = 17, inputs = 7, lines = 4;
  std::vector<uint8_t> stored = makeBytes(2 * matrices * outputs * inputs);
  for (bool isOutIn : {true, false}) {
    Packed packed =
        pack<5>(stored, isOutIn ? Shape{3, 17, 7} : Shape{3, 7, 17},
                R"(, "by": 2)", isOutIn ? "out_in" : "in_out", SLUICE_BF16);
    ASSERT_EQ(packed.shape, (Shape{3, 2, lines, 16, 2}));
    for (size_t at = 0; at < packed.bytes.size(); ++at) {
      size_t byte = at % 2, j = at / 2 % 2, column = at / 4 % 16,
             line = at / 64 % lines, panel = at / 256 % 2, matrix = at / 512;
      size_t output = panel * 16 + column, input = line * 2 + j;
      size_t number =
          isOutIn ? output * inputs + input : input * outputs + output;
      bool isThere = output < outputs && input < inputs;
      EXPECT_EQ(
          packed.bytes[at],
          isThere ? stored[2 * (matrix * outputs * inputs + number) + byte] : 0)
          << at;
    }
  }
}

/// Of numbers of 4 bits, in the file's order: number i of an output.
uint8_t getHalf(const std::vector<uint8_t> &stored, size_t inputs,
                size_t outputs, size_t output, size_t i) {
  if (output >= outputs)
    return 0;
  uint8_t byte = stored[output * (inputs / 2) + i / 2];
  return i % 2 ? byte >> 4 : byte & 15;
}

TEST(PackedWeights, NumbersOfFourBitsOfSeveralDimensions) {
  // 2 x 6 bytes are 24 inputs; a line crosses the dimensions' border.
  constexpr size_t outputs = 19, inputs = 24;
  std::vector<uint8_t> stored = makeBytes(outputs * inputs / 2);
  Packed packed =
      pack<4>(stored, {19, 2, 6}, R"(, "by": 4, "bits": 4, "dims": 3)");
  ASSERT_EQ(packed.shape, (Shape{2, 3, 16, 4}));
  for (size_t at = 0; at < packed.bytes.size(); ++at) {
    size_t j = at % 4, column = at / 4 % 16, line = at / 64 % 3,
           panel = at / 192;
    size_t output = panel * 16 + column, low = line * 8 + j;
    EXPECT_EQ(packed.bytes[at],
              getHalf(stored, inputs, outputs, output, low) |
                  getHalf(stored, inputs, outputs, output, low + 4) << 4)
        << at;
  }
}

TEST(PackedWeights, ZeroPointsOfFourBits) {
  // One byte after the other, as two blocks lie in each.
  std::vector<uint8_t> stored = makeBytes(17 * 3);
  Packed packed = pack<3>(stored, {17, 3}, R"(, "bits": 4)");
  ASSERT_EQ(packed.shape, (Shape{2, 3, 16}));
  for (size_t at = 0; at < packed.bytes.size(); ++at) {
    size_t column = at % 16, byte = at / 16 % 3, output = at / 48 * 16 + column;
    EXPECT_EQ(packed.bytes[at], output < 17 ? stored[output * 3 + byte] : 0)
        << at;
  }
}

TEST(PackedWeights, Nothing) {
  EXPECT_EQ(pack<4>({}, {0, 8}, R"(, "by": 4)").shape, (Shape{0, 2, 16, 4}));
  EXPECT_EQ(pack<4>({}, {17, 0}, R"(, "by": 4, "bits": 4)").shape,
            (Shape{2, 0, 16, 4}));
  EXPECT_EQ(pack<5>({}, {0, 17, 8}, R"(, "by": 4)").shape,
            (Shape{0, 2, 2, 16, 4}));
  EXPECT_EQ(pack<4>({}, {17, 0}, R"(, "by": 2)", "out_in", SLUICE_BF16).shape,
            (Shape{2, 0, 16, 2}));
}

} // namespace
