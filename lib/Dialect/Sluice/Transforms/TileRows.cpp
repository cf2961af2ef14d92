//===- TileRows.cpp - Dense rows in parallel --------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "sluice/Analysis/PanelProduct.h"
#include "sluice/Dialect/Sluice/Transforms/Passes.h"

namespace sluice {
#define GEN_PASS_DEF_SLUICETILEROWS
#include "sluice/Dialect/Sluice/Transforms/Passes.h.inc"
} // namespace sluice

using namespace mlir;

namespace {
struct TileRows : sluice::impl::SluiceTileRowsBase<TileRows> {
  using SluiceTileRowsBase::SluiceTileRowsBase;

  void runOnOperation() override {
    if (rows < 1) {
      getOperation().emitError("expected rows to be at least 1 but got ")
          << rows.getValue();
      return signalPassFailure();
    }
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) {
      // Products with packed weights are cut for the processor, later, and with
      // them the zeros that they add to.
      bool isLeft = sluice::isPackedProduct(op) ||
                    (isa<linalg::FillOp>(*op) &&
                     llvm::all_of(op->getUsers(), sluice::isPackedProduct));
      if (op.hasPureTensorSemantics() &&
          !op->getParentOfType<scf::ForallOp>() && !isLeft)
        ops.push_back(op);
    });
    // Consumers first: they take along what only they read.
    IRRewriter rewriter(&getContext());
    for (size_t i = ops.size(); i-- > 0;) {
      if (isOpTriviallyDead(ops[i]))
        rewriter.eraseOp(ops[i]);
      else if (failed(tile(rewriter, ops[i],
                           findProducers(ops[i], ArrayRef(ops).take_front(i)))))
        return signalPassFailure();
    }
  }

private:
  /// True for what a row of scores goes through: a loop over rows and at most
  /// one along them. Products are none; they are cut by their weights' rows.
  static bool isRowOp(linalg::LinalgOp op) {
    return op.hasPureTensorSemantics() && op.getNumLoops() <= 2 &&
           op.getNumLoops() > 0 &&
           op.getIteratorTypesArray().front() ==
               utils::IteratorType::parallel &&
           llvm::all_of(op.getDpsInitsMutable(), [&](OpOperand &init) {
             return isReadByRows(op, init);
           });
  }

  static bool isReadByRows(linalg::LinalgOp op, OpOperand &operand) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    return map.getNumResults() > 0 && map.getResult(0).isFunctionOfDim(0) &&
           isa<AffineDimExpr>(map.getResult(0));
  }

  /// The ops before `op` whose rows nobody but `op`, and each other, read row
  /// by row: a tile of `op` can compute its own rows of them, once, in cache.
  static llvm::SmallPtrSet<Operation *, 8>
  findProducers(linalg::LinalgOp op, ArrayRef<linalg::LinalgOp> before) {
    llvm::SmallPtrSet<Operation *, 8> group;
    if (!isRowOp(op))
      return group;
    for (linalg::LinalgOp producer : llvm::reverse(before)) {
      if (producer->getBlock() != op->getBlock() || producer->use_empty() ||
          !isRowOp(producer))
        continue;
      bool isOurs = llvm::all_of(producer->getUses(), [&](OpOperand &use) {
        auto user = dyn_cast<linalg::LinalgOp>(use.getOwner());
        return user && (user == op || group.contains(user)) &&
               user.isDpsInput(&use) && isReadByRows(user, use);
      });
      if (isOurs)
        group.insert(producer);
    }
    return group;
  }

  LogicalResult tile(IRRewriter &rewriter, linalg::LinalgOp op,
                     const llvm::SmallPtrSetImpl<Operation *> &producers) {
    auto iterators = op.getIteratorTypesArray();
    auto outermost = llvm::find(iterators, utils::IteratorType::parallel);
    if (outermost == iterators.end())
      return success();
    unsigned loop = outermost - iterators.begin();
    auto ranges = op.getStaticLoopRanges();
    // No element, no work; and upstream's tiling divides by such a size.
    if (llvm::is_contained(ranges, 0))
      return success();
    if (!ShapedType::isDynamic(ranges[loop]) && ranges[loop] <= rows)
      return success();
    SmallVector<OpFoldResult> sizes(op.getNumLoops(), rewriter.getIndexAttr(0));
    sizes[loop] = rewriter.getIndexAttr(rows);
    scf::SCFTileAndFuseOptions options;
    options.tilingOptions.setLoopType(scf::SCFTilingOptions::LoopType::ForallOp)
        .setTileSizes(sizes);
    options.setFusionControlFn(
        [&](tensor::ExtractSliceOp, OpResult producer, bool)
            -> std::optional<scf::SCFTileAndFuseOptions::ControlFnResult> {
          if (isa<linalg::FillOp>(producer.getOwner()) ||
              producers.contains(producer.getOwner()))
            return scf::SCFTileAndFuseOptions::ControlFnResult();
          return std::nullopt;
        });
    FailureOr<scf::SCFTileAndFuseResult> tiled =
        scf::tileConsumerAndFuseProducersUsingSCF(
            rewriter, cast<TilingInterface>(op.getOperation()), options);
    if (failed(tiled))
      return op.emitError("cannot be tiled by rows");
    for (OpResult result : op->getResults())
      rewriter.replaceAllUsesWith(result, tiled->replacements[result]);
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace
