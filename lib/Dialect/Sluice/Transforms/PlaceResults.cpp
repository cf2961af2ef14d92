//===- PlaceResults.cpp - Products write where rows are read ----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "sluice/Analysis/PanelProduct.h"
#include "sluice/Dialect/Sluice/Transforms/Passes.h"

namespace sluice {
#define GEN_PASS_DEF_SLUICEPLACERESULTS
#include "sluice/Dialect/Sluice/Transforms/Passes.h.inc"
} // namespace sluice

using namespace mlir;

/// The zeros that only `product` adds to, in a tensor of their own, copied if
/// others add to them as well.
static linalg::FillOp getOwnZeros(linalg::GenericOp product) {
  auto zeros = product.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  auto empty =
      zeros ? zeros.getOutputs()[0].getDefiningOp<tensor::EmptyOp>() : nullptr;
  if (!empty)
    return nullptr;
  if (zeros->hasOneUse() && empty->hasOneUse())
    return zeros;
  OpBuilder b(product);
  IRMapping own;
  b.clone(*empty, own);
  auto copy = cast<linalg::FillOp>(b.clone(*zeros, own));
  product.getDpsInitsMutable()[0].set(copy.getResult(0));
  return copy;
}

/// Where the result of `product`, its panels side by side, becomes rows of a
/// larger tensor: the end of the only way that it goes.
static tensor::ParallelInsertSliceOp getInsertion(linalg::GenericOp product) {
  Value result = product->getResult(0);
  if (!result.hasOneUse())
    return nullptr;
  auto rows = dyn_cast<tensor::CollapseShapeOp>(*result.getUsers().begin());
  if (!rows || !rows->hasOneUse())
    return nullptr;
  auto insertion =
      dyn_cast<tensor::ParallelInsertSliceOp>(*rows->getUsers().begin());
  if (!insertion || insertion.getSource() != rows.getResult())
    return nullptr;
  // The whole rows, and nothing of size 1 left out.
  auto type = cast<RankedTensorType>(insertion.getDest().getType());
  return type.getRank() == rows.getResultType().getRank() &&
                 llvm::all_of(
                     insertion.getMixedStrides(),
                     [](OpFoldResult s) { return isConstantIntValue(s, 1); })
             ? insertion
             : nullptr;
}

/// Lets `product` add to zeros in the part of a larger tensor that its result
/// becomes.
static void place(linalg::GenericOp product, linalg::FillOp zeros,
                  const DominanceInfo &dominance) {
  tensor::ParallelInsertSliceOp insertion = getInsertion(product);
  if (!insertion || !llvm::all_of(insertion->getOperands(), [&](Value value) {
        return value == insertion.getSource() ||
               dominance.properlyDominates(value, product);
      }))
    return;
  auto rows = insertion.getSource().getDefiningOp<tensor::CollapseShapeOp>();
  OpBuilder b(product);
  Location loc = product.getLoc();
  Value part = tensor::ExtractSliceOp::create(
      b, loc, rows.getResultType(), insertion.getDest(),
      insertion.getMixedOffsets(), insertion.getMixedSizes(),
      insertion.getMixedStrides());
  auto empty = zeros.getOutputs()[0].getDefiningOp<tensor::EmptyOp>();
  Value panels = tensor::ExpandShapeOp::create(b, loc, empty.getType(), part,
                                               rows.getReassociationIndices(),
                                               empty.getMixedSizes());
  zeros->moveBefore(product);
  zeros.getOutputsMutable().assign(panels);
  empty.erase();
}

namespace {
struct PlaceResults : sluice::impl::SluicePlaceResultsBase<PlaceResults> {
  void runOnOperation() override {
    auto &dominance = getAnalysis<DominanceInfo>();
    getOperation().walk([&](linalg::GenericOp op) {
      if (!op.hasPureTensorSemantics() || !sluice::isPackedProduct(op))
        return;
      if (linalg::FillOp zeros = getOwnZeros(op))
        place(op, zeros, dominance);
    });
  }
};
} // namespace
