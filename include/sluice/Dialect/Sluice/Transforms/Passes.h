//===- Passes.h - Passes within the sluice dialect --------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_DIALECT_SLUICE_TRANSFORMS_PASSES_H
#define SLUICE_DIALECT_SLUICE_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir {
class ModuleOp;
namespace func {
class FuncOp;
} // namespace func
} // namespace mlir

namespace sluice {

#define GEN_PASS_DECL
#include "sluice/Dialect/Sluice/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "sluice/Dialect/Sluice/Transforms/Passes.h.inc"

} // namespace sluice

#endif // SLUICE_DIALECT_SLUICE_TRANSFORMS_PASSES_H
