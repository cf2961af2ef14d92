// A weight that experts in an expert's body read was counted with what fills up
// its panels: 2 x 8 x 8 numbers of f32 are 512 bytes, and 64 are those of @r.
//
// RUN: sluice-opt %s --sluice-plan-dispatch --sluice-pack-weights --sluice-externalize-state=counters=true | FileCheck %s
// CHECK: weight_bytes_per_expert\22:576
// CHECK-SAME: weight_bytes_per_expert\22:256

sluice.weight @r "r" : tensor<3x2x8xf32>
sluice.weight @w "w" : tensor<3x2x8x8xf32>

func.func @moe(%x: tensor<?x8xf32>, %e: tensor<?x1xi64>) -> tensor<?x8xf32> {
  %r = sluice.get_weight @r : tensor<3x2x8xf32>
  %w = sluice.get_weight @w : tensor<3x2x8x8xf32>
  %g = sluice.from_entries %e : (tensor<?x1xi64>) -> !sluice.gates<?x3xf32, 1 per token>
  %y = sluice.experts by %g : !sluice.gates<?x3xf32, 1 per token>
      (%t = %x : tensor<?x8xf32>)
      with (%r1 = %r : tensor<3x2x8xf32>, %w1 = %w : tensor<3x2x8x8xf32>)
      combine sum weight none -> tensor<?x8xf32> {
    %l = sluice.linear %t, %r1 : (tensor<?x8xf32>, tensor<2x8xf32>) -> tensor<?x2xf32>
    %h = sluice.topk %l, 1 : tensor<?x2xf32>
    %o = sluice.experts by %h : !sluice.gates<?x2xf32, 1 per token>
        (%u = %t : tensor<?x8xf32>) with (%w2 = %w1 : tensor<2x8x8xf32>)
        combine sum weight output -> tensor<?x8xf32> {
      %p = sluice.linear %u, %w2 : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
      sluice.yield %p : tensor<?x8xf32>
    }
    sluice.yield %o : tensor<?x8xf32>
  }
  return %y : tensor<?x8xf32>
}
