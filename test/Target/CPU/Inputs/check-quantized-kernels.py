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
import sys

REGISTERS = {"avx2": "%ymm", "avx512": "%zmm", "avx512-vnni": "%zmm"}
DOT = {"avx2": "vpmaddwd", "avx512": "vpmaddwd", "avx512-vnni": "vpdpbusd"}


def kernels(lines):
    """Name, rows and instructions of each kernel."""
    kernel, body = None, []
    for line in lines:
        if found := re.match(r"(__sluice_quantized_i8_\w+_(\d+)x\d+):", line):
            kernel, body = (found[1], int(found[2])), []
        elif kernel and line.startswith(".Lfunc_end"):
            yield *kernel, body
            kernel = None
        elif kernel:
            body.append(line)


def loops(lines):
    """The lines of each innermost loop: from a label to a jump back to it."""
    labels = {}
    for number, line in enumerate(lines):
        if label := re.match(r"(\.L\w+):", line):
            labels[label[1]] = number
        elif (jump := re.search(r"\sj\w+\s+(\.L\w+)", line)) and jump[1] in labels:
            body = lines[labels[jump[1]] : number]
            if not any(re.match(r"\.L\w+:", other) for other in body[1:]):
                yield body


def check(machine, rows, lines):
    found = 0
    for line in lines:
        if DOT[machine] in line and REGISTERS[machine] not in line:
            yield f"expected the widest registers but got {line.strip()}"
    for body in loops(lines):
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


def main():
    machine = sys.argv[1]
    count = failed = 0
    for name, rows, lines in kernels(sys.stdin):
        count += 1
        for problem in check(machine, rows, lines):
            failed += 1
            print(f"{name}: {problem}")
    print(f"{count} kernels, {failed} problems")
    sys.exit(1 if failed or not count else 0)


main()
