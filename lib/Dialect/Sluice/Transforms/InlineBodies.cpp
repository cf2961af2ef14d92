//===- InlineBodies.cpp - Calls of functions without experts ----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "mlir/IR/SymbolTable.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"
#include "sluice/Dialect/Sluice/IR/SluiceUtils.h"
#include "sluice/Dialect/Sluice/Transforms/Passes.h"
#include "llvm/ADT/SetVector.h"

namespace sluice {
#define GEN_PASS_DEF_SLUICEINLINEBODIES
#include "sluice/Dialect/Sluice/Transforms/Passes.h.inc"
} // namespace sluice

using namespace mlir;

/// More than any model has: functions that call each other twice, level by
/// level, would come to more ops than there is memory for, and a chain of calls
/// to more frames than a stack holds.
static constexpr unsigned maxOps = 100000;
static constexpr unsigned maxDepth = 200;

/// The calls in `op`, as written.
static SmallVector<func::CallOp> getCalls(Operation *op) {
  SmallVector<func::CallOp> calls;
  op->walk([&](func::CallOp call) { calls.push_back(call); });
  return calls;
}

namespace {
class Inliner {
public:
  explicit Inliner(ModuleOp module) : module(module) {}

  LogicalResult run() {
    SmallVector<func::FuncOp> callers;
    for (func::CallOp call : getCalls(module))
      if (call->getParentOfType<sluice::ExpertsOp>() &&
          failed(inlineIntoBody(call, callers)))
        return failure();
    for (auto function : module.getOps<func::FuncOp>())
      flatten(function, callers);

    eraseUnused();
    return success();
  }

  unsigned getNumInlined() const { return numInlined; }

private:
  /// Erases the private functions that were inlined and that nobody calls.
  void eraseUnused() {
    llvm::DenseMap<StringAttr, int64_t> numUses;
    auto count = [&](Operation *op, int64_t by) {
      if (auto uses = SymbolTable::getSymbolUses(&op->getRegion(0)))
        for (const SymbolTable::SymbolUse &use : *uses)
          numUses[use.getSymbolRef().getRootReference()] += by;
    };
    count(module, 1);
    // A function stands behind those that it calls.
    for (func::FuncOp function : llvm::reverse(flattened)) {
      if (!function.isPrivate() || !inlined.contains(function) ||
          numUses.lookup(function.getSymNameAttr()) != 0)
        continue;
      count(function, -1);
      function.erase();
    }
  }

  /// The function that is called if it has a body.
  func::FuncOp getCallee(func::CallOp call) {
    auto callee = symbols.lookupNearestSymbolFrom<func::FuncOp>(
        call, call.getCalleeAttr());
    // A function without a body is reported where that is decided for all
    // calls.
    return callee && !callee.isExternal() ? callee : func::FuncOp();
  }

  /// Replaces the call by its callee's ops, which keep their locations, and
  /// returns the calls among these.
  SmallVector<func::CallOp> inlineCall(func::CallOp call, func::FuncOp callee) {
    std::string caller = sluice::getFunctionName(call);
    remark::passed(call.getLoc(), remark::RemarkOpts::name("inlined")
                                      .category("sluice-inline-bodies")
                                      .function(caller))
        << remark::add("the call of '{0}' is inlined", callee.getName().str());
    OpBuilder builder(call);
    IRMapping mapping;
    Block &block = callee.getBody().front();
    mapping.map(block.getArguments(), call.getOperands());
    SmallVector<func::CallOp> calls;
    for (Operation &op : block.without_terminator())
      llvm::append_range(calls, getCalls(builder.clone(op, mapping)));
    for (auto [result, returned] : llvm::zip_equal(
             call.getResults(), block.getTerminator()->getOperands()))
      result.replaceAllUsesWith(mapping.lookupOrDefault(returned));
    call.erase();
    inlined.insert(callee);
    ++numInlined;
    return calls;
  }

  /// Inlines a call in an expert's body, and the calls that come with it.
  /// `callers` are the functions that are being inlined.
  LogicalResult inlineIntoBody(func::CallOp call,
                               SmallVectorImpl<func::FuncOp> &callers) {
    func::FuncOp callee = getCallee(call);
    if (!callee)
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

    if (callers.size() == maxDepth || !takeOps(callee))
      return call.emitError("expected the calls in experts' bodies to come to "
                            "at most ")
             << maxOps << " ops and " << maxDepth
             << " calls within each other; the call of '" << callee.getName()
             << "' is one too many";

    callers.push_back(callee);
    for (func::CallOp inner : inlineCall(call, callee))
      if (failed(inlineIntoBody(inner, callers)))
        return failure();
    callers.pop_back();
    return success();
  }

  /// Inlines the calls in `function`, and before in all functions that it
  /// calls. `callers` are the functions for which that has begun.
  void flatten(func::FuncOp function, SmallVectorImpl<func::FuncOp> &callers) {
    if (flattened.contains(function) || llvm::is_contained(callers, function) ||
        callers.size() == maxDepth)
      return;
    callers.push_back(function);
    for (func::CallOp call : getCalls(function)) {
      func::FuncOp callee = getCallee(call);
      if (!callee)
        continue;
      flatten(callee, callers);
      if (!llvm::is_contained(callers, callee) && canInline(callee) &&
          takeOps(callee))
        inlineCall(call, callee);
    }
    callers.pop_back();
    flattened.insert(function);
  }

  /// Whether there is room for another copy of the callee's ops.
  bool takeOps(func::FuncOp callee) {
    unsigned count = 0;
    callee.walk([&](Operation *) { ++count; });
    if (numOps + count > maxOps)
      return false;
    numOps += count;
    return true;
  }

  /// Counters name the function that experts stand in, and what calls itself
  /// would never end.
  bool canInline(func::FuncOp callee) {
    if (!callee.getBody().hasOneBlock())
      return false;
    WalkResult walk = callee.walk([&](Operation *op) {
      auto call = dyn_cast<func::CallOp>(op);
      return sluice::isRoutedOp(op) || (call && getCallee(call) == callee)
                 ? WalkResult::interrupt()
                 : WalkResult::advance();
    });
    return !walk.wasInterrupted();
  }

  ModuleOp module;
  SymbolTableCollection symbols;
  /// Functions whose calls are inlined as far as they can be.
  llvm::SetVector<func::FuncOp> flattened;
  /// Functions that were called by a call that is gone.
  llvm::DenseSet<func::FuncOp> inlined;
  unsigned numInlined = 0;
  unsigned numOps = 0;
};

struct InlineBodies : sluice::impl::SluiceInlineBodiesBase<InlineBodies> {
  void runOnOperation() override {
    Inliner inliner(getOperation());
    if (failed(inliner.run()))
      return signalPassFailure();
    numInlined += inliner.getNumInlined();
  }
};
} // namespace
