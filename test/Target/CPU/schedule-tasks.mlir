// Loops whose iterations differ in work take tasks one by one.
//
// RUN: sluice-opt %s --convert-scf-to-openmp --sluice-schedule-tasks | FileCheck %s

func.func private @product(index)

// CHECK-LABEL: func.func @calls(
func.func @calls(%n: index) {
  // CHECK: omp.wsloop schedule(dynamic)
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    func.call @product(%i) : (index) -> ()
  }
  return
}

// CHECK-LABEL: func.func @allocates(
func.func @allocates(%n: index, %out: memref<?xf32>) {
  // CHECK: omp.wsloop schedule(dynamic)
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %m = memref.alloc(%i) : memref<?xf32>
    %x = memref.load %m[%c0] : memref<?xf32>
    memref.store %x, %out[%i] : memref<?xf32>
    memref.dealloc %m : memref<?xf32>
  }
  return
}

// CHECK-LABEL: func.func @even(
func.func @even(%n: index, %out: memref<?xf32>) {
  // CHECK: omp.wsloop {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %zero, %out[%i] : memref<?xf32>
  }
  return
}
