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

Usage: check-quantized-kernels.py avx2|avx512|avx512-vnni"""

import re

import assembly

REGISTERS = {"avx2": "%ymm", "avx512": "%zmm", "avx512-vnni": "%zmm"}
DOT = {"avx2": "vpmaddwd", "avx512": "vpmaddwd", "avx512-vnni": "vpdpbusd"}


def check(machine, kernel, lines):
    rows = int(kernel[2])
    found = 0
    for line in lines:
        if DOT[machine] in line and REGISTERS[machine] not in line:
            yield f"expected the widest registers but got {line.strip()}"
    for body in assembly.loops(lines):
        dots = sum(DOT[machine] in line for line in body)
        if dots == 0:
            continue
        found += 1
        if dots % rows:
            yield f"expected a multiple of {rows} dot products in a loop but got {dots}"
        spilled = sum("(%rsp)" in l and bool(re.search("%[xyz]mm", l)) for l in body)
        # A loop over segments converts their sums to floats.
        most = dots // 4 if any("cvtdq2ps" in l for l in body) else 0
        if spilled > most:
            yield f"expected at most {most} vectors on the stack in a loop but got {spilled}"
    if not found:
        yield "expected loops with dot products but found none"


assembly.main(r"(__sluice_quantized_i8_\w+_(\d+)x\d+)", check)
