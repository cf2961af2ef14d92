//===- Plan.h - The entries of gates by expert ------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_INTERPRETER_PLAN_H
#define SLUICE_LIB_INTERPRETER_PLAN_H

#include "RuntimeValue.h"

#include "sluice/Dialect/Sluice/IR/Sluice.h"

namespace sluice::interpreter {

/// The results of `sluice.plan`, which see; `order` has one element for each
/// present entry.
struct Plan {
  std::vector<int64_t> offsets;
  std::vector<int64_t> order;
  /// [tokens, slots per token]
  std::vector<int64_t> place;
};

/// `type` is that of the gates, and says what the slots are.
Plan makePlan(const Gates &gates, GatesType type);

} // namespace sluice::interpreter

#endif // SLUICE_LIB_INTERPRETER_PLAN_H
