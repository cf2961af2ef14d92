// ViTPose++ (arXiv:2212.04246; VitPoseBackboneMoeMLP of transformers): the expert is given (the image's data set); it makes
// the last part_features outputs from the hidden units that all share; the others come from one matrix.
// Switches: num_experts = 6; part_features = 20; hidden_act = gelu.
!tokens = tensor<?x48xf32>
!hidden = tensor<?x96xf32>
!own = tensor<?x20xf32>
!ids = tensor<?xi64>
!gates = !sluice.gates<?x6xf32, 1 per token>
sluice.weight @fc1 "encoder.layer.0.mlp.fc1.weight" : tensor<96x48xf32>
sluice.weight @fc1_bias "encoder.layer.0.mlp.fc1.bias" : tensor<96xf32>
sluice.weight @fc2 "encoder.layer.0.mlp.fc2.weight" : tensor<28x96xf32>
sluice.weight @fc2_bias "encoder.layer.0.mlp.fc2.bias" : tensor<28xf32>
sluice.weight @expert "encoder.layer.0.mlp.experts.{e}.weight" : tensor<6x20x96xf32>
sluice.weight @expert_bias "encoder.layer.0.mlp.experts.{e}.bias" : tensor<6x20xf32>
func.func private @choose(%ids: !ids) -> !gates {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %ids, %c0 : !ids
  %i = tensor.expand_shape %ids [[0, 1]] output_shape [%n, 1] : !ids into tensor<?x1xi64>
  %g = sluice.from_entries %i : (tensor<?x1xi64>) -> !gates
  return %g : !gates
}
func.func @moe(%x: !tokens, %ids: !ids) -> !tokens {
  %w1 = sluice.get_weight @fc1 : tensor<96x48xf32>          %b1 = sluice.get_weight @fc1_bias : tensor<96xf32>
  %w2 = sluice.get_weight @fc2 : tensor<28x96xf32>          %b2 = sluice.get_weight @fc2_bias : tensor<28xf32>
  %w3 = sluice.get_weight @expert : tensor<6x20x96xf32>     %b3 = sluice.get_weight @expert_bias : tensor<6x20xf32>
  %a = sluice.linear %x, %w1 bias %b1 : (!tokens, tensor<96x48xf32>, tensor<96xf32>) -> !hidden
  %h = sluice.gelu %a erf : !hidden
  %common = sluice.linear %h, %w2 bias %b2 : (!hidden, tensor<28x96xf32>, tensor<28xf32>) -> tensor<?x28xf32>
  %g = call @choose(%ids) : (!ids) -> !gates
  %own = sluice.experts by %g : !gates (%t = %h : !hidden)
      with (%w = %w3 : tensor<6x20x96xf32>, %b = %b3 : tensor<6x20xf32>) combine replace weight none -> !own {
    %o = sluice.linear %t, %w bias %b : (!hidden, tensor<20x96xf32>, tensor<20xf32>) -> !own
    sluice.yield %o : !own
  }
  %y = tensor.concat dim(1) %common, %own : (tensor<?x28xf32>, !own) -> !tokens
  return %y : !tokens
}
func.func @route(%x: !tokens, %ids: !ids) -> (tensor<?x1xi64>, tensor<?x1xf32>) {
  %g = call @choose(%ids) : (!ids) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x1xi64>, tensor<?x1xf32>
}
