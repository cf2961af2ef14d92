#===- run_time.py - What models are given ---------------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#

from .common import ADD, SAME, bad, npy

FROM_ENTRIES = """func.func @f(%i: tensor<?x2xi64>, %v: tensor<?x2xf32>) -> tensor<?x4xf32> {
  %g = sluice.from_entries %i values %v
    : (tensor<?x2xi64>, tensor<?x2xf32>) -> !sluice.gates<?x4xf32, 2 per token>
  %d, %p = sluice.dense %g : !sluice.gates<?x4xf32, 2 per token>
  return %d : tensor<?x4xf32>
}
"""
GATHER = """func.func @f(%t: tensor<3x2xf32>, %i: tensor<?x1xi64>) -> tensor<?x2xf32> {
  %r = tensor.gather %t[%i] gather_dims([0])
    : (tensor<3x2xf32>, tensor<?x1xi64>) -> tensor<?x2xf32>
  return %r : tensor<?x2xf32>
}
"""
FROM_DENSE = """func.func @f(%s: tensor<?x2xf32>, %m: tensor<?x2xi1>) -> tensor<?x2xf32> {
  %g = sluice.from_dense %s where %m
    : tensor<?x2xf32>, tensor<?x2xi1> -> !sluice.gates<?x2xf32, 1 per token>
  %d, %p = sluice.dense %g : !sluice.gates<?x2xf32, 1 per token>
  return %d : tensor<?x2xf32>
}
"""
CAST = """func.func @f(%x: tensor<?x2xf32>) -> tensor<3x2xf32> {
  %y = tensor.cast %x : tensor<?x2xf32> to tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}
"""
# The sizes are tied within the callee only.
CALLS = """func.func @f(%x: tensor<?x2xf32>, %y: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %z = call @add(%x, %y) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  return %z : tensor<?x2xf32>
}
func.func private @add(%x: tensor<?x2xf32>, %y: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %z = arith.addf %x, %y : tensor<?x2xf32>
  return %z : tensor<?x2xf32>
}
"""
EXPERTS = """func.func @f(%x: tensor<?x2xf32>, %s: tensor<?x3xf32>) -> tensor<?x2xf32> {
  %g = sluice.topk %s, 2 : tensor<?x3xf32>
  %y = sluice.experts by %g : !sluice.gates<?x3xf32, 2 per token>
      (%t = %x : tensor<?x2xf32>) combine sum weight output -> tensor<?x2xf32> {
    %z = sluice.relu %t : tensor<?x2xf32>
    sluice.yield %z : tensor<?x2xf32>
  }
  return %y : tensor<?x2xf32>
}
"""
EXPECT = """func.func @f(%x: tensor<?x2xf32>, %y: tensor<?x2xf32>) -> tensor<?x2xf32> {
  check.expect_close %x, %y tolerance 1.0e-3 : tensor<?x2xf32>
  return %x : tensor<?x2xf32>
}
"""
EXTRACT = """func.func @f(%x: tensor<4xf32>, %i: tensor<i64>) -> tensor<f32> {
  %n = tensor.extract %i[] : tensor<i64>
  %at = arith.index_cast %n : i64 to index
  %e = tensor.extract %x[%at] : tensor<4xf32>
  %r = tensor.from_elements %e : tensor<f32>
  return %r : tensor<f32>
}
"""
DIVIDE = """func.func @f(%x: tensor<2xi64>, %y: tensor<2xi64>) -> tensor<2xi64> {
  %z = arith.divsi %x, %y : tensor<2xi64>
  return %z : tensor<2xi64>
}
"""
SPLAT = """func.func @f(%n: tensor<i64>) -> tensor<?xf32> {
  %v = tensor.extract %n[] : tensor<i64>
  %s = arith.index_cast %v : i64 to index
  %e = tensor.empty(%s) : tensor<?xf32>
  %c = arith.constant 1.0 : f32
  %r = linalg.fill ins(%c : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  return %r : tensor<?xf32>
}
"""
SLICE = """func.func @f(%x: tensor<4xf32>, %n: tensor<i64>) -> tensor<?xf32> {
  %v = tensor.extract %n[] : tensor<i64>
  %s = arith.index_cast %v : i64 to index
  %r = tensor.extract_slice %x[0] [%s] [1] : tensor<4xf32> to tensor<?xf32>
  return %r : tensor<?xf32>
}
"""
INSERT = """func.func @f(%x: tensor<4xf32>, %i: tensor<i64>) -> tensor<4xf32> {
  %n = tensor.extract %i[] : tensor<i64>
  %at = arith.index_cast %n : i64 to index
  %c = arith.constant 1.0 : f32
  %r = tensor.insert %c into %x[%at] : tensor<4xf32>
  return %r : tensor<4xf32>
}
"""
IN_EXPERT = """func.func @f(%x: tensor<4xf32>, %i: tensor<i64>) -> tensor<2x1xf32> {
  %n = tensor.extract %i[] : tensor<i64>
  %at = arith.index_cast %n : i64 to index
  %s = arith.constant dense<1.0> : tensor<2x1xf32>
  %g = sluice.topk %s, 1 : tensor<2x1xf32>
  %y = sluice.experts by %g : !sluice.gates<2x1xf32, 1 per token>
      (%t = %s : tensor<2x1xf32>) combine sum weight none -> tensor<2x1xf32> {
    %e  = tensor.extract %x[%at] : tensor<4xf32>
    %v = tensor.from_elements %e : tensor<1xf32>
    %b = sluice.broadcast %v like %t : tensor<1xf32>, tensor<?x1xf32>
    sluice.yield %b : tensor<?x1xf32>
  }
  return %y : tensor<2x1xf32>
}
"""
PASTE = """func.func @f(%x: tensor<4xf32>, %n: tensor<i64>) -> tensor<4xf32> {
  %v = tensor.extract %n[] : tensor<i64>
  %s = arith.index_cast %v : i64 to index
  %r = tensor.insert_slice %x into %x[%s] [4] [1] : tensor<4xf32> into tensor<4xf32>
  return %r : tensor<4xf32>
}
"""
PARTS = """func.func @f(%x: tensor<?xf32>, %n: tensor<i64>) -> tensor<?x2xf32> {
  %v = tensor.extract %n[] : tensor<i64>
  %s = arith.index_cast %v : i64 to index
  %r = tensor.expand_shape %x [[0, 1]] output_shape [%s, 2] : tensor<?xf32> into tensor<?x2xf32>
  return %r : tensor<?x2xf32>
}
"""


def row(name, message, model, *inputs, target="{target}"):
    files = {"m.mlir": model} | {f"{i}.npy": data for i, data in enumerate(inputs)}
    options = "".join(f" --input {i}.npy" for i in range(len(inputs)))
    return bad("call-" + name, "sluice-run m.mlir --output y.npy --target=" + target + options,
               message, files)


def interpreted(*arguments):
    return row(*arguments, target="interpreter")


def scalar(value):
    return npy([], [value], "<i8")


ONE = npy([1, 2], [1, 2])
TWO = npy([2, 2], [1, 2, 3, 4])
NONE = npy([0, 2], [])


def ids(*values):
    return npy([len(values), 1], values, "<i8")


def pairs(*values):
    return npy([len(values) // 2, 2], values, "<i8")


BYTES = """func.func @f(%q: tensor<?x4xi8>, %s: tensor<?x2xf32>) -> tensor<?x4xf32> {
  %w = sluice.dequantize %q as i8 in blocks [1, 2] by %s
    : (tensor<?x4xi8>, tensor<?x2xf32>) -> tensor<?x4xf32>
  return %w : tensor<?x4xf32>
}
"""

CASES = [
    row("rows-differ", (
        "sluice-run: error: f: input 1: expected dimension 0 to be 1, as dimension 0 of input "
        "0 is, but got 2",
        "m.mlir:2:8: error: expected operands of one shape but got 1x2 and 2x2"), ADD, ONE, TWO),
    row("rows-none", (
        "sluice-run: error: f: input 1: expected dimension 0 to be 2, as dimension 0 of input "
        "0 is, but got 0",
        "m.mlir:2:8: error: expected operands of one shape but got 2x2 and 0x2"), ADD, TWO, NONE),
    row("rows-differ-in-call", (
        "sluice-run: error: f: input 1: expected dimension 0 to be 1, as dimension 0 of input "
        "0 is, but got 2",
        "m.mlir:6:8: error: expected operands of one shape but got 1x2 and 2x2"), CALLS, ONE, TWO),
    row("rows-of-scores", (
        "sluice-run: error: f: input 1: expected dimension 0 to be 1, as dimension 0 of input "
        "0 is, but got 2",
        "m.mlir:3:8: error: expected input #0 to have 2 rows, as the gates have tokens, but "
        "got 1"), EXPERTS, ONE, npy([2, 3], [1, 2, 3, 4, 5, 6])),
    row("rows-of-values", (
        "sluice-run: error: f: input 1: expected dimension 0 to be 1, as dimension 0 of input "
        "0 is, but got 2",
        "m.mlir:2:8: error: expected operands of one shape but got 1x2 and 2x2"), FROM_ENTRIES,
        pairs(0, 1), TWO),
    row("rows-of-cast", (
        "sluice-run: error: f: input 0: expected tensor<3x2xf32> but got tensor<2x2xf32>; "
        "dimension 0 must be 3",
        "m.mlir:2:8: error: expected a result of type 'tensor<3x2xf32>' but got one of shape "
        "2x2"), CAST, TWO),
    row("scales-differ", (
        "sluice-run: error: f: input 1: expected dimension 0 to be 1, as dimension 0 of input "
        "0 is, but got 2",
        "m.mlir:2:8: error: expected scales with 1 elements along dimension 0, as the input "
        "has, but got shape 2x2"), BYTES, npy([1, 4], [1, 2, 3, 4], "|u1"), TWO),
    row("bytes-expected",
        "sluice-run: error: '0.npy': expected elements of i8 ('|i1') but got '<f4'", BYTES, TWO,
        TWO),
    row("swapped", (
        "sluice-run: error: f: input 0: expected tensor<?x2xf32> but got tensor<1x3xf32>; "
        "dimension 1 must be 2",
        "m.mlir:1:1: error: expected 'tensor<?x2xf32>' for input #0 of 'f' but got "
        "tensor<1x3xf32>"), EXPERTS, npy([1, 3], [1, 2, 3]), ONE),
    row("too-few", "sluice-run: error: expected 2 --inputs, one per argument of @f, but got 1", ADD,
        ONE),
    row("too-many", "sluice-run: error: expected 1 --input, one per argument of @f, but got 2",
        SAME, ONE, ONE),
    row("id-too-large", (
        "sluice-run: error: m.mlir:2:8: index 3 at position 1 is out of bounds, expected 0 or "
        "more and less than 3",
        "m.mlir:2:8: error: expected an index below 3 in dimension 0 but got 3"), GATHER,
        npy([3, 2], [0] * 6), ids(0, 3)),
    row("id-negative", (
        "sluice-run: error: m.mlir:2:8: index -1 at position 0 is out of bounds, expected 0 or "
        "more and less than 3",
        "m.mlir:2:8: error: expected an index below 3 in dimension 0 but got -1"), GATHER,
        npy([3, 2], [0] * 6), ids(-1)),
    row("id-smallest", (
        "sluice-run: error: m.mlir:2:8: index -9.22337e+18 at position 2 is out of bounds, "
        "expected 0 or more and less than 3",
        "m.mlir:2:8: error: expected an index below 3 in dimension 0 but got "
        "-9223372036854775808"), GATHER, npy([3, 2], [0] * 6), ids(0, 1, -2**63)),
    row("id-largest", (
        "sluice-run: error: m.mlir:2:8: index 9.22337e+18 at position 0 is out of bounds, "
        "expected 0 or more and less than 3",
        "m.mlir:2:8: error: expected an index below 3 in dimension 0 but got "
        "9223372036854775807"), GATHER, npy([3, 2], [0] * 6), ids(2**63 - 1)),
    row("expert-too-large", (
        "sluice-run: error: m.mlir:2:8: slot 1 (of token 0) names expert 4, expected -1 or an "
        "expert from 0 to 3",
        "m.mlir:2:8: error: expected an expert below 4, or -1, in slot 1 of token 0 but got 4"),
        FROM_ENTRIES, pairs(0, 4), ONE),
    row("expert-negative", (
        "sluice-run: error: m.mlir:2:8: slot 0 (of token 0) names expert -2, expected -1 or an "
        "expert from 0 to 3",
        "m.mlir:2:8: error: expected an expert below 4, or -1, in slot 0 of token 0 but got -2"),
        FROM_ENTRIES, pairs(-2, 0), ONE),
    row("expert-smallest", (
        "sluice-run: error: m.mlir:2:8: slot 1 (of token 0) names expert -9.22337e+18, "
        "expected -1 or an expert from 0 to 3",
        "m.mlir:2:8: error: expected an expert below 4, or -1, in slot 1 of token 0 but got "
        "-9223372036854775808"), FROM_ENTRIES, pairs(0, -2**63), ONE),
    row("expert-twice", (
        "sluice-run: error: m.mlir:2:8: slot 3 (of token 1) names expert 3, which an earlier "
        "slot of the token names already",
        "m.mlir:2:8: error: expected different experts in the slots of token 1 but slots 0 and "
        "1 both have expert 3"), FROM_ENTRIES, pairs(0, 1, 3, 3), TWO),
    row("bound", (
        "sluice-run: error: m.mlir:2:8: token 0 has more than 1 entries, the bound of the "
        "result's type",
        "m.mlir:2:8: error: expected at most 1 entries in the mask for each token but token 0 "
        "has 2"), FROM_DENSE, ONE, npy([1, 2], [1, 1], "|b1")),
    row("expectation", (
        "sluice-run: error: m.mlir:2:3: expect_close failed: element 1 is 2 but 2.5 was "
        "expected (tolerance 0.001)",
        "m.mlir:2:3: error: expect_close failed: element [0, 1] is 2 but 2.5 was expected "
        "(tolerance 0.001)"), EXPECT, ONE, npy([1, 2], [1, 2.5])),
    row("memory", ("sluice: error: out of memory: the model asked for {{[0-9]+}} bytes",
        "m.mlir:4:8: error: expected a tensor of at most 1073741824 elements but got one of "
        "shape 1000000000000000"), SPLAT, scalar(10**15)),
    row("memory-negative", (
        "sluice-run: error: m.mlir:4:8: size -5 of dimension 0 is negative",
        "m.mlir:4:8: error: expected dimensions of at least 0 but got -5"), SPLAT, scalar(-5)),
    interpreted("memory-overflow",
        "m.mlir:4:8: error: expected a tensor of at most 1073741824 elements but got one of "
        "shape 4611686018427387904",
        SPLAT, scalar(2**62)),
    row("extract-large", (
        "sluice-run: error: m.mlir:4:8: index 4 in dimension 0 is out of bounds, expected 0 or "
        "more and less than 4",
        "m.mlir:4:8: error: expected an index below 4 in dimension 0 but got 4"),
        EXTRACT, npy([4], [0] * 4), scalar(4)),
    row("extract-negative", (
        "sluice-run: error: m.mlir:4:8: index -1 in dimension 0 is out of bounds, expected 0 or "
        "more and less than 4",
        "m.mlir:4:8: error: expected an index below 4 in dimension 0 but got -1"),
        EXTRACT, npy([4], [0] * 4), scalar(-1)),
    row("insert-large", (
        "sluice-run: error: m.mlir:5:8: index 999 in dimension 0 is out of bounds, expected "
        "0 or more and less than 4",
        "m.mlir:5:8: error: expected an index below 4 in dimension 0 but got 999"),
        INSERT, npy([4], [0] * 4), scalar(999)),
    row("extract-in-expert", (
        "sluice-run: error: m.mlir:8:11: index 7 in dimension 0 is out of bounds, expected 0 or "
        "more and less than 4",
        "m.mlir:8:11: error: expected an index below 4 in dimension 0 but got 7"),
        IN_EXPERT, npy([4], [0] * 4), scalar(7)),
    row("divide-by-zero", (
        "sluice-run: error: m.mlir:2:8: 2 / 0 is not a number of the type, expected a divisor "
        "other than 0 and a result that fits",
        "m.mlir:2:8: error: division by zero"), DIVIDE,
        npy([2], [1, 2], "<i8"), npy([2], [1, 0], "<i8")),
    row("divide-smallest", (
        "sluice-run: error: m.mlir:2:8: -9.22337e+18 / -1 is not a number of the type, expected "
        "a divisor other than 0 and a result that fits",
        "m.mlir:2:8: error: expected a quotient that fits in 64 bits but divided "
        "-9223372036854775808 by -1"), DIVIDE,
        npy([2], [1, -2**63], "<i8"), npy([2], [1, -1], "<i8")),
    row("shift-large", (
        "sluice-run: error: m.mlir:2:8: expected to shift by less than 64 bits but got 64",
        "m.mlir:2:8: error: expected to shift by less than 64 bits but got 64"),
        DIVIDE.replace("divsi", "shli"), npy([2], [1, 2], "<i8"), npy([2], [63, 64], "<i8")),
    row("slice-large", (
        "sluice-run: error: m.mlir:4:8: the slice reaches to element 4 of dimension 0, expected "
        "it to stay within 0 and 4",
        "m.mlir:4:8: error: expected a slice within the 4 elements of dimension 0 but got "
        "offset 0, size 5, stride 1"),
        SLICE, npy([4], [0] * 4), scalar(5)),
    row("slice-negative", (
        "sluice-run: error: m.mlir:4:8: the slice reaches to element -2 of dimension 0, expected "
        "it to stay within 0 and 4",
        "m.mlir:4:8: error: expected a slice within the 4 elements of dimension 0 but got "
        "offset 0, size -1, stride 1"),
        SLICE, npy([4], [0] * 4), scalar(-1)),
    row("paste-beyond", (
        "sluice-run: error: m.mlir:4:8: the slice reaches to element 5 of dimension 0, expected "
        "it to stay within 0 and 4",
        "m.mlir:4:8: error: expected a slice within the 4 elements of dimension 0 but got "
        "offset 2, size 4, stride 1"),
        PASTE, npy([4], [0] * 4), scalar(2)),
    row("parts-of-a-dimension", (
        "sluice-run: error: m.mlir:4:8: the parts of dimension 0 multiply to 6, expected 4",
        "m.mlir:4:8: error: expected the sizes of the parts of dimension 0 to multiply to 4 but "
        "got 6"),
        PARTS, npy([4], [0] * 4), scalar(3)),
]
