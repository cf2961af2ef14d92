//===- CheckModel.h - What can be compiled ----------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_COMPILER_CHECKMODEL_H
#define SLUICE_LIB_COMPILER_CHECKMODEL_H

#include "mlir/IR/BuiltinOps.h"

namespace sluice {

/// Refuses, with a diagnostic, what is valid IR but would fail further down
/// without one, or crash when it runs:
///
/// - a module without a public function, or with modules inside it;
/// - ops outside the dialects of models: those of other dialects may abort,
///   leave the memory of their values, or stand for another machine;
/// - functions that call themselves: nothing bounds the stack that they need;
/// - functions with the names of C functions that compiled code calls;
/// - tensors whose static size has no number of bytes, and constants that would
///   make the code larger than any code model allows.
mlir::LogicalResult checkModel(mlir::ModuleOp module);

} // namespace sluice

#endif // SLUICE_LIB_COMPILER_CHECKMODEL_H
