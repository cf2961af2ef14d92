// LongCat-Flash (arXiv:2509.01322; LongcatFlashMoE of transformers): softmax over the experts and classes that are the
// identity; a bias that chooses but does not weigh; scaled, not normalised. The identity has no weights.
// Switches: n_routed_experts = 9; zero_expert_num = 3; routed_scaling_factor = 2.5; router_bias is not applied.
!tokens = tensor<?x64xf32>  !scores = tensor<?x12xf32>      !gates = !sluice.gates<?x12xf32, 4 per token>
!hidden = tensor<?x48xf32>  !some = !sluice.gates<?x9xf32, 4 per token>  !zero = !sluice.gates<?x3xf32, 3 per token>
sluice.weight @router "model.layers.0.mlp.router.classifier.weight" : tensor<12x64xf32>
sluice.weight @bias "model.layers.0.mlp.router.e_score_correction_bias" : tensor<12xf32>
sluice.weight @gate "model.layers.0.mlp.experts.{e}.gate_proj.weight" : tensor<9x48x64xf32>
sluice.weight @up "model.layers.0.mlp.experts.{e}.up_proj.weight" : tensor<9x48x64xf32>
sluice.weight @down "model.layers.0.mlp.experts.{e}.down_proj.weight" : tensor<9x64x48xf32>
func.func private @choose(%x: !tokens) -> !gates {
  %w = sluice.get_weight @router : tensor<12x64xf32>        %bias = sluice.get_weight @bias : tensor<12xf32>
  %l = sluice.linear %x, %w : (!tokens, tensor<12x64xf32>) -> !scores
  %p = sluice.softmax %l : !scores
  %b = sluice.broadcast %bias like %p : tensor<12xf32>, !scores
  %c = arith.addf %p, %b : !scores
  %g = sluice.topk %c, 4 weights %p : !scores, !scores
  %s = sluice.scale %g by 2.5 : !gates
  return %s : !gates
}
func.func @moe(%x: !tokens) -> !tokens {
  %w1 = sluice.get_weight @gate : tensor<9x48x64xf32>       %w3 = sluice.get_weight @up : tensor<9x48x64xf32>
  %w2 = sluice.get_weight @down : tensor<9x64x48xf32>       %g = call @choose(%x) : (!tokens) -> !gates
  %some = sluice.columns %g from 0 to 9 : !gates            %zero = sluice.columns %g from 9 to 12 : !gates
  %y = sluice.experts by %some : !some (%t = %x : !tokens) with (%gate = %w1 : tensor<9x48x64xf32>,
      %up = %w3 : tensor<9x48x64xf32>, %down = %w2 : tensor<9x64x48xf32>) combine sum weight output -> !tokens {
    %a = sluice.linear %t, %gate : (!tokens, tensor<48x64xf32>) -> !hidden
    %b = sluice.linear %t, %up : (!tokens, tensor<48x64xf32>) -> !hidden
    %s = sluice.silu %a : !hidden                           %h = arith.mulf %s, %b : !hidden
    %o = sluice.linear %h, %down : (!hidden, tensor<64x48xf32>) -> !tokens
    sluice.yield %o : !tokens
  }
  %i = sluice.experts by %zero : !zero (%t = %x : !tokens) combine sum weight output -> !tokens {
    sluice.yield %t : !tokens
  }
  %z = arith.addf %y, %i : !tokens
  return %z : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x4xi64>, tensor<?x4xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x4xi64>, tensor<?x4xf32>
}
