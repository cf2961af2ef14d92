// Llama 4 (Llama4TextMoe of transformers): top-1 of the logits, weighed by their sigmoid; the weight scales the expert's
// input; [E, in, out] weights, gate before up; a shared expert.
// Switches: num_experts_per_tok = 1; interleave_moe_layer_step says which layers have such a block.
!tokens = tensor<?x64xf32>
!hidden = tensor<?x48xf32>
!gates = !sluice.gates<?x8xf32, 1 per token>
sluice.weight @router "language_model.model.layers.1.feed_forward.router.weight" : tensor<8x64xf32>
sluice.weight @gate_up "language_model.model.layers.1.feed_forward.experts.gate_up_proj" : tensor<8x64x96xf32>
sluice.weight @down "language_model.model.layers.1.feed_forward.experts.down_proj" : tensor<8x48x64xf32>
sluice.weight @shared_gate "language_model.model.layers.1.feed_forward.shared_expert.gate_proj.weight" : tensor<48x64xf32>
sluice.weight @shared_up "language_model.model.layers.1.feed_forward.shared_expert.up_proj.weight" : tensor<48x64xf32>
sluice.weight @shared_down "language_model.model.layers.1.feed_forward.shared_expert.down_proj.weight" : tensor<64x48xf32>
func.func private @choose(%x: !tokens) -> !gates {
  %w = sluice.get_weight @router : tensor<8x64xf32>
  %l = sluice.linear %x, %w : (!tokens, tensor<8x64xf32>) -> tensor<?x8xf32>
  %c = sluice.topk %l, 1 : tensor<?x8xf32>
  %g = sluice.sigmoid %c : !gates
  return %g : !gates
}
func.func @moe(%x: !tokens) -> !tokens {
  %w1 = sluice.get_weight @gate_up : tensor<8x64x96xf32>     %w2 = sluice.get_weight @down : tensor<8x48x64xf32>
  %g = call @choose(%x) : (!tokens) -> !gates
  %y = sluice.experts by %g : !gates (%t = %x : !tokens)
      with (%w = %w1 : tensor<8x64x96xf32>, %v = %w2 : tensor<8x48x64xf32>) combine sum weight input -> !tokens {
    %ab = sluice.linear %t, %w layout in_out : (!tokens, tensor<64x96xf32>) -> tensor<?x96xf32>
    %a, %b = sluice.split %ab : tensor<?x96xf32> into 2
    %s = sluice.silu %a : !hidden                            %h = arith.mulf %s, %b : !hidden
    %o = sluice.linear %h, %v layout in_out : (!hidden, tensor<48x64xf32>) -> !tokens
    sluice.yield %o : !tokens
  }
  %v1 = sluice.get_weight @shared_gate : tensor<48x64xf32>   %v3 = sluice.get_weight @shared_up : tensor<48x64xf32>
  %a = sluice.linear %x, %v1 : (!tokens, tensor<48x64xf32>) -> !hidden
  %b = sluice.linear %x, %v3 : (!tokens, tensor<48x64xf32>) -> !hidden
  %s = sluice.silu %a : !hidden                              %h = arith.mulf %s, %b : !hidden
  %v2 = sluice.get_weight @shared_down : tensor<64x48xf32>
  %o = sluice.linear %h, %v2 : (!hidden, tensor<64x48xf32>) -> !tokens
  %z = arith.addf %y, %o : !tokens
  return %z : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x1xi64>, tensor<?x1xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x1xi64>, tensor<?x1xf32>
}
