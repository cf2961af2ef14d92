//===- QuantizedProducts.cpp - Products of numbers with scales --*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantizedProducts.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;
using namespace sluice;

static constexpr int64_t width = 16;

namespace {
/// Fills the body of one function.
class QuantizedProductBody {
public:
  QuantizedProductBody(func::FuncOp function, const CPUMachine &machine,
                       QuantizedKernels &kernels, const QuantizedTile &tile)
      : builder(function.getBody()), b(builder, function.getLoc()),
        machine(machine), kernels(kernels), tile(tile),
        schedule(machine, tile.getShape()) {
    const Value *next = function.getArguments().begin();
    auto take = [&]() -> Strided {
      Strided strided = {next[0], next[1], next[2]};
      next += 3;
      return strided;
    };
    // The order of QuantizedProducts::call.
    args.input = take();
    if (tile.isInteger())
      args.inputScales = take();
    args.weight = take();
    args.scales = take();
    if (tile.product.hasZeros)
      args.zeros = take();
    args.result = take();
    args.firstRow = *next++, args.lastRow = *next++;
    args.firstPanel = *next++, args.lastPanel = *next++;
    args.first = *next++;
  }

  void build();

private:
  /// The rows slice by slice, with each segment's sum and scale.
  void copyRows();
  void copySegment(LoopBuilder &b, Value from, Value to);
  /// The sum of a segment's inputs, as kernels take it.
  Value sumSegment(LoopBuilder &b, Value from);
  void runBlock(LoopBuilder &b, Value panel, Value slice, Value block);
  Value load(LoopBuilder &b, Value buffer, Value place) {
    return memref::LoadOp::create(b, b.loc, buffer, place);
  }
  Value getPlace(LoopBuilder &b, const Strided &strided, Value number) {
    return b.add(strided.offset, b.mul(number, strided.stride));
  }

  OpBuilder builder;
  LoopBuilder b;
  const CPUMachine &machine;
  QuantizedKernels &kernels;
  const QuantizedTile &tile;
  QuantizedSchedule schedule;
  QuantizedProducts::Arguments args;
  Value count, slices, blocks;
  Value copy, sums, inputScales;
};
} // namespace

void QuantizedProductBody::build() {
  count = b.sub(args.lastRow, args.firstRow);
  slices = b.index(llvm::divideCeil(tile.allSegments, tile.segments));
  blocks = ceilDiv(b, count, b.index(schedule.getMostRows()));
  copyRows();
  Value zero = b.index(0), one = b.index(1);
  makeLoop(b, args.firstPanel, args.lastPanel, one,
           [&](LoopBuilder &b, Value panel) {
             makeLoop(b, zero, slices, one, [&](LoopBuilder &b, Value slice) {
               makeLoop(b, zero, blocks, one, [&](LoopBuilder &b, Value block) {
                 runBlock(b, panel, slice, block);
               });
             });
           });
  memref::DeallocOp::create(b, b.loc, copy);
  if (tile.isInteger()) {
    memref::DeallocOp::create(b, b.loc, sums);
    memref::DeallocOp::create(b, b.loc, inputScales);
  }
  func::ReturnOp::create(b, b.loc);
}

void QuantizedProductBody::copyRows() {
  auto allocate = [&](Type element, int64_t perRow) -> Value {
    return memref::AllocOp::create(
        b, b.loc, getFlatType(element),
        b.mul(b.mul(slices, count), b.index(perRow)));
  };
  copy = allocate(tile.getCopyType(machine), tile.getRowStride());
  if (tile.isInteger()) {
    Type sum =
        tile.product.hasZeros ? Type(b.getF32Type()) : Type(b.getI32Type());
    sums = allocate(sum, tile.segments);
    inputScales = allocate(b.getF32Type(), tile.segments);
  }
  Value zero = b.index(0), one = b.index(1);
  makeLoop(b, zero, slices, one, [&](LoopBuilder &b, Value slice) {
    Value first = b.mul(slice, b.index(tile.segments));
    Value length = minimum(b, b.sub(b.index(tile.allSegments), first),
                           b.index(tile.segments));
    makeLoop(b, zero, count, one, [&](LoopBuilder &b, Value row) {
      Value at = b.add(b.mul(slice, count), row);
      Value source = b.add(args.firstRow, row);
      Value from = b.add(getPlace(b, args.input, source),
                         b.mul(first, b.index(tile.segment)));
      Value to = b.mul(at, b.index(tile.getRowStride()));
      makeLoop(b, zero, length, one, [&](LoopBuilder &b, Value segment) {
        Value begin = b.mul(segment, b.index(tile.segment));
        Value place = b.add(b.mul(at, b.index(tile.segments)), segment);
        copySegment(b, b.add(from, begin), b.add(to, begin));
        if (!tile.isInteger())
          return;
        memref::StoreOp::create(b, b.loc, sumSegment(b, b.add(from, begin)),
                                sums, place);
        Value block = arith::DivUIOp::create(
            b, b.loc, b.add(first, segment),
            b.index(tile.product.inputBlock / tile.segment));
        Value scale = load(b, args.inputScales.buffer,
                           b.add(getPlace(b, args.inputScales, source), block));
        memref::StoreOp::create(b, b.loc, scale, inputScales, place);
      });
    });
  });
}

void QuantizedProductBody::copySegment(LoopBuilder &b, Value from, Value to) {
  Type type = tile.getCopyType(machine);
  // Pairs of even and of odd numbers, as weights' bytes come apart.
  SmallVector<int64_t> places = {0};
  if (tile.isInteger() && machine.dots == DotKind::Pairs)
    places = {0, 2, 1, 3};
  makeLoop(b, b.index(0), b.index(tile.segment), b.index(places.size()),
           [&](LoopBuilder &b, Value i) {
             for (auto [j, place] : llvm::enumerate(places)) {
               Value x = load(b, args.input.buffer,
                              b.add(b.add(from, i), b.index(j)));
               if (!tile.isInteger())
                 x = b.convert(x, type);
               else if (x.getType() != type)
                 x = arith::ExtSIOp::create(b, b.loc, type, x);
               memref::StoreOp::create(b, b.loc, x, copy,
                                       b.add(b.add(to, i), b.index(place)));
             }
           });
}

Value QuantizedProductBody::sumSegment(LoopBuilder &b, Value from) {
  // Inputs that are added side by side: their number divides the segment's.
  int64_t step = std::gcd<int64_t>(tile.segment, 16);
  auto bytes = VectorType::get({step}, b.getI8Type());
  auto integers = VectorType::get({step}, b.getI32Type());
  Value none = arith::ConstantOp::create(
      b, b.loc, DenseElementsAttr::get(integers, b.getI32IntegerAttr(0)));
  auto loop = scf::ForOp::create(
      b, b.loc, b.index(0), b.index(tile.segment), b.index(step), none,
      [&](OpBuilder &builder, Location loc, Value i, ValueRange carried) {
        LoopBuilder b(builder, loc);
        Value x = vector::LoadOp::create(b, loc, bytes, args.input.buffer,
                                         b.add(from, i));
        x = arith::ExtSIOp::create(b, loc, integers, x);
        scf::YieldOp::create(b, loc, b.add(carried[0], x));
      });
  Value sum = vector::ReductionOp::create(b, b.loc, vector::CombiningKind::ADD,
                                          loop.getResult(0));
  if (tile.product.hasZeros)
    return arith::SIToFPOp::create(b, b.loc, b.getF32Type(), sum);
  return b.mul(sum,
               arith::ConstantIntOp::create(b, b.loc, -tile.getOffset(), 32));
}

/// One block of rows, on one slice of a panel.
void QuantizedProductBody::runBlock(LoopBuilder &b, Value panel, Value slice,
                                    Value block) {
  // Blocks' sizes differ by 1 at most.
  auto cut = [&](Value number) -> Value {
    return arith::DivUIOp::create(b, b.loc, b.mul(count, number), blocks);
  };
  Value from = cut(block), size = b.sub(cut(b.add(block, b.index(1))), from);
  QuantizedKernels::Arguments all;
  Value at = b.add(b.mul(slice, count), from);
  all.a = copy;
  all.aOffset = b.mul(at, b.index(tile.getRowStride()));
  all.sums = sums;
  all.inputScales = inputScales;
  all.segmentOffset = b.mul(at, b.index(tile.segments));
  all.firstSegment = b.mul(slice, b.index(tile.segments));
  all.segments = minimum(b, b.sub(b.index(tile.allSegments), all.firstSegment),
                         b.index(tile.segments));
  all.weight = args.weight.buffer;
  int64_t segmentBytes =
      tile.segment / tile.product.getLineInputs() * width * 4;
  all.weightOffset = b.add(getPlace(b, args.weight, panel),
                           b.mul(all.firstSegment, b.index(segmentBytes)));
  all.scales = args.scales.buffer;
  all.scalesOffset = getPlace(b, args.scales, panel);
  if (tile.product.hasZeros) {
    all.zeros = args.zeros.buffer;
    all.zerosOffset = getPlace(b, args.zeros, panel);
  }
  all.c = args.result.buffer;
  all.cRowStride = args.result.stride;
  all.first = arith::SelectOp::create(
      b, b.loc, b.compare(arith::CmpIPredicate::eq, slice, b.index(0)),
      args.first, arith::ConstantIntOp::create(b, b.loc, 0, 1));
  // The first block of rows brings the slice into the cache.
  all.prefetchDistance =
      b.select(b.compare(arith::CmpIPredicate::eq, block, b.index(0)),
               b.index(schedule.getPrefetchBytes()), b.index(0));
  all.cOffset = b.add(getPlace(b, args.result, b.add(args.firstRow, from)),
                      b.mul(panel, b.index(width)));

  makeSwitch(b, size, 1, schedule.getMostRows(),
             [&](LoopBuilder &b, int64_t n) { kernels.call(b, tile, n, all); });
}

func::FuncOp QuantizedProducts::get(const QuantizedTile &tile,
                                    TypeRange types) {
  std::string name = "__sluice_quantized_rows_" + tile.getName() + "_" +
                     std::to_string(tile.allSegments);
  func::FuncOp &function = functions[name];
  if (function)
    return function;
  function = createApart(module, name, types);
  QuantizedProductBody(function, machine, kernels, tile).build();
  return function;
}

void QuantizedProducts::call(LoopBuilder &b, const QuantizedTile &tile,
                             const Arguments &args) {
  SmallVector<Value> operands;
  auto give = [&](const Strided &strided) {
    operands.append({strided.buffer, strided.offset, strided.stride});
  };
  give(args.input);
  if (tile.isInteger())
    give(args.inputScales);
  give(args.weight);
  give(args.scales);
  if (tile.product.hasZeros)
    give(args.zeros);
  give(args.result);
  operands.append({args.firstRow, args.lastRow, args.firstPanel, args.lastPanel,
                   args.first});
  func::CallOp::create(b, b.loc, get(tile, ValueRange(operands).getTypes()),
                       operands);
}
