# ===- layers.py - A model of some layers, and how large its code is -------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Usage: layers.py write N > model.mlir
       layers.py weights N > weights.txt
       layers.py check 1.ll 2.ll 4.ll

`write` prints a model of N equal layers, `weights` what tensors.py makes its
weights of. `check` compares the code of 1, 2 and 4
layers in LLVM's language: what a layer adds is the same each time, and kernels
are there once.
"""

import re
import sys

WEIGHTS = """
sluice.weight @router{i} "l{i}.router" : tensor<8x64xf32>
sluice.weight @gate{i} "l{i}.{{e}}.gate" : tensor<8x48x64xf32>
sluice.weight @up{i} "l{i}.{{e}}.up" : tensor<8x48x64xf32>
sluice.weight @down{i} "l{i}.{{e}}.down" : tensor<8x64x48xf32>
"""
LAYER = """
  %wr{i} = sluice.get_weight @router{i} : tensor<8x64xf32>
  %wg{i} = sluice.get_weight @gate{i} : tensor<8x48x64xf32>
  %wu{i} = sluice.get_weight @up{i} : tensor<8x48x64xf32>
  %wd{i} = sluice.get_weight @down{i} : tensor<8x64x48xf32>
  %l{i} = sluice.linear %x{i}, %wr{i} : (tensor<?x64xf32>, tensor<8x64xf32>) -> tensor<?x8xf32>
  %p{i} = sluice.softmax %l{i} : tensor<?x8xf32>
  %g{i} = sluice.topk %p{i}, 2 : tensor<?x8xf32>
  %x{next} = sluice.experts by %g{i} : !sluice.gates<?x8xf32, 2 per token>
      (%t = %x{i} : tensor<?x64xf32>)
      with (%a = %wg{i} : tensor<8x48x64xf32>, %b = %wu{i} : tensor<8x48x64xf32>,
            %d = %wd{i} : tensor<8x64x48xf32>)
      combine sum weight output -> tensor<?x64xf32> {{
    %h = sluice.linear %t, %a : (tensor<?x64xf32>, tensor<48x64xf32>) -> tensor<?x48xf32>
    %u = sluice.linear %t, %b : (tensor<?x64xf32>, tensor<48x64xf32>) -> tensor<?x48xf32>
    %s = sluice.silu %h : tensor<?x48xf32>
    %m = arith.mulf %s, %u : tensor<?x48xf32>
    %o = sluice.linear %m, %d : (tensor<?x48xf32>, tensor<64x48xf32>) -> tensor<?x64xf32>
    sluice.yield %o : tensor<?x64xf32>
  }}
"""


def write(layers):
    for i in range(layers):
        print(WEIGHTS.format(i=i))
    print("func.func @model(%x0: tensor<?x64xf32>) -> tensor<?x64xf32> {")
    for i in range(layers):
        print(LAYER.format(i=i, next=i + 1))
    print(f"  return %x{layers} : tensor<?x64xf32>\n}}")


def weights(layers):
    for i in range(layers):
        print(f"l{i}.router=f32:8x64:mix")
        for e in range(8):
            print(f"l{i}.{e}.gate=f32:48x64:{0.1 * (e + 1)},-0.2,0.3,0.1,-0.5")
            print(f"l{i}.{e}.up=f32:48x64:-0.1,{0.2 * (e + 1)},0.3")
            print(f"l{i}.{e}.down=f32:64x48:0.1,{0.02 * (e - 4)},-0.05,0.03,0.2,-0.1,0.05")


def measure(path):
    """The number of instructions outside of kernels, and the kernels' names."""
    instructions, kernels, function = 0, [], None
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("define"):
                function = re.search(r"@([^(]+)\(", line).group(1).strip('"')
                if function.startswith("__sluice_product_"):
                    kernels.append(function)
            elif line.startswith("  ") and not function.startswith("__sluice_product_"):
                instructions += 1
    return instructions, kernels


def check(one, two, four):
    (one, kernels), (two, kernels2), (four, kernels4) = map(measure, (one, two, four))
    print(f"{one}, {two}, {four} instructions, {len(kernels)} kernels")
    assert kernels and sorted(kernels) == sorted(kernels2) == sorted(kernels4)
    # The second layer costs no more than the first; two later ones no more than
    # twice as much: LLVM may fold a little more or less at the edges, and unrolls
    # less in a long function.
    step = two - one
    assert 0 < step <= one, step
    assert step <= four - two <= 2.2 * step, (step, four - two)


if sys.argv[1] == "write":
    write(int(sys.argv[2]))
elif sys.argv[1] == "weights":
    weights(int(sys.argv[2]))
else:
    check(*sys.argv[2:])
