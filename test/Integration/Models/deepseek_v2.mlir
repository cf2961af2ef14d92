// DeepSeek-V2 (arXiv:2405.04434; DeepseekV2Moe of transformers): softmax, top-3, scaled, not normalised (norm_topk_prob
// is not read); the shared experts are one MLP of n_shared_experts times the width.
// Switches: topk_method = greedy; routed_scaling_factor = 1.5; n_shared_experts = 2; first_k_dense_replace.
!tokens = tensor<?x64xf32>  !gates = !sluice.gates<?x12xf32, 3 per token>
!hidden = tensor<?x48xf32>  !ins = tensor<12x48x64xf32>  !in = tensor<48x64xf32>
!wide = tensor<?x96xf32>    !outs = tensor<12x64x48xf32> !out = tensor<64x48xf32>
sluice.weight @router "model.layers.1.mlp.gate.weight" : tensor<12x64xf32>
sluice.weight @gate "model.layers.1.mlp.experts.{e}.gate_proj.weight" : !ins
sluice.weight @up "model.layers.1.mlp.experts.{e}.up_proj.weight" : !ins
sluice.weight @down "model.layers.1.mlp.experts.{e}.down_proj.weight" : !outs
sluice.weight @shared_gate "model.layers.1.mlp.shared_experts.gate_proj.weight" : tensor<96x64xf32>
sluice.weight @shared_up "model.layers.1.mlp.shared_experts.up_proj.weight" : tensor<96x64xf32>
sluice.weight @shared_down "model.layers.1.mlp.shared_experts.down_proj.weight" : tensor<64x96xf32>
func.func private @choose(%x: !tokens) -> !gates {
  %w = sluice.get_weight @router : tensor<12x64xf32>
  %l = sluice.linear %x, %w : (!tokens, tensor<12x64xf32>) -> tensor<?x12xf32>
  %p = sluice.softmax %l : tensor<?x12xf32>
  %g = sluice.topk %p, 3 : tensor<?x12xf32>
  %s = sluice.scale %g by 1.5 : !gates
  return %s : !gates
}
func.func @moe(%x: !tokens) -> !tokens {
  %w1 = sluice.get_weight @gate : !ins   %w3 = sluice.get_weight @up : !ins   %w2 = sluice.get_weight @down : !outs
  %g = call @choose(%x) : (!tokens) -> !gates
  %y = sluice.experts by %g : !gates (%t = %x : !tokens)
      with (%gate = %w1 : !ins, %up = %w3 : !ins, %down = %w2 : !outs) combine sum weight output -> !tokens {
    %a = sluice.linear %t, %gate : (!tokens, !in) -> !hidden  %b = sluice.linear %t, %up : (!tokens, !in) -> !hidden
    %s = sluice.silu %a : !hidden                             %h = arith.mulf %s, %b : !hidden
    %o = sluice.linear %h, %down : (!hidden, !out) -> !tokens
    sluice.yield %o : !tokens
  }
  %v1 = sluice.get_weight @shared_gate : tensor<96x64xf32>   %v3 = sluice.get_weight @shared_up : tensor<96x64xf32>
  %a = sluice.linear %x, %v1 : (!tokens, tensor<96x64xf32>) -> !wide
  %b = sluice.linear %x, %v3 : (!tokens, tensor<96x64xf32>) -> !wide
  %s = sluice.silu %a : !wide                                %h = arith.mulf %s, %b : !wide
  %v2 = sluice.get_weight @shared_down : tensor<64x96xf32>
  %o = sluice.linear %h, %v2 : (!wide, tensor<64x96xf32>) -> !tokens
  %z = arith.addf %y, %o : !tokens
  return %z : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x3xi64>, tensor<?x3xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x3xi64>, tensor<?x3xf32>
}
