//===- MicroKernels.h - Register tiles as functions -------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_TARGET_CPU_MICROKERNELS_H
#define SLUICE_LIB_TARGET_CPU_MICROKERNELS_H

#include "ProductFunctions.h"

#include "sluice/Target/CPU/Schedule.h"

#include <map>

namespace sluice {

/// The types and the layout of what kernels multiply.
struct KernelOperands {
  /// `inputs` is how long the sums are, if that is known.
  KernelOperands(const CPUMachine &machine, mlir::Type input, mlir::Type weight,
                 int64_t width, int64_t side, int64_t inputs);

  mlir::Type input, weight;
  /// Columns of a panel, and inputs that lie side by side in it: 2, of bf16
  /// alone, or 1.
  int64_t width, side;
  /// What kernels read rows as: f32, or bf16 if dot products of bf16 compute
  /// the sums.
  mlir::Type row;

  bool areDots() const { return row.isBF16(); }
  /// Whether weights have to become f32.
  bool convert() const { return schedule.getShape().convertsWeights(); }
  /// How many rows run how.
  PanelSchedule schedule;
  /// For functions' names.
  std::string getName() const;
};

/// The private functions of a module that compute one register tile each.
///
/// A tile is `rows` rows of `panels` adjacent panels of W columns: with C the
/// tile, A the rows and B the panels,
///
///     C[i, q, c] = (first ? 0 : C[i, q, c]) + sum over k of A[i, k] * B[q, k,
///     c]
///
/// as one chain of multiply-adds, or of dot products of two neighbours, in
/// increasing k. With two inputs side by side it is B[q, k / 2, c, k mod 2],
/// and the depth is even. The arguments are flat buffers and, in elements,
/// where the tile's parts begin in them:
///
///     (A: memref<?xf32>, or of bf16, a, B: memref<?xT>, b, panel stride of B,
///      C: memref<?xf32>, c, row stride of C, depth, first: i1,
///      distance of prefetching in B, depth from which on it is another one,
///      that one)
///
/// As many panels as a machine reads streams are not prefetched. Rows of A are
/// as far apart as those of a slice.
class MicroKernels {
public:
  MicroKernels(mlir::ModuleOp module, const CPUMachine &machine)
      : module(module), machine(machine) {}

  struct Arguments {
    mlir::Value a, aOffset;
    mlir::Value b, bOffset, panelStride;
    mlir::Value c, cOffset, cRowStride;
    mlir::Value depth, first;
    mlir::Value prefetchDistance, prefetchDepth, prefetchRest;
  };

  /// Calls the kernel for `rows` rows and `panels` panels of `operands`; makes
  /// it if there is none.
  void call(LoopBuilder &b, int64_t rows, int64_t panels,
            const KernelOperands &operands, const Arguments &arguments);

  size_t size() const { return kernels.size(); }

private:
  mlir::func::FuncOp get(int64_t rows, int64_t panels,
                         const KernelOperands &operands);

  mlir::ModuleOp module;
  const CPUMachine &machine;
  std::map<std::string, mlir::func::FuncOp> kernels;
};

} // namespace sluice

#endif // SLUICE_LIB_TARGET_CPU_MICROKERNELS_H
