//===- Passes.h - Passes that know a processor ------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TARGET_CPU_PASSES_H
#define SLUICE_TARGET_CPU_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace sluice {

#define GEN_PASS_DECL
#include "sluice/Target/CPU/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "sluice/Target/CPU/Passes.h.inc"

} // namespace sluice

#endif // SLUICE_TARGET_CPU_PASSES_H
