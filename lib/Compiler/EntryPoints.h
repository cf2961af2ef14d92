//===- EntryPoints.h - A model's C functions in LLVM IR ---------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_COMPILER_ENTRYPOINTS_H
#define SLUICE_LIB_COMPILER_ENTRYPOINTS_H

#include "sluice/Compiler/Artifact.h"

namespace llvm {
class Module;
} // namespace llvm

namespace sluice {

/// Adds the functions of `interface` to a module that has the packed functions.
/// They call lib/Runtime/Artifact and the runtime.
void addEntryPoints(llvm::Module &module, const ModelInterface &interface,
                    llvm::StringRef manifest, llvm::StringRef features);

/// The names of all functions that addEntryPoints adds.
std::vector<std::string> getExportedNames(const ModelInterface &interface);

} // namespace sluice

#endif // SLUICE_LIB_COMPILER_ENTRYPOINTS_H
