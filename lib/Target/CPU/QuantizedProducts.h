//===- QuantizedProducts.h - Products of numbers with scales ----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_TARGET_CPU_QUANTIZEDPRODUCTS_H
#define SLUICE_LIB_TARGET_CPU_QUANTIZEDPRODUCTS_H

#include "QuantizedKernels.h"
#include "RowProducts.h"

namespace sluice {

/// Functions that multiply some rows with some panels of numbers with scales,
/// one for each kind of numbers; made when they are first called.
class QuantizedProducts {
public:
  QuantizedProducts(mlir::ModuleOp module, const CPUMachine &machine)
      : module(module), machine(machine), kernels(module, machine) {}

  struct Arguments : ProductPart {
    Strided input, inputScales, weight, scales, zeros, result;
    /// Whether sums begin at 0, an i1, or at what the result holds.
    mlir::Value first;
  };

  void call(LoopBuilder &b, const QuantizedTile &tile,
            const Arguments &arguments);

  size_t getNumKernels() const { return kernels.size(); }

private:
  mlir::func::FuncOp get(const QuantizedTile &tile, mlir::TypeRange types);

  mlir::ModuleOp module;
  const CPUMachine &machine;
  QuantizedKernels kernels;
  std::map<std::string, mlir::func::FuncOp> functions;
};

} // namespace sluice

#endif // SLUICE_LIB_TARGET_CPU_QUANTIZEDPRODUCTS_H
