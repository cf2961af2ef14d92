//===- PanelProduct.h - Products with packed weights ------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_ANALYSIS_PANELPRODUCT_H
#define SLUICE_ANALYSIS_PANELPRODUCT_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace sluice {

/// A product of rows with a weight in panels.
struct PanelProduct {
  /// How many inputs of a column lie side by side.
  int64_t side = 1;

  /// The maps of input, weight and result. Of the loops (panel, row, k,
  /// column),
  ///
  ///     input[row, k] * weight[panel, k, column] added to
  ///     out[row, panel, column]
  ///
  /// and if `side` is not 1, of (panel, row, line, j, column),
  ///
  ///     input[row, side line + j] * weight[panel, line, column, j]
  llvm::SmallVector<mlir::AffineMap> getMaps(mlir::MLIRContext *context) const;

  /// Of each loop.
  llvm::SmallVector<mlir::utils::IteratorType> getIterators() const;

  /// What `op`, on tensors or buffers, is if it is such a product, with
  /// operands extended to the result's element type before they are multiplied.
  static std::optional<PanelProduct> match(mlir::linalg::GenericOp op);
};

/// Whether `op` is a product with a packed weight: in panels, or, see
/// QuantizedProduct, of small numbers.
bool isPackedProduct(mlir::Operation *op);

} // namespace sluice

#endif // SLUICE_ANALYSIS_PANELPRODUCT_H
