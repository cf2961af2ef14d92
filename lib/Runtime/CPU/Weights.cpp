//===- Weights.cpp - Looking tensors up, and those in memory ----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Weights.h"

#include <algorithm>

using namespace sluice::rt;
using Entry = sluice_weights::Entry;

const char *sluice::rt::fileNameOf(sluice_dtype dtype) {
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
  case SLUICE_I8:
    return "I8";
  }
  return "unknown";
}

bool sluice::rt::isFileNameOf(std::string_view name, sluice_dtype dtype) {
  return name == fileNameOf(dtype) ||
         (dtype == SLUICE_I8 && (name == "U8" || name == "F8_E4M3" ||
                                 name == "F8_E5M2" || name == "F8_E8M0"));
}

bool sluice_weights::buildIndex(std::string_view &duplicate) {
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!index.emplace(entries[i].name, i).second) {
      duplicate = entries[i].name;
      return false;
    }
  }
  return true;
}

/// Edit distance, or `limit` if it is not less.
static size_t editDistance(std::string_view a, std::string_view b,
                           size_t limit) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) >= limit)
    return limit;
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    size_t best = row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
      best = std::min(best, row[j]);
    }
    if (best >= limit)
      return limit;
  }
  return std::min(row[b.size()], limit);
}

const Entry *sluice_weights::find(std::string_view name,
                                  sluice_error *error) const {
  auto found = index.find(name);
  if (found != index.end())
    return &entries[found->second];

  // Longer names than any checkpoint's are not worth the quadratic time.
  constexpr size_t maxLength = 512;
  const Entry *closest = nullptr;
  size_t distance = maxLength;
  if (name.size() <= maxLength) {
    for (const Entry &entry : entries) {
      if (entry.name.size() > maxLength)
        continue;
      size_t d = editDistance(name, entry.name, distance);
      if (d < distance) {
        distance = d;
        closest = &entry;
      }
    }
  }
  std::string message =
      source + ": no tensor " + quoted(name) + " among the " +
      std::to_string(entries.size()) +
      (file.contents().empty() ? " tensors" : " tensors of the file");
  if (closest)
    message += "; the closest name is " + quoted(closest->name);
  setError(error, message);
  return nullptr;
}

static void describeEntry(const Entry &entry, sluice_weight_info &info) {
  info.name = entry.name.c_str();
  info.dtype = entry.dtype.c_str();
  info.rank = int32_t(entry.shape.size());
  info.shape = entry.shape.data();
  info.data = entry.address;
  info.num_bytes = entry.numBytes();
}

/// Checks a tensor of the caller's and makes the table's entry for it.
static bool readTensor(const sluice_named_tensor &named, Entry &entry,
                       std::string &problem) {
  const sluice_tensor &tensor = named.tensor;
  sluice_error reason;
  int64_t bytes = 0;
  if (sluice_tensor_num_bytes(&tensor, &bytes, &reason) != 0) {
    problem = reason.message;
    return false;
  }
  if (bytes != 0 && !tensor.data) {
    problem = "expected " + std::to_string(bytes) +
              " bytes of data but got a null pointer";
    return false;
  }
  entry.name = named.name;
  entry.dtype = fileNameOf(tensor.dtype);
  entry.shape.assign(tensor.shape, tensor.shape + tensor.rank);
  entry.end = bytes;
  entry.address = static_cast<const char *>(tensor.data);
  return true;
}

extern "C" {

int sluice_weights_create(const sluice_named_tensor *tensors, int64_t count,
                          sluice_weights **weights, sluice_error *error) {
  return guarded(error, [&] {
    if (!weights || (count > 0 && !tensors))
      return setError(error, "expected an array of tensors and a place for the "
                             "weights but got a null pointer");
    if (count < 0)
      return setError(error, "expected a number of tensors but got " +
                                 std::to_string(count));
    auto result = std::make_unique<sluice_weights>();
    result->source = "the given weights";
    result->owner = "its";
    result->entries.resize(size_t(count));
    for (size_t i = 0; i < size_t(count); ++i) {
      const char *name = tensors[i].name;
      if (!name || !*name)
        return setError(error, "weight " + std::to_string(i) +
                                   ": expected a name but got " +
                                   (name ? "an empty one" : "a null pointer"));
      std::string problem;
      if (!readTensor(tensors[i], result->entries[i], problem))
        return setError(error, "weight " + std::to_string(i) + " " +
                                   quoted(name) + ": " + problem);
    }
    if (std::string_view duplicate; !result->buildIndex(duplicate))
      return setError(error, result->source + ": duplicate tensor " +
                                 quoted(duplicate));
    *weights = result.release();
    return true;
  });
}

void sluice_weights_close(sluice_weights *weights) {
  if (weights && --weights->references == 0)
    delete weights;
}

int64_t sluice_weights_count(const sluice_weights *weights) {
  return weights ? int64_t(weights->entries.size()) : 0;
}

int sluice_weights_info(const sluice_weights *weights, int64_t index,
                        sluice_weight_info *info, sluice_error *error) {
  return guarded(error, [&] {
    if (!weights || !info)
      return setError(error, "expected open weights and a place for the "
                             "description but got a null pointer");
    if (index < 0 || index >= sluice_weights_count(weights))
      return setError(error, weights->source +
                                 ": expected the index of one of " +
                                 std::to_string(weights->entries.size()) +
                                 " tensors but got " + std::to_string(index));
    describeEntry(weights->entries[size_t(index)], *info);
    return true;
  });
}

int sluice_weights_find(const sluice_weights *weights, const char *name,
                        sluice_weight_info *info, sluice_error *error) {
  return guarded(error, [&] {
    if (!weights || !name || !info)
      return setError(error, "expected open weights, a name and a place for "
                             "the description but got a null pointer");
    const Entry *entry = weights->find(name, error);
    if (entry)
      describeEntry(*entry, *info);
    return entry != nullptr;
  });
}

} // extern "C"
