//===- Products.cpp - Products to loops around register tiles ---*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PlanProducts.h"
#include "QuantizedProducts.h"
#include "RowProducts.h"
#include "SplitTasks.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"
#include "mlir/IR/Matchers.h"
#include "sluice/Target/CPU/Passes.h"
#include "llvm/ADT/SetVector.h"

namespace sluice {
#define GEN_PASS_DEF_SLUICECPUPRODUCTS
#include "sluice/Target/CPU/Passes.h.inc"
} // namespace sluice

using namespace mlir;
using namespace sluice;

/// Rows that a product outside of parallel loops gives to one task, and how
/// many tasks there are at least, if there are as many groups of panels; with
/// more threads, as many as these.
static constexpr int64_t rowsPerTask = 128;
static constexpr int64_t minTasks = 8;

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

/// Calls `call` for all of `rows` and `panels`, or, outside of parallel loops,
/// for parts of them in parallel, of whole groups of `group` panels.
static void
distribute(LoopBuilder &b, Operation *op, Value rows, Value panels,
           int64_t group, bool parallel,
           llvm::function_ref<void(LoopBuilder &, ProductPart)> call) {
  Value zero = b.index(0), one = b.index(1), together = b.index(group);
  if (!parallel || isInTask(op))
    return call(b, {zero, rows, zero, panels});

  Value most = b.index(rowsPerTask);
  Value chunks = ceilDiv(b, rows, most), groups = ceilDiv(b, panels, together);
  Value least =
      arith::MaxUIOp::create(b, b.loc, b.index(minTasks), getNumThreads(b));
  Value wanted =
      ceilDiv(b, least, arith::MaxUIOp::create(b, b.loc, chunks, one));
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

/// Lets products that have kernels be shared by threads where there are few
/// tasks. Returns whether there are new products.
static bool splitTasks(ArrayRef<PlannedProduct> products) {
  llvm::SetVector<scf::ForallOp> loops;
  for (const PlannedProduct &product : products)
    if (auto loop = product.op->getParentOfType<scf::ForallOp>();
        loop && product.hasKernels() && !isInTask(loop))
      loops.insert(loop);
  llvm::for_each(loops, splitFewTasks);
  return !loops.empty();
}

static void lower(PlannedProduct &product, RowProducts &products,
                  bool parallel) {
  linalg::GenericOp op = product.op;
  const KernelOperands &operands = *product.operands;
  Value input = op.getDpsInputs()[0], weight = product.weight;
  auto weightType = cast<MemRefType>(weight.getType());
  bool isOdd = weightType.isDynamicDim(0) || weightType.getDimSize(0) % 2 != 0;
  bool isFirst = absorbFill(op);

  OpBuilder builder(op);
  LoopBuilder b(builder, op.getLoc());
  RowProducts::Arguments args;
  args.input = flatten(b, input);
  args.weight = flatten(b, weight);
  args.result = flatten(b, op.getDpsInits()[0]);
  args.depth =
      b.mul(memref::DimOp::create(b, b.loc, weight, 1), b.index(operands.side));
  args.first = arith::ConstantIntOp::create(b, b.loc, isFirst, 1);
  args.inPlace = product.copied.empty();
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

static void lower(PlannedProduct &planned, QuantizedProducts &products,
                  bool parallel) {
  linalg::GenericOp op = planned.op;
  const QuantizedTile &tile = *planned.tile;
  const QuantizedProduct &product = tile.product;
  auto getInput = [&](unsigned number) { return op.getDpsInputs()[number]; };
  Value input = getInput(0), weight = getInput(product.getWeightNumber());
  bool isFirst = absorbFill(op);

  OpBuilder builder(op);
  LoopBuilder b(builder, op.getLoc());
  Value scales = getInput(product.getScalesNumber());
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
  distribute(b, op, rows, panels, /*group=*/1, parallel,
             [&](LoopBuilder &b, ProductPart part) {
               QuantizedProducts::Arguments own = args;
               static_cast<ProductPart &>(own) = part;
               products.call(b, tile, own);
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
    std::vector<PlannedProduct> planned = planProducts(module, *description);
    for (PlannedProduct &product : planned)
      product.remark();
    if (parallel && splitTasks(planned))
      planned = planProducts(module, *description);
    RowProducts products(module, *description);
    QuantizedProducts quantized(module, *description);
    for (PlannedProduct &product : planned)
      if (product.operands)
        lower(product, products, parallel);
    for (PlannedProduct &product : planned)
      if (product.tile)
        lower(product, quantized, parallel);
    numProducts += llvm::count_if(
        planned, [](const PlannedProduct &p) { return p.hasKernels(); });
    numKernels += products.getNumKernels() + quantized.getNumKernels();
  }
};
} // namespace
