// Quantised numbers, in each written form.
//
// RUN: sluice-opt %s | sluice-opt | FileCheck %s
// RUN: sluice-opt %s --mlir-print-op-generic | sluice-opt | FileCheck %s

// CHECK: sluice.weight @blocks "mlp.experts.gate_up_proj_blocks" : tensor<4x6x2x16xi8>
sluice.weight @blocks "mlp.experts.gate_up_proj_blocks" : tensor<4x6x2x16xi8>

// CHECK-LABEL: @integers
func.func @integers(%q: tensor<6x40xi8>, %s: tensor<6x2xf16>, %z: tensor<6x2xi8>,
                    %p: tensor<6x20xi8>, %y: tensor<6x1xi8>) {
  // CHECK: sluice.dequantize %{{.*}} as i8 in blocks [1, 32] by %{{.*}} : (tensor<6x40xi8>, tensor<6x2xf16>) -> tensor<6x40xf32>
  %0 = sluice.dequantize %q as i8 in blocks [1, 32] by %s
    : (tensor<6x40xi8>, tensor<6x2xf16>) -> tensor<6x40xf32>
  // CHECK: sluice.dequantize %{{.*}} as ui8 in blocks [1, 32] by %{{.*}} minus %{{.*}} : (tensor<6x40xi8>, tensor<6x2xf16>, tensor<6x2xi8>) -> tensor<6x40xbf16>
  %1 = sluice.dequantize %q as ui8 in blocks [1, 32] by %s minus %z
    : (tensor<6x40xi8>, tensor<6x2xf16>, tensor<6x2xi8>) -> tensor<6x40xbf16>
  // CHECK: sluice.dequantize %{{.*}} as i4 in blocks [1, 20] by %{{.*}} {note = 1 : i64} : (tensor<6x20xi8>, tensor<6x2xf16>) -> tensor<6x39xf16>
  %2 = sluice.dequantize %p as i4 in blocks [1, 20] by %s {note = 1}
    : (tensor<6x20xi8>, tensor<6x2xf16>) -> tensor<6x39xf16>
  // CHECK: sluice.dequantize %{{.*}} as ui4 in blocks [1, 32] by %{{.*}} minus %{{.*}} : (tensor<6x20xi8>, tensor<6x2xf16>, tensor<6x1xi8>) -> tensor<6x40xf32>
  %3 = sluice.dequantize %p as ui4 in blocks [1, 32] by %s minus %y
    : (tensor<6x20xi8>, tensor<6x2xf16>, tensor<6x1xi8>) -> tensor<6x40xf32>
  return
}

// CHECK-LABEL: @floats
func.func @floats(%b: tensor<6x2x16xi8>, %e: tensor<6x2xi8>, %f: tensor<6x64xi8>,
                  %t: tensor<2x2xf32>) {
  // CHECK: sluice.dequantize %{{.*}} as f4E2M1FN in blocks [1, 32] by %{{.*}} as f8E8M0FNU : (tensor<6x2x16xi8>, tensor<6x2xi8>) -> tensor<6x64xbf16>
  %0 = sluice.dequantize %b as f4E2M1FN in blocks [1, 32] by %e as f8E8M0FNU
    : (tensor<6x2x16xi8>, tensor<6x2xi8>) -> tensor<6x64xbf16>
  // CHECK: sluice.dequantize %{{.*}} as f8E4M3FN in blocks [4, 48] by %{{.*}} : (tensor<6x64xi8>, tensor<2x2xf32>) -> tensor<6x64xf32>
  %1 = sluice.dequantize %f as f8E4M3FN in blocks [4, 48] by %t
    : (tensor<6x64xi8>, tensor<2x2xf32>) -> tensor<6x64xf32>
  // CHECK: sluice.dequantize %{{.*}} as f8E5M2 in blocks [4, 48] by %{{.*}} :
  %2 = sluice.dequantize %f as f8E5M2 in blocks [4, 48] by %t
    : (tensor<6x64xi8>, tensor<2x2xf32>) -> tensor<6x64xf32>
  return
}

// CHECK-LABEL: @activations
func.func @activations(%x: tensor<?x64xf32>, %y: tensor<?xbf16>) -> tensor<?x64xf32> {
  // CHECK: sluice.quantize %{{.*}} to i8 in blocks [1, 32] : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?x2xf32>
  %q, %s = sluice.quantize %x to i8 in blocks [1, 32]
    : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?x2xf32>
  // CHECK: sluice.quantize %{{.*}} to ui8 in blocks [1, 64] : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?x1xf32>, tensor<?x1xi8>
  %r, %t, %z = sluice.quantize %x to ui8 in blocks [1, 64]
    : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?x1xf32>, tensor<?x1xi8>
  // A dynamic last dimension has a scale for each number.
  // CHECK: sluice.quantize %{{.*}} to i8 in blocks [1] : tensor<?xbf16> -> tensor<?xi8>, tensor<?xf32>
  %u:2 = sluice.quantize %y to i8 in blocks [1] : tensor<?xbf16> -> tensor<?xi8>, tensor<?xf32>
  // CHECK: sluice.dequantize %{{.*}} as ui8 in blocks [1, 64] by %{{.*}} minus %{{.*}} : (tensor<?x64xi8>, tensor<?x1xf32>, tensor<?x1xi8>) -> tensor<?x64xf32>
  %v = sluice.dequantize %r as ui8 in blocks [1, 64] by %t minus %z
    : (tensor<?x64xi8>, tensor<?x1xf32>, tensor<?x1xi8>) -> tensor<?x64xf32>
  return %v : tensor<?x64xf32>
}
