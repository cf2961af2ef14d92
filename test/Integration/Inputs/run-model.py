#!/usr/bin/env python3
# ===- run-model.py - A model file against what was published -------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Runs @moe and @route of a model file by the interpreter, in memory and as a
library, and compares with the .npy files in the folder Inputs/<model> beside it:
experts must be equal, values within 1e-5. No token and one token, for which
nothing was published, are compared with the interpreter.

    run-model.py test/Integration/Models/mixtral.mlir
    run-model.py test/Integration/Models/mixtral.mlir BUILD_FOLDER

Prints the commands that it runs, and stops at the first that fails."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

# The arguments and results, in order: those of these that the folder has.
ARGUMENTS = ["x", "token_ids", "token_types", "expert_ids", "router_states_in"]
OUTPUTS = ["y", "router_states_out"]
ROUTING = ["topk_indices", "topk_weights", "dropped", "kept", "shared_weights",
           "gates", "present"]


def run(*command):
    print("+", shlex.join(command), flush=True)
    try:
        result = subprocess.run(command, check=False)
    except FileNotFoundError:
        sys.exit(f"error: {command[0]} is not in PATH")
    if result.returncode:
        sys.exit(f"error: {command[0]} failed with exit status {result.returncode}")


def take(source, count, target):
    """Copies the first rows of a .npy file."""
    data = source.read_bytes()
    size = int.from_bytes(data[8:10], "little")
    head, values = data[10:10 + size].decode(), data[10 + size:]
    shape = [int(n) for n in re.search(r"\(([^)]*)\)", head)[1].split(",") if n.strip()]
    values = values[:len(values) // shape[0] * count]
    numbers = "".join(f"{n}, " for n in [count, *shape[1:]])
    head = re.sub(r"\([^)]*\)", f"({numbers})", head).rstrip().ljust(size - 1) + "\n"
    target.write_bytes(data[:10] + head.encode() + values)


def check(model, folder):
    data = model.parent / "Inputs" / model.stem

    def files(option, names):
        return [word for name in names if (data / f"{name}.npy").exists()
                for word in (option, str(data / f"{name}.npy"))]

    common = ["--weights", str(data / "model.safetensors"),
              *files("--input", ARGUMENTS), "--tolerance", "1e-5"]
    entries = {"moe": common + files("--expect", OUTPUTS),
               "route": common + files("--expect", ROUTING)}
    for entry, options in entries.items():
        if "--expect" not in options:
            sys.exit(f"error: expected {data} to hold what @{entry} returns")
        run("sluice-run", str(model), f"--entry={entry}", *options,
            "--target=interpreter")
        run("sluice-run", str(model), f"--entry={entry}", *options, "--check")

    for count in (0, 1):
        inputs = []
        for name in ARGUMENTS:
            if (data / f"{name}.npy").exists():
                few = folder / f"{name}-{count}.npy"
                take(data / f"{name}.npy", count, few)
                inputs += ["--input", str(few)]
        run("sluice-run", str(model), "--entry=moe", "--weights",
            str(data / "model.safetensors"), *inputs, "--check")

    library = str(folder / f"{model.stem}.so")
    run("sluicec", str(model), "-o", library)
    for entry, options in entries.items():
        run("sluice-call-library", library, model.stem, entry, *options)
    # Two threads at once in one loaded library.
    run("sluice-call-library", library, model.stem, "moe", *entries["moe"],
        "--callers", "2")


def main():
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    model = pathlib.Path(sys.argv[1])
    if len(sys.argv) == 3:
        folder = pathlib.Path(sys.argv[2])
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        check(model, folder)
    else:
        with tempfile.TemporaryDirectory() as folder:
            check(model, pathlib.Path(folder))


if __name__ == "__main__":
    main()
