// ZAYA1 (zaya of transformers): the router projects the tokens, adds the state of the router of the layer before (times a
// gain), and chooses by a norm and an MLP; softmax; a bias that chooses but does not weigh; the last class is no expert.
// Switches: num_experts = 9, and one class more; router_hidden_size = 20; rms_norm_eps = 1e-5; not the first layer.
!tokens = tensor<?x64xf32>  !state = tensor<?x20xf32>  !scores = tensor<?x10xf32>  !gates = !sluice.gates<?x10xf32, 1 per token>
!hidden = tensor<?x48xf32>  !square = tensor<20x20xf32>  !vector = tensor<20xf32>  !some = !sluice.gates<?x9xf32, 1 per token>
sluice.weight @down_w "model.layers.1.mlp.gate.down_proj.weight" : tensor<20x64xf32>
sluice.weight @down_b "model.layers.1.mlp.gate.down_proj.bias" : !vector
sluice.weight @gain "model.layers.1.mlp.gate.router_states_scale" : !vector
sluice.weight @norm "model.layers.1.mlp.gate.router_mlp.norm.weight" : !vector
sluice.weight @fc1_w "model.layers.1.mlp.gate.router_mlp.fc1.weight" : !square
sluice.weight @fc1_b "model.layers.1.mlp.gate.router_mlp.fc1.bias" : !vector
sluice.weight @fc2_w "model.layers.1.mlp.gate.router_mlp.fc2.weight" : !square
sluice.weight @fc2_b "model.layers.1.mlp.gate.router_mlp.fc2.bias" : !vector
sluice.weight @out_w "model.layers.1.mlp.gate.router_mlp.out_proj.weight" : tensor<10x20xf32>
sluice.weight @bias "model.layers.1.mlp.gate.balancing_biases" : tensor<10xf32>
sluice.weight @gate_up "model.layers.1.mlp.experts.gate_up_proj" : tensor<9x96x64xf32>
sluice.weight @down "model.layers.1.mlp.experts.down_proj" : tensor<9x64x48xf32>
func.func private @choose(%x: !tokens, %before: !state) -> (!gates, !some, !state) {
  %wd = sluice.get_weight @down_w : tensor<20x64xf32>  %bd = sluice.get_weight @down_b : !vector
  %w1 = sluice.get_weight @fc1_w : !square             %b1 = sluice.get_weight @fc1_b : !vector
  %w2 = sluice.get_weight @fc2_w : !square             %b2 = sluice.get_weight @fc2_b : !vector
  %wo = sluice.get_weight @out_w : tensor<10x20xf32>   %bias = sluice.get_weight @bias : tensor<10xf32>
  %gain = sluice.get_weight @gain : !vector            %norm = sluice.get_weight @norm : !vector
  %h0 = sluice.linear %x, %wd bias %bd : (!tokens, tensor<20x64xf32>, !vector) -> !state
  %gains = sluice.broadcast %gain like %h0 : !vector, !state  %carried = arith.mulf %before, %gains : !state
  %h = arith.addf %h0, %carried : !state               %r = sluice.rms_norm %h eps 1.0e-5 gain %norm : !state, !vector
  %a1 = sluice.linear %r, %w1 bias %b1 : (!state, !square, !vector) -> !state   %a2 = sluice.gelu %a1 erf : !state
  %a3 = sluice.linear %a2, %w2 bias %b2 : (!state, !square, !vector) -> !state  %a4 = sluice.gelu %a3 erf : !state
  %l = sluice.linear %a4, %wo : (!state, tensor<10x20xf32>) -> !scores          %p = sluice.softmax %l : !scores
  %b = sluice.broadcast %bias like %p : tensor<10xf32>, !scores                 %c = arith.addf %p, %b : !scores
  %g = sluice.topk %c, 1 weights %p : !scores, !scores  %some = sluice.columns %g from 0 to 9 : !gates
  return %g, %some, %h : !gates, !some, !state
}
func.func @moe(%x: !tokens, %before: !state) -> (!tokens, !state) {
  %w1 = sluice.get_weight @gate_up : tensor<9x96x64xf32>  %w2 = sluice.get_weight @down : tensor<9x64x48xf32>
  %g, %some, %state = call @choose(%x, %before) : (!tokens, !state) -> (!gates, !some, !state)
  %y = sluice.experts by %some : !some (%t = %x : !tokens)
      with (%w = %w1 : tensor<9x96x64xf32>, %v = %w2 : tensor<9x64x48xf32>) combine sum weight output -> !tokens {
    %ab = sluice.linear %t, %w : (!tokens, tensor<96x64xf32>) -> tensor<?x96xf32>
    %a, %b = sluice.split %ab : tensor<?x96xf32> into 2
    %s = sluice.silu %a : !hidden                      %h = arith.mulf %s, %b : !hidden
    %o = sluice.linear %h, %v : (!hidden, tensor<64x48xf32>) -> !tokens
    sluice.yield %o : !tokens
  }
  return %y, %state : !tokens, !state
}
func.func @route(%x: !tokens, %before: !state) -> (tensor<?x1xi64>, tensor<?x1xf32>, tensor<?x1xi1>) {
  %g, %some, %state = call @choose(%x, %before) : (!tokens, !state) -> (!gates, !some, !state)
  %indices, %p = sluice.entries %g : !gates            %i, %weights = sluice.entries %some : !some
  %kept = arith.cmpi eq, %i, %indices : tensor<?x1xi64>
  return %indices, %weights, %kept : tensor<?x1xi64>, tensor<?x1xf32>, tensor<?x1xi1>
}
