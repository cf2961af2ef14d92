//===- Panels.cpp - Weights packed for products -----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Panels.h"

#include <algorithm>
#include <cstring>

using namespace sluice;
using namespace sluice::rt;

namespace {
/// One matrix: where its element of an output and an input lies.
struct Matrix {
  int64_t outputs, inputs;
  int64_t outputStride, inputStride;
};
} // namespace

/// `Word` has the size of an element.
template <typename Word>
static void packMatrix(const Matrix &matrix, const Word *from, int64_t width,
                       Word *to) {
  for (int64_t first = 0; first < matrix.outputs; first += width) {
    int64_t count = std::min(width, matrix.outputs - first);
    const Word *column = from + first * matrix.outputStride;
    for (int64_t k = 0; k < matrix.inputs; ++k, to += width) {
      const Word *element = column + k * matrix.inputStride;
      for (int64_t c = 0; c < count; ++c)
        to[c] = element[c * matrix.outputStride];
      std::fill(to + count, to + width, Word(0));
    }
  }
}

template <typename Word>
static void packAll(const Matrix &matrix, int64_t count, const void *from,
                    int64_t width, void *to) {
  int64_t size = matrix.outputs * matrix.inputs;
  int64_t packedSize =
      (matrix.outputs + width - 1) / width * width * matrix.inputs;
  for (int64_t i = 0; i < count; ++i)
    packMatrix(matrix, static_cast<const Word *>(from) + i * size, width,
               static_cast<Word *>(to) + i * packedSize);
}

static Matrix getMatrix(const WeightSpec &weight) {
  int64_t rows = weight.shape[weight.shape.size() - 2];
  int64_t columns = weight.shape.back();
  if (weight.isOutIn)
    return {rows, columns, columns, 1};
  return {columns, rows, 1, columns};
}

/// The shape of a weight in panels.
static std::vector<int64_t> getPackedShape(const WeightSpec &weight) {
  std::vector<int64_t> shape = weight.shape;
  Matrix matrix = getMatrix(weight);
  shape.resize(shape.size() - 2);
  shape.push_back((matrix.outputs + weight.panelWidth - 1) / weight.panelWidth);
  shape.push_back(matrix.inputs);
  shape.push_back(weight.panelWidth);
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
  for (size_t i = 0; i + 2 < weight.shape.size(); ++i)
    count *= weight.shape[i];
  switch (elementSize) {
  case 1:
    packAll<uint8_t>(matrix, count, stored.data, weight.panelWidth,
                     packed.data);
    break;
  case 2:
    packAll<uint16_t>(matrix, count, stored.data, weight.panelWidth,
                      packed.data);
    break;
  case 4:
    packAll<uint32_t>(matrix, count, stored.data, weight.panelWidth,
                      packed.data);
    break;
  default:
    packAll<uint64_t>(matrix, count, stored.data, weight.panelWidth,
                      packed.data);
    break;
  }
  return packed;
}
