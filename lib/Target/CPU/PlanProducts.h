//===- PlanProducts.h - Products, and how they will run ---------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_TARGET_CPU_PLANPRODUCTS_H
#define SLUICE_LIB_TARGET_CPU_PLANPRODUCTS_H

#include "MicroKernels.h"
#include "QuantizedKernels.h"

#include <vector>

namespace sluice {

/// A product of rows with a weight in panels.
struct PlannedProduct {
  mlir::linalg::GenericOp op;
  const CPUMachine *machine = nullptr;
  /// The weight's panels.
  mlir::Value weight;
  /// What a weight is; two of 4 bits are in an element.
  mlir::Type numbers;
  /// Which of the two it is, if there are kernels for it.
  std::optional<KernelOperands> operands;
  std::optional<QuantizedTile> tile;
  /// Why there are none.
  std::string obstacle;
  /// Why rows are copied; empty if kernels read them where they are.
  std::string copied;

  bool hasKernels() const { return operands || tile; }
  llvm::SmallVector<ScheduleRange> getRanges() const;
  /// Columns of a panel.
  int64_t getWidth() const { return operands ? operands->width : 16; }
  /// Says so as optimisation remarks.
  void remark() const;
};

/// Whether `op` is inside a parallel loop.
bool isInTask(mlir::Operation *op);

/// The products of `module`, in order, also those that have no kernels. Rows of
/// buffers that only tasks see are moved to where kernels can read them.
std::vector<PlannedProduct> planProducts(mlir::ModuleOp module,
                                         const CPUMachine &machine);

} // namespace sluice

#endif // SLUICE_LIB_TARGET_CPU_PLANPRODUCTS_H
