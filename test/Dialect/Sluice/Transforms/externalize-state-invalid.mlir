// RUN: sluice-opt %s --sluice-externalize-state --split-input-file --verify-diagnostics

// expected-error @+1 {{expected a function with a body: compiled code has nothing to link 'f' to}}
func.func private @f(tensor<4xf32>)

// -----

// expected-error @+1 {{expected result 0 of public function 'f' to be a tensor but got '!sluice.gates<?x4xf32, 2 per token>'; give its entries instead (sluice.entries)}}
func.func @f(%x: tensor<?x4xf32>) -> !sluice.gates<?x4xf32, 2 per token> {
  %g = sluice.topk %x, 2 : tensor<?x4xf32>
  return %g : !sluice.gates<?x4xf32, 2 per token>
}

// -----

// expected-error @+1 {{expected argument 1 of public function 'f' to be a ranked tensor of f16, bf16, f32, f64, i1, i8, i32 or i64 but got 'f32'}}
func.func @f(%x: tensor<?x4xf32>, %y: f32) {
  return
}

// -----

// expected-error @+1 {{expected argument 0 of public function 'f' to be a tensor of at most 8 dimensions but got 'tensor<1x1x1x1x1x1x1x1x1xf32>'}}
func.func @f(%x: tensor<1x1x1x1x1x1x1x1x1xf32>) {
  return
}
