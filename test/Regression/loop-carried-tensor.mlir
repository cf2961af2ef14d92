// A loop that carries a tensor which it does not update in place was refused by
// bufferization.
//
// RUN: sluice-run %s --entry=main
// RUN: sluice-run %s --entry=main --target=interpreter

func.func @main() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %x = arith.constant dense<[[1.0, -2.0], [0.5, 4.0]]> : tensor<2x2xf32>
  %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x) -> tensor<2x2xf32> {
    %p = sluice.relu %a : tensor<2x2xf32>
    %b = arith.addf %a, %p : tensor<2x2xf32>
    scf.yield %b : tensor<2x2xf32>
  }
  %expected = arith.constant dense<[[8.0, -2.0], [4.0, 32.0]]> : tensor<2x2xf32>
  check.expect_close %r, %expected tolerance 0.0 : tensor<2x2xf32>
  return
}
