// Every op, in each of its written forms, is what it was after it was printed
// and read, in the custom form and in the generic one.
//
// RUN: sluice-opt %s | sluice-opt | FileCheck %s
// RUN: sluice-opt %s --mlir-print-op-generic | sluice-opt | FileCheck %s

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

// CHECK: sluice.weight @router "model.layers.0.mlp.gate.weight" : tensor<4x6xf32>
sluice.weight @router "model.layers.0.mlp.gate.weight" : tensor<4x6xf32>
// CHECK: sluice.weight @up "experts.{e}.up.weight" : tensor<4x5x6xbf16>
sluice.weight @up "experts.{e}.up.weight" : tensor<4x5x6xbf16>
// CHECK: sluice.weight @all "layers.{l}.experts.{e+8}.up" {note = 1 : i64} : tensor<2x4x6xf64>
sluice.weight @all "layers.{l}.experts.{e+8}.up" {note = 1 : i64} : tensor<2x4x6xf64>
// CHECK: sluice.weight @global_scale "scale" : tensor<f16>
sluice.weight @global_scale "scale" : tensor<f16>

// CHECK-LABEL: @get_weight
func.func @get_weight() -> tensor<4x5x6xbf16> {
  // CHECK: sluice.get_weight @up : tensor<4x5x6xbf16>
  %w = sluice.get_weight @up : tensor<4x5x6xbf16>
  return %w : tensor<4x5x6xbf16>
}

//===----------------------------------------------------------------------===//
// Tensor ops
//===----------------------------------------------------------------------===//

// CHECK-LABEL: @linear
func.func @linear(%x: tensor<?x6xbf16>, %w: tensor<4x6xbf16>,
                  %v: tensor<6x4xf32>, %b: tensor<4xf32>) {
  // out_in is the default and not written.
  // CHECK: sluice.linear %{{.*}}, %{{.*}} : (tensor<?x6xbf16>, tensor<4x6xbf16>) -> tensor<?x4xf32>
  %0 = sluice.linear %x, %w layout out_in : (tensor<?x6xbf16>, tensor<4x6xbf16>) -> tensor<?x4xf32>
  // CHECK: sluice.linear %{{.*}}, %{{.*}} bias %{{.*}} layout in_out : (tensor<?x6xbf16>, tensor<6x4xf32>, tensor<4xf32>) -> tensor<?x4xf64>
  %1 = sluice.linear %x, %v bias %b layout in_out
    : (tensor<?x6xbf16>, tensor<6x4xf32>, tensor<4xf32>) -> tensor<?x4xf64>
  return
}

// CHECK-LABEL: @activations
func.func @activations(%x: tensor<?x6xf32>, %g: !sluice.gates<?x6xbf16, 2 per token>) {
  // CHECK: sluice.sigmoid %{{.*}} : tensor<?x6xf32>
  %0 = sluice.sigmoid %x : tensor<?x6xf32>
  // CHECK: sluice.softplus %{{.*}} : tensor<?x6xf32>
  %1 = sluice.softplus %x : tensor<?x6xf32>
  // CHECK: sluice.silu %{{.*}} : tensor<?x6xf32>
  %2 = sluice.silu %x : tensor<?x6xf32>
  // CHECK: sluice.relu %{{.*}} : tensor<?x6xf32>
  %3 = sluice.relu %x : tensor<?x6xf32>
  // CHECK: sluice.gelu %{{.*}} erf : tensor<?x6xf32>
  %4 = sluice.gelu %x erf : tensor<?x6xf32>
  // CHECK: sluice.gelu %{{.*}} tanh : tensor<?x6xf32>
  %5 = sluice.gelu %x tanh : tensor<?x6xf32>
  // On gates they map the values of the entries.
  // CHECK: sluice.sigmoid %{{.*}} : !sluice.gates<?x6xbf16, 2 per token>
  %6 = sluice.sigmoid %g : !sluice.gates<?x6xbf16, 2 per token>
  // CHECK: sluice.gelu %{{.*}} erf : !sluice.gates<?x6xbf16, 2 per token>
  %7 = sluice.gelu %g erf : !sluice.gates<?x6xbf16, 2 per token>
  return
}

// CHECK-LABEL: @clamp
func.func @clamp(%x: tensor<?x6xf32>, %g: !sluice.gates<?x6xf32>) {
  // CHECK: sluice.clamp %{{.*}} max 7.000000e+00 : tensor<?x6xf32>
  %0 = sluice.clamp %x max 7.0 : tensor<?x6xf32>
  // CHECK: sluice.clamp %{{.*}} min 0.000000e+00 : tensor<?x6xf32>
  %1 = sluice.clamp %x min 0.0 : tensor<?x6xf32>
  // CHECK: sluice.clamp %{{.*}} min -7.000000e+00 max 7.000000e+00 : !sluice.gates<?x6xf32>
  %2 = sluice.clamp %g min -7.0 max 7.0 : !sluice.gates<?x6xf32>
  return
}

// CHECK-LABEL: @softmax
func.func @softmax(%x: tensor<?x6xf32>, %g: !sluice.gates<?x6xf32, 2 per token>) {
  // CHECK: sluice.softmax %{{.*}} : tensor<?x6xf32>
  %0 = sluice.softmax %x : tensor<?x6xf32>
  // CHECK: sluice.softmax %{{.*}} : !sluice.gates<?x6xf32, 2 per token>
  %1 = sluice.softmax %g : !sluice.gates<?x6xf32, 2 per token>
  return
}

// CHECK-LABEL: @broadcast
func.func @broadcast(%s: f32, %v: tensor<6xbf16>, %c: tensor<?x1xf32>, %x: tensor<?x6xf32>) {
  // CHECK: sluice.broadcast %{{.*}} like %{{.*}} : f32, tensor<?x6xf32>
  %0 = sluice.broadcast %s like %x : f32, tensor<?x6xf32>
  // The element type is that of the source.
  // CHECK: %[[BIAS:.*]] = sluice.broadcast %{{.*}} like %{{.*}} : tensor<6xbf16>, tensor<?x6xf32>
  %1 = sluice.broadcast %v like %x : tensor<6xbf16>, tensor<?x6xf32>
  // CHECK: sluice.silu %[[BIAS]] : tensor<?x6xbf16>
  %2 = sluice.silu %1 : tensor<?x6xbf16>
  // CHECK: sluice.broadcast %{{.*}} like %{{.*}} : tensor<?x1xf32>, tensor<?x6xf32>
  %3 = sluice.broadcast %c like %x : tensor<?x1xf32>, tensor<?x6xf32>
  return
}

// CHECK-LABEL: @split
func.func @split(%x: tensor<?x6xf32>) {
  // CHECK: %{{.*}}:2 = sluice.split %{{.*}} : tensor<?x6xf32> into 2
  %a, %b = sluice.split %x : tensor<?x6xf32> into 2
  // CHECK: %[[PARTS:.*]]:3 = sluice.split %{{.*}} interleaved : tensor<?x6xf32> into 3
  %c, %d, %e = sluice.split %x interleaved : tensor<?x6xf32> into 3
  // CHECK: sluice.silu %[[PARTS]]#2 : tensor<?x2xf32>
  %f = sluice.silu %e : tensor<?x2xf32>
  return
}

//===----------------------------------------------------------------------===//
// Routers
//===----------------------------------------------------------------------===//

// CHECK-LABEL: @topk
func.func @topk(%p: tensor<?x4xf32>, %s: tensor<?x4xbf16>) {
  // CHECK: %[[PLAIN:.*]] = sluice.topk %{{.*}}, 2 : tensor<?x4xf32>
  %0 = sluice.topk %p, 2 : tensor<?x4xf32>
  // CHECK: sluice.entries %[[PLAIN]] : !sluice.gates<?x4xf32, 2 per token>
  %i, %w = sluice.entries %0 : !sluice.gates<?x4xf32, 2 per token>
  // The values have the type of what weighs.
  // CHECK: %[[WEIGHED:.*]] = sluice.topk %{{.*}}, 4 weights %{{.*}} : tensor<?x4xf32>, tensor<?x4xbf16>
  %1 = sluice.topk %p, 4 weights %s : tensor<?x4xf32>, tensor<?x4xbf16>
  // CHECK: sluice.entries %[[WEIGHED]] : !sluice.gates<?x4xbf16, 4 per token>
  %j, %v = sluice.entries %1 : !sluice.gates<?x4xbf16, 4 per token>
  return
}

// CHECK-LABEL: @always
func.func @always(%p: tensor<?x4xf32>) {
  // CHECK: %[[GATES:.*]] = sluice.always %{{.*}}, [3, 0] : tensor<?x4xf32>
  %g = sluice.always %p, [3, 0] : tensor<?x4xf32>
  // CHECK: sluice.softmax %[[GATES]] : !sluice.gates<?x4xf32, 2 per token>
  %0 = sluice.softmax %g : !sluice.gates<?x4xf32, 2 per token>
  return
}

// CHECK-LABEL: @keep_groups
func.func @keep_groups(%p: tensor<?x8xf32>) {
  // CHECK: sluice.keep_groups %{{.*}}, 2 of 4 by max masked zero : tensor<?x8xf32>
  %0 = sluice.keep_groups %p, 2 of 4 by max masked zero : tensor<?x8xf32>
  // CHECK: sluice.keep_groups %{{.*}}, 1 of 4 by top2_sum masked neg_inf : tensor<?x8xf32>
  %1 = sluice.keep_groups %p, 1 of 4 by top2_sum masked neg_inf : tensor<?x8xf32>
  return
}

// CHECK-LABEL: @normalize
func.func @normalize(%g: !sluice.gates<?x4xf32, 2 per token>) {
  // CHECK: sluice.normalize %{{.*}} : !sluice.gates<?x4xf32, 2 per token>
  %0 = sluice.normalize %g : !sluice.gates<?x4xf32, 2 per token>
  // CHECK: sluice.normalize %{{.*}} p 1.000000e+00 eps 9.9999999999999995E-21 min 9.9999999999999998E-13 :
  %1 = sluice.normalize %g p 1.0 eps 1.0e-20 min 1.0e-12 : !sluice.gates<?x4xf32, 2 per token>
  // The largest magnitude is the norm of order infinity.
  // CHECK: sluice.normalize %{{.*}} p 0x7FF0000000000000 :
  %2 = sluice.normalize %g p 0x7FF0000000000000 : !sluice.gates<?x4xf32, 2 per token>
  return
}

// CHECK-LABEL: @scale
func.func @scale(%g: !sluice.gates<?x4xf32>) {
  // CHECK: sluice.scale %{{.*}} by 2.500000e+00 : !sluice.gates<?x4xf32>
  %0 = sluice.scale %g by 2.5 : !sluice.gates<?x4xf32>
  return
}

//===----------------------------------------------------------------------===//
// Experts
//===----------------------------------------------------------------------===//

// Two inputs, two parameters of another type, an attribute.
// CHECK-LABEL: @experts
// CHECK-SAME: %[[G:[^:]*]]: !sluice.gates<?x4xf32, 2 per token>, %[[X:[^:]*]]: tensor<?x6xf32>, %[[Z:[^:]*]]: tensor<?x3xf32>, %[[W:[^:]*]]: tensor<4x3x6xbf16>, %[[B:[^:]*]]: tensor<4x3xf32>
func.func @experts(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x6xf32>,
                   %z: tensor<?x3xf32>, %ws: tensor<4x3x6xbf16>,
                   %bs: tensor<4x3xf32>) -> tensor<?x3xf32> {
  // CHECK: sluice.experts by %[[G]] : !sluice.gates<?x4xf32, 2 per token>
  // CHECK-NEXT: (%[[T:.*]] = %[[X]] : tensor<?x6xf32>, %[[U:.*]] = %[[Z]] : tensor<?x3xf32>)
  // CHECK-NEXT: with (%[[WE:.*]] = %[[W]] : tensor<4x3x6xbf16>, %[[BE:.*]] = %[[B]] : tensor<4x3xf32>)
  // CHECK-NEXT: combine sum weight output -> tensor<?x3xf32> attributes {note = "n"} {
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x6xf32>, %u = %z : tensor<?x3xf32>)
      with (%w = %ws : tensor<4x3x6xbf16>, %b = %bs : tensor<4x3xf32>)
      combine sum weight output -> tensor<?x3xf32> attributes {note = "n"} {
    // CHECK-NEXT: sluice.linear %[[T]], %[[WE]] bias %[[BE]]
    %o = sluice.linear %t, %w bias %b
      : (tensor<?x6xf32>, tensor<3x6xbf16>, tensor<3xf32>) -> tensor<?x3xf32>
    // CHECK-NEXT: arith.addf %{{.*}}, %[[U]]
    %s = arith.addf %o, %u : tensor<?x3xf32>
    // CHECK-NEXT: sluice.yield %{{.*}} : tensor<?x3xf32>
    sluice.yield %s : tensor<?x3xf32>
  }
  return %y : tensor<?x3xf32>
}

// No parameters, a base for tokens without an entry, static tokens, a result of
// another element type.
// CHECK-LABEL: @experts_replace
// CHECK-SAME: %[[G:[^:]*]]: !sluice.gates<7x4xf32, 1 per token>, %[[X:[^:]*]]: tensor<7x6xf32>, %[[BASE:[^:]*]]: tensor<7x6xbf16>
func.func @experts_replace(%g: !sluice.gates<7x4xf32, 1 per token>, %x: tensor<7x6xf32>,
                           %base: tensor<7x6xbf16>) -> tensor<7x6xbf16> {
  // CHECK: sluice.experts by %[[G]] : !sluice.gates<7x4xf32, 1 per token>
  // CHECK-NEXT: (%{{.*}} = %[[X]] : tensor<7x6xf32>)
  // CHECK-NEXT: else %[[BASE]] combine replace weight none -> tensor<7x6xbf16> {
  %y = sluice.experts by %g : !sluice.gates<7x4xf32, 1 per token>
      (%t = %x : tensor<7x6xf32>)
      else %base combine replace weight none -> tensor<7x6xbf16> {
    %o = sluice.relu %t : tensor<?x6xf32>
    sluice.yield %o : tensor<?x6xf32>
  }
  return %y : tensor<7x6xbf16>
}

// A body may contain a router and experts, and use values from outside.
// CHECK-LABEL: @experts_nested
func.func @experts_nested(%g: !sluice.gates<?x4xf32, 1 per token>, %x: tensor<?x6xf32>,
                          %routers: tensor<4x2x6xf32>, %inner: tensor<2x6x6xf32>) -> tensor<?x6xf32> {
  // CHECK: combine sum weight input
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 1 per token>
      (%t = %x : tensor<?x6xf32>) with (%r = %routers : tensor<4x2x6xf32>)
      combine sum weight input -> tensor<?x6xf32> {
    %l = sluice.linear %t, %r : (tensor<?x6xf32>, tensor<2x6xf32>) -> tensor<?x2xf32>
    // CHECK: sluice.topk
    %h = sluice.topk %l, 1 : tensor<?x2xf32>
    // CHECK: sluice.experts by %{{.*}} : !sluice.gates<?x2xf32, 1 per token>
    %z = sluice.experts by %h : !sluice.gates<?x2xf32, 1 per token>
        (%u = %t : tensor<?x6xf32>) with (%w = %inner : tensor<2x6x6xf32>)
        combine replace weight output -> tensor<?x6xf32> {
      %o = sluice.linear %u, %w : (tensor<?x6xf32>, tensor<6x6xf32>) -> tensor<?x6xf32>
      sluice.yield %o : tensor<?x6xf32>
    }
    sluice.yield %z : tensor<?x6xf32>
  }
  return %y : tensor<?x6xf32>
}

//===----------------------------------------------------------------------===//
// Plan level
//===----------------------------------------------------------------------===//

// CHECK-LABEL: @grouped
// CHECK-SAME: %[[G:[^:]*]]: !sluice.gates<?x4xf32, 2 per token>, %[[X:[^:]*]]: tensor<?x6xf32>, %[[W:[^:]*]]: tensor<4x6x6xf32>
func.func @grouped(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x6xf32>,
                   %ws: tensor<4x6x6xf32>) -> tensor<?x6xf32> {
  // CHECK: %[[OFFSETS:.*]], %[[ORDER:.*]], %[[PLACE:.*]] = sluice.plan %[[G]] : !sluice.gates<?x4xf32, 2 per token>
  %offsets, %order, %place = sluice.plan %g : !sluice.gates<?x4xf32, 2 per token>
  // CHECK: sluice.grouped by %[[G]] : !sluice.gates<?x4xf32, 2 per token>
  // CHECK-SAME: plan %[[OFFSETS]], %[[ORDER]], %[[PLACE]] : tensor<5xindex>, tensor<?xindex>, tensor<?x2xindex>
  // CHECK-NEXT: (%{{.*}} = %[[X]] : tensor<?x6xf32>)
  // CHECK-NEXT: with (%{{.*}} = %[[W]] : tensor<4x6x6xf32>)
  // CHECK-NEXT: combine sum weight output rows_per_task 32 -> tensor<?x6xf32> {
  %y = sluice.grouped by %g : !sluice.gates<?x4xf32, 2 per token>
      plan %offsets, %order, %place
        : tensor<5xindex>, tensor<?xindex>, tensor<?x2xindex>
      (%t = %x : tensor<?x6xf32>) with (%w = %ws : tensor<4x6x6xf32>)
      combine sum weight output rows_per_task 32 -> tensor<?x6xf32> {
    %o = sluice.linear %t, %w : (tensor<?x6xf32>, tensor<6x6xf32>) -> tensor<?x6xf32>
    sluice.yield %o : tensor<?x6xf32>
  }
  return %y : tensor<?x6xf32>
}

// Static tokens make a plan of static size.
// CHECK-LABEL: @grouped_static
func.func @grouped_static(%g: !sluice.gates<7x4xf32, 1 per token>, %x: tensor<7x6xf32>,
                          %base: tensor<7x6xf32>) -> tensor<7x6xf32> {
  %offsets, %order, %place = sluice.plan %g : !sluice.gates<7x4xf32, 1 per token>
  // CHECK: plan %{{.*}}, %{{.*}}, %{{.*}} : tensor<5xindex>, tensor<7xindex>, tensor<7x1xindex>
  // CHECK: else %{{.*}} combine replace weight none rows_per_task 0 -> tensor<7x6xf32> attributes {note} {
  %y = sluice.grouped by %g : !sluice.gates<7x4xf32, 1 per token>
      plan %offsets, %order, %place
        : tensor<5xindex>, tensor<7xindex>, tensor<7x1xindex>
      (%t = %x : tensor<7x6xf32>)
      else %base combine replace weight none rows_per_task 0 -> tensor<7x6xf32>
      attributes {note} {
    sluice.yield %t : tensor<?x6xf32>
  }
  return %y : tensor<7x6xf32>
}
