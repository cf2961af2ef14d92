// The constraints of sluice.mixed_experts.
//
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// C1: at least one case.
func.func @none(%g: !sluice.gates<?x4xf32, 2 per token>) {
  // expected-error @+1 {{'sluice.mixed_experts' op expected at least one case}}
  %y = sluice.mixed_experts by %g : !sluice.gates<?x4xf32, 2 per token>
      combine sum weight output -> tensor<?x8xf32>
  return
}

// -----

// C1: ranges are in order and do not overlap.
func.func @overlap(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x8xf32>) {
  // expected-error @+1 {{'sluice.mixed_experts' op expected a range of experts that begins at 2 or later, is not empty and ends at 4 or before but got 1 to 3}}
  %y = sluice.mixed_experts by %g : !sluice.gates<?x4xf32, 2 per token>
      combine sum weight output -> tensor<?x8xf32>
    experts 0 to 2 (%t = %x : tensor<?x8xf32>) { sluice.yield %t : tensor<?x8xf32> }
    experts 1 to 3 (%t = %x : tensor<?x8xf32>) { sluice.yield %t : tensor<?x8xf32> }
  return
}

// -----

// C1: ranges are not empty.
func.func @empty(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x8xf32>) {
  // expected-error @+1 {{begins at 0 or later, is not empty and ends at 4 or before but got 2 to 2}}
  %y = sluice.mixed_experts by %g : !sluice.gates<?x4xf32, 2 per token>
      combine sum weight output -> tensor<?x8xf32>
    experts 2 to 2 (%t = %x : tensor<?x8xf32>) { sluice.yield %t : tensor<?x8xf32> }
  return
}

// -----

// C1: ranges lie within the gates' experts.
func.func @beyond(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x8xf32>) {
  // expected-error @+1 {{begins at 0 or later, is not empty and ends at 4 or before but got 3 to 5}}
  %y = sluice.mixed_experts by %g : !sluice.gates<?x4xf32, 2 per token>
      combine sum weight output -> tensor<?x8xf32>
    experts 3 to 5 (%t = %x : tensor<?x8xf32>) { sluice.yield %t : tensor<?x8xf32> }
  return
}

// -----

// C2: parameters are stacked for the experts of the case.
func.func @stack(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x8xf32>, %ws: tensor<4x8x8xf32>) {
  // expected-error @+1 {{'sluice.mixed_experts' op experts 1 to 4: expected parameter 0 to have a static shape with first dimension 3, the number of experts of '!sluice.gates<?x4xf32, 2 per token>' that have this body, but got 'tensor<4x8x8xf32>'}}
  %y = sluice.mixed_experts by %g : !sluice.gates<?x4xf32, 2 per token>
      combine sum weight output -> tensor<?x8xf32>
    experts 1 to 4 (%t = %x : tensor<?x8xf32>) with (%w = %ws : tensor<4x8x8xf32>) {
      %o = sluice.linear %t, %w : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
      sluice.yield %o : tensor<?x8xf32>
    }
  return
}

// -----

// C2: every case yields rows of the result.
func.func @width(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x8xf32>, %z: tensor<?x6xf32>) {
  // expected-error @+1 {{'sluice.mixed_experts' op experts 2 to 4: expected a result with ? rows, one for each token, of the shape that the body yields, 'tensor<?x6xf32>', but got 'tensor<?x8xf32>'}}
  %y = sluice.mixed_experts by %g : !sluice.gates<?x4xf32, 2 per token>
      combine sum weight output -> tensor<?x8xf32>
    experts 0 to 2 (%t = %x : tensor<?x8xf32>) { sluice.yield %t : tensor<?x8xf32> }
    experts 2 to 4 (%t = %z : tensor<?x6xf32>) { sluice.yield %t : tensor<?x6xf32> }
  return
}

// -----

// C3
func.func @replace(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x8xf32>) {
  // expected-error @+1 {{expected gates with at most 1 entry per token for combine replace but got '!sluice.gates<?x4xf32, 2 per token>'}}
  %y = sluice.mixed_experts by %g : !sluice.gates<?x4xf32, 2 per token>
      combine replace weight output -> tensor<?x8xf32>
    experts 0 to 2 (%t = %x : tensor<?x8xf32>) { sluice.yield %t : tensor<?x8xf32> }
  return
}

// -----

// C4
func.func @else(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x8xf32>) {
  // expected-error @+1 {{expected 'else' with combine replace only}}
  %y = sluice.mixed_experts by %g : !sluice.gates<?x4xf32, 2 per token>
      else %x combine sum weight output -> tensor<?x8xf32>
    experts 0 to 2 (%t = %x : tensor<?x8xf32>) { sluice.yield %t : tensor<?x8xf32> }
  return
}

// -----

// C5
func.func @counts(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x8xf32>) {
  // expected-error @+1 {{expected input_counts and param_counts with an entry for each of 1 cases that add up to 1 inputs and 0 parameters}}
  %y = "sluice.mixed_experts"(%g, %x) <{combine = #sluice<combine sum>, from = array<i64: 0>, to = array<i64: 4>, input_counts = array<i32: 2>, param_counts = array<i32: 0>, operandSegmentSizes = array<i32: 1, 1, 0, 0>, weight = #sluice<weight_on output>}> ({
  ^bb0(%t: tensor<?x8xf32>):
    "sluice.yield"(%t) : (tensor<?x8xf32>) -> ()
  }) : (!sluice.gates<?x4xf32, 2 per token>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return
}
