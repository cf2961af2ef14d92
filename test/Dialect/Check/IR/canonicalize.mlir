// RUN: sluice-opt %s --canonicalize --cse | FileCheck %s

// Expectations are effects: nobody uses their result, and they stay.
// CHECK-LABEL: @kept
func.func @kept(%a: tensor<2xi32>) {
  // CHECK: check.expect_equal
  check.expect_equal %a, %a : tensor<2xi32>
  return
}
