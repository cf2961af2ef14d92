//===- InjectedBug.h - A wrong pass, to test the search for one -*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TEST_FUZZ_INJECTEDBUG_H
#define SLUICE_TEST_FUZZ_INJECTEDBUG_H

#include "mlir/IR/BuiltinOps.h"

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace sluice {

/// The plan pipeline, and behind it a pass `test-sum-for-product` that turns
/// each arith.mulf into arith.addf.
void buildInjectedBug(mlir::OpPassManager &pm);
mlir::LogicalResult runInjectedBug(mlir::ModuleOp module);

} // namespace sluice

#endif // SLUICE_TEST_FUZZ_INJECTEDBUG_H
