// Experts that differ, as they are printed and parsed.
//
// RUN: sluice-opt %s | sluice-opt | FileCheck %s
// RUN: sluice-opt %s --mlir-print-op-generic | sluice-opt | FileCheck %s
// RUN: sluice-opt %s --emit-bytecode | sluice-opt | FileCheck %s

// CHECK-LABEL: @sum(
func.func @sum(%g: !sluice.gates<?x7xf32, 2 per token>, %x: tensor<?x8xf32>,
               %ws: tensor<4x8x8xf32>, %cs: tensor<1x8xf32>) -> tensor<?x8xf32> {
  // CHECK: sluice.mixed_experts by %{{.*}} : !sluice.gates<?x7xf32, 2 per token>
  // CHECK-NEXT: combine sum weight output -> tensor<?x8xf32> attributes {sluice.label = "mixed"}
  // CHECK-NEXT: experts 0 to 4 (%[[T:.*]] = %{{.*}} : tensor<?x8xf32>)
  // CHECK-NEXT:   with (%[[W:.*]] = %{{.*}} : tensor<4x8x8xf32>) {
  // CHECK-NEXT:   sluice.linear %[[T]], %[[W]]
  // CHECK:      experts 4 to 5 (%[[T:.*]] = %{{.*}} : tensor<?x8xf32>) {
  // CHECK-NEXT:   sluice.yield %[[T]]
  // CHECK:      experts 6 to 7 ()
  // CHECK-NEXT:   with (%[[C:.*]] = %{{.*}} : tensor<1x8xf32>) {
  // CHECK-NEXT:   sluice.yield %[[C]] : tensor<8xf32>
  %y = sluice.mixed_experts by %g : !sluice.gates<?x7xf32, 2 per token>
      combine sum weight output -> tensor<?x8xf32> attributes {sluice.label = "mixed"}
    experts 0 to 4 (%t = %x : tensor<?x8xf32>) with (%w = %ws : tensor<4x8x8xf32>) {
      %o = sluice.linear %t, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
      sluice.yield %o : tensor<?x8xf32>
    }
    experts 4 to 5 (%t = %x : tensor<?x8xf32>) {
      sluice.yield %t : tensor<?x8xf32>
    }
    experts 6 to 7 () with (%c = %cs : tensor<1x8xf32>) {
      sluice.yield %c : tensor<8xf32>
    }
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: @replace(
func.func @replace(%g: !sluice.gates<?x2xf32, 1 per token>, %x: tensor<?x8xf32>,
                   %y0: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK: else %{{.*}} combine replace weight none -> tensor<?x8xf32>
  // CHECK-NEXT: experts 1 to 2 (
  %y = sluice.mixed_experts by %g : !sluice.gates<?x2xf32, 1 per token>
      else %y0 combine replace weight none -> tensor<?x8xf32>
    experts 1 to 2 (%t = %x : tensor<?x8xf32>) {
      %o = sluice.relu %t : tensor<?x8xf32>
      sluice.yield %o : tensor<?x8xf32>
    }
  return %y : tensor<?x8xf32>
}
