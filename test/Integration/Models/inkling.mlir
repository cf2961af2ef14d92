// Inkling (inkling_mm_model of transformers): sigmoid scores; the router has a row for each shared expert too, and these
// are normalised together with the chosen ones, then scaled by a number and by a learned one; gate and up alternate.
// Switches: n_routed_experts = 11; n_shared_experts = 2; num_experts_per_tok = 3; route_scale = 8.0.
!tokens = tensor<?x64xf32>  !scores = tensor<?x13xf32>  !router = tensor<13x64xf32>  !w13s = tensor<11x96x64xf32>
!hidden = tensor<?x48xf32>  !w13 = tensor<96x64xf32>    !w2 = tensor<64x48xf32>      !w2s = tensor<11x64x48xf32>
!three = !sluice.gates<?x13xf32, 3 per token>           !routed = !sluice.gates<?x11xf32, 5 per token>
!two = !sluice.gates<?x13xf32, 2 per token>             !shared = !sluice.gates<?x2xf32, 2 per token>
!all = !sluice.gates<?x13xf32, 5 per token>             !v13s = tensor<2x96x64xf32>  !v2s = tensor<2x64x48xf32>
sluice.weight @router "model.llm.layers.0.mlp.gate.weight" : !router
sluice.weight @bias "model.llm.layers.0.mlp.gate.bias" : tensor<11xf32>
sluice.weight @global_scale "model.llm.layers.0.mlp.gate.global_scale" : tensor<1xf32>
sluice.weight @w13 "model.llm.layers.0.mlp.experts.w13_weight" : !w13s
sluice.weight @w2 "model.llm.layers.0.mlp.experts.w2_weight" : !w2s
sluice.weight @shared_w13 "model.llm.layers.0.mlp.shared_experts.shared_w13_weight" : !v13s
sluice.weight @shared_w2 "model.llm.layers.0.mlp.shared_experts.shared_w2_weight" : !v2s
func.func private @choose(%x: !tokens) -> (!routed, !shared) {
  %w = sluice.get_weight @router : !router                  %bias = sluice.get_weight @bias : tensor<11xf32>
  %global = sluice.get_weight @global_scale : tensor<1xf32> %never = arith.constant dense<0xFF800000> : tensor<2xf32>
  %bs = tensor.concat dim(0) %bias, %never : (tensor<11xf32>, tensor<2xf32>) -> tensor<13xf32>
  %l = sluice.linear %x, %w : (!tokens, !router) -> !scores %s = sluice.sigmoid %l : !scores
  %b = sluice.broadcast %bs like %s : tensor<13xf32>, !scores
  %c = arith.addf %s, %b : !scores                          %g1 = sluice.topk %c, 3 weights %s : !scores, !scores
  %g2 = sluice.always %s, [11, 12] : !scores                %g = sluice.join %g1, %g2 : !three, !two
  %n = sluice.normalize %g : !all                           %a = sluice.scale %n by 8.0 : !all
  %v = sluice.scale_by %a, %global : !all, tensor<1xf32>    %v1 = sluice.columns %v from 0 to 11 : !all
  %v2 = sluice.columns %v from 11 to 13 : !all
  return %v1, %v2 : !routed, !shared
}
func.func private @swiglu(%x: !tokens, %w13: !w13, %w2: !w2) -> !tokens {
  %ab = sluice.linear %x, %w13 : (!tokens, !w13) -> tensor<?x96xf32>
  %a, %b = sluice.split %ab interleaved : tensor<?x96xf32> into 2
  %s = sluice.silu %a : !hidden   %h = arith.mulf %s, %b : !hidden   %o = sluice.linear %h, %w2 : (!hidden, !w2) -> !tokens
  return %o : !tokens
}
func.func @moe(%x: !tokens) -> !tokens {
  %w13 = sluice.get_weight @w13 : !w13s                     %w2 = sluice.get_weight @w2 : !w2s
  %v13 = sluice.get_weight @shared_w13 : !v13s              %v2 = sluice.get_weight @shared_w2 : !v2s
  %routed, %shared = call @choose(%x) : (!tokens) -> (!routed, !shared)
  %y1 = sluice.experts by %routed : !routed (%t = %x : !tokens)
      with (%up = %w13 : !w13s, %down = %w2 : !w2s) combine sum weight output -> !tokens {
    %o = func.call @swiglu(%t, %up, %down) : (!tokens, !w13, !w2) -> !tokens
    sluice.yield %o : !tokens
  }
  %y2 = sluice.experts by %shared : !shared (%t = %x : !tokens)
      with (%up = %v13 : !v13s, %down = %v2 : !v2s) combine sum weight output -> !tokens {
    %o = func.call @swiglu(%t, %up, %down) : (!tokens, !w13, !w2) -> !tokens
    sluice.yield %o : !tokens
  }
  %y = arith.addf %y1, %y2 : !tokens
  return %y : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x3xi64>, tensor<?x3xf32>, tensor<?x2xf32>) {
  %routed, %shared = call @choose(%x) : (!tokens) -> (!routed, !shared)
  %i, %w = sluice.entries %routed : !routed                 %j, %shared_weights = sluice.entries %shared : !shared
  %c0 = arith.constant 0 : index                            %n = tensor.dim %x, %c0 : !tokens
  %indices = tensor.extract_slice %i[0, 0] [%n, 3] [1, 1] : tensor<?x5xi64> to tensor<?x3xi64>
  %weights = tensor.extract_slice %w[0, 0] [%n, 3] [1, 1] : tensor<?x5xf32> to tensor<?x3xf32>
  return %indices, %weights, %shared_weights : tensor<?x3xi64>, tensor<?x3xf32>, tensor<?x2xf32>
}
