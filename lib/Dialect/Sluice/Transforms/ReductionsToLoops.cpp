//===- ReductionsToLoops.cpp - Reductions in registers ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "sluice/Dialect/Sluice/Transforms/Passes.h"

namespace sluice {
#define GEN_PASS_DEF_SLUICEREDUCTIONSTOLOOPS
#include "sluice/Dialect/Sluice/Transforms/Passes.h.inc"
} // namespace sluice

using namespace mlir;

/// Where `map` points to at the loops' numbers `ivs`.
static SmallVector<Value> getIndices(OpBuilder &b, Location loc, AffineMap map,
                                     ValueRange ivs) {
  SmallVector<Value> indices;
  for (unsigned i = 0; i < map.getNumResults(); ++i)
    indices.push_back(
        affine::AffineApplyOp::create(b, loc, map.getSubMap({i}), ivs));
  return indices;
}

/// True if the op's innermost loop, and no other, is a reduction.
static bool isInnermostReduction(linalg::LinalgOp op) {
  auto iterators = op.getIteratorTypesArray();
  return op.hasPureBufferSemantics() && !iterators.empty() &&
         iterators.back() == utils::IteratorType::reduction &&
         op.getNumReductionLoops() == 1;
}

static void lower(linalg::LinalgOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  SmallVector<Range> ranges = op.createLoopRanges(b, loc);
  SmallVector<Value> lower, upper, step;
  for (Range &range : ranges) {
    lower.push_back(getValueOrCreateConstantIndexOp(b, loc, range.offset));
    upper.push_back(getValueOrCreateConstantIndexOp(b, loc, range.size));
    step.push_back(getValueOrCreateConstantIndexOp(b, loc, range.stride));
  }
  unsigned outer = ranges.size() - 1;
  Block *body = op.getBlock();
  unsigned numInputs = op.getNumDpsInputs();

  auto reduce = [&](OpBuilder &b, Location loc, ValueRange ivs) {
    // The results' maps do not use the reduction's number.
    SmallVector<Value> outerIvs(ivs);
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    SmallVector<Value> allIvs(outerIvs);
    allIvs.push_back(zero);
    SmallVector<Value> init;
    SmallVector<SmallVector<Value>> places;
    for (OpOperand &out : op.getDpsInitsMutable()) {
      places.push_back(
          getIndices(b, loc, op.getMatchingIndexingMap(&out), allIvs));
      init.push_back(memref::LoadOp::create(b, loc, out.get(), places.back()));
    }
    auto loop = scf::ForOp::create(
        b, loc, lower[outer], upper[outer], step[outer], init,
        [&](OpBuilder &b, Location loc, Value k, ValueRange carried) {
          SmallVector<Value> ivs(outerIvs);
          ivs.push_back(k);
          IRMapping mapping;
          for (OpOperand *input : op.getDpsInputOperands()) {
            Value value = input->get();
            if (isa<MemRefType>(value.getType()))
              value = memref::LoadOp::create(
                  b, loc, value,
                  getIndices(b, loc, op.getMatchingIndexingMap(input), ivs));
            mapping.map(body->getArgument(input->getOperandNumber()), value);
          }
          for (auto [i, value] : llvm::enumerate(carried))
            mapping.map(body->getArgument(numInputs + i), value);
          for (Operation &inner : body->without_terminator()) {
            if (auto index = dyn_cast<linalg::IndexOp>(inner))
              mapping.map(index.getResult(), ivs[index.getDim()]);
            else
              b.clone(inner, mapping);
          }
          SmallVector<Value> yielded;
          for (Value value : body->getTerminator()->getOperands())
            yielded.push_back(mapping.lookupOrDefault(value));
          scf::YieldOp::create(b, loc, yielded);
        });
    for (auto [out, value, place] :
         llvm::zip_equal(op.getDpsInits(), loop.getResults(), places))
      memref::StoreOp::create(b, loc, value, out, place);
  };

  if (outer == 0)
    reduce(b, loc, {});
  else
    scf::buildLoopNest(b, loc, ArrayRef(lower).drop_back(),
                       ArrayRef(upper).drop_back(), ArrayRef(step).drop_back(),
                       reduce);
  op.erase();
}

namespace {
struct ReductionsToLoops
    : sluice::impl::SluiceReductionsToLoopsBase<ReductionsToLoops> {
  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) {
      if (isInnermostReduction(op))
        ops.push_back(op);
    });
    for (linalg::LinalgOp op : ops)
      lower(op);
  }
};
} // namespace
