# ===- check-models.py - Model files fit on a screen ----------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import pathlib
import re
import sys

MOST_LINES = 45
MOST_COLUMNS = 128
# Blocks with more parts than one router and one or two MLPs.
MORE_LINES = {
    "deepseek_v4_hash": 49,  # a table of token ids, and a shared expert
    "doge": 58,  # logits seen in another shape, experts, and an MLP
    "ernie4_5_vl_moe": 72,  # two of everything, and shared experts
    "gemma4": 58,  # 13 weights: three branches with norms around each
    "inkling": 59,  # two sets of experts, weighted together
    "muse_spark": 48,  # projections and norms around and in the experts
    "zaya": 52,  # 12 weights: the router is a network with a state
}
# docs/models.py reads these comments.
HEAD = re.compile(r"// [^\n(]+ \([^)]+\): (.+\n)+?// Switches: (.+\n)+?!tokens")

models = sorted(pathlib.Path(sys.argv[1]).glob("*.mlir"))
errors = [] if models else [f"expected model files in {sys.argv[1]}"]
for model in models:
    text = model.read_text(encoding="utf-8")
    lines = text.splitlines()
    most = MORE_LINES.get(model.stem, MOST_LINES)
    if len(lines) > most:
        errors.append(f"{model}: expected at most {most} lines but got {len(lines)}")
    for number, line in enumerate(lines, 1):
        if len(line) > MOST_COLUMNS:
            errors.append(f"{model}:{number}: expected at most {MOST_COLUMNS} columns but got {len(line)}")
    if not HEAD.match(text):
        errors.append(f"{model}:1: expected '// Name (source): what it is.' and '// Switches: ...' before the types")
sys.exit("\n".join(errors) or None)
