//===- npy.cpp - Any bytes as an array --------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"

#include "sluice/Support/Npy.h"

using namespace sluice;
using namespace sluice::fuzz;

static void read(const std::string &path, std::optional<Dtype> expected) {
  llvm::Expected<HostTensor> tensor = readNpy(path, expected);
  if (!tensor) {
    std::string message = llvm::toString(tensor.takeError());
    require(!message.empty(), "an error has a message");
    require(message.find('\n') == message.npos, "a message is one line");
    return;
  }
  require(!expected || tensor->dtype() == *expected,
          "the element type is the expected one");
  std::vector<double> values = tensor->toDoubles();
  require(int64_t(values.size()) == tensor->numElements(),
          "all elements can be read");
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  InMemoryFile file(data, size);
  read(file.path(), std::nullopt);
  for (Dtype type : {Dtype::F32, Dtype::F64, Dtype::F16, Dtype::BF16,
                     Dtype::I32, Dtype::I64, Dtype::Bool, Dtype::I8})
    read(file.path(), type);
  return 0;
}
