// gpt-oss with its weights as they are published, in MXFP4: [E, out, in / 32, 16] bytes and [E, out, in / 32] exponents.
// (48 is no multiple of 32, so here the last dimension of the second matrix is not cut into blocks.)
// Switches: swiglu_limit = 7; swiglu_alpha = 1.702.
!tokens = tensor<?x64xf32>
!hidden = tensor<?x48xf32>
!gates = !sluice.gates<?x8xf32, 4 per token>
sluice.weight @router "model.layers.1.mlp.router.weight" : tensor<8x64xf32>
sluice.weight @router_bias "model.layers.1.mlp.router.bias" : tensor<8xf32>
sluice.weight @gate_up "model.layers.1.mlp.experts.gate_up_proj_blocks" : tensor<8x96x2x16xi8>
sluice.weight @gate_up_scales "model.layers.1.mlp.experts.gate_up_proj_scales" : tensor<8x96x2xi8>
sluice.weight @gate_up_bias "model.layers.1.mlp.experts.gate_up_proj_bias" : tensor<8x96xf32>
sluice.weight @down "model.layers.1.mlp.experts.down_proj_blocks" : tensor<8x64x24xi8>
sluice.weight @down_scales "model.layers.1.mlp.experts.down_proj_scales" : tensor<8x64x2xi8>
sluice.weight @down_bias "model.layers.1.mlp.experts.down_proj_bias" : tensor<8x64xf32>
func.func private @choose(%x: !tokens) -> !gates {
  %w = sluice.get_weight @router : tensor<8x64xf32>
  %b = sluice.get_weight @router_bias : tensor<8xf32>
  %l = sluice.linear %x, %w bias %b : (!tokens, tensor<8x64xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %c = sluice.topk %l, 4 : tensor<?x8xf32>
  %g = sluice.softmax %c : !gates
  return %g : !gates
}
func.func @moe(%x: !tokens) -> !tokens {
  %w1 = sluice.get_weight @gate_up : tensor<8x96x2x16xi8> %s1 = sluice.get_weight @gate_up_scales : tensor<8x96x2xi8>
  %w2 = sluice.get_weight @down : tensor<8x64x24xi8>      %s2 = sluice.get_weight @down_scales : tensor<8x64x2xi8>
  %b1 = sluice.get_weight @gate_up_bias : tensor<8x96xf32>
  %b2 = sluice.get_weight @down_bias : tensor<8x64xf32>
  %alpha = arith.constant 1.702 : f32                     %one = arith.constant 1.0 : f32
  %g = call @choose(%x) : (!tokens) -> !gates
  %y = sluice.experts by %g : !gates (%t = %x : !tokens)
      with (%q = %w1 : tensor<8x96x2x16xi8>, %e = %s1 : tensor<8x96x2xi8>, %b = %b1 : tensor<8x96xf32>,
            %p = %w2 : tensor<8x64x24xi8>, %f = %s2 : tensor<8x64x2xi8>, %c = %b2 : tensor<8x64xf32>)
      combine sum weight output -> !tokens {
    %w = sluice.dequantize %q as f4E2M1FN in blocks [1, 32] by %e as f8E8M0FNU
      : (tensor<96x2x16xi8>, tensor<96x2xi8>) -> tensor<96x64xf32>
    %v = sluice.dequantize %p as f4E2M1FN in blocks [1, 32] by %f as f8E8M0FNU
      : (tensor<64x24xi8>, tensor<64x2xi8>) -> tensor<64x48xf32>
    %gu = sluice.linear %t, %w bias %b : (!tokens, tensor<96x64xf32>, tensor<96xf32>) -> tensor<?x96xf32>
    %gate, %up = sluice.split %gu interleaved : tensor<?x96xf32> into 2
    %g0 = sluice.clamp %gate max 7.0 : !hidden            %u0 = sluice.clamp %up min -7.0 max 7.0 : !hidden
    %a = sluice.broadcast %alpha like %g0 : f32, !hidden  %ag = arith.mulf %g0, %a : !hidden
    %s = sluice.sigmoid %ag : !hidden                     %glu = arith.mulf %g0, %s : !hidden
    %1 = sluice.broadcast %one like %u0 : f32, !hidden    %u1 = arith.addf %u0, %1 : !hidden
    %h = arith.mulf %u1, %glu : !hidden
    %o = sluice.linear %h, %v bias %c : (!hidden, tensor<64x48xf32>, tensor<64xf32>) -> !tokens
    sluice.yield %o : !tokens
  }
  return %y : !tokens
}
