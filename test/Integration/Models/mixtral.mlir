// Mixtral (arXiv:2401.04088; MixtralSparseMoeBlock of transformers): softmax, top-2,
// normalised; w1 is the gate, w3 goes up, w2 down.
// Switches: num_experts_per_tok = 2; hidden_act = silu.
!tokens = tensor<?x64xf32>
!hidden = tensor<?x96xf32>
!gates = !sluice.gates<?x8xf32, 2 per token>
sluice.weight @router "model.layers.1.block_sparse_moe.gate.weight" : tensor<8x64xf32>
sluice.weight @gate "model.layers.1.block_sparse_moe.experts.{e}.w1.weight" : tensor<8x96x64xf32>
sluice.weight @up "model.layers.1.block_sparse_moe.experts.{e}.w3.weight" : tensor<8x96x64xf32>
sluice.weight @down "model.layers.1.block_sparse_moe.experts.{e}.w2.weight" : tensor<8x64x96xf32>

func.func private @choose(%x: !tokens) -> !gates {
  %router = sluice.get_weight @router : tensor<8x64xf32>
  %l = sluice.linear %x, %router : (!tokens, tensor<8x64xf32>) -> tensor<?x8xf32>
  %p = sluice.softmax %l : tensor<?x8xf32>
  %g = sluice.topk %p, 2 : tensor<?x8xf32>
  %n = sluice.normalize %g : !gates
  return %n : !gates
}

func.func @moe(%x: !tokens) -> !tokens {
  %gate = sluice.get_weight @gate : tensor<8x96x64xf32>
  %up = sluice.get_weight @up : tensor<8x96x64xf32>
  %down = sluice.get_weight @down : tensor<8x64x96xf32>
  %g = call @choose(%x) : (!tokens) -> !gates
  %y = sluice.experts by %g : !gates (%t = %x : !tokens)
      with (%wg = %gate : tensor<8x96x64xf32>, %wu = %up : tensor<8x96x64xf32>,
            %wd = %down : tensor<8x64x96xf32>) combine sum weight output -> !tokens {
    %a = sluice.linear %t, %wg : (!tokens, tensor<96x64xf32>) -> !hidden
    %b = sluice.linear %t, %wu : (!tokens, tensor<96x64xf32>) -> !hidden
    %s = sluice.silu %a : !hidden
    %h = arith.mulf %s, %b : !hidden
    %o = sluice.linear %h, %wd : (!hidden, tensor<64x96xf32>) -> !tokens
    sluice.yield %o : !tokens
  }
  return %y : !tokens
}

func.func @route(%x: !tokens) -> (tensor<?x2xi64>, tensor<?x2xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x2xi64>, tensor<?x2xf32>
}
