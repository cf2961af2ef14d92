//===- SerializeNested.cpp - One level of parallel loops --------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Transforms.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include "sluice/Dialect/Sluice/IR/SluiceUtils.h"
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
    getOperation()->walk([&](scf::ForallOp op) {
      if (op->getParentOfType<scf::ForallOp>())
        nested.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    llvm::DenseSet<Location> reported;
    for (scf::ForallOp op : nested) {
      // Experts are several loops in one place.
      if (reported.insert(op.getLoc()).second)
        report(op);
      rewriter.setInsertionPoint(op);
      if (failed(scf::forallToForLoop(rewriter, op))) {
        op.emitError("expected a parallel loop on buffers");
        return signalPassFailure();
      }
    }
  }

private:
  static void report(scf::ForallOp op) {
    auto outer = op->getParentOfType<scf::ForallOp>();
    while (auto next = outer->getParentOfType<scf::ForallOp>())
      outer = next;
    std::string function = sluice::getFunctionName(op);
    remark::passed(op.getLoc(), remark::RemarkOpts::name("nested")
                                    .category("sluice-serialize-nested")
                                    .function(function))
        << remark::add("the loop runs serially")
        << remark::reason("it is nested in the parallel loop at {0}",
                          sluice::getLocationText(outer.getLoc()));
  }
};
} // namespace
