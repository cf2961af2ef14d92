// Two of four experts for each token; small enough to read its results.
sluice.weight @router "gate.weight" : tensor<4x8xf32>
sluice.weight @up "experts.{e}.up.weight" : tensor<4x8x8xf32>

func.func @moe(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %wr = sluice.get_weight @router : tensor<4x8xf32>
  %wu = sluice.get_weight @up : tensor<4x8x8xf32>
  %l = sluice.linear %x, %wr : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %p = sluice.softmax %l : tensor<?x4xf32>
  %g = sluice.topk %p, 2 : tensor<?x4xf32>
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x8xf32>) with (%w = %wu : tensor<4x8x8xf32>)
      combine sum weight output -> tensor<?x8xf32> {
    %a = sluice.linear %t, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    %s = sluice.silu %a : tensor<?x8xf32>
    sluice.yield %s : tensor<?x8xf32>
  }
  return %y : tensor<?x8xf32>
}
