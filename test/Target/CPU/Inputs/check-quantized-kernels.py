# ===- check-quantized-kernels.py - Machine code of small numbers' kernels -===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Reads assembly from the standard input and checks every kernel of rounded inputs
in it:

- all dot products are in the widest registers;
- the innermost loops have one for each row, or several. One over a segment's lines
  saves no vector to the stack and loads none from there; where all lines are written
  out, and the loop is over segments, sums over segments may wait there: at most one
  vector for four dot products.

Usage: check-quantized-kernels.py avx2|avx2-vnni|avx512|avx512-vnni|neon-dot|sve256|
sve512"""

import re

import assembly

REGISTERS = {
    "avx2": "%ymm", "avx2-vnni": "%ymm", "avx512": "%zmm", "avx512-vnni": "%zmm",
    "neon-dot": r"v\d+\.4s", "sve256": r"z\d+\.s", "sve512": r"z\d+\.s",
}
DOT = {
    "avx2": "vpmaddwd", "avx2-vnni": "vpdpbusd", "avx512": "vpmaddwd",
    "avx512-vnni": "vpdpbusd", "neon-dot": "sdot", "sve256": "sdot", "sve512": "sdot",
}
STACK = r"\(%rsp\).*%[xyz]mm|%[xyz]mm.*\(%rsp\)|\b[zqvsd]\d+\b.*\[sp"
TO_FLOATS = r"cvtdq2ps|scvtf"


def check(machine, kernel, lines):
    rows = int(kernel[2])
    found = 0
    for line in lines:
        if DOT[machine] in line and not re.search(REGISTERS[machine], line):
            yield f"expected the widest registers but got {line.strip()}"
    for body in assembly.loops(lines):
        dots = sum(DOT[machine] in line for line in body)
        if dots == 0:
            continue
        found += 1
        if dots % rows:
            yield f"expected a multiple of {rows} dot products in a loop but got {dots}"
        spilled = sum(bool(re.search(STACK, line)) for line in body)
        # A loop over segments converts their sums to floats.
        most = dots // 4 if any(re.search(TO_FLOATS, l) for l in body) else 0
        if spilled > most:
            yield f"expected at most {most} vectors on the stack in a loop but got {spilled}"
    if not found:
        yield "expected loops with dot products but found none"


assembly.main(r"(__sluice_quantized_i8_\w+_(\d+)x\d+)", check)
