//===- Products.cpp - Products to loops around register tiles ---*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantizedProducts.h"
#include "RowProducts.h"
#include "SpreadRows.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"
#include "mlir/IR/Matchers.h"
#include "sluice/Analysis/PanelProduct.h"
#include "sluice/Analysis/QuantizedProduct.h"
#include "sluice/Target/CPU/Passes.h"

namespace sluice {
#define GEN_PASS_DEF_SLUICECPUPRODUCTS
#include "sluice/Target/CPU/Passes.h.inc"
} // namespace sluice

using namespace mlir;
using namespace sluice;

/// Rows that a product outside of parallel loops gives to one task, and how
/// many tasks there are at least, if there are as many groups of panels.
static constexpr int64_t rowsPerTask = 128;
static constexpr int64_t minTasks = 8;

static std::optional<SmallVector<int64_t>> getStrides(Value value) {
  auto type = dyn_cast<MemRefType>(value.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!type || failed(type.getStridesAndOffset(strides, offset)))
    return std::nullopt;
  return strides;
}

/// True if functions around micro-kernels of `machine` can compute `op`.
static bool isSupported(linalg::GenericOp op, const CPUMachine &machine) {
  std::optional<PanelProduct> product;
  if (op.hasPureBufferSemantics())
    product = PanelProduct::match(op);
  if (!product)
    return false;
  Value input = op.getDpsInputs()[0], weight = op.getDpsInputs()[1];
  Value result = op.getDpsInits()[0];
  auto inputStrides = getStrides(input), weightStrides = getStrides(weight),
       resultStrides = getStrides(result);
  if (!inputStrides || !weightStrides || !resultStrides)
    return false;
  // A row, a panel, and a row of all panels of the result lie side by side.
  int64_t width = cast<MemRefType>(weight.getType()).getDimSize(2);
  Type weightType = getElementTypeOrSelf(weight.getType());
  if (product->side > 1 && (product->side != 2 || !weightType.isBF16() ||
                            (*weightStrides)[2] != product->side))
    return false;
  return !ShapedType::isDynamic(width) && width % machine.lanes == 0 &&
         inputStrides->back() == 1 && weightStrides->back() == 1 &&
         resultStrides->back() == 1 &&
         (*weightStrides)[1] == width * product->side &&
         (*resultStrides)[1] == width &&
         (weightType.isF32() || weightType.isBF16() || weightType.isF16()) &&
         getElementTypeOrSelf(result.getType()).isF32() &&
         !getElementTypeOrSelf(input.getType()).isF64();
}

/// Removes the fill of zeros that the product adds to, if there is one.
static bool absorbFill(linalg::GenericOp op) {
  Value result = op.getDpsInits()[0];
  for (Operation *before = op->getPrevNode(); before;
       before = before->getPrevNode()) {
    auto fill = dyn_cast<linalg::FillOp>(before);
    if (fill && fill.getOutputs()[0] == result &&
        matchPattern(fill.getInputs()[0], m_AnyZeroFloat())) {
      fill.erase();
      return true;
    }
    // Anything else in between may read it, or is what makes it.
    if (before->getNumRegions() > 0 || before == result.getDefiningOp() ||
        llvm::is_contained(before->getOperands(), result))
      return false;
  }
  return false;
}

/// `value` as one dimension, with the stride of its first one.
static Strided flatten(LoopBuilder &b, Value value) {
  auto metadata = memref::ExtractStridedMetadataOp::create(b, b.loc, value);
  // What lies between the first and the last element; nobody asks for more.
  Value size = metadata.getOffset();
  for (auto [extent, stride] :
       llvm::zip_equal(metadata.getSizes(), metadata.getStrides()))
    size = b.add(size, b.mul(extent, stride));
  auto flat = MemRefType::get({ShapedType::kDynamic},
                              getElementTypeOrSelf(value.getType()));
  Value buffer = memref::ReinterpretCastOp::create(
      b, b.loc, flat, metadata.getBaseBuffer(), OpFoldResult(b.getIndexAttr(0)),
      ArrayRef<OpFoldResult>{size}, ArrayRef<OpFoldResult>{b.getIndexAttr(1)});
  return {buffer, metadata.getOffset(), metadata.getStrides()[0]};
}

static bool isParallel(Operation *op) {
  return op->getParentOfType<scf::ForallOp>() ||
         op->getParentOfType<scf::ParallelOp>();
}

/// Calls `call` for all of `rows` and `panels`, or, outside of parallel loops,
/// for parts of them in parallel, of whole groups of `group` panels.
static void
distribute(LoopBuilder &b, Operation *op, Value rows, Value panels,
           int64_t group, bool parallel,
           llvm::function_ref<void(LoopBuilder &, ProductPart)> call) {
  Value zero = b.index(0), one = b.index(1), together = b.index(group);
  if (!parallel || isParallel(op))
    return call(b, {zero, rows, zero, panels});

  auto ceilDiv = [&](Value l, Value r) -> Value {
    return arith::CeilDivUIOp::create(b, b.loc, l, r);
  };
  Value most = b.index(rowsPerTask);
  Value chunks = ceilDiv(rows, most), groups = ceilDiv(panels, together);
  Value wanted =
      ceilDiv(b.index(minTasks), arith::MaxUIOp::create(b, b.loc, chunks, one));
  Value splits = arith::MinUIOp::create(b, b.loc, wanted, groups);
  scf::ParallelOp::create(
      b, b.loc, ValueRange{zero, zero}, ValueRange{chunks, splits},
      ValueRange{one, one},
      [&](OpBuilder &builder, Location loc, ValueRange at) {
        LoopBuilder b(builder, loc);
        auto cut = [&](Value number) -> Value {
          Value first =
              arith::DivUIOp::create(b, loc, b.mul(groups, number), splits);
          return minimum(b, b.mul(first, together), panels);
        };
        Value firstRow = b.mul(at[0], most);
        call(b, {firstRow, minimum(b, b.add(firstRow, most), rows), cut(at[1]),
                 cut(b.add(at[1], one))});
      });
}

/// Whether kernels can read the rows of `op` where they are. In a task, whose
/// buffers are small, rows are moved there, if they can be.
static bool isInPlace(linalg::GenericOp op, const KernelOperands &operands,
                      int64_t inputs) {
  if (operands.input != operands.row || ShapedType::isDynamic(inputs) ||
      inputs > operands.depth)
    return false;
  Value input = op.getDpsInputs()[0];
  return (*getStrides(input))[0] == operands.rowStride ||
         (isParallel(op) && spreadRows(input, operands.rowStride));
}

static void lower(linalg::GenericOp op, const CPUMachine &machine,
                  RowProducts &products, bool parallel) {
  Value weight = op.getDpsInputs()[1];
  auto weightType = cast<MemRefType>(weight.getType());
  int64_t side = PanelProduct::match(op)->side;
  int64_t inputs = weightType.isDynamicDim(1) ? ShapedType::kDynamic
                                              : weightType.getDimSize(1) * side;
  bool isOdd = weightType.isDynamicDim(0) || weightType.getDimSize(0) % 2 != 0;
  bool isFirst = absorbFill(op);
  KernelOperands operands(
      machine, getElementTypeOrSelf(op.getDpsInputs()[0].getType()),
      weightType.getElementType(), weightType.getDimSize(2), side, inputs);
  bool inPlace = isInPlace(op, operands, inputs);
  Value input = op.getDpsInputs()[0];

  OpBuilder builder(op);
  LoopBuilder b(builder, op.getLoc());
  RowProducts::Arguments args;
  args.input = flatten(b, input);
  args.weight = flatten(b, weight);
  args.result = flatten(b, op.getDpsInits()[0]);
  args.depth = b.mul(memref::DimOp::create(b, b.loc, weight, 1), b.index(side));
  args.first = arith::ConstantIntOp::create(b, b.loc, isFirst, 1);
  args.inPlace = inPlace;
  Value rows = memref::DimOp::create(b, b.loc, input, 0);
  Value panels = memref::DimOp::create(b, b.loc, weight, 0);
  distribute(b, op, rows, panels, CPUMachine::streams, parallel,
             [&](LoopBuilder &b, ProductPart part) {
               RowProducts::Arguments own = args;
               static_cast<ProductPart &>(own) = part;
               products.call(b, operands, isOdd, own);
             });
  op.erase();
}

/// What `op` is if functions around kernels of `machine` can compute it.
static std::optional<QuantizedProduct>
matchQuantized(linalg::GenericOp op, const CPUMachine &machine) {
  std::optional<QuantizedProduct> product;
  if (op.hasPureBufferSemantics())
    product = QuantizedProduct::match(op);
  if (!product)
    return std::nullopt;
  // Panels lie in one piece each, rows side by side.
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = cast<MemRefType>(operand.get().getType());
    auto strides = getStrides(operand.get());
    if (!strides)
      return std::nullopt;
    int64_t expected = 1;
    for (int64_t d = type.getRank() - 1; d > 0; --d) {
      if ((*strides)[d] != expected || type.isDynamicDim(d))
        return std::nullopt;
      expected *= type.getDimSize(d);
    }
  }
  auto weight =
      cast<MemRefType>(op.getDpsInputs()[product->getWeightNumber()].getType());
  Type input = getElementTypeOrSelf(op.getDpsInputs()[0].getType());
  auto isFloat = [](Type type) {
    return type.isF32() || type.isF16() || type.isBF16();
  };
  auto getType = [&](unsigned number) {
    return getElementTypeOrSelf(op.getDpsInputs()[number].getType());
  };
  Type scales = getType(product->getScalesNumber());
  bool isKnown =
      (product->hasInputScales()
           ? input.isInteger(8) &&
                 getType(product->getInputScalesNumber()).isF32()
           : isFloat(input)) &&
      (product->hasPowers ? scales.isInteger(8) : isFloat(scales)) &&
      (!product->hasZeros || getType(product->getZerosNumber()).isInteger(8)) &&
      weight.getElementType().isInteger(8) &&
      // Floats of 8 bits have no kernel.
      isa<IntegerType, Float4E2M1FNType>(product->numbers);
  // Without inputs there is no segment that would begin the sums.
  if (!isKnown || weight.getDimSize(1) == 0 || weight.getDimSize(2) != 16 ||
      weight.getDimSize(3) != 4 ||
      !getElementTypeOrSelf(op.getDpsInits()[0].getType()).isF32())
    return std::nullopt;
  return product;
}

static void lower(linalg::GenericOp op, const QuantizedProduct &product,
                  const CPUMachine &machine, QuantizedProducts &products,
                  bool parallel) {
  auto getInput = [&](unsigned number) { return op.getDpsInputs()[number]; };
  Value input = getInput(0), weight = getInput(product.getWeightNumber());
  auto weightType = cast<MemRefType>(weight.getType());
  bool hasRest = weightType.isDynamicDim(0) ||
                 weightType.getDimSize(0) % QuantizedProducts::group != 0;
  bool isFirst = absorbFill(op);

  OpBuilder builder(op);
  LoopBuilder b(builder, op.getLoc());
  Value scales = getInput(product.getScalesNumber());
  QuantizedTile tile(machine, product, getElementTypeOrSelf(input.getType()),
                     getElementTypeOrSelf(scales.getType()),
                     weightType.getDimSize(1) * product.getLineInputs());
  QuantizedProducts::Arguments args;
  args.input = flatten(b, input);
  if (product.hasInputScales())
    args.inputScales = flatten(b, getInput(product.getInputScalesNumber()));
  args.weight = flatten(b, weight);
  args.scales = flatten(b, scales);
  if (product.hasZeros)
    args.zeros = flatten(b, getInput(product.getZerosNumber()));
  args.result = flatten(b, op.getDpsInits()[0]);
  args.first = arith::ConstantIntOp::create(b, b.loc, isFirst, 1);
  Value rows = memref::DimOp::create(b, b.loc, input, 0);
  Value panels = memref::DimOp::create(b, b.loc, weight, 0);
  distribute(b, op, rows, panels, QuantizedProducts::group, parallel,
             [&](LoopBuilder &b, ProductPart part) {
               QuantizedProducts::Arguments own = args;
               static_cast<ProductPart &>(own) = part;
               products.call(b, tile, hasRest, own);
             });
  op.erase();
}

namespace {
struct CPUProducts : sluice::impl::SluiceCPUProductsBase<CPUProducts> {
  using SluiceCPUProductsBase::SluiceCPUProductsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    const CPUMachine *description = lookupCPUMachine(machine);
    if (!description) {
      InFlightDiagnostic error = module.emitError("expected a machine among ");
      llvm::interleaveComma(getCPUMachines(), error,
                            [&](const CPUMachine &m) { error << m.name; });
      error << " but got '" << machine << "'";
      return signalPassFailure();
    }
    SmallVector<linalg::GenericOp> ops;
    SmallVector<std::pair<linalg::GenericOp, QuantizedProduct>> quantizedOps;
    module.walk([&](linalg::GenericOp op) {
      if (isSupported(op, *description))
        ops.push_back(op);
      else if (auto product = matchQuantized(op, *description))
        quantizedOps.push_back({op, *product});
    });
    RowProducts products(module, *description);
    for (linalg::GenericOp op : ops)
      lower(op, *description, products, parallel);
    QuantizedProducts quantized(module, *description);
    for (auto &[op, product] : quantizedOps)
      lower(op, product, *description, quantized, parallel);
    numProducts += ops.size() + quantizedOps.size();
    numKernels += products.getNumKernels() + quantized.getNumKernels();
  }
};
} // namespace
