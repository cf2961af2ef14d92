//===- MicroKernels.cpp - Register tiles as functions -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MicroKernels.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace sluice;

/// Multiply-adds of a turn of the loop along k, at least: fewer spend their
/// time on the loop.
static constexpr int64_t minWork = 8;

namespace {
/// Fills the body of one kernel.
class KernelBody {
public:
  KernelBody(func::FuncOp function, const CPUMachine &machine,
             int64_t rowStride, int64_t rows, int64_t panels, int64_t width,
             Type weight)
      : builder(function.getBody()), b(builder, function.getLoc()),
        machine(machine), rowStride(rowStride), rows(rows), panels(panels),
        vectors(width / machine.lanes), width(width),
        sum(VectorType::get({machine.lanes}, b.getF32Type())),
        stored(VectorType::get({machine.lanes}, weight)) {
    auto arg = [&](unsigned i) -> Value { return function.getArgument(i); };
    args = {arg(0), arg(1), arg(2), arg(3), arg(4),  arg(5),
            arg(6), arg(7), arg(8), arg(9), arg(10), arg(11)};
  }

  void build() {
    SmallVector<Value> sums = loadSums();
    // The loop that prefetches, then the one that does not; in each, what is
    // left over of an unrolled turn.
    int64_t unroll = std::max<int64_t>(1, minWork / (rows * panels * vectors));
    Value zero = b.index(0);
    Value middle = sums.empty() ? zero : args.prefetchDepth;
    sums = loop(zero, roundDown(middle, unroll), unroll, true, sums);
    sums = loop(roundDown(middle, unroll), roundDown(args.depth, unroll),
                unroll, false, sums);
    if (unroll > 1)
      sums = loop(roundDown(args.depth, unroll), args.depth, 1, false, sums);
    storeSums(sums);
    func::ReturnOp::create(b, b.loc);
  }

private:
  Value roundDown(Value depth, int64_t unroll) {
    if (unroll == 1)
      return depth;
    return b.sub(depth,
                 arith::RemUIOp::create(b, b.loc, depth, b.index(unroll)));
  }

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

  SmallVector<Value> loop(Value from, Value to, int64_t unroll, bool prefetch,
                          ArrayRef<Value> sums) {
    auto loop = scf::ForOp::create(
        b, b.loc, from, to, b.index(unroll), sums,
        [&](OpBuilder &builder, Location loc, Value k, ValueRange carried) {
          LoopBuilder inner(builder, loc);
          SmallVector<Value> next(carried);
          for (int64_t u = 0; u < unroll; ++u)
            step(inner, u == 0 ? k : inner.add(k, inner.index(u)), prefetch,
                 next);
          scf::YieldOp::create(inner, loc, next);
        });
    return SmallVector<Value>(loop.getResults());
  }

  /// The multiply-adds of one k. What there is less of, rows' elements or
  /// weights, stays in registers; the other comes one by one.
  void step(LoopBuilder &b, Value k, bool prefetch,
            SmallVectorImpl<Value> &sums) {
    SmallVector<Value> panelPlaces;
    Value at = b.add(args.bOffset, b.mul(k, b.index(width)));
    for (int64_t q = 0; q < panels; ++q) {
      panelPlaces.push_back(
          q == 0 ? at : b.add(panelPlaces.back(), args.panelStride));
      if (prefetch)
        memref::PrefetchOp::create(
            b, b.loc, args.b, b.add(panelPlaces.back(), args.prefetchDistance),
            /*isWrite=*/false, /*localityHint=*/3, /*isDataCache=*/true);
    }
    Value row = b.add(args.aOffset, k);
    auto spread = [&](int64_t i) -> Value {
      Value element = memref::LoadOp::create(
          b, b.loc, args.a, i == 0 ? row : b.add(row, b.index(i * rowStride)));
      return vector::BroadcastOp::create(b, b.loc, sum, element);
    };
    auto load = [&](int64_t j) -> Value {
      Value place =
          b.add(panelPlaces[j / vectors], b.index(j % vectors * machine.lanes));
      Value weight = vector::LoadOp::create(b, b.loc, stored, args.b, place);
      if (stored == sum)
        return weight;
      return arith::ExtFOp::create(b, b.loc, sum, weight);
    };
    auto add = [&](int64_t i, int64_t j, Value element, Value weight) {
      Value &target = sums[(j / vectors * rows + i) * vectors + j % vectors];
      target = multiplyAdd(b, element, weight, target);
    };
    int64_t numWeights = panels * vectors;
    SmallVector<Value> kept;
    if (rows < numWeights) {
      for (int64_t i = 0; i < rows; ++i)
        kept.push_back(spread(i));
      for (int64_t j = 0; j < numWeights; ++j) {
        Value weight = load(j);
        for (int64_t i = 0; i < rows; ++i)
          add(i, j, kept[i], weight);
      }
      return;
    }
    for (int64_t j = 0; j < numWeights; ++j)
      kept.push_back(load(j));
    for (int64_t i = 0; i < rows; ++i) {
      Value element = spread(i);
      for (int64_t j = 0; j < numWeights; ++j)
        add(i, j, element, kept[j]);
    }
  }

  Value multiplyAdd(LoopBuilder &b, Value x, Value y, Value z) {
    if (machine.hasFMA)
      return vector::FMAOp::create(b, b.loc, x, y, z);
    return arith::AddFOp::create(b, b.loc, z,
                                 arith::MulFOp::create(b, b.loc, x, y));
  }

  OpBuilder builder;
  LoopBuilder b;
  const CPUMachine &machine;
  int64_t rowStride, rows, panels, vectors, width;
  VectorType sum, stored;
  MicroKernels::Arguments args;
};
} // namespace

func::FuncOp MicroKernels::get(int64_t rows, int64_t panels, int64_t width,
                               Type weight) {
  std::string name = "__sluice_product_";
  llvm::raw_string_ostream(name)
      << weight << "_" << rows << "x" << panels << "x" << width;
  func::FuncOp &kernel = kernels[name];
  if (kernel)
    return kernel;

  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  Type index = builder.getIndexType(), f32 = builder.getF32Type();
  auto flat = [](Type element) {
    return MemRefType::get({ShapedType::kDynamic}, element);
  };
  kernel = func::FuncOp::create(
      builder, module.getLoc(), name,
      builder.getFunctionType({flat(f32), index, flat(weight), index, index,
                               flat(f32), index, index, index,
                               builder.getI1Type(), index, index},
                              {}));
  kernel.setPrivate();
  // Kept apart, so that each gets its registers to itself; and as wide as it is
  // written, where LLVM would prefer narrower vectors.
  kernel->setAttr(
      "passthrough",
      builder.getArrayAttr(
          {builder.getStringAttr("noinline"),
           builder.getStrArrayAttr({"min-legal-vector-width", "512"})}));
  kernel.addEntryBlock();
  KernelBody(kernel, machine, rowStride, rows, panels, width, weight).build();
  return kernel;
}

void MicroKernels::call(LoopBuilder &b, int64_t rows, int64_t panels,
                        int64_t width, Type weight, const Arguments &args) {
  func::CallOp::create(b, b.loc, get(rows, panels, width, weight),
                       ValueRange{args.a, args.aOffset, args.b, args.bOffset,
                                  args.panelStride, args.c, args.cOffset,
                                  args.cRowStride, args.depth, args.first,
                                  args.prefetchDistance, args.prefetchDepth});
}
