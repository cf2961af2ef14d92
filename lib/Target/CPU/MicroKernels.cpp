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
    auto loop = scf::ForOp::create(
        b, b.loc, b.index(0), args.depth, b.index(1), loadSums(),
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

  /// The multiply-adds of one k. What there is less of, rows' elements or
  /// weights, stays in registers; the other comes one by one.
  void step(LoopBuilder &b, Value k, SmallVectorImpl<Value> &sums) {
    SmallVector<Value> panelPlaces;
    Value at = b.add(args.bOffset, b.mul(k, b.index(width)));
    // Behind the part that it prefetches a kernel touches what it reads anyway:
    // cheaper than a second loop.
    Value distance =
        b.select(b.compare(arith::CmpIPredicate::ult, k, args.prefetchDepth),
                 args.prefetchDistance, b.index(0));
    for (int64_t q = 0; q < panels; ++q) {
      panelPlaces.push_back(
          q == 0 ? at : b.add(panelPlaces.back(), args.panelStride));
      memref::PrefetchOp::create(
          b, b.loc, args.b, b.add(panelPlaces.back(), distance),
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
      target = multiplyAdd(b, machine, element, weight, target);
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

  Builder builder(module.getContext());
  Type index = builder.getIndexType(),
       result = getFlatType(builder.getF32Type());
  kernel =
      createKernel(module, name,
                   {result, index, getFlatType(weight), index, index, result,
                    index, index, index, builder.getI1Type(), index, index});
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
