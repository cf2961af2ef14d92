// DBRX (DbrxFFN of transformers): softmax, top-4, divided by a p-norm; w1 (gate), v1 (up), w2 (down) are stacked
// [E * F, D], and w2 is used as [in, out].
// Switches: moe_normalize_expert_weights = 1.0, the p of the norm (null: not normalised); ffn_act_fn = silu.
!tokens = tensor<?x56xf32>   !stacked = tensor<640x56xf32>
!hidden = tensor<?x40xf32>   !params = tensor<16x40x56xf32>   !param = tensor<40x56xf32>
!gates = !sluice.gates<?x16xf32, 4 per token>
sluice.weight @router "transformer.blocks.1.ffn.router.layer.weight" : tensor<16x56xf32>
sluice.weight @w1 "transformer.blocks.1.ffn.experts.mlp.w1" : !stacked
sluice.weight @v1 "transformer.blocks.1.ffn.experts.mlp.v1" : !stacked
sluice.weight @w2 "transformer.blocks.1.ffn.experts.mlp.w2" : !stacked
func.func private @choose(%x: !tokens) -> !gates {
  %router = sluice.get_weight @router : tensor<16x56xf32>
  %l = sluice.linear %x, %router : (!tokens, tensor<16x56xf32>) -> tensor<?x16xf32>
  %p = sluice.softmax %l : tensor<?x16xf32>
  %g = sluice.topk %p, 4 : tensor<?x16xf32>
  %n = sluice.normalize %g p 1.0 : !gates
  return %n : !gates
}
func.func @moe(%x: !tokens) -> !tokens {
  %s1 = sluice.get_weight @w1 : !stacked
  %s2 = sluice.get_weight @v1 : !stacked
  %s3 = sluice.get_weight @w2 : !stacked
  %w1 = tensor.expand_shape %s1 [[0, 1], [2]] output_shape [16, 40, 56] : !stacked into !params
  %v1 = tensor.expand_shape %s2 [[0, 1], [2]] output_shape [16, 40, 56] : !stacked into !params
  %w2 = tensor.expand_shape %s3 [[0, 1], [2]] output_shape [16, 40, 56] : !stacked into !params
  %g = call @choose(%x) : (!tokens) -> !gates
  %y = sluice.experts by %g : !gates (%t = %x : !tokens)
      with (%wg = %w1 : !params, %wu = %v1 : !params, %wd = %w2 : !params) combine sum weight output -> !tokens {
    %a = sluice.linear %t, %wg : (!tokens, !param) -> !hidden
    %b = sluice.linear %t, %wu : (!tokens, !param) -> !hidden
    %s = sluice.silu %a : !hidden
    %h = arith.mulf %s, %b : !hidden
    %o = sluice.linear %h, %wd layout in_out : (!hidden, !param) -> !tokens
    sluice.yield %o : !tokens
  }
  return %y : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x4xi64>, tensor<?x4xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x4xi64>, tensor<?x4xf32>
}
