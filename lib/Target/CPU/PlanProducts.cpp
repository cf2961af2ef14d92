//===- PlanProducts.cpp - Products, and how they will run -------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PlanProducts.h"

#include "SpreadRows.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "sluice/Analysis/PanelProduct.h"
#include "sluice/Analysis/QuantizedProduct.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/ScopedPrinter.h"

using namespace mlir;
using namespace sluice;

/// Strides of a buffer's dimensions; nothing if it has none.
static std::optional<SmallVector<int64_t>> getStrides(Value value) {
  auto type = dyn_cast<MemRefType>(value.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!type || failed(type.getStridesAndOffset(strides, offset)))
    return std::nullopt;
  return strides;
}

bool sluice::isInTask(Operation *op) {
  return op->getParentOfType<scf::ForallOp>() ||
         op->getParentOfType<scf::ParallelOp>();
}

/// Why functions around micro-kernels of `machine` cannot compute `op`; empty
/// if they can.
static std::string findObstacle(linalg::GenericOp op,
                                const PanelProduct &product,
                                const CPUMachine &machine) {
  if (!op.hasPureBufferSemantics())
    return "its operands are no buffers";
  Value input = op.getDpsInputs()[0], weight = op.getDpsInputs()[1];
  Value result = op.getDpsInits()[0];
  Type weightType = getElementTypeOrSelf(weight.getType());
  Type resultType = getElementTypeOrSelf(result.getType());
  if (!weightType.isF32() && !weightType.isBF16() && !weightType.isF16())
    return "expected weights of f32, bf16 or f16 but got " +
           llvm::to_string(weightType);
  if (!resultType.isF32())
    return "expected sums of f32 but got " + llvm::to_string(resultType);
  if (product.side > 1 && (product.side != 2 || !weightType.isBF16()))
    return llvm::formatv("expected 1 input of a column side by side, or 2 of "
                         "bf16, but got {0} of {1}",
                         product.side, llvm::to_string(weightType));
  int64_t width = cast<MemRefType>(weight.getType()).getDimSize(2);
  if (ShapedType::isDynamic(width) || width % machine.lanes != 0)
    return llvm::formatv("expected panels of a multiple of {0} outputs but got "
                         "{1}",
                         machine.lanes,
                         ShapedType::isDynamic(width) ? "a dynamic number"
                                                      : std::to_string(width));
  auto inputStrides = getStrides(input), weightStrides = getStrides(weight),
       resultStrides = getStrides(result);
  // A row, a panel, and a row of all panels of the result lie side by side.
  if (!inputStrides || !weightStrides || !resultStrides ||
      inputStrides->back() != 1 || weightStrides->back() != 1 ||
      resultStrides->back() != 1 ||
      (product.side > 1 && (*weightStrides)[2] != product.side) ||
      (*weightStrides)[1] != width * product.side ||
      (*resultStrides)[1] != width)
    return "a row of the input or of the result, or a panel, does not lie in "
           "one piece";
  return "";
}

/// The same for small numbers with scales.
static std::string findObstacle(linalg::GenericOp op,
                                const QuantizedProduct &product) {
  if (!op.hasPureBufferSemantics())
    return "its operands are no buffers";
  // Panels lie in one piece each, rows side by side.
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = cast<MemRefType>(operand.get().getType());
    auto strides = getStrides(operand.get());
    bool isInPieces = !strides;
    int64_t expected = 1;
    for (int64_t d = type.getRank() - 1; d > 0 && !isInPieces; --d) {
      isInPieces = (*strides)[d] != expected || type.isDynamicDim(d);
      expected *= type.getDimSize(d);
    }
    if (isInPieces)
      return llvm::formatv("a row or a panel of operand {0} does not lie in "
                           "one piece",
                           operand.getOperandNumber());
  }
  auto isFloat = [](Type type) {
    return type.isF32() || type.isF16() || type.isBF16();
  };
  auto getType = [&](unsigned number) {
    return getElementTypeOrSelf(op->getOperand(number).getType());
  };
  if (!isa<IntegerType, Float4E2M1FNType>(product.numbers))
    return "expected numbers of integers or f4E2M1FN but got " +
           llvm::to_string(product.numbers);
  Type input = getType(0);
  if (product.hasInputScales()) {
    Type inputScales = getType(product.getInputScalesNumber());
    if (!input.isInteger(8) || !inputScales.isF32())
      return llvm::formatv("expected inputs of i8 with scales of f32 but got "
                           "{0} with scales of {1}",
                           input, inputScales);
  } else if (!isFloat(input)) {
    return "expected inputs of f32, bf16 or f16 but got " +
           llvm::to_string(input);
  }
  Type scales = getType(product.getScalesNumber());
  if (product.hasPowers ? !scales.isInteger(8) : !isFloat(scales))
    return llvm::formatv("expected scales of {0} but got {1}",
                         product.hasPowers ? "i8, which are powers of two,"
                                           : "f32, bf16 or f16",
                         scales);
  if (product.hasZeros && !getType(product.getZerosNumber()).isInteger(8))
    return "expected zero points of i8 but got " +
           llvm::to_string(getType(product.getZerosNumber()));
  auto weight =
      cast<MemRefType>(op.getDpsInputs()[product.getWeightNumber()].getType());
  if (!weight.getElementType().isInteger(8) || weight.getDimSize(2) != 16 ||
      weight.getDimSize(3) != 4)
    return "expected panels of lines of 16 times 4 bytes but got " +
           llvm::to_string(weight);
  if (weight.getDimSize(1) == 0)
    return "there are no inputs, and no segment that would begin the sums";
  Type sums = getType(op.getNumDpsInputs());
  if (!sums.isF32())
    return "expected sums of f32 but got " + llvm::to_string(sums);
  return "";
}

/// Why kernels cannot read the rows of `op` where they are; empty if they can.
/// In a task, whose buffers are small, rows are moved there, if they can be.
static std::string whyCopied(linalg::GenericOp op,
                             const KernelOperands &operands) {
  const PanelSchedule &schedule = operands.schedule;
  const PanelShape &shape = schedule.getShape();
  if (shape.convertsRows)
    return "they are converted from " + llvm::to_string(operands.input) +
           " to " + llvm::to_string(operands.row);
  if (!shape.inputs)
    return "how long they are is known only at run time";
  if (!schedule.canReadInPlace())
    return llvm::formatv("they have {0} inputs, and a slice has {1}",
                         *shape.inputs, schedule.getDepth());
  Value input = op.getDpsInputs()[0];
  if ((*getStrides(input))[0] == schedule.getRowStride())
    return "";
  if (!isInTask(op))
    return "only buffers of a task are laid out for kernels";
  std::string obstacle;
  spreadRows(input, schedule.getRowStride(), obstacle);
  return obstacle;
}

static KernelOperands getOperands(linalg::GenericOp op,
                                  const PanelProduct &product,
                                  const CPUMachine &machine) {
  auto weight = cast<MemRefType>(op.getDpsInputs()[1].getType());
  return KernelOperands(
      machine, getElementTypeOrSelf(op.getDpsInputs()[0].getType()),
      weight.getElementType(), weight.getDimSize(2), product.side,
      weight.isDynamicDim(1) ? ShapedType::kDynamic
                             : weight.getDimSize(1) * product.side);
}

static QuantizedTile getTile(linalg::GenericOp op,
                             const QuantizedProduct &product,
                             const CPUMachine &machine) {
  auto getType = [&](unsigned number) {
    return cast<MemRefType>(op.getDpsInputs()[number].getType());
  };
  return QuantizedTile(machine, product, getType(0).getElementType(),
                       getType(product.getScalesNumber()).getElementType(),
                       getType(product.getWeightNumber()).getDimSize(1) *
                           product.getLineInputs());
}

std::vector<PlannedProduct> sluice::planProducts(ModuleOp module,
                                                 const CPUMachine &machine) {
  std::vector<PlannedProduct> products;
  module.walk([&](linalg::GenericOp op) {
    PlannedProduct planned;
    planned.op = op;
    planned.machine = &machine;
    if (auto panels = PanelProduct::match(op)) {
      planned.weight = op.getDpsInputs()[1];
      planned.numbers = getElementTypeOrSelf(planned.weight.getType());
      planned.obstacle = findObstacle(op, *panels, machine);
      if (planned.obstacle.empty())
        planned.operands = getOperands(op, *panels, machine);
    } else if (auto quantized = QuantizedProduct::match(op)) {
      planned.weight = op.getDpsInputs()[quantized->getWeightNumber()];
      planned.numbers = quantized->numbers;
      planned.obstacle = findObstacle(op, *quantized);
      if (planned.obstacle.empty())
        planned.tile = getTile(op, *quantized, machine);
    } else {
      return;
    }
    products.push_back(std::move(planned));
  });
  // All products are known before the first buffer changes.
  for (PlannedProduct &product : products) {
    if (product.operands)
      product.copied = whyCopied(product.op, *product.operands);
    else if (product.tile)
      product.copied = "segments lie beside their sums and scales";
  }
  return products;
}

SmallVector<ScheduleRange> PlannedProduct::getRanges() const {
  return operands ? operands->schedule.getRanges(copied.empty())
                  : QuantizedSchedule(*machine, tile->getShape()).getRanges();
}
