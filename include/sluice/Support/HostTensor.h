//===- HostTensor.h - Dense tensors in main memory --------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_SUPPORT_HOSTTENSOR_H
#define SLUICE_SUPPORT_HOSTTENSOR_H

#include "sluice-c/Runtime.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice {

/// The element types of the runtime, see sluice_dtype.
enum class Dtype : int {
  F32 = SLUICE_F32,
  F64 = SLUICE_F64,
  F16 = SLUICE_F16,
  BF16 = SLUICE_BF16,
  I32 = SLUICE_I32,
  I64 = SLUICE_I64,
  Bool = SLUICE_BOOL,
  I8 = SLUICE_I8
};

/// "f32", "f64", "f16", "bf16", "i32", "i64", "bool" or "i8".
llvm::StringRef toString(Dtype dtype);
/// The inverse; "i1" is bool too.
std::optional<Dtype> parseDtype(llvm::StringRef name);
/// Bytes of one element.
size_t sizeOf(Dtype dtype);
inline bool isFloat(Dtype dtype) { return dtype <= Dtype::BF16; }

/// tensor<3x64xf32>: how a model file spells the type; -1 is printed as `?`,
/// bool as i1.
std::string typeText(Dtype dtype, llvm::ArrayRef<int64_t> shape);

/// The product of the dimensions; an error if one is negative or the product,
/// taken from the left, does not fit in 63 bits. A rank of 0 gives 1.
llvm::Expected<int64_t> numElements(llvm::ArrayRef<int64_t> shape);

/// Exact extension of a half precision number's bits, and rounding of `value`
/// to one, to nearest with ties to even, in one step.
double fromF16(uint16_t bits);
double fromBF16(uint16_t bits);
uint16_t toF16(double value);
uint16_t toBF16(double value);

/// A tensor that owns its elements: dense, C order, aligned for any type.
/// Any rank. It can be moved; `clone` copies it.
class HostTensor {
public:
  /// An f32 tensor of shape [0].
  HostTensor() : dims{0} {}

  /// A tensor of zeros; an error if a dimension is negative, or the size does
  /// not fit, or there is no memory for it.
  static llvm::Expected<HostTensor> create(Dtype dtype,
                                           llvm::ArrayRef<int64_t> shape);
  /// The same with elements: as `set` converts them, one per element of the
  /// shape, else an error.
  static llvm::Expected<HostTensor> fromDoubles(Dtype dtype,
                                                llvm::ArrayRef<int64_t> shape,
                                                llvm::ArrayRef<double> values);
  /// A copy of a tensor of the C interface.
  static llvm::Expected<HostTensor> fromC(const sluice_tensor &tensor);
  llvm::Expected<HostTensor> clone() const;

  Dtype dtype() const { return type; }
  llvm::ArrayRef<int64_t> shape() const { return dims; }
  int64_t rank() const { return int64_t(dims.size()); }
  int64_t numElements() const { return count; }
  size_t numBytes() const { return size_t(count) * sizeOf(type); }
  std::string typeText() const { return sluice::typeText(type, dims); }

  void *data() { return storage.get(); }
  const void *data() const { return storage.get(); }
  /// The raw bytes, e.g. to fill the tensor.
  llvm::MutableArrayRef<char> bytes() {
    return {static_cast<char *>(data()), numBytes()};
  }
  llvm::ArrayRef<char> bytes() const {
    return {static_cast<const char *>(data()), numBytes()};
  }

  /// The elements as `T`, which has to have the size of the element type:
  /// float, double, uint16_t (f16 and bf16), int32_t, int64_t, int8_t, bool's
  /// uint8_t.
  template <typename T> llvm::MutableArrayRef<T> as() {
    assert(sizeof(T) == sizeOf(type) && "view of another element size");
    return {static_cast<T *>(data()), size_t(count)};
  }
  template <typename T> llvm::ArrayRef<T> as() const {
    assert(sizeof(T) == sizeOf(type) && "view of another element size");
    return {static_cast<const T *>(data()), size_t(count)};
  }

  /// The element at a flat index as a double. Exact, except for i64 beyond
  /// 2^53, which is rounded to nearest; a bool is 0 or 1.
  double get(int64_t index) const;
  /// The element of an i32, i64, bool or i8 tensor.
  int64_t getInteger(int64_t index) const;

  /// Stores `value`. Floating point types: rounded once, to nearest, ties to
  /// even. Integers: truncated toward zero, stopped at the smallest and the
  /// largest value, NaN becomes 0. Bool: whether the value is not 0.
  void set(int64_t index, double value);
  /// Stores into an i32 or i8 (the lower bits), i64 or bool tensor.
  void setInteger(int64_t index, int64_t value);

  std::vector<double> toDoubles() const;

  /// The index along each dimension of a flat index below numElements().
  llvm::SmallVector<int64_t> unflatten(int64_t index) const;

  /// A view for the C interface, which must not outlive this tensor; an error
  /// if the rank is more than SLUICE_MAX_RANK. `allocation` is NULL.
  llvm::Expected<sluice_tensor> toC() const;

private:
  struct Free {
    void operator()(void *memory) const { std::free(memory); }
  };

  Dtype type = Dtype::F32;
  llvm::SmallVector<int64_t> dims;
  int64_t count = 0;
  std::unique_ptr<void, Free> storage;
};

} // namespace sluice

#endif // SLUICE_SUPPORT_HOSTTENSOR_H
