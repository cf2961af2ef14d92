//===- Manifest.cpp - What the compiler says about a model ------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Manifest.h"

#include "Json.h"

#include <algorithm>
#include <limits>

using namespace sluice::rt;

namespace {

/// Reads members of the JSON tree; the first problem is kept.
class Reader {
public:
  bool read(const JsonValue &root, Manifest &manifest);

  std::string problem;

private:
  bool fail(const std::string &path, const std::string &message) {
    problem = path + ": " + message;
    return false;
  }
  /// The member, of the given kind. A missing one is an error if `required`,
  /// and otherwise nullptr without one.
  const JsonValue *member(const JsonValue &object, const char *key,
                          const std::string &path, JsonValue::Kind kind,
                          bool required = true);
  bool integer(const JsonValue &object, const char *key,
               const std::string &path, int64_t least, int64_t most,
               int64_t &value);
  bool string(const JsonValue &object, const char *key, const std::string &path,
              std::string &value, bool required = true);
  bool type(const JsonValue &object, const std::string &path, int64_t least,
            sluice_dtype &dtype, std::vector<int64_t> &shape);

  /// Calls `readElement(object, its path, item)` for each object of an array.
  template <typename Item, typename Fn>
  bool list(const JsonValue &object, const char *key, const std::string &path,
            bool required, std::vector<Item> &items, Fn readElement);

  bool value(const JsonValue &object, const std::string &path,
             ValueSpec &value);
  bool dimension(const JsonValue &object, const std::string &path,
                 const FunctionSpec &function, const char *inputKey,
                 const char *dimensionKey, size_t &input, size_t &dimension);
  bool weight(const JsonValue &object, const std::string &path,
              WeightSpec &weight);
  bool function(const JsonValue &object, const std::string &path,
                size_t numWeights, FunctionSpec &function);
  bool failure(const JsonValue &object, const std::string &path,
               FailureSpec &failure);
  bool counter(const JsonValue &object, const std::string &path,
               const Manifest &manifest, CounterSpec &counter);
};

constexpr int64_t anyInteger = std::numeric_limits<int64_t>::max();

} // namespace

const JsonValue *Reader::member(const JsonValue &object, const char *key,
                                const std::string &path, JsonValue::Kind kind,
                                bool required) {
  const JsonValue *found = object.find(key);
  if (!found) {
    if (required)
      fail(path, "expected a member '" + std::string(key) + "'");
    return nullptr;
  }
  if (found->kind != kind) {
    fail(path + "." + key, std::string("expected ") + describe(kind) +
                               " but got " + describe(found->kind));
    return nullptr;
  }
  return found;
}

bool Reader::integer(const JsonValue &object, const char *key,
                     const std::string &path, int64_t least, int64_t most,
                     int64_t &value) {
  const JsonValue *found = member(object, key, path, JsonValue::Integer);
  if (!found)
    return false;
  value = found->integer;
  if (value < least || value > most)
    return fail(path + "." + key,
                "expected an integer from " + std::to_string(least) + " to " +
                    std::to_string(most) + " but got " + std::to_string(value));
  return true;
}

bool Reader::string(const JsonValue &object, const char *key,
                    const std::string &path, std::string &value,
                    bool required) {
  const JsonValue *found =
      member(object, key, path, JsonValue::String, required);
  if (!found)
    return problem.empty() && !required;
  value = found->string;
  if (value.find('\0') != std::string::npos)
    return fail(path + "." + key, "expected a text without NUL");
  return true;
}

bool Reader::type(const JsonValue &object, const std::string &path,
                  int64_t least, sluice_dtype &dtype,
                  std::vector<int64_t> &shape) {
  std::string name;
  if (!string(object, "dtype", path, name))
    return false;
  std::optional<sluice_dtype> known = dtypeNamed(name);
  if (!known)
    return fail(path + ".dtype",
                "expected f32, f64, f16, bf16, i8, i32, i64 or "
                "bool but got " +
                    quoted(name));
  dtype = *known;
  const JsonValue *dimensions = member(object, "shape", path, JsonValue::Array);
  if (!dimensions)
    return false;
  if (dimensions->elements.size() > SLUICE_MAX_RANK)
    return fail(path + ".shape",
                "expected at most " + std::to_string(SLUICE_MAX_RANK) +
                    " dimensions but got " +
                    std::to_string(dimensions->elements.size()));
  for (const JsonValue &dimension : dimensions->elements) {
    if (dimension.kind != JsonValue::Integer || dimension.integer < least)
      return fail(path + ".shape",
                  "expected dimensions of at least " + std::to_string(least));
    shape.push_back(dimension.integer);
  }
  return true;
}

template <typename Item, typename Fn>
bool Reader::list(const JsonValue &object, const char *key,
                  const std::string &path, bool required,
                  std::vector<Item> &items, Fn readElement) {
  const JsonValue *array =
      member(object, key, path, JsonValue::Array, required);
  if (!array)
    return problem.empty() && !required;
  items.reserve(array->elements.size());
  for (const JsonValue &element : array->elements) {
    std::string at =
        path + "." + key + "[" + std::to_string(items.size()) + "]";
    if (element.kind != JsonValue::Object)
      return fail(at, std::string("expected an object but got ") +
                          describe(element.kind));
    Item item;
    if (!readElement(element, at, item))
      return false;
    items.push_back(std::move(item));
  }
  return true;
}

bool Reader::value(const JsonValue &object, const std::string &path,
                   ValueSpec &value) {
  return string(object, "name", path, value.name, /*required=*/false) &&
         type(object, path, /*least=*/-1, value.dtype, value.shape);
}

/// A dimension of one of the function's inputs.
bool Reader::dimension(const JsonValue &object, const std::string &path,
                       const FunctionSpec &function, const char *inputKey,
                       const char *dimensionKey, size_t &input,
                       size_t &dimension) {
  int64_t number = 0;
  int64_t count = int64_t(function.inputs.size());
  if (!integer(object, inputKey, path, 0, count - 1, number))
    return false;
  input = size_t(number);
  int64_t rank = int64_t(function.inputs[input].shape.size());
  if (!integer(object, dimensionKey, path, 0, rank - 1, number))
    return false;
  dimension = size_t(number);
  return true;
}

bool Reader::weight(const JsonValue &object, const std::string &path,
                    WeightSpec &weight) {
  if (!string(object, "symbol", path, weight.symbol) ||
      !string(object, "tensor", path, weight.tensor) ||
      !type(object, path, /*least=*/0, weight.dtype, weight.shape))
    return false;
  const JsonValue *panels =
      member(object, "panels", path, JsonValue::Object, /*required=*/false);
  if (!panels)
    return problem.empty();
  std::string at = path + ".panels", layout;
  if (!integer(*panels, "width", at, 1, 1024, weight.panelWidth) ||
      !string(*panels, "of", at, layout))
    return false;
  if (layout != "out_in" && layout != "in_out")
    return fail(at + ".of",
                "expected out_in or in_out but got '" + layout + "'");
  weight.isOutIn = layout == "out_in";
  // What only some panels have; absent, it is as for whole elements in
  // matrices.
  auto optional = [&](const char *key, int64_t least, int64_t most,
                      int64_t &value) {
    const JsonValue *found =
        member(*panels, key, at, JsonValue::Integer, /*required=*/false);
    return found ? integer(*panels, key, at, least, most, value)
                 : problem.empty();
  };
  int64_t bits = 0;
  if (!optional("by", 1, 64, weight.interleave) ||
      !optional("bits", 4, 4, bits) ||
      !optional("dims", 2, SLUICE_MAX_RANK, weight.matrixDims))
    return false;
  weight.numbersPerElement = bits ? 2 : 1;
  if ((bits || weight.matrixDims > 2) && !weight.isOutIn)
    return fail(at + ".of",
                "expected out_in for matrices of several dimensions "
                "and for numbers of 4 bits but got in_out");
  if (bits && sluice_dtype_size(weight.dtype) != 1)
    return fail(at + ".bits", "expected bytes, which hold two numbers each");
  // Packed, a weight has up to two more dimensions.
  int64_t rank = int64_t(weight.shape.size());
  int64_t packedRank =
      rank - weight.matrixDims + (weight.interleave > 1 ? 4 : 3);
  if (rank < weight.matrixDims || packedRank > SLUICE_MAX_RANK)
    return fail(at, "expected a weight of at least " +
                        std::to_string(weight.matrixDims) +
                        " dimensions, and of at most " +
                        std::to_string(SLUICE_MAX_RANK) +
                        " when it is packed, but got " + std::to_string(rank));
  // What fills up a line is 0, which is a number for floats only.
  if (weight.dtype == SLUICE_F16 || weight.dtype == SLUICE_BF16 ||
      weight.dtype == SLUICE_F32 || weight.dtype == SLUICE_F64)
    return true;
  int64_t side = weight.interleave * weight.numbersPerElement, beyond = 1;
  if (!weight.isOutIn) {
    beyond = weight.shape[size_t(rank - 2)] % side;
  } else {
    beyond = weight.numbersPerElement;
    for (int64_t i = rank - weight.matrixDims + 1; i < rank; ++i)
      beyond = beyond * (weight.shape[size_t(i)] % side) % side;
  }
  if (beyond % side != 0)
    return fail(at + ".by",
                "expected a number of inputs that is a multiple of " +
                    std::to_string(side) + ", which lie side by side");
  return true;
}

bool Reader::function(const JsonValue &object, const std::string &path,
                      size_t numWeights, FunctionSpec &function) {
  auto readValue = [&](const JsonValue &element, const std::string &at,
                       ValueSpec &spec) { return value(element, at, spec); };
  if (!string(object, "name", path, function.name) ||
      !list(object, "inputs", path, true, function.inputs, readValue) ||
      !list(object, "results", path, true, function.results, readValue) ||
      !list(object, "same_sizes", path, false, function.sameSizes,
            [&](const JsonValue &element, const std::string &at,
                SameSizeSpec &same) {
              return dimension(element, at, function, "input", "dimension",
                               same.input, same.dimension) &&
                     dimension(element, at, function, "earlier_input",
                               "earlier_dimension", same.earlierInput,
                               same.earlierDimension);
            }))
    return false;
  const JsonValue *used =
      member(object, "weights", path, JsonValue::Array, /*required=*/false);
  if (!used)
    return problem.empty();
  for (const JsonValue &index : used->elements) {
    if (index.kind != JsonValue::Integer || index.integer < 0 ||
        uint64_t(index.integer) >= numWeights)
      return fail(path + ".weights", "expected indices of the model's " +
                                         std::to_string(numWeights) +
                                         " weights");
    function.weights.push_back(size_t(index.integer));
  }
  return true;
}

bool Reader::failure(const JsonValue &object, const std::string &path,
                     FailureSpec &failure) {
  if (!integer(object, "code", path, 1, anyInteger, failure.code) ||
      !string(object, "kind", path, failure.kind) ||
      !string(object, "where", path, failure.where) ||
      !string(object, "message", path, failure.message, /*required=*/false))
    return false;
  if (const JsonValue *tolerance = object.find("tolerance")) {
    if (tolerance->kind == JsonValue::Double)
      failure.tolerance = tolerance->number;
    else if (tolerance->kind == JsonValue::Integer)
      failure.tolerance = double(tolerance->integer);
    else if (tolerance->kind != JsonValue::Null)
      return fail(path + ".tolerance",
                  std::string("expected a number but got ") +
                      describe(tolerance->kind));
  }
  return true;
}

bool Reader::counter(const JsonValue &object, const std::string &path,
                     const Manifest &manifest, CounterSpec &counter) {
  int64_t at = 0, experts = 0;
  int64_t size = int64_t(manifest.stateSize);
  if (!string(object, "function", path, counter.function) ||
      !string(object, "op", path, counter.op) ||
      !string(object, "where", path, counter.where) ||
      !integer(object, "at", path, Manifest::stateHeader, size, at) ||
      !integer(object, "experts", path, 0, size, experts) ||
      !integer(object, "multiply_adds_per_entry", path, 0, anyInteger,
               counter.multiplyAddsPerEntry) ||
      !integer(object, "weight_bytes_per_expert", path, 0, anyInteger,
               counter.weightBytesPerExpert))
    return false;
  if (experts + int64_t(Manifest::counterHeader) > size - at)
    return fail(path, "expected the counters to end within the state of " +
                          std::to_string(size) + " numbers");
  counter.at = size_t(at);
  counter.experts = size_t(experts);
  return true;
}

bool Reader::read(const JsonValue &root, Manifest &manifest) {
  const std::string path = "manifest";
  if (root.kind != JsonValue::Object)
    return fail(path, std::string("expected an object but got ") +
                          describe(root.kind));
  // A state of more than 2^32 numbers is no state but a mistake.
  constexpr int64_t maxState = int64_t(1) << 32;
  int64_t version = 0, stateSize = 0;
  if (!integer(root, "sluice_manifest", path, 1, 1, version) ||
      !string(root, "name", path, manifest.name, /*required=*/false) ||
      !integer(root, "state_size", path, 0, maxState, stateSize))
    return false;
  manifest.stateSize = std::max(size_t(stateSize), Manifest::stateHeader);
  return list(root, "weights", path, false, manifest.weights,
              [&](const JsonValue &element, const std::string &at,
                  WeightSpec &spec) { return weight(element, at, spec); }) &&
         list(root, "functions", path, true, manifest.functions,
              [&](const JsonValue &element, const std::string &at,
                  FunctionSpec &spec) {
                return function(element, at, manifest.weights.size(), spec);
              }) &&
         list(root, "failures", path, false, manifest.failures,
              [&](const JsonValue &element, const std::string &at,
                  FailureSpec &spec) { return failure(element, at, spec); }) &&
         list(root, "counters", path, false, manifest.counters,
              [&](const JsonValue &element, const std::string &at,
                  CounterSpec &spec) {
                return counter(element, at, manifest, spec);
              });
}

std::optional<Manifest> sluice::rt::parseManifest(std::string_view text,
                                                  sluice_error *error) {
  std::string problem;
  std::optional<JsonValue> root = parseJson(text, problem);
  if (!root) {
    setError(error, "the model's manifest is not valid JSON: " + problem);
    return std::nullopt;
  }
  Manifest manifest;
  Reader reader;
  if (!reader.read(*root, manifest)) {
    setError(error, reader.problem);
    return std::nullopt;
  }
  return manifest;
}
