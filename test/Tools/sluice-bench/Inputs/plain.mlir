// No experts; an input of each kind, a stack of weights, and the same weight twice.
sluice.weight @w "w.{e}" : tensor<2x8x8xbf16>
sluice.weight @same "w.{i}" : tensor<2x8x8xbf16>
sluice.weight @bias "bias" : tensor<8xf32>
func.func @main(%x: tensor<?x8xf32>, %scale: tensor<8xf16>, %i: tensor<?xi64>,
                %flag: tensor<?xi1>) -> (tensor<?x8xf32>, tensor<?xi64>, tensor<?xi1>) {
  %w = sluice.get_weight @w : tensor<2x8x8xbf16>
  %v = sluice.get_weight @same : tensor<2x8x8xbf16>
  %b = sluice.get_weight @bias : tensor<8xf32>
  %w0 = tensor.extract_slice %w[0, 0, 0] [1, 8, 8] [1, 1, 1] : tensor<2x8x8xbf16> to tensor<8x8xbf16>
  %v1 = tensor.extract_slice %v[1, 0, 0] [1, 8, 8] [1, 1, 1] : tensor<2x8x8xbf16> to tensor<8x8xbf16>
  %y = sluice.linear %x, %w0 bias %b : (tensor<?x8xf32>, tensor<8x8xbf16>, tensor<8xf32>) -> tensor<?x8xf32>
  %z = sluice.linear %y, %v1 : (tensor<?x8xf32>, tensor<8x8xbf16>) -> tensor<?x8xf32>
  return %z, %i, %flag : tensor<?x8xf32>, tensor<?xi64>, tensor<?xi1>
}
