// Every constraint of dequantize and quantize, named by its label in the op's
// definition, with the whole text of the error.
//
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

//===----------------------------------------------------------------------===//
// dequantize
//===----------------------------------------------------------------------===//

// C1 of dequantize
func.func @f(%q: tensor<i8>, %s: tensor<f32>) {
  // expected-error @+1 {{'sluice.dequantize' op expected at least one dimension to cut into blocks but got 'tensor<f32>'}}
  %0 = sluice.dequantize %q as i8 in blocks [] by %s : (tensor<i8>, tensor<f32>) -> tensor<f32>
  return
}

// -----

// C1 of dequantize
func.func @f(%q: tensor<4x8xi8>, %s: tensor<4x2xf32>) {
  // expected-error @+1 {{'sluice.dequantize' op expected 2 block sizes, one for each dimension of 'tensor<4x8xf32>', but got 1}}
  %0 = sluice.dequantize %q as i8 in blocks [4] by %s : (tensor<4x8xi8>, tensor<4x2xf32>) -> tensor<4x8xf32>
  return
}

// -----

// C1 of dequantize
func.func @f(%q: tensor<4x8xi8>, %s: tensor<4x2xf32>) {
  // expected-error @+1 {{'sluice.dequantize' op attribute 'blocks' failed to satisfy constraint: i64 dense array attribute whose value is positive}}
  %0 = sluice.dequantize %q as i8 in blocks [1, 0] by %s : (tensor<4x8xi8>, tensor<4x2xf32>) -> tensor<4x8xf32>
  return
}

// -----

// C1 of dequantize
func.func @f(%q: tensor<?x8xi8>, %s: tensor<?x2xf32>) {
  // expected-error @+1 {{'sluice.dequantize' op expected blocks of 1 along dimension 0 of 'tensor<?x8xf32>', which is dynamic, but got 2}}
  %0 = sluice.dequantize %q as i8 in blocks [2, 4] by %s : (tensor<?x8xi8>, tensor<?x2xf32>) -> tensor<?x8xf32>
  return
}

// -----

// C2 of dequantize: 9 numbers in blocks of 4 are 3 blocks.
func.func @f(%q: tensor<4x9xi8>, %s: tensor<4x2xf32>) {
  // expected-error @+1 {{'sluice.dequantize' op expected scales of 'tensor<4x3xf32>', one for each block, but got 'tensor<4x2xf32>'}}
  %0 = sluice.dequantize %q as i8 in blocks [1, 4] by %s : (tensor<4x9xi8>, tensor<4x2xf32>) -> tensor<4x9xf32>
  return
}

// -----

// C2 of dequantize: what is dynamic for one is for the other.
func.func @f(%q: tensor<?x8xi8>, %s: tensor<4x2xf32>) {
  // expected-error @+1 {{'sluice.dequantize' op expected scales of 'tensor<?x2xf32>', one for each block, but got 'tensor<4x2xf32>'}}
  %0 = sluice.dequantize %q as i8 in blocks [1, 4] by %s : (tensor<?x8xi8>, tensor<4x2xf32>) -> tensor<?x8xf32>
  return
}

// -----

// C3 of dequantize
func.func @f(%q: tensor<4x8xi8>, %s: tensor<4x2xi8>) {
  // expected-error @+1 {{'sluice.dequantize' op expected 'as f8E8M0FNU' after scales of i8 but got 'tensor<4x2xi8>' without it}}
  %0 = sluice.dequantize %q as i8 in blocks [1, 4] by %s : (tensor<4x8xi8>, tensor<4x2xi8>) -> tensor<4x8xf32>
  return
}

// -----

// C3 of dequantize
func.func @f(%q: tensor<4x8xi8>, %s: tensor<4x2xf32>) {
  // expected-error @+1 {{'sluice.dequantize' op expected scales of i8 for f8E8M0FNU but got 'tensor<4x2xf32>'}}
  %0 = sluice.dequantize %q as i8 in blocks [1, 4] by %s as f8E8M0FNU : (tensor<4x8xi8>, tensor<4x2xf32>) -> tensor<4x8xf32>
  return
}

// -----

// C4 of dequantize
func.func @f(%q: tensor<4x8xi8>, %s: tensor<4x2xf32>) {
  // expected-error @+1 {{'sluice.dequantize' op expected the input to be 'tensor<4x4xi8>', the last dimension perhaps cut into several, but got 'tensor<4x8xi8>'}}
  %0 = sluice.dequantize %q as ui4 in blocks [1, 4] by %s : (tensor<4x8xi8>, tensor<4x2xf32>) -> tensor<4x8xf32>
  return
}

// -----

// C4 of dequantize: only the last dimension may be cut.
func.func @f(%q: tensor<2x2x8xi8>, %s: tensor<4x2xf32>) {
  // expected-error @+1 {{'sluice.dequantize' op expected the input to be 'tensor<4x8xi8>', the last dimension perhaps cut into several, but got 'tensor<2x2x8xi8>'}}
  %0 = sluice.dequantize %q as i8 in blocks [1, 4] by %s : (tensor<2x2x8xi8>, tensor<4x2xf32>) -> tensor<4x8xf32>
  return
}

// -----

// C4 of dequantize
func.func @f(%q: tensor<4x?x4xi8>, %s: tensor<4x2xf32>) {
  // expected-error @+1 {{'sluice.dequantize' op expected the input to be 'tensor<4x8xi8>', the last dimension perhaps cut into several, but got 'tensor<4x?x4xi8>'}}
  %0 = sluice.dequantize %q as i8 in blocks [1, 4] by %s : (tensor<4x?x4xi8>, tensor<4x2xf32>) -> tensor<4x8xf32>
  return
}

// -----

// C5 of dequantize
func.func @f(%q: tensor<4x?xi8>, %s: tensor<4x?xf32>) {
  // expected-error @+1 {{'sluice.dequantize' op expected a result whose last dimension is static, because two numbers are in a byte, but got 'tensor<4x?xf32>'}}
  %0 = sluice.dequantize %q as i4 in blocks [1, 1] by %s : (tensor<4x?xi8>, tensor<4x?xf32>) -> tensor<4x?xf32>
  return
}

// -----

// C5 of dequantize
func.func @f(%q: tensor<4x?x2xi8>, %s: tensor<4x?xf32>) {
  // expected-error @+1 {{'sluice.dequantize' op expected a result whose last dimension is static, because that of the input is cut into several, but got 'tensor<4x?xf32>'}}
  %0 = sluice.dequantize %q as i8 in blocks [1, 1] by %s : (tensor<4x?x2xi8>, tensor<4x?xf32>) -> tensor<4x?xf32>
  return
}

// -----

// C6 of dequantize
func.func @f(%q: tensor<4x8xi8>, %s: tensor<4x2xf32>, %z: tensor<4x2xi8>) {
  // expected-error @+1 {{'sluice.dequantize' op expected zero points for integers only but got 'f8E4M3FN'}}
  %0 = sluice.dequantize %q as f8E4M3FN in blocks [1, 4] by %s minus %z : (tensor<4x8xi8>, tensor<4x2xf32>, tensor<4x2xi8>) -> tensor<4x8xf32>
  return
}

// -----

// C6 of dequantize: two zero points are in a byte, too.
func.func @f(%q: tensor<4x4xi8>, %s: tensor<4x2xf32>, %z: tensor<4x2xi8>) {
  // expected-error @+1 {{'sluice.dequantize' op expected the zero points to be 'tensor<4x1xi8>', the last dimension perhaps cut into several, but got 'tensor<4x2xi8>'}}
  %0 = sluice.dequantize %q as ui4 in blocks [1, 4] by %s minus %z : (tensor<4x4xi8>, tensor<4x2xf32>, tensor<4x2xi8>) -> tensor<4x8xf32>
  return
}

// -----

func.func @f(%q: tensor<4x8xi8>, %s: tensor<4x2xf32>) {
  // expected-error @+1 {{'sluice.dequantize' op attribute 'element_type' failed to satisfy constraint: type attribute of i8, ui8, i4, ui4, f4E2M1FN, f8E4M3FN or f8E5M2}}
  %0 = sluice.dequantize %q as i5 in blocks [1, 4] by %s : (tensor<4x8xi8>, tensor<4x2xf32>) -> tensor<4x8xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// quantize
//===----------------------------------------------------------------------===//

// C1 of quantize
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{'sluice.quantize' op expected blocks of 1 along dimension 0 of 'tensor<?x8xf32>', which is dynamic, but got 4}}
  %0:2 = sluice.quantize %x to i8 in blocks [4, 4] : tensor<?x8xf32> -> tensor<?x8xi8>, tensor<?x2xf32>
  return
}

// -----

// C2 of quantize
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{'sluice.quantize' op expected a first result of 'tensor<?x8xi8>', the shape of the input, but got 'tensor<?x4xi8>'}}
  %0:2 = sluice.quantize %x to i8 in blocks [1, 4] : tensor<?x8xf32> -> tensor<?x4xi8>, tensor<?x2xf32>
  return
}

// -----

// C3 of quantize
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{'sluice.quantize' op expected scales of 'tensor<?x2xf32>', one for each block, but got 'tensor<?x8xf32>'}}
  %0:2 = sluice.quantize %x to i8 in blocks [1, 4] : tensor<?x8xf32> -> tensor<?x8xi8>, tensor<?x8xf32>
  return
}

// -----

// C4 of quantize
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{'sluice.quantize' op expected two results for i8, which has no zero points, but got three}}
  %0:3 = sluice.quantize %x to i8 in blocks [1, 4] : tensor<?x8xf32> -> tensor<?x8xi8>, tensor<?x2xf32>, tensor<?x2xi8>
  return
}

// -----

// C4 of quantize
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{'sluice.quantize' op expected three results for ui8, numbers, scales and zero points, but got two}}
  %0:2 = sluice.quantize %x to ui8 in blocks [1, 4] : tensor<?x8xf32> -> tensor<?x8xi8>, tensor<?x2xf32>
  return
}

// -----

// C4 of quantize
func.func @f(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{'sluice.quantize' op expected zero points of 'tensor<?x2xi8>', one for each block, but got 'tensor<?x1xi8>'}}
  %0:3 = sluice.quantize %x to ui8 in blocks [1, 4] : tensor<?x8xf32> -> tensor<?x8xi8>, tensor<?x2xf32>, tensor<?x1xi8>
  return
}

// -----

func.func @f(%x: tensor<?x8xf32>) {
  // expected-error @+1 {{'sluice.quantize' op attribute 'element_type' failed to satisfy constraint: type attribute of i8 or ui8}}
  %0:2 = sluice.quantize %x to i4 in blocks [1, 4] : tensor<?x8xf32> -> tensor<?x8xi8>, tensor<?x2xf32>
  return
}
