# ===- routing-at-size.py - Chunks, ties and threads -----------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
#
# Runs each function of routing-at-size.mlir on inputs with ties: compared with
# the interpreter, and bit by bit between numbers of threads.
#
#   routing-at-size.py <sluice-run> <model.mlir> <folder for inputs and outputs>

import pathlib
import subprocess
import sys

import numpy as np

program, model, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
random = np.random.default_rng(5)
folder.mkdir(parents=True, exist_ok=True)

# A file for each function: compiling all of them each time would take minutes.
_, types, *functions = model.read_text().split("\n\n")
for function in functions:
    name = function[function.index("@") + 1:function.index("(%")]
    (folder / f"{name}.mlir").write_text(f"{types}\n\n{function}\n")


def tied(rows, columns, values):
    """Few different numbers, so that each row has ties."""
    return random.integers(0, values, (rows, columns)).astype(np.float32)


def special(rows, columns):
    scores = tied(rows, columns, 9) - 4
    scores[scores == -4] = -0.0
    for value in (np.inf, -np.inf, np.nan, -np.nan):
        scores[random.integers(0, rows, rows // 4), random.integers(0, columns, rows // 4)] = value
    # Nobody's choice.
    scores[:, [0, 17, columns - 1]] = -np.inf
    return scores


def x(rows):
    return random.standard_normal((rows, 4)).astype(np.float32)


cases = {}
# A chunk of @few has 5,462 tokens.
for rows in (1, 11003):
    scores = special(rows, 40)
    weights = random.random((rows, 40)).astype(np.float32)
    cases[f"few {rows}"] = ("few", 3, [scores, weights, x(rows)])
cases["few64"] = ("few64", 1, [special(500, 40).astype(np.float64), x(500)])
one = np.full((6001, 40), -1, dtype=np.float32)
one[:, 5:8] = 1
cases["few, all alike"] = ("few", 3, [one, np.ones_like(one), x(6001)])
cases["most"] = ("most", 2, [tied(1777, 700, 50) + 1, x(1777), random.random((700, 4)).astype(np.float32)])
present = random.random((1501, 24)) < 0.3
present[:, 3] = False
present[7] = False
cases["any"] = ("any", 1, [random.random((1501, 24)).astype(np.float32), present, x(1501)])
for capacity in (0, 100, 1000000):
    cases[f"choose {capacity}"] = ("choose", 2, [special(833, 24), np.array([capacity]), x(833)])
# A token's experts differ.
choices = np.argsort(random.random((3001, 40)), axis=1)[:, :3].astype(np.int64)
choices[random.integers(0, 3001, 500), 1] = -1
for capacity in (0, 90):
    priority = special(3001, 40)[:, 1:2]
    cases[f"limit {capacity}"] = ("limit", 1, [choices, priority, np.array([capacity])])

for name, (entry, results, inputs) in cases.items():
    files = []
    for i, array in enumerate(inputs):
        files += ["--input", str(folder / f"{entry}-{i}.npy")]
        np.save(files[-1], array)
    first = None
    for threads in (1, 2, 3, 5) if len(inputs[0]) > 10000 else (1, 3):
        outputs = [folder / f"{entry}-y{i}.npy" for i in range(results)]
        command = [program, str(folder / f"{entry}.mlir"), f"--threads={threads}"] + files
        # The interpreter needs to be asked once.
        command += ["--check"] if threads == 3 else []
        for output in outputs:
            command += ["--output", str(output)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{name}, {threads} threads: {done.stdout}{done.stderr}")
        bits = [output.read_bytes() for output in outputs]
        if first is not None and bits != first:
            sys.exit(f"{name}: {threads} threads give other bits than 1")
        first = bits
    print(f"{name}: equal")
