// OLMoE (arXiv:2409.02060; OlmoeSparseMoeBlock of transformers): as released, the
// chosen probabilities are not normalised, so they do not add up to 1.
// Switches: norm_topk_prob = false.
!tokens = tensor<?x50xf32>
!hidden = tensor<?x42xf32>
!gates = !sluice.gates<?x16xf32, 5 per token>
sluice.weight @router "model.layers.1.mlp.gate.weight" : tensor<16x50xf32>
sluice.weight @gate "model.layers.1.mlp.experts.{e}.gate_proj.weight" : tensor<16x42x50xf32>
sluice.weight @up "model.layers.1.mlp.experts.{e}.up_proj.weight" : tensor<16x42x50xf32>
sluice.weight @down "model.layers.1.mlp.experts.{e}.down_proj.weight" : tensor<16x50x42xf32>

func.func private @choose(%x: !tokens) -> !gates {
  %router = sluice.get_weight @router : tensor<16x50xf32>
  %l = sluice.linear %x, %router : (!tokens, tensor<16x50xf32>) -> tensor<?x16xf32>
  %p = sluice.softmax %l : tensor<?x16xf32>
  %g = sluice.topk %p, 5 : tensor<?x16xf32>
  return %g : !gates
}

func.func @moe(%x: !tokens) -> !tokens {
  %gate = sluice.get_weight @gate : tensor<16x42x50xf32>
  %up = sluice.get_weight @up : tensor<16x42x50xf32>
  %down = sluice.get_weight @down : tensor<16x50x42xf32>
  %g = call @choose(%x) : (!tokens) -> !gates
  %y = sluice.experts by %g : !gates (%t = %x : !tokens)
      with (%wg = %gate : tensor<16x42x50xf32>, %wu = %up : tensor<16x42x50xf32>,
            %wd = %down : tensor<16x50x42xf32>) combine sum weight output -> !tokens {
    %a = sluice.linear %t, %wg : (!tokens, tensor<42x50xf32>) -> !hidden
    %b = sluice.linear %t, %wu : (!tokens, tensor<42x50xf32>) -> !hidden
    %s = sluice.silu %a : !hidden
    %h = arith.mulf %s, %b : !hidden
    %o = sluice.linear %h, %wd : (!hidden, tensor<50x42xf32>) -> !tokens
    sluice.yield %o : !tokens
  }
  return %y : !tokens
}

func.func @route(%x: !tokens) -> (tensor<?x5xi64>, tensor<?x5xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x5xi64>, tensor<?x5xf32>
}
