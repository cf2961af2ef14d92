// Switch (arXiv:2101.03961; SwitchTransformersSparseMLP of transformers): softmax, top-1; an expert keeps the first
// expert_capacity of a sequence's tokens, the others get 0; experts of two products with relu between them.
// Switches: expert_capacity = 6; router_bias = false; router_dtype = float32; dense_act_fn = relu.
!tokens = tensor<?x48xf32>
!hidden = tensor<?x96xf32>
!gates = !sluice.gates<?x8xf32, 1 per token>
sluice.weight @router "encoder.block.1.layer.1.mlp.router.classifier.weight" : tensor<8x48xf32>
sluice.weight @wi "encoder.block.1.layer.1.mlp.experts.expert_{e}.wi.weight" : tensor<8x96x48xf32>
sluice.weight @wo "encoder.block.1.layer.1.mlp.experts.expert_{e}.wo.weight" : tensor<8x48x96xf32>

// What each token chose, and what of that found room.
func.func private @choose(%x: !tokens) -> (!gates, !gates) {
  %w = sluice.get_weight @router : tensor<8x48xf32>
  %l = sluice.linear %x, %w : (!tokens, tensor<8x48xf32>) -> tensor<?x8xf32>
  %p = sluice.softmax %l : tensor<?x8xf32>
  %g = sluice.topk %p, 1 : tensor<?x8xf32>
  %capacity = arith.constant 6 : index
  %k = sluice.limit %g, %capacity by token : !gates
  return %g, %k : !gates, !gates
}

func.func @moe(%x: !tokens) -> !tokens {
  %wi = sluice.get_weight @wi : tensor<8x96x48xf32>
  %wo = sluice.get_weight @wo : tensor<8x48x96xf32>
  %g, %k = call @choose(%x) : (!tokens) -> (!gates, !gates)
  %y = sluice.experts by %k : !gates (%t = %x : !tokens)
      with (%w1 = %wi : tensor<8x96x48xf32>, %w2 = %wo : tensor<8x48x96xf32>) combine sum weight output -> !tokens {
    %a = sluice.linear %t, %w1 : (!tokens, tensor<96x48xf32>) -> !hidden
    %h = sluice.relu %a : !hidden
    %o = sluice.linear %h, %w2 : (!hidden, tensor<48x96xf32>) -> !tokens
    sluice.yield %o : !tokens
  }
  return %y : !tokens
}

// The choice and its weight, dropped or not, and whether it was dropped.
func.func @route(%x: !tokens) -> (tensor<?x1xi64>, tensor<?x1xf32>, tensor<?xi1>) {
  %g, %k = call @choose(%x) : (!tokens) -> (!gates, !gates)
  %indices, %weights = sluice.entries %g : !gates
  %i, %v = sluice.entries %k : !gates
  %dropped = arith.cmpi ne, %i, %indices : tensor<?x1xi64>
  %d = tensor.collapse_shape %dropped [[0, 1]] : tensor<?x1xi1> into tensor<?xi1>
  return %indices, %weights, %d : tensor<?x1xi64>, tensor<?x1xf32>, tensor<?xi1>
}
