// ST-MoE, batch-prioritised (arXiv:2202.08906; the top-2 router of T5X, in Flaxformer): as st_moe_t5x, but tokens are
// placed in order of their first probability, the largest first.
// Switches: expert_capacity = 7; batch-prioritised routing = true.
!tokens = tensor<?x64xf32>  !gates = !sluice.gates<?x8xf32, 2 per token>
!hidden = tensor<?x48xf32>
sluice.weight @router "router.weight" : tensor<8x64xf32>
sluice.weight @wi_0 "experts.{e}.wi_0.weight" : tensor<8x48x64xf32>
sluice.weight @wi_1 "experts.{e}.wi_1.weight" : tensor<8x48x64xf32>
sluice.weight @wo "experts.{e}.wo.weight" : tensor<8x64x48xf32>
func.func private @choose(%x: !tokens) -> (!gates, !gates) {
  %w = sluice.get_weight @router : tensor<8x64xf32>
  %l = sluice.linear %x, %w : (!tokens, tensor<8x64xf32>) -> tensor<?x8xf32>
  %p = sluice.softmax %l : tensor<?x8xf32>
  %g = sluice.topk %p, 2 : tensor<?x8xf32>
  %capacity = arith.constant 7 : index
  %b = sluice.topk %p, 1 : tensor<?x8xf32>
  %i, %first = sluice.entries %b : !sluice.gates<?x8xf32, 1 per token>
  %k = sluice.limit %g, %capacity by choice priority %first : !gates, tensor<?x1xf32>
  return %g, %k : !gates, !gates
}
func.func @moe(%x: !tokens) -> !tokens {
  %wi_0 = sluice.get_weight @wi_0 : tensor<8x48x64xf32>
  %wi_1 = sluice.get_weight @wi_1 : tensor<8x48x64xf32>
  %wo = sluice.get_weight @wo : tensor<8x64x48xf32>
  %g, %k = call @choose(%x) : (!tokens) -> (!gates, !gates)
  %y = sluice.experts by %k : !gates (%t = %x : !tokens)
      with (%w0 = %wi_0 : tensor<8x48x64xf32>, %w1 = %wi_1 : tensor<8x48x64xf32>,
            %v = %wo : tensor<8x64x48xf32>) combine sum weight output -> !tokens {
    %a = sluice.linear %t, %w0 : (!tokens, tensor<48x64xf32>) -> !hidden
    %b = sluice.linear %t, %w1 : (!tokens, tensor<48x64xf32>) -> !hidden
    %s = sluice.gelu %a tanh : !hidden
    %h = arith.mulf %s, %b : !hidden
    %o = sluice.linear %h, %v : (!hidden, tensor<64x48xf32>) -> !tokens
    sluice.yield %o : !tokens
  }
  return %y : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x2xi64>, tensor<?x2xf32>, tensor<?x2xi1>) {
  %g, %k = call @choose(%x) : (!tokens) -> (!gates, !gates)
  %indices, %p = sluice.entries %g : !gates
  %i, %weights = sluice.entries %k : !gates
  %kept = arith.cmpi eq, %i, %indices : tensor<?x2xi64>
  return %indices, %weights, %kept : tensor<?x2xi64>, tensor<?x2xf32>, tensor<?x2xi1>
}
