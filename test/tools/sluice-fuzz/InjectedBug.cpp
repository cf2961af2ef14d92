//===- InjectedBug.cpp - A wrong pass, to test the search -------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InjectedBug.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "sluice/Pipelines/Pipelines.h"

using namespace mlir;

namespace {
struct SumForProduct : PassWrapper<SumForProduct, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SumForProduct)

  StringRef getArgument() const override { return "test-sum-for-product"; }
  StringRef getDescription() const override {
    return "turns products into sums, which is wrong";
  }
  void runOnOperation() override {
    getOperation().walk([](arith::MulFOp op) {
      OpBuilder builder(op);
      auto sum = arith::AddFOp::create(builder, op.getLoc(), op.getLhs(),
                                       op.getRhs());
      op.replaceAllUsesWith(sum.getResult());
      op.erase();
    });
  }
};
} // namespace

void sluice::buildInjectedBug(OpPassManager &pm) {
  buildPlanPipeline(pm, CPUOptions());
  pm.addPass(std::make_unique<SumForProduct>());
}

LogicalResult sluice::runInjectedBug(ModuleOp module) {
  PassManager pm(module.getContext());
  buildInjectedBug(pm);
  return pm.run(module);
}
