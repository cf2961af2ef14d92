//===- call.cpp - Any tensors as arguments of a model -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The bytes describe the tensors of one call, right and wrong ones. Buffers have
// exactly the size that their descriptor says, so that a sanitizer sees reads
// and writes beyond. The function reads all that it was promised, as compiled
// code does.
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"

extern "C" {
#include "../../lib/Runtime/Artifact/Artifact.h"
}

#include <cstring>
#include <fuzzer/FuzzedDataProvider.h>
#include <memory>
#include <vector>

using namespace sluice::fuzz;

namespace {

constexpr int numInputs = 6, numResults = 3;

// The generated header's names.
const char *const names[numInputs + numResults] = {
    "x", "ids", "mask", "scale", "half", "deep", "y", "rows", "same"};

const char manifest[] = R"({"sluice_manifest": 1, "name": "model",
 "state_size": 8, "weights": [], "failures": [
   {"code": 1, "kind": "expect_close", "where": "f.mlir:1:1",
    "tolerance": 1e-5},
   {"code": 2, "kind": "bounds", "where": "f.mlir:2:1",
    "message": "index {index} is {actual}, not {expected}"}],
 "counters": [], "functions": [{"name": "moe", "weights": [],
   "inputs": [
     {"name": "x", "dtype": "f32", "shape": [-1, 3]},
     {"name": "ids", "dtype": "i64", "shape": [-1]},
     {"name": "mask", "dtype": "bool", "shape": [-1, 2]},
     {"name": "scale", "dtype": "f64", "shape": []},
     {"name": "half", "dtype": "bf16", "shape": [2, -1]},
     {"name": "deep", "dtype": "i32", "shape": [-1, 1, -1, 1, 1, 2, 1, -1]}],
   "results": [
     {"name": "y", "dtype": "f32", "shape": [-1, 3]},
     {"name": "rows", "dtype": "i64", "shape": [-1]},
     {"name": "same", "dtype": "f32", "shape": [-1, 3]}],
   "same_sizes": [{"input": 1, "dimension": 0, "earlier_input": 0,
                   "earlier_dimension": 0}]}]})";

struct Destroy {
  void operator()(sluice_model *model) const { sluice_model_destroy(model); }
};

/// What the function is told to do, beside its arguments.
struct Behaviour {
  int64_t failure = 0;
  int64_t rows = 0;
  bool isStrided = false;
};
thread_local Behaviour behaviour;

template <int Rank> struct Memref {
  void *allocated;
  void *aligned;
  int64_t offset;
  int64_t sizes[Rank + (Rank == 0)];
  int64_t strides[Rank + (Rank == 0)];
};

template <int Rank, typename T> unsigned readAll(void *descriptor) {
  auto &memref = *static_cast<Memref<Rank> *>(descriptor);
  int64_t count = 1;
  for (int i = 0; i < Rank; ++i)
    count *= memref.sizes[i];
  require(reinterpret_cast<uintptr_t>(memref.aligned) % alignof(T) == 0,
          "arguments are aligned");
  const volatile T *data = static_cast<T *>(memref.aligned) + memref.offset;
  unsigned sum = 0;
  for (int64_t i = 0; i < count; ++i)
    sum += unsigned(int64_t(data[i] != T(0)));
  return sum;
}

/// (x, ids, mask, scale, half, deep) -> (new rows, their numbers, x).
void compiled(void **args) {
  struct Results {
    Memref<2> y;
    Memref<1> rows;
    Memref<2> same;
  };
  auto *state = static_cast<Memref<1> *>(args[1]);
  auto *x = static_cast<Memref<2> *>(args[2]);
  unsigned sum = readAll<2, float>(args[2]) + readAll<1, int64_t>(args[3]) +
                 readAll<2, uint8_t>(args[4]) + readAll<2, uint16_t>(args[6]) +
                 readAll<8, int32_t>(args[7]);
  require(*static_cast<double *>(
              static_cast<Memref<0> *>(args[5])->aligned) != 0.5 ||
              sum + 1 != 0,
          "a number can be read");
  int64_t n = behaviour.rows;
  auto *y = static_cast<float *>(std::calloc(size_t(n) * 3 + 1, 4));
  auto *rows = static_cast<int64_t *>(std::calloc(size_t(n) + 1, 8));
  auto &results = *static_cast<Results *>(args[0]);
  results.y = {y, y, 0, {n, 3}, {3, 1}};
  if (behaviour.isStrided)
    results.y = {y, y, 0, {n, 3}, {1, n}};
  results.rows = {rows, rows, 0, {n}, {1}};
  results.same = *x;
  auto *words = static_cast<int64_t *>(state->aligned);
  words[0] = behaviour.failure;
  words[1] = n;
}

/// A descriptor with a buffer of its size.
class Tensor {
public:
  Tensor(FuzzedDataProvider &bytes, int index);
  /// Filled with garbage, and checked for not being written.
  sluice_tensor tensor = {};
  bool isNull = false;

private:
  std::unique_ptr<char[]> buffer;
};

struct Declared {
  int dtype;
  std::vector<int64_t> shape;
};

} // namespace

static const Declared declared[numInputs + numResults] = {
    {SLUICE_F32, {-1, 3}},  {SLUICE_I64, {-1}},
    {SLUICE_BOOL, {-1, 2}}, {SLUICE_F64, {}},
    {SLUICE_BF16, {2, -1}}, {SLUICE_I32, {-1, 1, -1, 1, 1, 2, 1, -1}},
    {SLUICE_F32, {-1, 3}},  {SLUICE_I64, {-1}},
    {SLUICE_F32, {-1, 3}}};

Tensor::Tensor(FuzzedDataProvider &bytes, int index) {
  const Declared &right = declared[index];
  uint8_t kind = bytes.ConsumeIntegral<uint8_t>();
  isNull = kind == 255;
  tensor.dtype = sluice_dtype(right.dtype);
  tensor.rank = int32_t(right.shape.size());
  for (int i = 0; i < tensor.rank; ++i)
    tensor.shape[i] = right.shape[size_t(i)];
  for (int64_t &size : tensor.shape)
    if (size < 0)
      size = bytes.ConsumeIntegralInRange<int64_t>(0, 4);
  // One thing wrong, or more.
  if (kind & 1)
    tensor.dtype = sluice_dtype(bytes.ConsumeIntegral<int32_t>());
  if (kind & 2)
    tensor.rank = bytes.ConsumeIntegral<int32_t>();
  if (kind & 4)
    tensor.shape[bytes.ConsumeIntegralInRange(0, SLUICE_MAX_RANK - 1)] =
        bytes.ConsumeIntegral<int64_t>();
  if (kind & 8)
    for (int64_t &size : tensor.shape)
      size = bytes.PickValueInArray<int64_t>(
          {0, 1, 2, 3, -1, INT64_MAX, INT64_MIN, int64_t(1) << 32});
  if (kind & 16)
    return; // no data
  int64_t size = 0;
  if (sluice_tensor_num_bytes(&tensor, &size, nullptr) != 0)
    size = 0;
  // A descriptor that lies about its buffer cannot be told from a right one.
  if (size > 1 << 16)
    return;
  // Aligned or not.
  size_t shift = kind & 32 ? 1 : 0;
  size_t total = size_t(size) + shift;
  buffer = std::make_unique<char[]>(total);
  std::vector<uint8_t> content = bytes.ConsumeBytes<uint8_t>(
      tensor.dtype == SLUICE_BOOL && !(kind & 64) ? 0 : size_t(size));
  if (!content.empty())
    std::memcpy(buffer.get() + shift, content.data(), content.size());
  tensor.data = buffer.get() + shift;
}

static sluice_model *createModel() {
  static const sluice_packed_fn functions[] = {compiled};
  static const sluice_artifact_code code = {"x86-64", "", manifest, functions};
  sluice_artifact artifact = {&code, 1, nullptr};
  sluice_model *model = nullptr;
  sluice_error error = {};
  sluice_artifact_load(&artifact, nullptr, &model, &error);
  require(model, error.message);
  return model;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const std::unique_ptr<sluice_model, Destroy> owner(createModel());
  sluice_model *model = owner.get();
  FuzzedDataProvider bytes(data, size);
  behaviour.failure = bytes.ConsumeIntegralInRange<int>(0, 3);
  behaviour.rows = bytes.ConsumeIntegralInRange<int>(0, 5);
  behaviour.isStrided = bytes.ConsumeBool();
  int threads = bytes.ConsumeIntegralInRange<int>(0, 2);
  int function = bytes.ConsumeIntegralInRange<int>(0, 15) ? 0 : 1;

  sluice_model_set_threads(model, threads);

  std::vector<Tensor> tensors;
  tensors.reserve(numInputs + numResults);
  const sluice_tensor *inputs[numInputs];
  sluice_tensor *outputs[numResults], before[numResults];
  for (int i = 0; i < numInputs + numResults; ++i) {
    tensors.emplace_back(bytes, i);
    sluice_tensor *tensor = tensors[size_t(i)].isNull
                                ? nullptr
                                : &tensors[size_t(i)].tensor;
    if (i < numInputs) {
      inputs[i] = tensor;
      continue;
    }
    outputs[i - numInputs] = tensor;
    if (tensor)
      before[i - numInputs] = *tensor;
  }
  sluice_error error;
  error.message[0] = 0;
  int failed = sluice_artifact_call(model, function, inputs, numInputs,
                                outputs, numResults, names, &error);
  require(!failed || error.message[0] != 0, "an error has a message");
  for (int i = 0; i < numResults; ++i) {
    if (!outputs[i])
      continue;
    if (failed)
      require(std::memcmp(outputs[i], &before[i], sizeof(sluice_tensor)) == 0,
              "after an error no output has been changed");
    else if (!before[i].data)
      sluice_tensor_free(outputs[i]);
  }
  return 0;
}
