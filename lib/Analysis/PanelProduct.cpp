//===- PanelProduct.cpp - Products with packed weights ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Analysis/PanelProduct.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

SmallVector<AffineMap> sluice::getPanelProductMaps(MLIRContext *context) {
  AffineExpr panel, row, k, column;
  bindDims(context, panel, row, k, column);
  SmallVector<SmallVector<AffineExpr, 4>> maps = {
      {row, k}, {panel, k, column}, {row, panel, column}};
  return AffineMap::inferFromExprList(maps, context);
}

/// The argument of the body that `value` is, converted or not; null for others.
static BlockArgument getConverted(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<arith::ExtFOp, arith::TruncFOp>(op))
      return {};
    value = op->getOperand(0);
  }
  return cast<BlockArgument>(value);
}

bool sluice::isPanelProduct(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 ||
      op.getNumLoops() != 4 ||
      op.getIndexingMapsArray() != getPanelProductMaps(op.getContext()))
    return false;
  Block *body = op.getBody();
  auto add =
      body->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  auto product = add ? add.getRhs().getDefiningOp<arith::MulFOp>() : nullptr;
  return product && add.getLhs() == body->getArgument(2) &&
         getConverted(product.getLhs()) == body->getArgument(0) &&
         getConverted(product.getRhs()) == body->getArgument(1);
}
