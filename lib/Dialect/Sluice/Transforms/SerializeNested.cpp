//===- SerializeNested.cpp - One level of parallel loops --------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Transforms.h"
#include "mlir/IR/PatternMatch.h"
#include "sluice/Dialect/Sluice/Transforms/Passes.h"

namespace sluice {
#define GEN_PASS_DEF_SLUICESERIALIZENESTED
#include "sluice/Dialect/Sluice/Transforms/Passes.h.inc"
} // namespace sluice

using namespace mlir;

namespace {
struct SerializeNested
    : sluice::impl::SluiceSerializeNestedBase<SerializeNested> {
  void runOnOperation() override {
    SmallVector<scf::ForallOp> nested;
    getOperation().walk([&](scf::ForallOp op) {
      if (op->getParentOfType<scf::ForallOp>())
        nested.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (scf::ForallOp op : nested) {
      rewriter.setInsertionPoint(op);
      if (failed(scf::forallToForLoop(rewriter, op))) {
        op.emitError("expected a parallel loop on buffers");
        return signalPassFailure();
      }
    }
  }
};
} // namespace
