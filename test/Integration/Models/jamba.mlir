// Jamba (arXiv:2403.19887; JambaSparseMoeBlock of transformers): softmax, top-2, never normalised; no shared expert.
// Switches: expert_layer_period and expert_layer_offset say which layers have such a block.
!tokens = tensor<?x48xf32>
!hidden = tensor<?x72xf32>
!gates = !sluice.gates<?x16xf32, 2 per token>
sluice.weight @router "model.layers.1.feed_forward.router.weight" : tensor<16x48xf32>
sluice.weight @gate "model.layers.1.feed_forward.experts.{e}.gate_proj.weight" : tensor<16x72x48xf32>
sluice.weight @up "model.layers.1.feed_forward.experts.{e}.up_proj.weight" : tensor<16x72x48xf32>
sluice.weight @down "model.layers.1.feed_forward.experts.{e}.down_proj.weight" : tensor<16x48x72xf32>

func.func private @choose(%x: !tokens) -> !gates {
  %router = sluice.get_weight @router : tensor<16x48xf32>
  %l = sluice.linear %x, %router : (!tokens, tensor<16x48xf32>) -> tensor<?x16xf32>
  %p = sluice.softmax %l : tensor<?x16xf32>
  %g = sluice.topk %p, 2 : tensor<?x16xf32>
  return %g : !gates
}

func.func @moe(%x: !tokens) -> !tokens {
  %gate = sluice.get_weight @gate : tensor<16x72x48xf32>
  %up = sluice.get_weight @up : tensor<16x72x48xf32>
  %down = sluice.get_weight @down : tensor<16x48x72xf32>
  %g = call @choose(%x) : (!tokens) -> !gates
  %y = sluice.experts by %g : !gates (%t = %x : !tokens)
      with (%wg = %gate : tensor<16x72x48xf32>, %wu = %up : tensor<16x72x48xf32>,
            %wd = %down : tensor<16x48x72xf32>) combine sum weight output -> !tokens {
    %a = sluice.linear %t, %wg : (!tokens, tensor<72x48xf32>) -> !hidden
    %b = sluice.linear %t, %wu : (!tokens, tensor<72x48xf32>) -> !hidden
    %s = sluice.silu %a : !hidden
    %h = arith.mulf %s, %b : !hidden
    %o = sluice.linear %h, %wd : (!hidden, tensor<48x72xf32>) -> !tokens
    sluice.yield %o : !tokens
  }
  return %y : !tokens
}

func.func @route(%x: !tokens) -> (tensor<?x2xi64>, tensor<?x2xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x2xi64>, tensor<?x2xf32>
}
