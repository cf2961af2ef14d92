// Nemotron-H (arXiv:2504.03624; nemotron_h of transformers): DeepSeek-V3's router; experts of relu(v)^2 without a gate on
// a projection of the tokens, whose sum is projected back; a shared expert of the same form on the tokens themselves.
// Switches: n_group = 4; topk_group = 2; norm_topk_prob = true; routed_scaling_factor = 2.5; moe_latent_size = 24.
!tokens = tensor<?x64xf32>  !scores = tensor<?x12xf32>  !router = tensor<12x64xf32>   !ups = tensor<12x48x24xf32>
!latent = tensor<?x24xf32>  !in = tensor<24x64xf32>     !out = tensor<64x24xf32>      !downs = tensor<12x24x48xf32>
!hidden = tensor<?x48xf32>  !up = tensor<48x24xf32>     !down = tensor<24x48xf32>
!wide = tensor<?x56xf32>  !wup = tensor<56x64xf32>  !wdown = tensor<64x56xf32>  !gates = !sluice.gates<?x12xf32, 3 per token>
sluice.weight @router "backbone.layers.0.mixer.gate.weight" : !router
sluice.weight @bias "backbone.layers.0.mixer.gate.e_score_correction_bias" : tensor<12xf32>
sluice.weight @latent_in "backbone.layers.0.mixer.fc1_latent_proj.weight" : !in
sluice.weight @latent_out "backbone.layers.0.mixer.fc2_latent_proj.weight" : !out
sluice.weight @up "backbone.layers.0.mixer.experts.{e}.up_proj.weight" : !ups
sluice.weight @down "backbone.layers.0.mixer.experts.{e}.down_proj.weight" : !downs
sluice.weight @shared_up "backbone.layers.0.mixer.shared_experts.up_proj.weight" : !wup
sluice.weight @shared_down "backbone.layers.0.mixer.shared_experts.down_proj.weight" : !wdown
func.func private @choose(%x: !tokens) -> !gates {
  %w = sluice.get_weight @router : !router                   %bias = sluice.get_weight @bias : tensor<12xf32>
  %l = sluice.linear %x, %w : (!tokens, !router) -> !scores  %s = sluice.sigmoid %l : !scores
  %b = sluice.broadcast %bias like %s : tensor<12xf32>, !scores
  %c = arith.addf %s, %b : !scores
  %m = sluice.keep_groups %c, 2 of 4 by top2_sum masked neg_inf : !scores
  %g = sluice.topk %m, 3 weights %s : !scores, !scores
  %n = sluice.normalize %g eps 1.0e-20 : !gates              %v = sluice.scale %n by 2.5 : !gates
  return %v : !gates
}
func.func @moe(%x: !tokens) -> !tokens {
  %w1 = sluice.get_weight @up : !ups      %in = sluice.get_weight @latent_in : !in     %v1 = sluice.get_weight @shared_up : !wup
  %w2 = sluice.get_weight @down : !downs %out = sluice.get_weight @latent_out : !out %g = call @choose(%x) : (!tokens) -> !gates
  %v2 = sluice.get_weight @shared_down : !wdown  %z = sluice.linear %x, %in : (!tokens, !in) -> !latent
  %r = sluice.experts by %g : !gates (%t = %z : !latent)
      with (%up = %w1 : !ups, %down = %w2 : !downs) combine sum weight output -> !latent {
    %v = sluice.linear %t, %up : (!latent, !up) -> !hidden   %p = sluice.relu %v : !hidden
    %h = arith.mulf %p, %p : !hidden                         %o = sluice.linear %h, %down : (!hidden, !down) -> !latent
    sluice.yield %o : !latent
  }
  %v = sluice.linear %x, %v1 : (!tokens, !wup) -> !wide      %p = sluice.relu %v : !wide
  %h = arith.mulf %p, %p : !wide                             %o = sluice.linear %h, %v2 : (!wide, !wdown) -> !tokens
  %y = sluice.linear %r, %out : (!latent, !out) -> !tokens   %s = arith.addf %y, %o : !tokens
  return %s : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x3xi64>, tensor<?x3xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x3xi64>, tensor<?x3xf32>
}
