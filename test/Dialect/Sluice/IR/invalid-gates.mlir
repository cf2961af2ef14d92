// The constraints of the ops that make gates from tensors and treat gates as
// sets, and of rms_norm, as in invalid.mlir.
//
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// C1 of from_entries
func.func @f(%i: tensor<?x2xi64>) {
  // expected-error @+1 {{'sluice.from_entries' op expected gates with 2 entries per token, one for each column of the indices, but got '!sluice.gates<?x4xf32, 3 per token>'}}
  %g = sluice.from_entries %i : (tensor<?x2xi64>) -> !sluice.gates<?x4xf32, 3 per token>
  return
}

// -----

// C1 of from_entries
func.func @f(%i: tensor<?x2xi64>) {
  // expected-error @+1 {{'sluice.from_entries' op expected gates with 2 entries per token, one for each column of the indices, but got '!sluice.gates<?x4xf32>'}}
  %g = sluice.from_entries %i : (tensor<?x2xi64>) -> !sluice.gates<?x4xf32>
  return
}

// -----

// C2 of from_entries
func.func @f(%i: tensor<?x2xi64>, %v: tensor<?x3xf32>) {
  // expected-error @+1 {{'sluice.from_entries' op expected values of the shape of the indices, 'tensor<?x2xi64>', but got 'tensor<?x3xf32>'}}
  %g = sluice.from_entries %i values %v : (tensor<?x2xi64>, tensor<?x3xf32>) -> !sluice.gates<?x4xf32, 2 per token>
  return
}

// -----

// C3 of from_entries
func.func @f(%i: tensor<?x2xi64>, %v: tensor<?x3xf32>) {
  // expected-error @+1 {{'sluice.from_entries' op expected weights with 4 columns, one for each expert, but got 'tensor<?x3xf32>'}}
  %g = sluice.from_entries %i weights %v : (tensor<?x2xi64>, tensor<?x3xf32>) -> !sluice.gates<?x4xf32, 2 per token>
  return
}

// -----

// C4 of from_entries
func.func @f(%i: tensor<?x2xi64>, %v: tensor<?x2xf32>, %w: tensor<?x4xf32>) {
  // expected-error @+1 {{'sluice.from_entries' op expected 'values' or 'weights' but got both}}
  %g = sluice.from_entries %i values %v weights %w : (tensor<?x2xi64>, tensor<?x2xf32>, tensor<?x4xf32>) -> !sluice.gates<?x4xf32, 2 per token>
  return
}

// -----

// C4 of from_entries
func.func @f(%i: tensor<?x2xi64>, %v: tensor<?x2xf64>) {
  // expected-error @+1 {{'sluice.from_entries' op expected gates of 'f64', the element type of the values, but got '!sluice.gates<?x4xf32, 2 per token>'}}
  %g = sluice.from_entries %i values %v : (tensor<?x2xi64>, tensor<?x2xf64>) -> !sluice.gates<?x4xf32, 2 per token>
  return
}

// -----

// C5 of from_entries
func.func @f(%i: tensor<7x2xi64>, %w: tensor<8x4xf32>) {
  // expected-error @+1 {{'sluice.from_entries' op expected 7 rows, as the indices have, but got 'tensor<8x4xf32>'}}
  %g = sluice.from_entries %i weights %w : (tensor<7x2xi64>, tensor<8x4xf32>) -> !sluice.gates<7x4xf32, 2 per token>
  return
}

// -----

// C5 of from_entries
func.func @f(%i: tensor<7x2xi64>) {
  // expected-error @+1 {{'sluice.from_entries' op expected gates of 7 tokens, one for each row of the indices, but got '!sluice.gates<8x4xf32, 2 per token>'}}
  %g = sluice.from_entries %i : (tensor<7x2xi64>) -> !sluice.gates<8x4xf32, 2 per token>
  return
}

// -----

// C1 of from_dense
func.func @f(%v: tensor<?x4xf32>, %m: tensor<?x5xi1>) {
  // expected-error @+1 {{'sluice.from_dense' op expected values and mask of ? x 4, tokens x experts of the result, but got 'tensor<?x4xf32>' and 'tensor<?x5xi1>'}}
  %g = sluice.from_dense %v where %m : tensor<?x4xf32>, tensor<?x5xi1> -> !sluice.gates<?x4xf32>
  return
}

// -----

// C1 of from_dense
func.func @f(%v: tensor<?x4xf32>, %m: tensor<?x4xi1>) {
  // expected-error @+1 {{'sluice.from_dense' op expected values and mask of ? x 5, tokens x experts of the result, but got 'tensor<?x4xf32>' and 'tensor<?x4xi1>'}}
  %g = sluice.from_dense %v where %m : tensor<?x4xf32>, tensor<?x4xi1> -> !sluice.gates<?x5xf32>
  return
}

// -----

// C2 of from_dense
func.func @f(%v: tensor<?x4xf64>, %m: tensor<?x4xi1>) {
  // expected-error @+1 {{'sluice.from_dense' op expected gates of 'f64', the element type of the values, but got '!sluice.gates<?x4xf32>'}}
  %g = sluice.from_dense %v where %m : tensor<?x4xf64>, tensor<?x4xi1> -> !sluice.gates<?x4xf32>
  return
}

// -----

// C3 of from_dense
func.func @f(%v: tensor<?x4xf32>, %m: tensor<?x4xi1>) {
  // expected-error @+1 {{'sluice.from_dense' op expected gates that are bounded per token or not at all but got '!sluice.gates<?x4xf32, 2 per expert>'}}
  %g = sluice.from_dense %v where %m : tensor<?x4xf32>, tensor<?x4xi1> -> !sluice.gates<?x4xf32, 2 per expert>
  return
}

// -----

// C1 of choose_tokens
func.func @f(%s: tensor<?x?xf32>, %c: index) {
  // expected-error @+1 {{expected the scores to be a matrix of floats (tokens x experts) with a static number of experts but got 'tensor<?x?xf32>'}}
  %g = sluice.choose_tokens %s, %c : tensor<?x?xf32>
  return
}

// -----

// C1 of columns
func.func @f(%g: !sluice.gates<?x4xf32, 2 per token>) {
  // expected-error @+1 {{expected 0 <= from < to <= 4, the number of experts, but got from 1 to 5}}
  %h = sluice.columns %g from 1 to 5 : !sluice.gates<?x4xf32, 2 per token>
  return
}

// -----

// C1 of columns
func.func @f(%g: !sluice.gates<?x4xf32, 2 per token>) {
  // expected-error @+1 {{expected 0 <= from < to <= 4, the number of experts, but got from 2 to 2}}
  %h = sluice.columns %g from 2 to 2 : !sluice.gates<?x4xf32, 2 per token>
  return
}

// -----

// C1 of join
func.func @f(%g: !sluice.gates<?x4xf32, 2 per token>, %h: !sluice.gates<?x5xf32, 1 per token>) {
  // expected-error @+1 {{expected gates of the same experts, tokens and element type but got '!sluice.gates<?x4xf32, 2 per token>' and '!sluice.gates<?x5xf32, 1 per token>'}}
  %j = sluice.join %g, %h : !sluice.gates<?x4xf32, 2 per token>, !sluice.gates<?x5xf32, 1 per token>
  return
}

// -----

// C1 of join
func.func @f(%g: !sluice.gates<7x4xf32>, %h: !sluice.gates<8x4xf32>) {
  // expected-error @+1 {{expected gates of the same experts, tokens and element type but got '!sluice.gates<7x4xf32>' and '!sluice.gates<8x4xf32>'}}
  %j = sluice.join %g, %h : !sluice.gates<7x4xf32>, !sluice.gates<8x4xf32>
  return
}

// -----

// C1 of filter
func.func @f(%g: !sluice.gates<?x4xf32, 2 per token>, %m: tensor<3xi1>) {
  // expected-error @+1 {{'sluice.filter' op expected dimension 0 of the mask to be 1 or 4, the experts of '!sluice.gates<?x4xf32, 2 per token>', but got 'tensor<3xi1>'}}
  %h = sluice.filter %g where %m : !sluice.gates<?x4xf32, 2 per token>, tensor<3xi1>
  return
}

// -----

// C1 of filter
func.func @f(%g: !sluice.gates<7x4xf32>, %m: tensor<8x1xi1>) {
  // expected-error @+1 {{'sluice.filter' op expected dimension 0 of the mask to be 1 or 7, the tokens of '!sluice.gates<7x4xf32>', but got 'tensor<8x1xi1>'}}
  %h = sluice.filter %g where %m : !sluice.gates<7x4xf32>, tensor<8x1xi1>
  return
}

// -----

// C1 of scale_by
func.func @f(%g: !sluice.gates<?x4xf32, 2 per token>, %m: tensor<?x3xf32>) {
  // expected-error @+1 {{'sluice.scale_by' op expected dimension 1 of the factors to be 1 or 4, the experts of '!sluice.gates<?x4xf32, 2 per token>', but got 'tensor<?x3xf32>'}}
  %h = sluice.scale_by %g, %m : !sluice.gates<?x4xf32, 2 per token>, tensor<?x3xf32>
  return
}

// -----

// C1 of limit
func.func @f(%g: !sluice.gates<?x4xf32>, %c: index) {
  // expected-error @+1 {{operand #0 must be gates with a bound per token, but got '!sluice.gates<?x4xf32>'}}
  %h = sluice.limit %g, %c by choice : !sluice.gates<?x4xf32>
  return
}

// -----

// C2 of limit
func.func @f(%g: !sluice.gates<?x4xf32, 2 per token>, %c: index, %p: tensor<?x2xf32>) {
  // expected-error @+1 {{'sluice.limit' op expected the priority to be a column of ? rows, one for each token of '!sluice.gates<?x4xf32, 2 per token>', but got 'tensor<?x2xf32>'}}
  %h = sluice.limit %g, %c by token priority %p : !sluice.gates<?x4xf32, 2 per token>, tensor<?x2xf32>
  return
}

// -----

// C1 of capacity
func.func @f(%p: tensor<?x?xf32>) {
  // expected-error @+1 {{'sluice.capacity' op expected a static number of columns, one for each expert, but got 'tensor<?x?xf32>'}}
  %c = sluice.capacity of %p factor 1.0 floor min 4 : tensor<?x?xf32>
  return
}

// -----

// C2 of capacity
func.func @f(%p: tensor<?x4xf32>) {
  // expected-error @+1 {{'sluice.capacity' op expected a factor that is finite and not negative but got -1.000000e+00}}
  %c = sluice.capacity of %p factor -1.0 floor min 4 : tensor<?x4xf32>
  return
}

// -----

// C3 of capacity
func.func @f(%p: tensor<?x4xf32>) {
  // expected-error @+1 {{'sluice.capacity' op expected min to be at least 0 but got -1}}
  %c = sluice.capacity of %p fraction 0.5 ceil min -1 : tensor<?x4xf32>
  return
}

// -----

// C1 of rms_norm
func.func @f(%x: tensor<4x?xf32>) {
  // expected-error @+1 {{'sluice.rms_norm' op expected a tensor whose last dimension is static and not 0 but got 'tensor<4x?xf32>'}}
  %n = sluice.rms_norm %x eps 1.0e-6 : tensor<4x?xf32>
  return
}

// -----

// C2 of rms_norm
func.func @f(%x: tensor<?x4xf32>, %w: tensor<5xf32>) {
  // expected-error @+1 {{'sluice.rms_norm' op expected a gain of 4 elements, as the last dimension of 'tensor<?x4xf32>', but got 'tensor<5xf32>'}}
  %n = sluice.rms_norm %x eps 1.0e-6 gain %w : tensor<?x4xf32>, tensor<5xf32>
  return
}

// -----

// C3 of rms_norm
func.func @f(%x: tensor<?x4xf32>) {
  // expected-error @+1 {{'sluice.rms_norm' op expected eps to be finite and not negative but got -1.000000e+00}}
  %n = sluice.rms_norm %x eps -1.0 : tensor<?x4xf32>
  return
}
