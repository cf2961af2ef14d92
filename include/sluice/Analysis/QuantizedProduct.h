//===- QuantizedProduct.h - Products of small numbers in panels -*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_ANALYSIS_QUANTIZEDPRODUCT_H
#define SLUICE_ANALYSIS_QUANTIZEDPRODUCT_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <optional>

namespace sluice {

/// What a `sluice.quantized_linear` says, and the `linalg.generic` that it is
/// lowered to: loops (panel, row, line, j, column), over numbers in lines of 16
/// columns times 4 inputs, or 8 of 4 bits.
///
/// The generic does what it does by its body alone. That a target need not
/// understand the body, the attribute `sluice.numbers` repeats what the numbers
/// are; the operands are where the maps say.
struct QuantizedProduct {
  /// Type of the numbers, see `sluice.dequantize`.
  mlir::Type numbers;
  /// Scales are bytes, powers of two.
  bool hasPowers = false;
  bool hasZeros = false;
  /// Inputs that have one scale; 0 where the input is a float and has none.
  int64_t inputBlock = 0;
  int64_t block = 0;

  bool isPacked() const { return numbers.getIntOrFloatBitWidth() == 4; }
  bool hasInputScales() const { return inputBlock != 0; }
  /// Inputs of an output in a line.
  int64_t getLineInputs() const { return isPacked() ? 8 : 4; }

  /// The operands: input (twice if two numbers are in a byte), weight, scales,
  /// input scales, zero points.
  unsigned getWeightNumber() const { return isPacked() ? 2 : 1; }
  unsigned getScalesNumber() const { return getWeightNumber() + 1; }
  unsigned getInputScalesNumber() const { return getWeightNumber() + 2; }
  unsigned getZerosNumber() const {
    return getWeightNumber() + (hasInputScales() ? 3 : 2);
  }
  unsigned getNumInputs() const {
    return getWeightNumber() + 2 + hasInputScales() + hasZeros;
  }

  /// The maps of the operands and of the result.
  llvm::SmallVector<mlir::AffineMap> getMaps(mlir::MLIRContext *context) const;

  /// Says on `op`, which is this product, what it is.
  void mark(mlir::linalg::GenericOp op) const;
  /// What `op` was marked as, if it still is that; on tensors or buffers.
  static std::optional<QuantizedProduct> match(mlir::linalg::GenericOp op);
};

} // namespace sluice

#endif // SLUICE_ANALYSIS_QUANTIZEDPRODUCT_H
