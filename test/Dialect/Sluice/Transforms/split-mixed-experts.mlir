// RUN: sluice-opt %s --sluice-split-mixed-experts | FileCheck %s
// RUN: sluice-opt %s --sluice-split-mixed-experts --remarks-filter=sluice-split-mixed-experts 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// REMARK: [Passed] split {{.*}}Function=sum {{.*}}experts that differ run as 2 experts ops
// REMARK: [Passed] split {{.*}}Function=replace {{.*}}experts that differ run as 2 experts ops
// REMARK: [Passed] split {{.*}}Function=nested {{.*}}experts that differ run as 1 experts ops
// REMARK: [Passed] split {{.*}}Function=nested {{.*}}experts that differ run as 2 experts ops

// CHECK-LABEL: @sum(
// CHECK-SAME: %[[G:.*]]: !sluice.gates<?x5xf32, 2 per token>, %[[X:.*]]: tensor<?x8xbf16>
func.func @sum(%g: !sluice.gates<?x5xf32, 2 per token>, %x: tensor<?x8xbf16>) -> tensor<?x8xbf16> {
  // A narrow result is rounded once, behind the sum.
  // CHECK: %[[G0:.*]] = sluice.columns %[[G]] from 0 to 3
  // CHECK: %[[Y0:.*]] = sluice.experts by %[[G0]] : !sluice.gates<?x3xf32, 2 per token>
  // CHECK: combine sum weight output -> tensor<?x8xf32> attributes {sluice.label = "mixed.0"}
  // CHECK: %[[G1:.*]] = sluice.columns %[[G]] from 4 to 5
  // CHECK: %[[Y1:.*]] = sluice.experts by %[[G1]] : !sluice.gates<?x1xf32, 1 per token>
  // CHECK: combine sum weight output -> tensor<?x8xf32> attributes {sluice.label = "mixed.1"}
  // CHECK: %[[SUM:.*]] = arith.addf %[[Y0]], %[[Y1]] : tensor<?x8xf32>
  // CHECK: arith.truncf %[[SUM]] : tensor<?x8xf32> to tensor<?x8xbf16>
  %y = sluice.mixed_experts by %g : !sluice.gates<?x5xf32, 2 per token>
      combine sum weight output -> tensor<?x8xbf16> attributes {sluice.label = "mixed"}
    experts 0 to 3 (%t = %x : tensor<?x8xbf16>) {
      %o = sluice.relu %t : tensor<?x8xbf16>
      sluice.yield %o : tensor<?x8xbf16>
    }
    experts 4 to 5 (%t = %x : tensor<?x8xbf16>) {
      sluice.yield %t : tensor<?x8xbf16>
    }
  return %y : tensor<?x8xbf16>
}

// What a case leaves alone, the next one may fill.
// CHECK-LABEL: @replace(
// CHECK-SAME: %[[BASE:[a-z0-9]*]]: tensor<?x8xf32>)
func.func @replace(%g: !sluice.gates<?x2xf32, 1 per token>, %x: tensor<?x8xf32>,
                   %base: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK: %[[Y0:.*]] = sluice.experts
  // CHECK: else %[[BASE]] combine replace
  // CHECK: %[[Y1:.*]] = sluice.experts
  // CHECK: else %[[Y0]] combine replace
  // CHECK: return %[[Y1]]
  %y = sluice.mixed_experts by %g : !sluice.gates<?x2xf32, 1 per token>
      else %base combine replace weight none -> tensor<?x8xf32>
    experts 0 to 1 (%t = %x : tensor<?x8xf32>) {
      %o = sluice.relu %t : tensor<?x8xf32>
      sluice.yield %o : tensor<?x8xf32>
    }
    experts 1 to 2 (%t = %x : tensor<?x8xf32>) {
      sluice.yield %t : tensor<?x8xf32>
    }
  return %y : tensor<?x8xf32>
}

// Experts within a case are numbered behind it, before the next case.
// CHECK-LABEL: @nested(
func.func @nested(%g: !sluice.gates<?x2xf32, 1 per token>, %x: tensor<?x8xf32>,
                  %gs: tensor<2x4x8xf32>) -> tensor<?x8xf32> {
  // CHECK: sluice.experts
  // CHECK:   sluice.topk
  // CHECK:   sluice.columns
  // CHECK:   sluice.experts
  // CHECK: sluice.experts
  // CHECK-NOT: mixed_experts
  %y = sluice.mixed_experts by %g : !sluice.gates<?x2xf32, 1 per token>
      combine sum weight output -> tensor<?x8xf32>
    experts 0 to 1 (%t = %x : tensor<?x8xf32>) {
      %i:2 = sluice.split %t : tensor<?x8xf32> into 2
      %h = sluice.topk %i#0, 1 : tensor<?x4xf32>
      %o = sluice.mixed_experts by %h : !sluice.gates<?x4xf32, 1 per token>
          combine sum weight output -> tensor<?x8xf32>
        experts 0 to 3 (%u = %t : tensor<?x8xf32>) {
          sluice.yield %u : tensor<?x8xf32>
        }
      sluice.yield %o : tensor<?x8xf32>
    }
    experts 1 to 2 (%t = %x : tensor<?x8xf32>) {
      sluice.yield %t : tensor<?x8xf32>
    }
  return %y : tensor<?x8xf32>
}
