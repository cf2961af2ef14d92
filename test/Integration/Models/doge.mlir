// Doge (arXiv:2412.11834; DogeCDMoE of transformers): product keys (arXiv:2407.04153): expert i * K + j has the score
// a[i] + b[j]; softmax after selection; experts of rank one; an MLP beside. As published, the logits [T, 2 K] are viewed
// as [2, T, K], so that a token's a and b come from other tokens.
// Switches: num_experts = 16 = K * K; num_experts_per_tok = 3; norm_topk_prob = false; hidden_act = silu.
!tokens = tensor<?x64xf32>  !gates = !sluice.gates<?x16xf32, 3 per token>
!hidden = tensor<?x80xf32>  !table = tensor<16x64xf32>  !row = tensor<64xf32>
#a = affine_map<(t, i, j) -> (0, t, i)>
#b = affine_map<(t, i, j) -> (1, t, j)>
#sum = affine_map<(t, i, j) -> (t, i, j)>
sluice.weight @router "model.layers.0.mlp.router_gate.weight" : tensor<8x64xf32>
sluice.weight @down_embed "model.layers.0.mlp.down_embed.weight" : !table
sluice.weight @up_embed "model.layers.0.mlp.up_embed.weight" : !table
sluice.weight @gate "model.layers.0.mlp.gate_proj.weight" : tensor<80x64xf32>
sluice.weight @up "model.layers.0.mlp.up_proj.weight" : tensor<80x64xf32>
sluice.weight @down "model.layers.0.mlp.down_proj.weight" : tensor<64x80xf32>
func.func private @choose(%x: !tokens) -> !gates {
  %w = sluice.get_weight @router : tensor<8x64xf32>
  %l = sluice.linear %x, %w : (!tokens, tensor<8x64xf32>) -> tensor<?x8xf32>
  %c0 = arith.constant 0 : index   %c2 = arith.constant 2 : index   %c4 = arith.constant 4 : index
  %n = tensor.dim %x, %c0 : !tokens
  %shape = tensor.from_elements %c2, %n, %c4 : tensor<3xindex>
  %v = tensor.reshape %l(%shape) : (tensor<?x8xf32>, tensor<3xindex>) -> tensor<2x?x4xf32>
  %empty = tensor.empty(%n) : tensor<?x4x4xf32>
  %sums = linalg.generic {indexing_maps = [#a, #b, #sum], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%v, %v : tensor<2x?x4xf32>, tensor<2x?x4xf32>) outs(%empty : tensor<?x4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x4x4xf32>
  %s = tensor.collapse_shape %sums [[0], [1, 2]] : tensor<?x4x4xf32> into tensor<?x16xf32>
  %c = sluice.topk %s, 3 : tensor<?x16xf32>
  %g = sluice.softmax %c : !gates
  return %g : !gates
}
func.func @moe(%x: !tokens) -> !tokens {
  %de = sluice.get_weight @down_embed : !table          %ue = sluice.get_weight @up_embed : !table
  %g = call @choose(%x) : (!tokens) -> !gates
  %r = sluice.experts by %g : !gates (%t = %x : !tokens)
      with (%d = %de : !table, %u = %ue : !table) combine sum weight output -> !tokens {
    %d1 = tensor.expand_shape %d [[0, 1]] output_shape [1, 64] : !row into tensor<1x64xf32>
    %u1 = tensor.expand_shape %u [[0, 1]] output_shape [1, 64] : !row into tensor<1x64xf32>
    %q = sluice.linear %t, %d1 : (!tokens, tensor<1x64xf32>) -> tensor<?x1xf32>
    %a = sluice.silu %q : tensor<?x1xf32>
    %o = sluice.linear %a, %u1 layout in_out : (tensor<?x1xf32>, tensor<1x64xf32>) -> !tokens
    sluice.yield %o : !tokens
  }
  %w1 = sluice.get_weight @gate : tensor<80x64xf32>     %w3 = sluice.get_weight @up : tensor<80x64xf32>
  %a = sluice.linear %x, %w1 : (!tokens, tensor<80x64xf32>) -> !hidden  %s = sluice.silu %a : !hidden
  %b = sluice.linear %x, %w3 : (!tokens, tensor<80x64xf32>) -> !hidden  %h = arith.mulf %s, %b : !hidden
  %w2 = sluice.get_weight @down : tensor<64x80xf32>     %o = sluice.linear %h, %w2 : (!hidden, tensor<64x80xf32>) -> !tokens
  %y = arith.addf %r, %o : !tokens
  return %y : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x3xi64>, tensor<?x3xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x3xi64>, tensor<?x3xf32>
}
