#!/usr/bin/env python3
# ===- make-seeds.py - What fuzz targets start from ------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""usage: make-seeds.py NAME FOLDER

Writes seeds for the fuzz target NAME into FOLDER, small and the same each time:
files that the tests have, and a few made here.
"""

import json
import pathlib
import random
import re
import struct
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent


def safetensors(entries, metadata=None, pad=0):
    """entries: name -> (dtype, shape, bytes)."""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (dtype, shape, content) in entries.items():
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode() + b" " * pad
    return struct.pack("<Q", len(text)) + text + data


def safetensors_seeds():
    sizes = {"F32": 4, "F64": 8, "F16": 2, "BF16": 2, "I32": 4, "I64": 8,
             "BOOL": 1, "U8": 1, "F8_E4M3": 1, "I16": 2}
    yield safetensors({})
    yield safetensors({"x": ("F32", [], bytes(4))})
    yield safetensors({"x": ("F32", [0, 3], b"")}, {"format": "pt"})
    yield safetensors({d: (d, [2, 3], bytes(6 * n)) for d, n in sizes.items()})
    yield safetensors({f"experts.{e}.weight": ("F32", [2, 2], bytes(range(16)))
                       for e in range(3)}, {"format": "pt"}, pad=5)
    yield safetensors({f"l.{i}.e.{e}": ("BF16", [3], bytes(6))
                       for i in range(2) for e in range(2)})
    yield safetensors({"a\u00e9\"\\": ("I64", [1] * 8, bytes(8))})
    yield safetensors({"deep": ("F32", [1] * 12, bytes(4))})


def npy(descr, shape, data, fortran=False, version=1):
    header = repr({"descr": descr, "fortran_order": fortran, "shape": shape})
    length = 10 if version == 1 else 12
    header += " " * (-(len(header) + length + 1) % 64) + "\n"
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + size + header.encode() + data


def npy_seeds():
    for descr, size in (("<f4", 4), ("<f8", 8), ("<f2", 2), ("<i4", 4),
                        ("<i8", 8), ("|b1", 1), ("|V2", 2), ("<u2", 2),
                        (">f4", 4), ("<c8", 8), ("|u1", 1)):
        yield npy(descr, (2, 3), bytes(6 * size))
    yield npy("<f4", (), bytes(4))
    yield npy("<f4", (3,), bytes(12), version=2)
    yield npy("<f4", (3, 2), bytes(24), fortran=True, version=3)
    yield npy("<f4", (0, 5), b"")
    yield npy("<f4", (2,) * 9, bytes(4 * 512))
    for path in sorted((TESTS / "Integration/Models/Inputs").glob("*/*.npy")):
        if path.stat().st_size < 600:
            yield path.read_bytes()


def manifest_seeds():
    value = {"name": "x", "dtype": "f32", "shape": [-1, 2]}
    model = {
        "sluice_manifest": 1, "name": "model", "state_size": 75,
        "weights": [],
        "functions": [{"name": "moe", "inputs": [value, value],
                       "results": [{"name": "", "dtype": "i64", "shape": []}],
                       "weights": [],
                       "same_sizes": [{"input": 1, "dimension": 0,
                                       "earlier_input": 0,
                                       "earlier_dimension": 0}]}],
        "failures": [{"code": 1, "kind": "expect_close", "where": "f.mlir:1:3",
                      "tolerance": 1e-5},
                     {"code": 2, "kind": "bounds", "where": "g", "message":
                      "{index} {actual} {expected}"}],
        "counters": [{"function": "moe", "op": "experts#0", "where": "f:9:8",
                      "at": 8, "experts": 62, "multiply_adds_per_entry": 64,
                      "weight_bytes_per_expert": 251}],
    }
    yield json.dumps(model).encode()
    yield json.dumps(dict(model, weights=[
        {"symbol": "w", "tensor": "e.{e}", "dtype": "bf16",
         "shape": [4, 2]}])).encode()
    yield b'{"sluice_manifest": 1, "state_size": 0, "functions": []}'
    yield b'{"sluice_manifest": 1, "state_size": 8, "functions": [{"name": ' \
          b'"f", "inputs": [], "results": []}]}'


def call_seeds():
    yield bytes(64)
    yield bytes([2] * 96)
    generator = random.Random(1)
    for _ in range(12):
        yield bytes(generator.choice((0, 0, 0, 1, 2, 4, 8, 16, 32, 255,
                                      generator.randrange(256)))
                    for _ in range(200))


def ir_seeds():
    for path in sorted(TESTS.rglob("*.mlir")):
        text = path.read_text()
        # A case each; comments are for people and FileCheck.
        for part in re.split(r"^// -----.*$", text, flags=re.M):
            part = re.sub(r"^\s*//.*\n?", "", part, flags=re.M).strip()
            if part and len(part) < 6000:
                yield part.encode() + b"\n"


SEEDS = {"safetensors": safetensors_seeds, "npy": npy_seeds,
         "manifest": manifest_seeds, "call": call_seeds, "ir": ir_seeds}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in SEEDS:
        sys.exit(f"{__doc__}NAME is one of {', '.join(SEEDS)}")
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for i, seed in enumerate(SEEDS[sys.argv[1]]()):
        (folder / f"seed-{i:03}").write_bytes(seed)


if __name__ == "__main__":
    main()
