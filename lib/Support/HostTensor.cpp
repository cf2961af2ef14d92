//===- HostTensor.cpp - Dense tensors in main memory ------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Support/HostTensor.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace llvm;
using namespace sluice;

StringRef sluice::toString(Dtype dtype) {
  return sluice_dtype_name(static_cast<sluice_dtype>(dtype));
}

std::optional<Dtype> sluice::parseDtype(StringRef name) {
  if (name == "i1")
    return Dtype::Bool;
  for (int i = SLUICE_F32; i <= SLUICE_I8; ++i)
    if (name == toString(static_cast<Dtype>(i)))
      return static_cast<Dtype>(i);
  return std::nullopt;
}

size_t sluice::sizeOf(Dtype dtype) {
  return sluice_dtype_size(static_cast<sluice_dtype>(dtype));
}

std::string sluice::typeText(Dtype dtype, ArrayRef<int64_t> shape) {
  std::string text = "tensor<";
  for (int64_t dimension : shape)
    text += (dimension == -1 ? "?" : std::to_string(dimension)) + "x";
  text += dtype == Dtype::Bool ? "i1" : toString(dtype).str();
  return text + ">";
}

static Error sizeError(const Twine &why, ArrayRef<int64_t> shape) {
  std::string text;
  for (int64_t dimension : shape)
    text += (text.empty() ? "" : "x") + std::to_string(dimension);
  return createStringError(why + ": " + text);
}

Expected<int64_t> sluice::numElements(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t dimension : shape) {
    if (dimension < 0)
      return sizeError("expected dimensions that are not negative", shape);
    if (MulOverflow(count, dimension, count))
      return sizeError("the number of elements does not fit in 63 bits", shape);
  }
  return count;
}

static double extend(const fltSemantics &semantics, uint16_t bits) {
  APFloat value(semantics, APInt(16, bits));
  bool losesInfo;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                &losesInfo);
  return value.convertToDouble();
}

static uint16_t round(const fltSemantics &semantics, double number) {
  APFloat value(number);
  bool losesInfo;
  value.convert(semantics, APFloat::rmNearestTiesToEven, &losesInfo);
  return uint16_t(value.bitcastToAPInt().getZExtValue());
}

double sluice::fromF16(uint16_t bits) {
  return extend(APFloat::IEEEhalf(), bits);
}
double sluice::fromBF16(uint16_t bits) {
  // Weights are large and mostly bf16: the upper half of a float, directly.
  uint32_t wide = uint32_t(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof(value));
  return value;
}
uint16_t sluice::toF16(double value) {
  return round(APFloat::IEEEhalf(), value);
}
uint16_t sluice::toBF16(double value) {
  return round(APFloat::BFloat(), value);
}

Expected<HostTensor> HostTensor::create(Dtype dtype, ArrayRef<int64_t> shape) {
  Expected<int64_t> count = sluice::numElements(shape);
  if (!count)
    return count.takeError();
  HostTensor result;
  result.type = dtype;
  result.dims.assign(shape.begin(), shape.end());
  result.count = *count;
  int64_t bytes;
  if (MulOverflow(*count, int64_t(sizeOf(dtype)), bytes))
    return createStringError("the size of " + result.typeText() +
                             " does not fit in 63 bits");
  // calloc leaves the zeroing to the system.
  result.storage.reset(std::calloc(std::max<size_t>(size_t(bytes), 1), 1));
  if (!result.storage)
    return createStringError("out of memory for " + result.typeText());
  return result;
}

Expected<HostTensor> HostTensor::fromDoubles(Dtype dtype,
                                             ArrayRef<int64_t> shape,
                                             ArrayRef<double> values) {
  Expected<HostTensor> result = create(dtype, shape);
  if (!result)
    return result.takeError();
  if (values.size() != size_t(result->count))
    return createStringError("expected " + Twine(result->count) +
                             " values for " + result->typeText() + " but got " +
                             Twine(values.size()));
  for (size_t i = 0; i < values.size(); ++i)
    result->set(int64_t(i), values[i]);
  return result;
}

Expected<HostTensor> HostTensor::fromC(const sluice_tensor &tensor) {
  sluice_error error;
  int64_t bytes;
  if (sluice_tensor_num_bytes(&tensor, &bytes, &error) != 0)
    return createStringError(error.message);
  if (bytes != 0 && !tensor.data)
    return createStringError("expected data but got a null pointer");
  Expected<HostTensor> result =
      create(static_cast<Dtype>(tensor.dtype),
             ArrayRef<int64_t>(tensor.shape, size_t(tensor.rank)));
  if (result && bytes != 0)
    std::memcpy(result->data(), tensor.data, size_t(bytes));
  return result;
}

Expected<HostTensor> HostTensor::clone() const {
  Expected<HostTensor> result = create(type, dims);
  if (result && count != 0)
    std::memcpy(result->data(), data(), numBytes());
  return result;
}

double HostTensor::get(int64_t index) const {
  size_t i = size_t(index);
  switch (type) {
  case Dtype::F32:
    return as<float>()[i];
  case Dtype::F64:
    return as<double>()[i];
  case Dtype::F16:
    return fromF16(as<uint16_t>()[i]);
  case Dtype::BF16:
    return fromBF16(as<uint16_t>()[i]);
  case Dtype::I32:
  case Dtype::I64:
  case Dtype::Bool:
  case Dtype::I8:
    return double(getInteger(index));
  }
  return 0;
}

int64_t HostTensor::getInteger(int64_t index) const {
  size_t i = size_t(index);
  switch (type) {
  case Dtype::I32:
    return as<int32_t>()[i];
  case Dtype::I64:
    return as<int64_t>()[i];
  case Dtype::Bool:
    return as<uint8_t>()[i] != 0;
  case Dtype::I8:
    return as<int8_t>()[i];
  default:
    assert(false && "not a tensor of integers");
    return 0;
  }
}

template <typename T> static T saturate(double value) {
  if (std::isnan(value))
    return 0;
  // Both limits are exact: -2^n and 2^n.
  constexpr double limit = -double(std::numeric_limits<T>::min());
  if (value < -limit)
    return std::numeric_limits<T>::min();
  return value >= limit ? std::numeric_limits<T>::max() : T(value);
}

void HostTensor::set(int64_t index, double value) {
  size_t i = size_t(index);
  switch (type) {
  case Dtype::F32:
    as<float>()[i] = float(value);
    break;
  case Dtype::F64:
    as<double>()[i] = value;
    break;
  case Dtype::F16:
    as<uint16_t>()[i] = toF16(value);
    break;
  case Dtype::BF16:
    as<uint16_t>()[i] = toBF16(value);
    break;
  case Dtype::I32:
    as<int32_t>()[i] = saturate<int32_t>(value);
    break;
  case Dtype::I64:
    as<int64_t>()[i] = saturate<int64_t>(value);
    break;
  case Dtype::Bool:
    as<uint8_t>()[i] = value != 0;
    break;
  case Dtype::I8:
    as<int8_t>()[i] = saturate<int8_t>(value);
    break;
  }
}

void HostTensor::setInteger(int64_t index, int64_t value) {
  size_t i = size_t(index);
  switch (type) {
  case Dtype::I32:
    as<int32_t>()[i] = int32_t(uint32_t(value));
    break;
  case Dtype::I64:
    as<int64_t>()[i] = value;
    break;
  case Dtype::Bool:
    as<uint8_t>()[i] = value != 0;
    break;
  case Dtype::I8:
    as<int8_t>()[i] = int8_t(uint8_t(value));
    break;
  default:
    assert(false && "not a tensor of integers");
  }
}

std::vector<double> HostTensor::toDoubles() const {
  std::vector<double> values(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i)
    values[size_t(i)] = get(i);
  return values;
}

SmallVector<int64_t> HostTensor::unflatten(int64_t index) const {
  SmallVector<int64_t> result(dims.size());
  for (size_t i = dims.size(); i-- > 0;) {
    result[i] = index % dims[i];
    index /= dims[i];
  }
  return result;
}

Expected<sluice_tensor> HostTensor::toC() const {
  if (dims.size() > SLUICE_MAX_RANK)
    return createStringError("expected at most " + Twine(SLUICE_MAX_RANK) +
                             " dimensions but got " + typeText());
  sluice_tensor tensor = {};
  tensor.data = storage.get();
  tensor.dtype = static_cast<sluice_dtype>(type);
  tensor.rank = int32_t(dims.size());
  llvm::copy(dims, tensor.shape);
  return tensor;
}
