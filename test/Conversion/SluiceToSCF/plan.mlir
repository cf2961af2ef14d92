// RUN: sluice-opt %s --convert-sluice-to-scf --canonicalize --cse | FileCheck %s

// CHECK-LABEL: func.func @network(
// CHECK-SAME: %[[EXPERTS:.*]]: tensor<?x4xindex>, %{{.*}}: tensor<?x4xf32>
// Chunks of 4096 tokens count their entries of each expert.
// CHECK: %[[CHUNKS:.*]] = arith.ceildivui %{{.*}}, %c4096
// CHECK: %[[CURSORS:.*]] = memref.alloc(%[[CHUNKS]]) : memref<?x8xindex>
// CHECK: scf.forall (%[[C:.*]]) in (%[[CHUNKS]])
// CHECK: memref.store %c0, %[[CURSORS]][%[[C]], %{{.*}}]
// CHECK: %[[E:.*]] = tensor.extract %[[EXPERTS]]
// CHECK: %[[SIZE:.*]] = memref.load %[[CURSORS]][%[[C]], %[[E]]]
// CHECK: arith.addi %[[SIZE]], %c1
// Sums over experts, then chunks.
// CHECK: %[[OFFSETS:.*]] = memref.alloc() : memref<9xindex>
// CHECK: scf.for %{{.*}} = %c0 to %c8
// CHECK: memref.store %{{.*}}, %[[OFFSETS]]
// CHECK: scf.for %{{.*}} = %c0 to %[[CHUNKS]]
// CHECK: memref.load %[[CURSORS]]
// CHECK: memref.store %{{.*}}, %[[CURSORS]]
// CHECK: %[[ORDER:.*]] = memref.alloc(%{{.*}}) : memref<?xindex>
// CHECK: %[[PLACE:.*]] = memref.alloc(%{{.*}}) : memref<?x4xindex>
// Chunks scatter; a token's four positions, -1 where absent, are sorted by five
// comparisons.
// CHECK: scf.forall
// CHECK-COUNT-4: memref.store %{{.*}}, %[[ORDER]]
// CHECK-COUNT-5: arith.minui
// CHECK-NOT: arith.minui
// CHECK-COUNT-4: memref.store %{{.*}}, %[[PLACE]]
// CHECK: bufferization.to_tensor %[[OFFSETS]]
func.func @network(%g: !sluice.gates<?x8xf32, 4 per token>) -> (tensor<9xindex>, tensor<?xindex>, tensor<?x4xindex>) {
  %offsets, %order, %place = sluice.plan %g : !sluice.gates<?x8xf32, 4 per token>
  return %offsets, %order, %place : tensor<9xindex>, tensor<?xindex>, tensor<?x4xindex>
}

// Seventeen choices are too many for registers: a second loop goes through each
// chunk's positions in order.
// CHECK-LABEL: func.func @walk(
// CHECK-COUNT-3: scf.forall
// CHECK: memref.alloc() : memref<964xindex>
// CHECK: return
func.func @walk(%g: !sluice.gates<?x64xf32, 17 per token>) -> (tensor<65xindex>, tensor<?xindex>, tensor<?x17xindex>) {
  %offsets, %order, %place = sluice.plan %g : !sluice.gates<?x64xf32, 17 per token>
  return %offsets, %order, %place : tensor<65xindex>, tensor<?xindex>, tensor<?x17xindex>
}

// A slot for each expert: absent ones lie in between.
// CHECK-LABEL: func.func @unbounded(
// CHECK-COUNT-3: scf.forall
func.func @unbounded(%g: !sluice.gates<?x8xf32>) -> (tensor<9xindex>, tensor<?xindex>, tensor<?x8xindex>) {
  %offsets, %order, %place = sluice.plan %g : !sluice.gates<?x8xf32>
  return %offsets, %order, %place : tensor<9xindex>, tensor<?xindex>, tensor<?x8xindex>
}

// Three tokens are one chunk, and no parallel loop.
// CHECK-LABEL: func.func @few(
// CHECK-NOT: scf.forall
// CHECK: bufferization.to_tensor %{{.*}} : memref<12xindex> to tensor<12xindex>
func.func @few(%g: !sluice.gates<3x8xf32, 4 per token>) -> (tensor<9xindex>, tensor<12xindex>, tensor<3x4xindex>) {
  %offsets, %order, %place = sluice.plan %g : !sluice.gates<3x8xf32, 4 per token>
  return %offsets, %order, %place : tensor<9xindex>, tensor<12xindex>, tensor<3x4xindex>
}

// Many experts: chunks have four slots for each, so that clearing the counts is
// less than counting.
// CHECK-LABEL: func.func @many(
// CHECK: arith.ceildivui %{{.*}}, %c524288
func.func @many(%g: !sluice.gates<?x1048576xf32, 8 per token>) -> (tensor<1048577xindex>, tensor<?xindex>, tensor<?x8xindex>) {
  %offsets, %order, %place = sluice.plan %g : !sluice.gates<?x1048576xf32, 8 per token>
  return %offsets, %order, %place : tensor<1048577xindex>, tensor<?xindex>, tensor<?x8xindex>
}
