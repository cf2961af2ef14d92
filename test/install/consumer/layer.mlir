// Two experts, each a row of weights; a token goes to the one of its larger
// component.
!tokens = tensor<?x2xf32>
sluice.weight @w "experts.{e}" : tensor<2x1x2xf32>
func.func @moe(%x: !tokens) -> tensor<?x1xf32> {
  %w = sluice.get_weight @w : tensor<2x1x2xf32>
  %g = sluice.topk %x, 1 : !tokens
  %y = sluice.experts by %g : !sluice.gates<?x2xf32, 1 per token> (%t = %x : !tokens)
      with (%v = %w : tensor<2x1x2xf32>) combine sum weight none -> tensor<?x1xf32> {
    %o = sluice.linear %t, %v : (!tokens, tensor<1x2xf32>) -> tensor<?x1xf32>
    sluice.yield %o : tensor<?x1xf32>
  }
  return %y : tensor<?x1xf32>
}
