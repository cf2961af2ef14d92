//===- Guards.h - Ops that the wrong numbers would break --------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_ANALYSIS_GUARDS_H
#define SLUICE_ANALYSIS_GUARDS_H

#include "mlir/IR/Operation.h"

namespace sluice {

/// What to say when `op` is given numbers for which upstream leaves its result
/// undefined: an index out of bounds, a slice beyond its tensor, a divisor of
/// 0, a negative size. Empty if its numbers are known to be right, or if it is
/// not an op of that kind. `{actual}`, `{expected}` and `{index}` stand for
/// what the compiled code reports (see sluice-c/Runtime.h); for a tensor,
/// `{index}` is the dimension.
llvm::StringRef getGuardMessage(mlir::Operation *op);

} // namespace sluice

#endif // SLUICE_ANALYSIS_GUARDS_H
