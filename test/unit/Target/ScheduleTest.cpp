//===- ScheduleTest.cpp - Which kernel multiplies how many rows -*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Target/CPU/Schedule.h"

#include <gtest/gtest.h>

using namespace sluice;

namespace {

using Ranges = llvm::SmallVector<ScheduleRange>;

PanelShape makeFloats(std::optional<int64_t> inputs = 2048) {
  PanelShape shape;
  shape.inputs = inputs;
  return shape;
}

/// bf16 in pairs; with inputs of f32, or of bf16 on a machine with dots.
PanelShape makePairs(bool areDots) {
  PanelShape shape = makeFloats();
  shape.weightBytes = 2;
  shape.side = 2;
  shape.areDots = areDots;
  return shape;
}

/// f16 or bf16 one by one.
PanelShape makeHalves() {
  PanelShape shape = makeFloats();
  shape.weightBytes = 2;
  return shape;
}

std::vector<PanelShape> getShapes(const CPUMachine &machine) {
  std::vector<PanelShape> shapes = {makeFloats(),     makeFloats(100),
                                    makeFloats(5000), makeFloats(std::nullopt),
                                    makeHalves(),     makePairs(false)};
  if (machine.hasBF16Dots)
    shapes.push_back(makePairs(true));
  return shapes;
}

std::vector<QuantizedShape> getQuantizedShapes() {
  std::vector<QuantizedShape> shapes;
  for (int64_t bits : {4, 8})
    for (bool isInteger : {false, true})
      for (int64_t allSegments : {4, 400})
        shapes.push_back({bits, isInteger, 32, 64, allSegments});
  return shapes;
}

const CPUMachine &lookup(llvm::StringRef name) {
  const CPUMachine *machine = lookupCPUMachine(name);
  EXPECT_TRUE(machine) << name.str();
  return *machine;
}

/// What holds for all schedules.
void check(const CPUMachine &machine, const Ranges &ranges, int64_t mostRows) {
  SCOPED_TRACE(machine.name.str());
  int64_t next = 1;
  for (const ScheduleRange &range : ranges) {
    // All numbers of rows, once; only the last range has no end.
    EXPECT_EQ(range.firstRow, next);
    bool isLast = &range == &ranges.back();
    EXPECT_EQ(range.lastRow.has_value(), !isLast);
    EXPECT_EQ(range.variant == RowVariant::Blocked, isLast);
    next = range.lastRow.value_or(0) + 1;
    // Blocks are what kernels exist for, and of at least half the size.
    const TileCost &tile = range.tile;
    EXPECT_LE(range.leastRows, tile.rows);
    EXPECT_LE(tile.rows, mostRows);
    EXPECT_LE(tile.panels, range.group);
    if (isLast) {
      EXPECT_EQ(range.firstRow, mostRows + 1);
      EXPECT_EQ(tile.rows, mostRows);
      EXPECT_GE(2 * range.leastRows, mostRows);
    } else {
      EXPECT_EQ(range.leastRows, range.firstRow);
      EXPECT_EQ(tile.rows, *range.lastRow);
    }
    if (!range.copiesRows) {
      EXPECT_EQ(range.depth, std::nullopt);
    }

    EXPECT_LE(tile.registers, machine.registers);
    // Each row's elements and each weight are loaded, and no more than once for
    // each input of a step.
    int64_t weights = tile.panels * 16 / machine.lanes;
    EXPECT_GE(tile.loads, tile.rows + weights);
    EXPECT_LE(tile.loads, tile.inputs * (tile.rows + weights));
    EXPECT_GE(tile.products, tile.rows * weights);
    EXPECT_GE(tile.getCycles() * 2, tile.products + tile.conversions);
    EXPECT_GE(tile.getCycles() * 2, tile.loads);
    // No more than two vector instructions a cycle, of at most four inputs in
    // each lane.
    double rate = tile.getMultiplyAddsPerCycle(16);
    EXPECT_GT(rate, 0);
    EXPECT_LE(rate, 2 * 4 * machine.lanes);
  }
  // More rows take no more panels at once, and have no less to do in a step.
  for (size_t i = 1; i < ranges.size(); ++i) {
    EXPECT_LE(ranges[i].tile.panels, ranges[i - 1].tile.panels);
    EXPECT_LE(ranges[i].group, ranges[i - 1].group);
  }
}

TEST(ScheduleTest, HoldsOnEachMachine) {
  for (const CPUMachine &machine : getCPUMachines()) {
    for (const PanelShape &shape : getShapes(machine)) {
      PanelSchedule schedule(machine, shape);
      EXPECT_LE(schedule.getStreamRows(), schedule.getMostRows());
      EXPECT_LE(schedule.getLeastRows(), (schedule.getMostRows() + 1) / 2);
      check(machine, schedule.getRanges(false), schedule.getMostRows());
      if (schedule.canReadInPlace())
        check(machine, schedule.getRanges(true), schedule.getMostRows());
    }
    for (const QuantizedShape &shape : getQuantizedShapes()) {
      QuantizedSchedule schedule(machine, shape);
      check(machine, schedule.getRanges(), schedule.getMostRows());
    }
  }
}

TEST(ScheduleTest, KnowsEachMachine) {
  struct Known {
    llvm::StringLiteral machine;
    // Of f32: rows that are streams, rows of two panels, most rows.
    int64_t stream, pairs, most;
    // Of integers: rows that are streams, most rows.
    int64_t streamQuantized, mostQuantized;
  };
  constexpr Known all[] = {
      {"x86-64", 1, 1, 2, 0, 2},         {"avx2", 1, 3, 6, 1, 3},
      {"avx2-vnni", 1, 3, 6, 1, 3},      {"avx512", 6, 14, 14, 6, 13},
      {"avx512-vnni", 6, 14, 14, 6, 13}, {"avx512-bf16", 6, 14, 14, 6, 13},
      {"neon", 1, 3, 6, 2, 5},           {"neon-dot", 1, 3, 6, 1, 4},
      {"neon-bf16", 1, 3, 6, 1, 4},      {"sve256", 3, 6, 6, 3, 8},
      {"sve512", 6, 14, 14, 6, 13}};
  ASSERT_EQ(std::size(all), getCPUMachines().size());
  for (const Known &known : all) {
    SCOPED_TRACE(known.machine.str());
    const CPUMachine &machine = lookup(known.machine);
    PanelSchedule schedule(machine, makeFloats());
    EXPECT_EQ(schedule.getStreamRows(), known.stream);
    EXPECT_EQ(schedule.getMostRows(), known.most);
    int64_t pairs = 0;
    while (pairs < schedule.getMostRows() && schedule.getPanels(pairs + 1) >= 2)
      ++pairs;
    EXPECT_EQ(pairs, known.pairs);
    QuantizedSchedule quantized(machine, QuantizedShape());
    EXPECT_EQ(quantized.getStreamRows(), known.streamQuantized);
    EXPECT_EQ(quantized.getMostRows(), known.mostQuantized);
  }
}

TEST(ScheduleTest, FewRowsAreStreams) {
  Ranges ranges = PanelSchedule(lookup("avx512"), makeFloats()).getRanges(true);
  ASSERT_EQ(ranges.size(), 3u);
  const ScheduleRange &stream = ranges[0], &block = ranges[1],
                      &blocked = ranges[2];
  EXPECT_EQ(stream.variant, RowVariant::Stream);
  EXPECT_EQ(stream.lastRow, 6);
  EXPECT_EQ(stream.tile.panels, CPUMachine::streams);
  EXPECT_EQ(stream.prefetchBytes, 0);
  EXPECT_EQ(block.variant, RowVariant::Block);
  EXPECT_EQ(block.lastRow, 14);
  EXPECT_EQ(block.tile.panels, 2);
  EXPECT_EQ(block.prefetchBytes, 16384);
  EXPECT_EQ(blocked.variant, RowVariant::Blocked);
  EXPECT_EQ(blocked.leastRows, 7);
  // A slice of two panels ahead.
  EXPECT_EQ(blocked.prefetchBytes, 2048 * 2 * 16 * 4);

  // Without registers for four panels of one row, a stream is of two.
  Ranges narrow =
      PanelSchedule(lookup("x86-64"), makeFloats()).getRanges(false);
  EXPECT_EQ(narrow[0].variant, RowVariant::Stream);
  EXPECT_EQ(narrow[0].lastRow, 1);
  EXPECT_EQ(narrow[0].tile.panels, 2);
}

TEST(ScheduleTest, NarrowPanelsAreBlockedInPairs) {
  // All rows of a block are streams, but blocks that take turns are not.
  PanelShape shape = makeFloats();
  shape.width = 4;
  PanelSchedule schedule(lookup("x86-64"), shape);
  EXPECT_EQ(schedule.getStreamRows(), 2);
  Ranges ranges = schedule.getRanges(false);
  EXPECT_EQ(ranges.front().tile.panels, 4);
  EXPECT_EQ(ranges.back().firstRow, 3);
  EXPECT_EQ(ranges.back().tile.panels, 2);
}

TEST(ScheduleTest, PairsNeedARegisterMore) {
  const CPUMachine &machine = lookup("avx512-bf16");
  EXPECT_EQ(PanelSchedule(machine, makePairs(false)).getMostRows(), 13);
  EXPECT_EQ(PanelSchedule(machine, makePairs(true)).getMostRows(), 14);
  // There is one on none of those with 16.
  EXPECT_EQ(PanelSchedule(lookup("avx2"), makePairs(false)).getMostRows(), 6);
}

TEST(ScheduleTest, SlicesFitTheCache) {
  const CPUMachine &machine = lookup("avx512");
  // Twice the numbers of half the size; twice as many for dot products.
  EXPECT_EQ(PanelSchedule(machine, makeFloats()).getDepth(), 2048);
  EXPECT_EQ(PanelSchedule(machine, makePairs(false)).getDepth(), 4096);
  EXPECT_EQ(PanelSchedule(machine, makePairs(true)).getDepth(), 8192);
  // Short rows lie closer together, a cache line more than their slice.
  PanelSchedule brief(machine, makeFloats(256));
  EXPECT_TRUE(brief.isShort());
  EXPECT_EQ(brief.getDepth(), 256);
  EXPECT_EQ(brief.getRowStride(), 256 + 16);
  EXPECT_FALSE(PanelSchedule(machine, makeFloats(257)).isShort());
  EXPECT_FALSE(PanelSchedule(lookup("avx2"), makeFloats(256)).isShort());

  EXPECT_TRUE(PanelSchedule(machine, makeFloats(2048)).canReadInPlace());
  for (std::optional<int64_t> inputs :
       {std::optional<int64_t>(2049), std::optional<int64_t>()}) {
    PanelSchedule schedule(machine, makeFloats(inputs));
    EXPECT_FALSE(schedule.canReadInPlace());
    Ranges ranges = schedule.getRanges(false);
    // One row is read where it is, as one slice.
    EXPECT_EQ(ranges[0].lastRow, 1);
    EXPECT_FALSE(ranges[0].copiesRows);
    EXPECT_EQ(ranges[0].depth, std::nullopt);
    EXPECT_EQ(ranges[1].variant, RowVariant::Stream);
    EXPECT_TRUE(ranges[1].copiesRows);
    EXPECT_EQ(ranges[1].depth, 2048);
  }

  // Unless it has to be converted.
  PanelShape converted = makeFloats();
  converted.convertsRows = true;
  PanelSchedule schedule(machine, converted);
  EXPECT_FALSE(schedule.canReadInPlace());
  EXPECT_TRUE(schedule.getRanges(false)[0].copiesRows);
}

TEST(ScheduleTest, NumbersWithScalesAreOnePanelAtATime) {
  for (const CPUMachine &machine : getCPUMachines()) {
    SCOPED_TRACE(machine.name.str());
    for (QuantizedShape shape : getQuantizedShapes()) {
      shape.segments =
          QuantizedSchedule::getDepth(shape.isInteger) / shape.segment;
      shape.allSegments = 2 * shape.segments;
      QuantizedSchedule schedule(machine, shape);
      Ranges ranges = schedule.getRanges();
      // Blocks that take turns have other kernels than streams.
      EXPECT_LT(schedule.getStreamRows(), ranges.back().leastRows);
      EXPECT_EQ(ranges.size(), schedule.getStreamRows() > 0 ? 3u : 2u);
      for (const ScheduleRange &range : ranges) {
        bool isStream = range.firstRow <= schedule.getStreamRows();
        EXPECT_EQ(range.variant == RowVariant::Stream, isStream);
        EXPECT_EQ(range.group, 1);
        EXPECT_EQ(range.tile.panels, 1);
        EXPECT_EQ(range.tile.bytes, 64);
        EXPECT_TRUE(range.copiesRows);
        EXPECT_EQ(range.depth, shape.isInteger ? 2048 : 256);
        EXPECT_EQ(range.prefetchBytes, isStream ? 0 : machine.prefetchBytes);
      }
    }
  }
}

TEST(ScheduleTest, PredictsCosts) {
  Ranges ranges = PanelSchedule(lookup("avx512"), makeFloats()).getRanges(true);
  // 14 rows and 2 panels: two multiply-adds of 16 a cycle, which is all.
  const TileCost &full = ranges[1].tile;
  EXPECT_EQ(full.registers, 31);
  EXPECT_EQ(full.products, 28);
  EXPECT_EQ(full.loads, 14 + 2);
  EXPECT_EQ(full.getCycles(), 14);
  EXPECT_EQ(full.getMultiplyAddsPerCycle(16), 32);
  // One row waits for its four sums.
  Ranges copied =
      PanelSchedule(lookup("avx512"), makeFloats(5000)).getRanges(false);
  const TileCost &row = copied[0].tile;
  EXPECT_EQ(row.bytes, 4 * 16 * 4);
  EXPECT_EQ(row.products, 4);
  EXPECT_EQ(row.loads, 1 + 4);
  EXPECT_EQ(row.getCycles(), 4);
  // Without FMA a product and a sum are two instructions.
  EXPECT_EQ(PanelSchedule(lookup("x86-64"), makeFloats())
                .getRanges(false)
                .back()
                .tile.products,
            2 * 2 * 4);
  // Dot products take two inputs at once, and weights as they are.
  const TileCost pairs = PanelSchedule(lookup("avx512-bf16"), makePairs(true))
                             .getRanges(true)[1]
                             .tile;
  EXPECT_EQ(pairs.inputs, 2);
  EXPECT_EQ(pairs.conversions, 0);
  EXPECT_EQ(pairs.products, 28);
  EXPECT_EQ(pairs.getMultiplyAddsPerCycle(16), 64);
}

TEST(ScheduleTest, PredictsCostsOfIntegers) {
  QuantizedShape shape;
  auto getTile = [&](llvm::StringRef machine) {
    return QuantizedSchedule(lookup(machine), shape).getRanges().back().tile;
  };
  // Dot products of four, of two, and none.
  EXPECT_EQ(getTile("avx512-vnni").products, 13);
  EXPECT_EQ(getTile("avx512-vnni").conversions, 0);
  EXPECT_GT(getTile("avx512").getCycles(), getTile("avx512-vnni").getCycles());
  EXPECT_GT(getTile("neon").getCycles(), getTile("neon-dot").getCycles());
  // Two numbers of a byte are twice the inputs of as many bytes.
  TileCost bytes = getTile("avx512-vnni");
  shape.bits = 4;
  TileCost halves = getTile("avx512-vnni");
  EXPECT_EQ(halves.bytes, bytes.bytes);
  EXPECT_EQ(halves.inputs, 2 * bytes.inputs);
  EXPECT_GT(halves.conversions, 0);
}

TEST(ScheduleTest, NamesVariants) {
  EXPECT_EQ(toString(RowVariant::Stream), "stream");
  EXPECT_EQ(toString(RowVariant::Block), "block");
  EXPECT_EQ(toString(RowVariant::Blocked), "blocked");
}

} // namespace
