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
- the innermost loops have a multiply-add for each of the tile's vectors, all in
  the widest registers, and load each weight once.

Usage: check-kernels.py x86-64|avx2|avx512|neon
"""

import re

import assembly

LANES = {"x86-64": 4, "avx2": 8, "avx512": 16, "neon": 4}
ADD = {
    "x86-64": r"addps\s.*%xmm",
    "avx2": r"vfmadd\w*ps\s.*%ymm",
    "avx512": r"vfmadd\w*ps\s.*%zmm",
    "neon": r"fmla\s+v\d+\.4s",
}
VECTOR = {
    "x86-64": r"%xmm", "avx2": r"%[xy]mm", "avx512": r"%[xyz]mm", "neon": r"\b[qvsd]\d+\b",
}


def check(machine, kernel, lines):
    tile = kernel[2]
    rows, panels, width = map(int, tile.split("x"))
    sums = rows * panels * width // LANES[machine]
    stack = r"\(%rsp\)|\[sp"
    found = 0
    for body in assembly.loops(lines):
        adds = sum(bool(re.search(ADD[machine], line)) for line in body)
        if adds == 0:
            continue
        found += 1
        if spilled := [l for l in body if re.search(stack, l) and re.search(VECTOR[machine], l)]:
            yield f"expected no vector on the stack in a loop but got {spilled[0].strip()}"
        if adds % sums:
            yield f"expected a multiple of {sums} multiply-adds in a loop but got {adds}"
    if not found:
        yield "expected loops with multiply-adds but found none"


assembly.main(r"(__sluice_product_\w+?_(\d+x\d+x\d+))", check)
