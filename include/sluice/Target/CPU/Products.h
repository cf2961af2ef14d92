//===- Products.h - How a module's products will run ------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TARGET_CPU_PRODUCTS_H
#define SLUICE_TARGET_CPU_PRODUCTS_H

#include "mlir/IR/BuiltinOps.h"
#include "sluice/Target/CPU/Machine.h"
#include "llvm/Support/JSON.h"

namespace sluice {

/// What sluice-cpu-products would make for `machine` of each product with
/// packed weights in `module`, which is on buffers as that pass takes it: a
/// list of objects in the order of the code, with the fields that
/// docs/Performance.md, "Which kernel runs when", has, but for "cpu". The
/// pass's changes of buffers are made, the products stay.
llvm::json::Array describeProducts(mlir::ModuleOp module,
                                   const CPUMachine &machine);

} // namespace sluice

#endif // SLUICE_TARGET_CPU_PRODUCTS_H
