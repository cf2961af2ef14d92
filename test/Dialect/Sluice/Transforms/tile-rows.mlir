// RUN: sluice-opt %s --sluice-tile-rows | FileCheck %s
// RUN: not sluice-opt %s --sluice-tile-rows=rows=0 2>&1 | FileCheck %s --check-prefix=ZERO

// ZERO: error: expected rows to be at least 1 but got 0

#all = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// The fill of a reduction's result goes along.
// CHECK-LABEL: @sum(
// CHECK: scf.forall {{.*}} step (16)
// CHECK: linalg.fill
// CHECK: linalg.generic
// CHECK: scf.forall.in_parallel
// CHECK-NOT: linalg.fill
// CHECK: return
func.func @sum(%x: tensor<?x8xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %s = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x8xf32>) outs(%f : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<?xf32>
  return %s : tensor<?xf32>
}

// No longer than a tile.
// CHECK-LABEL: @short(
// CHECK-NOT: scf.forall
// CHECK: return
func.func @short(%x: tensor<16x8xf32>, %e: tensor<16x8xf32>) -> tensor<16x8xf32> {
  %0 = linalg.exp ins(%x : tensor<16x8xf32>) outs(%e : tensor<16x8xf32>) -> tensor<16x8xf32>
  return %0 : tensor<16x8xf32>
}

// Nothing but a reduction: its order would depend on the tiles.
// CHECK-LABEL: @total(
// CHECK-NOT: scf.forall
// CHECK: return
func.func @total(%x: tensor<?xf32>, %e: tensor<f32>) -> tensor<f32> {
  %0 = linalg.reduce ins(%x : tensor<?xf32>) outs(%e : tensor<f32>) dimensions = [0]
      (%a: f32, %b: f32) {
        %c = arith.addf %a, %b : f32
        linalg.yield %c : f32
      }
  return %0 : tensor<f32>
}
