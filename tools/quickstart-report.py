#!/usr/bin/env python3
# ===- quickstart-report.py - The table that tools/quickstart shows ---------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Prints what runs of sluice-run said, from the files in which tools/quickstart
keeps their output: counters.txt, time.txt, published.txt, interpreter.txt."""

import json
import os
import re
import sys


def read(name):
    with open(os.path.join(sys.argv[1], name), encoding="utf-8") as file:
        return file.read()


def find(pattern, name):
    found = re.search(pattern, read(name))
    if not found:
        sys.exit(f"error: expected '{pattern}' in the output of sluice-run:\n{read(name)}")
    return found


def main():
    line = next(l for l in read("counters.txt").splitlines() if l.startswith("{"))
    routed = json.loads(line)["routed"][0]
    experts = routed["tokens_per_expert"]
    error = r"largest error ([-+.0-9a-z]+)"
    time = find(r"median ([.0-9]+ [mu]?s) (\(.*\))", "time.txt")
    # If every expert ran on every token.
    dense = routed["multiply_adds"] // routed["entries"] * routed["tokens"] * len(experts)
    used = sum(count > 0 for count in experts)
    all_bytes = routed["weight_bytes"] // used * len(experts)
    rows = [
        ("tokens", f"{routed['tokens']:,}, {routed['entries']:,} entries in the gates"),
        ("tokens per expert", " ".join(map(str, experts))),
        ("time of a run", f"{time[1]} {time[2]}"),
        ("multiply-adds executed", f"{routed['multiply_adds']:,} of {dense:,}"),
        ("weight bytes touched", f"{routed['weight_bytes']:,} of {all_bytes:,}"),
        ("largest error, published code", find(error, "published.txt")[1]),
        ("largest error, interpreter", find(error, "interpreter.txt")[1]),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"  {name:{width}}  {value}")
    print("  (errors: relative to the largest magnitude of the output;")
    print("   'of': if all experts ran on all tokens)")


if __name__ == "__main__":
    main()
