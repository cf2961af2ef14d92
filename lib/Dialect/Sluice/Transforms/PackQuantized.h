//===- PackQuantized.h - Small numbers in panels ----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_DIALECT_SLUICE_TRANSFORMS_PACKQUANTIZED_H
#define SLUICE_LIB_DIALECT_SLUICE_TRANSFORMS_PACKQUANTIZED_H

#include "PackedUses.h"

#include "llvm/ADT/MapVector.h"

namespace sluice {

/// Puts weights that are dequantized for products into panels, and makes
/// `quantized_linear` of the products.
class PackQuantized {
public:
  /// Of each weight of the module.
  void add(WeightOp weight, PackedUses uses);
  void run();
  unsigned getNumPacked() const { return numPacked; }

private:
  void choose(WeightOp weight, PackedUses &uses);
  void pack(WeightOp weight, PackedUses &uses);
  void rewrite(DequantizeOp op);

  llvm::MapVector<mlir::Operation *, PackedUses> weights;
  unsigned numPacked = 0;
};

} // namespace sluice

#endif // SLUICE_LIB_DIALECT_SLUICE_TRANSFORMS_PACKQUANTIZED_H
