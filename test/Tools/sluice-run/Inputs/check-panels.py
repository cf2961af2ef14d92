#===- check-panels.py - Products with packed weights ----------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Runs products and experts whose weights are packed, compares them with the
interpreter, and a row alone with the same row among others, bit for bit.

Usage: check-panels.py FOLDER
"""

import json
import pathlib
import random
import re
import struct
import subprocess
import sys

MODEL = """sluice.weight @out_in "a" : tensor<{n}x{k}x{t}>
sluice.weight @in_out "b" : tensor<{k}x{n}x{t}>
sluice.weight @experts "e.{{e}}" : tensor<3x{n}x{k}x{t}>
func.func @moe(%x: tensor<?x{k}xf32>, %i: tensor<?x2xi64>)
    -> (tensor<?x{n}xf32>, tensor<?x{n}xf32>, tensor<?x{n}xf32>) {{
  %a = sluice.get_weight @out_in : tensor<{n}x{k}x{t}>
  %b = sluice.get_weight @in_out : tensor<{k}x{n}x{t}>
  %e = sluice.get_weight @experts : tensor<3x{n}x{k}x{t}>
  %v = {round} %x : tensor<?x{k}xf32> to tensor<?x{k}x{v}>
  %y = sluice.linear %v, %a : (tensor<?x{k}x{v}>, tensor<{n}x{k}x{t}>) -> tensor<?x{n}xf32>
  %z = sluice.linear %v, %b layout in_out
    : (tensor<?x{k}x{v}>, tensor<{k}x{n}x{t}>) -> tensor<?x{n}xf32>
  %g = sluice.from_entries %i : (tensor<?x2xi64>) -> !sluice.gates<?x3xf32, 2 per token>
  %s = sluice.experts by %g : !sluice.gates<?x3xf32, 2 per token>
      (%r = %x : tensor<?x{k}xf32>) with (%w = %e : tensor<3x{n}x{k}x{t}>)
      combine sum weight output -> tensor<?x{n}xf32> {{
    %u = {round} %r : tensor<?x{k}xf32> to tensor<?x{k}x{v}>
    %o = sluice.linear %u, %w : (tensor<?x{k}x{v}>, tensor<{n}x{k}x{t}>) -> tensor<?x{n}xf32>
    sluice.yield %o : tensor<?x{n}xf32>
  }}
  return %y, %z, %s : tensor<?x{n}xf32>, tensor<?x{n}xf32>, tensor<?x{n}xf32>
}}
"""
# Outputs and inputs: panels that are full, almost empty, fewer than a pair; a
# slice of 256 and its neighbours; odd numbers of inputs, of which weights of bf16
# have two side by side. Types of weights and of what they are multiplied with.
CASES = [(40, 300, "f32", "f32"), (33, 256, "bf16", "f32"), (8, 1, "f16", "f32"),
         (24, 301, "bf16", "bf16"), (16, 1, "bf16", "bf16"), (37, 513, "bf16", "f32")]
ROWS = [0, 1, 15, 140]


def bits(value, dtype):
    if dtype == "f32":
        return struct.pack("<f", value)
    if dtype == "f16":
        return struct.pack("<e", value)
    # Eighths of small numbers are exact in bf16.
    return struct.pack("<f", value)[2:]


def npy(path, descr, shape, data):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data)


def write_weights(path, shapes, dtype, rng):
    header, data = {}, b""
    for name, shape in shapes.items():
        count = shape[0] * shape[1]
        part = b"".join(bits(rng.randint(-16, 16) / 8, dtype) for _ in range(count))
        header[name] = {"dtype": dtype.upper(), "shape": shape,
                        "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def rows_of(path, columns):
    data = path.read_bytes()
    data = data[10 + struct.unpack("<H", data[8:10])[0]:]
    return [data[i:i + 4 * columns] for i in range(0, len(data), 4 * columns)]


def lesser_cpus():
    """Processors with other kernels whose code this one can run."""
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return []
    found = re.search(r"^flags\s*:(.*)", text, re.MULTILINE)
    flags = set(found[1].split()) if found else set()
    needed = {"x86-64": {"sse2"}, "x86-64-v3": {"avx2", "fma", "bmi2", "f16c", "movbe"},
              "x86-64-v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}}
    return [cpu for cpu, features in needed.items() if features <= flags]


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(1)
    model, weights = folder / "m.mlir", folder / "w.safetensors"
    for n, k, dtype, activations in CASES:
        rounding = "tensor.cast" if activations == "f32" else "arith.truncf"
        model.write_text(MODEL.format(n=n, k=k, t=dtype, v=activations, round=rounding))
        shapes = {"a": [n, k], "b": [k, n]} | {f"e.{e}": [n, k] for e in range(3)}
        write_weights(weights, shapes, dtype, rng)
        x = [[rng.uniform(-1, 1) for _ in range(k)] for _ in range(max(ROWS))]
        # Expert 2 gets no token of the first ones, expert 0 all of them.
        chosen = [[0, -1 if t < 3 else 1 + t % 2] for t in range(max(ROWS))]
        alone = None
        for t in ROWS:
            npy(folder / "x.npy", "<f4", (t, k), b"".join(struct.pack(f"<{k}f", *r) for r in x[:t]))
            npy(folder / "i.npy", "<i8", (t, 2), b"".join(struct.pack("<2q", *r) for r in chosen[:t]))
            outputs = [folder / f"y{i}.npy" for i in range(3)]
            command = ["sluice-run", model, "--weights", weights, "--check",
                       "--tolerance=2e-6", "--input", folder / "x.npy", "--input",
                       folder / "i.npy"]
            for output in outputs:
                command += ["--output", output]
            # Inputs side by side, of which there is an odd number, on all machines.
            is_odd = dtype == "bf16" and k % 2 == 1 and k > 1
            for cpu in lesser_cpus() if is_odd and t == 15 else []:
                subprocess.run(command + [f"--cpu={cpu}"], check=True, stdout=subprocess.DEVNULL)
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            first = [rows_of(output, n)[:1] for output in outputs]
            if t == 1:
                alone = first
            assert t < 1 or first == alone, f"row 0 of {t} is not what it is alone"


main()
