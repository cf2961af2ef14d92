// Expert choice (arXiv:2202.09368; the expert-choice router of T5X, in Flaxformer): each expert takes its expert_capacity
// largest probabilities; a token gets 0 to E experts; GEGLU experts.
// Switches: expert_capacity = 7.
!tokens = tensor<?x64xf32>
!hidden = tensor<?x48xf32>
!gates = !sluice.gates<?x8xf32, ? per expert>
sluice.weight @router "router.weight" : tensor<8x64xf32>
sluice.weight @wi_0 "experts.{e}.wi_0.weight" : tensor<8x48x64xf32>
sluice.weight @wi_1 "experts.{e}.wi_1.weight" : tensor<8x48x64xf32>
sluice.weight @wo "experts.{e}.wo.weight" : tensor<8x64x48xf32>

func.func private @choose(%x: !tokens) -> !gates {
  %w = sluice.get_weight @router : tensor<8x64xf32>
  %l = sluice.linear %x, %w : (!tokens, tensor<8x64xf32>) -> tensor<?x8xf32>
  %p = sluice.softmax %l : tensor<?x8xf32>
  %capacity = arith.constant 7 : index
  %g = sluice.choose_tokens %p, %capacity : tensor<?x8xf32>
  return %g : !gates
}

func.func @moe(%x: !tokens) -> !tokens {
  %wi_0 = sluice.get_weight @wi_0 : tensor<8x48x64xf32>
  %wi_1 = sluice.get_weight @wi_1 : tensor<8x48x64xf32>
  %wo = sluice.get_weight @wo : tensor<8x64x48xf32>
  %g = call @choose(%x) : (!tokens) -> !gates
  %y = sluice.experts by %g : !gates (%t = %x : !tokens)
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

func.func @route(%x: !tokens) -> (tensor<?x8xf32>, tensor<?x8xi1>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %gates, %present = sluice.dense %g : !gates
  return %gates, %present : tensor<?x8xf32>, tensor<?x8xi1>
}
