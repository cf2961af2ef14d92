// A file that contains its expectations: nothing is printed if they hold.
// RUN: sluice-run %s --entry=holds | count 0
// RUN: sluice-run %s --entry=holds --target=interpreter | count 0
// RUN: not sluice-run %s --entry=fails 2>&1 | FileCheck %s
// RUN: not sluice-run %s --entry=fails --check 2>&1 | FileCheck %s
// RUN: not sluice-run %s --entry=fails --target=interpreter 2>&1 | FileCheck %s --check-prefix=ORACLE

func.func @holds() {
  %x = arith.constant dense<[[1.0, 2.0], [-1.0, 0.5]]> : tensor<2x2xf32>
  %y = sluice.relu %x : tensor<2x2xf32>
  %e = arith.constant dense<[[1.0, 2.0], [0.0, 0.5]]> : tensor<2x2xf32>
  check.expect_close %y, %e tolerance 0.0 : tensor<2x2xf32>
  return
}

func.func @fails() {
  %x = arith.constant dense<[[1.0, 2.0], [-1.0, 0.5]]> : tensor<2x2xf32>
  %y = sluice.relu %x : tensor<2x2xf32>
  %e = arith.constant dense<[[1.0, 2.0], [0.0, 0.75]]> : tensor<2x2xf32>
  // CHECK: sluice-run: error: {{.*}}check-ops.mlir:[[#@LINE+2]]:3: expect_close failed: element 3 is 0.5 but 0.75 was expected
  // ORACLE: check-ops.mlir:[[#@LINE+1]]:3: error: expect_close failed: element [1, 1] is 0.5 but 0.75 was expected
  check.expect_close %y, %e tolerance 0.0 : tensor<2x2xf32>
  return
}
