//===- SpreadRows.h - Rows where kernels read them --------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_TARGET_CPU_SPREADROWS_H
#define SLUICE_LIB_TARGET_CPU_SPREADROWS_H

#include "mlir/IR/Value.h"

#include <string>

namespace sluice {

/// Lets the rows of `buffer`, a matrix that the function allocates, lie
/// `stride` elements apart, so that what writes them writes them where kernels
/// read them, and nothing has to be copied. Returns false, changes nothing and
/// says why in `obstacle` if rows do not fit, or if the buffer comes from
/// elsewhere or goes elsewhere: into a call, a branch, another shape.
bool spreadRows(mlir::Value buffer, int64_t stride, std::string &obstacle);

} // namespace sluice

#endif // SLUICE_LIB_TARGET_CPU_SPREADROWS_H
