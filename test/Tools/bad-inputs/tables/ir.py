#===- ir.py - Models ------------------------------------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#

from .common import bad


def row(name, message, text, command="sluice-run m.mlir --target={target}", **more):
    return bad("ir-" + name, command, message, {"m.mlir": text}, **more)


def body(text, arguments="", results="", returned="", before=""):
    """A model whose only function has this body."""
    types = f" -> {results}" if results else ""
    value = f" {returned}" if returned else ""
    return f"{before}func.func @f({arguments}){types} {{\n  {text}\n  return{value}\n}}\n"


X = "%x: tensor<?x4xf32>"
G = "%g = sluice.topk %x, 2 : tensor<?x4xf32>"
GATES = "!sluice.gates<?x4xf32, 2 per token>"
EXPERTS = """%y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x4xf32>) combine sum weight output -> tensor<?x4xf32> {
    BODY
  }"""


def experts(text, before=""):
    return body(G + "\n  " + EXPERTS.replace("BODY", text), X, "tensor<?x4xf32>",
                "%y : tensor<?x4xf32>", before)


# What the parser and the verifiers refuse.
TEXTS = [
    row("empty", "sluice-run: error: the model has no public function", ""),
    row("blank", "sluice-run: error: the model has no public function", "\n\n  \n"),
    row("comment", "sluice-run: error: the model has no public function", "// nothing but this"),
    row("binary", "m.mlir:1:2: error: unexpected character", bytes(range(256)) * 8),
    row("utf8",
        "m.mlir:1:12: error: @ identifier expected to start with letter or '_'\nfunc.func "
        "@��() { return }",
        b"func.func @\xff\xfe() { return }\n"),
    row("bytecode-magic",
        "m.mlir:0:0: error: attempting to parse a byte at the end of the bytecode", b"ML\xefR"),
    row("bytecode-version",
        "m.mlir:0:0: error: bytecode version 63 is newer than the current version 6",
        b"ML\xefR\x7fMLIR\x00"),
    row("bytecode-garbage",
        "m.mlir:0:0: error: attempting to parse 449 bytes when only 192 remain\nm.mlir:0:0: "
        "note: in bytecode version 6 produced by: MLIR22",
        b"ML\xefR\x0dMLIR22\x00" + bytes(range(200))),
    row("elf", "m.mlir:1:1: error: unexpected character", b"\x7fELF\x02\x01\x01" + bytes(57)),
    row("unclosed", "m.mlir:2:9: error: expected operation name in quotes",
        "func.func @f() {\n  return\n"),
    row("unclosed-string", 'm.mlir:1:36: error: expected \'"\' in string literal',
        'sluice.weight @w "w : tensor<2xf32>\n'),
    row("unknown-op", "m.mlir:2:3: error: custom op 'sluice.top_k' is unknown",
        body("sluice.top_k")),
    row("unknown-dialect", (
        "m.mlir:2:3: error: compiled code cannot contain 'gpu.barrier'; expected functions, "
        "calls, and ops of arith, check, linalg, math, scf, sluice and tensor",
        "m.mlir:2:3: error: the interpreter does not know 'gpu.barrier'"),
        body('"gpu.barrier"() : () -> ()')),
    row("unknown-type", "m.mlir:1:26: error: unknown  type `gate` in dialect `sluice`",
        "func.func @f(%x: !sluice.gate<4>) { return }\n"),
    row("unknown-value", "m.mlir:2:20: error: use of undeclared SSA value name",
        body("%y = sluice.relu %x : tensor<2xf32>")),
    row("redefined-value",
        "m.mlir:3:3: error: redefinition of SSA value '%y'\nm.mlir:2:3: note: previously "
        "defined here",
        body("%y = sluice.relu %x : tensor<2xf32>\n"
                                     "  %y = sluice.relu %x : tensor<2xf32>", "%x: tensor<2xf32>")),
    row("redefined-symbol",
        "m.mlir:2:1: error: redefinition of symbol named 'f'\nm.mlir:1:1: note: see existing "
        "symbol definition here",
        "func.func @f() { return }\nfunc.func @f() { return }\n"),
    row("wrong-type",
        "m.mlir:2:20: error: use of value '%x' expects different type than prior uses: "
        "'tensor<3xf32>' vs 'tensor<2xf32>'\nm.mlir:1:14: note: prior use here",
        body("%y = sluice.relu %x : tensor<3xf32>", "%x: tensor<2xf32>")),
    row("wrong-element",
        "m.mlir:2:8: error: 'sluice.silu' op operand #0 must be a tensor of floats or gates, "
        "but got 'tensor<2xi64>'",
        body("%y = sluice.silu %x : tensor<2xi64>", "%x: tensor<2xi64>")),
    row("wrong-return",
        "m.mlir:2:3: error: type of return operand 0 ('tensor<2xf32>') doesn't match function "
        "result type ('tensor<3xf32>') in function @f",
        "func.func @f(%x: tensor<2xf32>) -> tensor<3xf32> {\n"
        "  return %x : tensor<2xf32>\n}\n"),
    row("no-terminator",
        "m.mlir:1:16: error: custom op 'func.func' expected non-empty function body",
        "func.func @f() {\n}\n"),
    row("literal",
        "m.mlir:2:23: error: inferred shape of elements literal ([2]) does not match type ([3])",
        body(
        "%c = arith.constant dense<[1.0, 2.0]> : tensor<3xf32>")),
    row("literal-type", "m.mlir:2:29: error: expected integer elements, but parsed floating-point",
        body(
        "%c = arith.constant dense<1.5> : tensor<3xi64>")),
    row("hex-literal",
        "m.mlir:2:23: error: elements hex data size is invalid for provided type: "
        "'tensor<3xf32>'",
        body(
        '%c = arith.constant dense<"0x0000"> : tensor<3xf32>')),
    row("integer-width", "m.mlir:2:23: error: integer constant out of range for attribute", body(
        "%c = arith.constant 99999999999999999999 : i64")),
    row("top-k-large",
        "m.mlir:2:8: error: expected k between 1 and 4, the number of experts, but got 5",
        body(
        "%g = sluice.topk %x, 5 : tensor<?x4xf32>",
        X)),
    row("top-k-zero",
        "m.mlir:2:8: error: expected k between 1 and 4, the number of experts, but got 0",
        body(
        "%g = sluice.topk %x, 0 : tensor<?x4xf32>",
        X)),
    row("top-k-negative",
        "m.mlir:2:8: error: expected k between 1 and 4, the number of experts, but got -1",
        body(
        "%g = sluice.topk %x, -1 : tensor<?x4xf32>",
        X)),
    row("top-k-rank",
        "m.mlir:2:8: error: expected the scores to be a matrix (tokens x experts) but got "
        "'tensor<4xf32>'",
        body("%g = sluice.topk %x, 1 : tensor<4xf32>", "%x: tensor<4xf32>")),
    row("experts-dynamic",
        "m.mlir:2:8: error: expected the scores to have a static number of experts (columns) "
        "but got 'tensor<?x?xf32>'",
        body(
        "%g = sluice.topk %x, 1 : tensor<?x?xf32>",
        "%x: tensor<?x?xf32>")),
    row("linear-sizes",
        "m.mlir:2:8: error: 'sluice.linear' op expected a weight of [out, in] with in = 4, the "
        "last dimension of the input, but got 'tensor<3x5xf32>' (layout out_in)",
        body(
        "%y = sluice.linear %x, %w : (tensor<?x4xf32>, tensor<3x5xf32>) -> tensor<?x3xf32>",
        X + ", %w: tensor<3x5xf32>")),
    row("split-uneven",
        "m.mlir:2:16: error: expected a number of parts that divides 4, the last dimension of "
        "'tensor<?x4xf32>', but got 3",
        body(
        "%a, %b, %c = sluice.split %x : tensor<?x4xf32> into 3",
        X)),
    row("gates-experts",
        "m.mlir:1:35: error: expected a static number of experts, at least 1, but got 0",
        "func.func private @f(!sluice.gates<?x0xf32>)\n"),
    row("gates-bound",
        "m.mlir:1:35: error: expected between 1 and 4 entries per token (there are 4 experts) "
        "but got 5",
        "func.func private @f(!sluice.gates<?x4xf32, 5 per token>)\n"),
    row("gates-huge", "m.mlir:1:38: error: invalid dimension",
        "func.func private @f(!sluice.gates<?x99999999999999999999xf32>)\n"),
    row("experts-yield",
        "m.mlir:5:18: error: use of value '%x' expects different type than prior uses: "
        "'tensor<?x5xf32>' vs 'tensor<?x4xf32>'\nm.mlir:1:14: note: prior use here",
        experts("sluice.yield %x : tensor<?x5xf32>")),
    row("experts-terminator",
        "m.mlir:3:8: error: 'sluice.experts' op expected a body that ends with sluice.yield",
        experts("%z = sluice.relu %t : tensor<?x4xf32>")),
    row("experts-capture", "m.mlir:5:25: error: use of undeclared SSA value name", experts(
        "%z = arith.addf %t, %nothing : tensor<?x4xf32>\n"
                                        "    sluice.yield %z : tensor<?x4xf32>")),
    row("yield-outside",
        "m.mlir:2:3: error: 'sluice.yield' op expects parent op to be one of 'sluice.experts, "
        "sluice.mixed_experts, sluice.grouped'",
        body("sluice.yield %x : tensor<?x4xf32>", X)),
    row("weight-dynamic",
        "m.mlir:1:1: error: 'sluice.weight' op expected a static shape, that of the stored "
        "tensor, but got 'tensor<?x4xf32>'",
        'sluice.weight @w "w" : tensor<?x4xf32>\n'),
    row("weight-element",
        "m.mlir:1:1: error: 'sluice.weight' op attribute 'type' failed to satisfy constraint: "
        "type attribute of ranked tensor of f16, bf16, f32, f64, i8, i32 or i64 values",
        'sluice.weight @w "w" : tensor<4xi16>\n'),
    row("weight-empty-name",
        "m.mlir:1:1: error: 'sluice.weight' op expected the name of a tensor in the weights "
        "file but got an empty name",
        'sluice.weight @w "" : tensor<4xf32>\n'),
    row("pattern-open",
        "m.mlir:1:1: error: 'sluice.weight' op expected a placeholder such as {e} or {e+8} at "
        "offset 8 of 'experts.{e.up'",
        'sluice.weight @w "experts.{e.up" : tensor<4xf32>\n'),
    row("pattern-close",
        "m.mlir:1:1: error: 'sluice.weight' op expected a placeholder such as {e} or {e+8} at "
        "offset 9 of 'experts.e}.up'",
        'sluice.weight @w "experts.e}.up" : tensor<4xf32>\n'),
    row("pattern-empty",
        "m.mlir:1:1: error: 'sluice.weight' op expected a placeholder such as {e} or {e+8} at "
        "offset 8 of 'experts.{}.up'",
        'sluice.weight @w "experts.{}.up" : tensor<4xf32>\n'),
    row("pattern-minus",
        "m.mlir:1:1: error: 'sluice.weight' op expected a placeholder such as {e} or {e+8} at "
        "offset 8 of 'experts.{e-1}.up'",
        'sluice.weight @w "experts.{e-1}.up" : tensor<4xf32>\n'),
    row("pattern-offset",
        "m.mlir:1:1: error: 'sluice.weight' op expected a placeholder such as {e} or {e+8} at "
        "offset 2 of 'e.{e+99999999999999999999}'",
        'sluice.weight @w "e.{e+99999999999999999999}" : tensor<4xf32>\n'),
    row("pattern-offset-sum",
        "m.mlir:1:1: error: 'sluice.weight' op expected a placeholder such as {e} or {e+8} at "
        "offset 2 of 'e.{e+9223372036854775807}'",
        'sluice.weight @w "e.{e+9223372036854775807}" : tensor<4xf32>\n'),
    row("pattern-nested",
        "m.mlir:1:1: error: 'sluice.weight' op expected a placeholder such as {e} or {e+8} at "
        "offset 2 of 'e.{{[{]}}{e}}'",
        'sluice.weight @w "e.{{e}}" : tensor<4xf32>\n'),
    row("pattern-twice",
        "m.mlir:1:1: error: 'sluice.weight' op placeholder {e} occurs twice in 'l.{e}.e.{e}': "
        "each one is a dimension of its own and needs its own name",
        'sluice.weight @w "l.{e}.e.{e}" : tensor<4x4xf32>\n'),
    row("pattern-rank",
        "m.mlir:1:1: error: 'sluice.weight' op expected at most 1 placeholders, one for each "
        "dimension of 'tensor<4xf32>', but 'l.{l}.e.{e}' has 2",
        'sluice.weight @w "l.{l}.e.{e}" : tensor<4xf32>\n'),
    row("weight-missing",
        "m.mlir:2:8: error: 'sluice.get_weight' op expected '@w' to name a sluice.weight of "
        "this module",
        body(
        "%w = sluice.get_weight @w : tensor<4xf32>")),
    row("weight-no-weight",
        "m.mlir:2:8: error: 'sluice.get_weight' op expected '@f' to name a sluice.weight of "
        "this module",
        body(
        "%w = sluice.get_weight @f : tensor<4xf32>")),
    row("weight-other-type",
        "m.mlir:3:8: error: 'sluice.get_weight' op expected the type of '@w', 'tensor<4xf32>', "
        "but got 'tensor<5xf32>'\nm.mlir:1:1: note: the weight is declared here",
        body(
        "%w = sluice.get_weight @w : tensor<5xf32>",
                                       before='sluice.weight @w "w" : tensor<4xf32>\n')),
    row("callee-missing",
        "m.mlir:2:3: error: 'func.call' op 'g' does not reference a valid function",
        body("call @g() : () -> ()")),
    row("callee-type", "m.mlir:3:3: error: 'func.call' op incorrect number of operands for callee",
        body("call @g(%x) : (tensor<?x4xf32>) -> ()", X,
                                 before="func.func private @g() { return }\n")),
    row("tolerance",
        "m.mlir:2:3: error: 'check.expect_close' op expected a tolerance that is finite and "
        "not negative but got -1.000000e+00",
        body(
        "check.expect_close %x, %x tolerance -1.0 : tensor<?x4xf32>",
        X)),
    row("array-of-index",
        "m.mlir:1:30: error: expected an array of i1, i8, i16, i32, i64, f32 or f64 but got "
        "one of index",
        "module attributes {a = array<index: 0>} {}\n"),
    row("group-empty",
        "m.mlir:2:32: error: expected a group of at least one dimension but got []",
        body("%y = tensor.expand_shape %x [[], [0, 1]] output_shape [1, 1] : tensor<?x4xf32> "
             "into tensor<1x1xf32>", X)),
    row("group-empty-attribute",
        "m.mlir:2:63: error: expected a group of at least one dimension but got []",
        body('%y = "tensor.collapse_shape"(%x) <{reassociation = [[0, 1], []]}> '
             ": (tensor<?x4xf32>) -> tensor<?xf32>", X)),
    row("dimensions-open",
        "m.mlir:2:88: error: expected a list of integers, such as [0, 1]",
        body("%s = linalg.reduce ins(%x : tensor<?x4xf32>) outs(%x : tensor<?x4xf32>) "
             "dimensions = 1] (%a: f32, %b: f32) { linalg.yield %a : f32 }", X)),
    row("dimensions-not-closed",
        "m.mlir:2:88: error: expected a list of integers, such as [0, 1]",
        body("%s = linalg.reduce ins(%x : tensor<?x4xf32>) outs(%x : tensor<?x4xf32>) "
             "dimensions = [1) (%a: f32, %b: f32) { linalg.yield %a : f32 }", X)),
    row("permutation-too-large",
        "m.mlir:2:92: error: expected a list of integers, such as [0, 1]",
        body("%s = linalg.transpose ins(%x : tensor<?x4xf32>) outs(%x : tensor<?x4xf32>) "
             "permutation = [1, 99999999999999999999]", X)),
    row("depth-regions", "m.mlir:2:3074: error: expected at most 256 levels of nesting",
        body("scf.if %c { " * 3000 + "} " * 3000, "%c: i1")),
    row("depth-types", "m.mlir:1:1558: error: expected at most 256 levels of nesting",
        "func.func private @f(" + "tuple<" * 20000 + ">" * 20000 + ")\n"),
    row("depth-attributes", "m.mlir:1:280: error: expected at most 256 levels of nesting",
        "module attributes {a = " + "[" * 20000 + "]" * 20000 + "} {}\n"),
    row("depth-minus", "m.mlir:1:312: error: expected at most 256 levels of nesting",
        "func.func private @f() attributes {a = affine_map<(d) -> ("
        + "-" * 100000 + "d)>}\n"),
    row("depth-open", "m.mlir:1:280: error: expected at most 256 levels of nesting",
        "module attributes {a = " + "[" * 200000),
]

# What is valid IR, but no model that can be run.
MODELS = [
    row("no-function", "sluice-run: error: the model has no public function", "module {}\n"),
    row("only-private", "sluice-run: error: the model has no public function",
        "func.func private @f() { return }\n"),
    row("only-weights", "sluice-run: error: the model has no public function",
        'sluice.weight @w "w" : tensor<4xf32>\n'),
    row("only-external",
        "m.mlir:1:1: error: 'func.func' op symbol declaration cannot have public visibility",
        "func.func @f()\n"),
    row("two-modules", "sluice-run: error: the model has no public function",
        "module {}\nmodule {}\n"),
    row("nested-module", "sluice-run: error: the model has no public function",
        "module @m {\n  module @n {\n    func.func @f() { return }\n  }\n}\n"),
    row("other-function", "sluice-run: error: the model has no public function",
        "llvm.func @f() { llvm.return }\n"),
    row("no-such-entry", "sluice-run: error: the model has no public function 'g'; it has f",
        "func.func @f() { return }\n",
        "sluice-run m.mlir --entry=g --target={target}"),
    row("private-entry", "sluice-run: error: the model has no public function 'g'; it has f",
        "func.func @f() { return }\nfunc.func private @g() { return }\n",
        "sluice-run m.mlir --entry=g --target={target}"),
    row("several-entries",
        "sluice-run: error: the model has several public functions; choose one by --entry: f, g",
        "func.func @f() { return }\nfunc.func @g() { return }\n",
        "sluice-run m.mlir --target={target}"),
]

CASES = TEXTS + MODELS
