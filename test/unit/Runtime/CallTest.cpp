//===- CallTest.cpp - Tests of calls of compiled functions ------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestFiles.h"

#include "sluice-c/Runtime.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <omp.h>
#include <thread>

using namespace sluice::test;

// The functions below are what the compiler generates, written by hand.

namespace {

template <int Rank> struct Memref {
  void *allocated;
  void *aligned;
  int64_t offset;
  int64_t sizes[Rank];
  int64_t strides[Rank];

  template <typename T> T *data() const {
    return static_cast<T *>(aligned) + offset;
  }
};

template <typename T> T &arg(void **args, int index) {
  return *static_cast<T *>(args[index]);
}

int64_t *state(void **args) { return arg<Memref<1>>(args, 1).data<int64_t>(); }

/// (%x: ?x2xf32) -> (x * 2, row numbers), routed to expert 1 and counted.
void twice(void **args) {
  struct Results {
    Memref<2> y;
    Memref<1> rows;
  };
  auto &x = arg<Memref<2>>(args, 2);
  auto &results = arg<Results>(args, 0);
  int64_t n = x.sizes[0];
  EXPECT_EQ(x.strides[0], 2);
  auto *y = static_cast<float *>(malloc(size_t(n) * 8 + 1));
  auto *rows = static_cast<int64_t *>(malloc(size_t(n) * 8 + 1));
  for (int64_t i = 0; i < 2 * n; ++i)
    y[i] = 2 * x.data<float>()[i];
  for (int64_t i = 0; i < n; ++i)
    rows[i] = i;
  results.y = {y, y, 0, {n, 2}, {2, 1}};
  results.rows = {rows, rows, 0, {n}, {1}};

  int64_t *counters = state(args) + 8;
  counters[0] += 1;
  counters[1] += n;
  counters[2] += n;
  counters[3] += n;
  counters[4] += n > 0;
  counters[6] += n;
}

/// (%w: 2x2xf32) -> the transposed weight, as strides and an offset of it.
void transposed(void **args) {
  auto &w = arg<Memref<2>>(args, 2);
  auto *copy = static_cast<float *>(malloc(5 * sizeof(float)));
  for (int i = 0; i < 4; ++i)
    copy[i + 1] = w.data<float>()[i];
  arg<Memref<2>>(args, 0) = {copy, copy, 1, {2, 2}, {1, 2}};
}

/// (%x: ?xf32, %b: i1) -> (%x, %x, a constant, one allocation twice).
void aliases(void **args) {
  static float constant[2] = {5, 6};
  struct Results {
    Memref<1> values[5];
  };
  auto &results = arg<Results>(args, 0);
  results.values[0] = results.values[1] = arg<Memref<1>>(args, 2);
  results.values[2] = {
      reinterpret_cast<void *>(uintptr_t(0xDEADBEEF)), constant, 0, {2}, {1}};
  auto *data = static_cast<float *>(malloc(8));
  data[0] = 7;
  data[1] = 8;
  results.values[3] = {data, data, 0, {1}, {1}};
  results.values[4] = {data, data, 1, {1}, {1}};
}

/// (%code: i64) -> f32; fails with that code.
void failing(void **args) {
  auto *data = static_cast<float *>(malloc(4));
  *data = 1;
  arg<Memref<0>>(args, 0) = {data, data, 0, {}, {}};
  int64_t *s = state(args);
  s[0] = *arg<Memref<0>>(args, 2).data<int64_t>();
  s[1] = 7;
  double actual = s[0] == 4 ? 0.5000001 : 0.51, expected = 0.5;
  memcpy(&s[2], &actual, 8);
  memcpy(&s[3], &expected, 8);
}

/// () -> a result whose shape does not fit, and none.
void wrong(void **args) {
  auto *data = static_cast<float *>(malloc(4));
  arg<Memref<1>>(args, 0) = {data, data, 0, {1}, {1}};
}

std::atomic<int> seenThreads;
void threads(void **) { seenThreads = omp_get_max_threads(); }

const char *manifest = R"({"sluice_manifest": 1, "name": "m", "state_size": 15,
 "weights": [
  {"symbol": "u", "tensor": "unused", "dtype": "i32", "shape": []},
  {"symbol": "w", "tensor": "w.{e}", "dtype": "f32", "shape": [2, 2]}],
 "functions": [
  {"name": "twice",
   "inputs": [{"name": "x", "dtype": "f32", "shape": [-1, 2]}],
   "results": [{"name": "y", "dtype": "f32", "shape": [-1, 2]},
               {"name": "", "dtype": "i64", "shape": [-1]}]},
  {"name": "transposed", "inputs": [], "weights": [1],
   "results": [{"name": "", "dtype": "f32", "shape": [2, 2]}]},
  {"name": "aliases",
   "inputs": [{"dtype": "f32", "shape": [-1]}, {"dtype": "bool", "shape": []}],
   "results": [{"dtype": "f32", "shape": [-1]}, {"dtype": "f32", "shape": [-1]},
               {"dtype": "f32", "shape": [2]}, {"dtype": "f32", "shape": [1]},
               {"dtype": "f32", "shape": [1]}]},
  {"name": "failing", "inputs": [{"dtype": "i64", "shape": []}],
   "results": [{"dtype": "f32", "shape": []}]},
  {"name": "wrong", "inputs": [],
   "results": [{"name": "r", "dtype": "f32", "shape": [3]}]},
  {"name": "threads", "inputs": [], "results": []},
  {"name": "paired",
   "inputs": [{"name": "x", "dtype": "f32", "shape": [-1, 2]},
              {"name": "e", "dtype": "f32", "shape": [-1]}],
   "same_sizes": [{"input": 1, "dimension": 0, "earlier_input": 0,
                   "earlier_dimension": 0}],
   "results": []}],
 "failures": [
  {"code": 1, "kind": "expect_close", "where": "f.mlir:12:3", "tolerance": 1e-5},
  {"code": 2, "kind": "bounds", "where": "f.mlir:1:1",
   "message": "index {actual} at {index} is too large"},
  {"code": 3, "kind": "overflow", "where": "f.mlir:2:1"},
  {"code": 4, "kind": "expect_equal", "where": "f.mlir:3:1"}],
 "counters": [
  {"function": "twice", "op": "experts#0", "where": "f.mlir:9:8", "at": 8,
   "experts": 2, "multiply_adds_per_entry": 3, "weight_bytes_per_expert": 100}]
})";

enum { Twice, Transposed, Aliases, Failing, Wrong, Threads, Paired };

class Call : public ::testing::Test {
protected:
  void SetUp() override {
    std::string path = dir.write(
        "w.safetensors", SafetensorsBuilder()
                             .add("w.1", "F32", "[2]", bytesOf<float>({3, 4}))
                             .add("w.0", "F32", "[2]", bytesOf<float>({1, 2}))
                             .add("unused", "I32", "[]", bytesOf<int>({1}))
                             .build());
    sluice_packed_fn functions[] = {twice,   transposed, aliases,
                                    failing, wrong,      threads, threads};
    sluice_error error;
    ASSERT_EQ(
        sluice_model_create(manifest, functions, path.c_str(), &model, &error),
        0)
        << error.message;
  }
  void TearDown() override { sluice_model_destroy(model); }

  static sluice_tensor tensor(sluice_dtype dtype,
                              const std::vector<int64_t> &shape, void *data) {
    sluice_tensor result = {};
    result.data = data;
    result.dtype = dtype;
    result.rank = int32_t(shape.size());
    std::copy(shape.begin(), shape.end(), result.shape);
    return result;
  }

  /// Calls, expects an error and returns it.
  std::string errorOf(int function, std::vector<sluice_tensor> inputs,
                      std::vector<sluice_tensor> outputs) {
    sluice_error error = {};
    EXPECT_EQ(sluice_model_call(model, function, inputs.data(),
                                int(inputs.size()), outputs.data(),
                                int(outputs.size()), &error),
              1);
    for (const sluice_tensor &output : outputs)
      EXPECT_EQ(output.allocation, nullptr);
    return error.message;
  }

  std::string counters() {
    std::unique_ptr<char, decltype(&free)> text(
        sluice_model_counters_json(model), free);
    return text.get();
  }

  TempDir dir;
  sluice_model *model = nullptr;
};

} // namespace

TEST_F(Call, HandsOverResults) {
  float x[] = {1, 2, 3, 4, 5, 6};
  sluice_tensor input = tensor(SLUICE_F32, {3, 2}, x);
  sluice_tensor outputs[2] = {};
  sluice_error error;
  ASSERT_EQ(sluice_model_call(model, Twice, &input, 1, outputs, 2, &error), 0)
      << error.message;
  EXPECT_EQ(outputs[0].rank, 2);
  EXPECT_EQ(outputs[0].shape[0], 3);
  EXPECT_EQ(static_cast<float *>(outputs[0].data)[5], 12);
  EXPECT_EQ(outputs[1].dtype, SLUICE_I64);
  EXPECT_EQ(static_cast<int64_t *>(outputs[1].data)[2], 2);
  for (sluice_tensor &output : outputs) {
    EXPECT_NE(output.allocation, nullptr);
    sluice_tensor_free(&output);
    EXPECT_EQ(output.data, nullptr);
    sluice_tensor_free(&output);
  }
}

TEST_F(Call, CopiesIntoTheCallersBuffers) {
  float x[] = {1, 2}, y[2] = {};
  int64_t rows[1] = {9};
  sluice_tensor input = tensor(SLUICE_F32, {1, 2}, x);
  sluice_tensor outputs[] = {tensor(SLUICE_F32, {1, 2}, y),
                             tensor(SLUICE_I64, {1}, rows)};
  sluice_error error;
  ASSERT_EQ(sluice_model_call(model, Twice, &input, 1, outputs, 2, &error), 0);
  EXPECT_EQ(y[1], 4);
  EXPECT_EQ(rows[0], 0);
  EXPECT_EQ(outputs[0].allocation, nullptr);
}

TEST_F(Call, NoTokens) {
  sluice_tensor input = tensor(SLUICE_F32, {0, 2}, nullptr);
  sluice_tensor outputs[2] = {};
  sluice_error error;
  ASSERT_EQ(sluice_model_call(model, Twice, &input, 1, outputs, 2, &error), 0);
  for (sluice_tensor &output : outputs) {
    EXPECT_EQ(output.shape[0], 0);
    EXPECT_NE(output.data, nullptr);
    sluice_tensor_free(&output);
  }
}

TEST_F(Call, MisalignedInput) {
  char bytes[9];
  float x[] = {1, 2};
  memcpy(bytes + 1, x, 8);
  sluice_tensor input = tensor(SLUICE_F32, {1, 2}, bytes + 1);
  sluice_tensor outputs[2] = {};
  ASSERT_EQ(sluice_model_call(model, Twice, &input, 1, outputs, 2, nullptr), 0);
  EXPECT_EQ(static_cast<float *>(outputs[0].data)[1], 4);
  for (sluice_tensor &output : outputs)
    sluice_tensor_free(&output);
}

TEST_F(Call, StridedResultOfAStackedWeight) {
  sluice_tensor output = {};
  ASSERT_EQ(
      sluice_model_call(model, Transposed, nullptr, 0, &output, 1, nullptr), 0);
  auto *data = static_cast<float *>(output.data);
  EXPECT_EQ(std::vector<float>(data, data + 4),
            (std::vector<float>{1, 3, 2, 4}));
  sluice_tensor_free(&output);
}

TEST_F(Call, ResultsThatAreNotTheCallersToFree) {
  float x[] = {1, 2, 3};
  uint8_t flag = 1;
  sluice_tensor inputs[] = {tensor(SLUICE_F32, {3}, x),
                            tensor(SLUICE_BOOL, {}, &flag)};
  sluice_tensor outputs[5] = {};
  sluice_error error;
  ASSERT_EQ(sluice_model_call(model, Aliases, inputs, 2, outputs, 5, &error), 0)
      << error.message;
  EXPECT_NE(outputs[0].data, x);
  EXPECT_NE(outputs[0].data, outputs[1].data);
  EXPECT_EQ(static_cast<float *>(outputs[1].data)[2], 3);
  EXPECT_EQ(static_cast<float *>(outputs[2].data)[1], 6);
  EXPECT_EQ(static_cast<float *>(outputs[3].data)[0], 7);
  EXPECT_EQ(static_cast<float *>(outputs[4].data)[0], 8);
  for (sluice_tensor &output : outputs)
    sluice_tensor_free(&output);
}

TEST_F(Call, SizesThatMustBeEqual) {
  float x[6] = {};
  sluice_tensor equal[] = {tensor(SLUICE_F32, {3, 2}, x),
                           tensor(SLUICE_F32, {3}, x)};
  EXPECT_EQ(sluice_model_call(model, Paired, equal, 2, nullptr, 0, nullptr), 0);
  EXPECT_EQ(errorOf(Paired,
                    {tensor(SLUICE_F32, {3, 2}, x), tensor(SLUICE_F32, {2}, x)},
                    {}),
            "paired: input 1 'e': expected dimension 0 to be 3, as dimension 0 "
            "of input 0 'x' is, but got 2");
}

TEST_F(Call, WrongInputs) {
  float x[200] = {};
  EXPECT_EQ(errorOf(Twice, {tensor(SLUICE_F32, {3, 65}, x)}, {{}, {}}),
            "twice: input 0 'x': expected tensor<?x2xf32> but got "
            "tensor<3x65xf32>; dimension 1 must be 2");
  EXPECT_EQ(errorOf(Twice, {tensor(SLUICE_F64, {3, 2}, x)}, {{}, {}}),
            "twice: input 0 'x': expected tensor<?x2xf32> but got "
            "tensor<3x2xf64>; the element type must be f32");
  EXPECT_EQ(errorOf(Twice, {tensor(SLUICE_F32, {2}, x)}, {{}, {}}),
            "twice: input 0 'x': expected tensor<?x2xf32> but got "
            "tensor<2xf32>; the rank must be 2");
  EXPECT_EQ(errorOf(Twice, {tensor(SLUICE_F32, {-3, 2}, x)}, {{}, {}}),
            "twice: input 0 'x': expected dimensions that are not negative and "
            "a size that fits in 63 bits but got tensor<-3x2xf32>");
  EXPECT_EQ(errorOf(Twice, {tensor(SLUICE_F32, {INT64_MAX, 2}, x)}, {{}, {}}),
            "twice: input 0 'x': expected dimensions that are not negative and "
            "a size that fits in 63 bits but got "
            "tensor<9223372036854775807x2xf32>");
  EXPECT_EQ(errorOf(Twice, {tensor(SLUICE_F32, {3, 2}, nullptr)}, {{}, {}}),
            "twice: input 0 'x': expected 24 bytes of data but got a null "
            "pointer");
  sluice_tensor rank9 = tensor(SLUICE_F32, {}, x);
  rank9.rank = 9;
  EXPECT_EQ(errorOf(Twice, {rank9}, {{}, {}}),
            "twice: input 0 'x': expected a rank of 0 to 8 but got 9");
  EXPECT_EQ(errorOf(Twice, {tensor(sluice_dtype(99), {3, 2}, x)}, {{}, {}}),
            "twice: input 0 'x': expected a sluice_dtype but got 99");
  uint8_t flag = 2;
  EXPECT_EQ(
      errorOf(Aliases,
              {tensor(SLUICE_F32, {3}, x), tensor(SLUICE_BOOL, {}, &flag)},
              {{}, {}, {}, {}, {}}),
      "aliases: input 1: expected booleans of 0 or 1 but element 0 is 2");
}

TEST_F(Call, WrongCounts) {
  EXPECT_EQ(errorOf(Twice, {}, {{}, {}}), "twice: expected 1 input but got 0");
  EXPECT_EQ(errorOf(Twice, {{}}, {{}}), "twice: expected 2 outputs but got 1");
  EXPECT_EQ(errorOf(7, {}, {}),
            "expected the index of one of the model's 7 functions but got 7");
  EXPECT_EQ(errorOf(-1, {}, {}),
            "expected the index of one of the model's 7 functions but got -1");
  sluice_error error;
  EXPECT_EQ(sluice_model_call(model, Twice, nullptr, 1, nullptr, 2, &error), 1);
  EXPECT_STREQ(error.message,
               "twice: expected an array of inputs but got a null pointer");
  EXPECT_EQ(sluice_model_call(nullptr, 0, nullptr, 0, nullptr, 0, &error), 1);
}

TEST_F(Call, WrongOutputs) {
  float x[4] = {}, y[8] = {};
  sluice_tensor input = tensor(SLUICE_F32, {2, 2}, x);
  EXPECT_EQ(errorOf(Twice, {input}, {tensor(SLUICE_F32, {4, 2}, y), {}}),
            "twice: output 0 'y': the caller's buffer is tensor<4x2xf32> but "
            "the result is tensor<2x2xf32>");
  EXPECT_EQ(
      errorOf(Twice, {input}, {{}, tensor(SLUICE_I32, {2}, y)}),
      "twice: output 1: expected tensor<?xi64> but got tensor<2xi32>; the "
      "element type must be i64");
  EXPECT_NE(counters().find("\"calls\":0"), std::string::npos)
      << "a call that failed does not count";
}

TEST_F(Call, FailuresOfTheCode) {
  auto failure = [&](int64_t code) {
    return errorOf(Failing, {tensor(SLUICE_I64, {}, &code)}, {{}});
  };
  EXPECT_EQ(failure(1), "f.mlir:12:3: expect_close failed: element 7 is 0.51 "
                        "but 0.5 was expected (tolerance 1e-05)");
  EXPECT_EQ(failure(2), "f.mlir:1:1: index 0.51 at 7 is too large");
  EXPECT_EQ(failure(3), "f.mlir:2:1: overflow failed");
  EXPECT_EQ(failure(4), "f.mlir:3:1: expect_equal failed: element 7 is "
                        "0.5000001 but 0.5 was expected");
  EXPECT_EQ(failure(5), "failing: the compiled code reports failure 5, which "
                        "the model's manifest does not list");
  EXPECT_EQ(
      errorOf(Wrong, {}, {{}}),
      "wrong: result 0 'r': expected tensor<3xf32> but got tensor<1xf32>; "
      "dimension 0 must be 3");
}

TEST_F(Call, CountersAddUpAndReset) {
  float x[6] = {};
  sluice_tensor input = tensor(SLUICE_F32, {3, 2}, x);
  for (int i = 0; i < 2; ++i) {
    sluice_tensor outputs[2] = {};
    ASSERT_EQ(sluice_model_call(model, Twice, &input, 1, outputs, 2, nullptr),
              0);
    sluice_tensor_free(&outputs[0]);
    sluice_tensor_free(&outputs[1]);
  }
  EXPECT_EQ(counters(),
            "{\"routed\":[{\"function\":\"twice\",\"op\":\"experts#0\","
            "\"where\":\"f.mlir:9:8\",\"calls\":2,\"tokens\":6,\"entries\":6,"
            "\"dropped\":6,\"multiply_adds\":18,\"weight_bytes\":200,"
            "\"tokens_per_expert\":[0,6]}]}");
  sluice_model_reset_counters(model);
  EXPECT_NE(counters().find("\"tokens_per_expert\":[0,0]"), std::string::npos);
}

TEST_F(Call, ThreadsAreSetAndRestored) {
  int before = omp_get_max_threads();
  sluice_model_set_threads(model, before + 2);
  ASSERT_EQ(sluice_model_call(model, Threads, nullptr, 0, nullptr, 0, nullptr),
            0);
  EXPECT_EQ(seenThreads, before + 2);
  EXPECT_EQ(omp_get_max_threads(), before);
  sluice_model_set_threads(model, 0);
  ASSERT_EQ(sluice_model_call(model, Threads, nullptr, 0, nullptr, 0, nullptr),
            0);
  EXPECT_EQ(seenThreads, before);
}

TEST_F(Call, FromSeveralThreadsAtOnce) {
  auto work = [&] {
    float x[] = {1, 2};
    sluice_tensor input = tensor(SLUICE_F32, {1, 2}, x);
    for (int i = 0; i < 500; ++i) {
      sluice_tensor outputs[2] = {};
      EXPECT_EQ(sluice_model_call(model, Twice, &input, 1, outputs, 2, nullptr),
                0);
      EXPECT_EQ(static_cast<float *>(outputs[0].data)[1], 4);
      sluice_tensor_free(&outputs[0]);
      sluice_tensor_free(&outputs[1]);
    }
  };
  std::thread other(work);
  work();
  other.join();
  EXPECT_NE(counters().find("\"calls\":1000,"), std::string::npos);
}

TEST_F(Call, Introspection) {
  EXPECT_EQ(sluice_model_num_functions(model), 7);
  EXPECT_STREQ(sluice_model_function_name(model, Aliases), "aliases");
  EXPECT_EQ(sluice_model_function_name(model, 7), nullptr);
  EXPECT_EQ(sluice_model_find_function(model, "failing"), Failing);
  EXPECT_EQ(sluice_model_find_function(model, "no"), -1);
  EXPECT_EQ(sluice_model_num_inputs(model, Aliases), 2);
  EXPECT_EQ(sluice_model_num_results(model, Aliases), 5);
  EXPECT_EQ(sluice_model_num_results(model, -1), -1);
}
