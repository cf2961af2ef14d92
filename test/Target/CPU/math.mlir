// Exponentials of f32 become multiply-adds, on scalars and on vectors; other
// functions and types stay.
//
// RUN: sluice-opt %s --sluice-cpu-math | FileCheck %s

// CHECK-LABEL: func.func @scalar(
func.func @scalar(%x: f32) -> f32 {
  // CHECK-NOT: math.exp
  // CHECK: math.fma
  // CHECK: return
  %y = math.exp %x : f32
  return %y : f32
}

// CHECK-LABEL: func.func @vector(
func.func @vector(%x: vector<16xf32>) -> vector<16xf32> {
  // CHECK-NOT: math.exp
  // CHECK: math.fma {{.*}} : vector<16xf32>
  // CHECK: return
  %y = math.exp %x : vector<16xf32>
  return %y : vector<16xf32>
}

// CHECK-LABEL: func.func @others(
func.func @others(%x: f64, %z: f32) -> (f64, f32) {
  // CHECK: math.exp %{{.*}} : f64
  // CHECK: math.erf
  %y = math.exp %x : f64
  %e = math.erf %z : f32
  return %y, %e : f64, f32
}
