# ===- check-quantized-kernels.py - Machine code of small numbers' kernels -===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Reads assembly from the standard input and checks every kernel of small numbers in
it:

- all dot products, and multiply-adds with float inputs, are in the widest registers;
- the innermost loops have one for each row, or several. One over a segment's lines
  saves no vector to the stack and loads none from there; where all lines are written
  out, and the loop is over segments, sums over segments may wait there: at most one
  vector for four dot products. With float inputs at most one for twelve
  multiply-adds.

Usage: check-quantized-kernels.py avx2|avx2-vnni|avx512|avx512-vnni|neon-dot|sve256|
sve512 [i8|f32]: kernels of rounded inputs, of float ones, or both"""

import re
import sys

import assembly

REGISTERS = {
    "avx2": "%ymm", "avx2-vnni": "%ymm", "avx512": "%zmm", "avx512-vnni": "%zmm",
    "neon-dot": r"v\d+\.4s", "sve256": r"z\d+\.s", "sve512": r"z\d+\.s",
}
DOT = {
    "avx2": "vpmaddwd", "avx2-vnni": "vpdpbusd", "avx512": "vpmaddwd",
    "avx512-vnni": "vpdpbusd", "neon-dot": "sdot", "sve256": "sdot", "sve512": "sdot",
}
ADD = r"vfmadd\w*ps|fml[as]|fmad"
STACK = r"\(%rsp\).*%[xyz]mm|%[xyz]mm.*\(%rsp\)|\b[zqvsd]\d+\b.*\[sp"
TO_FLOATS = r"cvtdq2ps|scvtf"


def check(machine, kernel, lines):
    isInteger, rows = kernel[2] == "i8", int(kernel[3])
    wanted = DOT[machine] if isInteger else ADD
    found = 0
    for line in lines:
        if re.search(wanted, line) and not re.search(REGISTERS[machine], line):
            yield f"expected the widest registers but got {line.strip()}"
    for body in assembly.loops(lines):
        products = sum(bool(re.search(wanted, line)) for line in body)
        if products == 0:
            continue
        found += 1
        if products % rows:
            yield f"expected a multiple of {rows} products in a loop but got {products}"
        spilled = sum(bool(re.search(STACK, line)) for line in body)
        # A loop over segments converts their sums to floats.
        most = products // 4 if any(re.search(TO_FLOATS, l) for l in body) else 0
        if not isInteger:
            most = -(-products // 12)
        if spilled > most:
            yield f"expected at most {most} vectors on the stack in a loop but got {spilled}"
    if not found:
        yield "expected loops with products but found none"


inputs = sys.argv[2] if len(sys.argv) > 2 else "i8|f32"
assembly.main(rf"(__sluice_quantized_({inputs})_\w+_(\d+)x\d+)", check)
