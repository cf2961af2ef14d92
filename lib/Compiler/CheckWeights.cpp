//===- CheckWeights.cpp - Whether a file has a model's weights --*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Compiler/Artifact.h"
#include "sluice/Support/HostTensor.h"

#include <memory>

using namespace sluice;

llvm::Error sluice::checkWeights(const ModelInterface &interface,
                                 llvm::StringRef path) {
  sluice_error reason;
  sluice_weights *opened = nullptr;
  if (sluice_weights_open(path.str().c_str(), &opened, &reason) != 0)
    return llvm::createStringError(llvm::Twine(reason.message));
  std::unique_ptr<sluice_weights, decltype(&sluice_weights_close)> file(
      opened, &sluice_weights_close);
  for (const ModelInterface::Weight &weight : interface.getWeights()) {
    std::optional<Dtype> dtype = parseDtype(weight.dtype);
    if (!dtype)
      return llvm::createStringError("weight @" + weight.symbol +
                                     ": unknown element type " + weight.dtype);
    // Loading is the check that the library will make, with its messages.
    sluice_tensor tensor = {};
    if (sluice_weights_load(file.get(), weight.tensor.c_str(),
                            sluice_dtype(*dtype), int32_t(weight.shape.size()),
                            weight.shape.data(), &tensor, &reason) != 0)
      return llvm::createStringError("weight @" + weight.symbol + ": " +
                                     reason.message);
    sluice_tensor_free(&tensor);
  }
  return llvm::Error::success();
}
