# ===- check-models.py - Model files fit on a screen ----------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#

import pathlib
import sys

MOST_LINES = 45
MOST_COLUMNS = 128

models = sorted(pathlib.Path(sys.argv[1]).glob("*.mlir"))
errors = [] if models else [f"expected model files in {sys.argv[1]}"]
for model in models:
    lines = model.read_text(encoding="utf-8").splitlines()
    if len(lines) > MOST_LINES:
        errors.append(f"{model}: expected at most {MOST_LINES} lines but got {len(lines)}")
    for number, line in enumerate(lines, 1):
        if len(line) > MOST_COLUMNS:
            errors.append(f"{model}:{number}: expected at most {MOST_COLUMNS} columns but got {len(line)}")
sys.exit("\n".join(errors) or None)
