//===- Remarks.h - What passes say about their decisions --------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_COMPILER_REMARKS_H
#define SLUICE_LIB_COMPILER_REMARKS_H

#include "mlir/IR/MLIRContext.h"

namespace sluice {

/// Turns what passes report to MLIR's remark engine into diagnostics of the
/// context: "[pass] what was decided: why". Once for a context.
mlir::LogicalResult reportRemarks(mlir::MLIRContext &context);

} // namespace sluice

#endif // SLUICE_LIB_COMPILER_REMARKS_H
