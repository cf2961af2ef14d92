//===- Panels.cpp - Weights packed for products -----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Panels.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <omp.h>
#include <thread>

using namespace sluice;
using namespace sluice::rt;

namespace {
/// One matrix: its sizes in numbers, and where in elements one of an output and
/// an input lies.
struct Matrix {
  int64_t outputs, inputs;
  int64_t outputStride, inputStride;
  /// In elements.
  int64_t size;
};
} // namespace

/// Panel number `panel` of one matrix. `Word` has the size of an element, which
/// is a number. What lies side by side beyond the last input is 0.
template <typename Word>
static void packPanel(const Matrix &matrix, const WeightSpec &weight,
                      int64_t panel, const Word *from, Word *to) {
  int64_t width = weight.panelWidth, side = weight.interleave;
  int64_t first = panel * width;
  int64_t count = std::min(width, matrix.outputs - first);
  const Word *column = from + first * matrix.outputStride;
  for (int64_t k = 0; k < matrix.inputs; k += side, to += width * side) {
    const Word *element = column + k * matrix.inputStride;
    if (side == 1) {
      for (int64_t c = 0; c < count; ++c)
        to[c] = element[c * matrix.outputStride];
    } else {
      int64_t there = std::min(side, matrix.inputs - k);
      for (int64_t c = 0; c < count; ++c)
        for (int64_t j = 0; j < side; ++j)
          to[c * side + j] =
              j < there
                  ? element[c * matrix.outputStride + j * matrix.inputStride]
                  : Word(0);
    }
    std::fill(to + count * side, to + width * side, Word(0));
  }
}

/// Two numbers of 4 bits in a byte, inputs in order: of those that lie side by
/// side the first half is in the low bits, the other half in the high ones.
static void packHalves(const Matrix &matrix, const WeightSpec &weight,
                       int64_t panel, const uint8_t *from, uint8_t *to) {
  int64_t width = weight.panelWidth, side = weight.interleave;
  int64_t first = panel * width;
  int64_t count = std::min(width, matrix.outputs - first);
  for (int64_t k = 0; k < matrix.inputs; k += 2 * side, to += width * side) {
    for (int64_t c = 0; c < count; ++c) {
      const uint8_t *row = from + (first + c) * matrix.outputStride;
      auto number = [&](int64_t i) { return (row[i / 2] >> (i % 2 * 4)) & 15; };
      for (int64_t j = 0; j < side; ++j)
        to[c * side + j] = uint8_t(number(k + j) | number(k + side + j) << 4);
    }
    std::fill(to + count * side, to + width * side, uint8_t(0));
  }
}

/// Calls `run(i)` for 0 <= i < `count`, in as many threads as OpenMP would
/// take. One that cannot be had is done without.
template <typename Fn> static void inParallel(int64_t count, Fn run) {
  std::atomic<int64_t> next = 0;
  auto work = [&] {
    for (int64_t i = next++; i < count; i = next++)
      run(i);
  };
  std::vector<std::thread> threads;
  try {
    int64_t wanted = std::min<int64_t>(omp_get_max_threads(), count);
    for (int64_t i = 1; i < wanted; ++i)
      threads.emplace_back(work);
  } catch (const std::exception &) {
  }
  work();
  for (std::thread &thread : threads)
    thread.join();
}

static Matrix getMatrix(const WeightSpec &weight) {
  size_t first = weight.shape.size() - size_t(weight.matrixDims);
  int64_t rows = weight.shape[first], columns = 1;
  for (size_t i = first + 1; i < weight.shape.size(); ++i)
    columns *= weight.shape[i];
  if (weight.isOutIn)
    return {rows, columns * weight.numbersPerElement, columns, 1,
            rows * columns};
  return {columns, rows, 1, columns, rows * columns};
}

/// The shape of a weight in panels.
static std::vector<int64_t> getPackedShape(const WeightSpec &weight) {
  std::vector<int64_t> shape = weight.shape;
  Matrix matrix = getMatrix(weight);
  shape.resize(shape.size() - size_t(weight.matrixDims));
  shape.push_back((matrix.outputs + weight.panelWidth - 1) / weight.panelWidth);
  int64_t line = weight.interleave * weight.numbersPerElement;
  shape.push_back((matrix.inputs + line - 1) / line);
  shape.push_back(weight.panelWidth);
  if (weight.interleave > 1)
    shape.push_back(weight.interleave);
  return shape;
}

OwnedTensor sluice::rt::packPanels(const WeightSpec &weight,
                                   const sluice_tensor &stored) {
  std::vector<int64_t> shape = getPackedShape(weight);
  size_t elementSize = sluice_dtype_size(weight.dtype);
  std::optional<int64_t> bytes =
      countBytes(shape.size(), shape.data(), elementSize);
  if (!bytes || shape.size() > SLUICE_MAX_RANK)
    throw std::bad_alloc();
  OwnedTensor packed;
  packed.dtype = weight.dtype;
  packed.rank = int32_t(shape.size());
  std::copy(shape.begin(), shape.end(), packed.shape);
  packed.data = packed.allocation = allocateAligned(size_t(*bytes));

  Matrix matrix = getMatrix(weight);
  int64_t count = 1;
  for (size_t i = 0; i + size_t(weight.matrixDims) < weight.shape.size(); ++i)
    count *= weight.shape[i];
  int64_t panels = shape[shape.size() - (weight.interleave > 1 ? 4 : 3)];
  auto packAll = [&](auto pack, auto word) {
    using Word = decltype(word);
    if (*bytes == 0)
      return;
    int64_t panelSize = *bytes / int64_t(sizeof(Word)) / (count * panels);
    inParallel(count * panels, [&](int64_t i) {
      pack(matrix, weight, i % panels,
           static_cast<const Word *>(stored.data) + i / panels * matrix.size,
           static_cast<Word *>(packed.data) + i * panelSize);
    });
  };
  if (weight.numbersPerElement == 2)
    packAll(packHalves, uint8_t());
  else if (elementSize == 1)
    packAll(packPanel<uint8_t>, uint8_t());
  else if (elementSize == 2)
    packAll(packPanel<uint16_t>, uint16_t());
  else if (elementSize == 4)
    packAll(packPanel<uint32_t>, uint32_t());
  else
    packAll(packPanel<uint64_t>, uint64_t());
  return packed;
}
