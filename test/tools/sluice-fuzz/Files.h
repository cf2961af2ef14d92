//===- Files.h - A case as files --------------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TEST_FUZZ_FILES_H
#define SLUICE_TEST_FUZZ_FILES_H

#include "Case.h"

#include "sluice/Support/HostTensor.h"
#include "llvm/Support/Error.h"

namespace sluice {

/// Writes the arguments of `c` that are weights as a safetensors file.
llvm::Error writeWeights(const Case &c, llvm::ArrayRef<HostTensor> values,
                         llvm::StringRef path);

/// Writes model.mlir, majorant.mlir, weights.safetensors and input<n>.npy into
/// `folder`, which is made. The model says in its first lines what `why` says,
/// and how to repeat it. Without `values` only the modules.
llvm::Error dumpCase(const Case &c, llvm::ArrayRef<HostTensor> values,
                     llvm::StringRef folder, llvm::StringRef why);

} // namespace sluice

#endif // SLUICE_TEST_FUZZ_FILES_H
