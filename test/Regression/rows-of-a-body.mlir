// A body with index arithmetic may yield more rows than it was given; compiled
// loops would have read and written past them.
//
// RUN: sluice-run %s --entry=same
// RUN: sluice-run %s --entry=same --target=interpreter
// RUN: not sluice-run %s --entry=twice 2>&1 | FileCheck %s
// RUN: not sluice-run %s --entry=twice --target=interpreter 2>&1 | FileCheck %s --check-prefix=INTERPRETER

func.func private @x() -> tensor<3x2xf32> {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 1.0], [0.0, 5.0]]> : tensor<3x2xf32>
  return %x : tensor<3x2xf32>
}

func.func @same() {
  %x = call @x() : () -> tensor<3x2xf32>
  %g = sluice.topk %x, 1 : tensor<3x2xf32>
  %y = sluice.experts by %g : !sluice.gates<3x2xf32, 1 per token>
      (%t = %x : tensor<3x2xf32>) combine sum weight none -> tensor<3x2xf32> {
    %c0 = arith.constant 0 : index
    %n = tensor.dim %t, %c0 : tensor<?x2xf32>
    %e = tensor.empty(%n) : tensor<?x2xf32>
    %h = linalg.add ins(%t, %t : tensor<?x2xf32>, tensor<?x2xf32>)
                    outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
    sluice.yield %h : tensor<?x2xf32>
  }
  %twice = arith.addf %x, %x : tensor<3x2xf32>
  check.expect_close %y, %twice tolerance 0.0 : tensor<3x2xf32>
  return
}

// CHECK: rows-of-a-body.mlir:[[@LINE+5]]:8: the expert's body yielded {{2 rows for 1|4 rows for 2}} tokens; it must yield as many as it is given
// INTERPRETER: rows-of-a-body.mlir:[[@LINE+4]]:8: error: expected the body to yield 1 rows, one for each token, but got 2
func.func @twice() -> tensor<3x2xf32> {
  %x = call @x() : () -> tensor<3x2xf32>
  %g = sluice.topk %x, 1 : tensor<3x2xf32>
  %y = sluice.experts by %g : !sluice.gates<3x2xf32, 1 per token>
      (%t = %x : tensor<3x2xf32>) combine sum weight none -> tensor<3x2xf32> {
    %h = tensor.concat dim(0) %t, %t
      : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
    sluice.yield %h : tensor<?x2xf32>
  }
  return %y : tensor<3x2xf32>
}
