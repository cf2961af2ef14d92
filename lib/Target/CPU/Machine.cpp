//===- Machine.cpp - What registers and caches hold -------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Target/CPU/Machine.h"

#include "llvm/ADT/STLExtras.h"

using namespace sluice;

// A tile needs a register for each vector of its sums; what there is less of,
// rows' elements or weights, is kept, the other comes one by one.
static constexpr CPUMachine machines[] = {
    // 2 rows x 1 panel of 4 vectors. A product has to be held as well.
    {"x86-64", VectorUnit::X86, /*lanes=*/4, /*hasFMA=*/false,
     /*maxRows=*/2, /*registers=*/16, /*depth=*/256,
     /*prefetchBytes=*/2048, DotKind::Pairs, /*hasByteTables=*/false},
    // 6 rows x 1 panel of 2 vectors.
    {"avx2", VectorUnit::X86, /*lanes=*/8, /*hasFMA=*/true,
     /*maxRows=*/6, /*registers=*/16, /*depth=*/256,
     /*prefetchBytes=*/8192, DotKind::Pairs, /*hasByteTables=*/true},
    // The same with dot products of bytes (AVX-VNNI).
    {"avx2-vnni", VectorUnit::X86, /*lanes=*/8, /*hasFMA=*/true,
     /*maxRows=*/6, /*registers=*/16, /*depth=*/256,
     /*prefetchBytes=*/8192, DotKind::Quads, /*hasByteTables=*/true},
    // 14 rows x 2 panels of 1 vector.
    {"avx512", VectorUnit::X86, /*lanes=*/16, /*hasFMA=*/true,
     /*maxRows=*/14, /*registers=*/32, /*depth=*/2048,
     /*prefetchBytes=*/16384, DotKind::Pairs, /*hasByteTables=*/true},
    // The same with dot products of bytes.
    {"avx512-vnni", VectorUnit::X86, /*lanes=*/16, /*hasFMA=*/true,
     /*maxRows=*/14, /*registers=*/32, /*depth=*/2048,
     /*prefetchBytes=*/16384, DotKind::Quads, /*hasByteTables=*/true},
    // The same with dot products of bf16.
    {"avx512-bf16", VectorUnit::X86, /*lanes=*/16, /*hasFMA=*/true,
     /*maxRows=*/14, /*registers=*/32, /*depth=*/2048,
     /*prefetchBytes=*/16384, DotKind::Quads, /*hasByteTables=*/true,
     /*hasBF16Dots=*/true},
    // 6 rows x 1 panel of 4 vectors.
    {"neon", VectorUnit::NEON, /*lanes=*/4, /*hasFMA=*/true,
     /*maxRows=*/6, /*registers=*/32, /*depth=*/256,
     /*prefetchBytes=*/2048, DotKind::Widened, /*hasByteTables=*/true},
    // The same with dot products of bytes (sdot).
    {"neon-dot", VectorUnit::NEON, /*lanes=*/4, /*hasFMA=*/true,
     /*maxRows=*/6, /*registers=*/32, /*depth=*/256,
     /*prefetchBytes=*/2048, DotKind::SignedQuads, /*hasByteTables=*/true},
    // The same with dot products of bf16.
    {"neon-bf16", VectorUnit::NEON, /*lanes=*/4, /*hasFMA=*/true,
     /*maxRows=*/6, /*registers=*/32, /*depth=*/256,
     /*prefetchBytes=*/2048, DotKind::SignedQuads, /*hasByteTables=*/true,
     /*hasBF16Dots=*/true},
    // 6 rows x 2 panels of 2 vectors.
    {"sve256", VectorUnit::SVE, /*lanes=*/8, /*hasFMA=*/true,
     /*maxRows=*/6, /*registers=*/32, /*depth=*/256,
     /*prefetchBytes=*/2048, DotKind::SignedQuads, /*hasByteTables=*/true},
    // 14 rows x 2 panels of 1 vector.
    {"sve512", VectorUnit::SVE, /*lanes=*/16, /*hasFMA=*/true,
     /*maxRows=*/14, /*registers=*/32, /*depth=*/256,
     /*prefetchBytes=*/8192, DotKind::SignedQuads, /*hasByteTables=*/true},
};

llvm::ArrayRef<CPUMachine> sluice::getCPUMachines() { return machines; }

const CPUMachine *sluice::lookupCPUMachine(llvm::StringRef name) {
  const CPUMachine *found =
      llvm::find_if(machines, [&](const CPUMachine &machine) {
        return machine.name == name;
      });
  return found == std::end(machines) ? nullptr : found;
}
