// One product: code of several processors is soon made.
sluice.weight @w "w" : tensor<16x8xf32>
func.func @linear(%x: tensor<?x8xf32>) -> tensor<?x16xf32> {
  %w = sluice.get_weight @w : tensor<16x8xf32>
  %y = sluice.linear %x, %w : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
