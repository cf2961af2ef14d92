#===- compiled.py - Models that one way of running refuses ----------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#

from .common import bad, npy
from .ir import body, experts, row


def function(arguments, results="", returned="", text=""):
    value = f" {returned}" if returned else ""
    return f"func.func @f({arguments}){results} {{\n  {text}\n  return{value}\n}}\n"


def ahead(name, message, text, options="-o m.so"):
    return bad("sluicec-" + name, "sluicec m.mlir " + options, message, {"m.mlir": text})


def compiled(name, message, text):
    """What the interpreter can do all the same."""
    return row(name, message, text, "sluice-run m.mlir --target=cpu")


def with_input(name, message, text):
    return bad("ir-" + name, "sluice-run m.mlir --input x.npy --target={target}", message,
               {"m.mlir": text, "x.npy": npy([1, 4], [1, 2, 3, 4])})


GATES = "!sluice.gates<?x4xf32, 2 per token>"
GATES_MODEL = (f"func.func @f(%x: tensor<?x4xf32>) -> {GATES} {{\n"
               f"  %g = sluice.topk %x, 2 : tensor<?x4xf32>\n  return %g : {GATES}\n}}\n")
# Runs without inputs, so that what it does is all that can fail.
ZERO = "%z = arith.constant dense<0.0> : tensor<2x4xf32>"
LOOP = """func.func @f() {
  %c = arith.constant true
  cf.br ^next
^next:
  cf.cond_br %c, ^end, ^next
^end:
  return
}
"""

CASES = [
    row("gates-result", (
        "m.mlir:1:1: error: expected result 0 of public function 'f' to be a tensor but got "
        "'!sluice.gates<2x4xf32, 2 per token>'; give its entries instead (sluice.entries)",
        "m.mlir:1:1: error: the interpreter cannot pass '!sluice.gates<2x4xf32, 2 per token>', "
        "the type of result #0 of 'f'; expected f16, bf16, f32, f64, i1, i8, i32, i64, index or a "
        "ranked tensor of these"), body(ZERO +
        "\n  %g = sluice.topk %z, 2 : tensor<2x4xf32>",
                                  results="!sluice.gates<2x4xf32, 2 per token>",
                                  returned="%g : !sluice.gates<2x4xf32, 2 per token>")),
    with_input("gates-argument", (
        "m.mlir:1:1: error: expected argument 0 of public function 'f' to be a tensor but got "
        "'!sluice.gates<?x4xf32, 2 per token>'; give its entries instead (sluice.entries)",
        "m.mlir:1:1: error: the interpreter cannot pass '!sluice.gates<?x4xf32, 2 per token>', "
        "the type of argument #0 of 'f'; expected f16, bf16, f32, f64, i1, i8, i32, i64, index or "
        "a ranked tensor of these"), function(f"%g: {GATES}")),
    with_input("memref-argument", (
        "m.mlir:1:1: error: expected argument 0 of public function 'f' to be a ranked tensor "
        "of f16, bf16, f32, f64, i1, i8, i32 or i64 but got 'memref<4xf32>'",
        "m.mlir:1:1: error: the interpreter cannot pass 'memref<4xf32>', the type of argument "
        "#0 of 'f'; expected f16, bf16, f32, f64, i1, i8, i32, i64, index or a ranked tensor of "
        "these"), function("%m: memref<4xf32>")),
    with_input("scalar-argument", (
        "m.mlir:1:1: error: expected argument 0 of public function 'f' to be a ranked tensor "
        "of f16, bf16, f32, f64, i1, i8, i32 or i64 but got 'i16'",
        "m.mlir:1:1: error: the interpreter cannot pass 'i16', the type of argument #0 of 'f'; "
        "expected f16, bf16, f32, f64, i1, i8, i32, i64, index or a ranked tensor of these"),
        function("%i: i16")),
    with_input("complex-argument", (
        "m.mlir:1:1: error: expected argument 0 of public function 'f' to be a ranked tensor "
        "of f16, bf16, f32, f64, i1, i8, i32 or i64 but got 'tensor<2xcomplex<f32>>'",
        "m.mlir:1:1: error: the interpreter cannot pass 'tensor<2xcomplex<f32>>', the type of "
        "argument #0 of 'f'; expected f16, bf16, f32, f64, i1, i8, i32, i64, index or a ranked "
        "tensor of these"), function("%c: tensor<2xcomplex<f32>>")),
    with_input("recursion-in-expert", (
        "m.mlir:5:10: error: expected functions that do not call themselves, directly or "
        "through others, but got a call of 'f' within itself",
        "m.mlir:5:10: error: expected at most 200 function calls within each other; 'f' may "
        "call itself without end"), experts(
        "%z = func.call @f(%t) : (tensor<?x4xf32>) -> tensor<?x4xf32>\n"
        "    sluice.yield %z : tensor<?x4xf32>")),
    row("memref-inside", (
        "m.mlir:2:8: error: compiled code cannot contain 'memref.alloc'; expected functions, "
        "calls, and ops of arith, check, linalg, math, scf, sluice and tensor",
        "m.mlir:2:8: error: the interpreter does not know 'memref.alloc'"),
        body("%m = memref.alloc() : memref<4xf32>")),
    row("scalar-result", (
        "m.mlir:1:1: error: expected result 0 of public function 'f' to be a ranked tensor of "
        "f16, bf16, f32, f64, i1, i8, i32 or i64 but got 'i16'",
        "m.mlir:1:1: error: the interpreter cannot pass 'i16', the type of result #0 of 'f'; "
        "expected f16, bf16, f32, f64, i1, i8, i32, i64, index or a ranked tensor of these"),
        body("%i = arith.constant 1 : i16", results="i16", returned="%i : i16")),
    compiled("index-result",
        "m.mlir:1:1: error: expected result 0 of public function 'f' to be a ranked tensor of "
        "f16, bf16, f32, f64, i1, i8, i32 or i64 but got 'tensor<2xindex>'",
        body(
        "%i = arith.constant dense<1> : tensor<2xindex>",
        results="tensor<2xindex>",
                                  returned="%i : tensor<2xindex>")),
    row("i16-result", (
        "m.mlir:1:1: error: expected result 0 of public function 'f' to be a ranked tensor of "
        "f16, bf16, f32, f64, i1, i8, i32 or i64 but got 'tensor<2xi16>'",
        "m.mlir:1:1: error: the interpreter cannot pass 'tensor<2xi16>', the type of result #0 "
        "of 'f'; expected f16, bf16, f32, f64, i1, i8, i32, i64, index or a ranked tensor of these"),
        body(
        "%i = arith.constant dense<1> : tensor<2xi16>",
        results="tensor<2xi16>",
                               returned="%i : tensor<2xi16>")),
    row("complex-result", (
        "m.mlir:2:8: error: compiled code cannot contain 'complex.constant'; expected "
        "functions, calls, and ops of arith, check, linalg, math, scf, sluice and tensor",
        "m.mlir:1:1: error: the interpreter cannot pass 'complex<f32>', the type of result #0 "
        "of 'f'; expected f16, bf16, f32, f64, i1, i8, i32, i64, index or a ranked tensor of these"),
        body(
        "%c = complex.constant [1.0 : f32, 2.0 : f32] : complex<f32>", results="complex<f32>",
        returned="%c : complex<f32>")),
    row("unranked-result", (
        "m.mlir:1:1: error: expected result 0 of public function 'f' to be a ranked tensor of "
        "f16, bf16, f32, f64, i1, i8, i32 or i64 but got 'tensor<*xf32>'",
        "m.mlir:1:1: error: the interpreter cannot pass 'tensor<*xf32>', the type of result #0 "
        "of 'f'; expected f16, bf16, f32, f64, i1, i8, i32, i64, index or a ranked tensor of these"),
        body(
        ZERO + "\n  %u = tensor.cast %z : tensor<2x4xf32> to tensor<*xf32>",
            results="tensor<*xf32>",
        returned="%u : tensor<*xf32>")),
    compiled("rank-9",
        "m.mlir:1:1: error: expected result 0 of public function 'f' to be a tensor of at most "
        "8 dimensions but got 'tensor<1x1x1x1x1x1x1x1x1xf32>'",
        body(
        "%z = arith.constant dense<0.0> : tensor<1x1x1x1x1x1x1x1x1xf32>",
                            results="tensor<1x1x1x1x1x1x1x1x1xf32>",
                            returned="%z : tensor<1x1x1x1x1x1x1x1x1xf32>")),
    row("external", (
        "m.mlir:1:1: error: expected a function with a body: compiled code has nothing to link "
        "'g' to",
        "m.mlir:3:3: error: the interpreter cannot run the function 'g', which has no body"),
        "func.func private @g()\nfunc.func @f() {\n  call @g() : () -> ()\n  return\n}\n"),
    compiled("external-unused",
        "m.mlir:1:1: error: expected a function with a body: compiled code has nothing to link "
        "'g' to",
        "func.func private @g()\nfunc.func @f() { return }\n"),
    row("recursion", (
        "m.mlir:2:3: error: expected functions that do not call themselves, directly or "
        "through others, but got a call of 'f' within itself",
        "m.mlir:2:3: error: expected at most 200 function calls within each other; 'f' may "
        "call itself without end"),
        "func.func @f() {\n  call @f() : () -> ()\n  return\n}\n"),
    row("recursion-mutual", (
        "m.mlir:6:3: error: expected functions that do not call themselves, directly or "
        "through others, but got a call of 'f' within itself",
        "m.mlir:6:3: error: expected at most 200 function calls within each other; 'f' may "
        "call itself without end"),
        "func.func @f() {\n  call @g() : () -> ()\n  return\n}\n"
        "func.func private @g() {\n  call @f() : () -> ()\n  return\n}\n"),
    row("recursion-with-tensors", (
        "m.mlir:2:8: error: expected functions that do not call themselves, directly or "
        "through others, but got a call of 'f' within itself",
        "m.mlir:2:8: error: expected at most 200 function calls within each other; 'f' may "
        "call itself without end"), "func.func @f() -> tensor<2xf32> {\n"
        "  %x = call @f() : () -> tensor<2xf32>\n  return %x : tensor<2xf32>\n}\n"),
    row("indirect-call", (
        "m.mlir:3:8: error: compiled code cannot contain 'func.constant'; expected functions, "
        "calls, and ops of arith, check, linalg, math, scf, sluice and tensor",
        "m.mlir:3:8: error: the interpreter does not know the type '() -> ()' of a result of "
        "'func.constant'"),
        "func.func private @g() { return }\nfunc.func @f() {\n"
        "  %g = constant @g : () -> ()\n  call_indirect %g() : () -> ()\n  return\n}\n"),
    row("other-dialect", (
        "m.mlir:2:3: error: compiled code cannot contain 'gpu.barrier'; expected functions, "
        "calls, and ops of arith, check, linalg, math, scf, sluice and tensor",
        "m.mlir:2:3: error: the interpreter does not know 'gpu.barrier'"), body("gpu.barrier")),
    row("unregistered-op",
        "m.mlir:2:10: error: operation being parsed with an unregistered dialect. If this is "
        "intended, please use -allow-unregistered-dialect with the MLIR tool used",
        body('"my.op"() : () -> ()')),
    row("llvm-op", (
        "m.mlir:2:3: error: compiled code cannot contain 'llvm.intr.trap'; expected functions, "
        "calls, and ops of arith, check, linalg, math, scf, sluice and tensor",
        "m.mlir:2:3: error: the interpreter does not know 'llvm.intr.trap'"),
        body("llvm.intr.trap")),
    row("unreachable", (
        "m.mlir:2:3: error: compiled code cannot contain 'ub.unreachable'; expected functions, "
        "calls, and ops of arith, check, linalg, math, scf, sluice and tensor",
        "m.mlir:2:3: error: the interpreter does not know 'ub.unreachable'"),
        "func.func @f() {\n  ub.unreachable\n}\n"),
    row("assert", (
        "m.mlir:3:3: error: compiled code cannot contain 'cf.assert'; expected functions, "
        "calls, and ops of arith, check, linalg, math, scf, sluice and tensor",
        "m.mlir:3:3: error: the interpreter does not know 'cf.assert'"), body(
        '%c = arith.constant false\n  cf.assert %c, "no"')),
    row("cast", (
        "m.mlir:3:8: error: compiled code cannot contain 'builtin.unrealized_conversion_cast'; "
        "expected functions, calls, and ops of arith, check, linalg, math, scf, sluice and "
        "tensor",
        "m.mlir:3:8: error: the interpreter does not know 'builtin.unrealized_conversion_cast'"),
        body(ZERO +
        "\n  %m = builtin.unrealized_conversion_cast %z : tensor<2x4xf32> to i64")),
    row("inline-asm", (
        "m.mlir:2:3: error: compiled code cannot contain 'llvm.inline_asm'; expected "
        "functions, calls, and ops of arith, check, linalg, math, scf, sluice and tensor",
        "m.mlir:2:3: error: the interpreter does not know 'llvm.inline_asm'"), body(
        'llvm.inline_asm "nonsense", "" : () -> ()')),
    row("async", (
        "m.mlir:2:8: error: compiled code cannot contain 'async.execute'; expected functions, "
        "calls, and ops of arith, check, linalg, math, scf, sluice and tensor",
        "m.mlir:2:8: error: the interpreter does not know 'async.execute'"), body(
        "%t = async.execute {\n    async.yield\n  }")),
    row("nested-function",
        "m.mlir:6:10: error: custom op 'func.call' invalid kind of attribute specified",
        "module {\n  module @n {\n    func.func @g() { return }\n  }\n"
        "  func.func @f() {\n    call @n::@g() : () -> ()\n    return\n  }\n}\n"),
    compiled("nested-module-beside",
        "m.mlir:1:1: error: compiled code cannot contain 'builtin.module'; expected functions, "
        "calls, and ops of arith, check, linalg, math, scf, sluice and tensor",
        "module @n {\n  func.func @g() { return }\n}\n"
        "func.func @f() {\n  return\n}\n"),
    row("huge-tensor", ("sluice: error: out of memory: the model asked for {{[0-9]+}} bytes",
        "m.mlir:2:8: error: expected a tensor of at most 1073741824 elements but got one of "
        "shape 1000000x1000000x1000"), body(
        "%z = tensor.empty() : tensor<1000000x1000000x1000xf32>\n"
                                 "  %y = sluice.relu %z : tensor<1000000x1000000x1000xf32>",
                                 results="tensor<1000000x1000000x1000xf32>",
                                 returned="%y : tensor<1000000x1000000x1000xf32>")),
    row("overflowing-tensor", (
        "m.mlir:2:8: error: expected tensors of less than 2^63 bytes but got "
        "'tensor<9223372036854775807x4xf32>'",
        "m.mlir:2:8: error: expected a tensor of at most 1073741824 elements but got one of "
        "shape 9223372036854775807x4"), body(
        "%z = tensor.empty() : tensor<9223372036854775807x4xf32>\n"
        "  %y = sluice.relu %z : tensor<9223372036854775807x4xf32>",
        results="tensor<9223372036854775807x4xf32>",
            returned="%y : tensor<9223372036854775807x4xf32>")),
    row("huge-splat", (
        "m.mlir:2:8: error: expected a constant of at most 268435456 bytes but got "
        "40000000000000; use a sluice.weight, or linalg.fill on a tensor.empty",
        "m.mlir:2:8: error: expected a tensor of at most 1073741824 elements but got one of "
        "shape 1000000x1000000x10"), body(
        "%z = arith.constant dense<1.0> : tensor<1000000x1000000x10xf32>",
                                results="tensor<1000000x1000000x10xf32>",
                                returned="%z : tensor<1000000x1000000x10xf32>")),
    compiled("huge-weight",
        "m.mlir:3:8: error: expected tensors of less than 2^63 bytes but got "
        "'tensor<4611686018427387904x4xf32>'",
        'sluice.weight @w "w" : tensor<4611686018427387904x4xf32>\n'

        "func.func @f() {\n  %w = sluice.get_weight @w : tensor<4611686018427387904x4xf32>\n  "
        "return\n}\n"),
    row("huge-stack", (
        "m.mlir:3:8: error: expected tensors of less than 2^63 bytes but got "
        "'tensor<4611686018427387904x4xf32>'",
        "m.mlir:3:8: error: expected a weights file for '@w' but none was given; give it with "
        "--weights"),
        'sluice.weight @w "w.{e}" : tensor<4611686018427387904x4xf32>\n'
        "func.func @f() -> tensor<4xf32> {\n"
        "  %w = sluice.get_weight @w : tensor<4611686018427387904x4xf32>\n"
        "  %r = tensor.extract_slice %w[0, 0] [1, 4] [1, 1]\n"
        "    : tensor<4611686018427387904x4xf32> to tensor<4xf32>\n"
        "  return %r : tensor<4xf32>\n}\n"),
    row("huge-experts",
        "m.mlir:3:8: error: expected numbers of tokens and experts below 2147483648 but got "
        "1000000000000", body(
        "%x = arith.constant dense<0.0> : tensor<1x1000000000000xf32>\n"
        "  %g = sluice.topk %x, 2 : tensor<1x1000000000000xf32>\n"
        "  %i, %v = sluice.entries %g : !sluice.gates<1x1000000000000xf32, 2 per token>")),
    ahead("gates-result",
        "m.mlir:1:1: error: expected result 0 of public function 'f' to be a tensor but got "
        "'!sluice.gates<?x4xf32, 2 per token>'; give its entries instead (sluice.entries)",
        GATES_MODEL),
    ahead("empty", "sluicec: error: the model has no public function", ""),
    ahead("no-function", "sluicec: error: the model has no public function",
        "func.func private @f() { return }\n"),
    ahead("syntax", "m.mlir:1:14: error: expected non-function type", "func.func @f( {"),
    ahead("memref",
        "m.mlir:1:1: error: expected argument 0 of public function 'f' to be a ranked tensor "
        "of f16, bf16, f32, f64, i1, i8, i32 or i64 but got 'memref<4xf32>'",
        function("%m: memref<4xf32>")),
    ahead("external",
        "m.mlir:1:1: error: expected a function with a body: compiled code has nothing to link "
        "'g' to",
        "func.func private @g()\nfunc.func @f() {\n  call @g() : () -> ()\n  return\n}\n"),
    ahead("unregistered",
        "m.mlir:2:10: error: operation being parsed with an unregistered dialect. If this is "
        "intended, please use -allow-unregistered-dialect with the MLIR tool used",
        body('"my.op"() : () -> ()')),
    ahead("unknown-op",
        "m.mlir:2:3: error: compiled code cannot contain 'gpu.barrier'; expected functions, "
        "calls, and ops of arith, check, linalg, math, scf, sluice and tensor",
        body("gpu.barrier"), "--emit=mlir -o m.out"),
    ahead("recursion",
        "m.mlir:2:8: error: expected functions that do not call themselves, directly or "
        "through others, but got a call of 'f' within itself",
        "func.func @f() -> tensor<2xf32> {\n"
          "  %x = call @f() : () -> tensor<2xf32>\n  return %x : tensor<2xf32>\n}\n",
          "--emit=llvm -o m.ll"),
    ahead("name-malloc",
        "m.mlir:1:1: error: expected a name that compiled code does not use itself but got "
        "'malloc'; rename the function",
        "func.func @malloc() { return }\n"),
    ahead("name-math",
        "m.mlir:2:1: error: expected a name that compiled code does not use itself but got "
        "'expf'; rename the function",
        "func.func @f() { return }\nfunc.func private @expf(%x: f32) -> f32 "
          "{ return %x : f32 }\n"),
    ahead("name-interface",
        "sluicec: error: function 'free_tensor' would be called m_free_tensor in C, as is the "
        "interface's own m_free_tensor; rename it",
        "func.func @free_tensor() { return }\n"),
    ahead("name-same-in-c",
        "sluicec: error: function 'a_b' would be called m_a_b in C, as is function 'a.b'; "
        "rename it",
        'func.func @"a.b"() { return }\nfunc.func @a_b() { return }\n'),
    ahead("name-packed",
        "m.mlir:2:1: error: expected a name that compiled code does not use itself but got "
        "'__sluice_packed_f'; rename the function",
        "func.func @f() { return }\nfunc.func @__sluice_packed_f() { return }\n"),
    ahead("name-ciface",
        "m.mlir:2:1: error: expected a name that compiled code does not use itself but got "
        "'_mlir_ciface_f'; rename the function",
        "func.func @f() { return }\nfunc.func @_mlir_ciface_f() { return }\n"),
]
