# ===- weight_files.py - Weight files of the integration tests -------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Reads and writes safetensors files with numpy."""

import json
import struct
import sys

import numpy

# numpy has no bf16: its bits are in uint16.
DTYPES = {"float32": "F32", "float16": "F16", "uint16": "BF16", "int8": "I8", "uint8": "U8"}


def write_safetensors(path, tensors):
    """Arrays, or pairs of an array and the name of its type in the file."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        array, dtype = tensor if isinstance(tensor, tuple) else (tensor, None)
        begin, data = len(data), data + array.tobytes()
        header[name] = {"dtype": dtype or DTYPES[array.dtype.name],
                        "shape": list(array.shape), "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def read_safetensors(path):
    """The arrays of a file of F32."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    tensors = {}
    for name, tensor in header.items():
        if tensor["dtype"] != "F32":
            sys.exit(f"error: expected F32 but got {tensor['dtype']}: {name}")
        begin, end = (8 + size + n for n in tensor["data_offsets"])
        tensors[name] = numpy.frombuffer(data[begin:end], "<f4").reshape(tensor["shape"])
    return tensors
