#!/usr/bin/env python3
# ===- summarize-lit.py - Count what lit ran --------------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Reads what `lit --output` wrote, prints the output of each failed test, and
ends with the line 'N passed, N failed'. Exits 0 if none failed and some passed.

Tests that did not run (an unsupported feature, a filter) are in neither number
and named before that line."""

import json
import sys
from collections import Counter

PASSED = {"PASS", "XFAIL", "FLAKYPASS"}
FAILED = {"FAIL", "XPASS", "TIMEOUT", "UNRESOLVED"}


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: summarize-lit.py results.json")
    with open(sys.argv[1], encoding="utf-8") as file:
        tests = json.load(file)["tests"]

    not_run = [t for t in tests if t["code"] not in PASSED | FAILED]
    failed = [t for t in tests if t["code"] in FAILED]
    passed = len(tests) - len(not_run) - len(failed)

    for test in failed:
        print(f"\n===== {test['code']}: {test['name']}\n{test['output'].strip()}")
    for test in failed:
        print(f"{test['code']}: {test['name']}")
    for code, count in sorted(Counter(t["code"] for t in not_run).items()):
        print(f"{count} not run: {code.lower()}")
    print(f"{passed} passed, {len(failed)} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
