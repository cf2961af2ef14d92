// GLM-4-MoE (arXiv:2508.06471; Glm4MoeMoE of transformers): DeepSeek-V3's router with one group; a shared expert.
// Switches: n_group = 1; topk_group = 1; norm_topk_prob = true; routed_scaling_factor = 2.5; n_shared_experts = 1.
!tokens = tensor<?x60xf32>  !scores = tensor<?x16xf32>    !gates = !sluice.gates<?x16xf32, 4 per token>
!hidden = tensor<?x44xf32>  !ins = tensor<16x44x60xf32>   !in = tensor<44x60xf32>
!outs = tensor<16x60x44xf32>                              !out = tensor<60x44xf32>
sluice.weight @router "model.layers.1.mlp.gate.weight" : tensor<16x60xf32>
sluice.weight @bias "model.layers.1.mlp.gate.e_score_correction_bias" : tensor<16xf32>
sluice.weight @gate "model.layers.1.mlp.experts.{e}.gate_proj.weight" : !ins
sluice.weight @up "model.layers.1.mlp.experts.{e}.up_proj.weight" : !ins
sluice.weight @down "model.layers.1.mlp.experts.{e}.down_proj.weight" : !outs
sluice.weight @shared_gate "model.layers.1.mlp.shared_experts.gate_proj.weight" : !in
sluice.weight @shared_up "model.layers.1.mlp.shared_experts.up_proj.weight" : !in
sluice.weight @shared_down "model.layers.1.mlp.shared_experts.down_proj.weight" : !out
func.func private @choose(%x: !tokens) -> !gates {
  %w = sluice.get_weight @router : tensor<16x60xf32>      %bias = sluice.get_weight @bias : tensor<16xf32>
  %l = sluice.linear %x, %w : (!tokens, tensor<16x60xf32>) -> !scores
  %s = sluice.sigmoid %l : !scores
  %b = sluice.broadcast %bias like %s : tensor<16xf32>, !scores
  %c = arith.addf %s, %b : !scores
  %g = sluice.topk %c, 4 weights %s : !scores, !scores
  %n = sluice.normalize %g eps 1.0e-20 : !gates           %v = sluice.scale %n by 2.5 : !gates
  return %v : !gates
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
  %v1 = sluice.get_weight @shared_gate : !in                %v3 = sluice.get_weight @shared_up : !in
  %a = sluice.linear %x, %v1 : (!tokens, !in) -> !hidden    %b = sluice.linear %x, %v3 : (!tokens, !in) -> !hidden
  %s = sluice.silu %a : !hidden                             %h = arith.mulf %s, %b : !hidden
  %v2 = sluice.get_weight @shared_down : !out               %o = sluice.linear %h, %v2 : (!hidden, !out) -> !tokens
  %z = arith.addf %y, %o : !tokens
  return %z : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x4xi64>, tensor<?x4xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x4xi64>, tensor<?x4xf32>
}
