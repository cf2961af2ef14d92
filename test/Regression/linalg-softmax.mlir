// linalg.softmax has no loops of its own: the pipeline left it to the end, where
// it could not be translated, and the interpreter did not know it.
//
// RUN: sluice-run %s --entry=main
// RUN: sluice-run %s --entry=main --target=interpreter

func.func @main() {
  %x = arith.constant dense<[[0.0, 1.0], [0.0, 1.0]]> : tensor<2x2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %rows = linalg.softmax dimension(1) ins(%x : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
  %columns = linalg.softmax dimension(0) ins(%x : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
  %a = arith.constant dense<[[0.26894142, 0.73105858], [0.26894142, 0.73105858]]> : tensor<2x2xf32>
  %b = arith.constant dense<0.5> : tensor<2x2xf32>
  check.expect_close %rows, %a tolerance 1.0e-6 : tensor<2x2xf32>
  check.expect_close %columns, %b tolerance 1.0e-6 : tensor<2x2xf32>
  return
}
