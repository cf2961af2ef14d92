// Ernie 4.5 (Ernie4_5_MoeSparseMoeBlock of transformers): softmax; a bias that chooses but does not weigh; the sum that
// normalises is at least moe_norm_min; the shared experts are one MLP of moe_num_shared_experts times the width.
// Switches: moe_norm_min = 1e-12; moe_num_shared_experts = 2; use_bias = false (of the shared experts).
!tokens = tensor<?x64xf32>  !scores = tensor<?x16xf32>  !gates = !sluice.gates<?x16xf32, 6 per token>
!hidden = tensor<?x40xf32>  !ins = tensor<16x40x64xf32> !in = tensor<40x64xf32>
!wide = tensor<?x80xf32>    !outs = tensor<16x64x40xf32> !out = tensor<64x40xf32>
sluice.weight @router "model.layers.1.mlp.gate.weight" : tensor<16x64xf32>
sluice.weight @bias "model.layers.1.mlp.moe_statics.e_score_correction_bias" : tensor<1x16xf32>
sluice.weight @gate "model.layers.1.mlp.experts.{e}.gate_proj.weight" : !ins
sluice.weight @up "model.layers.1.mlp.experts.{e}.up_proj.weight" : !ins
sluice.weight @down "model.layers.1.mlp.experts.{e}.down_proj.weight" : !outs
sluice.weight @shared_gate "model.layers.1.mlp.shared_experts.gate_proj.weight" : tensor<80x64xf32>
sluice.weight @shared_up "model.layers.1.mlp.shared_experts.up_proj.weight" : tensor<80x64xf32>
sluice.weight @shared_down "model.layers.1.mlp.shared_experts.down_proj.weight" : tensor<64x80xf32>
func.func private @choose(%x: !tokens) -> !gates {
  %w = sluice.get_weight @router : tensor<16x64xf32>        %bias = sluice.get_weight @bias : tensor<1x16xf32>
  %l = sluice.linear %x, %w : (!tokens, tensor<16x64xf32>) -> !scores
  %p = sluice.softmax %l : !scores                          %b = sluice.broadcast %bias like %p : tensor<1x16xf32>, !scores
  %c = arith.addf %p, %b : !scores                          %g = sluice.topk %c, 6 weights %p : !scores, !scores
  %n = sluice.normalize %g min 1.0e-12 : !gates
  return %n : !gates
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
  %v1 = sluice.get_weight @shared_gate : tensor<80x64xf32>  %v3 = sluice.get_weight @shared_up : tensor<80x64xf32>
  %a = sluice.linear %x, %v1 : (!tokens, tensor<80x64xf32>) -> !wide
  %b = sluice.linear %x, %v3 : (!tokens, tensor<80x64xf32>) -> !wide
  %s = sluice.silu %a : !wide   %h = arith.mulf %s, %b : !wide   %v2 = sluice.get_weight @shared_down : tensor<64x80xf32>
  %o = sluice.linear %h, %v2 : (!wide, tensor<64x80xf32>) -> !tokens
  %z = arith.addf %y, %o : !tokens
  return %z : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x6xi64>, tensor<?x6xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x6xi64>, tensor<?x6xf32>
}
