# ===- check-schedule.py - What --print-schedule prints -------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Each number of rows from 1 on is in one range of a product's schedule, and a
product without kernels says why.

    check-schedule.py FILE.json"""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    products = json.load(file)
for product in products:
    where = product["location"]
    ranges = product["schedule"]
    assert bool(ranges) == (product["no_kernels_because"] is None), where
    if not ranges:
        continue
    copied = [r["rows_copied"] for r in ranges if r["rows"][0] > 1]
    assert all(c == (product["copied_because"] is not None) for c in copied), where
    following = 1
    for index, entry in enumerate(ranges):
        first, last = entry["rows"]
        assert first == following, where
        assert (last is None) == (index == len(ranges) - 1), where
        following = (last or first) + 1
