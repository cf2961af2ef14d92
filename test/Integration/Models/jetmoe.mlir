// JetMoE (arXiv:2404.07413; JetMoeMoE of transformers): softmax after selection; gate
// and up are the halves of one matrix; a bias is added after combine, once a token.
// Switches: num_experts_per_tok = 2; activation_function = silu.
!tokens = tensor<?x64xf32>
!hidden = tensor<?x88xf32>
!gates = !sluice.gates<?x8xf32, 2 per token>
sluice.weight @router "model.layers.1.mlp.router.layer.weight" : tensor<8x64xf32>
sluice.weight @gate_up "model.layers.1.mlp.input_linear.weight" : tensor<8x176x64xf32>
sluice.weight @down "model.layers.1.mlp.output_linear.weight" : tensor<8x64x88xf32>
sluice.weight @bias "model.layers.1.mlp.bias" : tensor<64xf32>
func.func private @choose(%x: !tokens) -> !gates {
  %router = sluice.get_weight @router : tensor<8x64xf32>
  %l = sluice.linear %x, %router : (!tokens, tensor<8x64xf32>) -> tensor<?x8xf32>
  %c = sluice.topk %l, 2 : tensor<?x8xf32>
  %g = sluice.softmax %c : !gates
  return %g : !gates
}
func.func @moe(%x: !tokens) -> !tokens {
  %gate_up = sluice.get_weight @gate_up : tensor<8x176x64xf32>
  %down = sluice.get_weight @down : tensor<8x64x88xf32>
  %bias = sluice.get_weight @bias : tensor<64xf32>
  %g = call @choose(%x) : (!tokens) -> !gates
  %y = sluice.experts by %g : !gates (%t = %x : !tokens)
      with (%w1 = %gate_up : tensor<8x176x64xf32>, %w2 = %down : tensor<8x64x88xf32>)
      combine sum weight output -> !tokens {
    %ab = sluice.linear %t, %w1 : (!tokens, tensor<176x64xf32>) -> tensor<?x176xf32>
    %a, %b = sluice.split %ab : tensor<?x176xf32> into 2
    %s = sluice.silu %a : !hidden
    %h = arith.mulf %s, %b : !hidden
    %o = sluice.linear %h, %w2 : (!hidden, tensor<64x88xf32>) -> !tokens
    sluice.yield %o : !tokens
  }
  %b = sluice.broadcast %bias like %y : tensor<64xf32>, !tokens
  %z = arith.addf %y, %b : !tokens
  return %z : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x2xi64>, tensor<?x2xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x2xi64>, tensor<?x2xf32>
}
