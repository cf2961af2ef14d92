# ===- check-timing.py - Checks what --timing printed ----------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Usage: check-timing.py table.txt

The phases together take no longer than the whole.
"""

import sys

with open(sys.argv[1], encoding="utf-8") as file:
    rows = [line.split(maxsplit=2) for line in file if "%" in line]
seconds = {name.strip(): float(number) for number, _, name in rows}
assert len(seconds) == len(rows), rows
total = seconds.pop("total")
assert all(number >= 0 for number in seconds.values()), rows
# The last digit of each was rounded.
assert sum(seconds.values()) <= total + 1e-4 * len(rows), rows
