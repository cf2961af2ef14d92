// NLLB-MoE (arXiv:2207.04672; NllbMoeSparseMLP of transformers): softmax, top-2 under a capacity, all first choices placed
// before the second ones; normalised over those that found room; scaled, also in inference; experts with biases.
// Switches: moe_eval_capacity_token_fraction = 0.17; normalize_router_prob_before_dropping = false;
// batch_prioritized_routing = false; second_expert_policy = all; moe_token_dropout = 0.2; activation_function = relu.
!tokens = tensor<?x64xf32>
!hidden = tensor<?x48xf32>
!gates = !sluice.gates<?x7xf32, 2 per token>
sluice.weight @router "model.encoder.layers.0.ffn.router.classifier.weight" : tensor<7x64xf32>
sluice.weight @fc1 "model.encoder.layers.0.ffn.experts.expert_{e}.fc1.weight" : tensor<7x48x64xf32>
sluice.weight @fc1_bias "model.encoder.layers.0.ffn.experts.expert_{e}.fc1.bias" : tensor<7x48xf32>
sluice.weight @fc2 "model.encoder.layers.0.ffn.experts.expert_{e}.fc2.weight" : tensor<7x64x48xf32>
sluice.weight @fc2_bias "model.encoder.layers.0.ffn.experts.expert_{e}.fc2.bias" : tensor<7x64xf32>
func.func private @choose(%x: !tokens) -> (!gates, !gates) {
  %w = sluice.get_weight @router : tensor<7x64xf32>
  %l = sluice.linear %x, %w : (!tokens, tensor<7x64xf32>) -> tensor<?x7xf32>
  %p = sluice.softmax %l : tensor<?x7xf32>
  %g = sluice.topk %p, 2 : tensor<?x7xf32>
  %c = sluice.capacity of %p fraction 0.17 ceil min 0 : tensor<?x7xf32>
  %k = sluice.limit %g, %c by choice : !gates
  %n = sluice.normalize %k min 1.1920928955078125e-07 : !gates
  %s = sluice.scale %n by 0.8 : !gates
  return %g, %s : !gates, !gates
}
func.func @moe(%x: !tokens) -> !tokens {
  %w1 = sluice.get_weight @fc1 : tensor<7x48x64xf32>      %b1 = sluice.get_weight @fc1_bias : tensor<7x48xf32>
  %w2 = sluice.get_weight @fc2 : tensor<7x64x48xf32>      %b2 = sluice.get_weight @fc2_bias : tensor<7x64xf32>
  %g, %k = call @choose(%x) : (!tokens) -> (!gates, !gates)
  %y = sluice.experts by %k : !gates (%t = %x : !tokens)
      with (%w = %w1 : tensor<7x48x64xf32>, %b = %b1 : tensor<7x48xf32>,
            %v = %w2 : tensor<7x64x48xf32>, %c = %b2 : tensor<7x64xf32>) combine sum weight output -> !tokens {
    %a = sluice.linear %t, %w bias %b : (!tokens, tensor<48x64xf32>, tensor<48xf32>) -> !hidden
    %h = sluice.relu %a : !hidden
    %o = sluice.linear %h, %v bias %c : (!hidden, tensor<64x48xf32>, tensor<64xf32>) -> !tokens
    sluice.yield %o : !tokens
  }
  return %y : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x2xi64>, tensor<?x2xf32>, tensor<?x2xi1>) {
  %g, %k = call @choose(%x) : (!tokens) -> (!gates, !gates)
  %indices, %p = sluice.entries %g : !gates               %i, %weights = sluice.entries %k : !gates
  %kept = arith.cmpi eq, %i, %indices : tensor<?x2xi64>
  return %indices, %weights, %kept : tensor<?x2xi64>, tensor<?x2xf32>, tensor<?x2xi1>
}
