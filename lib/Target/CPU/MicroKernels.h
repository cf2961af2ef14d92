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

#include <map>

namespace sluice {

/// The private functions of a module that compute one register tile each.
///
/// A tile is `rows` rows of `panels` adjacent panels of W columns: with C the
/// tile, A the rows and B the panels,
///
///     C[i, q, c] = (first ? 0 : C[i, q, c]) + sum over k of A[i, k] * B[q, k,
///     c]
///
/// as one chain of multiply-adds in increasing k. The arguments are flat
/// buffers and, in elements, where the tile's parts begin in them:
///
///     (A: memref<?xf32>, a, B: memref<?xT>, b, panel stride of B,
///      C: memref<?xf32>, c, row stride of C, depth, first: i1,
///      distance of prefetching in B, depth up to which it prefetches)
///
/// Rows of A are `rowStride` elements apart.
class MicroKernels {
public:
  MicroKernels(mlir::ModuleOp module, const CPUMachine &machine,
               int64_t rowStride)
      : module(module), machine(machine), rowStride(rowStride) {}

  struct Arguments {
    mlir::Value a, aOffset;
    mlir::Value b, bOffset, panelStride;
    mlir::Value c, cOffset, cRowStride;
    mlir::Value depth, first;
    mlir::Value prefetchDistance, prefetchDepth;
  };

  /// Calls the kernel for `rows` rows and `panels` panels of `width` columns of
  /// type `weight`; makes it if there is none.
  void call(LoopBuilder &b, int64_t rows, int64_t panels, int64_t width,
            mlir::Type weight, const Arguments &arguments);

  size_t size() const { return kernels.size(); }

private:
  mlir::func::FuncOp get(int64_t rows, int64_t panels, int64_t width,
                         mlir::Type weight);

  mlir::ModuleOp module;
  const CPUMachine &machine;
  int64_t rowStride;
  std::map<std::string, mlir::func::FuncOp> kernels;
};

} // namespace sluice

#endif // SLUICE_LIB_TARGET_CPU_MICROKERNELS_H
