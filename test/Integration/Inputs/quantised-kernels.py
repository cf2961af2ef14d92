# ===- quantised-kernels.py - Kernels of small numbers --------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Small layers of experts in each format of numbers, for several processors,
against the interpreter; and that a token's result depends on nothing else, bit
for bit: not on the others beside it, not on the number of threads.

    quantised-kernels.py FOLDER

One process compiles one function, which has the layer for 0, 1, 7 and 70
tokens: kernels are shared, so that each case is compiled once."""

import pathlib
import subprocess
import sys

import numpy as np

from weight_files import write_safetensors

TOKENS = (0, 1, 7, 70)
EXPERTS, CHOSEN = 5, 2

# Format, inputs, hidden, group, whether inputs are rounded, type of inputs,
# processors; and why.
CASES = [
    # Every format rounded and not, where fewest kernels are compiled.
    ("i8", 64, 96, 32, True, "f32", "x86-64"),
    ("i8", 64, 40, 16, False, "bf16", "x86-64"),  # ragged panels; lines cross no block
    ("i8z", 64, 96, 32, True, "f32", "x86-64"),
    ("ui8z", 64, 96, 32, False, "f32", "x86-64"),
    ("i4", 64, 96, 32, True, "f32", "x86-64"),
    ("ui4", 64, 40, 16, True, "f32", "x86-64"),
    ("ui4z", 64, 40, 16, True, "f32", "x86-64"),  # an odd number of blocks
    ("f4E2M1FN", 64, 96, 32, True, "f32", "x86-64"),  # no table of bytes
    # pmaddwd of wider vectors, and tables of bytes.
    ("ui4z", 64, 96, 32, False, "f32", "x86-64-v3"),
    ("ui8z", 64, 40, 16, True, "f32", "x86-64-v3"),
    ("f4E2M1FN", 64, 96, 32, False, "bf16", "x86-64-v3"),
    # Whatever this machine has; one scale for 520 numbers, which take several
    # segments.
    ("i8", 520, 24, 520, True, "f32", "native"),
    ("i4", 64, 40, 16, False, "f32", "native"),
    ("ui4z", 64, 96, 32, True, "f32", "native"),
    ("f4E2M1FN", 64, 96, 32, True, "bf16", "native"),
]


def make_weights(fmt, inputs, hidden, group):
    """The tensors of the file; the name of a matrix and what it is."""
    rng = np.random.default_rng(1)
    packed = "4" in fmt
    zeros = fmt.endswith("z")
    tensors = {"router": rng.standard_normal((EXPERTS, inputs)).astype(np.float32)}
    for name, rows, columns in (("gate", hidden, inputs), ("up", hidden, inputs),
                                ("down", inputs, hidden)):
        blocks = -(-columns // group)
        shape = (EXPERTS, rows, columns // 2 if packed else columns)
        tensors[name + "_q"] = rng.integers(-128, 128, shape, dtype=np.int8)
        if fmt.startswith("f4"):
            tensors[name + "_s"] = rng.integers(119, 124, (EXPERTS, rows, blocks),
                                                dtype=np.int8)
        else:
            scale = 0.02 if packed else 0.002
            tensors[name + "_s"] = scale * rng.random((EXPERTS, rows, blocks),
                                                      dtype=np.float32)
        if zeros:
            count = -(-blocks // 2) if packed else blocks
            tensors[name + "_z"] = rng.integers(-128, 128, (EXPERTS, rows, count),
                                                dtype=np.int8)
    return tensors


def type_of(array, drop=0):
    element = "f32" if array.dtype == np.float32 else "i8"
    return f"tensor<{'x'.join(map(str, array.shape[drop:]))}x{element}>"


def make_model(case, tensors, with_layer):
    """@layer, if it is wanted, and @main, which has the first tokens of its input go through it."""
    _, inputs, _, _, _, dtype, _ = case
    rows, wide = f"tensor<?x{inputs}x{dtype}>", f"tensor<?x{inputs}xf32>"
    text = "".join(
        f'sluice.weight @{name} "{name}" : {type_of(tensor)}\n'
        for name, tensor in tensors.items())
    if with_layer:
        text += make_layer("@layer", case, tensors)
    lines = [f"func.func @main(%x: {rows}) -> ({', '.join([wide] * len(TOKENS))}) {{"]
    for count in TOKENS:
        text += make_layer(f"private @layer{count}", case, tensors)
        part = f"tensor<{count}x{inputs}x{dtype}>"
        lines += [f"  %s{count} = tensor.extract_slice %x[0, 0] [{count}, {inputs}] [1, 1]"
                  f" : {rows} to {part}",
                  f"  %x{count} = tensor.cast %s{count} : {part} to {rows}",
                  f"  %y{count} = call @layer{count}(%x{count}) : ({rows}) -> {wide}"]
    values = ", ".join(f"%y{count}" for count in TOKENS)
    lines += [f"  return {values} : {', '.join([wide] * len(TOKENS))}", "}"]
    return text + "\n".join(lines) + "\n"


def make_layer(symbol, case, tensors):
    fmt, inputs, hidden, group, rounded, dtype, _ = case

    element = fmt.removesuffix("z") if fmt != "ui8z" else "ui8"
    powers = " as f8E8M0FNU" if fmt.startswith("f4") else ""
    wide, rows = f"tensor<?x{inputs}xf32>", f"tensor<?x{inputs}x{dtype}>"
    middle = f"tensor<?x{hidden}xf32>"
    params = [name for name in tensors if name != "router"]
    gates = f"!sluice.gates<?x{EXPERTS}xf32, {CHOSEN} per token>"
    lines = [
        f"func.func {symbol}(%x: {rows}) -> {wide} {{",
        f"  %r = sluice.get_weight @router : {type_of(tensors['router'])}",
        f"  %l = sluice.linear %x, %r : ({rows}, {type_of(tensors['router'])}) -> tensor<?x{EXPERTS}xf32>",
        f"  %p = sluice.softmax %l : tensor<?x{EXPERTS}xf32>",
        f"  %g = sluice.topk %p, {CHOSEN} : tensor<?x{EXPERTS}xf32>",
    ]
    lines += [f"  %{name} = sluice.get_weight @{name} : {type_of(tensors[name])}" for name in params]
    given = ", ".join(f"%b{name} = %{name} : {type_of(tensors[name])}" for name in params)
    lines += [f"  %y = sluice.experts by %g : {gates} (%t = %x : {rows})",
              f"      with ({given})", f"      combine sum weight output -> {wide} {{"]
    for name, out, count in (("gate", hidden, inputs), ("up", hidden, inputs),
                             ("down", inputs, hidden)):
        minus, zeros = "", ""
        if fmt.endswith("z"):
            minus, zeros = f" minus %b{name}_z", f", {type_of(tensors[name + '_z'], 1)}"
        lines.append(
            f"    %w{name} = sluice.dequantize %b{name}_q as {element} in blocks [1, {group}]"
            f" by %b{name}_s{powers}{minus} : ({type_of(tensors[name + '_q'], 1)},"
            f" {type_of(tensors[name + '_s'], 1)}{zeros}) -> tensor<{out}x{count}xf32>")

    def take(value, columns, dtype):
        """What a product reads for `value`, and the type of that."""
        read = f"tensor<?x{columns}x{dtype}>"
        if not rounded:
            return value, read
        scales = f"tensor<?x{-(-columns // group)}xf32>"
        lines.append(f"    {value}q, {value}s = sluice.quantize {value} to i8 in blocks"
                     f" [1, {group}] : {read} -> tensor<?x{columns}xi8>, {scales}")
        lines.append(f"    {value}r = sluice.dequantize {value}q as i8 in blocks [1, {group}]"
                     f" by {value}s : (tensor<?x{columns}xi8>, {scales})"
                     f" -> tensor<?x{columns}xf32>")
        return value + "r", f"tensor<?x{columns}xf32>"

    x, x_type = take("%t", inputs, dtype)
    weight = f"tensor<{hidden}x{inputs}xf32>"
    lines += [f"    %a = sluice.linear {x}, %wgate : ({x_type}, {weight}) -> {middle}",
              f"    %b = sluice.linear {x}, %wup : ({x_type}, {weight}) -> {middle}",
              f"    %s = sluice.silu %a : {middle}",
              f"    %h = arith.mulf %s, %b : {middle}"]
    h, h_type = take("%h", hidden, "f32")
    lines += [f"    %o = sluice.linear {h}, %wdown : ({h_type}, tensor<{inputs}x{hidden}xf32>)"
              f" -> {wide}", f"    sluice.yield %o : {wide}", "  }", f"  return %y : {wide}", "}"]
    return "\n".join(lines) + "\n"


def run(folder, number, case):
    fmt, inputs, hidden, group, rounded, dtype, cpu = case
    folder.mkdir(parents=True)
    tensors = make_weights(fmt, inputs, hidden, group)
    write_safetensors(folder / "w.safetensors", tensors)
    (folder / "m.mlir").write_text(make_model(case, tensors, number == 0))
    rng = np.random.default_rng(number)
    x = rng.standard_normal((max(TOKENS), inputs)).astype(np.float32)
    if dtype == "bf16":
        x = (x.view(np.uint32) >> 16).astype(np.uint16)
    np.save(folder / "x.npy", x)
    np.save(folder / "none.npy", x[:0])
    command = ["sluice-run", str(folder / "m.mlir"), f"--cpu={cpu}", "--weights",
               str(folder / "w.safetensors"), "--check", "--tolerance=2e-6"]

    def call(*options):
        if subprocess.run(command + list(options), check=False).returncode:
            sys.exit(f"error: sluice-run failed for {case}")

    # The first case is run for no tokens when that is not known beforehand, and by
    # several numbers of threads.
    if number == 0:
        call("--entry=layer", f"--input={folder}/none.npy")
    outputs = []
    for threads in (1, 2, 5) if number == 0 else (2,):
        names = [folder / f"y{count}-{threads}.npy" for count in TOKENS]
        call("--entry=main", f"--input={folder}/x.npy", f"--threads={threads}",
             *(f"--output={name}" for name in names))
        outputs.append([np.load(name) for name in names])
    largest = outputs[0][-1]
    assert np.isfinite(largest).all() and np.abs(largest).max() > 0, case
    for results in outputs:
        for count, y in zip(TOKENS, results):
            if y.tobytes() != largest[:count].tobytes():
                sys.exit(f"error: {case}: expected the same bytes for {count} tokens as"
                         f" among {max(TOKENS)}")


def main():
    folder = pathlib.Path(sys.argv[1])
    for number, case in enumerate(CASES):
        run(folder / str(number), number, case)
    print(f"{len(CASES)} cases passed")


if __name__ == "__main__":
    main()
