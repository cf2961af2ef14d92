// The two passes on buffers that shape loops.
//
// RUN: sluice-opt %s --sluice-reductions-to-loops --canonicalize | FileCheck %s --check-prefix=REDUCE
// RUN: sluice-opt %s --sluice-serialize-nested | FileCheck %s --check-prefix=NESTED
// RUN: sluice-opt %s --sluice-serialize-nested --remarks-filter=sluice-serialize-nested 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

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
// REMARK: loops.mlir:[[#@LINE+3]]:5: remark: [Passed] nested {{.*}}Function=nested | Reason="it is nested in the parallel loop at {{.*}}loops.mlir:[[#@LINE+2]]:3", Remark="the loop runs serially"
func.func @nested(%m: memref<?x?xf32>, %n: index, %v: f32) {
  scf.forall (%i) in (%n) {
    scf.forall (%j) in (%n) {
      memref.store %v, %m[%i, %j] : memref<?x?xf32>
    }
  }
  return
}
