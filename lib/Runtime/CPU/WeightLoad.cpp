//===- WeightLoad.cpp - Loading and stacking tensors of weight files --*- C++
//-*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Safetensors.h"

#include "sluice/Support/NamePattern.h"

#include <algorithm>
#include <cstring>

using namespace sluice;
using namespace sluice::rt;
using Entry = sluice_weights::Entry;

/// The format's name of a type.
static const char *fileNameOf(sluice_dtype dtype) {
  switch (dtype) {
  case SLUICE_F32:
    return "F32";
  case SLUICE_F64:
    return "F64";
  case SLUICE_F16:
    return "F16";
  case SLUICE_BF16:
    return "BF16";
  case SLUICE_I32:
    return "I32";
  case SLUICE_I64:
    return "I64";
  case SLUICE_BOOL:
    return "BOOL";
  }
  return "unknown";
}

namespace {

/// One request to sluice_weights_load.
class Loader {
public:
  Loader(const sluice_weights &weights, sluice_dtype dtype, size_t rank,
         const int64_t *shape, sluice_error *error)
      : weights(weights), dtype(dtype), shape(shape, shape + rank),
        error(error) {}

  bool load(std::string_view patternText, sluice_tensor &tensor);

private:
  bool fail(const std::string &message) {
    return setError(error, quoted(weights.path) + ": " + message);
  }
  /// Finds the tensors of the stack, in order, and checks each.
  bool collect(const NamePattern &pattern);
  bool check(const Entry &entry);
  bool checkBools(const Entry &entry);
  /// Whether the tensors lie one behind the other.
  bool areConsecutive() const;

  const sluice_weights &weights;
  sluice_dtype dtype;
  std::vector<int64_t> shape;
  sluice_error *error;

  /// How many of `shape` are placeholders.
  size_t numLeading = 0;
  std::vector<const Entry *> parts;
};

} // namespace

bool Loader::check(const Entry &entry) {
  size_t rank = shape.size() - numLeading;
  const int64_t *expected = shape.data() + numLeading;
  if (entry.dtype == fileNameOf(dtype) && entry.shape.size() == rank &&
      std::equal(entry.shape.begin(), entry.shape.end(), expected))
    return checkBools(entry);

  const char *advice = entry.dtype != fileNameOf(dtype)
                           ? "declare the weight with the file's element type"
                           : "declare the weight with the file's shape";
  return fail("tensor " + quoted(entry.name) + ": expected " +
              typeText(fileNameOf(dtype), rank, expected) + " but got " +
              typeText(entry.dtype, entry.shape.size(), entry.shape.data()) +
              "; " + advice);
}

bool Loader::checkBools(const Entry &entry) {
  if (dtype != SLUICE_BOOL)
    return true;
  const void *data = weights.address(entry);
  std::optional<int64_t> index = findInvalidBool(data, entry.end - entry.begin);
  if (!index)
    return true;
  int value = static_cast<const unsigned char *>(data)[*index];
  return fail("tensor " + quoted(entry.name) +
              ": expected booleans of 0 or 1 but element " +
              std::to_string(*index) + " is " + std::to_string(value));
}

bool Loader::collect(const NamePattern &pattern) {
  numLeading = pattern.placeholders().size();
  if (numLeading > shape.size())
    return fail("pattern " + quoted(pattern.text()) + " has " +
                std::to_string(numLeading) +
                " placeholders, so it expects at least as many dimensions but "
                "got " +
                typeText(dtype, shape.size(), shape.data()));
  for (size_t i = 0; i < numLeading; ++i)
    if (shape[i] == 0)
      return true;

  std::vector<int64_t> indices(numLeading, 0);
  while (true) {
    const Entry *entry = weights.find(pattern.substitute(indices), error);
    if (!entry || !check(*entry))
      return false;
    parts.push_back(entry);
    // The last index runs fastest.
    size_t i = numLeading;
    while (i > 0 && ++indices[i - 1] == shape[i - 1])
      indices[--i] = 0;
    if (i == 0)
      return true;
  }
}

bool Loader::areConsecutive() const {
  for (size_t i = 1; i < parts.size(); ++i)
    if (parts[i]->begin != parts[i - 1]->end)
      return false;
  return true;
}

bool Loader::load(std::string_view patternText, sluice_tensor &tensor) {
  std::string problem;
  std::optional<NamePattern> pattern = NamePattern::parse(patternText, problem);
  if (!pattern)
    return fail(problem);
  if (!collect(*pattern))
    return false;
  // Fits: the parts' sizes did, and a stack of zero elements is none.
  std::optional<int64_t> bytes =
      countBytes(shape.size(), shape.data(), sluice_dtype_size(dtype));
  if (!bytes)
    return fail("the size of " + typeText(dtype, shape.size(), shape.data()) +
                " does not fit in 63 bits");

  sluice_tensor result = {};
  result.dtype = dtype;
  result.rank = int32_t(shape.size());
  std::copy(shape.begin(), shape.end(), result.shape);
  if (!parts.empty() && areConsecutive() &&
      isAligned(weights.address(*parts[0]), dtype)) {
    // The map is read-only, the C struct has no const.
    result.data = const_cast<void *>(weights.address(*parts[0]));
  } else {
    OwnedBytes copy{size_t(*bytes)};
    char *to = static_cast<char *>(copy.get());
    for (const Entry *part : parts) {
      size_t size = size_t(part->end - part->begin);
      std::memcpy(to, weights.address(*part), size);
      to += size;
    }
    result.data = result.allocation = copy.release();
  }
  tensor = result;
  return true;
}

int sluice_weights_load(const sluice_weights *weights, const char *pattern,
                        sluice_dtype dtype, int32_t rank, const int64_t *shape,
                        sluice_tensor *tensor, sluice_error *error) {
  return guarded(error, [&] {
    if (!weights || !pattern || !tensor || (rank > 0 && !shape))
      return setError(error, "expected open weights, a name, a shape and a "
                             "place for the tensor but got a null pointer");
    if (sluice_dtype_size(dtype) == 0)
      return setError(error, quoted(pattern) +
                                 ": expected a sluice_dtype but got " +
                                 std::to_string(int(dtype)));
    if (rank < 0 || rank > SLUICE_MAX_RANK)
      return setError(error, quoted(pattern) + ": expected a rank of 0 to " +
                                 std::to_string(SLUICE_MAX_RANK) + " but got " +
                                 std::to_string(rank));
    for (int32_t i = 0; i < rank; ++i)
      if (shape[i] < 0)
        return setError(error, quoted(pattern) +
                                   ": expected a static shape but got " +
                                   typeText(dtype, size_t(rank), shape));
    return Loader(*weights, dtype, size_t(rank), shape, error)
        .load(pattern, *tensor);
  });
}
