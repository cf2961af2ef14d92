//===- EntryPoints.h - A model's C functions in LLVM IR ---------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_COMPILER_ENTRYPOINTS_H
#define SLUICE_LIB_COMPILER_ENTRYPOINTS_H

#include "Target.h"

#include "sluice/Compiler/Artifact.h"

namespace llvm {
class Module;
} // namespace llvm

namespace sluice {

/// The code for one processor in a module.
struct ProcessorCode {
  const Processor *processor;
  std::string manifest;
  /// What its packed functions' names have behind getPackedName.
  std::string suffix;
};

/// Adds the functions of `interface` to a module that has the packed functions
/// of all `codes`, the best first. They call lib/Runtime/Artifact and the
/// runtime, and run on every processor of the architecture: it is they who
/// find out which one it is.
void addEntryPoints(llvm::Module &module, const ModelInterface &interface,
                    llvm::ArrayRef<ProcessorCode> codes);

/// What every interface has, without the prefix, besides the model's functions.
llvm::ArrayRef<llvm::StringLiteral> getCommonNames();

/// The names of all functions that addEntryPoints adds.
std::vector<std::string> getExportedNames(const ModelInterface &interface);

} // namespace sluice

#endif // SLUICE_LIB_COMPILER_ENTRYPOINTS_H
