//===- Products.cpp - Products to loops around register tiles ---*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowProducts.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "sluice/Analysis/PanelProduct.h"
#include "sluice/Target/CPU/Passes.h"

namespace sluice {
#define GEN_PASS_DEF_SLUICECPUPRODUCTS
#include "sluice/Target/CPU/Passes.h.inc"
} // namespace sluice

using namespace mlir;
using namespace sluice;

/// Rows that a product outside of parallel loops gives to one task, and how
/// many tasks there are at least, if there are as many pairs of panels.
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
  if (!op.hasPureBufferSemantics() || !isPanelProduct(op))
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
  return !ShapedType::isDynamic(width) && width % machine.lanes == 0 &&
         inputStrides->back() == 1 && weightStrides->back() == 1 &&
         resultStrides->back() == 1 && (*weightStrides)[1] == width &&
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

static void lower(linalg::GenericOp op, RowProducts &products, bool parallel) {
  Value input = op.getDpsInputs()[0], weight = op.getDpsInputs()[1];
  auto weightType = cast<MemRefType>(weight.getType());
  int64_t width = weightType.getDimSize(2);
  bool isOdd = weightType.isDynamicDim(0) || weightType.getDimSize(0) % 2 != 0;
  bool isFirst = absorbFill(op);

  OpBuilder builder(op);
  LoopBuilder b(builder, op.getLoc());
  RowProducts::Arguments args;
  args.input = flatten(b, input);
  args.weight = flatten(b, weight);
  args.result = flatten(b, op.getDpsInits()[0]);
  args.depth = memref::DimOp::create(b, b.loc, input, 1);
  args.first = arith::ConstantIntOp::create(b, b.loc, isFirst, 1);
  Value rows = memref::DimOp::create(b, b.loc, input, 0);
  Value panels = memref::DimOp::create(b, b.loc, weight, 0);
  Value zero = b.index(0), one = b.index(1), two = b.index(2);
  if (!parallel || op->getParentOfType<scf::ForallOp>() ||
      op->getParentOfType<scf::ParallelOp>()) {
    args.firstRow = args.firstPanel = zero;
    args.lastRow = rows;
    args.lastPanel = panels;
    products.call(b, width, isOdd, args);
    op.erase();
    return;
  }

  auto ceilDiv = [&](Value l, Value r) -> Value {
    return arith::CeilDivUIOp::create(b, b.loc, l, r);
  };
  Value most = b.index(rowsPerTask);
  Value chunks = ceilDiv(rows, most), pairs = ceilDiv(panels, two);
  Value wanted =
      ceilDiv(b.index(minTasks), arith::MaxUIOp::create(b, b.loc, chunks, one));
  Value splits = arith::MinUIOp::create(b, b.loc, wanted, pairs);
  scf::ParallelOp::create(b, b.loc, ValueRange{zero, zero},
                          ValueRange{chunks, splits}, ValueRange{one, one},
                          [&](OpBuilder &builder, Location loc, ValueRange at) {
                            LoopBuilder b(builder, loc);
                            auto least = [&](Value l, Value r) -> Value {
                              return arith::MinUIOp::create(b, loc, l, r);
                            };
                            auto cut = [&](Value number) -> Value {
                              Value pair = arith::DivUIOp::create(
                                  b, loc, b.mul(pairs, number), splits);
                              return least(b.mul(pair, two), panels);
                            };
                            RowProducts::Arguments own = args;
                            own.firstRow = b.mul(at[0], most);
                            own.lastRow =
                                least(b.add(own.firstRow, most), rows);
                            own.firstPanel = cut(at[1]);
                            own.lastPanel = cut(b.add(at[1], one));
                            products.call(b, width, isOdd, own);
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
    module.walk([&](linalg::GenericOp op) {
      if (isSupported(op, *description))
        ops.push_back(op);
    });
    RowProducts products(module, *description);
    for (linalg::GenericOp op : ops)
      lower(op, products, parallel);
    numProducts += ops.size();
    numKernels += products.getNumKernels();
  }
};
} // namespace
