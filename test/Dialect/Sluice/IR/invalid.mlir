// Every constraint of every op has a case here, named by its label in the op's
// definition, with the whole text of the error.
//
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

//===----------------------------------------------------------------------===//
// !sluice.gates
//===----------------------------------------------------------------------===//

// C1 of gates: the text has no way to say a negative number.
// expected-error @+1 {{expected non-function type}}
func.func private @f(!sluice.gates<-1x4xf32>)

// -----

// C2 of gates
// expected-error @+1 {{expected a static number of experts, at least 1, but got '?'}}
func.func private @f(!sluice.gates<?x?xf32>)

// -----

// C2 of gates
// expected-error @+1 {{expected a static number of experts, at least 1, but got 0}}
func.func private @f(!sluice.gates<?x0xf32>)

// -----

// C3 of gates
// expected-error @+1 {{expected elements of type f16, bf16, f32 or f64 but got 'i32'}}
func.func private @f(!sluice.gates<?x4xi32>)

// -----

// C4 of gates
// expected-error @+1 {{expected between 1 and 4 entries per token (there are 4 experts) but got 5}}
func.func private @f(!sluice.gates<?x4xf32, 5 per token>)

// -----

// C4 of gates
// expected-error @+1 {{expected between 1 and 4 entries per token (there are 4 experts) but got 0}}
func.func private @f(!sluice.gates<?x4xf32, 0 per token>)

// -----

// C4 of gates
// expected-error @+1 {{expected between 1 and 4 entries per token (there are 4 experts) but got '?'}}
func.func private @f(!sluice.gates<?x4xf32, ? per token>)

// -----

// C5 of gates
// expected-error @+1 {{expected '?' or at least 1 entry per expert but got 0}}
func.func private @f(!sluice.gates<?x4xf32, 0 per expert>)

// -----

// C6 of gates: as many slots could not be counted.
// expected-error @+1 {{expected numbers of tokens and experts below 2147483648 but got 9223372036854775807}}
func.func private @f(!sluice.gates<?x9223372036854775807xf32, 2 per token>)

// -----

// expected-error @+1 {{expected panels of 1 to 1024 outputs but got 0}}
sluice.weight @w "w" : tensor<8x8xf32> in #sluice.panels<0 of out_in>

// -----

// expected-error @+1 {{expected panels of out_in or in_out but got panels}}
sluice.weight @w "w" : tensor<8x8xf32> in #sluice.panels<16 of panels>

// -----

// C5 of weight
// expected-error @+1 {{'sluice.weight' op expected at least 2 dimensions to put in panels but got 'tensor<8xf32>'}}
sluice.weight @w "w" : tensor<8xf32> in #sluice.panels<16 of out_in>

// -----

// C2 of get_weight: the value of a weight in panels is packed.
// expected-note @+1 {{the weight is declared here}}
sluice.weight @w "w" : tensor<2x24x8xf32> in #sluice.panels<16 of out_in>
func.func @f() -> tensor<2x24x8xf32> {
  // expected-error @+1 {{'sluice.get_weight' op expected the type of '@w', 'tensor<2x2x8x16xf32>', but got 'tensor<2x24x8xf32>'}}
  %w = sluice.get_weight @w : tensor<2x24x8xf32>
  return %w : tensor<2x24x8xf32>
}

// -----

// C5 of linear
func.func @f(%x: tensor<?x8xf32>, %w: tensor<16x8xf32>) -> tensor<?x16xf32> {
  // expected-error @+1 {{'sluice.linear' op expected a weight of three static dimensions, or of four with inputs side by side, for layout panels but got 'tensor<16x8xf32>'}}
  %y = sluice.linear %x, %w layout panels : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

// C5 of linear
func.func @f(%x: tensor<?x8xf32>, %w: tensor<1x8x16xf32>) -> tensor<?x16xf32> {
  // expected-error @+1 {{'sluice.linear' op expected a weight of two dimensions for layout out_in but got 'tensor<1x8x16xf32>'}}
  %y = sluice.linear %x, %w : (tensor<?x8xf32>, tensor<1x8x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

// C2 of linear: 16 columns take one panel, not two.
func.func @f(%x: tensor<?x8xf32>, %w: tensor<2x8x16xf32>) -> tensor<?x16xf32> {
  // expected-error @+1 {{'sluice.linear' op expected a result whose columns take 2 panels of 16 but got 'tensor<?x16xf32>'}}
  %y = sluice.linear %x, %w layout panels : (tensor<?x8xf32>, tensor<2x8x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

// C1 of linear: 8 inputs take 4 lines of 2, not 5.
func.func @f(%x: tensor<?x8xf32>, %w: tensor<1x5x16x2xbf16>) -> tensor<?x16xf32> {
  // expected-error @+1 {{'sluice.linear' op expected a weight of [panel, in / n, width, n] with in = 8, the last dimension of the input, but got 'tensor<1x5x16x2xbf16>' (layout panels)}}
  %y = sluice.linear %x, %w layout panels : (tensor<?x8xf32>, tensor<1x5x16x2xbf16>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

// C1 of linear: 9 or 10 inputs?
func.func @f(%x: tensor<?x?xf32>, %w: tensor<1x5x16x2xbf16>) -> tensor<?x16xf32> {
  // expected-error @+1 {{'sluice.linear' op expected an input of a static number of columns, of which 2 lie side by side in the weight, but got 'tensor<?x?xf32>'}}
  %y = sluice.linear %x, %w layout panels : (tensor<?x?xf32>, tensor<1x5x16x2xbf16>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

// C5 of linear
func.func @f(%x: tensor<?x8xf32>, %w: tensor<1x8x0xf32>) -> tensor<?x16xf32> {
  // expected-error @+1 {{'sluice.linear' op expected panels of at least one output, and lines of at least one input, but got 'tensor<1x8x0xf32>'}}
  %y = sluice.linear %x, %w layout panels : (tensor<?x8xf32>, tensor<1x8x0xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

// C1 of linear
func.func @f(%x: tensor<?x9xf32>, %w: tensor<1x8x16xf32>) -> tensor<?x16xf32> {
  // expected-error @+1 {{'sluice.linear' op expected a weight of [panel, in, width] with in = 9, the last dimension of the input, but got 'tensor<1x8x16xf32>' (layout panels)}}
  %y = sluice.linear %x, %w layout panels : (tensor<?x9xf32>, tensor<1x8x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

// expected-error @+1 {{expected two dimensions, tokens and experts, as in !sluice.gates<?x64xf32, 8 per token>, but got 3}}
func.func private @f(!sluice.gates<?x4x4xf32>)

// -----

// expected-error @+1 {{expected 'token' or 'expert' but got 'row'}}
func.func private @f(!sluice.gates<?x4xf32, 2 per row>)

// -----

//===----------------------------------------------------------------------===//
// weight
//===----------------------------------------------------------------------===//

// C1 of weight
// expected-error @+1 {{'sluice.weight' op expected a static shape, that of the stored tensor, but got 'tensor<?x4xf32>'}}
sluice.weight @w "w" : tensor<?x4xf32>

// -----

// C1 of weight
// expected-error @+1 {{attribute 'type' failed to satisfy constraint: type attribute of ranked tensor of f16, bf16, f32, f64, i8, i32 or i64 values}}
sluice.weight @w "w" : tensor<4xi16>

// -----

// C2 of weight
// expected-error @+1 {{'sluice.weight' op expected the name of a tensor in the weights file but got an empty name}}
sluice.weight @w "" : tensor<4xf32>

// -----

// C3 of weight
// expected-error @+1 {{'sluice.weight' op expected a placeholder such as {e} or {e+8} at offset 8 of 'experts.{e.up'}}
sluice.weight @w "experts.{e.up" : tensor<4xf32>

// -----

// C3 of weight
// expected-error @+1 {{'sluice.weight' op expected a placeholder such as {e} or {e+8} at offset 8 of 'experts.{}.up'}}
sluice.weight @w "experts.{}.up" : tensor<4xf32>

// -----

// C3 of weight
// expected-error @+1 {{'sluice.weight' op expected a placeholder such as {e} or {e+8} at offset 8 of 'experts.{e-1}.up'}}
sluice.weight @w "experts.{e-1}.up" : tensor<4xf32>

// -----

// C3 of weight
// expected-error @+1 {{'sluice.weight' op expected a placeholder such as {e} or {e+8} at offset 9 of 'experts.e}.up'}}
sluice.weight @w "experts.e}.up" : tensor<4xf32>

// -----

// C4 of weight
// expected-error @+1 {{'sluice.weight' op expected at most 1 placeholders, one for each dimension of 'tensor<4xf32>', but 'layers.{l}.experts.{e}' has 2}}
sluice.weight @w "layers.{l}.experts.{e}" : tensor<4xf32>

// -----

//===----------------------------------------------------------------------===//
// get_weight
//===----------------------------------------------------------------------===//

// C1 of get_weight
func.func @get_weight() {
  // expected-error @+1 {{'sluice.get_weight' op expected '@w' to name a sluice.weight of this module}}
  %w = sluice.get_weight @w : tensor<4xf32>
  return
}

// -----

// C1 of get_weight: another symbol is no weight.
func.func private @other()
func.func @get_weight() {
  // expected-error @+1 {{'sluice.get_weight' op expected '@other' to name a sluice.weight of this module}}
  %w = sluice.get_weight @other : tensor<4xf32>
  return
}

// -----

// C2 of get_weight
// expected-note @+1 {{the weight is declared here}}
sluice.weight @w "w" : tensor<4xf32>
func.func @get_weight() {
  // expected-error @+1 {{'sluice.get_weight' op expected the type of '@w', 'tensor<4xf32>', but got 'tensor<5xf32>'}}
  %w = sluice.get_weight @w : tensor<5xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// linear
//===----------------------------------------------------------------------===//

// C1 of linear
func.func @linear(%x: tensor<?x6xf32>, %w: tensor<4x5xf32>) {
  // expected-error @+1 {{'sluice.linear' op expected a weight of [out, in] with in = 6, the last dimension of the input, but got 'tensor<4x5xf32>' (layout out_in)}}
  %y = sluice.linear %x, %w : (tensor<?x6xf32>, tensor<4x5xf32>) -> tensor<?x4xf32>
  return
}

// -----

// C1 of linear: the weight would fit in the other layout.
func.func @linear(%x: tensor<?x6xf32>, %w: tensor<4x6xf32>) {
  // expected-error @+1 {{'sluice.linear' op expected a weight of [in, out] with in = 6, the last dimension of the input, but got 'tensor<4x6xf32>' (layout in_out)}}
  %y = sluice.linear %x, %w layout in_out : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x6xf32>
  return
}

// -----

// C2 of linear
func.func @linear(%x: tensor<?x6xf32>, %w: tensor<4x6xf32>) {
  // expected-error @+1 {{'sluice.linear' op expected a result of 4 columns, the weight's out dimension, but got 'tensor<?x6xf32>'}}
  %y = sluice.linear %x, %w : (tensor<?x6xf32>, tensor<4x6xf32>) -> tensor<?x6xf32>
  return
}

// -----

// C3 of linear
func.func @linear(%x: tensor<3x6xf32>, %w: tensor<4x6xf32>) {
  // expected-error @+1 {{'sluice.linear' op expected a result of 3 rows, as the input has, but got 'tensor<2x4xf32>'}}
  %y = sluice.linear %x, %w : (tensor<3x6xf32>, tensor<4x6xf32>) -> tensor<2x4xf32>
  return
}

// -----

// C4 of linear
func.func @linear(%x: tensor<?x6xf32>, %w: tensor<4x6xf32>, %b: tensor<6xf32>) {
  // expected-error @+1 {{'sluice.linear' op expected a bias of 4 elements, the weight's out dimension, but got 'tensor<6xf32>'}}
  %y = sluice.linear %x, %w bias %b : (tensor<?x6xf32>, tensor<4x6xf32>, tensor<6xf32>) -> tensor<?x4xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// clamp, softmax
//===----------------------------------------------------------------------===//

// C1 of clamp
func.func @clamp(%x: tensor<4xf32>) {
  // expected-error @+1 {{'sluice.clamp' op expected 'min', 'max' or both}}
  %y = sluice.clamp %x : tensor<4xf32>
  return
}

// -----

// C2 of clamp
func.func @clamp(%x: tensor<4xf32>) {
  // expected-error @+1 {{'sluice.clamp' op expected bounds that are numbers but got NaN}}
  %y = sluice.clamp %x min 0x7FF8000000000000 : tensor<4xf32>
  return
}

// -----

// C2 of clamp
func.func @clamp(%x: tensor<4xf32>) {
  // expected-error @+1 {{'sluice.clamp' op expected min <= max but got min 1.000000e+00 and max -1.000000e+00}}
  %y = sluice.clamp %x min 1.0 max -1.0 : tensor<4xf32>
  return
}

// -----

// C1 of softmax
func.func @softmax(%x: tensor<f32>) {
  // expected-error @+1 {{'sluice.softmax' op expected at least one dimension but got 'tensor<f32>'}}
  %y = sluice.softmax %x : tensor<f32>
  return
}

// -----

func.func @activation(%x: tensor<4xi32>) {
  // expected-error @+1 {{'sluice.silu' op operand #0 must be a tensor of floats or gates, but got 'tensor<4xi32>'}}
  %y = sluice.silu %x : tensor<4xi32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// broadcast, split
//===----------------------------------------------------------------------===//

// C1 of broadcast
func.func @broadcast(%x: tensor<2x3x4xf32>, %y: tensor<3x4xf32>) {
  // expected-error @+1 {{'sluice.broadcast' op expected a source of at most 2 dimensions, as 'like' has, but got 'tensor<2x3x4xf32>'}}
  %z = sluice.broadcast %x like %y : tensor<2x3x4xf32>, tensor<3x4xf32>
  return
}

// -----

// C2 of broadcast
func.func @broadcast(%x: tensor<3xf32>, %y: tensor<3x4xf32>) {
  // expected-error @+1 {{'sluice.broadcast' op expected dimension 0 of the source to be 1 or 4, as in 'like', but got 3}}
  %z = sluice.broadcast %x like %y : tensor<3xf32>, tensor<3x4xf32>
  return
}

// -----

// C2 of broadcast: whether a dynamic size is 1 is not known.
func.func @broadcast(%x: tensor<?xf32>, %y: tensor<3x4xf32>) {
  // expected-error @+1 {{'sluice.broadcast' op expected dimension 0 of the source to be 1 or 4, as in 'like', but got ?}}
  %z = sluice.broadcast %x like %y : tensor<?xf32>, tensor<3x4xf32>
  return
}

// -----

// C1 of split
func.func @split(%x: tensor<3x?xf32>) {
  // expected-error @+1 {{expected a tensor whose last dimension is static but got 'tensor<3x?xf32>'}}
  %a, %b = sluice.split %x : tensor<3x?xf32> into 2
  return
}

// -----

// C1 of split
func.func @split(%x: tensor<f32>) {
  // expected-error @+1 {{expected a tensor whose last dimension is static but got 'tensor<f32>'}}
  %a, %b = sluice.split %x : tensor<f32> into 2
  return
}

// -----

// C3 of split
func.func @split(%x: tensor<3x4294967296xf32>) {
  // expected-error @+1 {{expected at most 1024 parts, each of which is a result, but got 4294967296}}
  %a, %b = sluice.split %x : tensor<3x4294967296xf32> into 4294967296
  return
}

// -----

// C2 of split
func.func @split(%x: tensor<3x5xf32>) {
  // expected-error @+1 {{expected a number of parts that divides 5, the last dimension of 'tensor<3x5xf32>', but got 2}}
  %a, %b = sluice.split %x : tensor<3x5xf32> into 2
  return
}

// -----

// C2 of split
func.func @split(%x: tensor<3x5xf32>) {
  // expected-error @+1 {{expected a number of parts that divides 5, the last dimension of 'tensor<3x5xf32>', but got 0}}
  %a = sluice.split %x : tensor<3x5xf32> into 0
  return
}

// -----

//===----------------------------------------------------------------------===//
// topk
//===----------------------------------------------------------------------===//

// C1 of topk
func.func @topk(%p: tensor<?x?xf32>) {
  // expected-error @+1 {{expected the scores to have a static number of experts (columns) but got 'tensor<?x?xf32>'}}
  %g = sluice.topk %p, 2 : tensor<?x?xf32>
  return
}

// -----

// C2 of topk
func.func @topk(%p: tensor<?x4xf32>) {
  // expected-error @+1 {{expected k between 1 and 4, the number of experts, but got 5}}
  %g = sluice.topk %p, 5 : tensor<?x4xf32>
  return
}

// -----

// C2 of topk
func.func @topk(%p: tensor<?x4xf32>) {
  // expected-error @+1 {{expected k between 1 and 4, the number of experts, but got 0}}
  %g = sluice.topk %p, 0 : tensor<?x4xf32>
  return
}

// -----

// C3 of topk
func.func @topk(%p: tensor<?x4xf32>, %s: tensor<?x5xf32>) {
  // expected-error @+1 {{'sluice.topk' op expected weights of the shape of the scores, 'tensor<?x4xf32>', but got 'tensor<?x5xf32>'}}
  %g = sluice.topk %p, 2 weights %s : tensor<?x4xf32>, tensor<?x5xf32>
  return
}

// -----

func.func @topk(%p: tensor<4xf32>) {
  // expected-error @+1 {{expected the scores to be a matrix (tokens x experts) but got 'tensor<4xf32>'}}
  %g = sluice.topk %p, 2 : tensor<4xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// always
//===----------------------------------------------------------------------===//

// C1 of always
func.func @always(%p: tensor<?x?xf32>) {
  // expected-error @+1 {{expected the weights to have a static number of experts (columns) but got 'tensor<?x?xf32>'}}
  %g = sluice.always %p, [0] : tensor<?x?xf32>
  return
}

// -----

// C2 of always
func.func @always(%p: tensor<?x4xf32>) {
  // expected-error @+1 {{expected at least one expert in the list}}
  %g = sluice.always %p, [] : tensor<?x4xf32>
  return
}

// -----

// C2 of always
func.func @always(%p: tensor<?x4xf32>) {
  // expected-error @+1 {{'sluice.always' op expected experts between 0 and 3 but got 4}}
  %g = sluice.always %p, [0, 4] : tensor<?x4xf32>
  return
}

// -----

// C2 of always
func.func @always(%p: tensor<?x4xf32>) {
  // expected-error @+1 {{'sluice.always' op expected each expert at most once but 2 is listed twice}}
  %g = sluice.always %p, [2, 2] : tensor<?x4xf32>
  return
}

// -----

// C2 of always
func.func @always(%p: tensor<?x2xf32>) {
  // expected-error @+1 {{expected at most 2 experts in the list but got 3}}
  %g = sluice.always %p, [0, 1, 0] : tensor<?x2xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// keep_groups
//===----------------------------------------------------------------------===//

// C1 of keep_groups
func.func @keep_groups(%p: tensor<?x?xf32>) {
  // expected-error @+1 {{'sluice.keep_groups' op expected a static number of experts (columns) but got 'tensor<?x?xf32>'}}
  %m = sluice.keep_groups %p, 1 of 2 by max masked zero : tensor<?x?xf32>
  return
}

// -----

// C1 of keep_groups
func.func @keep_groups(%p: tensor<?x8xf32>) {
  // expected-error @+1 {{'sluice.keep_groups' op expected a number of groups that divides 8, the number of experts, but got 3}}
  %m = sluice.keep_groups %p, 1 of 3 by max masked zero : tensor<?x8xf32>
  return
}

// -----

// C2 of keep_groups
func.func @keep_groups(%p: tensor<?x8xf32>) {
  // expected-error @+1 {{'sluice.keep_groups' op expected to keep at most 4, the number of groups, but got 5}}
  %m = sluice.keep_groups %p, 5 of 4 by max masked zero : tensor<?x8xf32>
  return
}

// -----

// C2 of keep_groups
func.func @keep_groups(%p: tensor<?x8xf32>) {
  // expected-error @+1 {{'sluice.keep_groups' op attribute 'keep' failed to satisfy constraint: 64-bit signless integer attribute whose minimum value is 1}}
  %m = sluice.keep_groups %p, 0 of 4 by max masked zero : tensor<?x8xf32>
  return
}

// -----

// C3 of keep_groups
func.func @keep_groups(%p: tensor<?x8xf32>) {
  // expected-error @+1 {{'sluice.keep_groups' op expected groups of at least 2 experts for top2_sum but got groups of 1}}
  %m = sluice.keep_groups %p, 4 of 8 by top2_sum masked zero : tensor<?x8xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// normalize
//===----------------------------------------------------------------------===//

// C1 of normalize
func.func @normalize(%g: !sluice.gates<?x4xf32, 2 per token>) {
  // expected-error @+1 {{'sluice.normalize' op expected p to be at least 1 but got 5.000000e-01}}
  %n = sluice.normalize %g p 0.5 : !sluice.gates<?x4xf32, 2 per token>
  return
}

// -----

// C1 of normalize: NaN is not at least 1.
func.func @normalize(%g: !sluice.gates<?x4xf32, 2 per token>) {
  // expected-error-re @+1 {{'sluice.normalize' op expected p to be at least 1 but got {{.*}}}}
  %n = sluice.normalize %g p 0x7FF8000000000000 : !sluice.gates<?x4xf32, 2 per token>
  return
}

// -----

// C2 of normalize
func.func @normalize(%g: !sluice.gates<?x4xf32, 2 per token>) {
  // expected-error @+1 {{'sluice.normalize' op expected eps to be finite and not negative but got -1.000000e+00}}
  %n = sluice.normalize %g eps -1.0 : !sluice.gates<?x4xf32, 2 per token>
  return
}

// -----

// C3 of normalize
func.func @normalize(%g: !sluice.gates<?x4xf32, 2 per token>) {
  // expected-error @+1 {{'sluice.normalize' op expected min to be finite and positive but got 0.000000e+00}}
  %n = sluice.normalize %g min 0.0 : !sluice.gates<?x4xf32, 2 per token>
  return
}

// -----

//===----------------------------------------------------------------------===//
// entries
//===----------------------------------------------------------------------===//

// C1 of entries
func.func @entries(%g: !sluice.gates<?x4xf32>) {
  // expected-error @+1 {{expected gates with a bound per token but got '!sluice.gates<?x4xf32>'}}
  %i, %w = sluice.entries %g : !sluice.gates<?x4xf32>
  return
}
