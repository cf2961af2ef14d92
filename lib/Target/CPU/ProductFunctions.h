//===- ProductFunctions.h - What functions of products share ----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_TARGET_CPU_PRODUCTFUNCTIONS_H
#define SLUICE_LIB_TARGET_CPU_PRODUCTFUNCTIONS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "sluice/Conversion/Utils.h"
#include "sluice/Target/CPU/Machine.h"

namespace sluice {

/// What one call of a function around micro-kernels computes: rows `firstRow`
/// <= r < `lastRow`, panels likewise.
struct ProductPart {
  mlir::Value firstRow, lastRow, firstPanel, lastPanel;
};

/// A buffer of one dimension whose size nobody asks for.
mlir::MemRefType getFlatType(mlir::Type element);

/// The smaller of two sizes.
mlir::Value minimum(LoopBuilder &b, mlir::Value l, mlir::Value r);

/// l / r of two sizes, rounded up.
mlir::Value ceilDiv(LoopBuilder &b, mlir::Value l, mlir::Value r);

/// A loop that carries nothing.
void makeLoop(LoopBuilder &b, mlir::Value from, mlir::Value to,
              mlir::Value step,
              llvm::function_ref<void(LoopBuilder &, mlir::Value)> body);

/// Code of its own for each `number` from `first` to `last`; `otherwise` for
/// all others, if there is such code.
void makeSwitch(LoopBuilder &b, mlir::Value number, int64_t first, int64_t last,
                llvm::function_ref<void(LoopBuilder &, int64_t)> body,
                llvm::function_ref<void(LoopBuilder &)> otherwise = {});

/// x * y + z of vectors, rounded once where the machine can.
mlir::Value multiplyAdd(LoopBuilder &b, const CPUMachine &machine,
                        mlir::Value x, mlir::Value y, mlir::Value z);

/// LLVM moves no load over this, of which there is no trace in the code: else
/// it would keep what is loaded in registers, of which there are not enough.
void keepOrder(LoopBuilder &b);

/// A private function with an empty block, at the end of `module`; kept apart,
/// so that it gets its registers to itself.
mlir::func::FuncOp createApart(mlir::ModuleOp module, llvm::StringRef name,
                               mlir::TypeRange types);

/// The same for a micro-kernel: as wide as it is written, where LLVM would
/// prefer narrower vectors.
mlir::func::FuncOp createKernel(mlir::ModuleOp module, llvm::StringRef name,
                                mlir::TypeRange types);

/// LLVM leaves the loop a loop.
void keepRolled(mlir::scf::ForOp loop);

} // namespace sluice

#endif // SLUICE_LIB_TARGET_CPU_PRODUCTFUNCTIONS_H
