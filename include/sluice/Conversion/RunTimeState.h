//===- RunTimeState.h - What compiled code reports --------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_CONVERSION_RUNTIMESTATE_H
#define SLUICE_CONVERSION_RUNTIMESTATE_H

#include "sluice/Conversion/Utils.h"

namespace sluice {

/// Emits code that reports a failure, unless there was one before: `code` (an
/// entry of the manifest's failures), a flat index and the two values, as f64,
/// that its message names. `state` is the first argument of every function
/// (sluice-externalize-state).
void recordFailure(LoopBuilder &b, mlir::Value state, int64_t code,
                   mlir::Value index, mlir::Value actual, mlir::Value expected);

/// Adds `amount`, an index, to word `index` of the state. An op inside another
/// one's body runs in parallel with itself: the addition is atomic.
void addToCounter(LoopBuilder &b, mlir::Value state, mlir::Value index,
                  mlir::Value amount);

} // namespace sluice

#endif // SLUICE_CONVERSION_RUNTIMESTATE_H
