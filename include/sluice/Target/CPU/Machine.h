//===- Machine.h - What a processor's registers and caches hold --*- C++
//-*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TARGET_CPU_MACHINE_H
#define SLUICE_TARGET_CPU_MACHINE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace sluice {

/// How small integers are multiplied and added.
enum class DotKind {
  /// One at a time, as integers of 32 bits.
  Widened,
  /// Two neighbours of 16 bits: x86's pmaddwd.
  Pairs,
  /// Four neighbours of 8 bits, the first factor unsigned: x86's vpdpbusd.
  Quads,
  /// Four neighbours of 8 bits, both factors signed: AArch64's sdot.
  SignedQuads
};

/// Whose intrinsics are called where there is no op.
enum class VectorUnit {
  X86,
  NEON,
  /// With vectors of one size that is known when code is made.
  SVE
};

/// The schedule of products on one kind of processor. Code that knows a machine
/// reads it here; docs/Performance.md says where the numbers come from.
struct CPUMachine {
  llvm::StringLiteral name;
  VectorUnit unit;
  /// Elements of f32 in the widest vector register.
  int64_t lanes;
  /// A fused multiply-add is one instruction.
  bool hasFMA;
  /// Most rows of a register tile.
  int64_t maxRows;
  /// Vector registers: for a tile's sums, rows' elements and weights.
  int64_t registers;
  /// How much of the summed dimension a slice has: two panels' share of it
  /// stays in the first cache while the blocks of rows take turns.
  int64_t depth;
  /// How far ahead of a product that reads weights once to prefetch, in bytes,
  /// summed over its panels.
  int64_t prefetchBytes;
  DotKind dots;
  /// A byte can pick one of 16 in a table: x86's pshufb, AArch64's tbl.
  bool hasByteTables;
  /// Two neighbours of bf16 are multiplied and added to an f32 by one
  /// instruction: x86's vdpbf16ps, AArch64's bfdot. It rounds as the hardware
  /// does, not as two multiply-adds: what is below f32's smallest normal number
  /// is 0, and bfdot (without FEAT_EBF16) rounds to odd. docs/WritingModels.md
  /// has the bound.
  bool hasBF16Dots = false;

  /// So many panels at once are streams that the hardware prefetches better
  /// than code can.
  static constexpr int64_t streams = 4;
};

/// All machines, the least able one of each architecture first.
llvm::ArrayRef<CPUMachine> getCPUMachines();

/// The machine called `name`; null if there is none.
const CPUMachine *lookupCPUMachine(llvm::StringRef name);

} // namespace sluice

#endif // SLUICE_TARGET_CPU_MACHINE_H
