// DeepSeek-V2 with groups (arXiv:2405.04434; DeepseekV2Moe of transformers): a group's score is its largest one, the
// scores of the other groups become 0.0; softmax, top-3, scaled, not normalised; a shared expert.
// Switches: topk_method = group_limited_greedy; n_group = 4; topk_group = 2; routed_scaling_factor = 4.0;
// n_shared_experts = 1; first_k_dense_replace.
!tokens = tensor<?x56xf32>  !scores = tensor<?x16xf32>    !gates = !sluice.gates<?x16xf32, 3 per token>
!hidden = tensor<?x40xf32>  !ins = tensor<16x40x56xf32>   !in = tensor<40x56xf32>
!outs = tensor<16x56x40xf32>                              !out = tensor<56x40xf32>
sluice.weight @router "model.layers.1.mlp.gate.weight" : tensor<16x56xf32>
sluice.weight @gate "model.layers.1.mlp.experts.{e}.gate_proj.weight" : !ins
sluice.weight @up "model.layers.1.mlp.experts.{e}.up_proj.weight" : !ins
sluice.weight @down "model.layers.1.mlp.experts.{e}.down_proj.weight" : !outs
sluice.weight @shared_gate "model.layers.1.mlp.shared_experts.gate_proj.weight" : !in
sluice.weight @shared_up "model.layers.1.mlp.shared_experts.up_proj.weight" : !in
sluice.weight @shared_down "model.layers.1.mlp.shared_experts.down_proj.weight" : !out
func.func private @choose(%x: !tokens) -> !gates {
  %w = sluice.get_weight @router : tensor<16x56xf32>
  %l = sluice.linear %x, %w : (!tokens, tensor<16x56xf32>) -> !scores
  %p = sluice.softmax %l : !scores
  %m = sluice.keep_groups %p, 2 of 4 by max masked zero : !scores
  %g = sluice.topk %m, 3 weights %p : !scores, !scores
  %s = sluice.scale %g by 4.0 : !gates
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
  %v1 = sluice.get_weight @shared_gate : !in                %v3 = sluice.get_weight @shared_up : !in
  %a = sluice.linear %x, %v1 : (!tokens, !in) -> !hidden    %b = sluice.linear %x, %v3 : (!tokens, !in) -> !hidden
  %s = sluice.silu %a : !hidden                             %h = arith.mulf %s, %b : !hidden
  %v2 = sluice.get_weight @shared_down : !out               %o = sluice.linear %h, %v2 : (!hidden, !out) -> !tokens
  %z = arith.addf %y, %o : !tokens
  return %z : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x3xi64>, tensor<?x3xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x3xi64>, tensor<?x3xf32>
}
