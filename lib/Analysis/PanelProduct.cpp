//===- PanelProduct.cpp - Products with packed weights ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Analysis/PanelProduct.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "sluice/Analysis/QuantizedProduct.h"

using namespace mlir;
using namespace sluice;

SmallVector<AffineMap> PanelProduct::getMaps(MLIRContext *context) const {
  AffineExpr panel, row, k, column;
  bindDims(context, panel, row, k, column);
  SmallVector<SmallVector<AffineExpr, 4>> maps = {
      {row, k}, {panel, k, column}, {row, panel, column}};
  if (side != 1) {
    AffineExpr line, j;
    bindDims(context, panel, row, line, j, column);
    maps = {
        {row, line * side + j}, {panel, line, column, j}, {row, panel, column}};
  }
  return AffineMap::inferFromExprList(maps, context);
}

SmallVector<utils::IteratorType> PanelProduct::getIterators() const {
  using utils::IteratorType;
  SmallVector<IteratorType> iterators = {
      IteratorType::parallel, IteratorType::parallel, IteratorType::reduction,
      IteratorType::parallel};
  if (side != 1)
    iterators.insert(iterators.begin() + 2, IteratorType::reduction);
  return iterators;
}

/// The argument of the body that `value` is, extended or not; null for others.
static BlockArgument getExtended(Value value) {
  if (auto extend = value.getDefiningOp<arith::ExtFOp>())
    value = extend.getIn();
  return dyn_cast<BlockArgument>(value);
}

std::optional<PanelProduct> PanelProduct::match(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1)
    return std::nullopt;
  PanelProduct panels;
  auto weight = dyn_cast<ShapedType>(op.getDpsInputs()[1].getType());
  if (!weight || !weight.hasRank())
    return std::nullopt;
  if (weight.getRank() == 4) {
    panels.side = weight.getDimSize(3);
    if (panels.side < 2)
      return std::nullopt;
  }
  if (op.getNumLoops() != panels.getIterators().size() ||
      op.getIndexingMapsArray() != panels.getMaps(op.getContext()))
    return std::nullopt;
  Block *body = op.getBody();
  auto add =
      body->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  auto product = add ? add.getRhs().getDefiningOp<arith::MulFOp>() : nullptr;
  if (!product || add.getLhs() != body->getArgument(2) ||
      getExtended(product.getLhs()) != body->getArgument(0) ||
      getExtended(product.getRhs()) != body->getArgument(1))
    return std::nullopt;
  return panels;
}

bool sluice::isPackedProduct(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic &&
         (PanelProduct::match(generic) || QuantizedProduct::match(generic));
}
