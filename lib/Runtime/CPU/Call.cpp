//===- Call.cpp - Calling compiled functions --------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Model.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <omp.h>

using namespace sluice::rt;

namespace {

/// MLIR's descriptor of a ranked memref: of `dims`, the first `rank` are the
/// sizes and the next `rank` the strides, both in elements.
struct Descriptor {
  void *allocated;
  void *aligned;
  int64_t offset;
  int64_t dims[2 * SLUICE_MAX_RANK];

  static size_t words(size_t rank) { return 3 + 2 * rank; }
};
static_assert(sizeof(void *) == sizeof(int64_t),
              "descriptors are read as words of 64 bits");

/// Sets the number of OpenMP threads of the calling thread for a while.
class ThreadsScope {
public:
  explicit ThreadsScope(int numThreads) : changed(numThreads > 0) {
    if (!changed)
      return;
    previous = omp_get_max_threads();
    omp_set_num_threads(numThreads);
  }
  ~ThreadsScope() {
    if (changed)
      omp_set_num_threads(previous);
  }

private:
  bool changed;
  int previous = 0;
};

/// One run of sluice_model_call.
class Call {
public:
  Call(const sluice_model &model, size_t function, sluice_error *error)
      : model(model), function(function),
        spec(model.manifest.functions[function]), error(error) {}
  ~Call();

  bool run(const sluice_tensor *inputs, int numInputs, sluice_tensor *outputs,
           int numOutputs);

private:
  bool fail(const std::string &message) {
    return setError(error, spec.name + ": " + message);
  }
  static std::string describe(const char *role, size_t index,
                              const ValueSpec &value);

  bool checkCounts(const sluice_tensor *inputs, int numInputs,
                   const sluice_tensor *outputs, int numOutputs);
  bool checkShape(const std::string &what, const ValueSpec &value,
                  const sluice_tensor &tensor);
  bool checkInput(size_t index, const sluice_tensor &input, int64_t &bytes);
  bool addInput(size_t index, const sluice_tensor &input);
  /// Sizes that the compiled loops take to be equal.
  bool checkSameSizes(const sluice_tensor *inputs);
  void addDescriptor(size_t rank, const int64_t *shape, void *data);

  void invoke();
  /// Turns the state into an error if the code reported a failure.
  bool checkState();
  std::string describeFailure(const FailureSpec &failure) const;

  bool takeResult(size_t index, const int64_t *words);
  bool checkOutput(size_t index, const sluice_tensor &output);
  /// Whether the allocation belongs to an argument or to a constant.
  bool isForeign(const void *allocated) const;

  const sluice_model &model;
  size_t function;
  const FunctionSpec &spec;
  sluice_error *error;

  std::vector<int64_t> state;
  /// State, weights, inputs.
  std::vector<Descriptor> arguments;
  /// Copies of misaligned inputs.
  std::vector<OwnedBytes> copies;
  /// The results' descriptors, one behind the other.
  std::vector<int64_t> resultWords;
  /// What the code allocated and nobody owns yet.
  std::vector<void *> allocations;
  std::vector<OwnedTensor> results;
};

} // namespace

Call::~Call() {
  for (void *allocation : allocations)
    std::free(allocation);
}

std::string Call::describe(const char *role, size_t index,
                           const ValueSpec &value) {
  std::string text = role + (" " + std::to_string(index));
  return value.name.empty() ? text : text + " " + quoted(value.name);
}

bool Call::checkCounts(const sluice_tensor *inputs, int numInputs,
                       const sluice_tensor *outputs, int numOutputs) {
  auto check = [&](const char *role, size_t expected, const void *array,
                   int actual) {
    if (actual < 0 || size_t(actual) != expected)
      return fail("expected " + std::to_string(expected) + " " + role +
                  (expected == 1 ? "" : "s") + " but got " +
                  std::to_string(actual));
    if (expected != 0 && !array)
      return fail(std::string("expected an array of ") + role +
                  "s but got a null pointer");
    return true;
  };
  return check("input", spec.inputs.size(), inputs, numInputs) &&
         check("output", spec.results.size(), outputs, numOutputs);
}

/// Checks everything about a tensor but its data.
bool Call::checkShape(const std::string &what, const ValueSpec &value,
                      const sluice_tensor &tensor) {
  sluice_error reason;
  int64_t bytes;
  if (sluice_tensor_num_bytes(&tensor, &bytes, &reason) != 0)
    return fail(what + ": " + reason.message);

  size_t rank = size_t(tensor.rank);
  std::string problem;
  if (tensor.dtype != value.dtype) {
    problem = "the element type must be " +
              std::string(sluice_dtype_name(value.dtype));
  } else if (rank != value.shape.size()) {
    problem = "the rank must be " + std::to_string(value.shape.size());
  } else {
    for (size_t i = 0; i < rank && problem.empty(); ++i)
      if (value.shape[i] != -1 && value.shape[i] != tensor.shape[i])
        problem = "dimension " + std::to_string(i) + " must be " +
                  std::to_string(value.shape[i]);
  }
  if (problem.empty())
    return true;
  return fail(what + ": expected " +
              typeText(value.dtype, value.shape.size(), value.shape.data()) +
              " but got " + typeText(tensor.dtype, rank, tensor.shape) + "; " +
              problem);
}

bool Call::checkInput(size_t index, const sluice_tensor &input,
                      int64_t &bytes) {
  const ValueSpec &value = spec.inputs[index];
  std::string what = describe("input", index, value);
  if (!checkShape(what, value, input))
    return false;
  sluice_tensor_num_bytes(&input, &bytes, nullptr);
  if (bytes != 0 && !input.data)
    return fail(what + ": expected " + std::to_string(bytes) +
                " bytes of data but got a null pointer");
  if (input.dtype != SLUICE_BOOL)
    return true;
  std::optional<int64_t> invalid = findInvalidBool(input.data, bytes);
  if (!invalid)
    return true;
  int byte = static_cast<const unsigned char *>(input.data)[*invalid];
  return fail(what + ": expected booleans of 0 or 1 but element " +
              std::to_string(*invalid) + " is " + std::to_string(byte));
}

bool Call::checkSameSizes(const sluice_tensor *inputs) {
  for (const SameSizeSpec &same : spec.sameSizes) {
    int64_t size = inputs[same.input].shape[same.dimension];
    int64_t expected = inputs[same.earlierInput].shape[same.earlierDimension];
    if (size != expected)
      return fail(describe("input", same.input, spec.inputs[same.input]) +
                  ": expected dimension " + std::to_string(same.dimension) +
                  " to be " + std::to_string(expected) + ", as dimension " +
                  std::to_string(same.earlierDimension) + " of " +
                  describe("input", same.earlierInput,
                           spec.inputs[same.earlierInput]) +
                  " is, but got " + std::to_string(size));
  }
  return true;
}

void Call::addDescriptor(size_t rank, const int64_t *shape, void *data) {
  Descriptor descriptor = {};
  descriptor.allocated = descriptor.aligned = data;
  // With a dimension of 0 the strides mean nothing, and may be too large.
  uint64_t stride = 1;
  for (size_t i = rank; i-- > 0;) {
    descriptor.dims[i] = shape[i];
    descriptor.dims[rank + i] = int64_t(stride);
    stride *= uint64_t(shape[i]);
  }
  arguments.push_back(descriptor);
}

bool Call::addInput(size_t index, const sluice_tensor &input) {
  int64_t bytes = 0;
  if (!checkInput(index, input, bytes))
    return false;
  void *data = input.data;
  if (!data || !isAligned(data, input.dtype)) {
    OwnedBytes &copy = copies.emplace_back(size_t(bytes));
    if (bytes != 0)
      std::memcpy(copy.get(), data, size_t(bytes));
    data = copy.get();
  }
  addDescriptor(size_t(input.rank), input.shape, data);
  return true;
}

/// UndefinedBehaviorSanitizer would read a function's type in front of its code,
/// where a just-in-time compiler puts nothing, not even memory.
#if defined(__clang__)
__attribute__((no_sanitize("function")))
#endif
static void
callPacked(sluice_packed_fn function, void **args) {
  function(args);
}

void Call::invoke() {
  size_t words = 0;
  for (const ValueSpec &result : spec.results)
    words += Descriptor::words(result.shape.size());
  // Zero, so that a failure leaves no allocation behind that is not there.
  resultWords.assign(std::max<size_t>(words, 1), 0);

  std::vector<void *> args{resultWords.data()};
  for (Descriptor &descriptor : arguments)
    args.push_back(&descriptor);
  // What comes back has to be recorded without allocating.
  allocations.reserve(spec.results.size());
  {
    ThreadsScope threads(model.numThreads);
    callPacked(model.functions[function], args.data());
  }
  const int64_t *at = resultWords.data();
  for (const ValueSpec &result : spec.results) {
    Descriptor descriptor;
    std::memcpy(&descriptor, at, 3 * sizeof(int64_t));
    at += Descriptor::words(result.shape.size());
    void *allocated = descriptor.allocated;
    if (!isForeign(allocated) &&
        std::find(allocations.begin(), allocations.end(), allocated) ==
            allocations.end())
      allocations.push_back(allocated);
  }
}

bool Call::isForeign(const void *allocated) const {
  // MLIR's marker of constants' memrefs, which nobody may free.
  constexpr uintptr_t constantMarker = 0xDEADBEEF;
  if (!allocated || reinterpret_cast<uintptr_t>(allocated) == constantMarker)
    return true;
  return std::any_of(arguments.begin(), arguments.end(),
                     [&](const Descriptor &argument) {
                       return argument.allocated == allocated;
                     });
}

static double asDouble(int64_t bits) {
  double value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

static std::string numberText(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*g", digits, value);
  return text;
}

static void replaceAll(std::string &text, const char *what,
                       const std::string &by) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos;
       at += by.size())
    text.replace(at, std::strlen(what), by);
}

std::string Call::describeFailure(const FailureSpec &failure) const {
  std::string index = std::to_string(state[1]);
  double actualValue = asDouble(state[2]);
  double expectedValue = asDouble(state[3]);
  // As few digits as show the difference.
  std::string actual, expected;
  for (int digits : {6, 9, 17}) {
    actual = numberText(actualValue, digits);
    expected = numberText(expectedValue, digits);
    if (actual != expected)
      break;
  }
  std::string text = failure.message;
  if (text.empty()) {
    text = failure.kind + " failed";
    if (failure.kind.compare(0, 7, "expect_") == 0)
      text += ": element {index} is {actual} but {expected} was expected";
  }
  replaceAll(text, "{index}", index);
  replaceAll(text, "{actual}", actual);
  replaceAll(text, "{expected}", expected);
  if (failure.tolerance)
    text += " (tolerance " + numberText(*failure.tolerance, 6) + ")";
  return failure.where + ": " + text;
}

bool Call::checkState() {
  int64_t code = state[0];
  if (code == 0)
    return true;
  for (const FailureSpec &failure : model.manifest.failures)
    if (failure.code == code)
      return setError(error, describeFailure(failure));
  return fail("the compiled code reports failure " + std::to_string(code) +
              ", which the model's manifest does not list");
}

/// Copies elements of any strides into C order.
static void gather(const Descriptor &from, size_t rank, size_t elementBytes,
                   int64_t count, char *to) {
  const int64_t *sizes = from.dims;
  const int64_t *strides = from.dims + rank;
  const char *data = static_cast<const char *>(from.aligned);
  int64_t index[SLUICE_MAX_RANK] = {};
  int64_t position = from.offset;
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(to, data + position * int64_t(elementBytes), elementBytes);
    to += elementBytes;
    for (size_t d = rank; d-- > 0;) {
      position += strides[d];
      if (++index[d] < sizes[d])
        break;
      position -= strides[d] * sizes[d];
      index[d] = 0;
    }
  }
}

static bool isContiguous(const Descriptor &descriptor, size_t rank) {
  int64_t stride = 1;
  for (size_t i = rank; i-- > 0;) {
    if (descriptor.dims[i] != 1 && descriptor.dims[rank + i] != stride)
      return false;
    stride *= descriptor.dims[i];
  }
  return true;
}

bool Call::takeResult(size_t index, const int64_t *words) {
  const ValueSpec &value = spec.results[index];
  size_t rank = value.shape.size();
  size_t elementBytes = sluice_dtype_size(value.dtype);
  Descriptor descriptor = {};
  std::memcpy(&descriptor, words, Descriptor::words(rank) * sizeof(int64_t));

  OwnedTensor result;
  result.dtype = value.dtype;
  result.rank = int32_t(rank);
  std::copy_n(descriptor.dims, rank, result.shape);
  std::string what = describe("result", index, value);
  if (!checkShape(what, value, result))
    return false;
  int64_t bytes = *countBytes(rank, result.shape, elementBytes);
  if (bytes != 0 && !descriptor.aligned)
    return fail(what + ": the compiled code returned no data");

  bool contiguous = bytes == 0 || isContiguous(descriptor, rank);
  auto owned =
      std::find(allocations.begin(), allocations.end(), descriptor.allocated);
  if (contiguous && bytes != 0 && owned != allocations.end()) {
    // Handed over: whoever takes the result frees it.
    result.allocation = descriptor.allocated;
    result.data = static_cast<char *>(descriptor.aligned) +
                  descriptor.offset * int64_t(elementBytes);
    allocations.erase(owned);
  } else {
    OwnedBytes copy{size_t(bytes)};
    gather(descriptor, rank, elementBytes, bytes / int64_t(elementBytes),
           static_cast<char *>(copy.get()));
    result.data = result.allocation = copy.release();
  }
  results.push_back(std::move(result));
  return true;
}

bool Call::checkOutput(size_t index, const sluice_tensor &output) {
  const sluice_tensor &result = results[index];
  if (!output.data ||
      (output.dtype == result.dtype && output.rank == result.rank &&
       std::equal(result.shape, result.shape + result.rank, output.shape)))
    return true;
  return fail(describe("output", index, spec.results[index]) +
              ": the caller's buffer is " +
              typeText(output.dtype, size_t(output.rank), output.shape) +
              " but the result is " +
              typeText(result.dtype, size_t(result.rank), result.shape));
}

bool Call::run(const sluice_tensor *inputs, int numInputs,
               sluice_tensor *outputs, int numOutputs) {
  if (!checkCounts(inputs, numInputs, outputs, numOutputs))
    return false;
  // What is static about the outputs can be checked before the work.
  for (size_t i = 0; i < spec.results.size(); ++i)
    if (outputs[i].data && !checkShape(describe("output", i, spec.results[i]),
                                       spec.results[i], outputs[i]))
      return false;

  state.assign(model.manifest.stateSize, 0);
  int64_t stateSize = int64_t(state.size());
  addDescriptor(1, &stateSize, state.data());
  for (size_t index : spec.weights) {
    const sluice_tensor &weight = model.weights[index];
    addDescriptor(size_t(weight.rank), weight.shape, weight.data);
  }
  for (size_t i = 0; i < spec.inputs.size(); ++i)
    if (!addInput(i, inputs[i]))
      return false;
  if (!checkSameSizes(inputs))
    return false;

  invoke();
  if (!checkState())
    return false;

  results.reserve(spec.results.size());
  const int64_t *words = resultWords.data();
  for (size_t i = 0; i < spec.results.size(); ++i) {
    if (!takeResult(i, words))
      return false;
    words += Descriptor::words(spec.results[i].shape.size());
  }
  for (size_t i = 0; i < results.size(); ++i)
    if (!checkOutput(i, outputs[i]))
      return false;
  model.addCounters(state);

  // Nothing below can fail, so that an error leaves every output alone.
  for (size_t i = 0; i < results.size(); ++i) {
    OwnedTensor &result = results[i];
    if (!outputs[i].data) {
      outputs[i] = result;
      result.allocation = nullptr;
      continue;
    }
    int64_t bytes = 0;
    sluice_tensor_num_bytes(&result, &bytes, nullptr);
    std::memcpy(outputs[i].data, result.data, size_t(bytes));
  }
  return true;
}

int sluice_model_call(const sluice_model *model, int function,
                      const sluice_tensor *inputs, int numInputs,
                      sluice_tensor *outputs, int numOutputs,
                      sluice_error *error) {
  return guarded(error, [&] {
    if (!model)
      return setError(error, "expected a model but got a null pointer");
    if (!model->function(function))
      return setError(error,
                      "expected the index of one of the model's " +
                          std::to_string(model->manifest.functions.size()) +
                          " functions but got " + std::to_string(function));
    return Call(*model, size_t(function), error)
        .run(inputs, numInputs, outputs, numOutputs);
  });
}
