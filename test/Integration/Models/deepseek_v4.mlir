// DeepSeek-V4 (deepseek_v4 of transformers): sqrt(softplus) scores; a bias that chooses but does not weigh; clamped SwiGLU.
// Switches: scoring_func = sqrtsoftplus; routed_scaling_factor = 1.5; swiglu_limit = 1.0; mlp_layer_types = moe.
!tokens = tensor<?x56xf32>  !scores = tensor<?x12xf32>     !router = tensor<12x56xf32>
!hidden = tensor<?x40xf32>  !ins = tensor<12x40x56xf32>    !in = tensor<40x56xf32>
!outs = tensor<12x56x40xf32>  !out = tensor<56x40xf32>     !gates = !sluice.gates<?x12xf32, 4 per token>
sluice.weight @router "model.layers.0.ffn.gate.weight" : !router
sluice.weight @bias "model.layers.0.ffn.gate.bias" : tensor<12xf32>
sluice.weight @gate "model.layers.0.ffn.experts.{e}.w1.weight" : !ins
sluice.weight @up "model.layers.0.ffn.experts.{e}.w3.weight" : !ins
sluice.weight @down "model.layers.0.ffn.experts.{e}.w2.weight" : !outs
sluice.weight @shared_gate "model.layers.0.ffn.shared_experts.w1.weight" : !in
sluice.weight @shared_up "model.layers.0.ffn.shared_experts.w3.weight" : !in
sluice.weight @shared_down "model.layers.0.ffn.shared_experts.w2.weight" : !out
func.func private @choose(%x: !tokens) -> !gates {
  %w = sluice.get_weight @router : !router                  %bias = sluice.get_weight @bias : tensor<12xf32>
  %l = sluice.linear %x, %w : (!tokens, !router) -> !scores %p = sluice.softplus %l : !scores
  %s = math.sqrt %p : !scores                               %b = sluice.broadcast %bias like %s : tensor<12xf32>, !scores
  %c = arith.addf %s, %b : !scores                          %g = sluice.topk %c, 4 weights %s : !scores, !scores
  %n = sluice.normalize %g eps 1.0e-20 : !gates             %v = sluice.scale %n by 1.5 : !gates
  return %v : !gates
}
func.func private @swiglu(%x: !tokens, %gate: !in, %up: !in, %down: !out) -> !tokens {
  %a = sluice.linear %x, %gate : (!tokens, !in) -> !hidden  %b = sluice.linear %x, %up : (!tokens, !in) -> !hidden
  %a1 = sluice.clamp %a max 1.0 : !hidden                   %b1 = sluice.clamp %b min -1.0 max 1.0 : !hidden
  %s = sluice.silu %a1 : !hidden   %h = arith.mulf %s, %b1 : !hidden   %o = sluice.linear %h, %down : (!hidden, !out) -> !tokens
  return %o : !tokens
}
func.func @moe(%x: !tokens) -> !tokens {
  %w1 = sluice.get_weight @gate : !ins   %w3 = sluice.get_weight @up : !ins   %w2 = sluice.get_weight @down : !outs
  %v1 = sluice.get_weight @shared_gate : !in                %v3 = sluice.get_weight @shared_up : !in
  %v2 = sluice.get_weight @shared_down : !out               %g = call @choose(%x) : (!tokens) -> !gates
  %y = sluice.experts by %g : !gates (%t = %x : !tokens)
      with (%gate = %w1 : !ins, %up = %w3 : !ins, %down = %w2 : !outs) combine sum weight output -> !tokens {
    %o = func.call @swiglu(%t, %gate, %up, %down) : (!tokens, !in, !in, !out) -> !tokens
    sluice.yield %o : !tokens
  }
  %s = call @swiglu(%x, %v1, %v3, %v2) : (!tokens, !in, !in, !out) -> !tokens
  %z = arith.addf %y, %s : !tokens
  return %z : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x4xi64>, tensor<?x4xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x4xi64>, tensor<?x4xf32>
}
