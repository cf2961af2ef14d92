// RUN: sluice-opt %s --convert-sluice-to-scf --canonicalize | FileCheck %s

// Gates are two tensors, in private signatures and through calls too.
// CHECK-LABEL: func.func private @router(
// CHECK-SAME: %[[S:.*]]: tensor<?x4xf32>) -> (tensor<?x2xindex>, tensor<?x2xf32>)
// Chunks of tokens run in parallel. A score is ranked by its integer key, in which
// NaN is the largest; a queue of these is filled up to a whole vector with what is
// no key. Each round takes the first of the largest.
// CHECK: %[[EXPERTS:.*]] = memref.alloc(%{{.*}}) : memref<?x2xindex>
// CHECK: %[[VALUES:.*]] = memref.alloc(%{{.*}}) : memref<?x2xf32>
// CHECK: scf.forall
// CHECK: %[[QUEUE:.*]] = memref.alloc() : memref<16xi32>
// CHECK: memref.store %c-2147483648_i32, %[[QUEUE]]
// CHECK: scf.for %[[T:.*]] = %{{.*}} to %{{.*}} step
// CHECK: %[[SCORE:.*]] = tensor.extract %[[S]][%[[T]], %{{.*}}]
// CHECK: arith.bitcast
// CHECK: arith.cmpf uno
// CHECK: %[[KEY:.*]] = arith.select %{{.*}}, %c2147483647_i32
// CHECK: memref.store %[[KEY]], %[[QUEUE]]
// CHECK: scf.for %[[J:.*]] = %c0 to %c2
// CHECK: %[[LARGEST:.*]] = vector.reduction <maxsi>
// CHECK: vector.broadcast %[[LARGEST]]
// CHECK: vector.reduction <minsi>
// CHECK: %[[EXPERT:.*]] = arith.index_cast
// CHECK: memref.store %c-2147483648_i32, %[[QUEUE]][%[[EXPERT]]]
// CHECK: memref.store %[[EXPERT]], %[[EXPERTS]][%[[T]], %[[J]]]
// CHECK: bufferization.to_tensor %[[EXPERTS]] restrict
// CHECK: bufferization.to_tensor %[[VALUES]] restrict
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

// Of many experts the largest of each block is kept beside them: 2 * 1024 numbers
// are looked at for each choice, not a million.
// CHECK-LABEL: func.func private @blocks(
// CHECK: memref.alloc() : memref<1048576xi32>
// CHECK: memref.alloc() : memref<1024xi32>
func.func private @blocks(%s: tensor<?x1048576xf32>) -> !sluice.gates<?x1048576xf32, 8 per token> {
  %g = sluice.topk %s, 8 : tensor<?x1048576xf32>
  return %g : !sluice.gates<?x1048576xf32, 8 per token>
}

// Not for two rounds: making the blocks looks at all of them, too.
// CHECK-LABEL: func.func private @no_blocks(
// CHECK: memref.alloc() : memref<1048576xi32>
// CHECK-NOT: memref<1024xi32>
// CHECK: return
func.func private @no_blocks(%s: tensor<?x1048576xf32>) -> !sluice.gates<?x1048576xf32, 2 per token> {
  %g = sluice.topk %s, 2 : tensor<?x1048576xf32>
  return %g : !sluice.gates<?x1048576xf32, 2 per token>
}

// Keys of binary64 have 64 bits.
// CHECK-LABEL: func.func private @wide(
// CHECK: memref.alloc() : memref<8xi64>
// CHECK: vector<8xi64>
func.func private @wide(%s: tensor<?x4xf64>) -> !sluice.gates<?x4xf64, 2 per token> {
  %g = sluice.topk %s, 2 : tensor<?x4xf64>
  return %g : !sluice.gates<?x4xf64, 2 per token>
}

// Scores are turned so that an expert's lie side by side; the last token that an
// expert takes is found bit by bit of its key; then every token can tell.
// CHECK-LABEL: func.func private @choose(
// CHECK: %[[KEYS:.*]] = memref.alloc(%{{.*}}) : memref<4x?xi32>
// CHECK: scf.forall
// CHECK: memref.store %{{.*}}, %[[KEYS]][%{{.*}}, %{{.*}}]
// CHECK: scf.forall (%[[E:.*]]) in (4)
// CHECK: scf.for {{.*}} to %c32
// CHECK: memref.load %[[KEYS]][%[[E]], %{{.*}}]
// CHECK: linalg.generic
func.func private @choose(%s: tensor<?x4xf32>, %c: index) -> !sluice.gates<?x4xf32, ? per expert> {
  %g = sluice.choose_tokens %s, %c : tensor<?x4xf32>
  return %g : !sluice.gates<?x4xf32, ? per expert>
}

// Tokens are sorted by priority, 8 bits of the key after the other.
// CHECK-LABEL: func.func private @limit(
// CHECK: memref.alloc() : memref<256xindex>
// CHECK: scf.for {{.*}} to %c2 
// CHECK: arith.shrui
func.func private @limit(%g: !sluice.gates<?x4xf32, 2 per token>, %c: index, %p: tensor<?x1xf32>) -> !sluice.gates<?x4xf32, 2 per token> {
  %k = sluice.limit %g, %c by token priority %p : !sluice.gates<?x4xf32, 2 per token>, tensor<?x1xf32>
  return %k : !sluice.gates<?x4xf32, 2 per token>
}
