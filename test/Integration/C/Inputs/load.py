# ===- load.py - Loads a compiled model at run time ------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Usage: load.py moe.so x.npy y.npy

Calls the model through dlopen on x and compares with y, both f32 [5, 8].
"""

import ctypes
import sys


class Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("dtype", ctypes.c_int),
        ("rank", ctypes.c_int32),
        ("shape", ctypes.c_int64 * 8),
        ("allocation", ctypes.c_void_p),
    ]


def contents(path):
    with open(path, "rb") as file:
        return file.read()[128:]


library = ctypes.CDLL(sys.argv[1])
error = ctypes.create_string_buffer(1024)
model = ctypes.c_void_p()
assert library.moe_load(None, ctypes.byref(model), error) == 0, error.value
data = ctypes.create_string_buffer(contents(sys.argv[2]))
x = Tensor(ctypes.addressof(data), 0, 2, (ctypes.c_int64 * 8)(5, 8), None)
y = Tensor()
failed = library.moe_moe(model, ctypes.byref(x), ctypes.byref(y), error)
assert not failed, error.value
assert ctypes.string_at(y.data, 160) == contents(sys.argv[3])
library.moe_free_tensor(ctypes.byref(y))
library.moe_free(model)
