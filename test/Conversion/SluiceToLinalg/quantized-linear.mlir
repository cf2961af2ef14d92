// A product of numbers in panels is one generic op, whose body alone says what it
// computes; the attribute repeats that for targets with kernels.
//
// RUN: sluice-opt %s --convert-sluice-to-linalg --split-input-file | FileCheck %s

// One operand more if a byte holds two numbers: its high halves' inputs are 4
// further. Three blocks of 24 inputs, that is of 3 lines, have zero points in two
// bytes.
// CHECK-DAG: #[[LOW:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d2 * 8 + d3)>
// CHECK-DAG: #[[HIGH:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d2 * 8 + d3 + 4)>
// CHECK-DAG: #[[WEIGHT:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d4, d3)>
// CHECK-DAG: #[[SCALES:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, (d2 * 8) floordiv 24, d4)>
// CHECK-DAG: #[[INPUT_SCALES:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, (d2 * 8) floordiv 64)>
// CHECK-DAG: #[[ZEROS:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, ((d2 * 8) floordiv 24) floordiv 2, d4)>
// CHECK-DAG: #[[RESULT:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d0, d4)>
// CHECK-LABEL: func.func @packed(
// CHECK-SAME: %[[Q:.*]]: tensor<?x64xi8>, %[[QS:.*]]: tensor<?x1xf32>, %[[W:.*]]: tensor<2x8x16x4xi8>, %[[S:.*]]: tensor<2x3x16xf32>, %[[Z:.*]]: tensor<2x2x16xi8>
// CHECK: linalg.generic
// CHECK-SAME: indexing_maps = [#[[LOW]], #[[HIGH]], #[[WEIGHT]], #[[SCALES]], #[[INPUT_SCALES]], #[[ZEROS]], #[[RESULT]]]
// CHECK-SAME: iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel"]
// CHECK-SAME: ins(%[[Q]], %[[Q]], %[[W]], %[[S]], %[[QS]], %[[Z]] :
// CHECK-SAME: outs(%{{.*}} : tensor<?x2x16xf32>)
// CHECK-SAME: attrs = {sluice.numbers = {block = 24 : i64, input_block = 64 : i64, numbers = ui4, powers = false, zeros = true}}
// CHECK: %[[LINE:.*]] = linalg.index 2 : index
// CHECK: %[[LINES:.*]] = arith.constant 3 : index
// CHECK: arith.divui %[[LINE]], %[[LINES]] : index
// Of the last panel, 24 columns are there.
// CHECK: tensor.collapse_shape {{.*}} : tensor<?x2x16xf32> into tensor<?x32xf32>
// CHECK: tensor.extract_slice {{.*}} : tensor<?x32xf32> to tensor<?x24xf32>
func.func @packed(%q: tensor<?x64xi8>, %qs: tensor<?x1xf32>, %w: tensor<2x8x16x4xi8>,
                  %s: tensor<2x3x16xf32>, %z: tensor<2x2x16xi8>) -> tensor<?x24xf32> {
  %y = sluice.quantized_linear %q by %qs in blocks 64, %w as ui4 by %s minus %z in blocks 24
    : (tensor<?x64xi8>, tensor<?x1xf32>, tensor<2x8x16x4xi8>, tensor<2x3x16xf32>, tensor<2x2x16xi8>) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

// -----

// Floats, bytes, and powers of two.
// CHECK-DAG: #[[INPUT:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d2 * 4 + d3)>
// CHECK-DAG: #[[WEIGHT:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d4, d3)>
// CHECK-DAG: #[[SCALES:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, (d2 * 4) floordiv 32, d4)>
// CHECK-DAG: #[[RESULT:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d0, d4)>
// CHECK-LABEL: func.func @bytes(
// CHECK: linalg.generic
// CHECK-SAME: indexing_maps = [#[[INPUT]], #[[WEIGHT]], #[[SCALES]], #[[RESULT]]]
// CHECK-SAME: attrs = {sluice.numbers = {block = 32 : i64, input_block = 0 : i64, numbers = i8, powers = true, zeros = false}}
// CHECK-NOT: linalg.index
// CHECK: arith.bitcast {{.*}} : i32 to f32
// CHECK: arith.extf {{.*}} : bf16 to f32
// CHECK: tensor.collapse_shape {{.*}} : tensor<3x2x16xf32> into tensor<3x32xf32>
// CHECK-NOT: tensor.extract_slice
func.func @bytes(%x: tensor<3x64xbf16>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xi8>) -> tensor<3x32xf32> {
  %y = sluice.quantized_linear %x, %w as i8 by %s as f8E8M0FNU in blocks 32
    : (tensor<3x64xbf16>, tensor<2x16x16x4xi8>, tensor<2x2x16xi8>) -> tensor<3x32xf32>
  return %y : tensor<3x32xf32>
}

// -----

// No rows, no product.
// CHECK-LABEL: func.func @none(
// CHECK-NOT: linalg.generic
// CHECK: linalg.fill
func.func @none(%x: tensor<0x64xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>) -> tensor<0x24xf32> {
  %y = sluice.quantized_linear %x, %w as i8 by %s in blocks 32
    : (tensor<0x64xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<0x24xf32>
  return %y : tensor<0x24xf32>
}
