// A product of statically no rows, whose columns do not fill their panels: the
// slice that cuts them out would begin behind its end.
//
// RUN: sluice-opt %s --sluice-pack-weights --convert-sluice-to-linalg | FileCheck %s

sluice.weight @w "w" : tensor<8x4xf32>
func.func @moe(%x: tensor<0x4xf32>) -> tensor<0x8xf32> {
  // CHECK-NOT: tensor.extract_slice
  // CHECK: linalg.fill {{.*}} -> tensor<0x8xf32>
  %w = sluice.get_weight @w : tensor<8x4xf32>
  %y = sluice.linear %x, %w : (tensor<0x4xf32>, tensor<8x4xf32>) -> tensor<0x8xf32>
  return %y : tensor<0x8xf32>
}
