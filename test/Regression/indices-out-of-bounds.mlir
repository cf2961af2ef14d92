// Indices come from a caller: what is out of bounds is reported, by compiled code
// too, and never read.
//
// RUN: not sluice-run %s --entry=gather 2>&1 | FileCheck %s --check-prefix=GATHER
// RUN: not sluice-run %s --entry=unknown 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not sluice-run %s --entry=repeated 2>&1 | FileCheck %s --check-prefix=REPEATED
// RUN: not sluice-run %s --entry=full 2>&1 | FileCheck %s --check-prefix=FULL
// RUN: not sluice-run %s --entry=gather --target=interpreter
// RUN: not sluice-run %s --entry=unknown --target=interpreter
// RUN: not sluice-run %s --entry=repeated --target=interpreter
// RUN: not sluice-run %s --entry=full --target=interpreter

// GATHER: :[[@LINE+4]]:8: index 3 at position 1 is out of bounds, expected 0 or more and less than 3
func.func @gather() -> tensor<3x2xf32> {
  %table = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %ids = arith.constant dense<[[0], [3], [-1]]> : tensor<3x1xi64>
  %r = tensor.gather %table[%ids] gather_dims([0])
    : (tensor<3x2xf32>, tensor<3x1xi64>) -> tensor<3x2xf32>
  return %r : tensor<3x2xf32>
}

// UNKNOWN: :[[@LINE+3]]:8: slot 3 (of token 1) names expert 4, expected -1 or an expert from 0 to 3
func.func @unknown() -> tensor<2x4xi1> {
  %i = arith.constant dense<[[0, -1], [1, 4]]> : tensor<2x2xi64>
  %g = sluice.from_entries %i : (tensor<2x2xi64>) -> !sluice.gates<2x4xf32, 2 per token>
  %v, %p = sluice.dense %g : !sluice.gates<2x4xf32, 2 per token>
  return %p : tensor<2x4xi1>
}

// REPEATED: :[[@LINE+3]]:8: slot 3 (of token 1) names expert 2, which an earlier slot of the token names already
func.func @repeated() -> tensor<2x4xi1> {
  %i = arith.constant dense<[[0, 1], [2, 2]]> : tensor<2x2xi64>
  %g = sluice.from_entries %i : (tensor<2x2xi64>) -> !sluice.gates<2x4xf32, 2 per token>
  %v, %p = sluice.dense %g : !sluice.gates<2x4xf32, 2 per token>
  return %p : tensor<2x4xi1>
}

// FULL: :[[@LINE+4]]:8: token 1 has more than 1 entries, the bound of the result's type
func.func @full() -> tensor<2x2xi1> {
  %m = arith.constant dense<[[false, true], [true, true]]> : tensor<2x2xi1>
  %s = arith.constant dense<1.0> : tensor<2x2xf32>
  %g = sluice.from_dense %s where %m : tensor<2x2xf32>, tensor<2x2xi1> -> !sluice.gates<2x2xf32, 1 per token>
  %v, %p = sluice.dense %g : !sluice.gates<2x2xf32, 1 per token>
  return %p : tensor<2x2xi1>
}
