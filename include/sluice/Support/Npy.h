//===- Npy.h - Tensors as NumPy's files -------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_SUPPORT_NPY_H
#define SLUICE_SUPPORT_NPY_H

#include "sluice/Support/HostTensor.h"

namespace sluice {

/// Reads the .npy file at `path` (`-`: standard input): versions 1 to 3, C
/// order, little endian; f32, f64, f16, i8 ('|i1', and '|u1' as the same
/// bytes), i32, i64 and bool.
///
/// If `expected` is given, another element type is an error. NumPy has no bf16:
/// a file of '<u2', or of 2-byte voids, is read as bf16 if that is expected,
/// and is an error otherwise. Shapes may have any rank and contain 0.
llvm::Expected<HostTensor> readNpy(llvm::StringRef path,
                                   std::optional<Dtype> expected = {});

/// Writes `tensor` to `path` as AtomicFile.h describes (`-`: standard output),
/// version 1, or 2 if the header needs it; bf16 becomes '<u2'.
llvm::Error writeNpy(llvm::StringRef path, const HostTensor &tensor);

} // namespace sluice

#endif // SLUICE_SUPPORT_NPY_H
