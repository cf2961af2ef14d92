# ===- load.py - Says which code a compiled model chooses ------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Usage: load.py moe.so

Prints what moe_cpu and moe_load say.
"""

import ctypes
import sys

library = ctypes.CDLL(sys.argv[1])
library.moe_cpu.restype = ctypes.c_char_p
cpu = library.moe_cpu()
print("cpu:", cpu.decode() if cpu else None)
error = ctypes.create_string_buffer(1024)
model = ctypes.c_void_p()
if library.moe_load(None, ctypes.byref(model), error):
    print("error:", error.value.decode())
    sys.exit(1)
library.moe_free(model)
print("loaded")
