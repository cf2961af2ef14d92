//===- RowProducts.cpp - Products of some rows as functions -----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowProducts.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace sluice;

namespace {
/// Fills the body of one function.
class RowProduct {
public:
  RowProduct(func::FuncOp function, MicroKernels &kernels,
             const KernelOperands &operands, bool isOdd, bool inPlace)
      : builder(function.getBody()), b(builder, function.getLoc()),
        kernels(kernels), operands(operands), schedule(operands.schedule),
        width(operands.width), isOdd(isOdd) {
    args.inPlace = inPlace;
    auto arg = [&](unsigned i) -> Value { return function.getArgument(i); };
    args.input = {arg(0), arg(1), arg(2)};
    args.weight = {arg(3), arg(4), arg(5)};
    args.result = {arg(6), arg(7), arg(8)};
    args.depth = arg(9);
    args.firstRow = arg(10), args.lastRow = arg(11);
    args.firstPanel = arg(12), args.lastPanel = arg(13);
    args.first = arg(14);
    all.b = args.weight.buffer;
    all.panelStride = args.weight.stride;
    all.c = args.result.buffer;
    all.cRowStride = args.result.stride;
    all.first = args.first;
  }

  void build() {
    Value count = b.sub(args.lastRow, args.firstRow);
    // Few rows read streams, and have code of their own.
    int64_t most = schedule.getMostRows();
    makeSwitch(
        b, count, 1, schedule.getStreamRows(),
        [&](LoopBuilder &b, int64_t n) {
          if (n == 1)
            runRow(b);
          else
            runRows(b, b.index(n), schedule.getGroup(n), n, n);
        },
        [&](LoopBuilder &b) {
          runRows(b, count, schedule.getGroup(most + 1),
                  schedule.getLeastRows(), most);
        });
    func::ReturnOp::create(b, b.loc);
  }

private:
  using Body =
      llvm::function_ref<void(LoopBuilder &, Value panel, int64_t panels)>;

  /// Calls `body` for groups of panels, then for pairs, then for a last one.
  void forPanels(LoopBuilder &b, int64_t group, Body body);
  void runRow(LoopBuilder &b);
  /// `group` panels at a time, in blocks of `least` to `most` rows.
  void runRows(LoopBuilder &b, Value count, int64_t group, int64_t least,
               int64_t most);
  /// Element (row, k) of the input, as kernels read it.
  Value load(LoopBuilder &b, Value row, Value k);
  /// The rows as kernels read them, slice after slice; in a slice row after
  /// row.
  Value copyRows(LoopBuilder &b, Value count, Value slices);
  void runBlock(LoopBuilder &b, Value copy, Value count, Value block,
                Value blocks, Value panel, Value slice, int64_t panels,
                int64_t least, int64_t most);
  /// What the kernels for a block of a slice prefetch.
  void setPrefetch(LoopBuilder &b, MicroKernels::Arguments &tile, Value block,
                   Value blocks, Value start, int64_t panels);

  Value getPanelOffset(LoopBuilder &b, Value panel) {
    return b.add(args.weight.offset, b.mul(panel, args.weight.stride));
  }
  Value getResultOffset(LoopBuilder &b, Value row, Value panel) {
    return b.add(b.add(args.result.offset, b.mul(row, args.result.stride)),
                 b.mul(panel, b.index(width)));
  }

  OpBuilder builder;
  LoopBuilder b;
  MicroKernels &kernels;
  const KernelOperands &operands;
  const PanelSchedule &schedule;
  int64_t width;
  bool isOdd;
  RowProducts::Arguments args;
  /// What all calls of kernels have in common.
  MicroKernels::Arguments all;
};
} // namespace

void RowProduct::forPanels(LoopBuilder &b, int64_t group, Body body) {
  SmallVector<int64_t> sizes = {group};
  if (group > 2)
    sizes.push_back(2);
  if (group > 1 && isOdd)
    sizes.push_back(1);
  Value from = args.firstPanel;
  for (int64_t panels : sizes) {
    Value left = b.sub(args.lastPanel, from);
    Value to = args.lastPanel;
    if (panels > 1)
      to = b.sub(to, arith::RemUIOp::create(b, b.loc, left, b.index(panels)));
    makeLoop(b, from, to, b.index(panels),
             [&](LoopBuilder &b, Value panel) { body(b, panel, panels); });
    from = to;
  }
}

Value RowProduct::load(LoopBuilder &b, Value row, Value k) {
  Value at = b.add(b.add(args.input.offset, b.mul(row, args.input.stride)), k);
  Value element = memref::LoadOp::create(b, b.loc, args.input.buffer, at);
  return b.convert(element, operands.row);
}

/// One row, read where it is if kernels can.
void RowProduct::runRow(LoopBuilder &b) {
  MicroKernels::Arguments row = all;
  Value copy;
  if (operands.input == operands.row) {
    row.a = args.input.buffer;
    row.aOffset =
        b.add(args.input.offset, b.mul(args.firstRow, args.input.stride));
  } else {
    row.a = copy = memref::AllocOp::create(b, b.loc, getFlatType(operands.row),
                                           args.depth);
    row.aOffset = b.index(0);
    makeLoop(
        b, b.index(0), args.depth, b.index(1), [&](LoopBuilder &b, Value k) {
          memref::StoreOp::create(b, b.loc, load(b, args.firstRow, k), copy, k);
        });
  }
  row.depth = args.depth;
  row.prefetchDistance = row.prefetchDepth = row.prefetchRest = b.index(0);
  forPanels(b, schedule.getGroup(1),
            [&](LoopBuilder &b, Value panel, int64_t panels) {
              MicroKernels::Arguments own = row;
              own.bOffset = getPanelOffset(b, panel);
              own.cOffset = getResultOffset(b, args.firstRow, panel);
              kernels.call(b, 1, panels, operands, own);
            });
  if (copy)
    memref::DeallocOp::create(b, b.loc, copy);
}

Value RowProduct::copyRows(LoopBuilder &b, Value count, Value slices) {
  int64_t stride = schedule.getRowStride();
  Value size = b.mul(b.mul(slices, count), b.index(stride));
  Value copy =
      memref::AllocOp::create(b, b.loc, getFlatType(operands.row), size);
  Value zero = b.index(0), one = b.index(1);
  scf::buildLoopNest(
      b, b.loc, ValueRange{zero, zero}, ValueRange{slices, count},
      ValueRange{one, one},
      [&](OpBuilder &builder, Location loc, ValueRange at) {
        LoopBuilder outer(builder, loc);
        Value start = outer.mul(at[0], outer.index(schedule.getDepth()));
        Value length = minimum(outer, outer.sub(args.depth, start),
                               outer.index(schedule.getDepth()));
        Value row = outer.add(args.firstRow, at[1]);
        Value target = outer.mul(outer.add(outer.mul(at[0], count), at[1]),
                                 outer.index(stride));
        makeLoop(outer, outer.index(0), length, outer.index(1),
                 [&](LoopBuilder &b, Value k) {
                   memref::StoreOp::create(b, loc,
                                           load(b, row, b.add(start, k)), copy,
                                           b.add(target, k));
                 });
      });
  return copy;
}

void RowProduct::runRows(LoopBuilder &b, Value count, int64_t group,
                         int64_t least, int64_t most) {
  Value blocks = ceilDiv(b, count, b.index(most));
  Value slices = args.inPlace
                     ? Value(b.index(1))
                     : ceilDiv(b, args.depth, b.index(schedule.getDepth()));
  Value copy = args.inPlace ? Value() : copyRows(b, count, slices);
  forPanels(b, group, [&](LoopBuilder &b, Value panel, int64_t panels) {
    Value zero = b.index(0), one = b.index(1);
    scf::buildLoopNest(b, b.loc, ValueRange{zero, zero},
                       ValueRange{slices, blocks}, ValueRange{one, one},
                       [&](OpBuilder &builder, Location loc, ValueRange at) {
                         LoopBuilder inner(builder, loc);
                         runBlock(inner, copy, count, at[1], blocks, panel,
                                  at[0], panels, least, most);
                       });
  });
  if (copy)
    memref::DeallocOp::create(b, b.loc, copy);
}

void RowProduct::setPrefetch(LoopBuilder &b, MicroKernels::Arguments &tile,
                             Value block, Value blocks, Value start,
                             int64_t panels) {
  Value zero = b.index(0), columns = b.index(width);
  // From a slice's end to the next one's begin: after the last slice in what
  // comes after these panels.
  Value isLast =
      b.compare(arith::CmpIPredicate::eq, b.add(start, tile.depth), args.depth);
  Value jump = b.select(isLast,
                        b.sub(b.mul(args.weight.stride, b.index(panels)),
                              b.mul(args.depth, columns)),
                        zero);
  // A single block reads the weights once, and prefetches what it is about to
  // read; several blocks share a slice, and each prefetches a part of the next.
  Value isAlone = b.compare(arith::CmpIPredicate::eq, blocks, b.index(1));
  int64_t steps = schedule.getPrefetchInputs(panels);
  Value share = ceilDiv(b, tile.depth, blocks);
  Value ahead = b.index(steps * width);
  Value next = b.mul(b.add(tile.depth, b.mul(block, share)), columns);
  tile.prefetchDistance = b.select(isAlone, ahead, b.add(next, jump));
  tile.prefetchDepth = b.select(
      isAlone, b.sub(tile.depth, minimum(b, tile.depth, b.index(steps))),
      share);
  tile.prefetchRest = b.select(isAlone, b.add(ahead, jump), zero);
}

/// One block of rows, on one slice of some panels.
void RowProduct::runBlock(LoopBuilder &b, Value copy, Value count, Value block,
                          Value blocks, Value panel, Value slice,
                          int64_t panels, int64_t least, int64_t most) {
  // Blocks' sizes differ by 1 at most.
  auto cut = [&](Value number) -> Value {
    return arith::DivUIOp::create(b, b.loc, b.mul(count, number), blocks);
  };
  Value from = cut(block), size = b.sub(cut(b.add(block, b.index(1))), from);
  Value start = b.mul(slice, b.index(schedule.getDepth()));

  MicroKernels::Arguments tile = all;
  if (copy) {
    tile.a = copy;
    tile.aOffset = b.mul(b.add(b.mul(slice, count), from),
                         b.index(schedule.getRowStride()));
  } else {
    tile.a = args.input.buffer;
    tile.aOffset =
        b.add(args.input.offset, b.mul(b.add(args.firstRow, from),
                                       b.index(schedule.getRowStride())));
  }
  tile.bOffset = b.add(getPanelOffset(b, panel), b.mul(start, b.index(width)));
  tile.cOffset = getResultOffset(b, b.add(args.firstRow, from), panel);
  tile.depth =
      minimum(b, b.sub(args.depth, start), b.index(schedule.getDepth()));
  Value isFirst = b.compare(arith::CmpIPredicate::eq, slice, b.index(0));
  tile.first =
      arith::SelectOp::create(b, b.loc, isFirst, args.first,
                              arith::ConstantIntOp::create(b, b.loc, 0, 1));

  setPrefetch(b, tile, block, blocks, start, panels);

  makeSwitch(b, size, least, most, [&](LoopBuilder &b, int64_t n) {
    // A tile that does not fit is taken panel by panel.
    int64_t together = std::min(panels, schedule.getPanels(n));
    for (int64_t q = 0; q < panels; q += together) {
      MicroKernels::Arguments own = tile;
      if (q > 0) {
        own.bOffset = b.add(tile.bOffset, all.panelStride);
        own.cOffset = b.add(tile.cOffset, b.index(width));
      }
      kernels.call(b, n, together, operands, own);
    }
  });
}

RowProducts::RowProducts(ModuleOp module, const CPUMachine &machine)
    : module(module), kernels(module, machine) {}

func::FuncOp RowProducts::get(const KernelOperands &operands, bool isOdd,
                              bool inPlace) {
  std::string name = "__sluice_rows_";
  llvm::raw_string_ostream(name)
      << operands.input << "_" << operands.getName() << "x" << operands.width
      << (isOdd ? "_odd" : "") << (inPlace ? "_inplace" : "");
  func::FuncOp &function = functions[name];
  if (function)
    return function;
  Builder b(module.getContext());
  Type index = b.getIndexType();
  function = createApart(module, name,
                         {getFlatType(operands.input), index, index,
                          getFlatType(operands.weight), index, index,
                          getFlatType(b.getF32Type()), index, index, index,
                          index, index, index, index, b.getI1Type()});
  RowProduct(function, kernels, operands, isOdd, inPlace).build();
  return function;
}

void RowProducts::call(LoopBuilder &b, const KernelOperands &operands,
                       bool isOdd, const Arguments &args) {
  func::FuncOp function = get(operands, isOdd, args.inPlace);
  func::CallOp::create(
      b, b.loc, function,
      ValueRange{args.input.buffer, args.input.offset, args.input.stride,
                 args.weight.buffer, args.weight.offset, args.weight.stride,
                 args.result.buffer, args.result.offset, args.result.stride,
                 args.depth, args.firstRow, args.lastRow, args.firstPanel,
                 args.lastPanel, args.first});
}
