// RUN: sluice-opt %s --sluice-externalize-state --convert-check-to-scf | FileCheck %s
// RUN: not sluice-opt %s --convert-check-to-scf 2>&1 | FileCheck %s --check-prefix=CODE

// CODE: error: expected a failure code; run sluice-externalize-state before convert-check-to-scf

// CHECK-LABEL: @close(
// CHECK-SAME: %[[STATE:.*]]: memref<?xi64>
// Shapes first, then the largest magnitude, then every element.
// CHECK: scf.if
// CHECK: scf.for
// CHECK: math.absf
// CHECK: scf.for
// CHECK: arith.cmpf ole
// Only the first failure writes.
// CHECK: memref.atomic_rmw addi %{{.*}}, %[[STATE]]
// CHECK: scf.if
// CHECK-COUNT-4: memref.store %{{.*}}, %[[STATE]]
// CHECK-NOT: check.expect_close
func.func @close(%a: tensor<?xf32>, %b: tensor<?xf32>) {
  check.expect_close %a, %b tolerance 1.0e-3 : tensor<?xf32>
  return
}

// CHECK-LABEL: @equal(
// CHECK: arith.cmpi ne, %{{.*}}, %{{.*}} : i64
// CHECK-NOT: check.expect_equal
func.func @equal(%a: tensor<4xi64>, %b: tensor<4xi64>) {
  check.expect_equal %a, %b : tensor<4xi64>
  return
}
