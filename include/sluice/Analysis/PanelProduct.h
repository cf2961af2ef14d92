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

/// The maps of a product of rows with a weight in panels: of the loops (panel,
/// row, k, column),
///
///     input[row, k] * weight[panel, k, column] added to out[row, panel,
///     column]
llvm::SmallVector<mlir::AffineMap>
getPanelProductMaps(mlir::MLIRContext *context);

/// True if `op`, on tensors or buffers, is such a product, with operands
/// converted to the result's element type before they are multiplied.
bool isPanelProduct(mlir::linalg::GenericOp op);

} // namespace sluice

#endif // SLUICE_ANALYSIS_PANELPRODUCT_H
