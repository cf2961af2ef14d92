//===- Schedule.cpp - Which kernel multiplies how many rows -----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Target/CPU/Schedule.h"

#include <algorithm>

using namespace sluice;

llvm::StringRef sluice::toString(RowVariant variant) {
  switch (variant) {
  case RowVariant::Stream:
    return "stream";
  case RowVariant::Block:
    return "block";
  case RowVariant::Blocked:
    break;
  }
  return "blocked";
}

/// Rows of the smallest block: what is more than a block of `mostRows` is cut
/// into blocks of at least half the size.
static int64_t getLeastCut(int64_t mostRows) { return (mostRows + 1) / 2; }

//===----------------------------------------------------------------------===//
// TileCost
//===----------------------------------------------------------------------===//

double TileCost::getCycles() const {
  constexpr double perCycle = 2, latency = 4;
  return std::max(
      {(products + conversions) / perCycle, loads / perCycle, latency * chain});
}

double TileCost::getMultiplyAddsPerCycle(int64_t width) const {
  return rows * panels * width * inputs / getCycles();
}

//===----------------------------------------------------------------------===//
// PanelSchedule
//===----------------------------------------------------------------------===//

PanelSchedule::PanelSchedule(const CPUMachine &machine, const PanelShape &shape)
    : machine(&machine), shape(shape) {
  // As many bytes of weights as of f32; dot products take half as long.
  depth = machine.depth * 4 / shape.weightBytes * (shape.areDots ? 2 : 1);
  // Short rows lie closer together; few depths keep kernels few.
  constexpr int64_t shortDepth = 256;
  hasShortDepth =
      shape.inputs && *shape.inputs <= shortDepth && shortDepth < depth;
  if (hasShortDepth)
    depth = shortDepth;
  // LLVM begins with the second inputs' weights before it is done with those of
  // the first ones: a row less leaves the registers, where they do not come
  // from memory.
  bool isTight =
      shape.convertsWeights() && shape.side > 1 && machine.registers > 16;
  mostRows = machine.maxRows - (isTight ? 1 : 0);
  streamRows = 1;
  while (streamRows < mostRows &&
         getPanels(streamRows + 1) == CPUMachine::streams)
    ++streamRows;
}

int64_t PanelSchedule::getRowStride() const {
  constexpr int64_t cacheLine = 64;
  return depth + cacheLine / (shape.areDots ? 2 : 4);
}

bool PanelSchedule::canReadInPlace() const {
  return !shape.convertsRows && shape.inputs && *shape.inputs <= depth;
}

int64_t PanelSchedule::getLeastRows() const {
  return std::min(streamRows + 1, getLeastCut(mostRows));
}

int64_t PanelSchedule::getGroup(int64_t rows) const {
  if (rows == 1)
    return getPanels(1);
  return rows <= streamRows ? CPUMachine::streams : 2;
}

int64_t PanelSchedule::getRegisters(int64_t rows, int64_t panels) const {
  int64_t weights = panels * shape.width / machine->lanes;
  int64_t needed = rows * weights + std::min(rows, weights) + 1;
  // Without FMA a product has to be held as well.
  if (!machine->hasFMA || (shape.convertsWeights() && rows < weights))
    ++needed;
  return needed;
}

int64_t PanelSchedule::getPanels(int64_t rows) const {
  for (int64_t panels : {CPUMachine::streams, int64_t(2)})
    if (getRegisters(rows, panels) <= machine->registers)
      return panels;
  return 1;
}

bool PanelSchedule::keepsWeights(int64_t rows, int64_t panels) const {
  int64_t weights = panels * shape.width / machine->lanes;
  return (rows + 1) * weights + rows + 4 <= machine->registers;
}

int64_t PanelSchedule::getPrefetchInputs(int64_t panels) const {
  return machine->prefetchBytes / (shape.weightBytes * panels * shape.width);
}

TileCost PanelSchedule::getTile(int64_t rows) const {
  TileCost tile;
  tile.panels = getGroup(rows);
  rows = std::min(rows, mostRows);
  tile.panels = std::min(tile.panels, getPanels(rows));
  tile.rows = rows;
  tile.registers = getRegisters(rows, tile.panels);
  tile.inputs = shape.side;
  tile.bytes = tile.panels * shape.width * shape.side * shape.weightBytes;
  int64_t weights = tile.panels * shape.width / machine->lanes;
  // Dot products take both inputs at once.
  int64_t parts = shape.areDots ? 1 : shape.side;
  tile.products = parts * rows * weights * (machine->hasFMA ? 1 : 2);
  tile.chain = parts;
  if (shape.convertsWeights())
    tile.conversions = parts * weights;
  bool loadsOnce = parts == 1 || keepsWeights(rows, tile.panels);
  tile.loads = parts * rows + (loadsOnce ? 1 : parts) * weights;
  return tile;
}

static bool isLike(const ScheduleRange &a, const ScheduleRange &b) {
  return a.variant == b.variant && a.tile.panels == b.tile.panels &&
         a.group == b.group && a.copiesRows == b.copiesRows &&
         a.depth == b.depth;
}

/// Adds the range of one number of rows: to the last one, if it is like that.
static void append(llvm::SmallVectorImpl<ScheduleRange> &ranges,
                   const ScheduleRange &range) {
  if (ranges.empty() || !isLike(ranges.back(), range)) {
    ranges.push_back(range);
    return;
  }
  ranges.back().lastRow = range.lastRow;
  ranges.back().tile = range.tile;
}

llvm::SmallVector<ScheduleRange> PanelSchedule::getRanges(bool inPlace) const {
  llvm::SmallVector<ScheduleRange> ranges;
  std::optional<int64_t> slice;
  if (!inPlace && !(shape.inputs && *shape.inputs <= depth))
    slice = depth;
  int64_t columnBytes = shape.width * shape.weightBytes;
  for (int64_t rows = 1; rows <= mostRows + 1; ++rows) {
    ScheduleRange range;
    range.firstRow = range.leastRows = rows;
    range.group = getGroup(rows);
    range.tile = getTile(rows);
    int64_t inputBytes = range.tile.panels * columnBytes;
    // A single row is one slice, and copied only to be converted.
    range.copiesRows = rows == 1 ? shape.convertsRows : !inPlace;
    if (rows > 1)
      range.depth = slice;
    if (rows > mostRows) {
      range.variant = RowVariant::Blocked;
      range.leastRows = getLeastCut(mostRows);
      range.prefetchBytes =
          std::min(depth, shape.inputs.value_or(depth)) * inputBytes;
    } else {
      range.lastRow = rows;
      if (rows > streamRows) {
        range.variant = RowVariant::Block;
        range.prefetchBytes = getPrefetchInputs(range.group) * inputBytes;
      }
    }
    append(ranges, range);
  }
  return ranges;
}

//===----------------------------------------------------------------------===//
// QuantizedSchedule
//===----------------------------------------------------------------------===//

/// Columns of a panel, bytes of a line of it.
static constexpr int64_t quantizedWidth = 16, lineBytes = 64;

int64_t QuantizedSchedule::getRegisters(int64_t rows) const {
  int64_t vectors = quantizedWidth / machine->lanes;
  constexpr int64_t others = 6;
  return rows + rows * vectors + others;
}

int64_t QuantizedSchedule::getMostRows() const {
  // Where columns share the loads of rows' elements, sums within a segment of
  // all of them, and a line's numbers, two to a byte, are in registers at once.
  auto fitsTogether = [&](int64_t rows) {
    constexpr int64_t others = 5;
    return machine->dots != DotKind::SignedQuads ||
           (rows + 2) * quantizedWidth / machine->lanes + others <=
               machine->registers;
  };
  int64_t rows = 1;
  while (getRegisters(rows + 1) <= machine->registers && fitsTogether(rows + 1))
    ++rows;
  return rows;
}

int64_t QuantizedSchedule::getStreamRows() const {
  return getLeastCut(getMostRows()) - 1;
}

TileCost QuantizedSchedule::getTile(int64_t rows) const {
  TileCost tile;
  tile.rows = rows;
  tile.panels = 1;
  tile.registers = getRegisters(rows);
  // Four inputs are multiplied at a time.
  int64_t fours = shape.bits == 4 ? 2 : 1;
  tile.inputs = 4 * fours;
  tile.bytes = lineBytes;
  int64_t weights = quantizedWidth / machine->lanes;
  // Of four inputs: products of a vector, what makes its weights, and how many
  // products follow each other in a sum.
  int64_t products = 1, conversions = 0, chain = 1;
  if (!shape.isInteger) {
    products = machine->hasFMA ? 4 : 8;
    conversions = 8;
    chain = 4;
  } else if (machine->dots == DotKind::Pairs) {
    products = 4;
    conversions = chain = 2;
  } else if (machine->dots == DotKind::Widened) {
    products = conversions = chain = 4;
  }
  tile.products = fours * products * rows * weights;
  tile.conversions = fours * conversions * weights;
  // Two numbers of a byte come apart.
  if (shape.bits == 4)
    tile.conversions += 2 * weights;
  tile.chain = fours * chain;
  tile.loads = weights + fours * rows * (shape.isInteger ? 1 : 4);
  return tile;
}

llvm::SmallVector<ScheduleRange> QuantizedSchedule::getRanges() const {
  llvm::SmallVector<ScheduleRange> ranges;
  int64_t mostRows = getMostRows();
  for (int64_t rows = 1; rows <= mostRows + 1; ++rows) {
    ScheduleRange range;
    range.firstRow = range.leastRows = rows;
    range.group = 1;
    range.tile = getTile(std::min(rows, mostRows));
    range.copiesRows = true;
    if (shape.segments < shape.allSegments)
      range.depth = shape.segments * shape.segment;
    if (rows > getStreamRows()) {
      range.variant = RowVariant::Block;
      range.prefetchBytes = getPrefetchBytes();
    }
    if (rows > mostRows) {
      range.variant = RowVariant::Blocked;
      range.leastRows = getLeastCut(mostRows);
    } else {
      range.lastRow = rows;
    }
    append(ranges, range);
  }
  return ranges;
}
