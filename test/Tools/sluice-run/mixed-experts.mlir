// Experts that differ: MLPs, the token itself, a constant, and nothing. The
// numbers are small whole ones, so that every result is exact and can be said.
//
// RUN: sluice-run %s --entry=sum --counters=json | FileCheck %s --check-prefix=SUM
// RUN: sluice-run %s --entry=sum --target=interpreter --counters=json | FileCheck %s --check-prefix=SUM
// RUN: sluice-run %s --entry=replace | count 0
// RUN: sluice-run %s --entry=replace --target=interpreter | count 0
// RUN: sluice-run %s --entry=narrow | count 0
// RUN: sluice-run %s --entry=narrow --target=interpreter | count 0
// RUN: sluice-run %s --entry=nested --counters=json | FileCheck %s --check-prefix=NESTED
// RUN: sluice-run %s --entry=nested --target=interpreter --counters=json | FileCheck %s --check-prefix=NESTED

// Experts 0 and 1 are products, 2 is the token itself, 3 a constant, 4 nothing.
// SUM: "op":"experts#0"{{.*}}"calls":1,"tokens":4,"entries":3,{{.*}}"multiply_adds":12,"weight_bytes":32,"tokens_per_expert":[2,1]
// SUM-SAME: "op":"experts#1"{{.*}}"entries":2,{{.*}}"multiply_adds":0,"weight_bytes":0,"tokens_per_expert":[2]
// SUM-SAME: "op":"experts#2"{{.*}}"entries":1,{{.*}}"multiply_adds":0,"weight_bytes":8,"tokens_per_expert":[1]
func.func @sum() {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<4x2xf32>
  %e = arith.constant dense<[[0, 2], [1, 4], [3, 0], [2, -1]]> : tensor<4x2xi64>
  %v = arith.constant dense<[[2.0, 1.0], [1.0, 9.0], [10.0, -1.0], [3.0, 0.0]]> : tensor<4x2xf32>
  %g = sluice.from_entries %e values %v
    : (tensor<4x2xi64>, tensor<4x2xf32>) -> !sluice.gates<4x5xf32, 2 per token>
  %ws = arith.constant dense<[[[0.0, 1.0], [1.0, 0.0]], [[2.0, 0.0], [0.0, 2.0]]]> : tensor<2x2x2xf32>
  %cs = arith.constant dense<[[0.5, 0.25]]> : tensor<1x2xf32>
  %y = sluice.mixed_experts by %g : !sluice.gates<4x5xf32, 2 per token>
      combine sum weight output -> tensor<4x2xf32>
    experts 0 to 2 (%t = %x : tensor<4x2xf32>) with (%w = %ws : tensor<2x2x2xf32>) {
      %o = sluice.linear %t, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
      sluice.yield %o : tensor<?x2xf32>
    }
    experts 2 to 3 (%t = %x : tensor<4x2xf32>) {
      sluice.yield %t : tensor<?x2xf32>
    }
    experts 3 to 4 () with (%c = %cs : tensor<1x2xf32>) {
      sluice.yield %c : tensor<2xf32>
    }
  %expected = arith.constant dense<[[5.0, 4.0], [6.0, 8.0], [-1.0, -2.5], [21.0, 24.0]]> : tensor<4x2xf32>
  check.expect_close %y, %expected tolerance 0.0 : tensor<4x2xf32>
  return
}

// An expert without a body leaves the base as it is.
func.func @replace() {
  %x = arith.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
  %base = arith.constant dense<[[-1.0], [-2.0], [-3.0], [-4.0]]> : tensor<4x1xf32>
  %e = arith.constant dense<[[2], [1], [0], [-1]]> : tensor<4x1xi64>
  %g = sluice.from_entries %e : (tensor<4x1xi64>) -> !sluice.gates<4x3xf32, 1 per token>
  %y = sluice.mixed_experts by %g : !sluice.gates<4x3xf32, 1 per token>
      else %base combine replace weight none -> tensor<4x1xf32>
    experts 0 to 1 (%t = %x : tensor<4x1xf32>) {
      %o = arith.addf %t, %t : tensor<?x1xf32>
      sluice.yield %o : tensor<?x1xf32>
    }
    experts 2 to 3 (%t = %x : tensor<4x1xf32>) {
      %o = arith.mulf %t, %t : tensor<?x1xf32>
      %p = arith.addf %o, %o : tensor<?x1xf32>
      sluice.yield %p : tensor<?x1xf32>
    }
  %expected = arith.constant dense<[[2.0], [-2.0], [6.0], [-4.0]]> : tensor<4x1xf32>
  check.expect_close %y, %expected tolerance 0.0 : tensor<4x1xf32>
  return
}

// 256 + 1 + 1 is 258 in f32; rounded to bf16 after each sum it would be 256.
func.func @narrow() {
  %x = arith.constant dense<[[1.0]]> : tensor<1x1xbf16>
  %e = arith.constant dense<[[0, 1, 2]]> : tensor<1x3xi64>
  %v = arith.constant dense<[[256.0, 1.0, 1.0]]> : tensor<1x3xf32>
  %g = sluice.from_entries %e values %v
    : (tensor<1x3xi64>, tensor<1x3xf32>) -> !sluice.gates<1x3xf32, 3 per token>
  %y = sluice.mixed_experts by %g : !sluice.gates<1x3xf32, 3 per token>
      combine sum weight output -> tensor<1x1xbf16>
    experts 0 to 1 (%t = %x : tensor<1x1xbf16>) { sluice.yield %t : tensor<?x1xbf16> }
    experts 1 to 2 (%t = %x : tensor<1x1xbf16>) { sluice.yield %t : tensor<?x1xbf16> }
    experts 2 to 3 (%t = %x : tensor<1x1xbf16>) { sluice.yield %t : tensor<?x1xbf16> }
  %expected = arith.constant dense<[[258.0]]> : tensor<1x1xbf16>
  check.expect_close %y, %expected tolerance 0.0 : tensor<1x1xbf16>
  return
}

// A body with experts of its own, which are counted behind it.
// NESTED: "op":"experts#0"{{.*}}"tokens_per_expert":[2]
// NESTED-SAME: "op":"experts#1"{{.*}}"tokens_per_expert":[0,2]
// NESTED-SAME: "op":"experts#2"{{.*}}"tokens_per_expert":[1]
func.func @nested() {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %e = arith.constant dense<[[0], [1], [0]]> : tensor<3x1xi64>
  %g = sluice.from_entries %e : (tensor<3x1xi64>) -> !sluice.gates<3x2xf32, 1 per token>
  %y = sluice.mixed_experts by %g : !sluice.gates<3x2xf32, 1 per token>
      combine sum weight output -> tensor<3x2xf32>
    experts 0 to 1 (%t = %x : tensor<3x2xf32>) {
      %h = sluice.topk %t, 1 : tensor<?x2xf32>
      %o = sluice.mixed_experts by %h : !sluice.gates<?x2xf32, 1 per token>
          combine sum weight output -> tensor<?x2xf32>
        experts 0 to 2 (%u = %t : tensor<?x2xf32>) { sluice.yield %u : tensor<?x2xf32> }
      sluice.yield %o : tensor<?x2xf32>
    }
    experts 1 to 2 (%t = %x : tensor<3x2xf32>) { sluice.yield %t : tensor<?x2xf32> }
  %expected = arith.constant dense<[[2.0, 4.0], [3.0, 4.0], [30.0, 36.0]]> : tensor<3x2xf32>
  check.expect_close %y, %expected tolerance 0.0 : tensor<3x2xf32>
  return
}
