//===- PackQuantized.cpp - Small numbers in panels --------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PackQuantized.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "sluice/Dialect/Sluice/IR/SluiceUtils.h"

using namespace mlir;
using namespace sluice;

/// The width of a panel, and the inputs of an output that lie side by side:
/// what `quantized_linear` is defined for.
static constexpr int64_t width = 16, side = 4;

static int64_t getInputsPerLine(DequantizeOp op) {
  return op.isPacked() ? 2 * side : side;
}

/// The blocks of a matrix of `inputs` columns, if there are some along rows
/// only and lines do not cross them; 0 otherwise.
static int64_t getRowBlock(DequantizeOp op, int64_t inputs, int64_t line) {
  if (op.getType().getRank() != 2 || op.getBlocks()[0] != 1)
    return 0;
  int64_t block = std::min(op.getBlocks()[1], inputs);
  return block % line == 0 ? block : 0;
}

/// Why the products of `op` cannot read it in panels; empty if they can.
static std::string findObstacle(DequantizeOp op) {
  RankedTensorType type = op.getType();
  Type element = op.getElementType();
  if (!isa<IntegerType>(element) && element.getIntOrFloatBitWidth() != 4)
    return "numbers are floats of 8 bits";
  if (type.getRank() != 2 || !type.hasStaticShape())
    return "it is no matrix of static size";
  int64_t inputs = type.getDimSize(1), line = getInputsPerLine(op);
  if (inputs % line != 0)
    return llvm::formatv("{0} inputs are no multiple of {1}", inputs, line);
  if (getRowBlock(op, inputs, line) == 0)
    return llvm::formatv("blocks are not rows of a multiple of {0} inputs",
                         line);
  // Numbers of 4 bits times a power of two are exact in bf16.
  bool isExact = type.getElementType().isBF16() && op.getScaleType() &&
                 !isa<IntegerType>(element);
  if (!type.getElementType().isF32() && !isExact)
    return "numbers are rounded before they are multiplied";
  if (2 * type.getDimSize(0) < width)
    return "it has fewer outputs than half a panel";
  for (OpOperand &use : op->getUses()) {
    auto linear = dyn_cast<LinearOp>(use.getOwner());
    if (!linear || linear.getWeight() != op.getResult() ||
        linear.getInput() == op.getResult() ||
        linear.getLayout() != Layout::OutIn)
      return llvm::formatv("'{0}' at {1} does not read it as products do",
                           use.getOwner()->getName().getStringRef(),
                           getLocationText(use.getOwner()->getLoc()));
    if (linear.getType().getElementType().isF64() ||
        linear.getInput().getType().getElementType().isF64())
      return "a product is in f64";
  }
  return "";
}

/// How `weight` is packed as the operand `number` of `op`.
static PanelsAttr getPanels(DequantizeOp op, unsigned number,
                            RankedTensorType weight) {
  MLIRContext *context = op.getContext();
  auto get = [&](int64_t side, int64_t bits, Value operand) {
    return PanelsAttr::get(context, width, Layout::OutIn, side, bits,
                           cast<RankedTensorType>(operand.getType()).getRank());
  };
  int64_t bits = op.isPacked() ? 4 : 0;
  if (number == 0)
    return get(side, bits, op.getInput());
  if (number == 1)
    return get(1, 0, op.getScales());
  return get(1, bits, op.getZeros());
}

/// A constant of equal elements needs no file.
static DenseElementsAttr getSplat(Value operand) {
  DenseElementsAttr elements;
  return matchPattern(operand, m_Constant(&elements)) && elements.isSplat()
             ? elements
             : DenseElementsAttr();
}

void PackQuantized::add(WeightOp weight, PackedUses uses) {
  weights.insert({weight, std::move(uses)});
}

void PackQuantized::run() {
  // What reads a weight otherwise keeps it as it is, and so all that it is
  // multiplied with, and their other weights.
  DenseMap<Operation *, size_t> numWeights;
  llvm::MapVector<Operation *, std::string> obstacles;
  for (auto &[weight, uses] : weights)
    for (OpOperand *use : uses.consumers)
      if (auto op = dyn_cast<DequantizeOp>(use->getOwner())) {
        ++numWeights[op];
        obstacles.insert({op, findObstacle(op)});
      }
  for (auto &[op, obstacle] : obstacles) {
    size_t splats = llvm::count_if(op->getOperands(), [](Value operand) {
      return getSplat(operand) != nullptr;
    });
    if (obstacle.empty() &&
        numWeights.lookup(op) + splats != op->getNumOperands())
      obstacle = "not all of its operands are weights or equal constants";
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (auto &[weight, uses] : weights) {
      if (!uses.panels && uses.obstacle.empty())
        choose(cast<WeightOp>(weight), uses);
      for (OpOperand *use : uses.consumers) {
        auto it = obstacles.find(use->getOwner());
        if (it == obstacles.end())
          continue;
        if (uses.obstacle.empty() && !it->second.empty()) {
          uses.obstacle = it->second;
          changed = true;
        }
        if (it->second.empty() && !uses.obstacle.empty()) {
          it->second = uses.obstacle;
          changed = true;
        }
      }
    }
  }
  for (auto &[weight, uses] : weights)
    if (llvm::any_of(uses.consumers, [](OpOperand *use) {
          return isa<DequantizeOp>(use->getOwner());
        }))
      pack(cast<WeightOp>(weight), uses);
  for (auto &[op, obstacle] : obstacles)
    if (obstacle.empty())
      rewrite(cast<DequantizeOp>(op));
}

void PackQuantized::choose(WeightOp weight, PackedUses &uses) {
  auto type = cast<RankedTensorType>(weight.getType());
  for (OpOperand *use : uses.consumers) {
    auto op = dyn_cast<DequantizeOp>(use->getOwner());
    PanelsAttr panels =
        op ? getPanels(op, use->getOperandNumber(), type) : PanelsAttr();
    if (!op || (uses.panels && uses.panels != panels)) {
      uses.obstacle =
          llvm::formatv("'{0}' at {1} does not read it as the products do",
                        use->getOwner()->getName().getStringRef(),
                        getLocationText(use->getOwner()->getLoc()));
      return;
    }
    uses.panels = panels;
  }
  for (tensor::ExtractSliceOp slice : uses.slices)
    if (uses.panels && !takesWholeMatrices(slice, uses.panels.getDims())) {
      uses.obstacle = llvm::formatv("the slice at {0} takes a part of a matrix",
                                    getLocationText(slice.getLoc()));
      return;
    }
  if (weight.getPanelsAttr())
    uses.obstacle = "it is in panels already";
  else if (uses.panels)
    uses.obstacle = uses.panels.findObstacle(type);
}

void PackQuantized::pack(WeightOp weight, PackedUses &uses) {
  auto options =
      remark::RemarkOpts::name("weight").category("sluice-pack-weights");
  if (!uses.obstacle.empty()) {
    remark::missed(weight.getLoc(), options)
        << remark::add("@{0} stays as it is in the file, and is dequantized "
                       "for each task",
                       weight.getSymName().str())
        << remark::reason("{0}", uses.obstacle);
    return;
  }
  weight.setPanelsAttr(uses.panels);
  uses.setPanels(uses.panels);
  ++numPacked;
  remark::passed(weight.getLoc(), options)
      << remark::add("@{0} is packed in panels of {1} outputs",
                     weight.getSymName().str(), width);
}

/// The rounded activations that `input` is, for blocks that lines of `line`
/// inputs do not cross; null if there are none.
static DequantizeOp getRounded(Value input, int64_t line) {
  auto op = input.getDefiningOp<DequantizeOp>();
  if (!op || op.getZeros() || op.getScaleType() ||
      !op.getElementType().isSignlessInteger(8) ||
      !op.getType().getElementType().isF32() ||
      !op.getScales().getType().getElementType().isF32() ||
      op.getType().isDynamicDim(1) || op.getInput().getType().getRank() != 2 ||
      getRowBlock(op, op.getType().getDimSize(1), line) == 0)
    return {};
  return op;
}

void PackQuantized::rewrite(DequantizeOp op) {
  int64_t line = getInputsPerLine(op), inputs = op.getType().getDimSize(1);
  for (Operation *user : llvm::make_early_inc_range(op->getUsers())) {
    auto linear = cast<LinearOp>(user);
    setColumns(linear, inputs, op.getType().getDimSize(0));
    OpBuilder b(linear);
    Location loc = linear.getLoc();
    RankedTensorType type = linear.getType();
    DequantizeOp rounded = getRounded(linear.getInput(), line);
    Value input = rounded ? rounded.getInput() : linear.getInput();
    auto getPacked = [&](unsigned number) -> Value {
      if (number == op->getNumOperands())
        return {};
      Value operand = op->getOperand(number);
      DenseElementsAttr splat = getSplat(operand);
      if (!splat)
        return operand;
      auto from = cast<RankedTensorType>(operand.getType());
      return arith::ConstantOp::create(
          b, loc,
          splat.resizeSplat(getPanels(op, number, from).getPackedType(from)));
    };
    Value result = QuantizedLinearOp::create(
        b, loc, type.clone(b.getF32Type()), input,
        rounded ? rounded.getScales() : TypedValue<RankedTensorType>(),
        getPacked(0), getPacked(1), getPacked(2), op.getElementType(),
        op.getScaleTypeAttr(), rounded ? getRowBlock(rounded, inputs, line) : 0,
        getRowBlock(op, inputs, line));
    if (Value bias = linear.getBias()) {
      auto biasType = cast<RankedTensorType>(bias.getType());
      if (!biasType.getElementType().isF32())
        bias =
            arith::ExtFOp::create(b, loc, biasType.clone(b.getF32Type()), bias);
      result = arith::AddFOp::create(b, loc, result,
                                     BroadcastOp::create(b, loc, bias, result));
    }
    if (!type.getElementType().isF32())
      result = arith::TruncFOp::create(b, loc, type, result);
    linear.getResult().replaceAllUsesWith(result);
    linear.erase();
    if (rounded && rounded->use_empty())
      rounded.erase();
  }
  op.erase();
}
