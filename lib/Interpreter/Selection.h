//===- Selection.h - The order of scores ------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every selection compares by the order that `sluice.topk` defines: larger
// first, equal ones as they stand, NaN above all and equal to itself.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_INTERPRETER_SELECTION_H
#define SLUICE_LIB_INTERPRETER_SELECTION_H

#include "Evaluator.h"

namespace sluice::interpreter {

/// The numbers of the scores, the largest first.
llvm::SmallVector<int64_t> rank(llvm::ArrayRef<double> scores);

/// Notes by how much the order of two ranked scores was decided.
void recordDecision(Evaluator &evaluator, double first, double second);

llvm::SmallVector<double> getRow(const Tensor &matrix, int64_t row);
llvm::SmallVector<double> getColumn(const Tensor &matrix, int64_t column);

} // namespace sluice::interpreter

#endif // SLUICE_LIB_INTERPRETER_SELECTION_H
