// A product with a weight in panels is one generic op. With inputs side by side, a
// line that is not filled is filled with zeros.
//
// RUN: sluice-opt %s --convert-sluice-to-linalg | FileCheck %s

// CHECK-DAG: #[[IN:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d2 * 2 + d3)>
// CHECK-DAG: #[[WEIGHT:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d4, d3)>
// CHECK-DAG: #[[OUT:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d0, d4)>

// CHECK-LABEL: func.func @even(
// CHECK-SAME: %[[X:.*]]: tensor<?x8xf32>, %[[W:.*]]: tensor<2x4x16x2xbf16>)
func.func @even(%x: tensor<?x8xf32>, %w: tensor<2x4x16x2xbf16>) -> tensor<?x32xf32> {
  // CHECK-NOT: tensor.insert_slice
  // CHECK: linalg.generic {indexing_maps = [#[[IN]], #[[WEIGHT]], #[[OUT]]], iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel"]} ins(%[[X]], %[[W]] : tensor<?x8xf32>, tensor<2x4x16x2xbf16>) outs({{.*}} : tensor<?x2x16xf32>)
  // CHECK: arith.extf {{.*}} : bf16 to f32
  // CHECK: arith.mulf
  // CHECK: arith.addf
  // CHECK: tensor.collapse_shape {{.*}} into tensor<?x32xf32>
  %y = sluice.linear %x, %w layout panels : (tensor<?x8xf32>, tensor<2x4x16x2xbf16>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// CHECK-LABEL: func.func @odd(
// CHECK-SAME: %[[X:.*]]: tensor<?x7xbf16>, %[[W:.*]]: tensor<2x4x16x2xbf16>)
func.func @odd(%x: tensor<?x7xbf16>, %w: tensor<2x4x16x2xbf16>) -> tensor<?x30xf32> {
  // CHECK: %[[ZERO:.*]] = linalg.fill {{.*}} -> tensor<?x8xbf16>
  // CHECK: %[[FILLED:.*]] = tensor.insert_slice %[[X]] into %[[ZERO]][0, 0] [{{.*}}, 7] [1, 1] : tensor<?x7xbf16> into tensor<?x8xbf16>
  // CHECK: linalg.generic {{.*}} ins(%[[FILLED]], %[[W]] : tensor<?x8xbf16>, tensor<2x4x16x2xbf16>)
  // CHECK: tensor.extract_slice {{.*}} : tensor<?x32xf32> to tensor<?x30xf32>
  %y = sluice.linear %x, %w layout panels : (tensor<?x7xbf16>, tensor<2x4x16x2xbf16>) -> tensor<?x30xf32>
  return %y : tensor<?x30xf32>
}
