//===- PackedUses.h - What reads a weight in panels -------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_DIALECT_SLUICE_TRANSFORMS_PACKEDUSES_H
#define SLUICE_LIB_DIALECT_SLUICE_TRANSFORMS_PACKEDUSES_H

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"

#include <string>

namespace sluice {

/// Where a weight is read, through parameters of experts and slices of whole
/// matrices too.
struct PackedUses {
  llvm::SmallVector<GetWeightOp> gets;
  llvm::SmallVector<mlir::BlockArgument> arguments;
  /// Each after those that it is a slice of.
  llvm::SmallVector<mlir::tensor::ExtractSliceOp> slices;
  /// What reads it.
  llvm::SmallVector<mlir::OpOperand *> consumers;
  /// How it is packed, and why it cannot be.
  PanelsAttr panels;
  std::string obstacle;

  void add(GetWeightOp get);
  /// The weight is `panels` from now on, and so is all that passes it on.
  void setPanels(PanelsAttr panels);

private:
  void collect(mlir::Value weight);
};

/// Whether `slice` takes all of the last `dims` dimensions.
bool takesWholeMatrices(mlir::tensor::ExtractSliceOp slice, int64_t dims);

/// Gives the input and the result of `product` their numbers of columns, which
/// can no longer be told from the weight. Other ops go on seeing `?`.
void setColumns(LinearOp product, int64_t inputs, int64_t outputs);

} // namespace sluice

#endif // SLUICE_LIB_DIALECT_SLUICE_TRANSFORMS_PACKEDUSES_H
