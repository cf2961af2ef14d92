// RUN: sluice-opt %s --convert-sluice-to-scf --canonicalize | FileCheck %s

// Gates are two tensors, in private signatures and through calls too.
// CHECK-LABEL: func.func private @router(
// CHECK-SAME: %[[S:.*]]: tensor<?x4xf32>) -> (tensor<?x2xindex>, tensor<?x2xf32>)
// A token's rounds run in parallel with other tokens'; a score is compared by
// its integer key, in which NaN is the largest.
// CHECK: scf.forall (%[[T:.*]]) in
// CHECK: scf.for {{.*}} iter_args(%{{.*}}, %{{.*}}, %{{.*}} = %c2147483647_i32, %{{.*}} = %c-1)
// CHECK: tensor.extract %[[S]][%[[T]], %{{.*}}]
// CHECK: arith.bitcast
// CHECK: arith.cmpf uno
// CHECK: arith.select %{{.*}}, %c2147483647_i32
// CHECK: scf.forall.in_parallel
// CHECK-COUNT-2: tensor.parallel_insert_slice
func.func private @router(%s: tensor<?x4xf32>) -> !sluice.gates<?x4xf32, 2 per token> {
  %g = sluice.topk %s, 2 : tensor<?x4xf32>
  return %g : !sluice.gates<?x4xf32, 2 per token>
}

// CHECK-LABEL: func.func @entries(
// CHECK: %[[G:.*]]:2 = call @router
// CHECK: arith.index_cast {{.*}} : index to i64
// An absent slot has value 0.
// CHECK: arith.cmpi sge, %{{.*}}, %c0
// CHECK: arith.select
func.func @entries(%s: tensor<?x4xf32>) -> (tensor<?x2xi64>, tensor<?x2xf32>) {
  %g = call @router(%s) : (tensor<?x4xf32>) -> !sluice.gates<?x4xf32, 2 per token>
  %i, %w = sluice.entries %g : !sluice.gates<?x4xf32, 2 per token>
  return %i, %w : tensor<?x2xi64>, tensor<?x2xf32>
}

// Gates that are not bounded per token have a slot for each expert.
// CHECK-LABEL: func.func private @unbounded(
// CHECK-SAME: -> (tensor<?x4xindex>, tensor<?x4xf32>)
// CHECK-NOT: scf.for
// CHECK: linalg.generic
// CHECK: linalg.index 1
func.func private @unbounded(%v: tensor<?x4xf32>, %m: tensor<?x4xi1>) -> !sluice.gates<?x4xf32> {
  %g = sluice.from_dense %v where %m : tensor<?x4xf32>, tensor<?x4xi1> -> !sluice.gates<?x4xf32>
  return %g : !sluice.gates<?x4xf32>
}

// Softmax over the chosen: absent slots take no part.
// CHECK-LABEL: func.func private @after(
// CHECK: arith.select %{{.*}}, %{{.*}}, %cst
// CHECK: sluice.softmax %{{.*}} : tensor<?x2xf32>
func.func private @after(%g: !sluice.gates<?x4xf32, 2 per token>) -> !sluice.gates<?x4xf32, 2 per token> {
  %s = sluice.softmax %g : !sluice.gates<?x4xf32, 2 per token>
  return %s : !sluice.gates<?x4xf32, 2 per token>
}
