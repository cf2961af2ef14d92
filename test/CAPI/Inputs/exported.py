#!/usr/bin/env python3
# ===- exported.py - The names in llvm-nm's output --------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Prints the functions of llvm-nm's output without their symbol versions, which
are symbols, too, sorted."""

import re
import sys

names = (line.strip().partition("@") for line in sys.stdin)
print("\n".join(sorted(n for n, _, _ in names if not re.match(r"SLUICE_\d", n))))
