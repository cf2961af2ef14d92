//===- Elementwise.h - Ops that work element by element ---------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_INTERPRETER_ELEMENTWISE_H
#define SLUICE_LIB_INTERPRETER_ELEMENTWISE_H

#include "RuntimeValue.h"

#include "mlir/IR/Operation.h"

#include <functional>

namespace sluice::interpreter {

/// What an op does to one element of each of its operands: writes one element
/// for each of its results, or fails after it has reported why.
using ElementFunction = std::function<llvm::LogicalResult(
    const Element *operands, Element *results)>;

/// The functions of the ops of `arith` and `math`; empty for an op that is not
/// elementwise or not known. Their results are neither rounded nor wrapped.
ElementFunction getArithFunction(mlir::Operation *op);
ElementFunction getMathFunction(mlir::Operation *op);

/// The function of any elementwise op, with results as they are carried for
/// their types; empty for other ops.
ElementFunction getElementFunction(mlir::Operation *op);

/// IEEE 754-2019 maximum and minimum: NaN if either is, and -0.0 < 0.0.
double maximum(double a, double b);
double minimum(double a, double b);

} // namespace sluice::interpreter

#endif // SLUICE_LIB_INTERPRETER_ELEMENTWISE_H
