//===- PackWeights.cpp - Weights of products in panels ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PackQuantized.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Remarks.h"
#include "mlir/IR/SymbolTable.h"
#include "sluice/Dialect/Sluice/IR/SluiceUtils.h"
#include "sluice/Dialect/Sluice/Transforms/Passes.h"
#include "llvm/ADT/MapVector.h"

namespace sluice {
#define GEN_PASS_DEF_SLUICEPACKWEIGHTS
#include "sluice/Dialect/Sluice/Transforms/Passes.h.inc"
} // namespace sluice

using namespace mlir;
using namespace sluice;

namespace {
struct PackWeights : sluice::impl::SluicePackWeightsBase<PackWeights> {
  using SluicePackWeightsBase::SluicePackWeightsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (width < 1 || width > 1024) {
      module.emitError("expected a width of 1 to 1024 but got ")
          << width.getValue();
      return signalPassFailure();
    }
    SymbolTable symbols(module);
    llvm::MapVector<Operation *, PackedUses> usesOf;
    module.walk([&](GetWeightOp get) {
      usesOf[symbols.lookup(get.getWeight())].add(get);
    });
    for (auto &[weight, uses] : usesOf)
      pack(cast<WeightOp>(weight), uses);
    if (width != quantizedWidth)
      return;
    PackQuantized quantized;
    for (auto &[weight, uses] : usesOf)
      quantized.add(cast<WeightOp>(weight), std::move(uses));
    quantized.run();
    numPacked += quantized.getNumPacked();
  }

private:
  /// The only width that `quantized_linear` is defined for.
  static constexpr int64_t quantizedWidth = 16;

  void pack(WeightOp weight, PackedUses &uses) {
    SmallVector<LinearOp> products;
    Operation *obstacle = nullptr;
    for (OpOperand *use : uses.consumers) {
      auto product = dyn_cast<LinearOp>(use->getOwner());
      if (product && product.getWeight() == use->get() &&
          product.getInput() != use->get() && product.getBias() != use->get())
        products.push_back(product);
      else
        obstacle = use->getOwner();
    }
    auto type = cast<RankedTensorType>(weight.getType());
    if (products.empty() || weight.getPanelsAttr())
      return;
    Layout layout = products.front().getLayout();
    for (LinearOp product : products)
      if (product.getLayout() != layout)
        obstacle = product;
    auto options =
        remark::RemarkOpts::name("weight").category("sluice-pack-weights");
    if (obstacle) {
      remark::missed(weight.getLoc(), options)
          << remark::add("@{0} stays as it is in the file",
                         weight.getSymName().str())
          << remark::reason("'{0}' at {1} does not read it as the products do",
                            obstacle->getName().getStringRef().str(),
                            getLocationText(obstacle->getLoc()));
      return;
    }
    ArrayRef<int64_t> matrix = type.getShape().take_back(2);
    int64_t out = matrix[layout == Layout::OutIn ? 0 : 1];
    bool isF64 = type.getElementType().isF64();
    for (LinearOp product : products)
      isF64 |= product.getType().getElementType().isF64() ||
               product.getInput().getType().getElementType().isF64();
    if (isF64 || 2 * out < width || type.getNumElements() == 0)
      return;

    // Two inputs side by side are what dot products of bf16 take, and quickly
    // become two numbers of f32.
    bool inPairs = type.getElementType().isBF16();
    auto panels = PanelsAttr::get(&getContext(), width, layout, inPairs ? 2 : 1,
                                  /*bits=*/0, /*dims=*/2);
    int64_t in = matrix[layout == Layout::OutIn ? 1 : 0];
    weight.setPanelsAttr(panels);
    uses.setPanels(panels);
    for (LinearOp product : products) {
      setColumns(product, in, out);
      product.setLayout(Layout::Panels);
    }
    ++numPacked;
    remark::passed(weight.getLoc(), options)
        << remark::add("@{0} is packed in panels of {1} outputs",
                       weight.getSymName().str(), static_cast<int64_t>(width));
  }
};
} // namespace
