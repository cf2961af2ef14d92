// Step-3.7 (step3p7 of transformers): sigmoid scores; a bias that chooses but does not weigh; normalised; scaled (the
// published code scales the sum); clamps after the activation; a shared expert with a limit of its own.
// Switches: moe_router_scaling_factor = 2.5; swiglu_limits = 0.7 and swiglu_limits_shared = 1.1 here (null: no clamp).
!tokens = tensor<?x64xf32> !scores = tensor<?x10xf32> !router = tensor<10x64xf32> !gates = !sluice.gates<?x10xf32, 3 per token>
!hidden = tensor<?x48xf32>  !ins = tensor<10x48x64xf32>    !in = tensor<48x64xf32>      !win = tensor<56x64xf32>
!wide = tensor<?x56xf32>    !outs = tensor<10x64x48xf32>   !out = tensor<64x48xf32>     !wout = tensor<64x56xf32>
sluice.weight @router "model.layers.1.moe.gate.weight" : !router
sluice.weight @bias "model.layers.1.moe.router_bias" : tensor<10xf32>
sluice.weight @gate "model.layers.1.moe.gate_proj.weight" : !ins
sluice.weight @up "model.layers.1.moe.up_proj.weight" : !ins
sluice.weight @down "model.layers.1.moe.down_proj.weight" : !outs
sluice.weight @shared_gate "model.layers.1.share_expert.gate_proj.weight" : !win
sluice.weight @shared_up "model.layers.1.share_expert.up_proj.weight" : !win
sluice.weight @shared_down "model.layers.1.share_expert.down_proj.weight" : !wout
func.func private @choose(%x: !tokens) -> !gates {
  %w = sluice.get_weight @router : !router                    %bias = sluice.get_weight @bias : tensor<10xf32>
  %l = sluice.linear %x, %w : (!tokens, !router) -> !scores   %s = sluice.sigmoid %l : !scores
  %b = sluice.broadcast %bias like %s : tensor<10xf32>, !scores
  %c = arith.addf %s, %b : !scores                            %g = sluice.topk %c, 3 weights %s : !scores, !scores
  %n = sluice.normalize %g eps 1.0e-20 : !gates               %v = sluice.scale %n by 2.5 : !gates
  return %v : !gates
}
func.func @moe(%x: !tokens) -> !tokens {
  %w1 = sluice.get_weight @gate : !ins   %w3 = sluice.get_weight @up : !ins   %w2 = sluice.get_weight @down : !outs
  %g = call @choose(%x) : (!tokens) -> !gates
  %y = sluice.experts by %g : !gates (%t = %x : !tokens)
      with (%gate = %w1 : !ins, %up = %w3 : !ins, %down = %w2 : !outs) combine sum weight output -> !tokens {
    %a = sluice.linear %t, %gate : (!tokens, !in) -> !hidden  %b = sluice.linear %t, %up : (!tokens, !in) -> !hidden
    %s = sluice.silu %a : !hidden  %s1 = sluice.clamp %s max 0.7 : !hidden  %b1 = sluice.clamp %b min -0.7 max 0.7 : !hidden
    %h = arith.mulf %s1, %b1 : !hidden                        %o = sluice.linear %h, %down : (!hidden, !out) -> !tokens
    sluice.yield %o : !tokens
  }
  %v1 = sluice.get_weight @shared_gate : !win                 %v3 = sluice.get_weight @shared_up : !win
  %a = sluice.linear %x, %v1 : (!tokens, !win) -> !wide       %b = sluice.linear %x, %v3 : (!tokens, !win) -> !wide
  %s = sluice.silu %a : !wide                                 %s1 = sluice.clamp %s max 1.1 : !wide
  %b1 = sluice.clamp %b min -1.1 max 1.1 : !wide              %h = arith.mulf %s1, %b1 : !wide
  %v2 = sluice.get_weight @shared_down : !wout                %o = sluice.linear %h, %v2 : (!wide, !wout) -> !tokens
  %z = arith.addf %y, %o : !tokens
  return %z : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x3xi64>, tensor<?x3xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x3xi64>, tensor<?x3xf32>
}
