//===- Reducer.cpp - Makes a model smaller that fails -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reducer.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace sluice;

/// The ops within the module, in the order of the text: the same for a copy.
static SmallVector<Operation *> getOps(ModuleOp module) {
  SmallVector<Operation *> ops;
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op != module)
      ops.push_back(op);
  });
  return ops;
}

unsigned Reducer::countOps(ModuleOp module) { return getOps(module).size(); }

/// What is not used any more goes along with what used it.
static void removeDeadOps(ModuleOp module) {
  bool changed = true;
  while (changed) {
    changed = false;
    // Users come after what they use, and what is inside of an op after it.
    SmallVector<Operation *> ops = getOps(module);
    for (Operation *op : llvm::reverse(ops))
      if (isOpTriviallyDead(op)) {
        op->erase();
        changed = true;
      }
  }
}

bool Reducer::tryChange(llvm::function_ref<bool(ModuleOp)> change) {
  OwningOpRef<ModuleOp> copy = module->clone();
  // What the attempts are told about is not the user's mistake.
  ScopedDiagnosticHandler silence(module->getContext(),
                                  [](Diagnostic &) { return success(); });
  if (!change(*copy) || failed(verify(*copy)) || !test(*copy))
    return false;
  module = std::move(copy);
  return true;
}

bool Reducer::inlineCalls() {
  return tryChange([](ModuleOp copy) {
    auto countCalls = [&] {
      unsigned calls = 0;
      copy.walk([&](func::CallOp) { ++calls; });
      return calls;
    };
    unsigned before = countCalls();
    PassManager pm(copy.getContext());
    pm.addPass(createInlinerPass());
    pm.addPass(createSymbolDCEPass());
    return before && succeeded(pm.run(copy)) && countCalls() < before;
  });
}

/// Among others, parameters that a body does not use.
bool Reducer::canonicalize() {
  return tryChange([](ModuleOp copy) {
    unsigned before = countOps(copy);
    PassManager pm(copy.getContext());
    pm.addPass(createCanonicalizerPass());
    pm.addPass(createCSEPass());
    return succeeded(pm.run(copy)) && countOps(copy) < before;
  });
}

bool Reducer::removeSymbols() {
  bool changed = false;
  for (size_t i = llvm::range_size(module->getOps()); i-- > 0;)
    changed |= tryChange([&](ModuleOp copy) {
      Operation *symbol = &*std::next(copy.getOps().begin(), i);
      if (!isa<SymbolOpInterface>(symbol) ||
          !SymbolTable::symbolKnownUseEmpty(symbol, copy))
        return false;
      symbol->erase();
      return true;
    });
  return changed;
}

/// The results of public functions that nobody calls, one by one.
bool Reducer::dropResults() {
  bool changed = false;
  SmallVector<StringRef> names;
  for (auto function : module->getOps<func::FuncOp>())
    names.push_back(function.getSymName());
  for (StringRef name : names) {
    size_t numResults =
        module->lookupSymbol<func::FuncOp>(name).getNumResults();
    for (size_t i = numResults; i-- > 0;)
      changed |= tryChange([&](ModuleOp copy) {
        auto function = copy.lookupSymbol<func::FuncOp>(name);
        if (function.isDeclaration() || function.getNumResults() < 2 ||
            !SymbolTable::symbolKnownUseEmpty(function, copy))
          return false;
        function.walk(
            [&](func::ReturnOp op) { op.getOperandsMutable().erase(i); });
        if (failed(function.eraseResult(i)))
          return false;
        removeDeadOps(copy);
        return true;
      });
  }
  return changed;
}

/// Values of the type that may stand for a result of the op: its operands, what
/// is given to its block, and what the function is given.
static SmallVector<Value> getSubstitutes(OpResult result) {
  Operation *op = result.getOwner();
  SmallVector<Value> values(op->getOperands());
  llvm::append_range(values, op->getBlock()->getArguments());
  if (auto function = op->getParentOfType<func::FuncOp>())
    llvm::append_range(values, function.getArguments());
  SmallVector<Value> substitutes;
  for (Value value : values)
    if (value.getType() == result.getType() &&
        !llvm::is_contained(substitutes, value))
      substitutes.push_back(value);
  return substitutes;
}

bool Reducer::bypassOps() {
  bool changed = false;
  // From the end: what is not needed takes what it needed along.
  for (size_t i = countOps(*module); i-- > 0;) {
    SmallVector<Operation *> ops = getOps(*module);
    // More than one op may have gone.
    if (i >= ops.size())
      continue;
    // A change that is kept ends the life of this module's ops.
    bool gone = false;
    for (size_t r = 0; !gone && r < ops[i]->getNumResults(); ++r)
      for (size_t s = 0, e = getSubstitutes(ops[i]->getResult(r)).size();
           s < e && !gone; ++s)
        gone = tryChange([&](ModuleOp copy) {
          OpResult result = getOps(copy)[i]->getResult(r);
          if (result.use_empty())
            return false;
          result.replaceAllUsesWith(getSubstitutes(result)[s]);
          unsigned before = countOps(copy);
          removeDeadOps(copy);
          return countOps(copy) < before;
        });
    changed |= gone;
  }
  return changed;
}

void Reducer::run() {
  // The large steps first: each attempt is a run of the test.
  while (removeSymbols() || inlineCalls() || dropResults() || bypassOps() ||
         canonicalize()) {
  }
}
