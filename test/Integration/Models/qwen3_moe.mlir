// Qwen3-MoE (arXiv:2505.09388; Qwen3MoeSparseMoeBlock of transformers): softmax,
// top-4, normalised; no shared expert.
// Switches: norm_topk_prob = true; decoder_sparse_step and mlp_only_layers say
// which layers have such a block.
!tokens = tensor<?x64xf32>
!hidden = tensor<?x48xf32>
!gates = !sluice.gates<?x16xf32, 4 per token>
sluice.weight @router "model.layers.1.mlp.gate.weight" : tensor<16x64xf32>
sluice.weight @gate "model.layers.1.mlp.experts.{e}.gate_proj.weight" : tensor<16x48x64xf32>
sluice.weight @up "model.layers.1.mlp.experts.{e}.up_proj.weight" : tensor<16x48x64xf32>
sluice.weight @down "model.layers.1.mlp.experts.{e}.down_proj.weight" : tensor<16x64x48xf32>
func.func private @choose(%x: !tokens) -> !gates {
  %router = sluice.get_weight @router : tensor<16x64xf32>
  %l = sluice.linear %x, %router : (!tokens, tensor<16x64xf32>) -> tensor<?x16xf32>
  %p = sluice.softmax %l : tensor<?x16xf32>
  %g = sluice.topk %p, 4 : tensor<?x16xf32>
  %n = sluice.normalize %g : !gates
  return %n : !gates
}
func.func @moe(%x: !tokens) -> !tokens {
  %gate = sluice.get_weight @gate : tensor<16x48x64xf32>
  %up = sluice.get_weight @up : tensor<16x48x64xf32>
  %down = sluice.get_weight @down : tensor<16x64x48xf32>
  %g = call @choose(%x) : (!tokens) -> !gates
  %y = sluice.experts by %g : !gates (%t = %x : !tokens)
      with (%wg = %gate : tensor<16x48x64xf32>, %wu = %up : tensor<16x48x64xf32>,
            %wd = %down : tensor<16x64x48xf32>) combine sum weight output -> !tokens {
    %a = sluice.linear %t, %wg : (!tokens, tensor<48x64xf32>) -> !hidden
    %b = sluice.linear %t, %wu : (!tokens, tensor<48x64xf32>) -> !hidden
    %s = sluice.silu %a : !hidden
    %h = arith.mulf %s, %b : !hidden
    %o = sluice.linear %h, %wd : (!hidden, tensor<64x48xf32>) -> !tokens
    sluice.yield %o : !tokens
  }
  return %y : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x4xi64>, tensor<?x4xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x4xi64>, tensor<?x4xf32>
}
