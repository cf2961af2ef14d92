//===- MicroKernels.cpp - Register tiles as functions -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MicroKernels.h"

#include "Intrinsics.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace sluice;

/// What kernels read rows as.
static Type getRowType(const CPUMachine &machine, Type input, Type weight,
                       int64_t side) {
  if (machine.hasBF16Dots && side == 2 && input.isBF16() && weight.isBF16())
    return input;
  return Float32Type::get(input.getContext());
}

static PanelShape getShape(const KernelOperands &operands, int64_t inputs) {
  PanelShape shape;
  shape.weightBytes = operands.weight.getIntOrFloatBitWidth() / 8;
  shape.width = operands.width;
  shape.side = operands.side;
  shape.areDots = operands.areDots();
  shape.convertsRows = operands.input != operands.row;
  if (ShapedType::isStatic(inputs))
    shape.inputs = inputs;
  return shape;
}

KernelOperands::KernelOperands(const CPUMachine &machine, Type input,
                               Type weight, int64_t width, int64_t side,
                               int64_t inputs)
    : input(input), weight(weight), width(width), side(side),
      row(getRowType(machine, input, weight, side)),
      schedule(machine, getShape(*this, inputs)) {}

std::string KernelOperands::getName() const {
  std::string name;
  llvm::raw_string_ostream os(name);
  os << weight;
  if (areDots())
    os << "dot";
  else if (side > 1)
    os << "by" << side;
  if (schedule.isShort())
    os << "short";
  return name;
}

namespace {
/// Fills the body of one kernel.
class KernelBody {
public:
  KernelBody(func::FuncOp function, const CPUMachine &machine, int64_t rows,
             int64_t panels, const KernelOperands &operands)
      : builder(function.getBody()), b(builder, function.getLoc()),
        machine(machine), operands(operands), rows(rows), panels(panels),
        vectors(operands.width / machine.lanes), width(operands.width),
        side(operands.side),
        sum(VectorType::get({machine.lanes}, b.getF32Type())),
        words(VectorType::get({machine.lanes}, b.getI32Type())),
        stored(VectorType::get({side * machine.lanes}, operands.weight)) {
    auto arg = [&](unsigned i) -> Value { return function.getArgument(i); };
    args = {arg(0), arg(1), arg(2), arg(3),  arg(4),  arg(5), arg(6),
            arg(7), arg(8), arg(9), arg(10), arg(11), arg(12)};
  }

  void build() {
    auto loop = scf::ForOp::create(
        b, b.loc, b.index(0), args.depth, b.index(side), loadSums(),
        [&](OpBuilder &builder, Location loc, Value k, ValueRange carried) {
          LoopBuilder inner(builder, loc);
          SmallVector<Value> sums(carried);
          step(inner, k, sums);
          scf::YieldOp::create(inner, loc, sums);
        });
    storeSums(SmallVector<Value>(loop.getResults()));
    func::ReturnOp::create(b, b.loc);
  }

private:
  /// The place in C of a row's vector.
  Value getSumPlace(int64_t row, int64_t panel, int64_t vector) {
    Value place = b.add(args.cOffset, b.mul(args.cRowStride, b.index(row)));
    return b.add(place, b.index(panel * width + vector * machine.lanes));
  }

  template <typename Fn> void forSums(Fn fn) {
    for (int64_t q = 0; q < panels; ++q)
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t v = 0; v < vectors; ++v)
          fn(i, q, v);
  }

  SmallVector<Value> loadSums() {
    SmallVector<Type> types(rows * panels * vectors, sum);
    auto start = scf::IfOp::create(b, b.loc, types, args.first,
                                   /*addThenBlock=*/true,
                                   /*addElseBlock=*/true);
    OpBuilder then = start.getThenBodyBuilder();
    Value zero = arith::ConstantOp::create(then, b.loc, b.getZeroAttr(sum));
    scf::YieldOp::create(then, b.loc, SmallVector<Value>(types.size(), zero));
    OpBuilder otherwise = start.getElseBodyBuilder();
    SmallVector<Value> loaded;
    {
      OpBuilder::InsertionGuard guard(b);
      b.restoreInsertionPoint(otherwise.saveInsertionPoint());
      forSums([&](int64_t i, int64_t q, int64_t v) {
        loaded.push_back(vector::LoadOp::create(b, b.loc, sum, args.c,
                                                getSumPlace(i, q, v)));
      });
      scf::YieldOp::create(b, b.loc, loaded);
    }
    return start.getResults();
  }

  void storeSums(ArrayRef<Value> sums) {
    const Value *next = sums.begin();
    forSums([&](int64_t i, int64_t q, int64_t v) {
      vector::StoreOp::create(b, b.loc, *next++, args.c, getSumPlace(i, q, v));
    });
  }

  /// The multiply-adds of one k, or of as many as lie side by side.
  void step(LoopBuilder &b, Value k, SmallVectorImpl<Value> &sums) {
    Value at = b.add(args.bOffset, b.mul(k, b.index(width)));
    panelPlaces.clear();
    for (int64_t q = 0; q < panels; ++q)
      panelPlaces.push_back(
          q == 0 ? at : b.add(panelPlaces.back(), args.panelStride));
    if (panels < CPUMachine::streams)
      prefetch(b, k);
    Value row = b.add(args.aOffset, k);
    if (side == 1 || operands.areDots())
      return addProducts(b, row, /*part=*/0, sums);
    bool keepsWeights = operands.schedule.keepsWeights(rows, panels);
    for (int64_t j = 0; j < side; ++j) {
      // Weights are loaded again where there are no registers to keep them.
      if (j > 0 && !keepsWeights)
        keepOrder(b);
      addProducts(b, b.add(row, b.index(j)), j, sums);
    }
  }

  void prefetch(LoopBuilder &b, Value k) {
    Value distance =
        b.select(b.compare(arith::CmpIPredicate::ult, k, args.prefetchDepth),
                 args.prefetchDistance, args.prefetchRest);
    // To the second cache: the first one has few places for lines under way.
    for (Value place : panelPlaces)
      memref::PrefetchOp::create(b, b.loc, args.b, b.add(place, distance),
                                 /*isWrite=*/false, /*localityHint=*/2,
                                 /*isDataCache=*/true);
  }

  /// What there is less of, rows' elements or weights, stays in registers; the
  /// other comes one by one.
  void addProducts(LoopBuilder &b, Value row, int64_t part,
                   SmallVectorImpl<Value> &sums) {
    auto add = [&](int64_t i, int64_t j, Value element, Value weight) {
      Value &target = sums[(j / vectors * rows + i) * vectors + j % vectors];
      target = operands.areDots()
                   ? multiplyBF16Pairs(b, machine, target, weight, element)
                   : multiplyAdd(b, machine, element, weight, target);
    };
    int64_t numWeights = panels * vectors;
    SmallVector<Value> kept;
    if (rows < numWeights) {
      for (int64_t i = 0; i < rows; ++i)
        kept.push_back(spread(b, row, i));
      for (int64_t j = 0; j < numWeights; ++j) {
        Value weight = load(b, j, part);
        for (int64_t i = 0; i < rows; ++i)
          add(i, j, kept[i], weight);
      }
      return;
    }
    for (int64_t j = 0; j < numWeights; ++j)
      kept.push_back(load(b, j, part));
    for (int64_t i = 0; i < rows; ++i) {
      Value element = spread(b, row, i);
      for (int64_t j = 0; j < numWeights; ++j)
        add(i, j, element, kept[j]);
    }
  }

  /// Row i's element at `row` of the first one, or two neighbours, in all
  /// lanes.
  Value spread(LoopBuilder &b, Value row, int64_t i) {
    Value at = i == 0
                   ? row
                   : b.add(row, b.index(i * operands.schedule.getRowStride()));
    if (!operands.areDots()) {
      Value element = memref::LoadOp::create(b, b.loc, args.a, at);
      return vector::BroadcastOp::create(b, b.loc, sum, element);
    }
    Value pair = vector::LoadOp::create(
        b, b.loc, VectorType::get({2}, operands.row), args.a, at);
    Value word = vector::BitCastOp::create(
        b, b.loc, VectorType::get({1}, b.getI32Type()), pair);
    return vector::BitCastOp::create(
        b, b.loc, stored, vector::BroadcastOp::create(b, b.loc, words, word));
  }

  /// Vector j of the panels' weights, as it is multiplied: in f32, number
  /// `part` of those side by side, or all of these for dot products.
  Value load(LoopBuilder &b, int64_t j, int64_t part) {
    Value place = b.add(panelPlaces[j / vectors],
                        b.index(j % vectors * machine.lanes * side));
    Value weight = vector::LoadOp::create(b, b.loc, stored, args.b, place);
    if (!operands.convert())
      return weight;
    if (side == 1)
      return arith::ExtFOp::create(b, b.loc, sum, weight);
    // The first of two is in the low half. A bf16 is the high half of an f32.
    weight = vector::BitCastOp::create(b, b.loc, words, weight);
    auto number = [&](int64_t value) -> Value {
      return arith::ConstantOp::create(
          b, b.loc,
          DenseElementsAttr::get(words, b.getI32IntegerAttr(int32_t(value))));
    };
    weight =
        part == 0
            ? Value(arith::ShLIOp::create(b, b.loc, weight, number(16)))
            : Value(arith::AndIOp::create(b, b.loc, weight, number(-65536)));
    return vector::BitCastOp::create(b, b.loc, sum, weight);
  }

  OpBuilder builder;
  LoopBuilder b;
  const CPUMachine &machine;
  const KernelOperands &operands;
  int64_t rows, panels, vectors, width, side;
  /// Of one register: sums, the same as integers, and weights as they are
  /// stored.
  VectorType sum, words, stored;
  MicroKernels::Arguments args;
  /// Where the panels' weights of the current step are.
  SmallVector<Value> panelPlaces;
};
} // namespace

func::FuncOp MicroKernels::get(int64_t rows, int64_t panels,
                               const KernelOperands &operands) {
  std::string name = "__sluice_product_";
  llvm::raw_string_ostream(name) << operands.getName() << "_" << rows << "x"
                                 << panels << "x" << operands.width;
  func::FuncOp &kernel = kernels[name];
  if (kernel)
    return kernel;

  Builder builder(module.getContext());
  Type index = builder.getIndexType(),
       result = getFlatType(builder.getF32Type());
  kernel =
      createKernel(module, name,
                   {getFlatType(operands.row), index,
                    getFlatType(operands.weight), index, index, result, index,
                    index, index, builder.getI1Type(), index, index, index});
  KernelBody(kernel, machine, rows, panels, operands).build();
  return kernel;
}

void MicroKernels::call(LoopBuilder &b, int64_t rows, int64_t panels,
                        const KernelOperands &operands, const Arguments &args) {
  func::CallOp::create(
      b, b.loc, get(rows, panels, operands),
      ValueRange{args.a, args.aOffset, args.b, args.bOffset, args.panelStride,
                 args.c, args.cOffset, args.cRowStride, args.depth, args.first,
                 args.prefetchDistance, args.prefetchDepth, args.prefetchRest});
}
