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
import sys

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


def kernels(lines):
    """Name and instructions of each micro-kernel."""
    name, body = None, []
    for line in lines:
        if label := re.match(r"(__sluice_product_\w+):", line):
            name, body = label[1], []
        elif name and line.startswith(".Lfunc_end"):
            yield name, body
            name = None
        elif name:
            body.append(line)


def loops(lines):
    """The lines of each innermost loop: from a label to a jump back to it."""
    labels = {}
    for number, line in enumerate(lines):
        if label := re.match(r"(\.L\w+):", line):
            labels[label[1]] = number
        elif jump := re.search(r"\s(?:j\w+|b\.\w+|cbn?z\s+\w+,|b)\s+(\.L\w+)", line):
            start = labels.get(jump[1])
            body = lines[start:number] if start is not None else []
            if body and not any(re.match(r"\.L\w+:", other) for other in body[1:]):
                yield body


def check(machine, name, lines):
    element, tile = re.fullmatch(r"__sluice_product_(\w+?)_(\d+x\d+x\d+)", name).groups()
    rows, panels, width = map(int, tile.split("x"))
    sums = rows * panels * width // LANES[machine]
    stack = r"\(%rsp\)|\[sp"
    found = 0
    for body in loops(lines):
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


def main():
    machine = sys.argv[1]
    count = failed = 0
    for name, lines in kernels(sys.stdin):
        count += 1
        for problem in check(machine, name, lines):
            failed += 1
            print(f"{name}: {problem}")
    print(f"{count} kernels, {failed} problems")
    sys.exit(1 if failed or not count else 0)


main()
