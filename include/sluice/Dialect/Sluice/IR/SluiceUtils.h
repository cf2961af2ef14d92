//===- SluiceUtils.h - Names that reports give to ops -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The interpreter and compiled code report the same counters under the same
// names, so the names are made here and nowhere else.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_DIALECT_SLUICE_IR_SLUICEUTILS_H
#define SLUICE_DIALECT_SLUICE_IR_SLUICEUTILS_H

#include "mlir/IR/Location.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <string>

namespace sluice {

/// True if `op` runs experts where tokens were routed: `sluice.experts`,
/// `sluice.mixed_experts` and `sluice.grouped`. Each of its regions is a *routed
/// body*.
bool isRoutedOp(mlir::Operation *op);

/// Calls `visit` for the routed bodies within `root` in the order in which they
/// are numbered: as written, an outer body before the ones in it.
void walkRoutedBodies(mlir::Operation *root,
                      llvm::function_ref<void(mlir::Region &)> visit);

/// The name of a routed body in reports: the string attribute `sluice.label` if
/// the op has one, else "experts#" and the body's number among those of its
/// function, counted from 0. `sluice.grouped` counts as the `sluice.experts`
/// that it was made from, and each case of `sluice.mixed_experts` as the one
/// that will be made from it; of a labelled op with several cases, a name also
/// says the case, "label.0".
std::string getRoutedBodyName(mlir::Region &body);

/// The body's argument for an operand that is a parameter of experts, at either
/// level; null for other operands.
mlir::BlockArgument getParamArgument(mlir::OpOperand &use);

/// A `sluice.limit` that took entries out of gates, and the experts, by the
/// limit's numbers, whose missing entries these gates would have had.
struct LimitedExperts {
  mlir::Operation *limit;
  int64_t from;
  int64_t to;
};

/// The limits that `gates` came through. An argument of a function is followed
/// to all calls of the function, and the result of a call into the function if
/// nothing else calls it; results of other dialects' ops with regions (`scf.if`,
/// `scf.for`) have none.
llvm::SmallVector<LimitedExperts> findLimits(mlir::Value gates);

/// The name of the function around `op`, without '@'; empty outside functions.
std::string getFunctionName(mlir::Operation *op);

/// "file.mlir:9:8" for the first position in a file that `loc` mentions, also
/// within fused, named and call-site locations; "unknown" if it has none.
std::string getLocationText(mlir::Location loc);

} // namespace sluice

#endif // SLUICE_DIALECT_SLUICE_IR_SLUICEUTILS_H
