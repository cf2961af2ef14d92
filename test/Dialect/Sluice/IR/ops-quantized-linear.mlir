// Products of numbers in panels, and how such panels are written.
//
// RUN: sluice-opt %s | sluice-opt | FileCheck %s
// RUN: sluice-opt %s --mlir-print-op-generic | sluice-opt | FileCheck %s

// What is as it is for whole elements of matrices is not printed.
// CHECK: sluice.weight @plain "plain" : tensor<8x8xf32> in #sluice.panels<16 of in_out>
sluice.weight @plain "plain" : tensor<8x8xf32> in #sluice.panels<16 of in_out by 1 bits 0 dims 2>
// CHECK: sluice.weight @blocks "blocks" : tensor<4x24x2x16xi8> in #sluice.panels<16 of out_in by 4 bits 4 dims 3>
sluice.weight @blocks "blocks" : tensor<4x24x2x16xi8> in #sluice.panels<16 of out_in by 4 bits 4 dims 3>
// CHECK: sluice.weight @bytes "bytes" : tensor<24x8xi8> in #sluice.panels<16 of out_in by 4>
sluice.weight @bytes "bytes" : tensor<24x8xi8> in #sluice.panels<16 of out_in by 4>
// CHECK: sluice.weight @halves "halves" : tensor<24x3xi8> in #sluice.panels<16 of out_in bits 4>
sluice.weight @halves "halves" : tensor<24x3xi8> in #sluice.panels<16 of out_in bits 4>
// Inputs in rows lie side by side as well.
// CHECK: sluice.weight @pairs "pairs" : tensor<6x24xbf16> in #sluice.panels<16 of in_out by 2>
sluice.weight @pairs "pairs" : tensor<6x24xbf16> in #sluice.panels<16 of in_out by 2>
// CHECK: sluice.weight @deep "deep" : tensor<24x2x3xf32> in #sluice.panels<16 of out_in dims 3>
sluice.weight @deep "deep" : tensor<24x2x3xf32> in #sluice.panels<16 of out_in dims 3>

// The values of these weights; with `by` there is a last dimension of that size.
// CHECK-LABEL: @values
func.func @values() {
  %0 = sluice.get_weight @blocks : tensor<4x2x8x16x4xi8>
  %1 = sluice.get_weight @bytes : tensor<2x2x16x4xi8>
  %2 = sluice.get_weight @halves : tensor<2x3x16xi8>
  return
}

// CHECK-LABEL: @floats
func.func @floats(%x: tensor<?x64xf32>, %h: tensor<5x64xbf16>, %w: tensor<2x8x16x4xi8>,
                  %s: tensor<2x2x16xf16>, %e: tensor<2x2x16xi8>) {
  // CHECK: sluice.quantized_linear %{{.*}}, %{{.*}} as i4 by %{{.*}} in blocks 32 : (tensor<?x64xf32>, tensor<2x8x16x4xi8>, tensor<2x2x16xf16>) -> tensor<?x24xf32>
  %0 = sluice.quantized_linear %x, %w as i4 by %s in blocks 32
    : (tensor<?x64xf32>, tensor<2x8x16x4xi8>, tensor<2x2x16xf16>) -> tensor<?x24xf32>
  // CHECK: sluice.quantized_linear %{{.*}}, %{{.*}} as f4E2M1FN by %{{.*}} as f8E8M0FNU in blocks 40 {note = 1 : i64} : (tensor<5x64xbf16>, tensor<2x8x16x4xi8>, tensor<2x2x16xi8>) -> tensor<5x32xf32>
  %1 = sluice.quantized_linear %h, %w as f4E2M1FN by %e as f8E8M0FNU in blocks 40 {note = 1}
    : (tensor<5x64xbf16>, tensor<2x8x16x4xi8>, tensor<2x2x16xi8>) -> tensor<5x32xf32>
  return
}

// CHECK-LABEL: @rounded
func.func @rounded(%q: tensor<?x64xi8>, %s: tensor<?x1xf32>, %w: tensor<2x16x16x4xi8>,
                   %p: tensor<2x8x16x4xi8>, %ws: tensor<2x3x16xf32>, %z: tensor<2x3x16xi8>,
                   %pz: tensor<2x2x16xi8>) {
  // CHECK: sluice.quantized_linear %{{.*}} by %{{.*}} in blocks 64, %{{.*}} as i8 by %{{.*}} minus %{{.*}} in blocks 24 : (tensor<?x64xi8>, tensor<?x1xf32>, tensor<2x16x16x4xi8>, tensor<2x3x16xf32>, tensor<2x3x16xi8>) -> tensor<?x17xf32>
  %0 = sluice.quantized_linear %q by %s in blocks 64, %w as i8 by %ws minus %z in blocks 24
    : (tensor<?x64xi8>, tensor<?x1xf32>, tensor<2x16x16x4xi8>, tensor<2x3x16xf32>, tensor<2x3x16xi8>) -> tensor<?x17xf32>
  // Three blocks' zero points take two bytes.
  // CHECK: sluice.quantized_linear %{{.*}} by %{{.*}} in blocks 128, %{{.*}} as ui4 by %{{.*}} minus %{{.*}} in blocks 24 : (tensor<?x64xi8>, tensor<?x1xf32>, tensor<2x8x16x4xi8>, tensor<2x3x16xf32>, tensor<2x2x16xi8>) -> tensor<?x32xf32>
  %1 = sluice.quantized_linear %q by %s in blocks 128, %p as ui4 by %ws minus %pz in blocks 24
    : (tensor<?x64xi8>, tensor<?x1xf32>, tensor<2x8x16x4xi8>, tensor<2x3x16xf32>, tensor<2x2x16xi8>) -> tensor<?x32xf32>
  return
}
