//===- QuantizedKernels.h - Register tiles of small numbers -----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_TARGET_CPU_QUANTIZEDKERNELS_H
#define SLUICE_LIB_TARGET_CPU_QUANTIZEDKERNELS_H

#include "ProductFunctions.h"

#include "sluice/Analysis/QuantizedProduct.h"
#include "sluice/Target/CPU/Schedule.h"

#include <map>
#include <string>

namespace sluice {

/// What a kernel multiplies, and how an expert's rows are laid out for it.
///
/// The summed dimension is cut into *segments*, within which an input has one
/// scale and an output has one, and those into slices. A slice has, for each of
/// its rows, the inputs, and for each segment the sum of its inputs and its
/// scale.
struct QuantizedTile {
  QuantizedTile(const CPUMachine &machine, const QuantizedProduct &product,
                mlir::Type input, mlir::Type scales, int64_t depth);

  QuantizedProduct product;
  /// Element types of the rows in the file's order, and of the scales.
  mlir::Type input, scales;
  /// Inputs of a segment, segments of a slice, segments of all.
  int64_t segment, segments, allSegments;
  /// Numbers of 8 bits are multiplied as signed bytes, not as unsigned ones.
  bool hasSignedBytes;

  /// Integers are multiplied: i8 inputs.
  bool isInteger() const { return product.hasInputScales(); }
  /// The type of a row's inputs in a slice: i8, i16 where a machine multiplies
  /// pairs of these, or f32.
  mlir::Type getCopyType(const CPUMachine &machine) const;
  /// Elements from one row of a slice to the next.
  int64_t getRowStride() const;
  /// What is subtracted from a number's bits to get the number; bits of 4-bit
  /// floats are twice the number and more than it by this.
  int64_t getOffset() const;
  QuantizedShape getShape() const {
    return {product.isPacked() ? 4 : 8, isInteger(), segment, segments,
            allSegments};
  }
  /// Part of the names of functions.
  std::string getName() const;
};

/// Functions that multiply a slice of a few rows with one panel. Panels lie one
/// behind the other, and so do the scales: taken one by one they are two long
/// streams, which the hardware and prefetches follow better than those of
/// several panels at once.
class QuantizedKernels {
public:
  QuantizedKernels(mlir::ModuleOp module, const CPUMachine &machine)
      : module(module), machine(machine) {}

  /// Flat buffers, and positions in them, in elements.
  struct Arguments {
    /// Of the first row; sums and scales are those of the first segment.
    mlir::Value a, aOffset, sums, inputScales, segmentOffset;
    mlir::Value weight, weightOffset;
    /// Of the panel's first segment, not the slice's.
    mlir::Value scales, scalesOffset;
    mlir::Value zeros, zerosOffset;
    mlir::Value c, cOffset, cRowStride;
    /// The slice's first segment, and how many there are in it.
    mlir::Value firstSegment, segments;
    /// Whether sums begin at 0, an i1, or at what the result holds.
    mlir::Value first;
    /// How far ahead to prefetch, in bytes, if the rows are not a stream; 0
    /// where the slice is in the cache already.
    mlir::Value prefetchDistance;
  };

  void call(LoopBuilder &b, const QuantizedTile &tile, int64_t rows,
            const Arguments &arguments);

  size_t size() const { return kernels.size(); }

private:
  mlir::func::FuncOp get(const QuantizedTile &tile, int64_t rows);

  mlir::ModuleOp module;
  const CPUMachine &machine;
  std::map<std::string, mlir::func::FuncOp> kernels;
};

} // namespace sluice

#endif // SLUICE_LIB_TARGET_CPU_QUANTIZEDKERNELS_H
