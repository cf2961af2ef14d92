// RUN: sluice-opt %s --sluice-cpu-pipeline | FileCheck %s --check-prefixes=CHECK,OMP
// RUN: sluice-opt %s --sluice-cpu-pipeline=parallel=false | FileCheck %s --check-prefixes=CHECK,SERIAL
// RUN: sluice-opt %s --sluice-cpu-pipeline=counters=true | FileCheck %s --check-prefix=COUNT
// RUN: sluice-opt %s --sluice-plan-pipeline=rows-per-task=8 | FileCheck %s --check-prefix=PLAN
// RUN: sluice-opt %s --pass-pipeline='builtin.module(sluice-cpu-pipeline{rows-per-task=8})' --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=DUMP

// CHECK: sluice.manifest =
// CHECK: llvm.func @moe(
// OMP: omp.parallel
// SERIAL-NOT: omp.parallel
// CHECK: llvm.func @_mlir_ciface_moe(
// CHECK-NOT: unrealized_conversion_cast
// COUNT: \22counters\22:[{
// COUNT: llvm.atomicrmw add
// PLAN: rows_per_task 8
// DUMP: sluice-plan-dispatch{rows-per-task=8}
// DUMP: sluice-externalize-state{counters=false}
// DUMP: convert-sluice-to-scf
// DUMP: convert-sluice-to-linalg
// DUMP: one-shot-bufferize
// DUMP: sluice-reductions-to-loops
// DUMP: convert-scf-to-openmp
// DUMP: reconcile-unrealized-casts
func.func @moe(%x: tensor<?x8xf32>, %s: tensor<?x4xf32>, %w: tensor<4x8x8xf32>) -> tensor<?x8xf32> {
  %g = sluice.topk %s, 2 : tensor<?x4xf32>
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x8xf32>) with (%v = %w : tensor<4x8x8xf32>)
      combine sum weight output -> tensor<?x8xf32> {
    %o = sluice.linear %t, %v : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    sluice.yield %o : tensor<?x8xf32>
  }
  return %y : tensor<?x8xf32>
}
