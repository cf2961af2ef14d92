#!/usr/bin/env python3
# ===- declarations.py - The functions that C headers declare --------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Prints the names of the functions that the given headers declare, sorted."""

import re
import sys

names = []
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    # A type at the start of a line, a name, and its parameters.
    names += re.findall(r"^[a-z][^;{}()#]*?\b(sluice_\w+)\(", text, flags=re.M)
print("\n".join(sorted(names)))
