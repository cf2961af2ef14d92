// RUN: sluice-opt %s --sluice-inline-bodies --split-input-file --verify-diagnostics | FileCheck %s

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

// The body holds what the function, and the one that it calls, does; the call
// outside stays.
// CHECK-LABEL: func.func @moe
// CHECK:         sluice.experts
// CHECK:           %[[O:.*]] = sluice.linear %[[T:.*]], %[[W:.*]] :
// CHECK-NEXT:      %[[Y:.*]] = arith.mulf %[[O]], %[[O]]
// CHECK-NEXT:      sluice.yield %[[Y]]
// CHECK:         call @body
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
