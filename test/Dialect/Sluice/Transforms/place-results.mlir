// RUN: sluice-opt %s --sluice-place-results | FileCheck %s
//
// What it is for: experts' results are written once, where the sum reads them.
// RUN: sluice-opt %s --sluice-place-results --eliminate-empty-tensors \
// RUN:   --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --cse --canonicalize \
// RUN:   | FileCheck %s --check-prefix=BUFFERS

#in = affine_map<(p, r, k, c) -> (r, k)>
#weight = affine_map<(p, r, k, c) -> (p, k, c)>
#out = affine_map<(p, r, k, c) -> (r, p, c)>
#product = {indexing_maps = [#in, #weight, #out], iterator_types = ["parallel", "parallel", "reduction", "parallel"]}

// Products that share zeros get their own.
// CHECK-LABEL: @two_products(
// CHECK: %[[E0:.*]] = tensor.empty(%arg2)
// CHECK: %[[F0:.*]] = linalg.fill {{.*}} outs(%[[E0]]
// CHECK: %[[E1:.*]] = tensor.empty(%arg2)
// CHECK: %[[F1:.*]] = linalg.fill {{.*}} outs(%[[E1]]
// CHECK: linalg.generic {{.*}} outs(%[[F1]]
// CHECK: linalg.generic {{.*}} outs(%[[F0]]
//
// BUFFERS-LABEL: @two_products(
// BUFFERS-NOT: memref.copy
// BUFFERS: return
func.func @two_products(%x: tensor<?x8xf32>, %w: tensor<2x8x16xf32>, %n: index) -> (tensor<?x2x16xf32>, tensor<?x2x16xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x2x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2x16xf32>) -> tensor<?x2x16xf32>
  %0 = linalg.generic #product ins(%x, %w : tensor<?x8xf32>, tensor<2x8x16xf32>) outs(%f : tensor<?x2x16xf32>) {
  ^bb0(%a: f32, %b: f32, %s: f32):
    %m = arith.mulf %a, %b : f32
    %t = arith.addf %s, %m : f32
    linalg.yield %t : f32
  } -> tensor<?x2x16xf32>
  %1 = linalg.generic #product ins(%x, %w : tensor<?x8xf32>, tensor<2x8x16xf32>) outs(%f : tensor<?x2x16xf32>) {
  ^bb0(%a: f32, %b: f32, %s: f32):
    %m = arith.mulf %a, %b : f32
    %t = arith.addf %s, %m : f32
    linalg.yield %t : f32
  } -> tensor<?x2x16xf32>
  return %0, %1 : tensor<?x2x16xf32>, tensor<?x2x16xf32>
}

// Rows of a larger tensor, in panels.
// CHECK-LABEL: @rows_of_larger(
// CHECK: scf.forall (%[[I:.*]]) in (2) shared_outs(%[[O:.*]] =
// CHECK: %[[FROM:.*]] = arith.muli
// CHECK-NOT: tensor.empty
// CHECK: %[[PART:.*]] = tensor.extract_slice %[[O]][%[[FROM]], 0] [%arg2, 32] [1, 1]
// CHECK: %[[PANELS:.*]] = tensor.expand_shape %[[PART]] {{\[\[}}0], [1, 2]] output_shape [%arg2, 2, 16]
// CHECK: %[[F:.*]] = linalg.fill {{.*}} outs(%[[PANELS]]
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} outs(%[[F]]
// CHECK: %[[ROWS:.*]] = tensor.collapse_shape %[[Y]]
// CHECK: tensor.parallel_insert_slice %[[ROWS]] into %[[O]][%[[FROM]], 0]
//
// BUFFERS-LABEL: @rows_of_larger(
// BUFFERS-NOT: memref.alloc
// BUFFERS-NOT: memref.copy
// BUFFERS: return
func.func @rows_of_larger(%x: tensor<?x8xf32>, %w: tensor<2x8x16xf32>, %n: index, %all: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %zero = arith.constant 0.0 : f32
  %r = scf.forall (%i) in (2) shared_outs(%o = %all) -> (tensor<?x32xf32>) {
    %e = tensor.empty(%n) : tensor<?x2x16xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2x16xf32>) -> tensor<?x2x16xf32>
    %from = arith.muli %i, %n : index
    %0 = linalg.generic #product ins(%x, %w : tensor<?x8xf32>, tensor<2x8x16xf32>) outs(%f : tensor<?x2x16xf32>) {
    ^bb0(%a: f32, %b: f32, %s: f32):
      %m = arith.mulf %a, %b : f32
      %t = arith.addf %s, %m : f32
      linalg.yield %t : f32
    } -> tensor<?x2x16xf32>
    %rows = tensor.collapse_shape %0 [[0], [1, 2]] : tensor<?x2x16xf32> into tensor<?x32xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %rows into %o[%from, 0] [%n, 32] [1, 1] : tensor<?x32xf32> into tensor<?x32xf32>
    }
  }
  return %r : tensor<?x32xf32>
}

// Where they go is known only after the product, or its rows are read by others,
// or are some of the columns.
// CHECK-LABEL: @apart(
// CHECK-COUNT-3: tensor.empty(
// CHECK-NOT: tensor.expand_shape
// CHECK: return
func.func @apart(%x: tensor<?x8xf32>, %w: tensor<2x8x16xf32>, %n: index, %all: tensor<?x32xf32>, %some: tensor<?x30xf32>) -> (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x30xf32>) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %r:3 = scf.forall (%i) in (2) shared_outs(%o0 = %all, %o1 = %all, %o2 = %some) -> (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x30xf32>) {
    %e = tensor.empty(%n) : tensor<?x2x16xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2x16xf32>) -> tensor<?x2x16xf32>
    %0 = linalg.generic #product ins(%x, %w : tensor<?x8xf32>, tensor<2x8x16xf32>) outs(%f : tensor<?x2x16xf32>) {
    ^bb0(%a: f32, %b: f32, %s: f32):
      %m = arith.mulf %a, %b : f32
      %t = arith.addf %s, %m : f32
      linalg.yield %t : f32
    } -> tensor<?x2x16xf32>
    %rows0 = tensor.collapse_shape %0 [[0], [1, 2]] : tensor<?x2x16xf32> into tensor<?x32xf32>
    %late = arith.addi %i, %n : index
    %1 = linalg.generic #product ins(%x, %w : tensor<?x8xf32>, tensor<2x8x16xf32>) outs(%f : tensor<?x2x16xf32>) {
    ^bb0(%a: f32, %b: f32, %s: f32):
      %m = arith.mulf %a, %b : f32
      %t = arith.addf %s, %m : f32
      linalg.yield %t : f32
    } -> tensor<?x2x16xf32>
    %rows1 = tensor.collapse_shape %1 [[0], [1, 2]] : tensor<?x2x16xf32> into tensor<?x32xf32>
    %first = tensor.extract %rows1[%c0, %c0] : tensor<?x32xf32>
    %at = arith.fptosi %first : f32 to i32
    %place = arith.index_cast %at : i32 to index
    %2 = linalg.generic #product ins(%x, %w : tensor<?x8xf32>, tensor<2x8x16xf32>) outs(%f : tensor<?x2x16xf32>) {
    ^bb0(%a: f32, %b: f32, %s: f32):
      %m = arith.mulf %a, %b : f32
      %t = arith.addf %s, %m : f32
      linalg.yield %t : f32
    } -> tensor<?x2x16xf32>
    %rows2 = tensor.collapse_shape %2 [[0], [1, 2]] : tensor<?x2x16xf32> into tensor<?x32xf32>
    %part = tensor.extract_slice %rows2[0, 0] [%n, 30] [1, 1] : tensor<?x32xf32> to tensor<?x30xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %rows0 into %o0[%late, 0] [%n, 32] [1, 1] : tensor<?x32xf32> into tensor<?x32xf32>
      tensor.parallel_insert_slice %rows1 into %o1[%place, 0] [%n, 32] [1, 1] : tensor<?x32xf32> into tensor<?x32xf32>
      tensor.parallel_insert_slice %part into %o2[%i, 0] [%n, 30] [1, 1] : tensor<?x30xf32> into tensor<?x30xf32>
    }
  }
  return %r#0, %r#1, %r#2 : tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x30xf32>
}
