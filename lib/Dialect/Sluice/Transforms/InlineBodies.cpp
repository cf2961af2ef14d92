//===- InlineBodies.cpp - Calls in experts' bodies go away ------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"
#include "sluice/Dialect/Sluice/Transforms/Passes.h"

namespace sluice {
#define GEN_PASS_DEF_SLUICEINLINEBODIES
#include "sluice/Dialect/Sluice/Transforms/Passes.h.inc"
} // namespace sluice

using namespace mlir;

namespace {
struct InlineBodies : sluice::impl::SluiceInlineBodiesBase<InlineBodies> {
  void runOnOperation() override {
    SmallVector<func::CallOp> calls;
    getOperation().walk([&](func::CallOp call) {
      if (call->getParentOfType<sluice::ExpertsOp>())
        calls.push_back(call);
    });
    SymbolTableCollection symbols;
    SmallVector<func::FuncOp> callers;
    for (func::CallOp call : calls)
      if (failed(inlineCall(call, symbols, callers)))
        return signalPassFailure();
  }

private:
  /// Replaces the call by its callee's ops, and the calls among these likewise.
  /// `callers` are the functions that are being inlined.
  LogicalResult inlineCall(func::CallOp call, SymbolTableCollection &symbols,
                           SmallVectorImpl<func::FuncOp> &callers) {
    auto callee = symbols.lookupNearestSymbolFrom<func::FuncOp>(
        call, call.getCalleeAttr());
    // A function without a body is reported where that is decided for all
    // calls.
    if (!callee || callee.isExternal())
      return success();
    if (llvm::is_contained(callers, callee) ||
        callee->isAncestor(call.getOperation()))
      return call.emitError("expected the body of an expert to call functions "
                            "that do not call themselves but got '")
             << callee.getName() << "'";
    if (!callee.getBody().hasOneBlock()) {
      InFlightDiagnostic error = call.emitError(
          "expected the body of an expert to call functions of one block but "
          "got '");
      error << callee.getName() << "'; use scf for control flow";
      error.attachNote(callee.getLoc()) << "the function";
      return error;
    }

    OpBuilder builder(call);
    IRMapping mapping;
    Block &block = callee.getBody().front();
    mapping.map(block.getArguments(), call.getOperands());
    SmallVector<func::CallOp> calls;
    for (Operation &op : block.without_terminator())
      builder.clone(op, mapping)->walk([&](func::CallOp inner) {
        calls.push_back(inner);
      });
    for (auto [result, returned] : llvm::zip_equal(
             call.getResults(), block.getTerminator()->getOperands()))
      result.replaceAllUsesWith(mapping.lookupOrDefault(returned));
    call.erase();

    callers.push_back(callee);
    for (func::CallOp inner : calls)
      if (failed(inlineCall(inner, symbols, callers)))
        return failure();
    callers.pop_back();
    return success();
  }
};
} // namespace
