//===- InlineStackScopes.cpp - Scopes without allocations -------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/PatternMatch.h"
#include "sluice/Target/CPU/Passes.h"

namespace sluice {
#define GEN_PASS_DEF_SLUICEINLINESTACKSCOPES
#include "sluice/Target/CPU/Passes.h.inc"
} // namespace sluice

using namespace mlir;

namespace {
struct InlineStackScopes
    : sluice::impl::SluiceInlineStackScopesBase<InlineStackScopes> {
  void runOnOperation() override {
    SmallVector<memref::AllocaScopeOp> scopes;
    getOperation()->walk([&](memref::AllocaScopeOp scope) {
      WalkResult walk =
          scope.walk([](memref::AllocaOp) { return WalkResult::interrupt(); });
      if (!walk.wasInterrupted() && scope.getBodyRegion().hasOneBlock())
        scopes.push_back(scope);
    });
    IRRewriter rewriter(&getContext());
    for (memref::AllocaScopeOp scope : scopes) {
      Block &block = scope.getBodyRegion().front();
      Operation *end = block.getTerminator();
      SmallVector<Value> results(end->getOperands());
      rewriter.eraseOp(end);
      rewriter.inlineBlockBefore(&block, scope);
      rewriter.replaceOp(scope, results);
    }
  }
};
} // namespace
