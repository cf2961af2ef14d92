//===- Schedule.h - Which kernel multiplies how many rows -------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How many tokens an expert has is known when a model runs; how a product of so
// many rows runs is decided here, when it is compiled. sluice-cpu-products
// makes its code from these schedules, sluicec --print-schedule prints them:
// docs/Performance.md, "Which kernel runs when".
//
// A product of n rows takes one of three ways:
//
//   stream   as many panels at once as the hardware follows as streams
//            (CPUMachine::streams; of numbers with scales, one). All their sums
//            are in registers, which is so for few rows; these wait for memory,
//            and what the hardware prefetches by itself is what they wait for.
//   block    more rows, as many as the registers have sums for: panels are read
//            once, and prefetched by the code.
//   blocked  still more, cut into blocks whose sizes differ by one. The blocks
//            take turns on a slice of some panels, which stays in the first
//            cache, and each prefetches its share of the next slice.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TARGET_CPU_SCHEDULE_H
#define SLUICE_TARGET_CPU_SCHEDULE_H

#include "sluice/Target/CPU/Machine.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>

namespace sluice {

enum class RowVariant { Stream, Block, Blocked };

/// "stream", "block" or "blocked".
llvm::StringRef toString(RowVariant variant);

/// One step of a kernel's loop along the summed dimension: what it holds, and
/// what it is predicted to take if everything it reads is in the first cache.
///
/// The prediction is a lower bound, for a core that begins two loads and two
/// vector instructions a cycle and has the sum of a multiply-add after four.
/// It ranks tiles, and says whether memory or arithmetic bounds one; it is not
/// a time.
struct TileCost {
  /// Rows, and panels at once.
  int64_t rows = 0, panels = 0;
  /// Vector registers that are in use at once.
  int64_t registers = 0;
  /// Inputs of a row that a step consumes.
  int64_t inputs = 0;
  /// Vector instructions: multiply-adds (a product and a sum count as two
  /// without FMA) or dot products; what makes weights of stored ones.
  int64_t products = 0, conversions = 0;
  /// How many of the products are added to one sum, one after the other.
  int64_t chain = 1;
  /// Of weights and of rows' elements.
  int64_t loads = 0;
  /// Bytes of weights that are new in each step.
  int64_t bytes = 0;

  double getCycles() const;
  /// Multiply-adds of single numbers a cycle, of panels of `width` columns.
  double getMultiplyAddsPerCycle(int64_t width) const;
};

/// What products of `firstRow` to `lastRow` rows have in common.
struct ScheduleRange {
  int64_t firstRow = 1;
  /// Nothing: no limit.
  std::optional<int64_t> lastRow;
  RowVariant variant = RowVariant::Stream;
  /// Panels that are walked together.
  int64_t group = 0;
  /// Rows of the smallest block: `firstRow` unless the variant is Blocked.
  int64_t leastRows = 1;
  /// The tile of the largest block.
  TileCost tile;
  /// Rows are copied to where kernels read them; else read where they are.
  bool copiesRows = false;
  /// Inputs of a slice; nothing if all inputs are one.
  std::optional<int64_t> depth;
  /// How far ahead the code prefetches, summed over the panels of a tile; 0: it
  /// does not. Blocks that share slices are a whole slice ahead.
  int64_t prefetchBytes = 0;
};

/// What a product with packed weights of floats multiplies, as far as its
/// schedule depends on it.
struct PanelShape {
  /// Of a weight: 2 or 4.
  int64_t weightBytes = 4;
  /// Columns of a panel, a multiple of the machine's lanes, and inputs that lie
  /// side by side in it: 2 of bf16, else 1.
  int64_t width = 16, side = 1;
  /// Dot products of two inputs of bf16 and two weights compute the sums.
  bool areDots = false;
  /// Rows become f32 when they are copied.
  bool convertsRows = false;
  /// How long the sums are; nothing if that is known only at run time.
  std::optional<int64_t> inputs;

  /// Whether weights have to become f32.
  bool convertsWeights() const { return !areDots && weightBytes != 4; }
};

/// How products of one shape run on one machine. A value; thread-safe.
class PanelSchedule {
public:
  /// `machine` is one of getCPUMachines().
  PanelSchedule(const CPUMachine &machine, const PanelShape &shape);

  const PanelShape &getShape() const { return shape; }

  /// Inputs of a slice, and whether these are fewer than the machine would
  /// have, since the sums are not longer.
  int64_t getDepth() const { return depth; }
  bool isShort() const { return hasShortDepth; }
  /// Elements between copied rows of a slice: its depth and a cache line, so
  /// that equal inputs of different rows lie in different sets of a cache.
  int64_t getRowStride() const;
  /// Whether kernels can read rows where they are, if these lie getRowStride()
  /// apart: they need no conversion, and are no longer than a slice.
  bool canReadInPlace() const;

  /// Products of up to so many rows are streams: one row, and those whose sums
  /// of CPUMachine::streams panels are in registers.
  int64_t getStreamRows() const { return streamRows; }
  /// Sizes of blocks of products of more rows.
  int64_t getLeastRows() const;
  int64_t getMostRows() const { return mostRows; }
  /// Panels that are walked together by products of `rows` rows.
  int64_t getGroup(int64_t rows) const;
  /// Panels of a tile of `rows` rows, 1 to getMostRows(), at once: as many of
  /// the machine's streams, or 2, as have sums in registers; else 1.
  int64_t getPanels(int64_t rows) const;
  /// Vector registers of a tile: for its sums, for what there is less of, rows'
  /// elements or weights, for one of the other, and to make weights in. Panels
  /// wider than 16, which nobody packs unasked, may need more than there are.
  int64_t getRegisters(int64_t rows, int64_t panels) const;
  /// Whether stored weights of two inputs stay in registers for both; else they
  /// are loaded twice.
  bool keepsWeights(int64_t rows, int64_t panels) const;
  /// How many inputs ahead a product of one block prefetches.
  int64_t getPrefetchInputs(int64_t panels) const;

  /// All numbers of rows from 1 on, in order, without gaps. `inPlace`: rows lie
  /// where kernels can read them.
  llvm::SmallVector<ScheduleRange> getRanges(bool inPlace) const;

private:
  /// The tile of the largest block of products of `rows` rows.
  TileCost getTile(int64_t rows) const;

  const CPUMachine *machine;
  PanelShape shape;
  int64_t depth, mostRows, streamRows;
  bool hasShortDepth;
};

/// What a product with small numbers that have scales multiplies: segments of
/// inputs with one scale, see docs/Passes.md, sluice-cpu-products.
struct QuantizedShape {
  /// Bits of a number: 4 or 8.
  int64_t bits = 8;
  /// Inputs are integers of 8 bits, too; else floats.
  bool isInteger = true;
  /// Inputs of a segment, segments of a slice and of all.
  int64_t segment = 32, segments = 1, allSegments = 1;
};

/// How such products run on one machine: one panel of 16 columns at a time,
/// whose numbers and scales are two streams. A value; thread-safe.
class QuantizedSchedule {
public:
  QuantizedSchedule(const CPUMachine &machine, const QuantizedShape &shape)
      : machine(&machine), shape(shape) {}

  /// Inputs of a slice, unless a segment has more: the numbers of one panel
  /// that they are multiplied with stay in a cache while blocks of rows take
  /// turns.
  static int64_t getDepth(bool isInteger) { return isInteger ? 2048 : 256; }

  /// Products of up to so many rows are streams: fewer than blocks have that
  /// take turns, so that no others need these kernels. May be 0.
  int64_t getStreamRows() const;
  /// Most rows of a tile.
  int64_t getMostRows() const;
  /// Vector registers of a tile: sums within a segment need one for each row,
  /// besides those over all segments, and numbers some to be made in.
  int64_t getRegisters(int64_t rows) const;
  /// How many bytes of numbers ahead products of more rows prefetch, by their
  /// first block; of scales as many as belong to these.
  int64_t getPrefetchBytes() const { return machine->prefetchBytes; }

  /// All numbers of rows from 1 on, in order, without gaps.
  llvm::SmallVector<ScheduleRange> getRanges() const;

private:
  /// Of `rows` rows, 1 to getMostRows(). A step is a line of the panel.
  TileCost getTile(int64_t rows) const;

  const CPUMachine *machine;
  QuantizedShape shape;
};

} // namespace sluice

#endif // SLUICE_TARGET_CPU_SCHEDULE_H
