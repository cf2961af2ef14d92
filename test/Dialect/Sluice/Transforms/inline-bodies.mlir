// RUN: sluice-opt %s --sluice-inline-bodies --split-input-file --verify-diagnostics | FileCheck %s
// RUN: not sluice-opt %s --sluice-inline-bodies --split-input-file --remarks-filter=sluice-inline-bodies 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

!tokens = tensor<?x4xf32>
!gates = !sluice.gates<?x2xf32, 1 per token>

func.func private @square(%x: !tokens) -> !tokens {
  %y = arith.mulf %x, %x : !tokens
  return %y : !tokens
}
func.func private @body(%x: !tokens, %w: tensor<4x4xf32>) -> !tokens {
  %o = sluice.linear %x, %w : (!tokens, tensor<4x4xf32>) -> !tokens
  %y = call @square(%o) : (!tokens) -> !tokens
  return %y : !tokens
}

// The body holds what the function, and the one that it calls, does; so does
// the function around it.
// CHECK-NOT:   @square
// CHECK-NOT:   @body
// CHECK-LABEL: func.func @moe
// CHECK:         sluice.experts
// CHECK:           %[[O:.*]] = sluice.linear %[[T:.*]], %[[W:.*]] :
// CHECK-NEXT:      %[[Y:.*]] = arith.mulf %[[O]], %[[O]]
// CHECK-NEXT:      sluice.yield %[[Y]]
// CHECK:         %[[P:.*]] = sluice.linear
// CHECK-NEXT:    %[[S:.*]] = arith.mulf %[[P]], %[[P]]
// CHECK-NEXT:    return %{{.*}}, %[[S]]
// REMARK: [Passed] inlined {{.*}}Function=moe {{.*}}the call of 'body' is inlined
// REMARK: [Passed] inlined {{.*}}Function=moe {{.*}}the call of 'square' is inlined
func.func @moe(%x: !tokens, %g: !gates, %w: tensor<2x4x4xf32>, %v: tensor<4x4xf32>) -> (!tokens, !tokens) {
  %y = sluice.experts by %g : !gates (%t = %x : !tokens) with (%we = %w : tensor<2x4x4xf32>)
      combine sum weight output -> !tokens {
    %o = func.call @body(%t, %we) : (!tokens, tensor<4x4xf32>) -> !tokens
    sluice.yield %o : !tokens
  }
  %s = call @body(%x, %v) : (!tokens, tensor<4x4xf32>) -> !tokens
  return %y, %s : !tokens, !tokens
}

// A function may hand back its argument.
// CHECK-LABEL: func.func @identity
// CHECK:         (%[[T:.*]] = %{{.*}} : tensor<?x4xf32>)
// CHECK-NEXT:      combine
// CHECK-NEXT:      sluice.yield %[[T]]
func.func private @same(%x: !tokens) -> !tokens {
  return %x : !tokens
}
func.func @identity(%x: !tokens, %g: !gates) -> !tokens {
  %y = sluice.experts by %g : !gates (%t = %x : !tokens) combine sum weight output -> !tokens {
    %o = func.call @same(%t) : (!tokens) -> !tokens
    sluice.yield %o : !tokens
  }
  return %y : !tokens
}

// -----

func.func private @again(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // expected-error @+1 {{expected the body of an expert to call functions that do not call themselves but got 'again'}}
  %y = call @again(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
func.func @moe(%x: tensor<?x4xf32>, %g: !sluice.gates<?x2xf32, 1 per token>) -> tensor<?x4xf32> {
  %y = sluice.experts by %g : !sluice.gates<?x2xf32, 1 per token> (%t = %x : tensor<?x4xf32>)
      combine sum weight output -> tensor<?x4xf32> {
    %o = func.call @again(%t) : (tensor<?x4xf32>) -> tensor<?x4xf32>
    sluice.yield %o : tensor<?x4xf32>
  }
  return %y : tensor<?x4xf32>
}

// -----

// expected-note @+1 {{the function}}
func.func private @jumps(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  cf.br ^next
^next:
  return %x : tensor<?x4xf32>
}
func.func @moe(%x: tensor<?x4xf32>, %g: !sluice.gates<?x2xf32, 1 per token>) -> tensor<?x4xf32> {
  %y = sluice.experts by %g : !sluice.gates<?x2xf32, 1 per token> (%t = %x : tensor<?x4xf32>)
      combine sum weight output -> tensor<?x4xf32> {
    // expected-error @+1 {{expected the body of an expert to call functions of one block but got 'jumps'; use scf for control flow}}
    %o = func.call @jumps(%t) : (tensor<?x4xf32>) -> tensor<?x4xf32>
    sluice.yield %o : tensor<?x4xf32>
  }
  return %y : tensor<?x4xf32>
}

// -----

!gates = !sluice.gates<?x2xf32, 1 per token>

// Each call of a router gets a limit of its own. What runs experts stays a
// function, since counters name it, and so does what is public, calls itself,
// jumps or has no body.
// CHECK-LABEL: func.func @route(
// CHECK-LABEL: func.func private @run(
// CHECK-LABEL: func.func private @forever(
// CHECK:         call @forever
// CHECK-LABEL: func.func private @jumps(
// CHECK-LABEL: func.func private @elsewhere(
// CHECK-NOT:   @both
// CHECK-LABEL: func.func @main(
// CHECK:         %[[A:.*]] = sluice.limit
// CHECK:         %[[B:.*]] = sluice.limit
// CHECK:         call @run(%{{.*}}, %[[A]])
// CHECK:         call @run(%{{.*}}, %[[B]])
// CHECK:         call @forever
// CHECK:         call @jumps
// CHECK:         call @elsewhere
func.func @route(%p: tensor<?x2xf32>) -> !gates {
  %c = arith.constant 1 : index
  %g = sluice.topk %p, 1 : tensor<?x2xf32>
  %k = sluice.limit %g, %c by choice : !gates
  return %k : !gates
}
func.func private @run(%x: tensor<?x4xf32>, %g: !gates) -> tensor<?x4xf32> {
  %y = sluice.experts by %g : !gates (%t = %x : tensor<?x4xf32>) combine sum weight output -> tensor<?x4xf32> {
    sluice.yield %t : tensor<?x4xf32>
  }
  return %y : tensor<?x4xf32>
}
func.func private @both(%p: tensor<?x2xf32>) -> (!gates, !gates) {
  %g = call @route(%p) : (tensor<?x2xf32>) -> !gates
  %h = call @route(%p) : (tensor<?x2xf32>) -> !gates
  return %g, %h : !gates, !gates
}
func.func private @forever(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = call @forever(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
func.func private @jumps(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  cf.br ^next
^next:
  return %x : tensor<?x4xf32>
}
func.func private @elsewhere(%x: tensor<?x4xf32>) -> tensor<?x4xf32>
func.func @main(%x: tensor<?x4xf32>, %p: tensor<?x2xf32>) -> tensor<?x4xf32> {
  %g:2 = call @both(%p) : (tensor<?x2xf32>) -> (!gates, !gates)
  %a = call @run(%x, %g#0) : (tensor<?x4xf32>, !gates) -> tensor<?x4xf32>
  %b = call @run(%a, %g#1) : (tensor<?x4xf32>, !gates) -> tensor<?x4xf32>
  %c = call @forever(%b) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %d = call @jumps(%c) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %e = call @elsewhere(%d) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %e : tensor<?x4xf32>
}

// -----

// Functions that call each other.
// CHECK-LABEL: func.func @there(
// CHECK:         call @
// CHECK-LABEL: func.func @back(
// CHECK:         call @
func.func @there(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = call @back(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
func.func @back(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = call @there(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
