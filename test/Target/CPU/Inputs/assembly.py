# ===- assembly.py - Functions and loops of assembly -----------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""What the scripts that check kernels have in common."""

import re
import sys


def name_stack(lines):
    """AArch64's lines with `sp` in place of registers that point to the stack."""
    pointers = set()
    for line in lines:
        if address := re.search(r"\[(x\d+)", line):
            if address[1] in pointers:
                line = line.replace(address[0], "[sp")
        if written := re.match(r"\s+(\S+)\s+(x\d+),\s*(\w+)", line):
            instruction, register, source = written.groups()
            if instruction in ("add", "addvl", "sub", "mov") and source == "sp":
                pointers.add(register)
            elif not instruction.startswith(("st", "cmp", "tst", "cb", "tb", "prf")):
                pointers.discard(register)
        yield line


def kernels(lines, label):
    """The match of each label that fits, and the instructions behind it."""
    kernel, body = None, []
    for line in lines:
        if found := re.match(f"{label}:", line):
            kernel, body = found, []
        elif kernel and line.startswith(".Lfunc_end"):
            yield kernel, list(name_stack(body))
            kernel = None
        elif kernel:
            body.append(line)


def loops(lines):
    """The lines of each innermost loop: from a label to a jump back to it."""
    labels = {}
    for number, line in enumerate(lines):
        if label := re.match(r"(\.L\w+):", line):
            labels[label[1]] = number
        elif jump := re.search(r"\s(?:j\w+|b\.\w+|cbn?z\s+\w+,|tbn?z\s+\w+, #\d+,|b)\s+(\.L\w+)", line):
            start = labels.get(jump[1])
            body = lines[start:number] if start is not None else []
            if body and not any(re.match(r"\.L\w+:", other) for other in body[1:]):
                yield body


def main(label, check):
    """Checks the kernels of the standard input: `check` gives a kernel's problems."""
    count = failed = 0
    for kernel, lines in kernels(sys.stdin, label):
        count += 1
        for problem in check(sys.argv[1], kernel, lines):
            failed += 1
            print(f"{kernel[1]}: {problem}")
    print(f"{count} kernels, {failed} problems")
    sys.exit(1 if failed or not count else 0)
