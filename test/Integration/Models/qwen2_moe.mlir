// Qwen2-MoE (arXiv:2407.10671; Qwen2MoeSparseMoeBlock of transformers): softmax, top-4; a gated shared expert beside.
// Switches: norm_topk_prob = false; decoder_sparse_step and mlp_only_layers say which layers have such a block.
!tokens = tensor<?x56xf32>  !hidden = tensor<?x40xf32>    !in = tensor<40x56xf32>   !out = tensor<56x40xf32>
!column = tensor<?x1xf32>   !wide = tensor<?x80xf32>      !win = tensor<80x56xf32>  !wout = tensor<56x80xf32>
!gates = !sluice.gates<?x12xf32, 4 per token>             !ins = tensor<12x40x56xf32>  !outs = tensor<12x56x40xf32>
sluice.weight @router "model.layers.1.mlp.gate.weight" : tensor<12x56xf32>
sluice.weight @gate "model.layers.1.mlp.experts.{e}.gate_proj.weight" : !ins
sluice.weight @up "model.layers.1.mlp.experts.{e}.up_proj.weight" : !ins
sluice.weight @down "model.layers.1.mlp.experts.{e}.down_proj.weight" : !outs
sluice.weight @shared_gate "model.layers.1.mlp.shared_expert.gate_proj.weight" : !win
sluice.weight @shared_up "model.layers.1.mlp.shared_expert.up_proj.weight" : !win
sluice.weight @shared_down "model.layers.1.mlp.shared_expert.down_proj.weight" : !wout
sluice.weight @shared_router "model.layers.1.mlp.shared_expert_gate.weight" : tensor<1x56xf32>
func.func private @choose(%x: !tokens) -> !gates {
  %w = sluice.get_weight @router : tensor<12x56xf32>
  %l = sluice.linear %x, %w : (!tokens, tensor<12x56xf32>) -> tensor<?x12xf32>
  %p = sluice.softmax %l : tensor<?x12xf32>
  %g = sluice.topk %p, 4 : tensor<?x12xf32>
  return %g : !gates
}
func.func @moe(%x: !tokens) -> !tokens {
  %w1 = sluice.get_weight @gate : !ins  %w3 = sluice.get_weight @up : !ins  %w2 = sluice.get_weight @down : !outs
  %g = call @choose(%x) : (!tokens) -> !gates
  %y = sluice.experts by %g : !gates (%t = %x : !tokens)
      with (%gate = %w1 : !ins, %up = %w3 : !ins, %down = %w2 : !outs) combine sum weight output -> !tokens {
    %a = sluice.linear %t, %gate : (!tokens, !in) -> !hidden  %b = sluice.linear %t, %up : (!tokens, !in) -> !hidden
    %s = sluice.silu %a : !hidden                             %h = arith.mulf %s, %b : !hidden
    %o = sluice.linear %h, %down : (!hidden, !out) -> !tokens
    sluice.yield %o : !tokens
  }
  %v1 = sluice.get_weight @shared_gate : !win              %v3 = sluice.get_weight @shared_up : !win
  %v2 = sluice.get_weight @shared_down : !wout             %v4 = sluice.get_weight @shared_router : tensor<1x56xf32>
  %c = sluice.linear %x, %v1 : (!tokens, !win) -> !wide    %d = sluice.linear %x, %v3 : (!tokens, !win) -> !wide
  %r = sluice.silu %c : !wide                              %k = arith.mulf %r, %d : !wide
  %q = sluice.linear %k, %v2 : (!wide, !wout) -> !tokens   %m = sluice.linear %x, %v4 : (!tokens, tensor<1x56xf32>) -> !column
  %n = sluice.sigmoid %m : !column                         %f = sluice.broadcast %n like %q : !column, !tokens
  %z = arith.mulf %q, %f : !tokens                         %yz = arith.addf %y, %z : !tokens
  return %yz : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x4xi64>, tensor<?x4xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x4xi64>, tensor<?x4xf32>
}
