#===- legal.py - What only looks bad --------------------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#

import json
import math

from .common import ADD, ENTRIES, SAME, WEIGHTS, legal, npy, npy_header, safetensors, tensor
from .command_line import FILES, X
from .run_time import EXPERTS

NAN = b"\x00\x00\xc0\x7f"
BOTH = "sluice-run m.mlir --input x.npy --expect y.npy --target={target}"
LOAD = "sluice-run m.mlir --weights w.safetensors --output a.npy --output b.npy --target={target}"
AGREES = r"result 0 against y.npy: largest error 0 .*\n"


def weights(name, content):
    return legal("legal-" + name, LOAD, {"m.mlir": WEIGHTS, "w.safetensors": content},
                 creates=("a.npy", "b.npy"))


def same(name, x, y=None):
    return legal("legal-" + name, BOTH, {"m.mlir": SAME, "x.npy": x, "y.npy": y or x},
        stdout=AGREES)


CASES = [
    weights("nan-weights", safetensors(ENTRIES, NAN * 8)),
    weights("infinite-weights", safetensors(ENTRIES, b"\x00\x00\x80\x7f" * 8)),
    weights("metadata", safetensors({"__metadata__": {"format": "pt"}} | ENTRIES)),
    weights("header-padding", safetensors(json.dumps(ENTRIES) + "   ")),
    weights("more-tensors",
        safetensors(ENTRIES | {"z": tensor("F8_E4M3", [3], 32, 35)}, bytes(35))),
    weights("empty-tensor", safetensors(ENTRIES | {"z": tensor("F32", [0, 7], 32, 32)})),
    weights("unaligned-data", safetensors({"a": tensor("U8", [1], 0, 1)} | {
        name: entry | {"data_offsets": [o + 1 for o in entry["data_offsets"]]}
        for name, entry in ENTRIES.items()}, bytes(33))),
    same("nan-input", npy([1, 2], [math.nan, math.inf])),
    same("no-rows", npy([0, 2], [])),
    same("version-2",
        npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }",
            (2, 0)) + bytes(8),
         npy([1, 2], [0, 0])),
    same("fortran-row",
        npy_header("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }") + bytes(8),
         npy([1, 2], [0, 0])),
    legal("legal-nan-scores",
        "sluice-run m.mlir --input x.npy --input s.npy --output y.npy --target={target}",
          {"m.mlir": EXPERTS, "x.npy": X, "s.npy": npy([1, 3], [math.nan] * 3)},
          creates=("y.npy",)),
    legal("legal-two-to-null", "sluice-run m.mlir --input x.npy --input x.npy --output /dev/null "
          "--output /dev/null --target={target}",
          {"m.mlir": "func.func @f(%x: tensor<?x2xf32>, %y: tensor<?x2xf32>) "
                     "-> (tensor<?x2xf32>, tensor<?x2xf32>) {\n"
                     "  return %x, %y : tensor<?x2xf32>, tensor<?x2xf32>\n}\n", "x.npy": X}),
    legal("legal-same-input-twice",
        "sluice-run m.mlir --input x.npy --input x.npy --expect y.npy --target={target}",
          {"m.mlir": ADD, "x.npy": X, "y.npy": npy([1, 2], [2, 4])}, stdout=AGREES),
    legal("legal-crlf", "sluice-run m.mlir --input x.npy --expect x.npy --target={target}",
          {"m.mlir": SAME.replace("\n", "\r\n").encode(), "x.npy": X},
          stdout=r"result 0 against x.npy: .*\n"),
    legal("legal-stdin", "sluice-run - --input x.npy --output y.npy --target={target}",
        {"x.npy": X},
          stdin=SAME.encode(), creates=("y.npy",)),
    legal("legal-nesting", "sluice-run m.mlir --target={target}",
          {"m.mlir": "func.func @f() {\n  %c = arith.constant false\n  "
                     + "scf.if %c { " * 100 + "} " * 100 + "\n  return\n}\n"}),
    legal("legal-stdout", "sluicec m.mlir --emit=llvm -o -", FILES, stdout=".*define .*"),
]
