// Numbers of 8 and 4 bits are taken apart with integers: their types go no
// further than this pass.
//
// RUN: sluice-opt %s --convert-sluice-to-linalg --split-input-file | FileCheck %s --implicit-check-not=sluice. --implicit-check-not=f8E --implicit-check-not=f4E --implicit-check-not=ui4

// A block of the last dimension is a loop of its own, with one scale, and the
// two numbers of a byte are the innermost one.
// CHECK-LABEL: @mxfp4(
// CHECK: %[[Q:.*]] = tensor.collapse_shape %{{.*}} {{\[}}[0], [1, 2]] : tensor<6x2x16xi8> into tensor<6x32xi8>
// CHECK: linalg.generic
// CHECK-SAME: outs(%{{.*}} : tensor<6x2x16x2xf32>)
// CHECK: tensor.extract %[[Q]]
// CHECK: arith.shrui
// CHECK: arith.mulf
// CHECK: tensor.collapse_shape %{{.*}} {{\[}}[0], [1, 2, 3]] : tensor<6x2x16x2xf32> into tensor<6x64xf32>
func.func @mxfp4(%q: tensor<6x2x16xi8>, %s: tensor<6x2xi8>) -> tensor<6x64xf32> {
  %w = sluice.dequantize %q as f4E2M1FN in blocks [1, 32] by %s as f8E8M0FNU
    : (tensor<6x2x16xi8>, tensor<6x2xi8>) -> tensor<6x64xf32>
  return %w : tensor<6x64xf32>
}

// -----

// One loop for each dimension where blocks do not divide it, or end in a byte.
// CHECK-LABEL: @uneven(
// CHECK: linalg.generic
// CHECK-SAME: outs(%{{.*}} : tensor<6x40xf32>)
// CHECK: arith.divui
// CHECK: arith.remui
func.func @uneven(%q: tensor<6x20xi8>, %s: tensor<6x2xf32>) -> tensor<6x40xf32> {
  %w = sluice.dequantize %q as ui4 in blocks [1, 32] by %s
    : (tensor<6x20xi8>, tensor<6x2xf32>) -> tensor<6x40xf32>
  return %w : tensor<6x40xf32>
}

// -----

// Computed in f32, rounded once.
// CHECK-LABEL: @rounded(
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: arith.mulf %{{.*}} : f32
// CHECK: arith.truncf %{{.*}} : f32 to bf16
func.func @rounded(%q: tensor<6x8xi8>, %s: tensor<6x2xf16>) -> tensor<6x8xbf16> {
  %w = sluice.dequantize %q as i8 in blocks [1, 4] by %s
    : (tensor<6x8xi8>, tensor<6x2xf16>) -> tensor<6x8xbf16>
  return %w : tensor<6x8xbf16>
}

// -----

// The magnitude of each block, its scale, then the numbers; rows are dynamic.
// The last block is filled up with zeros.
// CHECK-LABEL: @quantize(
// CHECK: tensor.insert_slice
// CHECK: tensor.expand_shape {{.*}} : tensor<?x36xf32> into tensor<?x3x12xf32>
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["parallel", "parallel", "reduction"]
// CHECK: math.absf
// CHECK: arith.maximumf
// CHECK: linalg.generic
// CHECK: arith.divf
// CHECK: arith.divf
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["parallel", "parallel", "parallel"]
// CHECK: arith.mulf
// CHECK: arith.fptosi
// CHECK: arith.trunci
// CHECK: tensor.collapse_shape {{.*}} : tensor<?x3x12xi8> into tensor<?x36xi8>
// CHECK: tensor.extract_slice {{.*}} : tensor<?x36xi8> to tensor<?x31xi8>
func.func @quantize(%x: tensor<?x31xf32>) -> (tensor<?x31xi8>, tensor<?x3xf32>) {
  %q, %s = sluice.quantize %x to i8 in blocks [1, 12]
    : tensor<?x31xf32> -> tensor<?x31xi8>, tensor<?x3xf32>
  return %q, %s : tensor<?x31xi8>, tensor<?x3xf32>
}

// -----

// No loop over an element's block of its own.
// CHECK-LABEL: @each(
// CHECK-NOT: tensor.expand_shape
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["parallel", "parallel"]
// CHECK: arith.minimumf
// CHECK: arith.maximumf
func.func @each(%x: tensor<?x4xf16>) -> (tensor<?x4xi8>, tensor<?x4xf32>, tensor<?x4xi8>) {
  %q, %s, %z = sluice.quantize %x to ui8 in blocks [1, 1]
    : tensor<?x4xf16> -> tensor<?x4xi8>, tensor<?x4xf32>, tensor<?x4xi8>
  return %q, %s, %z : tensor<?x4xi8>, tensor<?x4xf32>, tensor<?x4xi8>
}
