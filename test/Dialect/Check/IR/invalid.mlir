// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// C1 of expect_close
func.func @expect_close(%a: tensor<2xf32>) {
  // expected-error @+1 {{'check.expect_close' op expected a tolerance that is finite and not negative but got -1.000000e+00}}
  check.expect_close %a, %a tolerance -1.0 : tensor<2xf32>
  return
}

// -----

// C1 of expect_close
func.func @expect_close(%a: tensor<2xf32>) {
  // expected-error-re @+1 {{'check.expect_close' op expected a tolerance that is finite and not negative but got {{.*}}}}
  check.expect_close %a, %a tolerance 0x7FF0000000000000 : tensor<2xf32>
  return
}

// -----

func.func @expect_close(%a: tensor<2xf32>, %b: tensor<2xf64>) {
  // expected-error @+1 {{'check.expect_close' op failed to verify that all of {actual, expected} have same type}}
  "check.expect_close"(%a, %b) <{tolerance = 0.0 : f64}> : (tensor<2xf32>, tensor<2xf64>) -> ()
  return
}

// -----

// Floats are compared with a tolerance, even if it is 0.
func.func @expect_equal(%a: tensor<2xf32>) {
  // expected-error @+1 {{'check.expect_equal' op operand #0 must be ranked tensor of 1-bit signless integer or 8-bit signless integer or 32-bit signless integer or 64-bit signless integer or index values, but got 'tensor<2xf32>'}}
  check.expect_equal %a, %a : tensor<2xf32>
  return
}
