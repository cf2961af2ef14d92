// RUN: sluice-opt %s --sluice-tile-rows | FileCheck %s
// RUN: sluice-opt %s --sluice-tile-rows --canonicalize --cse | FileCheck %s --check-prefix=FUSED
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

// Exponentials, their sum and the quotients of a row: one loop, and the
// exponentials once.
// FUSED-LABEL: @rows(
// FUSED: scf.forall
// FUSED: %[[EXP:.*]] = linalg.exp
// FUSED-NOT: linalg.exp
// FUSED: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[EXP]]
// FUSED: linalg.generic {{.*}} ins(%[[EXP]], %[[SUM]]
// FUSED: scf.forall.in_parallel
// FUSED-NOT: scf.forall
// FUSED: return
func.func @rows(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %all = tensor.empty(%n) : tensor<?x8xf32>
  %one = tensor.empty(%n) : tensor<?xf32>
  %p = linalg.exp ins(%x : tensor<?x8xf32>) outs(%all : tensor<?x8xf32>) -> tensor<?x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%one : tensor<?xf32>) -> tensor<?xf32>
  %s = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
      ins(%p : tensor<?x8xf32>) outs(%f : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<?xf32>
  %q = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%p, %s : tensor<?x8xf32>, tensor<?xf32>) outs(%all : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %c = arith.divf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<?x8xf32>
  return %q : tensor<?x8xf32>
}

// Somebody else reads the exponentials, too: they are computed once, before.
// FUSED-LABEL: @shared(
// FUSED: scf.forall
// FUSED: linalg.exp
// FUSED: scf.forall
// FUSED-NOT: linalg.exp
// FUSED: linalg.abs
func.func @shared(%x: tensor<?x8xf32>, %e: tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %p = linalg.exp ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  %q = linalg.abs ins(%p : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %p, %q : tensor<?x8xf32>, tensor<?x8xf32>
}

// Every row of the sum reads all exponentials: each tile would compute them all.
// FUSED-LABEL: @columns(
// FUSED: scf.forall
// FUSED: linalg.exp
// FUSED: scf.forall
// FUSED-NOT: linalg.exp
// FUSED: linalg.generic
func.func @columns(%x: tensor<?x32xf32>, %e: tensor<?x32xf32>, %f: tensor<32xf32>) -> tensor<32xf32> {
  %p = linalg.exp ins(%x : tensor<?x32xf32>) outs(%e : tensor<?x32xf32>) -> tensor<?x32xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, #row], iterator_types = ["parallel", "reduction"]}
      ins(%p : tensor<?x32xf32>) outs(%f : tensor<32xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<32xf32>
  return %s : tensor<32xf32>
}

#in = affine_map<(p, r, k, c) -> (r, k)>
#weight = affine_map<(p, r, k, c) -> (p, k, c)>
#out = affine_map<(p, r, k, c) -> (r, p, c)>

// A product with a packed weight is cut for the processor, with its zeros; other
// fills are cut here.
// CHECK-LABEL: @packed(
// CHECK-NOT: scf.forall
// CHECK: linalg.fill
// CHECK: linalg.generic
// CHECK: scf.forall
// CHECK: linalg.fill
func.func @packed(%x: tensor<?x8xf32>, %w: tensor<2x8x16xf32>, %n: index) -> (tensor<?x2x16xf32>, tensor<?x2x16xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x2x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2x16xf32>) -> tensor<?x2x16xf32>
  %y = linalg.generic {indexing_maps = [#in, #weight, #out], iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
      ins(%x, %w : tensor<?x8xf32>, tensor<2x8x16xf32>) outs(%f : tensor<?x2x16xf32>) {
  ^bb0(%a: f32, %b: f32, %s: f32):
    %m = arith.mulf %a, %b : f32
    %t = arith.addf %s, %m : f32
    linalg.yield %t : f32
  } -> tensor<?x2x16xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2x16xf32>) -> tensor<?x2x16xf32>
  return %y, %z : tensor<?x2x16xf32>, tensor<?x2x16xf32>
}
