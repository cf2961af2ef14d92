#===- tensors.py - Makes .npy and .safetensors files for tests ------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Usage: tensors.py NAME=DTYPE:SHAPE:VALUES ... FILE

With FILE ending in .npy there is one tensor, whose name is ignored; otherwise
FILE becomes a safetensors file. DTYPE is f32, f64, bf16 (of which only the bits
are written), i32, i64 or bool; SHAPE is 2x3, or empty for rank 0; VALUES are
separated by commas and repeated as often as needed. @PATH stands for the
arguments in a file, one on each line. `ramp` counts 0, 0.125, ...;
`mix` is a fixed sequence between -1 and 1.

Needs no package, so that tests run wherever the project builds.
"""

import itertools
import json
import struct
import sys

# Letter for struct, NumPy's name, safetensors' name.
DTYPES = {
    "f32": ("f", "<f4", "F32"),
    "f64": ("d", "<f8", "F64"),
    "bf16": ("H", "<u2", "BF16"),
    "i32": ("i", "<i4", "I32"),
    "i64": ("q", "<i8", "I64"),
    "bool": ("?", "|b1", "BOOL"),
}


def mix():
    state = 12345
    while True:
        state = (state * 1103515245 + 12345) % 2**31
        yield state / 2**30 - 1


def values(text, dtype):
    if text == "ramp":
        return (i / 8 for i in itertools.count())
    if text == "mix":
        return mix()
    read = float if dtype[0] == "f" else int
    return itertools.cycle([read(v) for v in text.split(",")])


def tensor(text):
    name, _, rest = text.partition("=")
    dtype, shape, content = rest.split(":")
    dims = [int(d) for d in shape.split("x")] if shape else []
    count = 1
    for d in dims:
        count *= d
    letter = DTYPES[dtype][0]
    numbers = list(itertools.islice(values(content, dtype), count))
    return name, dtype, dims, struct.pack(f"<{count}{letter}", *numbers)


def npy(dtype, dims, data):
    # Spelled as NumPy does: a test may compare files.
    header = f"{{'descr': '{DTYPES[dtype][1]}', 'fortran_order': False, 'shape': {tuple(dims)}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def safetensors(tensors):
    header, offset = {}, 0
    for name, dtype, dims, data in tensors:
        header[name] = {
            "dtype": DTYPES[dtype][2],
            "shape": dims,
            "data_offsets": [offset, offset + len(data)],
        }
        offset += len(data)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + b"".join(t[3] for t in tensors)


def main():
    *texts, path = sys.argv[1:]
    lines = []
    for text in texts:
        if text.startswith("@"):
            with open(text[1:]) as file:
                lines += file.read().split()
        else:
            lines.append(text)
    tensors = [tensor(line) for line in lines]
    if path.endswith(".npy"):
        (_, dtype, dims, data), = tensors
        content = npy(dtype, dims, data)
    else:
        content = safetensors(tensors)
    with open(path, "wb") as file:
        file.write(content)


main()
