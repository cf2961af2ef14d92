//===- Tensor.cpp - Tensors and helpers of the runtime ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

using namespace sluice::rt;

bool sluice::rt::setError(sluice_error *error,
                          std::string_view message) noexcept {
  if (!error)
    return false;
  constexpr size_t limit = sizeof(error->message) - 1;
  size_t length = message.size();
  if (length > limit) {
    length = limit;
    // Not within a UTF-8 sequence.
    while (length > 0 && (message[length] & 0xC0) == 0x80)
      --length;
  }
  for (size_t i = 0; i < length; ++i) {
    // Names from files may contain anything; a message stays one line.
    unsigned char c = message[i];
    error->message[i] = c < 0x20 || c == 0x7F ? '?' : message[i];
  }
  error->message[length] = '\0';
  return false;
}

std::string sluice::rt::quoted(std::string_view text) {
  // Leaves room for the rest of the message.
  constexpr size_t limit = 300;
  std::string result = "'";
  result += text.substr(0, limit);
  if (text.size() > limit)
    result += "...";
  result += "'";
  return result;
}

std::optional<sluice_dtype> sluice::rt::dtypeNamed(std::string_view name) {
  if (name == "i1")
    return SLUICE_BOOL;
  for (int i = SLUICE_F32; i <= SLUICE_I8; ++i) {
    auto dtype = static_cast<sluice_dtype>(i);
    if (name == sluice_dtype_name(dtype))
      return dtype;
  }
  return std::nullopt;
}

std::string sluice::rt::typeText(std::string_view elementType, size_t rank,
                                 const int64_t *shape) {
  constexpr size_t shown = 16;
  std::string text = "tensor<";
  for (size_t i = 0; i < rank; ++i) {
    if (i == shown) {
      text += "...x";
      break;
    }
    text += shape[i] == -1 ? "?" : std::to_string(shape[i]);
    text += "x";
  }
  text += elementType;
  text += ">";
  return text;
}

std::string sluice::rt::typeText(sluice_dtype dtype, size_t rank,
                                 const int64_t *shape) {
  return typeText(dtype == SLUICE_BOOL ? "i1" : sluice_dtype_name(dtype), rank,
                  shape);
}

std::optional<int64_t> sluice::rt::countElements(size_t rank,
                                                 const int64_t *shape) {
  int64_t count = 1;
  for (size_t i = 0; i < rank; ++i)
    if (shape[i] < 0 || __builtin_mul_overflow(count, shape[i], &count))
      return std::nullopt;
  return count;
}

std::optional<int64_t> sluice::rt::countBytes(size_t rank, const int64_t *shape,
                                              size_t elementBytes) {
  std::optional<int64_t> count = countElements(rank, shape);
  int64_t bytes;
  if (!count || __builtin_mul_overflow(
                    *count, static_cast<int64_t>(elementBytes), &bytes))
    return std::nullopt;
  return bytes;
}

void *sluice::rt::allocateAligned(size_t bytes) {
  // Weights are read in many streams, which prefetchers follow within a page
  // only: large blocks are worth pages of 2 MiB.
  constexpr size_t hugeBytes = 4 << 20;
  const size_t alignment = bytes < hugeBytes ? 64 : 2 << 20;
  if (bytes > SIZE_MAX - alignment)
    throw std::bad_alloc();
  size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void *result = std::aligned_alloc(alignment, rounded ? rounded : alignment);
  if (!result)
    throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  // Advice: if it is not taken, nothing is lost.
  if (bytes >= hugeBytes)
    (void)madvise(result, rounded, MADV_HUGEPAGE);
#endif
  return result;
}

bool sluice::rt::isAligned(const void *address, sluice_dtype dtype) {
  return reinterpret_cast<uintptr_t>(address) % sluice_dtype_size(dtype) == 0;
}

std::optional<int64_t> sluice::rt::findInvalidBool(const void *data,
                                                   int64_t count) {
  auto *bytes = static_cast<const unsigned char *>(data);
  for (int64_t i = 0; i < count; ++i)
    if (bytes[i] > 1)
      return i;
  return std::nullopt;
}

OwnedBytes &OwnedBytes::operator=(OwnedBytes &&other) noexcept {
  std::swap(data, other.data);
  return *this;
}

OwnedBytes::~OwnedBytes() { std::free(data); }

extern "C" {

void sluice_tensor_free(sluice_tensor *tensor) {
  if (!tensor || !tensor->allocation)
    return;
  std::free(tensor->allocation);
  tensor->allocation = nullptr;
  tensor->data = nullptr;
}

size_t sluice_dtype_size(sluice_dtype dtype) {
  switch (dtype) {
  case SLUICE_F64:
  case SLUICE_I64:
    return 8;
  case SLUICE_F32:
  case SLUICE_I32:
    return 4;
  case SLUICE_F16:
  case SLUICE_BF16:
    return 2;
  case SLUICE_BOOL:
  case SLUICE_I8:
    return 1;
  }
  return 0;
}

const char *sluice_dtype_name(sluice_dtype dtype) {
  switch (dtype) {
  case SLUICE_F32:
    return "f32";
  case SLUICE_F64:
    return "f64";
  case SLUICE_F16:
    return "f16";
  case SLUICE_BF16:
    return "bf16";
  case SLUICE_I32:
    return "i32";
  case SLUICE_I64:
    return "i64";
  case SLUICE_I8:
    return "i8";
  case SLUICE_BOOL:
    return "bool";
  }
  return "unknown";
}

int sluice_tensor_num_bytes(const sluice_tensor *tensor, int64_t *numBytes,
                            sluice_error *error) {
  return guarded(error, [&] {
    if (!tensor || !numBytes)
      return setError(error, "expected a tensor and a place for its size but "
                             "got a null pointer");
    size_t elementBytes = sluice_dtype_size(tensor->dtype);
    if (elementBytes == 0)
      return setError(error, "expected a sluice_dtype but got " +
                                 std::to_string(int(tensor->dtype)));
    if (tensor->rank < 0 || tensor->rank > SLUICE_MAX_RANK)
      return setError(error, "expected a rank of 0 to " +
                                 std::to_string(SLUICE_MAX_RANK) + " but got " +
                                 std::to_string(tensor->rank));
    std::optional<int64_t> bytes =
        countBytes(tensor->rank, tensor->shape, elementBytes);
    if (!bytes)
      return setError(
          error, "expected dimensions that are not negative and a size that "
                 "fits in 63 bits but got " +
                     typeText(tensor->dtype, tensor->rank, tensor->shape));
    *numBytes = *bytes;
    return true;
  });
}

} // extern "C"
