//===- Weights.cpp - Weight files for C++ -----------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Support/Weights.h"

#include "llvm/ADT/ScopeExit.h"

using namespace llvm;
using namespace sluice;

static WeightsFile::Info toInfo(const sluice_weight_info &info) {
  return {info.name, info.dtype,
          ArrayRef<int64_t>(info.shape, size_t(info.rank)),
          ArrayRef<char>(static_cast<const char *>(info.data),
                         size_t(info.num_bytes))};
}

Expected<WeightsFile> WeightsFile::open(StringRef path) {
  sluice_error error;
  sluice_weights *opened;
  if (sluice_weights_open(path.str().c_str(), &opened, &error) != 0)
    return createStringError(error.message);
  WeightsFile file;
  file.weights.reset(opened);
  return file;
}

Expected<WeightsFile>
WeightsFile::fromMemory(ArrayRef<sluice_named_tensor> tensors) {
  sluice_error error;
  sluice_weights *created;
  if (sluice_weights_create(tensors.data(), int64_t(tensors.size()), &created,
                            &error) != 0)
    return createStringError(error.message);
  WeightsFile weights;
  weights.weights.reset(created);
  return weights;
}

WeightsFile::Info WeightsFile::info(int64_t index) const {
  sluice_weight_info info;
  if (sluice_weights_info(weights.get(), index, &info, nullptr) != 0)
    return {};
  return toInfo(info);
}

Expected<WeightsFile::Info> WeightsFile::find(StringRef name) const {
  sluice_error error;
  sluice_weight_info info;
  if (sluice_weights_find(weights.get(), name.str().c_str(), &info, &error))
    return createStringError(error.message);
  return toInfo(info);
}

/// Loads for `use`, and frees afterwards.
template <typename Fn>
static auto withTensor(const sluice_weights *weights, StringRef pattern,
                       Dtype dtype, ArrayRef<int64_t> shape, Fn use)
    -> decltype(use(std::declval<const sluice_tensor &>())) {
  if (shape.size() > SLUICE_MAX_RANK)
    return createStringError("'" + pattern + "': expected at most " +
                             Twine(SLUICE_MAX_RANK) + " dimensions but got " +
                             typeText(dtype, shape));
  sluice_error error;
  sluice_tensor tensor;
  if (sluice_weights_load(
          weights, pattern.str().c_str(), static_cast<sluice_dtype>(dtype),
          int32_t(shape.size()), shape.data(), &tensor, &error) != 0)
    return createStringError(error.message);
  scope_exit guard([&] { sluice_tensor_free(&tensor); });
  return use(tensor);
}

Expected<HostTensor> WeightsFile::load(StringRef pattern, Dtype dtype,
                                       ArrayRef<int64_t> shape) const {
  return withTensor(
      weights.get(), pattern, dtype, shape,
      [](const sluice_tensor &tensor) { return HostTensor::fromC(tensor); });
}

Expected<std::vector<double>>
WeightsFile::loadAsDoubles(StringRef pattern, Dtype dtype,
                           ArrayRef<int64_t> shape) const {
  return withTensor(
      weights.get(), pattern, dtype, shape,
      [](const sluice_tensor &tensor) -> Expected<std::vector<double>> {
        Expected<HostTensor> copy = HostTensor::fromC(tensor);
        if (!copy)
          return copy.takeError();
        return copy->toDoubles();
      });
}
