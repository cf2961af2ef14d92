// RUN: sluice-opt %s --sluice-plan-dispatch --sluice-externalize-state --convert-sluice-to-scf --canonicalize | FileCheck %s
// RUN: sluice-opt %s --sluice-plan-dispatch --sluice-externalize-state=counters=true --convert-sluice-to-scf --canonicalize | FileCheck %s --check-prefix=COUNT

// CHECK-LABEL: func.func @experts(
// CHECK-SAME: %{{.*}}: memref<?xi64>, %[[X:.*]]: tensor<?x8xf32> {{.*}}, %[[E:.*]]: tensor<?x2xi64> {{.*}}, %[[W:.*]]: tensor<4x8x8xf32>
// Rows of all entries, nothing for absent ones: as many as the plan counted.
// CHECK: %[[OFFSETS:.*]] = bufferization.to_tensor %{{.*}} : memref<5xindex>
// CHECK: %[[ENTRIES:.*]] = tensor.extract %[[OFFSETS]][%c4]
// An eighth of them makes a task, if these are 32 rows and at most 64.
// CHECK: %[[SHARE:.*]] = arith.ceildivui %[[ENTRIES]], %c8
// CHECK: arith.maxui %[[SHARE]], %c32
// CHECK: arith.minui %{{.*}}, %c64
// Tasks are sorted by size, large ones first.
// CHECK: %[[SIZES:.*]] = memref.alloc() : memref<64xindex>
// CHECK: %[[TASKS:.*]] = scf.for {{.*}} iter_args
// CHECK: %[[ROWS:.*]] = tensor.empty(%[[ENTRIES]]) : tensor<?x8xf32>
// Tasks in parallel: gather, this expert's slice, the body, rows side by side.
// CHECK: scf.forall (%{{.*}}) in (%[[TASKS]]) shared_outs(%[[OUT:.*]] = %[[ROWS]])
// CHECK: scf.for
// CHECK: %[[ROW:.*]] = tensor.extract_slice %[[X]]{{.*}} : tensor<?x8xf32> to tensor<8xf32>
// CHECK: tensor.insert_slice %[[ROW]]
// CHECK: %[[SLICE:.*]] = tensor.extract_slice %[[W]]{{.*}} : tensor<4x8x8xf32> to tensor<8x8xf32>
// CHECK: %[[Y:.*]] = sluice.linear %{{.*}}, %[[SLICE]]
// CHECK: tensor.parallel_insert_slice %[[Y]] into %[[OUT]]
// Tokens in parallel: their rows in increasing position.
// CHECK: scf.forall
// CHECK: scf.for
// CHECK: scf.if
// CHECK: arith.addf
// COUNT-LABEL: func.func @experts(
// Calls, tokens, entries, slots, experts touched, tokens per expert.
// COUNT-COUNT-6: memref.atomic_rmw addi
func.func @experts(%x: tensor<?x8xf32>, %e: tensor<?x2xi64>, %w: tensor<4x8x8xf32>) -> tensor<?x8xf32> {
  %g = sluice.from_entries %e : (tensor<?x2xi64>) -> !sluice.gates<?x4xf32, 2 per token>
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x8xf32>) with (%v = %w : tensor<4x8x8xf32>)
      combine sum weight output -> tensor<?x8xf32> {
    %o = sluice.linear %t, %v : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    sluice.yield %o : tensor<?x8xf32>
  }
  return %y : tensor<?x8xf32>
}
