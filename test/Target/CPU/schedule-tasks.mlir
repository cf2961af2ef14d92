// Loops whose iterations differ in work take tasks one by one, those of one
// iteration run where they are, and only a region's end waits.
//
// RUN: sluice-opt %s --convert-scf-to-openmp --sluice-schedule-tasks | FileCheck %s

func.func private @product(index)

// CHECK-LABEL: func.func @calls(
func.func @calls(%n: index) {
  // CHECK: omp.wsloop nowait schedule(dynamic)
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    func.call @product(%i) : (index) -> ()
  }
  return
}

// CHECK-LABEL: func.func @allocates(
func.func @allocates(%n: index, %out: memref<?xf32>) {
  // CHECK: omp.wsloop nowait schedule(dynamic)
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
  // CHECK: %[[SIZE:.*]] = arith.subi %arg0, %c0
  // CHECK: %[[IF:.*]] = arith.cmpi sgt, %[[SIZE]], %c1
  // CHECK: omp.parallel if(%[[IF]]) {
  // CHECK: omp.wsloop nowait {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    memref.store %zero, %out[%i] : memref<?xf32>
  }
  return
}

// Work for others if any dimension has some.
// CHECK-LABEL: func.func @two_dimensions(
func.func @two_dimensions(%n: index, %m: index, %out: memref<?x?xf32>) {
  // CHECK: %[[ROWS:.*]] = arith.cmpi sgt, %{{.*}}, %c16
  // CHECK: %[[COLUMNS:.*]] = arith.cmpi sgt, %{{.*}}, %c1
  // CHECK: %[[IF:.*]] = arith.ori %[[ROWS]], %[[COLUMNS]]
  // CHECK: omp.parallel if(%[[IF]]) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %zero = arith.constant 0.0 : f32
  scf.parallel (%i, %j) = (%c0, %c0) to (%n, %m) step (%c16, %c1) {
    memref.store %zero, %out[%i, %j] : memref<?x?xf32>
  }
  return
}

// A loop that is not the last of its region: others may read what it writes.
// CHECK-LABEL: func.func @followed(
func.func @followed(%n: index, %out: memref<?xf32>) {
  // CHECK: omp.parallel {
  // CHECK: omp.wsloop {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  omp.parallel {
    omp.wsloop {
      omp.loop_nest (%i) : index = (%c0) to (%n) step (%c1) {
        memref.store %zero, %out[%i] : memref<?xf32>
        omp.yield
      }
    }
    %x = memref.load %out[%c0] : memref<?xf32>
    memref.store %x, %out[%c1] : memref<?xf32>
    omp.terminator
  }
  return
}
