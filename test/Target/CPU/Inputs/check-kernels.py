#===- check-kernels.py - What a micro-kernel's assembly must be -----------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Reads assembly from the standard input and checks every micro-kernel in it:

- no vector register is saved to or loaded from the stack: the sums stay in
  registers;
- the innermost loops have a multiply-add, or a dot product of bf16 in kernels
  that are called so, for each of the tile's vectors, all in the widest registers.

Usage: check-kernels.py x86-64|avx2|avx512|avx512-bf16|neon|neon-bf16|sve256|sve512
"""

import re

import assembly

LANES = {
    "x86-64": 4, "avx2": 8, "avx512": 16, "avx512-bf16": 16, "neon": 4, "neon-bf16": 4,
    "sve256": 8, "sve512": 16,
}
ADD = {
    "x86-64": r"addps\s.*%xmm",
    "avx2": r"vfmadd\w*ps\s.*%ymm",
    "avx512": r"vfmadd\w*ps\s.*%zmm",
    "avx512-bf16": r"vfmadd\w*ps\s.*%zmm",
    "neon": r"fmla\s+v\d+\.4s",
    "neon-bf16": r"fmla\s+v\d+\.4s",
    "sve256": r"fm(la|ad)\s+z\d+\.s",
    "sve512": r"fm(la|ad)\s+z\d+\.s",
}
DOT = {"avx512-bf16": r"vdpbf16ps\s.*%zmm", "neon-bf16": r"bfdot\s+v\d+\.4s"}
VECTOR = {
    "x86-64": r"%xmm", "avx2": r"%[xy]mm", "avx512": r"%[xyz]mm",
    "avx512-bf16": r"%[xyz]mm", "neon": r"\b[qvsd]\d+\b", "neon-bf16": r"\b[qvsd]\d+\b",
    "sve256": r"\b[zqvsd]\d+\b", "sve512": r"\b[zqvsd]\d+\b",
}

# SSE2's instructions overwrite an operand: LLVM keeps one of eight sums on the stack
# where two inputs lie side by side.
SPILLS = {("x86-64", "bf16by2"): 2}


def check(machine, kernel, lines):
    types, tile = kernel[2], kernel[3]
    rows, panels, width = map(int, tile.split("x"))
    sums = rows * panels * width // LANES[machine]
    stack = r"\(%rsp\)|\[sp"
    found = 0
    for body in assembly.loops(lines):
        instruction = DOT[machine] if types.endswith("dot") else ADD[machine]
        adds = sum(bool(re.search(instruction, line)) for line in body)
        if adds == 0:
            continue
        found += 1
        spilled = [l for l in body if re.search(stack, l) and re.search(VECTOR[machine], l)]
        if len(spilled) > SPILLS.get((machine, types), 0):
            yield f"expected no vector on the stack in a loop but got {spilled[0].strip()}"
        if adds % sums:
            yield f"expected a multiple of {sums} multiply-adds in a loop but got {adds}"
    if not found:
        yield "expected loops with multiply-adds but found none"


assembly.main(r"(__sluice_product_(\w+?)_(\d+x\d+x\d+))", check)
