//===- PackWeights.cpp - Weights of products in panels ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Remarks.h"
#include "mlir/IR/SymbolTable.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"
#include "sluice/Dialect/Sluice/IR/SluiceUtils.h"
#include "sluice/Dialect/Sluice/Transforms/Passes.h"
#include "llvm/ADT/MapVector.h"

namespace sluice {
#define GEN_PASS_DEF_SLUICEPACKWEIGHTS
#include "sluice/Dialect/Sluice/Transforms/Passes.h.inc"
} // namespace sluice

using namespace mlir;
using namespace sluice;

/// The body's argument for an operand that is a parameter of experts; null for
/// other operands.
static BlockArgument getParamArgument(OpOperand &use) {
  auto find = [&](auto op) -> BlockArgument {
    unsigned first = op.getParams().getBeginOperandIndex();
    unsigned number = use.getOperandNumber() - first;
    if (use.getOperandNumber() < first || number >= op.getParams().size())
      return {};
    return op.getBody().getArgument(op.getInputs().size() + number);
  };
  if (auto experts = dyn_cast<ExpertsOp>(use.getOwner()))
    return find(experts);
  if (auto grouped = dyn_cast<GroupedOp>(use.getOwner()))
    return find(grouped);
  return {};
}

namespace {
/// The products that read a weight, and what is in the way of packing it.
struct Uses {
  SmallVector<GetWeightOp> gets;
  SmallVector<BlockArgument> arguments;
  SmallVector<LinearOp> products;
  Operation *obstacle = nullptr;
};

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
    llvm::MapVector<Operation *, Uses> usesOf;
    module.walk([&](GetWeightOp get) {
      Uses &uses = usesOf[symbols.lookup(get.getWeight())];
      uses.gets.push_back(get);
      collect(get, uses);
    });
    for (auto &[weight, uses] : usesOf)
      pack(cast<WeightOp>(weight), uses);
  }

private:
  static void collect(Value weight, Uses &uses) {
    for (OpOperand &use : weight.getUses()) {
      auto product = dyn_cast<LinearOp>(use.getOwner());
      if (product && product.getWeight() == weight &&
          product.getInput() != weight && product.getBias() != weight) {
        uses.products.push_back(product);
      } else if (BlockArgument argument = getParamArgument(use)) {
        uses.arguments.push_back(argument);
        collect(argument, uses);
      } else {
        uses.obstacle = use.getOwner();
      }
    }
  }

  void pack(WeightOp weight, Uses &uses) {
    auto type = cast<RankedTensorType>(weight.getType());
    if (uses.products.empty() || weight.getPanelsAttr())
      return;
    Layout layout = uses.products.front().getLayout();
    for (LinearOp product : uses.products)
      if (product.getLayout() != layout)
        uses.obstacle = product;
    auto options =
        remark::RemarkOpts::name("weight").category("sluice-pack-weights");
    if (uses.obstacle) {
      remark::missed(weight.getLoc(), options)
          << remark::add("@{0} stays as it is in the file",
                         weight.getSymName().str())
          << remark::reason("'{0}' at {1} does not read it as the products do",
                            uses.obstacle->getName().getStringRef().str(),
                            getLocationText(uses.obstacle->getLoc()));
      return;
    }
    ArrayRef<int64_t> matrix = type.getShape().take_back(2);
    int64_t out = matrix[layout == Layout::OutIn ? 0 : 1];
    bool isF64 = type.getElementType().isF64();
    for (LinearOp product : uses.products)
      isF64 |= product.getType().getElementType().isF64() ||
               product.getInput().getType().getElementType().isF64();
    if (isF64 || 2 * out < width || type.getNumElements() == 0)
      return;

    auto panels = PanelsAttr::get(&getContext(), width, layout);
    weight.setPanelsAttr(panels);
    for (GetWeightOp get : uses.gets)
      get.getResult().setType(weight.getValueType());
    for (BlockArgument argument : uses.arguments)
      argument.setType(
          panels.getPackedType(cast<RankedTensorType>(argument.getType())));
    for (LinearOp product : uses.products)
      product.setLayout(Layout::Panels);
    ++numPacked;
    remark::passed(weight.getLoc(), options)
        << remark::add("@{0} is packed in panels of {1} outputs",
                       weight.getSymName().str(), static_cast<int64_t>(width));
  }
};
} // namespace
