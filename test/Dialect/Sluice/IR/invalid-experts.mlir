// The constraints of sluice.experts and sluice.grouped, as in invalid.mlir.
//
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// C4 of experts: without inputs nothing says how many rows there are.
func.func @experts(%g: !sluice.gates<?x4xf32, 2 per token>) {
  // expected-error @+1 {{'sluice.experts' op expected a body without inputs to yield a tensor of static shape, every row of its expert's output, but got 'tensor<?x6xf32>'}}
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      () combine sum weight output -> tensor<?x6xf32> {
    %c = arith.constant dense<0.0> : tensor<1x6xf32>
    %o = tensor.cast %c : tensor<1x6xf32> to tensor<?x6xf32>
    sluice.yield %o : tensor<?x6xf32>
  }
  return
}

// -----

// C1 of experts: there is nothing to scale.
func.func @experts(%g: !sluice.gates<?x4xf32>, %rows: tensor<4x6xf32>) {
  // expected-error @+1 {{'sluice.experts' op expected at least one input for weight input}}
  %y = sluice.experts by %g : !sluice.gates<?x4xf32>
      () with (%row = %rows : tensor<4x6xf32>)
      combine sum weight input -> tensor<?x6xf32> {
    sluice.yield %row : tensor<6xf32>
  }
  return
}

// -----

// C1 of experts
func.func @experts(%g: !sluice.gates<7x4xf32, 2 per token>, %x: tensor<8x6xf32>) {
  // expected-error @+1 {{'sluice.experts' op expected input 0 to have 7 rows, one for each token of '!sluice.gates<7x4xf32, 2 per token>', but got 'tensor<8x6xf32>'}}
  %y = sluice.experts by %g : !sluice.gates<7x4xf32, 2 per token>
      (%t = %x : tensor<8x6xf32>) combine sum weight output -> tensor<7x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return
}

// -----

// C1 of experts
func.func @experts(%g: !sluice.gates<7x4xf32, 2 per token>, %x: tensor<f32>) {
  %y = sluice.experts by %g : !sluice.gates<7x4xf32, 2 per token>
      // expected-error @+1 {{expected a ranked tensor with at least one dimension but got 'tensor<f32>'}}
      (%t = %x : tensor<f32>) combine sum weight output -> tensor<7x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return
}

// -----

// C2 of experts: as many slices as experts.
func.func @experts(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x6xf32>, %ws: tensor<5x6x6xf32>) {
  // expected-error @+1 {{'sluice.experts' op expected parameter 0 to have a static shape with first dimension 4, the number of experts of '!sluice.gates<?x4xf32, 2 per token>', but got 'tensor<5x6x6xf32>'}}
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x6xf32>) with (%w = %ws : tensor<5x6x6xf32>)
      combine sum weight output -> tensor<?x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return
}

// -----

// C2 of experts: of static shape.
func.func @experts(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x6xf32>, %ws: tensor<4x?x6xf32>) {
  // expected-error @+1 {{'sluice.experts' op expected parameter 0 to have a static shape with first dimension 4, the number of experts of '!sluice.gates<?x4xf32, 2 per token>', but got 'tensor<4x?x6xf32>'}}
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x6xf32>) with (%w = %ws : tensor<4x?x6xf32>)
      combine sum weight output -> tensor<?x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return
}

// -----

// C3 of experts: one argument for each input and parameter.
func.func @experts(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x6xf32>) {
  // expected-error @+1 {{'sluice.experts' op expected a body with 1 arguments, one for each input and parameter, but got 2}}
  %y = "sluice.experts"(%g, %x) <{combine = #sluice<combine sum>, weight = #sluice<weight_on output>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}> ({
  ^expert(%t: tensor<?x6xf32>, %w: tensor<6xf32>):
    sluice.yield %t : tensor<?x6xf32>
  }) : (!sluice.gates<?x4xf32, 2 per token>, tensor<?x6xf32>) -> tensor<?x6xf32>
  return
}

// -----

// C3 of experts: an input's argument has a dynamic number of rows.
func.func @experts(%g: !sluice.gates<7x4xf32, 2 per token>, %x: tensor<7x6xf32>) {
  // expected-error @+1 {{'sluice.experts' op expected argument 0 of the body to be 'tensor<?x6xf32>' (the input's type with a dynamic number of rows) but got 'tensor<7x6xf32>'}}
  %y = "sluice.experts"(%g, %x) <{combine = #sluice<combine sum>, weight = #sluice<weight_on output>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}> ({
  ^expert(%t: tensor<7x6xf32>):
    sluice.yield %t : tensor<7x6xf32>
  }) : (!sluice.gates<7x4xf32, 2 per token>, tensor<7x6xf32>) -> tensor<7x6xf32>
  return
}

// -----

// C3 of experts: a parameter's argument is the expert's slice.
func.func @experts(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x6xf32>, %ws: tensor<4x6xf32>) {
  // expected-error @+1 {{'sluice.experts' op expected argument 1 of the body to be 'tensor<6xf32>' (the parameter's type without its first dimension) but got 'tensor<4x6xf32>'}}
  %y = "sluice.experts"(%g, %x, %ws) <{combine = #sluice<combine sum>, weight = #sluice<weight_on output>, operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^expert(%t: tensor<?x6xf32>, %w: tensor<4x6xf32>):
    sluice.yield %t : tensor<?x6xf32>
  }) : (!sluice.gates<?x4xf32, 2 per token>, tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x6xf32>
  return
}

// -----

// C4 of experts: rows are tokens.
func.func @experts(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x6xf32>) {
  // expected-error @+1 {{'sluice.experts' op expected the body to yield a tensor with a dynamic number of rows, the others static, but got 'tensor<3x6xf32>'}}
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x6xf32>) combine sum weight output -> tensor<?x6xf32> {
    %o = tensor.cast %t : tensor<?x6xf32> to tensor<3x6xf32>
    sluice.yield %o : tensor<3x6xf32>
  }
  return
}

// -----

// C4 of experts: the result has the yielded columns.
func.func @experts(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x6xf32>) {
  // expected-error @+1 {{'sluice.experts' op expected a result with ? rows, one for each token, of the shape that the body yields, 'tensor<?x6xf32>', but got 'tensor<?x5xf32>'}}
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x6xf32>) combine sum weight output -> tensor<?x5xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return
}

// -----

// C4 of experts: and a row for each token.
func.func @experts(%g: !sluice.gates<7x4xf32, 2 per token>, %x: tensor<7x6xf32>) {
  // expected-error @+1 {{'sluice.experts' op expected a result with 7 rows, one for each token, of the shape that the body yields, 'tensor<?x6xf32>', but got 'tensor<8x6xf32>'}}
  %y = sluice.experts by %g : !sluice.gates<7x4xf32, 2 per token>
      (%t = %x : tensor<7x6xf32>) combine sum weight output -> tensor<8x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return
}

// -----

// C5 of experts: two entries cannot both be the result.
func.func @experts(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x6xf32>) {
  // expected-error @+1 {{'sluice.experts' op expected gates with at most 1 entry per token for combine replace but got '!sluice.gates<?x4xf32, 2 per token>'}}
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x6xf32>) combine replace weight output -> tensor<?x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return
}

// -----

// C6 of experts: a sum has its value where there is no entry: 0.
func.func @experts(%g: !sluice.gates<?x4xf32, 1 per token>, %x: tensor<?x6xf32>) {
  // expected-error @+1 {{'sluice.experts' op expected 'else' with combine replace only}}
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 1 per token>
      (%t = %x : tensor<?x6xf32>) else %x combine sum weight output -> tensor<?x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return
}

// -----

// C6 of experts: the custom form gives `else` the result's type.
func.func @experts(%g: !sluice.gates<?x4xf32, 1 per token>, %x: tensor<?x6xf32>, %z: tensor<?x6xf64>) {
  // expected-error @+1 {{'sluice.experts' op expected 'else' to have the result's type, 'tensor<?x6xf32>', but got 'tensor<?x6xf64>'}}
  %y = "sluice.experts"(%g, %x, %z) <{combine = #sluice<combine replace>, weight = #sluice<weight_on output>, operandSegmentSizes = array<i32: 1, 1, 0, 1>}> ({
  ^expert(%t: tensor<?x6xf32>):
    sluice.yield %t : tensor<?x6xf32>
  }) : (!sluice.gates<?x4xf32, 1 per token>, tensor<?x6xf32>, tensor<?x6xf64>) -> tensor<?x6xf32>
  return
}

// -----

func.func @experts(%g: !sluice.gates<?x4xf32, 1 per token>, %x: tensor<?x6xf32>) {
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 1 per token>
      // expected-error @+1 {{expected 'sum' or 'replace' but got 'max'}}
      (%t = %x : tensor<?x6xf32>) combine max weight output -> tensor<?x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return
}

// -----

func.func @experts(%g: !sluice.gates<?x4xf32, 1 per token>, %x: tensor<?x6xf32>) {
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 1 per token>
      // expected-error @+1 {{expected 'output', 'input' or 'none' but got 'both'}}
      (%t = %x : tensor<?x6xf32>) combine sum weight both -> tensor<?x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return
}

// -----

func.func @experts(%g: !sluice.gates<?x4xf32, 1 per token>, %x: tensor<?x6xf32>) {
  // expected-error @+1 {{'sluice.experts' op expects a non-empty block}}
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 1 per token>
      (%t = %x : tensor<?x6xf32>) combine sum weight none -> tensor<?x6xf32> {
  }
  return
}

// -----

// A body ends with its own terminator.
func.func @experts(%g: !sluice.gates<?x4xf32, 1 per token>, %x: tensor<?x6xf32>) {
  // expected-error @+1 {{'sluice.experts' op expected a body that ends with sluice.yield}}
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 1 per token>
      (%t = %x : tensor<?x6xf32>) combine sum weight none -> tensor<?x6xf32> {
    ub.unreachable
  }
  return
}

// -----

func.func @yield(%x: tensor<?x6xf32>) {
  // expected-error @+1 {{'sluice.yield' op expects parent op to be one of 'sluice.experts, sluice.mixed_experts, sluice.grouped'}}
  sluice.yield %x : tensor<?x6xf32>
}

// -----

// C1 to C6 of grouped are those of experts.
func.func @grouped(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x6xf32>) {
  %offsets, %order, %place = sluice.plan %g : !sluice.gates<?x4xf32, 2 per token>
  // expected-error @+1 {{'sluice.grouped' op expected gates with at most 1 entry per token for combine replace but got '!sluice.gates<?x4xf32, 2 per token>'}}
  %y = sluice.grouped by %g : !sluice.gates<?x4xf32, 2 per token>
      plan %offsets, %order, %place : tensor<5xindex>, tensor<?xindex>, tensor<?x2xindex>
      (%t = %x : tensor<?x6xf32>) combine replace weight output rows_per_task 32 -> tensor<?x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return
}

// -----

// C7 of grouped
func.func @grouped(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x6xf32>, %offsets: tensor<4xindex>,
                   %order: tensor<?xindex>, %place: tensor<?x2xindex>) {
  // expected-error @+1 {{'sluice.grouped' op expected offsets of type 'tensor<5xindex>', as sluice.plan makes for '!sluice.gates<?x4xf32, 2 per token>', but got 'tensor<4xindex>'}}
  %y = sluice.grouped by %g : !sluice.gates<?x4xf32, 2 per token>
      plan %offsets, %order, %place : tensor<4xindex>, tensor<?xindex>, tensor<?x2xindex>
      (%t = %x : tensor<?x6xf32>) combine sum weight output rows_per_task 32 -> tensor<?x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return
}

// -----

// C7 of grouped: the plan of other gates.
func.func @grouped(%g: !sluice.gates<?x4xf32, 2 per token>, %h: !sluice.gates<?x4xf32, 1 per token>, %x: tensor<?x6xf32>) {
  %offsets, %order, %place = sluice.plan %h : !sluice.gates<?x4xf32, 1 per token>
  // expected-error @+1 {{'sluice.grouped' op expected place of type 'tensor<?x2xindex>', as sluice.plan makes for '!sluice.gates<?x4xf32, 2 per token>', but got 'tensor<?x1xindex>'}}
  %y = sluice.grouped by %g : !sluice.gates<?x4xf32, 2 per token>
      plan %offsets, %order, %place : tensor<5xindex>, tensor<?xindex>, tensor<?x1xindex>
      (%t = %x : tensor<?x6xf32>) combine sum weight output rows_per_task 32 -> tensor<?x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return
}

// -----

// C8 of grouped
func.func @grouped(%g: !sluice.gates<?x4xf32, 2 per token>, %x: tensor<?x6xf32>) {
  %offsets, %order, %place = sluice.plan %g : !sluice.gates<?x4xf32, 2 per token>
  // expected-error @+1 {{'sluice.grouped' op attribute 'rows_per_task' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative}}
  %y = sluice.grouped by %g : !sluice.gates<?x4xf32, 2 per token>
      plan %offsets, %order, %place : tensor<5xindex>, tensor<?xindex>, tensor<?x2xindex>
      (%t = %x : tensor<?x6xf32>) combine sum weight output rows_per_task -1 -> tensor<?x6xf32> {
    sluice.yield %t : tensor<?x6xf32>
  }
  return
}
