// DeepSeek-V4's first layers (deepseek_v4 of transformers): a table says to which experts a token's id goes; they are
// weighed by their scores; otherwise as deepseek_v4.
// Switches: scoring_func = sqrtsoftplus; routed_scaling_factor = 1.5; swiglu_limit = 0.8; mlp_layer_types = hash_moe.
!tokens = tensor<?x64xf32>  !scores = tensor<?x10xf32>     !router = tensor<10x64xf32>  !table = tensor<53x3xi64>
!hidden = tensor<?x48xf32>  !ins = tensor<10x48x64xf32>    !in = tensor<48x64xf32>      !chosen = tensor<?x3xi64>
!outs = tensor<10x64x48xf32>  !out = tensor<64x48xf32>  !ids = tensor<?xi64>  !gates = !sluice.gates<?x10xf32, 3 per token>
sluice.weight @router "model.layers.0.ffn.gate.weight" : !router
sluice.weight @table "model.layers.0.ffn.gate.tid2eid" : !table
sluice.weight @gate "model.layers.0.ffn.experts.{e}.w1.weight" : !ins
sluice.weight @up "model.layers.0.ffn.experts.{e}.w3.weight" : !ins
sluice.weight @down "model.layers.0.ffn.experts.{e}.w2.weight" : !outs
sluice.weight @shared_gate "model.layers.0.ffn.shared_experts.w1.weight" : !in
sluice.weight @shared_up "model.layers.0.ffn.shared_experts.w3.weight" : !in
sluice.weight @shared_down "model.layers.0.ffn.shared_experts.w2.weight" : !out
func.func private @choose(%x: !tokens, %ids: !ids) -> !gates {
  %w = sluice.get_weight @router : !router                  %table = sluice.get_weight @table : !table
  %l = sluice.linear %x, %w : (!tokens, !router) -> !scores
  %p = sluice.softplus %l : !scores                         %s = math.sqrt %p : !scores
  %c0 = arith.constant 0 : index                            %n = tensor.dim %ids, %c0 : !ids
  %id = tensor.expand_shape %ids [[0, 1]] output_shape [%n, 1] : !ids into tensor<?x1xi64>
  %i = tensor.gather %table[%id] gather_dims([0]) : (!table, tensor<?x1xi64>) -> !chosen
  %g = sluice.from_entries %i weights %s : (!chosen, !scores) -> !gates
  %m = sluice.normalize %g eps 1.0e-20 : !gates             %v = sluice.scale %m by 1.5 : !gates
  return %v : !gates
}
func.func private @swiglu(%x: !tokens, %gate: !in, %up: !in, %down: !out) -> !tokens {
  %a = sluice.linear %x, %gate : (!tokens, !in) -> !hidden  %b = sluice.linear %x, %up : (!tokens, !in) -> !hidden
  %a1 = sluice.clamp %a max 0.8 : !hidden                   %b1 = sluice.clamp %b min -0.8 max 0.8 : !hidden
  %s = sluice.silu %a1 : !hidden   %h = arith.mulf %s, %b1 : !hidden   %o = sluice.linear %h, %down : (!hidden, !out) -> !tokens
  return %o : !tokens
}
func.func @moe(%x: !tokens, %ids: !ids) -> !tokens {
  %w1 = sluice.get_weight @gate : !ins   %w3 = sluice.get_weight @up : !ins   %w2 = sluice.get_weight @down : !outs
  %v1 = sluice.get_weight @shared_gate : !in                %v3 = sluice.get_weight @shared_up : !in
  %v2 = sluice.get_weight @shared_down : !out               %g = call @choose(%x, %ids) : (!tokens, !ids) -> !gates
  %y = sluice.experts by %g : !gates (%t = %x : !tokens)
      with (%gate = %w1 : !ins, %up = %w3 : !ins, %down = %w2 : !outs) combine sum weight output -> !tokens {
    %o = func.call @swiglu(%t, %gate, %up, %down) : (!tokens, !in, !in, !out) -> !tokens
    sluice.yield %o : !tokens
  }
  %s = call @swiglu(%x, %v1, %v3, %v2) : (!tokens, !in, !in, !out) -> !tokens
  %z = arith.addf %y, %s : !tokens
  return %z : !tokens
}
func.func @route(%x: !tokens, %ids: !ids) -> (tensor<?x3xi64>, tensor<?x3xf32>) {
  %g = call @choose(%x, %ids) : (!tokens, !ids) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x3xi64>, tensor<?x3xf32>
}
