// An expectation inside an expert's body runs in a parallel loop, where stack
// memory for its intermediate results could not be lowered.
//
// RUN: sluice-run %s --entry=holds
// RUN: sluice-run %s --entry=holds --target=interpreter
// RUN: not sluice-run %s --entry=fails 2>&1 | FileCheck %s

func.func @holds() {
  %s = arith.constant dense<[[1.0, 2.0], [3.0, 1.0], [0.0, 1.0]]> : tensor<3x2xf32>
  %g = sluice.topk %s, 1 : tensor<3x2xf32>
  %y = sluice.experts by %g : !sluice.gates<3x2xf32, 1 per token>
      (%t = %s : tensor<3x2xf32>) combine sum weight none -> tensor<3x2xf32> {
    %r = sluice.relu %t : tensor<?x2xf32>
    check.expect_close %r, %t tolerance 0.0 : tensor<?x2xf32>
    sluice.yield %r : tensor<?x2xf32>
  }
  check.expect_close %y, %s tolerance 0.0 : tensor<3x2xf32>
  return
}

// CHECK: check-in-expert.mlir:[[@LINE+7]]:5: expect_close failed: element 1 is 0 but -1 was expected (tolerance 0)
func.func @fails() {
  %s = arith.constant dense<[[1.0, -1.0]]> : tensor<1x2xf32>
  %g = sluice.topk %s, 1 : tensor<1x2xf32>
  %y = sluice.experts by %g : !sluice.gates<1x2xf32, 1 per token>
      (%t = %s : tensor<1x2xf32>) combine sum weight none -> tensor<1x2xf32> {
    %r = sluice.relu %t : tensor<?x2xf32>
    check.expect_close %r, %t tolerance 0.0 : tensor<?x2xf32>
    sluice.yield %r : tensor<?x2xf32>
  }
  return
}
