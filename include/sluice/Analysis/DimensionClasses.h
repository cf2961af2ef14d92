//===- DimensionClasses.h - Sizes that must be equal ------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Dimensions of a model's tensors are often dynamic, and ops demand that some
// of them are equal at run time: the rows of an expert's input and the tokens
// of its gates, the operands of an addition. Compiled loops rely on it, so it
// has to be checked where a caller can still be told: at a function's entry.
// This analysis finds which dimensions a module's ops tie together.
//
//   func.func @f(%x: tensor<?x8xf32>, %y: tensor<?x8xf32>) {
//     %s = arith.addf %x, %y : tensor<?x8xf32>      // %x.0 = %y.0 = %s.0
//
// What crosses control flow (scf.if, scf.for) is not tied: sizes may differ
// between branches. Sizes that are computed (tensor.extract_slice with dynamic
// sizes, tensor.empty) are not followed either.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_ANALYSIS_DIMENSIONCLASSES_H
#define SLUICE_ANALYSIS_DIMENSIONCLASSES_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/EquivalenceClasses.h"

#include <optional>

namespace mlir {
class ModuleOp;
class Operation;
} // namespace mlir

namespace sluice {

class DimensionClasses {
public:
  /// Analyses all functions of `module`, through calls.
  explicit DimensionClasses(mlir::ModuleOp module);

  /// True if the two dimensions must be equal. Dimension 0 of gates is their
  /// number of tokens.
  bool areTied(mlir::Value a, unsigned aDim, mlir::Value b,
               unsigned bDim) const;

  /// The static size that a dimension must have, if it is tied to one.
  std::optional<int64_t> getStaticSize(mlir::Value value, unsigned dim) const;

private:
  using Dim = std::pair<void *, unsigned>;
  void tie(mlir::Value a, unsigned aDim, mlir::Value b, unsigned bDim);
  void tieAll(mlir::Value a, mlir::Value b);
  void visit(mlir::Operation *op);
  void visitBody(mlir::Operation *op);
  /// True if something was tied that had not been.
  bool visitCall(mlir::Operation *call);

  llvm::EquivalenceClasses<Dim> classes;
};

} // namespace sluice

#endif // SLUICE_ANALYSIS_DIMENSIONCLASSES_H
