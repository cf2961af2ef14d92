// Experts choose among tokens of which there are none, as the type says.
//
// RUN: sluice-run %s
// RUN: sluice-run %s --target=interpreter

func.func @main() {
  %scores = arith.constant dense<0.0> : tensor<0x2xf32>
  %x = arith.constant dense<0.0> : tensor<0x3xf32>
  %room = arith.constant 4 : index
  %g = sluice.choose_tokens %scores, %room : tensor<0x2xf32>
  %y = sluice.experts by %g : !sluice.gates<0x2xf32, ? per expert> (%t = %x : tensor<0x3xf32>)
      combine sum weight output -> tensor<0x3xf32> {
    sluice.yield %t : tensor<?x3xf32>
  }
  check.expect_close %y, %x tolerance 0.0 : tensor<0x3xf32>
  return
}
