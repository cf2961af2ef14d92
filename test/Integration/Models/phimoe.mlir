// PhiMoE (arXiv:2404.14219; PhimoeSparseMoeBlock of transformers): the sparse mixer (arXiv:2310.00811), twice: the best
// logit that is still open, weighed by a softmax without the logits that are far below it; not normalised.
// Switches: num_experts_per_tok = 2; router_jitter_noise = 0.1, half the distance from which a logit is far.
!tokens = tensor<?x66xf32>  !scores = tensor<?x16xf32>     !first = !sluice.gates<?x16xf32, 1 per token>
!hidden = tensor<?x40xf32>  !mask = tensor<?x16xi1>        !gates = !sluice.gates<?x16xf32, 2 per token>
sluice.weight @router "model.layers.1.block_sparse_moe.gate.weight" : tensor<16x66xf32>
sluice.weight @gate "model.layers.1.block_sparse_moe.experts.{e}.w1.weight" : tensor<16x40x66xf32>
sluice.weight @up "model.layers.1.block_sparse_moe.experts.{e}.w3.weight" : tensor<16x40x66xf32>
sluice.weight @down "model.layers.1.block_sparse_moe.experts.{e}.w2.weight" : tensor<16x66x40xf32>
func.func private @next(%l: !scores, %gone: !mask) -> !first {
  %low = arith.constant 0xFF800000 : f32                    %eps2 = arith.constant 0.2 : f32
  %lows = sluice.broadcast %low like %l : f32, !scores      %limit = sluice.broadcast %eps2 like %l : f32, !scores
  %open = arith.select %gone, %lows, %l : !mask, !scores    %best = sluice.topk %open, 1 : !scores
  %i, %max = sluice.entries %best : !first                  %m = sluice.broadcast %max like %l : tensor<?x1xf32>, !scores
  %below = arith.subf %m, %l : !scores                      %abs = math.absf %l : !scores
  %size = arith.maximumf %abs, %m : !scores                 %share = arith.divf %below, %size : !scores
  %far = arith.cmpf ogt, %share, %limit : !scores           %near = arith.select %far, %lows, %open : !mask, !scores
  %p = sluice.softmax %near : !scores                       %g = sluice.topk %open, 1 weights %p : !scores, !scores
  return %g : !first
}
func.func private @choose(%x: !tokens) -> !gates {
  %w = sluice.get_weight @router : tensor<16x66xf32>        %l = sluice.linear %x, %w : (!tokens, tensor<16x66xf32>) -> !scores
  %none = arith.cmpf false, %l, %l : !scores                 %g1 = call @next(%l, %none) : (!scores, !mask) -> !first
  %v, %gone = sluice.dense %g1 : !first                    %g2 = call @next(%l, %gone) : (!scores, !mask) -> !first
  %g = sluice.join %g1, %g2 : !first, !first
  return %g : !gates
}
func.func @moe(%x: !tokens) -> !tokens {
  %w1 = sluice.get_weight @gate : tensor<16x40x66xf32>      %w3 = sluice.get_weight @up : tensor<16x40x66xf32>
  %w2 = sluice.get_weight @down : tensor<16x66x40xf32>      %g = call @choose(%x) : (!tokens) -> !gates
  %y = sluice.experts by %g : !gates (%t = %x : !tokens) with (%gate = %w1 : tensor<16x40x66xf32>,
      %up = %w3 : tensor<16x40x66xf32>, %down = %w2 : tensor<16x66x40xf32>) combine sum weight output -> !tokens {
    %a = sluice.linear %t, %gate : (!tokens, tensor<40x66xf32>) -> !hidden
    %b = sluice.linear %t, %up : (!tokens, tensor<40x66xf32>) -> !hidden
    %s = sluice.silu %a : !hidden                           %h = arith.mulf %s, %b : !hidden
    %o = sluice.linear %h, %down : (!hidden, tensor<66x40xf32>) -> !tokens
    sluice.yield %o : !tokens
  }
  return %y : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x2xi64>, tensor<?x2xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x2xi64>, tensor<?x2xf32>
}
