//===- Internal.h - Helpers of the runtime's sources ------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Internal conventions: a function that can fail returns false and has called
// setError. Only the entry points of the C interface translate to 0 and 1, and
// only they (through `guarded`) catch what the standard library throws.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_RUNTIME_CPU_INTERNAL_H
#define SLUICE_LIB_RUNTIME_CPU_INTERNAL_H

#include "sluice-c/Runtime.h"

#include <exception>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::rt {

/// Writes the text of an error, on one line and cut to fit; `error` may be
/// NULL. Returns false so that a check is one statement.
bool setError(sluice_error *error, std::string_view message) noexcept;

/// Runs the body of an entry point: true gives 0, false and exceptions give 1.
template <typename Fn> int guarded(sluice_error *error, Fn &&body) noexcept {
  try {
    return body() ? 0 : 1;
  } catch (const std::bad_alloc &) {
    setError(error, "out of memory");
  } catch (const std::exception &e) {
    setError(error, e.what());
  }
  return 1;
}

/// 'text', for a message.
std::string quoted(std::string_view text);

/// The element type called `name`; "i1" is another spelling of "bool".
std::optional<sluice_dtype> dtypeNamed(std::string_view name);

/// tensor<?x64xf32>: the type as a model file spells it.
std::string typeText(std::string_view elementType, size_t rank,
                     const int64_t *shape);
std::string typeText(sluice_dtype dtype, size_t rank, const int64_t *shape);

/// The product of `shape`; nothing if a dimension is negative, or the product
/// (of the dimensions before a 0 too) does not fit.
std::optional<int64_t> countElements(size_t rank, const int64_t *shape);

/// The same in bytes; `elementBytes` is positive.
std::optional<int64_t> countBytes(size_t rank, const int64_t *shape,
                                  size_t elementBytes);

/// malloc with the alignment of a cache line (large blocks: of a huge page, which
/// they ask for), so that vector loads do not cross
/// lines. Never NULL: throws std::bad_alloc. Freed with free.
void *allocateAligned(size_t bytes);

/// Whether `address` is aligned for elements of `dtype`.
bool isAligned(const void *address, sluice_dtype dtype);

/// Index of the first byte that is neither 0 nor 1.
std::optional<int64_t> findInvalidBool(const void *data, int64_t count);

/// What allocateAligned returned, until release().
class OwnedBytes {
public:
  OwnedBytes() = default;
  explicit OwnedBytes(size_t bytes) : data(allocateAligned(bytes)) {}
  OwnedBytes(OwnedBytes &&other) noexcept : data(other.release()) {}
  OwnedBytes &operator=(OwnedBytes &&other) noexcept;
  ~OwnedBytes();

  void *get() const { return data; }
  void *release() {
    void *result = data;
    data = nullptr;
    return result;
  }

private:
  void *data = nullptr;
};

} // namespace sluice::rt

#endif // SLUICE_LIB_RUNTIME_CPU_INTERNAL_H
