//===- WeightLoad.cpp - Loading and stacking tensors ------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Weights.h"

#include "sluice/Support/NamePattern.h"

#include <algorithm>
#include <cstring>

using namespace sluice;
using namespace sluice::rt;
using Entry = sluice_weights::Entry;

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
    return setError(error, weights.source + ": " + message);
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
  bool hasType = isFileNameOf(entry.dtype, dtype);
  if (hasType && entry.shape.size() == rank &&
      std::equal(entry.shape.begin(), entry.shape.end(), expected))
    return checkBools(entry);

  const char *what = hasType ? " shape" : " element type";
  return fail("tensor " + quoted(entry.name) + ": expected " +
              typeText(fileNameOf(dtype), rank, expected) + " but got " +
              typeText(entry.dtype, entry.shape.size(), entry.shape.data()) +
              "; declare the weight with " + weights.owner + what);
}

bool Loader::checkBools(const Entry &entry) {
  if (dtype != SLUICE_BOOL)
    return true;
  std::optional<int64_t> index =
      findInvalidBool(entry.address, entry.numBytes());
  if (!index)
    return true;
  int value = static_cast<unsigned char>(entry.address[*index]);
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
    if (parts[i]->address != parts[i - 1]->address + parts[i - 1]->numBytes())
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
  if (!parts.empty() && areConsecutive() && parts[0]->address &&
      isAligned(parts[0]->address, dtype)) {
    // It is only read, but the C struct has no const.
    result.data = const_cast<char *>(parts[0]->address);
  } else {
    OwnedBytes copy{size_t(*bytes)};
    char *to = static_cast<char *>(copy.get());
    for (const Entry *part : parts) {
      if (part->numBytes() == 0)
        continue; // its address may be null
      std::memcpy(to, part->address, size_t(part->numBytes()));
      to += part->numBytes();
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
