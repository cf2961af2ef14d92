#===- doubling-calls.py - Functions that call each other twice ------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Prints a model of 40 functions, each of which calls the one before it twice:
inlined, 2^40 ops. With the argument `body` an expert's body calls the last one.
"""

import sys

T = "tensor<?x2xf32>"
print(f"func.func private @f0(%x: {T}) -> {T} {{\n  %y = arith.addf %x, %x : {T}\n"
      f"  return %y : {T}\n}}")
for i in range(1, 40):
    print(f"func.func private @f{i}(%x: {T}) -> {T} {{")
    print(f"  %y = call @f{i - 1}(%x) : ({T}) -> {T}")
    print(f"  %z = call @f{i - 1}(%y) : ({T}) -> {T}")
    print(f"  return %z : {T}\n}}")
print(f"func.func @main(%x: {T}) -> {T} {{")
if sys.argv[1:] == ["body"]:
    gates = "!sluice.gates<?x2xf32, 1 per token>"
    print(f"  %g = sluice.topk %x, 1 : {T}\n  %y = sluice.experts by %g : {gates}\n"
          f"      (%t = %x : {T}) combine sum weight output -> {T} {{\n"
          f"    %o = func.call @f39(%t) : ({T}) -> {T}\n    sluice.yield %o : {T}\n  }}")
else:
    print(f"  %y = call @f39(%x) : ({T}) -> {T}")
print(f"  return %y : {T}\n}}")
