#===- common.py - What the tables of bad inputs share ---------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#

import json
import struct

from driver import Case


def bad(name, command, message, files=None, **more):
    return Case(name, command, message, files or {}, **more)


def legal(name, command, files=None, message="", **more):
    return Case(name, command, message, files or {}, code=0, **more)


# Passes its input on: whatever is wrong is not the model.
SAME = """func.func @f(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  return %x : tensor<?x2xf32>
}
"""

# Two inputs whose numbers of rows must be equal.
ADD = """func.func @f(%x: tensor<?x2xf32>, %y: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %z = arith.addf %x, %y : tensor<?x2xf32>
  return %z : tensor<?x2xf32>
}
"""

# One plain weight and one that is stacked from two tensors.
WEIGHTS = """sluice.weight @w "w" : tensor<2xf32>
sluice.weight @up "experts.{e}.up" : tensor<2x3xf32>
func.func @f() -> (tensor<2xf32>, tensor<2x3xf32>) {
  %w = sluice.get_weight @w : tensor<2xf32>
  %up = sluice.get_weight @up : tensor<2x3xf32>
  return %w, %up : tensor<2xf32>, tensor<2x3xf32>
}
"""

NPY_LETTERS = {"<f4": "f", "<f8": "d", "<i4": "i", "<i8": "q", "|b1": "B", "<f2": "e", "<u2": "H",
               "|u1": "B"}


def npy_header(text, version=(1, 0), magic=b"\x93NUMPY"):
    """A file's beginning, with any text as its header."""
    text = text.encode("latin-1")
    length = struct.pack("<H" if version[0] == 1 else "<I", len(text))
    return magic + bytes(version) + length + text


def npy(shape, values, descr="<f4"):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {tuple(shape)}, }}\n"
    return npy_header(header) + struct.pack(f"<{len(values)}{NPY_LETTERS[descr]}", *values)


def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


# The header of a file for WEIGHTS, whose data has 32 bytes.
ENTRIES = {
    "w": tensor("F32", [2], 0, 8),
    "experts.0.up": tensor("F32", [3], 8, 20),
    "experts.1.up": tensor("F32", [3], 20, 32),
}


def safetensors(header, data=bytes(32), length=None):
    """A file with any header: an object for JSON, or its text or bytes."""
    if not isinstance(header, (str, bytes)):
        header = json.dumps(header)
    if isinstance(header, str):
        header = header.encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data
