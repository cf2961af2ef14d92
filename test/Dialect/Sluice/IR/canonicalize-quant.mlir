// Each canonicalization of quantised numbers once where it fires, and where it
// must not, with the reason.
//
// RUN: sluice-opt %s --canonicalize | FileCheck %s

!q = tensor<4x8xi8>
!s = tensor<4x2xf32>
!f = tensor<4x8xf32>
!b = tensor<4x8xbf16>

// CHECK-LABEL: @zero_points_of_0
func.func @zero_points_of_0(%q: !q, %s: !s) -> !f {
  %z = arith.constant dense<0> : tensor<4x2xi8>
  // CHECK-NEXT: sluice.dequantize %{{.*}} as ui8 in blocks [1, 4] by %{{.*}} : (tensor<4x8xi8>, tensor<4x2xf32>)
  %0 = sluice.dequantize %q as ui8 in blocks [1, 4] by %s minus %z : (!q, !s, tensor<4x2xi8>) -> !f
  return %0 : !f
}

// Two zero points of 4 bits in a byte: 16 is 1 and 0.
// CHECK-LABEL: @zero_points_of_1
func.func @zero_points_of_1(%q: tensor<4x4xi8>, %s: !s) -> !f {
  %z = arith.constant dense<16> : tensor<4x1xi8>
  // CHECK: minus
  %0 = sluice.dequantize %q as ui4 in blocks [1, 4] by %s minus %z : (tensor<4x4xi8>, !s, tensor<4x1xi8>) -> !f
  return %0 : !f
}

// CHECK-LABEL: @round_once
func.func @round_once(%q: !q, %s: !s) -> !b {
  // CHECK-NEXT: %[[B:.*]] = sluice.dequantize {{.*}} -> tensor<4x8xbf16>
  // CHECK-NEXT: return %[[B]]
  %0 = sluice.dequantize %q as i8 in blocks [1, 4] by %s : (!q, !s) -> !f
  %1 = arith.truncf %0 : !f to !b
  return %1 : !b
}

// Another rounding than the op's.
// CHECK-LABEL: @round_down
func.func @round_down(%q: !q, %s: !s) -> !b {
  // CHECK: arith.truncf
  %0 = sluice.dequantize %q as i8 in blocks [1, 4] by %s : (!q, !s) -> !f
  %1 = arith.truncf %0 downward : !f to !b
  return %1 : !b
}

// The f32 numbers are needed, too: they would be computed twice.
// CHECK-LABEL: @round_shared
func.func @round_shared(%q: !q, %s: !s) -> (!f, !b) {
  // CHECK: arith.truncf
  %0 = sluice.dequantize %q as i8 in blocks [1, 4] by %s : (!q, !s) -> !f
  %1 = arith.truncf %0 : !f to !b
  return %0, %1 : !f, !b
}
