// Powers of small gate values were 0 in f32, and the normalised values infinite.
//
// RUN: sluice-run %s --entry=cubes
// RUN: sluice-run %s --entry=cubes --target=interpreter
// RUN: sluice-run %s --entry=squares
// RUN: sluice-run %s --entry=squares --target=interpreter

func.func @cubes() {
  %v = arith.constant dense<[[1.0e-20], [3.0e-30]]> : tensor<2x1xf32>
  %e = arith.constant dense<[[1], [0]]> : tensor<2x1xi64>
  %g = sluice.from_entries %e values %v : (tensor<2x1xi64>, tensor<2x1xf32>) -> !sluice.gates<2x2xf32, 1 per token>
  %n = sluice.normalize %g p 3.0 : !sluice.gates<2x2xf32, 1 per token>
  %i, %w = sluice.entries %n : !sluice.gates<2x2xf32, 1 per token>
  %ones = arith.constant dense<1.0> : tensor<2x1xf32>
  check.expect_close %w, %ones tolerance 1.0e-6 : tensor<2x1xf32>
  return
}

func.func @squares() {
  %v = arith.constant dense<[[1.0e-25], [-3.0e-30]]> : tensor<2x1xf32>
  %e = arith.constant dense<[[1], [0]]> : tensor<2x1xi64>
  %g = sluice.from_entries %e values %v : (tensor<2x1xi64>, tensor<2x1xf32>) -> !sluice.gates<2x2xf32, 1 per token>
  %n = sluice.normalize %g p 2.0 : !sluice.gates<2x2xf32, 1 per token>
  %i, %w = sluice.entries %n : !sluice.gates<2x2xf32, 1 per token>
  %expected = arith.constant dense<[[1.0], [-1.0]]> : tensor<2x1xf32>
  check.expect_close %w, %expected tolerance 1.0e-6 : tensor<2x1xf32>
  return
}
