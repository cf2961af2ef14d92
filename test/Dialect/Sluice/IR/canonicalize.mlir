// Each canonicalization once where it fires, and where it must not, with the
// reason.
//
// RUN: sluice-opt %s --canonicalize | FileCheck %s

//===----------------------------------------------------------------------===//
// broadcast, clamp, relu
//===----------------------------------------------------------------------===//

// CHECK-LABEL: @broadcast_to_own_shape
// CHECK-SAME: %[[X:.*]]: tensor<3x4xf32>,
func.func @broadcast_to_own_shape(%x: tensor<3x4xf32>, %like: tensor<3x4xbf16>) -> tensor<3x4xf32> {
  // CHECK-NEXT: return %[[X]]
  %0 = sluice.broadcast %x like %like : tensor<3x4xf32>, tensor<3x4xbf16>
  return %0 : tensor<3x4xf32>
}

// Two dynamic sizes need not be equal: the source's may be 1.
// CHECK-LABEL: @broadcast_dynamic
func.func @broadcast_dynamic(%x: tensor<?x4xf32>, %like: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: sluice.broadcast
  %0 = sluice.broadcast %x like %like : tensor<?x4xf32>, tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: @clamp_twice
// CHECK-SAME: %[[X:.*]]: tensor<?xf32>
func.func @clamp_twice(%x: tensor<?xf32>) -> tensor<?xf32> {
  // CHECK-NEXT: %[[Y:.*]] = sluice.clamp %[[X]] min -1.000000e+00 max 2.000000e+00
  // CHECK-NEXT: return %[[Y]]
  %0 = sluice.clamp %x min -1.0 max 3.0 : tensor<?xf32>
  %1 = sluice.clamp %0 min -2.0 max 2.0 : tensor<?xf32>
  return %1 : tensor<?xf32>
}

// One side each.
// CHECK-LABEL: @clamp_sides
func.func @clamp_sides(%x: tensor<?xf32>) -> tensor<?xf32> {
  // CHECK-NEXT: sluice.clamp %{{.*}} min -2.000000e+00 max 3.000000e+00
  // CHECK-NEXT: return
  %0 = sluice.clamp %x max 3.0 : tensor<?xf32>
  %1 = sluice.clamp %0 min -2.0 : tensor<?xf32>
  return %1 : tensor<?xf32>
}

// Ranges that do not overlap make a constant (or NaN), which no clamp is.
// CHECK-LABEL: @clamp_disjoint
func.func @clamp_disjoint(%x: tensor<?xf32>) -> tensor<?xf32> {
  // CHECK: sluice.clamp %{{.*}} max 1.0
  // CHECK: sluice.clamp %{{.*}} min 2.0
  %0 = sluice.clamp %x max 1.0 : tensor<?xf32>
  %1 = sluice.clamp %0 min 2.0 : tensor<?xf32>
  return %1 : tensor<?xf32>
}

// CHECK-LABEL: @relu_twice
func.func @relu_twice(%x: tensor<?xf32>) -> tensor<?xf32> {
  // CHECK-NEXT: %[[R:.*]] = sluice.relu
  // CHECK-NEXT: return %[[R]]
  %0 = sluice.relu %x : tensor<?xf32>
  %1 = sluice.relu %0 : tensor<?xf32>
  return %1 : tensor<?xf32>
}

//===----------------------------------------------------------------------===//
// keep_groups, scale, normalize
//===----------------------------------------------------------------------===//

// CHECK-LABEL: @keep_all_groups
// CHECK-SAME: %[[S:.*]]: tensor
func.func @keep_all_groups(%s: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK-NEXT: return %[[S]]
  %0 = sluice.keep_groups %s, 4 of 4 by top2_sum masked neg_inf : tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// CHECK-LABEL: @keep_some_groups
func.func @keep_some_groups(%s: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK: sluice.keep_groups
  %0 = sluice.keep_groups %s, 3 of 4 by top2_sum masked neg_inf : tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// CHECK-LABEL: @scale_by_one
// CHECK-SAME: %[[G:.*]]: !sluice
func.func @scale_by_one(%g: !sluice.gates<?x4xf32>) -> !sluice.gates<?x4xf32> {
  // CHECK-NEXT: return %[[G]]
  %0 = sluice.scale %g by 1.0 : !sluice.gates<?x4xf32>
  return %0 : !sluice.gates<?x4xf32>
}

// CHECK-LABEL: @scale_twice
// CHECK-SAME: %[[G:.*]]: !sluice
func.func @scale_twice(%g: !sluice.gates<?x4xf32>) -> !sluice.gates<?x4xf32> {
  // CHECK-NEXT: %[[S:.*]] = sluice.scale %[[G]] by 5.000000e+00
  // CHECK-NEXT: return %[[S]]
  %0 = sluice.scale %g by 2.0 : !sluice.gates<?x4xf32>
  %1 = sluice.scale %0 by 2.5 : !sluice.gates<?x4xf32>
  return %1 : !sluice.gates<?x4xf32>
}

// The product is not a finite number, each factor is: x * 1e300 * 1e300 may be 0.
// CHECK-LABEL: @scale_overflow
func.func @scale_overflow(%g: !sluice.gates<?x4xf64>) -> !sluice.gates<?x4xf64> {
  // CHECK-COUNT-2: sluice.scale
  %0 = sluice.scale %g by 1.0e300 : !sluice.gates<?x4xf64>
  %1 = sluice.scale %0 by 1.0e300 : !sluice.gates<?x4xf64>
  return %1 : !sluice.gates<?x4xf64>
}

// A factor of 0 removes values, not entries: there is nothing to fold it to.
// CHECK-LABEL: @scale_by_zero
func.func @scale_by_zero(%g: !sluice.gates<?x4xf32>) -> !sluice.gates<?x4xf32> {
  // CHECK: sluice.scale %{{.*}} by 0.0
  %0 = sluice.scale %g by 0.0 : !sluice.gates<?x4xf32>
  return %0 : !sluice.gates<?x4xf32>
}

// What is divided by the sum may have had any factor.
// CHECK-LABEL: @normalize_scaled
// CHECK-SAME: %[[G:.*]]: !sluice
func.func @normalize_scaled(%g: !sluice.gates<?x4xf32>) -> !sluice.gates<?x4xf32> {
  // CHECK-NEXT: %[[N:.*]] = sluice.normalize %[[G]]
  // CHECK-NEXT: return %[[N]]
  %0 = sluice.scale %g by 2.5 : !sluice.gates<?x4xf32>
  %1 = sluice.normalize %0 : !sluice.gates<?x4xf32>
  return %1 : !sluice.gates<?x4xf32>
}

// eps makes the result depend on the scale.
// CHECK-LABEL: @normalize_scaled_eps
func.func @normalize_scaled_eps(%g: !sluice.gates<?x4xf32>) -> !sluice.gates<?x4xf32> {
  // CHECK: sluice.scale
  // CHECK: sluice.normalize
  %0 = sluice.scale %g by 2.5 : !sluice.gates<?x4xf32>
  %1 = sluice.normalize %0 eps 1.0e-20 : !sluice.gates<?x4xf32>
  return %1 : !sluice.gates<?x4xf32>
}

// With p = 1 a negative factor would change the sign.
// CHECK-LABEL: @normalize_scaled_p
func.func @normalize_scaled_p(%g: !sluice.gates<?x4xf32>) -> !sluice.gates<?x4xf32> {
  // CHECK: sluice.scale
  // CHECK: sluice.normalize
  %0 = sluice.scale %g by -2.5 : !sluice.gates<?x4xf32>
  %1 = sluice.normalize %0 p 1.0 : !sluice.gates<?x4xf32>
  return %1 : !sluice.gates<?x4xf32>
}

// Such a factor may be there to keep the sum clear of underflow.
// CHECK-LABEL: @normalize_scaled_far
func.func @normalize_scaled_far(%g: !sluice.gates<?x4xf32>) -> !sluice.gates<?x4xf32> {
  // CHECK: sluice.scale
  %0 = sluice.scale %g by 1.0e30 : !sluice.gates<?x4xf32>
  %1 = sluice.normalize %0 : !sluice.gates<?x4xf32>
  return %1 : !sluice.gates<?x4xf32>
}

// A softmax over the chosen adds up to 1 already.
// CHECK-LABEL: @normalize_softmax
func.func @normalize_softmax(%g: !sluice.gates<?x4xf32>) -> !sluice.gates<?x4xf32> {
  // CHECK-NEXT: %[[S:.*]] = sluice.softmax
  // CHECK-NEXT: return %[[S]]
  %0 = sluice.softmax %g : !sluice.gates<?x4xf32>
  %1 = sluice.normalize %0 : !sluice.gates<?x4xf32>
  return %1 : !sluice.gates<?x4xf32>
}

// CHECK-LABEL: @normalize_twice
func.func @normalize_twice(%g: !sluice.gates<?x4xf32>) -> !sluice.gates<?x4xf32> {
  // CHECK-NEXT: %[[N:.*]] = sluice.normalize
  // CHECK-NEXT: return %[[N]]
  %0 = sluice.normalize %g : !sluice.gates<?x4xf32>
  %1 = sluice.normalize %0 : !sluice.gates<?x4xf32>
  return %1 : !sluice.gates<?x4xf32>
}

// A norm of order 2 is not a sum.
// CHECK-LABEL: @normalize_after_p
func.func @normalize_after_p(%g: !sluice.gates<?x4xf32>) -> !sluice.gates<?x4xf32> {
  // CHECK-COUNT-2: sluice.normalize
  %0 = sluice.normalize %g p 2.0 : !sluice.gates<?x4xf32>
  %1 = sluice.normalize %0 : !sluice.gates<?x4xf32>
  return %1 : !sluice.gates<?x4xf32>
}

// CHECK-LABEL: @all_columns
// CHECK-SAME: %[[G:.*]]: !sluice
func.func @all_columns(%g: !sluice.gates<?x4xf32>) -> !sluice.gates<?x4xf32> {
  // CHECK-NEXT: return %[[G]]
  %0 = sluice.columns %g from 0 to 4 : !sluice.gates<?x4xf32>
  return %0 : !sluice.gates<?x4xf32>
}

// Slots that are absent move behind the others, which `entries` shows.
// CHECK-LABEL: @all_columns_of_slots
func.func @all_columns_of_slots(%g: !sluice.gates<?x4xf32, 2 per token>) -> !sluice.gates<?x4xf32, 2 per token> {
  // CHECK: sluice.columns
  %0 = sluice.columns %g from 0 to 4 : !sluice.gates<?x4xf32, 2 per token>
  return %0 : !sluice.gates<?x4xf32, 2 per token>
}

// CHECK-LABEL: @some_columns
func.func @some_columns(%g: !sluice.gates<?x4xf32>) -> !sluice.gates<?x3xf32> {
  // CHECK: sluice.columns
  %0 = sluice.columns %g from 0 to 3 : !sluice.gates<?x4xf32>
  return %0 : !sluice.gates<?x3xf32>
}

//===----------------------------------------------------------------------===//
// topk
//===----------------------------------------------------------------------===//

// All experts, and nobody sees the order: no comparison is left.
// CHECK-LABEL: @choose_all
// CHECK-SAME: %{{.*}}: tensor<?x2xf32>, %[[S:.*]]: tensor<?x2xf32>,
func.func @choose_all(%p: tensor<?x2xf32>, %s: tensor<?x2xf32>, %x: tensor<?x6xf32>) -> tensor<?x6xf32> {
  // CHECK: sluice.always %[[S]], [0, 1] : tensor<?x2xf32>
  %g = sluice.topk %p, 2 weights %s : tensor<?x2xf32>, tensor<?x2xf32>
  %n = sluice.normalize %g : !sluice.gates<?x2xf32, 2 per token>
  %y = sluice.experts by %n : !sluice.gates<?x2xf32, 2 per token>
      (%t = %x : tensor<?x6xf32>) combine sum weight output -> tensor<?x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return %y : tensor<?x6xf32>
}

// `entries` shows which expert came first.
// CHECK-LABEL: @choose_all_in_order
func.func @choose_all_in_order(%p: tensor<?x2xf32>) -> tensor<?x2xi64> {
  // CHECK: sluice.topk
  %g = sluice.topk %p, 2 : tensor<?x2xf32>
  %n = sluice.softmax %g : !sluice.gates<?x2xf32, 2 per token>
  %i, %w = sluice.entries %n : !sluice.gates<?x2xf32, 2 per token>
  return %i : tensor<?x2xi64>
}

// So may another function.
// CHECK-LABEL: @choose_all_returned
func.func private @choose_all_returned(%p: tensor<?x2xf32>) -> !sluice.gates<?x2xf32, 2 per token> {
  // CHECK: sluice.topk
  %g = sluice.topk %p, 2 : tensor<?x2xf32>
  return %g : !sluice.gates<?x2xf32, 2 per token>
}

// One expert has one order.
// CHECK-LABEL: @choose_the_only
func.func @choose_the_only(%p: tensor<?x1xf32>) -> tensor<?x1xi64> {
  // CHECK: sluice.always %{{.*}}, [0] : tensor<?x1xf32>
  %g = sluice.topk %p, 1 : tensor<?x1xf32>
  %i, %w = sluice.entries %g : !sluice.gates<?x1xf32, 1 per token>
  return %i : tensor<?x1xi64>
}

// CHECK-LABEL: @choose_some
func.func @choose_some(%p: tensor<?x3xf32>, %x: tensor<?x6xf32>) -> tensor<?x6xf32> {
  // CHECK: sluice.topk
  %g = sluice.topk %p, 2 : tensor<?x3xf32>
  %y = sluice.experts by %g : !sluice.gates<?x3xf32, 2 per token>
      (%t = %x : tensor<?x6xf32>) combine sum weight output -> tensor<?x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return %y : tensor<?x6xf32>
}

// The same scores for every token, known: larger first, equal ones (0 and -0 as
// well) by number, NaN above all.
// CHECK-LABEL: @choose_by_constant
// CHECK-SAME: %[[S:.*]]: tensor
func.func @choose_by_constant(%s: tensor<?x5xf32>) -> tensor<?x4xi64> {
  // CHECK: sluice.always %[[S]], [4, 2, 0, 1] : tensor<?x5xf32>
  %c = arith.constant dense<[-0.0, 0.0, 1.0, -1.0, 0x7FC00000]> : tensor<5xf32>
  %p = sluice.broadcast %c like %s : tensor<5xf32>, tensor<?x5xf32>
  %g = sluice.topk %p, 4 weights %s : tensor<?x5xf32>, tensor<?x5xf32>
  %i, %w = sluice.entries %g : !sluice.gates<?x5xf32, 4 per token>
  return %i : tensor<?x4xi64>
}

// CHECK-LABEL: @choose_by_splat
func.func @choose_by_splat(%s: tensor<?x5xf32>) -> tensor<?x2xi64> {
  // CHECK: sluice.always %{{.*}}, [0, 1] : tensor<?x5xf32>
  %c = arith.constant 1.0 : f32
  %p = sluice.broadcast %c like %s : f32, tensor<?x5xf32>
  %g = sluice.topk %p, 2 weights %s : tensor<?x5xf32>, tensor<?x5xf32>
  %i, %w = sluice.entries %g : !sluice.gates<?x5xf32, 2 per token>
  return %i : tensor<?x2xi64>
}

// Two tokens with scores of their own.
// CHECK-LABEL: @choose_by_constants
func.func @choose_by_constants() -> tensor<2x1xi64> {
  // CHECK: sluice.topk
  %p = arith.constant dense<[[0.0, 1.0], [1.0, 0.0]]> : tensor<2x2xf32>
  %g = sluice.topk %p, 1 : tensor<2x2xf32>
  %i, %w = sluice.entries %g : !sluice.gates<2x2xf32, 1 per token>
  return %i : tensor<2x1xi64>
}

// A column is the same along a row, not for every token.
// CHECK-LABEL: @choose_by_column
func.func @choose_by_column(%s: tensor<2x2xf32>) -> tensor<2x1xi64> {
  // CHECK: sluice.topk
  %c = arith.constant dense<[[0.0], [0x7FC00000]]> : tensor<2x1xf32>
  %p = sluice.broadcast %c like %s : tensor<2x1xf32>, tensor<2x2xf32>
  %g = sluice.topk %p, 1 weights %s : tensor<2x2xf32>, tensor<2x2xf32>
  %i, %w = sluice.entries %g : !sluice.gates<2x2xf32, 1 per token>
  return %i : tensor<2x1xi64>
}

//===----------------------------------------------------------------------===//
// experts
//===----------------------------------------------------------------------===//

// One expert: its body, weighed; no routing, no dispatch.
// CHECK-LABEL: @one_expert
// CHECK-SAME: %[[P:.*]]: tensor<?x1xf32>, %[[X:.*]]: tensor<?x6xf32>, %[[W:.*]]: tensor<1x5x6xf32>
func.func @one_expert(%p: tensor<?x1xf32>, %x: tensor<?x6xf32>, %ws: tensor<1x5x6xf32>) -> tensor<?x5xf32> {
  // CHECK-DAG: %[[G:.*]] = sluice.always %[[P]], [0]
  // CHECK-DAG: %{{.*}}, %[[V:.*]] = sluice.entries %[[G]]
  // CHECK-DAG: %[[WE:.*]] = tensor.extract_slice %[[W]][0, 0, 0] [1, 5, 6] [1, 1, 1] : tensor<1x5x6xf32> to tensor<5x6xf32>
  // CHECK: %[[O:.*]] = sluice.linear %[[X]], %[[WE]]
  // CHECK: %[[C:.*]] = sluice.broadcast %[[V]] like %[[O]]
  // CHECK: %[[Y:.*]] = arith.mulf %[[O]], %[[C]]
  // CHECK: return %[[Y]]
  %g = sluice.topk %p, 1 : tensor<?x1xf32>
  %y = sluice.experts by %g : !sluice.gates<?x1xf32, 1 per token>
      (%t = %x : tensor<?x6xf32>) with (%w = %ws : tensor<1x5x6xf32>)
      combine sum weight output -> tensor<?x5xf32> {
    %o = sluice.linear %t, %w : (tensor<?x6xf32>, tensor<5x6xf32>) -> tensor<?x5xf32>
    sluice.yield %o : tensor<?x5xf32>
  }
  return %y : tensor<?x5xf32>
}

// Constant routing to one of several; on the input the weight comes first.
// CHECK-LABEL: @one_of_three
func.func @one_of_three(%s: tensor<?x3xf32>, %x: tensor<?x6xf32>, %ws: tensor<3x5x6xf32>) -> tensor<?x5xf32> {
  // CHECK-NOT: sluice.experts
  // CHECK-DAG: %[[M:.*]] = arith.mulf
  // CHECK-DAG: %[[W:.*]] = tensor.extract_slice %{{.*}}[2, 0, 0]
  // CHECK: %[[Y:.*]] = sluice.linear %[[M]], %[[W]]
  // CHECK: return %[[Y]]
  %g = sluice.always %s, [2] : tensor<?x3xf32>
  %h = sluice.sigmoid %g : !sluice.gates<?x3xf32, 1 per token>
  %y = sluice.experts by %h : !sluice.gates<?x3xf32, 1 per token>
      (%t = %x : tensor<?x6xf32>) with (%w = %ws : tensor<3x5x6xf32>)
      combine replace weight input -> tensor<?x5xf32> {
    %o = sluice.linear %t, %w : (tensor<?x6xf32>, tensor<5x6xf32>) -> tensor<?x5xf32>
    sluice.yield %o : tensor<?x5xf32>
  }
  return %y : tensor<?x5xf32>
}

// Two experts for all tokens are still added by experts.
// CHECK-LABEL: @two_experts
func.func @two_experts(%s: tensor<?x3xf32>, %x: tensor<?x6xf32>) -> tensor<?x6xf32> {
  // CHECK: sluice.experts
  %g = sluice.always %s, [2, 0] : tensor<?x3xf32>
  %y = sluice.experts by %g : !sluice.gates<?x3xf32, 2 per token>
      (%t = %x : tensor<?x6xf32>) combine sum weight output -> tensor<?x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return %y : tensor<?x6xf32>
}

// `experts` rounds v * f(x) once; a bf16 product of its own would round again.
// CHECK-LABEL: @one_expert_bf16
func.func @one_expert_bf16(%p: tensor<?x1xbf16>, %x: tensor<?x6xbf16>) -> tensor<?x6xbf16> {
  // CHECK: sluice.experts
  %g = sluice.topk %p, 1 : tensor<?x1xbf16>
  %y = sluice.experts by %g : !sluice.gates<?x1xbf16, 1 per token>
      (%t = %x : tensor<?x6xbf16>) combine sum weight output -> tensor<?x6xbf16> {
    sluice.yield %t : tensor<?x6xbf16>
  }
  return %y : tensor<?x6xbf16>
}

// Without a weight there is nothing to round.
// CHECK-LABEL: @one_expert_bf16_unweighed
func.func @one_expert_bf16_unweighed(%p: tensor<?x1xbf16>, %x: tensor<?x6xbf16>) -> tensor<?x6xbf16> {
  // CHECK-NEXT: %[[Y:.*]] = sluice.relu
  // CHECK-NEXT: return %[[Y]]
  %g = sluice.topk %p, 1 : tensor<?x1xbf16>
  %y = sluice.experts by %g : !sluice.gates<?x1xbf16, 1 per token>
      (%t = %x : tensor<?x6xbf16>) combine sum weight none -> tensor<?x6xbf16> {
    %r = sluice.relu %t : tensor<?x6xbf16>
    sluice.yield %r : tensor<?x6xbf16>
  }
  return %y : tensor<?x6xbf16>
}

// The result is rounded to bf16, after the weight.
// CHECK-LABEL: @one_expert_rounded
func.func @one_expert_rounded(%p: tensor<?x1xf32>, %x: tensor<?x6xf32>) -> tensor<?x6xbf16> {
  // CHECK: sluice.experts
  %g = sluice.topk %p, 1 : tensor<?x1xf32>
  %y = sluice.experts by %g : !sluice.gates<?x1xf32, 1 per token>
      (%t = %x : tensor<?x6xf32>) combine sum weight output -> tensor<?x6xbf16> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return %y : tensor<?x6xbf16>
}

// CHECK-LABEL: @unused_param
// CHECK-SAME: %[[W:[^ ]*]]: tensor<4x6x6xf32>, %[[V:[^ ]*]]: tensor<4x6x6xf32>
func.func @unused_param(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x6xf32>,
                        %ws: tensor<4x6x6xf32>, %vs: tensor<4x6x6xf32>) -> tensor<?x6xf32> {
  // CHECK: sluice.experts
  // CHECK: with (%{{.*}} = %[[V]] : tensor<4x6x6xf32>)
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x6xf32>)
      with (%w = %ws : tensor<4x6x6xf32>, %v = %vs : tensor<4x6x6xf32>)
      combine sum weight output -> tensor<?x6xf32> {
    %o = sluice.linear %t, %v : (tensor<?x6xf32>, tensor<6x6xf32>) -> tensor<?x6xf32>
    sluice.yield %o : tensor<?x6xf32>
  }
  return %y : tensor<?x6xf32>
}

// An op with an effect in its body runs where a token was routed; without one,
// an unused result is no reason to run anything.
// CHECK-LABEL: @unused_result
func.func @unused_result(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x6xf32>) {
  // CHECK-COUNT-1: sluice.experts
  // CHECK: check.expect_close
  // CHECK-NOT: sluice.experts
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x6xf32>) combine sum weight output -> tensor<?x6xf32> {
    check.expect_close %t, %t tolerance 0.0 : tensor<?x6xf32>
    sluice.yield %t : tensor<?x6xf32>
  }
  %z = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x6xf32>) combine sum weight output -> tensor<?x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return
}

// A body without inputs has a row, not a matrix, to put in place.
// CHECK-LABEL: @one_constant_expert
func.func @one_constant_expert(%p: tensor<?x1xf32>, %rows: tensor<1x6xf32>) -> tensor<?x6xf32> {
  // CHECK: sluice.experts
  %g = sluice.topk %p, 1 : tensor<?x1xf32>
  %y = sluice.experts by %g : !sluice.gates<?x1xf32, 1 per token>
      () with (%row = %rows : tensor<1x6xf32>)
      combine sum weight output -> tensor<?x6xf32> {
    sluice.yield %row : tensor<6xf32>
  }
  return %y : tensor<?x6xf32>
}

// Factors by expert change values, not the routing.
// CHECK-LABEL: @choose_all_scaled
func.func @choose_all_scaled(%p: tensor<?x2xf32>, %f: tensor<2xf32>, %x: tensor<?x6xf32>) -> tensor<?x6xf32> {
  // CHECK: sluice.always
  %g = sluice.topk %p, 2 : tensor<?x2xf32>
  %s = sluice.scale_by %g, %f : !sluice.gates<?x2xf32, 2 per token>, tensor<2xf32>
  %y = sluice.experts by %s : !sluice.gates<?x2xf32, 2 per token>
      (%t = %x : tensor<?x6xf32>) combine sum weight output -> tensor<?x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return %y : tensor<?x6xf32>
}

// Which entries a limit drops depends on their order.
// CHECK-LABEL: @choose_all_limited
func.func @choose_all_limited(%p: tensor<?x2xf32>, %x: tensor<?x6xf32>, %c: index) -> tensor<?x6xf32> {
  // CHECK: sluice.topk
  %g = sluice.topk %p, 2 : tensor<?x2xf32>
  %k = sluice.limit %g, %c by choice : !sluice.gates<?x2xf32, 2 per token>
  %y = sluice.experts by %k : !sluice.gates<?x2xf32, 2 per token>
      (%t = %x : tensor<?x6xf32>) combine sum weight output -> tensor<?x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return %y : tensor<?x6xf32>
}
