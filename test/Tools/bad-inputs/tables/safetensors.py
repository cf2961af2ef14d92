#===- safetensors.py - Weight files ---------------------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#

from .common import ENTRIES, WEIGHTS, bad, safetensors, tensor


def row(name, message, content, **more):
    """A file that is bad as such: for the run, compiled or not, and for the
    check ahead of time."""
    files = {"m.mlir": WEIGHTS, "w.safetensors": content}
    return bad("weights-" + name, "sluice-run m.mlir --weights w.safetensors --output a.npy "
               "--output b.npy --target={target}", message, files, **more)


def entries(**changed):
    return ENTRIES | {name.replace("_", "."): value for name, value in changed.items()}


def replaced(name, value):
    return safetensors(ENTRIES | {name: value})


def without(name):
    return {key: value for key, value in ENTRIES.items() if key != name}


F = "weight file 'w.safetensors': "

BYTES = """sluice.weight @b "b" : tensor<2xi8>
func.func @f() -> tensor<2xi8> {
  %b = sluice.get_weight @b : tensor<2xi8>
  return %b : tensor<2xi8>
}
"""

CASES = [
    row("empty-file",
        "sluice-run: error: cannot read weight file 'w.safetensors': the file is empty",
        b""),
    row("few-bytes",
        "sluice-run: error: weight file 'w.safetensors': expected the 8 bytes of a header's "
        "length but the file has 3 bytes",
        b"\x01\x02\x03"),
    row("length-only",
        "sluice-run: error: weight file 'w.safetensors': expected a header of at most 0 bytes "
        "but its length is given as 10 (is this a complete safetensors file?)",
        safetensors("", b"", length=10)),
    row("length-zero",
        "sluice-run: error: weight file 'w.safetensors': expected the header to be a JSON "
        "object that starts with '{' but it is empty",
        safetensors("", b"")),
    row("length-too-large",
        "sluice-run: error: weight file 'w.safetensors': expected a header of at most 240 "
        "bytes but its length is given as 1000 (is this a complete safetensors file?)",
        safetensors(ENTRIES, length=1000)),
    row("length-huge",
        "sluice-run: error: weight file 'w.safetensors': expected a header of at most 240 "
        "bytes but its length is given as 18446744073709551615 (is this a complete safetensors "
        "file?)",
        safetensors(ENTRIES, length=2**64 - 1)),
    row("length-overflow",
        "sluice-run: error: weight file 'w.safetensors': expected a header of at most 240 "
        "bytes but its length is given as 18446744073709551608 (is this a complete safetensors "
        "file?)",
        safetensors(ENTRIES, length=2**64 - 8)),
    row("length-short",
        "sluice-run: error: weight file 'w.safetensors': the header is not valid JSON: missing "
        "a closing quotation mark in string at byte 20 of the header",
        safetensors(ENTRIES, length=20)),
    row("not-safetensors",
        "sluice-run: error: weight file 'w.safetensors': expected a header of at most 60 bytes "
        "but its length is given as 457159344547234432 (is this a complete safetensors file?)",
        b"\x80\x02}q\x00(X\x06\x00\x00\x00weight" * 4),
    row("text",
        "sluice-run: error: weight file 'w.safetensors': expected a header of at most 40 bytes "
        "but its length is given as 8241904413164529780 (is this a complete safetensors file?)",
        b"these are no weights, but a text of some length\n"),
    row("truncated-data",
        "sluice-run: error: weight file 'w.safetensors': tensor 'experts.1.up' ends at byte 32 "
        "of the data, which has only 31 bytes (is the file complete?)",
        safetensors(ENTRIES, bytes(31))),
    row("no-data",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w' ends at byte 8 of the "
        "data, which has only 0 bytes (is the file complete?)",
        safetensors(ENTRIES, b"")),
    row("trailing-data",
        "sluice-run: error: weight file 'w.safetensors': the data has 33 bytes but the tensors "
        "end at byte 32",
        safetensors(ENTRIES, bytes(33))),
    row("overlap",
        "sluice-run: error: weight file 'w.safetensors': tensor 'experts.1.up' begins at byte "
        "16 of the data but 'experts.0.up' overlaps it up to byte 20",
        replaced("experts.1.up", tensor("F32", [3], 16, 28))),
    row("same-bytes",
        "sluice-run: error: weight file 'w.safetensors': tensor 'experts.1.up' begins at byte "
        "8 of the data but 'experts.0.up' overlaps it up to byte 20",
        replaced("experts.1.up", tensor("F32", [3], 8, 20))),
    row("gap",
        "sluice-run: error: weight file 'w.safetensors': tensor 'experts.1.up' begins at byte "
        "24 of the data but 'experts.0.up' leaves a gap from byte 20",
        safetensors(ENTRIES | {"experts.1.up": tensor("F32", [3], 24, 36)}, bytes(36))),
    row("gap-at-start",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w' begins at byte 8 of the "
        "data but the start of the data leaves a gap from byte 0",
        safetensors({"w": tensor("F32", [2], 8, 16)}, bytes(16))),
    row("duplicate-tensor", "sluice-run: error: weight file 'w.safetensors': duplicate tensor 'w'",
        safetensors(
        '{"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, '
        '"w": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]}}', bytes(16))),
    row("duplicate-member",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w': duplicate member 'dtype'",
        safetensors(
        '{"w": {"dtype": "F32", "dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}', bytes(8))),
    row("unknown-member",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w': unexpected member 'order'",
        replaced("w", tensor("F32", [2], 0, 8) | {"order": "C"})),
    row("no-dtype",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w': expected 'dtype' to be a "
        "string but it is missing",
        replaced("w", {"shape": [2], "data_offsets": [0, 8]})),
    row("no-shape",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w': expected 'shape' to be an "
        "array but it is missing",
        replaced("w", {"dtype": "F32", "data_offsets": [0, 8]})),
    row("no-offsets",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w': expected 'data_offsets' "
        "to be an array but it is missing",
        replaced("w", {"dtype": "F32", "shape": [2]})),
    row("dtype-number",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w': expected 'dtype' to be a "
        "string but got an integer",
        replaced("w", tensor(32, [2], 0, 8))),
    row("dtype-long",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w': expected 'dtype' to be "
        "the name of a type but got 'FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF'",
        replaced("w", tensor("F" * 40, [2], 0, 8))),
    row("dtype-unknown", (
        "sluice-run: error: weight @w: 'w.safetensors': tensor 'w': expected tensor<2xF32> but "
        "got tensor<2xF7>; declare the weight with the file's element type",
        "m.mlir:4:8: error: cannot load the weight '@w': 'w.safetensors': tensor 'w': expected "
        "tensor<2xF32> but got tensor<2xF7>; declare the weight with the file's element type"),
        replaced("w", tensor("F7", [2], 0, 8))),
    row("dtype-other", (
        "sluice-run: error: weight @w: 'w.safetensors': tensor 'w': expected tensor<2xF32> but "
        "got tensor<1xF64>; declare the weight with the file's element type",
        "m.mlir:4:8: error: cannot load the weight '@w': 'w.safetensors': tensor 'w': expected "
        "tensor<2xF32> but got tensor<1xF64>; declare the weight with the file's element type"),
        replaced("w", tensor("F64", [1], 0, 8))),
    row("dtype-bf16", (
        "sluice-run: error: weight @w: 'w.safetensors': tensor 'w': expected tensor<2xF32> but "
        "got tensor<4xBF16>; declare the weight with the file's element type",
        "m.mlir:4:8: error: cannot load the weight '@w': 'w.safetensors': tensor 'w': expected "
        "tensor<2xF32> but got tensor<4xBF16>; declare the weight with the file's element type"),
        replaced("w", tensor("BF16", [4], 0, 8))),
    row("shape-string",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w': expected 'shape' to be an "
        "array but got a string",
        replaced("w", tensor("F32", "2", 0, 8))),
    row("shape-negative",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w': expected the dimensions "
        "of 'shape' to be integers that are not negative but got -2",
        replaced("w", tensor("F32", [-2], 0, 8))),
    row("shape-fraction",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w': expected the dimensions "
        "of 'shape' to be integers that are not negative but got "
        "a number that is no 64-bit integer",
        replaced("w", tensor("F32", [2.0], 0, 8))),
    row("shape-huge",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w': the size of "
        "tensor<4611686018427387904x4xF32> does not fit in 63 bits",
        replaced("w", tensor("F32", [2**62, 4], 0, 8))),
    row("shape-overflow",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w': expected the dimensions "
        "of 'shape' to be integers that are not negative but got "
        "a number that is no 64-bit integer",
        safetensors(
        '{"w": {"dtype": "F32", "shape": [99999999999999999999], "data_offsets": [0, 8]}}',
            bytes(8))),
    row("shape-size",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w': tensor<3xF32> takes 12 "
        "bytes but 'data_offsets' give it 8",
        replaced("w", tensor("F32", [3], 0, 8))),
    row("shape-other", (
        "sluice-run: error: weight @w: 'w.safetensors': tensor 'w': expected tensor<2xF32> but "
        "got tensor<2x1xF32>; declare the weight with the file's shape",
        "m.mlir:4:8: error: cannot load the weight '@w': 'w.safetensors': tensor 'w': expected "
        "tensor<2xF32> but got tensor<2x1xF32>; declare the weight with the file's shape"),
        replaced("w", tensor("F32", [2, 1], 0, 8))),
    row("offsets-one",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w': expected 'data_offsets' "
        "to be two integers [begin, end] with 0 <= begin <= end but got [0]",
        replaced("w", {"dtype": "F32", "shape": [2], "data_offsets": [0]})),
    row("offsets-negative",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w': expected 'data_offsets' "
        "to be two integers [begin, end] with 0 <= begin <= end but got [-8, 0]",
        replaced("w", tensor("F32", [2], -8, 0))),
    row("offsets-reversed",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w': expected 'data_offsets' "
        "to be two integers [begin, end] with 0 <= begin <= end but got [8, 0]",
        replaced("w", tensor("F32", [2], 8, 0))),
    row("offsets-huge",
        "sluice-run: error: weight file 'w.safetensors': tensor 'experts.0.up' begins at byte "
        "8 of the data but the start of the data leaves a gap from byte 0",
        replaced("w", tensor("F32", [2], 2**62, 2**62 + 8))),
    row("offsets-float",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w': expected 'data_offsets' "
        "to be two integers [begin, end] with 0 <= begin <= end but got "
        "[0, a number that is no 64-bit integer]",
        replaced("w", tensor("F32", [2], 0, 8.5))),
    row("entry-no-object",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w': expected an object but "
        "got an array",
        replaced("w", [1, 2])),
    row("header-array",
        "sluice-run: error: weight file 'w.safetensors': expected the header to be a JSON "
        "object that starts with '{' but got '[{\"w\": {\"dtype\": \"F3'",
        safetensors([ENTRIES])),
    row("header-space",
        "sluice-run: error: weight file 'w.safetensors': expected the header to be a JSON "
        "object that starts with '{' but got '  {}'",
        safetensors(b"  {}", b"")),
    row("json-truncated",
        "sluice-run: error: weight file 'w.safetensors': the header is not valid JSON: missing "
        "a comma or ']' after an array element at byte 34 of the header",
        safetensors('{"w": {"dtype": "F32", "shape": [2', b"")),
    row("json-trailing",
        "sluice-run: error: weight file 'w.safetensors': the header is not valid JSON: the "
        "document root must not be followed by other values at byte 3 of the header",
        safetensors("{} {}", b"")),
    row("json-comma",
        "sluice-run: error: weight file 'w.safetensors': the header is not valid JSON: missing "
        "a name for object member at byte 8 of the header",
        safetensors('{"w": 1,}', b"")),
    row("json-nan",
        "sluice-run: error: weight file 'w.safetensors': the header is not valid JSON: invalid "
        "value at byte 6 of the header",
        safetensors('{"w": NaN}', b"")),
    row("json-depth",
        "sluice-run: error: weight file 'w.safetensors': the header is not valid JSON: "
        "expected at most 32 levels of nesting at byte 37 of the header",
        safetensors('{"w": ' + "[" * 100000, b"")),
    row("json-depth-objects",
        "sluice-run: error: weight file 'w.safetensors': the header is not valid JSON: "
        "expected at most 32 levels of nesting at byte 160 of the header",
        safetensors('{"w":' * 50000, b"")),
    row("json-escape",
        "sluice-run: error: weight file 'w.safetensors': the header is not valid JSON: invalid "
        "escape character in string at byte 2 of the header",
        safetensors(r'{"\x": 1}', b"")),
    row("json-surrogate",
        "sluice-run: error: weight file 'w.safetensors': the header is not valid JSON: the "
        "surrogate pair in string is invalid at byte 2 of the header",
        safetensors(r'{"\ud800": 1}', b"")),
    row("json-utf8",
        "sluice-run: error: weight file 'w.safetensors': the header is not valid JSON: invalid "
        "encoding in string at byte 2 of the header",
        safetensors(b'{"\xff\xfe": 1}', b"")),
    row("json-control",
        "sluice-run: error: weight file 'w.safetensors': the header is not valid JSON: invalid "
        "escape character in string at byte 3 of the header",
        safetensors(b'{"a\nb": 1}', b"")),
    row("json-nul",
        "sluice-run: error: weight file 'w.safetensors': the header is not valid JSON: invalid "
        "value at byte 6 of the header",
        safetensors(b'{"w": \x00}', b"")),
    row("name-nul",
        "sluice-run: error: weight file 'w.safetensors': tensor 'w?': its name contains a NUL",
        safetensors(r'{"w\u0000": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}', b"")),
    row("metadata-twice",
        "sluice-run: error: weight file 'w.safetensors': expected one '__metadata__', an object",
        safetensors(
        '{"__metadata__": {}, "__metadata__": {}}',
        b"")),
    row("metadata-string",
        "sluice-run: error: weight file 'w.safetensors': expected one '__metadata__', an object",
        safetensors('{"__metadata__": "pt"}', b"")),
    row("no-tensors", (
        "sluice-run: error: weight @w: 'w.safetensors': no tensor 'w' among the 0 tensors of "
        "the file",
        "m.mlir:4:8: error: cannot load the weight '@w': 'w.safetensors': no tensor 'w' among "
        "the 0 tensors of the file"), safetensors({}, b"")),
    row("missing-tensor", (
        "sluice-run: error: weight @w: 'w.safetensors': no tensor 'w' among the 3 tensors of "
        "the file; the closest name is 'weight'",
        "m.mlir:4:8: error: cannot load the weight '@w': 'w.safetensors': no tensor 'w' among "
        "the 3 tensors of the file; the closest name is 'weight'"), safetensors(
        {"weight": tensor("F32", [2], 0, 8), "experts.0.up": ENTRIES["experts.0.up"],
         "experts.1.up": ENTRIES["experts.1.up"]})),
    row("missing-expert", (
        "sluice-run: error: weight @up: 'w.safetensors': no tensor 'experts.1.up' among the 2 "
        "tensors of the file; the closest name is 'experts.0.up'",
        "m.mlir:5:9: error: cannot load the weight '@up': 'w.safetensors': no tensor "
        "'experts.1.up' among the 2 tensors of the file; the closest name is 'experts.0.up'"),
        safetensors(without("experts.1.up"), bytes(20))),
    row("expert-shape", (
        "sluice-run: error: weight @up: 'w.safetensors': tensor 'experts.1.up': expected "
        "tensor<3xF32> but got tensor<3x1xF32>; declare the weight with the file's shape",
        "m.mlir:5:9: error: cannot load the weight '@up': 'w.safetensors': tensor "
        "'experts.1.up': expected tensor<3xF32> but got tensor<3x1xF32>; declare the weight "
        "with the file's shape"), replaced("experts.1.up", tensor("F32", [3, 1], 20, 32))),
    row("expert-dtype", (
        "sluice-run: error: weight @up: 'w.safetensors': tensor 'experts.1.up': expected "
        "tensor<3xF32> but got tensor<3xI32>; declare the weight with the file's element type",
        "m.mlir:5:9: error: cannot load the weight '@up': 'w.safetensors': tensor "
        "'experts.1.up': expected tensor<3xF32> but got tensor<3xI32>; declare the weight with "
        "the file's element type"), replaced("experts.1.up", tensor("I32", [3], 20, 32))),
    row("stacked-already", (
        "sluice-run: error: weight @up: 'w.safetensors': no tensor 'experts.0.up' among the 2 "
        "tensors of the file; the closest name is 'experts.up'",
        "m.mlir:5:9: error: cannot load the weight '@up': 'w.safetensors': no tensor "
        "'experts.0.up' among the 2 tensors of the file; the closest name is 'experts.up'"),
        safetensors(
        {"w": ENTRIES["w"], "experts.up": tensor("F32", [2, 3], 8, 32)})),
    row("is-a-folder",
        "sluice-run: error: cannot read weight file 'w.safetensors': it is a directory",
        None),
    bad("weights-none", "sluice-run m.mlir --target={target}", (
        "sluice-run: error: model 'model' has 2 weights but no weight file was given; name the "
        "safetensors file that holds them",
        "m.mlir:4:8: error: expected a weights file for '@w' but none was given; give it with "
        "--weights"), {"m.mlir": WEIGHTS}),
    bad("weights-empty-name", "sluice-run m.mlir --weights= --target={target}", (
        "sluice-run: error: model 'model' has 2 weights but no weight file was given; name the "
        "safetensors file that holds them",
        "m.mlir:4:8: error: expected a weights file for '@w' but none was given; give it with "
        "--weights"), {"m.mlir": WEIGHTS}),
    bad("weights-vanished", "sluice-run m.mlir --weights none.safetensors --target={target}",
        "sluice-run: error: cannot read weight file 'none.safetensors': No such file or "
        "directory",
        {"m.mlir": WEIGHTS}),
    bad("weights-device", "sluice-run m.mlir --weights /dev/null --target={target}",
        "sluice-run: error: cannot read weight file '/dev/null': it is not a regular file",
        {"m.mlir": WEIGHTS}),
    bad("weights-through-file", "sluice-run m.mlir --weights m.mlir/w --target={target}",
        "sluice-run: error: cannot read weight file 'm.mlir/w': Not a directory",
        {"m.mlir": WEIGHTS}),
    bad("weights-bool", "sluice-run m.mlir --weights w.safetensors --target={target}", (
        "sluice-run: error: weight @b: 'w.safetensors': tensor 'b': expected tensor<2xI64> but "
        "got tensor<2xBOOL>; declare the weight with the file's element type",
        "m.mlir:3:8: error: cannot load the weight '@b': 'w.safetensors': tensor 'b': expected "
        "tensor<2xI64> but got tensor<2xBOOL>; declare the weight with the file's element type"),
        {"m.mlir": 'sluice.weight @b "b" : tensor<2xi64>\n'
                   "func.func @f() -> tensor<2xi64> {\n"
                   "  %b = sluice.get_weight @b : tensor<2xi64>\n"
                   "  return %b : tensor<2xi64>\n}\n",
         "w.safetensors": safetensors({"b": tensor("BOOL", [2], 0, 2)}, b"\x00\x01")}),
    # Bytes are taken from any type of bytes, but from no other.
    *(bad(f"weights-bytes-of-{dtype.lower()}",
          "sluice-run m.mlir --weights w.safetensors --target={target}", (
        "sluice-run: error: weight @b: 'w.safetensors': tensor 'b': expected tensor<2xI8> but "
        f"got tensor<{size}x{dtype}>; declare the weight with the file's element type",
        "m.mlir:3:8: error: cannot load the weight '@b': 'w.safetensors': tensor 'b': expected "
        f"tensor<2xI8> but got tensor<{size}x{dtype}>; declare the weight with the file's "
        "element type"),
        {"m.mlir": BYTES,
         "w.safetensors": safetensors({"b": tensor(dtype, [size], 0, 2)}, b"\x00\x01")})
      for dtype, size in (("BOOL", 2), ("F16", 1), ("F4", 4))),
    # Ahead of time, nothing may be written.
    bad("sluicec-weights-truncated", "sluicec m.mlir -o m.so --weights w.safetensors",
        "sluicec: error: weight file '{{.*}}/w.safetensors': tensor 'experts.1.up' ends at "
        "byte 32 of the data, which has only 31 bytes (is the file complete?)",
        {"m.mlir": WEIGHTS, "w.safetensors": safetensors(ENTRIES, bytes(31))}),
    bad("sluicec-weights-missing", "sluicec m.mlir -o m.so --weights w.safetensors",
        "sluicec: error: weight @up: '{{.*}}/w.safetensors': no tensor 'experts.1.up' among "
        "the 2 tensors of the file; the closest name is 'experts.0.up'",
        {"m.mlir": WEIGHTS, "w.safetensors": safetensors(without("experts.1.up"), bytes(20))}),
    bad("sluicec-weights-shape", "sluicec m.mlir --emit=obj -o m.o --weights w.safetensors",
        "sluicec: error: weight @w: '{{.*}}/w.safetensors': tensor 'w': expected tensor<2xF32> "
        "but got tensor<1x2xF32>; declare the weight with the file's shape",
        {"m.mlir": WEIGHTS, "w.safetensors": replaced("w", tensor("F32", [1, 2], 0, 8))}),
    bad("sluicec-weights-folder", "sluicec m.mlir --emit=asm -o m.s --weights .",
        "sluicec: error: cannot read weight file '{{.*}}/.': it is a directory",
        {"m.mlir": WEIGHTS}),
]
