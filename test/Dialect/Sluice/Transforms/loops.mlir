// The two passes on buffers that shape loops.
//
// RUN: sluice-opt %s --sluice-reductions-to-loops --canonicalize | FileCheck %s --check-prefix=REDUCE
// RUN: sluice-opt %s --sluice-serialize-nested | FileCheck %s --check-prefix=NESTED

// The sum is carried, not loaded and stored in every step.
// REDUCE-LABEL: @row_sums(
// REDUCE: scf.for %[[I:.*]] =
// REDUCE: %[[INIT:.*]] = memref.load %{{.*}}[%[[I]]]
// REDUCE: %[[SUM:.*]] = scf.for %[[K:.*]] = {{.*}} iter_args(%[[ACC:.*]] = %[[INIT]])
// REDUCE: %[[X:.*]] = memref.load %{{.*}}[%[[I]], %[[K]]]
// REDUCE-NEXT: %[[NEXT:.*]] = arith.addf %[[X]], %[[ACC]]
// REDUCE-NEXT: scf.yield %[[NEXT]]
// REDUCE: memref.store %[[SUM]], %{{.*}}[%[[I]]]
func.func @row_sums(%x: memref<?x8xf32>, %s: memref<?xf32>) {
  linalg.reduce ins(%x : memref<?x8xf32>) outs(%s : memref<?xf32>) dimensions = [1]
      (%a: f32, %b: f32) {
        %c = arith.addf %a, %b : f32
        linalg.yield %c : f32
      }
  return
}

// The reduction is not innermost: there is no one sum to carry.
// REDUCE-LABEL: @column_sums(
// REDUCE: linalg.reduce
func.func @column_sums(%x: memref<?x8xf32>, %s: memref<8xf32>) {
  linalg.reduce ins(%x : memref<?x8xf32>) outs(%s : memref<8xf32>) dimensions = [0]
      (%a: f32, %b: f32) {
        %c = arith.addf %a, %b : f32
        linalg.yield %c : f32
      }
  return
}

// NESTED-LABEL: @nested(
// NESTED: scf.forall (%[[I:.*]]) in
// NESTED: scf.for %[[J:.*]] =
// NESTED: memref.store %{{.*}}, %{{.*}}[%[[I]], %[[J]]]
func.func @nested(%m: memref<?x?xf32>, %n: index, %v: f32) {
  scf.forall (%i) in (%n) {
    scf.forall (%j) in (%n) {
      memref.store %v, %m[%i, %j] : memref<?x?xf32>
    }
  }
  return
}
