//===- MemoryWeightsTest.cpp - Tests of weights in memory -------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice-c/Runtime.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace {

struct Close {
  void operator()(sluice_weights *weights) const {
    sluice_weights_close(weights);
  }
  void operator()(sluice_model *model) const { sluice_model_destroy(model); }
};
using Weights = std::unique_ptr<sluice_weights, Close>;
using Model = std::unique_ptr<sluice_model, Close>;

sluice_named_tensor named(const char *name, void *data,
                          const std::vector<int64_t> &shape,
                          sluice_dtype dtype = SLUICE_F32) {
  sluice_named_tensor result = {};
  result.name = name;
  result.tensor.data = data;
  result.tensor.dtype = dtype;
  result.tensor.rank = int32_t(shape.size());
  std::copy(shape.begin(), shape.end(), result.tensor.shape);
  return result;
}

Weights create(const std::vector<sluice_named_tensor> &tensors) {
  sluice_weights *weights = nullptr;
  sluice_error error = {};
  EXPECT_EQ(sluice_weights_create(tensors.data(), int64_t(tensors.size()),
                                  &weights, &error),
            0)
      << error.message;
  return Weights(weights);
}

std::string errorOf(const std::vector<sluice_named_tensor> &tensors) {
  sluice_weights *weights = nullptr;
  sluice_error error = {};
  EXPECT_EQ(sluice_weights_create(tensors.data(), int64_t(tensors.size()),
                                  &weights, &error),
            1);
  EXPECT_EQ(weights, nullptr);
  return error.message;
}

/// Loads into `tensor`; the message if that fails.
std::string load(const Weights &weights, const char *pattern,
                 const std::vector<int64_t> &shape, sluice_tensor &tensor,
                 sluice_dtype dtype = SLUICE_F32) {
  sluice_error error = {};
  return sluice_weights_load(weights.get(), pattern, dtype,
                             int32_t(shape.size()), shape.data(), &tensor,
                             &error)
             ? error.message
             : "";
}

TEST(MemoryWeights, UsedInPlaceOrStacked) {
  alignas(64) float both[4] = {1, 2, 3, 4};
  float apart[2] = {5, 6};
  Weights weights =
      create({named("e.0", both, {2}), named("e.1", both + 2, {2}),
              named("e.2", apart, {2}), named("none", nullptr, {0, 3})});
  EXPECT_EQ(sluice_weights_count(weights.get()), 4);
  sluice_weight_info info;
  ASSERT_EQ(sluice_weights_find(weights.get(), "e.1", &info, nullptr), 0);
  EXPECT_STREQ(info.dtype, "F32");
  EXPECT_EQ(info.num_bytes, 8);
  EXPECT_EQ(info.data, both + 2);

  sluice_tensor tensor;
  ASSERT_EQ(load(weights, "e.{e}", {2, 2}, tensor), "");
  EXPECT_EQ(tensor.data, both);
  EXPECT_EQ(tensor.allocation, nullptr);
  ASSERT_EQ(load(weights, "e.{e}", {3, 2}, tensor), "");
  EXPECT_NE(tensor.data, both);
  EXPECT_EQ(static_cast<float *>(tensor.data)[5], 6);
  sluice_tensor_free(&tensor);
  ASSERT_EQ(load(weights, "none", {0, 3}, tensor), "");
  EXPECT_NE(tensor.data, nullptr);
  sluice_tensor_free(&tensor);
  ASSERT_EQ(load(weights, "e.{e}", {0, 2}, tensor), "");
  sluice_tensor_free(&tensor);
}

TEST(MemoryWeights, MisalignedTensorsAreCopied) {
  alignas(8) char bytes[9] = {};
  float one = 1;
  std::memcpy(bytes + 1, &one, sizeof(one));
  Weights weights = create({named("w", bytes + 1, {1})});
  sluice_tensor tensor;
  ASSERT_EQ(load(weights, "w", {1}, tensor), "");
  EXPECT_NE(tensor.allocation, nullptr);
  EXPECT_EQ(*static_cast<float *>(tensor.data), 1);
  sluice_tensor_free(&tensor);
}

TEST(MemoryWeights, WhatDoesNotFit) {
  float data[4] = {};
  unsigned char two = 2;
  Weights weights =
      create({named("e.0", data, {2, 2}), named("b", &two, {1}, SLUICE_BOOL)});
  sluice_tensor tensor;
  EXPECT_EQ(load(weights, "e.0", {4}, tensor),
            "the given weights: tensor 'e.0': expected tensor<4xF32> but got "
            "tensor<2x2xF32>; declare the weight with its shape");
  EXPECT_EQ(load(weights, "e.0", {2, 2}, tensor, SLUICE_BF16),
            "the given weights: tensor 'e.0': expected tensor<2x2xBF16> but "
            "got tensor<2x2xF32>; declare the weight with its element type");
  EXPECT_EQ(load(weights, "e.{e}", {2, 2, 2}, tensor),
            "the given weights: no tensor 'e.1' among the 2 tensors; the "
            "closest name is 'e.0'");
  EXPECT_EQ(load(weights, "b", {1}, tensor, SLUICE_BOOL),
            "the given weights: tensor 'b': expected booleans of 0 or 1 but "
            "element 0 is 2");
}

TEST(MemoryWeights, InvalidTensors) {
  float data[1] = {};
  EXPECT_EQ(errorOf({named("a", data, {1}), named("a", data, {1})}),
            "the given weights: duplicate tensor 'a'");
  EXPECT_EQ(errorOf({named(nullptr, data, {1})}),
            "weight 0: expected a name but got a null pointer");
  EXPECT_EQ(errorOf({named("", data, {1})}),
            "weight 0: expected a name but got an empty one");
  EXPECT_EQ(errorOf({named("a", nullptr, {2})}),
            "weight 0 'a': expected 8 bytes of data but got a null pointer");
  EXPECT_NE(errorOf({named("a", data, {-1})}), "");
  EXPECT_NE(errorOf({named("a", data, {1}, sluice_dtype(99))}), "");
  sluice_named_tensor deep = named("a", data, {1});
  deep.tensor.rank = SLUICE_MAX_RANK + 1;
  EXPECT_NE(errorOf({deep}), "");
  sluice_weights *weights = nullptr;
  sluice_error error;
  EXPECT_EQ(sluice_weights_create(nullptr, 1, &weights, &error), 1);
  EXPECT_EQ(sluice_weights_create(nullptr, -1, &weights, &error), 1);
  EXPECT_STREQ(error.message, "expected a number of tensors but got -1");
  EXPECT_EQ(sluice_weights_create(nullptr, 0, nullptr, &error), 1);
  Weights none = create({});
  EXPECT_EQ(sluice_weights_count(none.get()), 0);
}

/// (%w: 2xf32) -> %w, whose descriptors have the same layout.
void identity(void **args) {
  std::memcpy(args[0], args[2], 5 * sizeof(int64_t));
}

constexpr const char *manifest = R"({
  "sluice_manifest": 1, "name": "m", "state_size": 8,
  "weights": [{"symbol": "w", "tensor": "w", "dtype": "f32", "shape": [2]}],
  "functions": [{"name": "get", "inputs": [],
                 "results": [{"name": "y", "dtype": "f32", "shape": [-1]}],
                 "weights": [0]}]})";

TEST(MemoryWeights, ModelKeepsWeightsAndOwner) {
  sluice_packed_fn functions[] = {identity};
  float data[2] = {1, 2};
  Weights weights = create({named("w", data, {2})});
  sluice_model *created = nullptr;
  sluice_error error;
  EXPECT_EQ(
      sluice_model_create_with(manifest, functions, nullptr, &created, &error),
      1);
  EXPECT_STREQ(error.message,
               "model 'm' has 1 weights but no weight file was given; name the "
               "safetensors file that holds them");
  ASSERT_EQ(sluice_model_create_with(manifest, functions, weights.get(),
                                     &created, &error),
            0);
  Model model(created);
  weights.reset();
  int released = 0;
  sluice_model_set_owner(created, &released,
                         [](void *owner) { ++*static_cast<int *>(owner); });

  sluice_value_info info;
  ASSERT_EQ(sluice_model_result_info(created, 0, 0, &info, &error), 0);
  EXPECT_STREQ(info.name, "y");
  EXPECT_EQ(info.rank, 1);
  EXPECT_EQ(info.shape[0], -1);
  EXPECT_EQ(sluice_model_input_info(created, 0, 0, &info, &error), 1);
  EXPECT_STREQ(error.message,
               "get: expected the index of one of 0 inputs but got 0");
  EXPECT_EQ(sluice_model_result_info(created, 1, 0, &info, &error), 1);
  EXPECT_STREQ(
      error.message,
      "expected the index of one of the model's 1 functions but got 1");

  data[1] = 7; // borrowed, not copied
  sluice_tensor result = {};
  ASSERT_EQ(sluice_model_call(created, 0, nullptr, 0, &result, 1, &error), 0)
      << error.message;
  EXPECT_EQ(static_cast<float *>(result.data)[1], 7);
  sluice_tensor_free(&result);
  model.reset();
  EXPECT_EQ(released, 1);
}

} // namespace
