// RUN: sluice-opt %s --sluice-cpu-products=machine=avx512 | FileCheck %s
// RUN: sluice-opt %s --sluice-cpu-products="machine=avx512 parallel=false" | FileCheck %s --check-prefix=SERIAL
//
// Tasks that would leave threads without work run one after the other, and all
// threads share their products.

#in = affine_map<(p, r, k, c) -> (r, k)>
#weight = affine_map<(p, r, k, c) -> (p, k, c)>
#out = affine_map<(p, r, k, c) -> (r, p, c)>
#product = {indexing_maps = [#in, #weight, #out], iterator_types = ["parallel", "parallel", "reduction", "parallel"]}

// CHECK-LABEL: func.func @tasks(
// CHECK: %[[CALL:.*]] = call @omp_get_max_threads() : () -> i32
// CHECK: %[[THREADS:.*]] = arith.index_castui %[[CALL]]
// CHECK: %[[ROUNDS:.*]] = arith.ceildivui %[[TASKS:.*]], %[[THREADS]]
// CHECK: %[[ROOM:.*]] = arith.muli %[[ROUNDS]], %[[THREADS]]
// CHECK: %[[USED:.*]] = arith.muli %[[TASKS]], %c8
// CHECK: %[[ENOUGH:.*]] = arith.muli %[[ROOM]], %c7
// CHECK: %[[IF:.*]] = arith.cmpi ult, %[[USED]], %[[ENOUGH]]
// CHECK: scf.if %[[IF]] {
// CHECK: scf.for
// CHECK: scf.parallel
// CHECK: call @__sluice_rows_
// CHECK: } else {
// CHECK-NOT: scf.parallel
// CHECK: scf.forall
// CHECK-NOT: scf.parallel
// CHECK: call @__sluice_rows_
// CHECK: return
//
// SERIAL-LABEL: func.func @tasks(
// SERIAL-NOT: scf.if
// SERIAL-NOT: omp_get_max_threads
// SERIAL: scf.forall
// SERIAL: call @__sluice_rows_
// SERIAL: return
func.func @tasks(%n: index, %x: memref<?x?x64xf32>, %w: memref<?x4x64x16xf32>, %y: memref<?x?x4x16xf32>, %rows: index) {
  scf.forall (%i) in (%n) {
    %xi = memref.subview %x[%i, 0, 0] [1, %rows, 64] [1, 1, 1] : memref<?x?x64xf32> to memref<?x64xf32, strided<[64, 1], offset: ?>>
    %wi = memref.subview %w[%i, 0, 0, 0] [1, 4, 64, 16] [1, 1, 1, 1] : memref<?x4x64x16xf32> to memref<4x64x16xf32, strided<[1024, 16, 1], offset: ?>>
    %yi = memref.subview %y[%i, 0, 0, 0] [1, %rows, 4, 16] [1, 1, 1, 1] : memref<?x?x4x16xf32> to memref<?x4x16xf32, strided<[64, 16, 1], offset: ?>>
    linalg.generic #product ins(%xi, %wi : memref<?x64xf32, strided<[64, 1], offset: ?>>, memref<4x64x16xf32, strided<[1024, 16, 1], offset: ?>>)
        outs(%yi : memref<?x4x16xf32, strided<[64, 16, 1], offset: ?>>) {
    ^bb0(%a: f32, %b: f32, %s: f32):
      %m = arith.mulf %a, %b : f32
      %t = arith.addf %s, %m : f32
      linalg.yield %t : f32
    }
  }
  return
}

// A loop without products has nothing to share.
// CHECK-LABEL: func.func @no_products(
// CHECK-NOT: scf.if
// CHECK: scf.forall
func.func @no_products(%n: index, %y: memref<?xf32>) {
  %zero = arith.constant 0.0 : f32
  scf.forall (%i) in (%n) {
    memref.store %zero, %y[%i] : memref<?xf32>
  }
  return
}

// CHECK: func.func private @omp_get_max_threads() -> i32
