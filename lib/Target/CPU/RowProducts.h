//===- RowProducts.h - Products of some rows as functions -------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_TARGET_CPU_ROWPRODUCTS_H
#define SLUICE_LIB_TARGET_CPU_ROWPRODUCTS_H

#include "MicroKernels.h"

namespace sluice {

/// A flat buffer and where a matrix, or a stack of panels, begins in it;
/// `stride` elements lie between its rows, or its panels.
struct Strided {
  mlir::Value buffer, offset, stride;
};

/// The private functions of a module that multiply a range of rows with a range
/// of panels: loops around micro-kernels. All products of the same types share
/// one, so that a model with many products stays small.
class RowProducts {
public:
  RowProducts(mlir::ModuleOp module, const CPUMachine &machine);

  struct Arguments : ProductPart {
    Strided input, weight, result;
    /// How long the sums are.
    mlir::Value depth;
    /// Whether sums begin at 0, an i1, or at what the result holds.
    mlir::Value first;
    /// Whether rows lie where kernels can read them: see
    /// PanelSchedule::canReadInPlace.
    bool inPlace = false;
  };

  /// Multiplies rows `firstRow` <= r < `lastRow`, panels likewise. `isOdd` says
  /// that the last panel may have no partner; other ranges begin and end at
  /// multiples of a machine's streams.
  void call(LoopBuilder &b, const KernelOperands &operands, bool isOdd,
            const Arguments &arguments);

  size_t getNumKernels() const { return kernels.size(); }

private:
  mlir::func::FuncOp get(const KernelOperands &operands, bool isOdd,
                         bool inPlace);

  mlir::ModuleOp module;
  MicroKernels kernels;
  std::map<std::string, mlir::func::FuncOp> functions;
};

} // namespace sluice

#endif // SLUICE_LIB_TARGET_CPU_ROWPRODUCTS_H
