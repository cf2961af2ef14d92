//===- Reducer.h - Makes a model smaller that fails -------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Upstream's mlir-reduce removes ops whether or not others use their results,
// and gives up on what is then no valid module: of a model, in which everything
// is used, it removes nothing. Here each step keeps the module valid: a symbol
// goes if nobody refers to it, an op's result is replaced by another value of
// its type, calls are inlined, results of functions go.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TOOLS_REDUCER_H
#define SLUICE_TOOLS_REDUCER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <functional>

namespace sluice {

/// Makes a module smaller as long as a test finds in it what is looked for.
class Reducer {
public:
  using Test = std::function<bool(mlir::ModuleOp)>;

  Reducer(mlir::OwningOpRef<mlir::ModuleOp> module, Test test)
      : module(std::move(module)), test(std::move(test)) {}

  /// Until no step is left that the test accepts. The module must pass the test
  /// before.
  void run();

  mlir::ModuleOp getModule() const { return *module; }
  /// How many ops a module has, itself not counted.
  static unsigned countOps(mlir::ModuleOp module);

private:
  /// Changes a copy of the module by `change`, which returns whether it changed
  /// anything, and keeps it if it is valid, smaller and passes the test.
  bool tryChange(llvm::function_ref<bool(mlir::ModuleOp)> change);
  bool inlineCalls();
  bool canonicalize();
  bool removeSymbols();
  bool dropResults();
  bool bypassOps();

  mlir::OwningOpRef<mlir::ModuleOp> module;
  Test test;
};

} // namespace sluice

#endif // SLUICE_TOOLS_REDUCER_H
