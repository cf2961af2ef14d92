// GraniteMoE (arXiv:2408.13359; GraniteMoeMoE of transformers): softmax after
// selection; gate and up are the halves of one matrix.
// Switches: residual_multiplier scales the block's output, outside of the block.
!tokens = tensor<?x48xf32>
!hidden = tensor<?x58xf32>
!gates = !sluice.gates<?x12xf32, 4 per token>
sluice.weight @router "model.layers.1.block_sparse_moe.router.layer.weight" : tensor<12x48xf32>
sluice.weight @gate_up "model.layers.1.block_sparse_moe.input_linear.weight" : tensor<12x116x48xf32>
sluice.weight @down "model.layers.1.block_sparse_moe.output_linear.weight" : tensor<12x48x58xf32>

func.func private @choose(%x: !tokens) -> !gates {
  %router = sluice.get_weight @router : tensor<12x48xf32>
  %l = sluice.linear %x, %router : (!tokens, tensor<12x48xf32>) -> tensor<?x12xf32>
  %c = sluice.topk %l, 4 : tensor<?x12xf32>
  %g = sluice.softmax %c : !gates
  return %g : !gates
}

func.func @moe(%x: !tokens) -> !tokens {
  %gate_up = sluice.get_weight @gate_up : tensor<12x116x48xf32>
  %down = sluice.get_weight @down : tensor<12x48x58xf32>
  %g = call @choose(%x) : (!tokens) -> !gates
  %y = sluice.experts by %g : !gates (%t = %x : !tokens)
      with (%w1 = %gate_up : tensor<12x116x48xf32>, %w2 = %down : tensor<12x48x58xf32>)
      combine sum weight output -> !tokens {
    %ab = sluice.linear %t, %w1 : (!tokens, tensor<116x48xf32>) -> tensor<?x116xf32>
    %a, %b = sluice.split %ab : tensor<?x116xf32> into 2
    %s = sluice.silu %a : !hidden
    %h = arith.mulf %s, %b : !hidden
    %o = sluice.linear %h, %w2 : (!hidden, tensor<48x58xf32>) -> !tokens
    sluice.yield %o : !tokens
  }
  return %y : !tokens
}

func.func @route(%x: !tokens) -> (tensor<?x4xi64>, tensor<?x4xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x4xi64>, tensor<?x4xf32>
}
