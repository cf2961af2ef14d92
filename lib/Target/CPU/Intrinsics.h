//===- Intrinsics.h - Instructions that no op stands for --------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_TARGET_CPU_INTRINSICS_H
#define SLUICE_LIB_TARGET_CPU_INTRINSICS_H

#include "ProductFunctions.h"

namespace sluice {

/// A call of LLVM's intrinsic called `name`, mangled types included.
mlir::Value callIntrinsic(LoopBuilder &b, llvm::StringRef name, mlir::Type type,
                          mlir::ValueRange operands);

/// The same for an intrinsic of SVE, whose vectors have no fixed size: operands
/// and result are vectors of a fixed size, that of a register.
mlir::Value callScalable(LoopBuilder &b, llvm::StringRef name,
                         mlir::VectorType type, mlir::ValueRange operands);

/// For each byte of `indices`, below 16, that entry of `table`, in which each
/// 16 bytes are the same. The machine has byte tables.
mlir::Value lookUpBytes(LoopBuilder &b, const CPUMachine &machine,
                        mlir::Value table, mlir::Value indices);

/// In each lane of 32 bits x0 * y0 + x1 * y1 of two signed integers of 16 bits.
/// For DotKind::Pairs.
mlir::Value multiplyPairs(LoopBuilder &b, const CPUMachine &machine,
                          mlir::Value x, mlir::Value y);

/// `sum` and, in each lane of 32 bits, the products of four bytes of `x` with
/// four signed ones of `y`. For DotKind::Quads those of `x` are unsigned, for
/// DotKind::SignedQuads signed.
mlir::Value multiplyQuads(LoopBuilder &b, const CPUMachine &machine,
                          mlir::Value sum, mlir::Value x, mlir::Value y);

/// `sum` and, in each lane of f32, the products of two bf16 of `x` with two of
/// `y`. For machines with dot products of bf16.
mlir::Value multiplyBF16Pairs(LoopBuilder &b, const CPUMachine &machine,
                              mlir::Value sum, mlir::Value x, mlir::Value y);

} // namespace sluice

#endif // SLUICE_LIB_TARGET_CPU_INTRINSICS_H
