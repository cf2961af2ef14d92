//===- safetensors.cpp - Any bytes as a weight file -------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"

#include "sluice-c/Runtime.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

using namespace sluice::fuzz;

namespace {
struct Close {
  void operator()(sluice_weights *weights) const {
    sluice_weights_close(weights);
  }
};
} // namespace

/// Reads each byte, so that a sanitizer sees those that are not there.
static void readAll(const void *data, int64_t bytes) {
  unsigned sum = 0;
  for (int64_t i = 0; i < bytes; ++i)
    sum += static_cast<const volatile unsigned char *>(data)[i];
  (void)sum;
}

static void requireOneLine(const sluice_error &error) {
  std::string_view text(error.message,
                        strnlen(error.message, sizeof(error.message)));
  require(text.size() < sizeof(error.message), "a message ends");
  require(!text.empty(), "an error has a message");
  require(text.find('\n') == text.npos, "a message is one line");
}

static void load(const sluice_weights *weights, const std::string &pattern,
                 sluice_dtype dtype, int32_t rank, const int64_t *shape) {
  sluice_tensor tensor;
  sluice_error error;
  if (sluice_weights_load(weights, pattern.c_str(), dtype, rank, shape, &tensor,
                          &error) != 0)
    return requireOneLine(error);
  int64_t bytes = 0;
  require(sluice_tensor_num_bytes(&tensor, &bytes, nullptr) == 0,
          "a loaded tensor is valid");
  readAll(tensor.data, bytes);
  sluice_tensor_free(&tensor);
}

/// The tensor as it is, with another type, and as a slice of a stack.
static void loadAll(const sluice_weights *weights,
                    const sluice_weight_info &info) {
  int32_t rank = std::min<int32_t>(info.rank, SLUICE_MAX_RANK);
  for (int dtype = SLUICE_F32 - 1; dtype <= SLUICE_I8 + 1; ++dtype)
    load(weights, info.name, sluice_dtype(dtype), rank, info.shape);
  if (rank == SLUICE_MAX_RANK)
    return;
  std::string pattern = info.name;
  size_t digit = pattern.find_first_of("0123456789");
  if (digit == pattern.npos)
    return;
  std::string first = pattern.substr(digit, 1);
  pattern.replace(digit, 1, "{e+" + first + "}");
  for (int64_t count : {0, 1, 2, 3}) {
    int64_t shape[SLUICE_MAX_RANK] = {count};
    std::copy_n(info.shape, rank, shape + 1);
    load(weights, pattern, SLUICE_F32, rank + 1, shape);
    load(weights, pattern, SLUICE_BF16, rank + 1, shape);
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  InMemoryFile file(data, size);
  sluice_weights *opened = nullptr;
  sluice_error error;
  if (sluice_weights_open(file.path().c_str(), &opened, &error) != 0) {
    requireOneLine(error);
    return 0;
  }
  std::unique_ptr<sluice_weights, Close> weights(opened);
  int64_t count = sluice_weights_count(weights.get());
  for (int64_t i = 0; i < count; ++i) {
    sluice_weight_info info, found;
    require(sluice_weights_info(weights.get(), i, &info, &error) == 0,
            "each tensor has a description");
    readAll(info.data, info.num_bytes);
    if (sluice_weights_find(weights.get(), info.name, &found, &error) != 0)
      requireOneLine(error); // a name with a NUL in it
    // Errors compare names with all others.
    if (i < 8)
      loadAll(weights.get(), info);
  }
  sluice_weight_info info;
  if (sluice_weights_find(weights.get(), "experts.0.weight", &info, &error))
    requireOneLine(error);
  require(sluice_weights_info(weights.get(), count, &info, &error) == 1,
          "there is no tensor behind the last");
  return 0;
}
