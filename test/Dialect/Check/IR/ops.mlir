// RUN: sluice-opt %s | sluice-opt | FileCheck %s
// RUN: sluice-opt %s --mlir-print-op-generic | sluice-opt | FileCheck %s

// CHECK-LABEL: @expect_close
func.func @expect_close(%a: tensor<2x3xf32>, %b: tensor<?xbf16>) {
  // CHECK: check.expect_close %{{.*}}, %{{.*}} tolerance 1.000000e-05 : tensor<2x3xf32>
  check.expect_close %a, %a tolerance 1.0e-5 : tensor<2x3xf32>
  // CHECK: check.expect_close %{{.*}}, %{{.*}} tolerance 0.000000e+00 : tensor<?xbf16>
  check.expect_close %b, %b tolerance 0.0 : tensor<?xbf16>
  return
}

// CHECK-LABEL: @expect_equal
func.func @expect_equal(%a: tensor<3x2xi64>, %b: tensor<?xi1>, %c: tensor<4xindex>) {
  // CHECK: check.expect_equal %{{.*}}, %{{.*}} : tensor<3x2xi64>
  check.expect_equal %a, %a : tensor<3x2xi64>
  // CHECK: check.expect_equal %{{.*}}, %{{.*}} : tensor<?xi1>
  check.expect_equal %b, %b : tensor<?xi1>
  // CHECK: check.expect_equal %{{.*}}, %{{.*}} : tensor<4xindex>
  check.expect_equal %c, %c : tensor<4xindex>
  return
}
