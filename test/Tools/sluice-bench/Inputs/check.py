# ===- check.py - What a measurement's JSON object must be ------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""usage: check.py out.json [name=value ...]

Checks fields and how numbers belong together, never how large they are. `tokens`
and `baselines` are lists separated by commas; other names are fields of each cell.
"""

import json
import math
import sys

MACHINE = ["peak_gflops", "bf16_gflops", "int8_gops", "read_gbps", "threads", "cpu"]
CELL = ["tokens", "type", "activations", "routing", "best_ms", "median_ms",
        "floor_ms", "share", "baselines"]


def near(a, b):
    return math.isclose(a, b, rel_tol=1e-9)


with open(sys.argv[1], encoding="utf-8") as file:
    measured = json.load(file)
expected = dict(argument.split("=", 1) for argument in sys.argv[2:])
tokens = expected.pop("tokens").split(",")
baselines = [name for name in expected.pop("baselines", "").split(",") if name]

assert list(measured) == ["machine", "cells"], list(measured)
machine = measured["machine"]
assert list(machine) == MACHINE, list(machine)
assert machine["peak_gflops"] > 0 and machine["read_gbps"] > 0, machine
assert machine["threads"] >= 1 and machine["cpu"], machine
for name in ("bf16_gflops", "int8_gops"):
    assert machine[name] is None or machine[name] > 0, machine

assert [str(cell["tokens"]) for cell in measured["cells"]] == tokens
for cell in measured["cells"]:
    assert list(cell) == CELL, list(cell)
    for name, value in expected.items():
        assert cell[name] == value, (name, cell[name])
    assert 0 < cell["best_ms"] <= cell["median_ms"], cell
    assert cell["floor_ms"] > 0, cell
    assert near(cell["share"], cell["floor_ms"] / cell["best_ms"]), cell
    assert list(cell["baselines"]) == baselines, cell
    for baseline in cell["baselines"].values():
        assert list(baseline) == ["best_ms", "ratio"], baseline
        assert near(baseline["ratio"], baseline["best_ms"] / cell["best_ms"]), cell
