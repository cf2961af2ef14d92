#===- npy.py - Tensor files -----------------------------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#

import struct

from .common import SAME, bad, npy, npy_header


def row(name, message, content, model=SAME, **more):
    return bad("npy-" + name, "sluice-run m.mlir --input x.npy --output y.npy --target={target}",
               message, {"m.mlir": model, "x.npy": content}, **more)


def dictionary(shape="(1, 2)", descr="'<f4'", order="False", more=""):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, {more}}}\n"


def headed(text, data=bytes(8), **more):
    return npy_header(text, **more) + data


def one(type):
    return f"func.func @f(%x: {type}) -> {type} {{\n  return %x : {type}\n}}\n"


GOOD = npy([1, 2], [1, 2])

CASES = [
    row("empty",
        "sluice-run: error: 'x.npy': it is no .npy file: expected it to begin with "
        "'\\x93NUMPY' and a version",
        b""),
    row("magic",
        "sluice-run: error: 'x.npy': it is no .npy file: expected it to begin with "
        "'\\x93NUMPY' and a version",
        b"\x93NUMPX" + GOOD[6:]),
    row("magic-only",
        "sluice-run: error: 'x.npy': it is no .npy file: expected it to begin with "
        "'\\x93NUMPY' and a version",
        GOOD[:6]),
    row("version-0", "sluice-run: error: 'x.npy': expected version 1.0, 2.0 or 3.0 but got 0.0",
        headed(dictionary(), version=(0, 0))),
    row("version-4", "sluice-run: error: 'x.npy': expected version 1.0, 2.0 or 3.0 but got 4.0",
        headed(dictionary(), version=(4, 0))),
    row("version-minor", "sluice-run: error: 'x.npy': expected version 1.0, 2.0 or 3.0 but got 1.7",
        headed(dictionary(), version=(1, 7))),
    row("length-cut", "sluice-run: error: 'x.npy': the file ends within the header's length",
        b"\x93NUMPY\x02\x00\x10\x00"),
    row("header-cut",
        "sluice-run: error: 'x.npy': expected a header of 60 bytes but the file has only 30 "
        "more",
        GOOD[:40]),
    row("header-length-huge",
        "sluice-run: error: 'x.npy': expected a header of 4294967295 bytes but the file has "
        "only 100 more",
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(100)),
    row("header-empty",
        "sluice-run: error: 'x.npy': expected a dictionary but got '' in the header", headed("")),
    row("header-binary",
        "sluice-run: error: 'x.npy': expected a dictionary but got '????[31m' in the header",
        headed("\x00\x01\xff\x1b[31m")),
    row("header-unclosed",
        "sluice-run: error: 'x.npy': expected ',' or '}' but got '' in the header",
        headed("{'descr': '<f4'")),
    row("header-trailing",
        "sluice-run: error: 'x.npy': expected the end of the header but got 'x' in the header",
        headed(dictionary() + "x")),
    row("header-key-missing",
        "sluice-run: error: 'x.npy': expected the keys 'descr', 'fortran_order' and 'shape' in "
        "the header"
        " but 'fortran_order' is missing",
        headed("{'descr': '<f4', 'shape': (1, 2)}")),
    row("header-key-unknown", "sluice-run: error: 'x.npy': unexpected key 'order' in the header",
        headed(dictionary(more="'order': 1"))),
    row("header-key-twice", "sluice-run: error: 'x.npy': duplicate key 'shape' in the header",
        headed(dictionary(more="'shape': (2, 1)"))),
    row("header-string-open",
        "sluice-run: error: 'x.npy': expected a string but got 'descr' in the header",
        headed("{'descr")),
    row("header-no-colon",
        "sluice-run: error: 'x.npy': expected ':' but got ''<f4'}' in the header",
        headed("{'descr' '<f4'}")),
    row("fortran",
        "sluice-run: error: 'x.npy': expected C order but got Fortran order; save "
        "numpy.ascontiguousarray(x) instead",
        npy_header(dictionary("(2, 2)", order="True")) + bytes(16)),
    row("order-word",
        "sluice-run: error: 'x.npy': expected True or False but got 'Maybe, 'shape': (1, ' in "
        "the header",
        headed(dictionary(order="Maybe"))),
    row("big-endian",
        "sluice-run: error: 'x.npy': expected little-endian data but got '>f4'; convert it "
        "with x.astype('<f4')",
        headed(dictionary(descr="'>f4'"))),
    row("object",
        "sluice-run: error: 'x.npy': expected an element type f32, f64, f16, i8, i32, i64, bool, "
        "or bf16 as '<u2', but got '|O'",
        headed(dictionary(descr="'|O'"))),
    row("structured",
        "sluice-run: error: 'x.npy': expected a plain element type, not a structured one, but "
        "got '[('a', '<f4')], 'for' in the header",
        headed(dictionary(descr="[('a', '<f4')]"))),
    row("complex",
        "sluice-run: error: 'x.npy': expected an element type f32, f64, f16, i8, i32, i64, bool, "
        "or bf16 as '<u2', but got '<c8'",
        headed(dictionary(descr="'<c8'"))),
    row("string",
        "sluice-run: error: 'x.npy': expected an element type f32, f64, f16, i8, i32, i64, bool, "
        "or bf16 as '<u2', but got '<U3'",
        headed(dictionary(descr="'<U3'"))),
    row("descr-number",
        "sluice-run: error: 'x.npy': expected a string but got '4, 'fortran_order': ' in the "
        "header",
        headed(dictionary(descr="4"))),
    row("truncated",
        "sluice-run: error: 'x.npy': expected 2 elements of 4 bytes for tensor<1x2xf32> but "
        "got 7 bytes of data",
        GOOD[:-1]),
    row("truncated-element",
        "sluice-run: error: 'x.npy': expected 2 elements of 4 bytes for tensor<1x2xf32> but "
        "got 4 bytes of data",
        GOOD[:-4]),
    row("no-data",
        "sluice-run: error: 'x.npy': expected 2 elements of 4 bytes for tensor<1x2xf32> but "
        "got 0 bytes of data",
        headed(dictionary(), b"")),
    row("trailing",
        "sluice-run: error: 'x.npy': expected 2 elements of 4 bytes for tensor<1x2xf32> but "
        "got 9 bytes of data",
        GOOD + b"\n"),
    row("trailing-element",
        "sluice-run: error: 'x.npy': expected 2 elements of 4 bytes for tensor<1x2xf32> but "
        "got 12 bytes of data",
        GOOD + bytes(4)),
    row("shape-negative",
        "sluice-run: error: 'x.npy': expected a dimension of 0 or more and below 2^63 "
        "but got '-1, 2), }' in "
        "the header",
        headed(dictionary("(-1, 2)"))),
    row("shape-float",
        "sluice-run: error: 'x.npy': expected ',' or ')' but got '.0, 2), }' in the header",
        headed(dictionary("(1.0, 2)"))),
    row("shape-list",
        "sluice-run: error: 'x.npy': expected a shape such as (3, 4) but got '[1, 2], }' in "
        "the header",
        headed(dictionary("[1, 2]"))),
    row("shape-open", "sluice-run: error: 'x.npy': expected ',' or ')' but got '' in the header",
        headed(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2")),
    row("shape-huge",
        "sluice-run: error: 'x.npy': the number of elements does not fit in 63 bits: "
        "4611686018427387904x2",
        headed(dictionary("(4611686018427387904, 2)"))),
    row("shape-product",
        "sluice-run: error: 'x.npy': the number of elements does not fit in 63 bits: "
        "4294967296x4294967296",
        headed(dictionary("(4294967296, 4294967296)"))),
    row("shape-digits",
        "sluice-run: error: 'x.npy': expected a dimension of 0 or more and below 2^63 but got "
        "'99999999999999999999' in the header",
        headed(dictionary("(99999999999999999999, 2)"))),
    row("shape-memory",
        "sluice-run: error: 'x.npy': expected 2000000000000 elements of 4 bytes for "
        "tensor<1000000000000x2xf32> but got 8 bytes of data",
        headed(dictionary("(1000000000000, 2)"))),
    row("dtype-f64", "sluice-run: error: 'x.npy': expected elements of f32 ('<f4') but got '<f8'",
        npy([1, 2], [1, 2], "<f8")),
    row("dtype-i64", "sluice-run: error: 'x.npy': expected elements of f32 ('<f4') but got '<i8'",
        npy([1, 2], [1, 2], "<i8")),
    row("dtype-i32-for-i64",
        "sluice-run: error: 'x.npy': expected elements of i64 ('<i8') but got '<i4'",
        npy([2], [1, 2], "<i4"), one("tensor<2xi64>")),
    row("dtype-u2-for-f16",
        "sluice-run: error: 'x.npy': expected elements of f16 ('<f2') but got '<u2'",
        npy([2], [1, 2], "<u2"), one("tensor<2xf16>")),
    row("dtype-f16-for-bf16",
        "sluice-run: error: 'x.npy': expected elements of bf16 ('<u2') but got '<f2'",
        npy([2], [1, 2], "<f2"), one("tensor<2xbf16>")),
    row("bool-2", "sluice-run: error: 'x.npy': expected booleans of 0 or 1 but element 1 is 2",
        npy([2], [1, 2], "|b1"), one("tensor<2xi1>")),
    row("rank-1", (
        "sluice-run: error: f: input 0: expected tensor<?x2xf32> but got tensor<2xf32>; the "
        "rank must be 2",
        "m.mlir:1:1: error: expected 'tensor<?x2xf32>' for input #0 of 'f' but got "
        "tensor<2xf32>"), npy([2], [1, 2])),
    row("rank-0", (
        "sluice-run: error: f: input 0: expected tensor<?x2xf32> but got tensor<f32>; the rank "
        "must be 2",
        "m.mlir:1:1: error: expected 'tensor<?x2xf32>' for input #0 of 'f' but got tensor<f32>"),
        npy([], [1])),
    row("rank-3", (
        "sluice-run: error: f: input 0: expected tensor<?x2xf32> but got tensor<1x1x2xf32>; "
        "the rank must be 2",
        "m.mlir:1:1: error: expected 'tensor<?x2xf32>' for input #0 of 'f' but got "
        "tensor<1x1x2xf32>"), npy([1, 1, 2], [1, 2])),
    row("size", (
        "sluice-run: error: f: input 0: expected tensor<?x2xf32> but got tensor<2x1xf32>; "
        "dimension 1 must be 2",
        "m.mlir:1:1: error: expected 'tensor<?x2xf32>' for input #0 of 'f' but got "
        "tensor<2x1xf32>"), npy([2, 1], [1, 2])),
    row("size-zero", (
        "sluice-run: error: f: input 0: expected tensor<?x2xf32> but got tensor<2x0xf32>; "
        "dimension 1 must be 2",
        "m.mlir:1:1: error: expected 'tensor<?x2xf32>' for input #0 of 'f' but got "
        "tensor<2x0xf32>"), npy([2, 0], [])),
    row("rank-64", (
        "sluice-run: error: f: input 0: expected at most 8 dimensions but got "
        "tensor<{{(1x)*}}f32>",
        "m.mlir:1:1: error: expected 'tensor<?x2xf32>' for input #0 of 'f' but got "
        "tensor<{{(1x)*}}f32>"), headed(dictionary("(" + "1, " * 64 + ")"), bytes(4))),
    row("is-a-folder", "sluice-run: error: cannot read 'x.npy': Is a directory", None),
    row("expected-size", "sluice-run: error: expected 0 --outputs, one per result of @f, but got 1",
        GOOD,
        "func.func @f(%x: tensor<3x2xf32>) { return }\n")
]
