// Every constraint of quantized_linear, named by its label in the op's
// definition, and of panels of small numbers, with the whole text of the error.
//
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// C1: panels of 8.
func.func @f(%x: tensor<?x64xf32>, %w: tensor<4x16x8x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected a weight of [panels, 16, 16, 4] bytes, 4 inputs of each output in a line, for an input of 'tensor<?x64xf32>' but got 'tensor<4x16x8x4xi8>'}}
  %y = sluice.quantized_linear %x, %w as i8 by %s in blocks 32
    : (tensor<?x64xf32>, tensor<4x16x8x4xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C1: two inputs side by side.
func.func @f(%x: tensor<?x64xf32>, %w: tensor<2x32x16x2xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected a weight of [panels, 16, 16, 4] bytes, 4 inputs of each output in a line, for an input of 'tensor<?x64xf32>' but got 'tensor<2x32x16x2xi8>'}}
  %y = sluice.quantized_linear %x, %w as i8 by %s in blocks 32
    : (tensor<?x64xf32>, tensor<2x32x16x2xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C1: 4 bits take half as many lines.
func.func @f(%x: tensor<?x64xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected a weight of [panels, 8, 16, 4] bytes, 8 inputs of each output in a line, for an input of 'tensor<?x64xf32>' but got 'tensor<2x16x16x4xi8>'}}
  %y = sluice.quantized_linear %x, %w as i4 by %s in blocks 32
    : (tensor<?x64xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C1: too few lines.
func.func @f(%x: tensor<?x64xf32>, %w: tensor<2x15x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected a weight of [panels, 16, 16, 4] bytes, 4 inputs of each output in a line, for an input of 'tensor<?x64xf32>' but got 'tensor<2x15x16x4xi8>'}}
  %y = sluice.quantized_linear %x, %w as i8 by %s in blocks 32
    : (tensor<?x64xf32>, tensor<2x15x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C1: an expert's weights are static.
func.func @f(%x: tensor<?x64xf32>, %w: tensor<?x16x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected a weight of [panels, 16, 16, 4] bytes, 4 inputs of each output in a line, for an input of 'tensor<?x64xf32>' but got 'tensor<?x16x16x4xi8>'}}
  %y = sluice.quantized_linear %x, %w as i8 by %s in blocks 32
    : (tensor<?x64xf32>, tensor<?x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C1: as many inputs as lines have.
func.func @f(%x: tensor<?x?xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected a weight of [panels, 0, 16, 4] bytes, 4 inputs of each output in a line, for an input of 'tensor<?x?xf32>' but got 'tensor<2x16x16x4xi8>'}}
  %y = sluice.quantized_linear %x, %w as i8 by %s in blocks 32
    : (tensor<?x?xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C2: 64 inputs in blocks of 24 are 3 blocks.
func.func @f(%x: tensor<?x64xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected scales of 'tensor<2x3x16xf32>' but got 'tensor<2x2x16xf32>'}}
  %y = sluice.quantized_linear %x, %w as i8 by %s in blocks 24
    : (tensor<?x64xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C2
func.func @f(%x: tensor<?x64xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<1x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected scales of 'tensor<2x2x16xf32>' but got 'tensor<1x2x16xf32>'}}
  %y = sluice.quantized_linear %x, %w as i8 by %s in blocks 32
    : (tensor<?x64xf32>, tensor<2x16x16x4xi8>, tensor<1x2x16xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C2
func.func @f(%x: tensor<?x64xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x?xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected scales of 'tensor<2x2x16xf32>' but got 'tensor<2x2x?xf32>'}}
  %y = sluice.quantized_linear %x, %w as i8 by %s in blocks 32
    : (tensor<?x64xf32>, tensor<2x16x16x4xi8>, tensor<2x2x?xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C2: bytes are powers of two if it is said.
func.func @f(%x: tensor<?x64xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xi8>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected 'as f8E8M0FNU' after scales of i8 but got 'tensor<2x2x16xi8>'}}
  %y = sluice.quantized_linear %x, %w as i8 by %s in blocks 32
    : (tensor<?x64xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xi8>) -> tensor<?x32xf32>
  return
}

// -----

// C2
func.func @f(%x: tensor<?x64xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected scales of i8 for f8E8M0FNU but got 'tensor<2x2x16xf32>'}}
  %y = sluice.quantized_linear %x, %w as i8 by %s as f8E8M0FNU in blocks 32
    : (tensor<?x64xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C3
func.func @f(%x: tensor<?x64xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>, %z: tensor<2x1x16xi8>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected zero points of 'tensor<2x2x16xi8>' but got 'tensor<2x1x16xi8>'}}
  %y = sluice.quantized_linear %x, %w as i8 by %s minus %z in blocks 32
    : (tensor<?x64xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>, tensor<2x1x16xi8>) -> tensor<?x32xf32>
  return
}

// -----

// C3: of 4 bits, two blocks in a byte.
func.func @f(%x: tensor<?x64xf32>, %w: tensor<2x8x16x4xi8>, %s: tensor<2x2x16xf32>, %z: tensor<2x2x16xi8>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected zero points of 'tensor<2x1x16xi8>' but got 'tensor<2x2x16xi8>'}}
  %y = sluice.quantized_linear %x, %w as ui4 by %s minus %z in blocks 32
    : (tensor<?x64xf32>, tensor<2x8x16x4xi8>, tensor<2x2x16xf32>, tensor<2x2x16xi8>) -> tensor<?x32xf32>
  return
}

// -----

// C3
func.func @f(%x: tensor<?x64xf32>, %w: tensor<2x8x16x4xi8>, %s: tensor<2x2x16xf32>, %z: tensor<2x1x16xi8>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected zero points for integers only but got 'f4E2M1FN'}}
  %y = sluice.quantized_linear %x, %w as f4E2M1FN by %s minus %z in blocks 32
    : (tensor<?x64xf32>, tensor<2x8x16x4xi8>, tensor<2x2x16xf32>, tensor<2x1x16xi8>) -> tensor<?x32xf32>
  return
}

// -----

// C4
func.func @f(%x: tensor<?x64xi8>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected scales of the input for integers but got an input of 'tensor<?x64xi8>'}}
  %y = sluice.quantized_linear %x, %w as i8 by %s in blocks 32
    : (tensor<?x64xi8>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C4
func.func @f(%x: tensor<?x64xf32>, %xs: tensor<?x2xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected scales of the input for integers only but got an input of 'tensor<?x64xf32>'}}
  %y = sluice.quantized_linear %x by %xs in blocks 32, %w as i8 by %s in blocks 32
    : (tensor<?x64xf32>, tensor<?x2xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C4
func.func @f(%x: tensor<?x64xi8>, %xs: tensor<?x3xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected scales of the input of 'tensor<?x2xf32>' but got 'tensor<?x3xf32>'}}
  %y = sluice.quantized_linear %x by %xs in blocks 32, %w as i8 by %s in blocks 32
    : (tensor<?x64xi8>, tensor<?x3xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C4
func.func @f(%x: tensor<5x64xi8>, %xs: tensor<6x2xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected scales of the input of 'tensor<5x2xf32>' but got 'tensor<6x2xf32>'}}
  %y = sluice.quantized_linear %x by %xs in blocks 32, %w as i8 by %s in blocks 32
    : (tensor<5x64xi8>, tensor<6x2xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<5x32xf32>
  return
}

// -----

// C5
func.func @f(%x: tensor<?x64xi8>, %xs: tensor<?x3xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected blocks of the input of a multiple of 4 inputs but got 30}}
  %y = sluice.quantized_linear %x by %xs in blocks 30, %w as i8 by %s in blocks 32
    : (tensor<?x64xi8>, tensor<?x3xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C5
func.func @f(%x: tensor<?x64xi8>, %xs: tensor<?x3xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected blocks of the input of a multiple of 4 inputs but got 0}}
  %y = sluice.quantized_linear %x by %xs in blocks 0, %w as i8 by %s in blocks 32
    : (tensor<?x64xi8>, tensor<?x3xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C5: of 4 bits, 8 inputs are in a line.
func.func @f(%x: tensor<?x64xi8>, %xs: tensor<?x4xf32>, %w: tensor<2x8x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected blocks of the input of a multiple of 8 inputs but got 20}}
  %y = sluice.quantized_linear %x by %xs in blocks 20, %w as i4 by %s in blocks 32
    : (tensor<?x64xi8>, tensor<?x4xf32>, tensor<2x8x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C5
func.func @f(%x: tensor<?x64xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected blocks of a multiple of 4 inputs but got 34}}
  %y = sluice.quantized_linear %x, %w as i8 by %s in blocks 34
    : (tensor<?x64xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C5
func.func @f(%x: tensor<?x64xf32>, %w: tensor<2x8x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected blocks of a multiple of 8 inputs but got 36}}
  %y = sluice.quantized_linear %x, %w as i4 by %s in blocks 36
    : (tensor<?x64xf32>, tensor<2x8x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C4: there is nothing to have blocks of.
func.func @f(%x: tensor<?x64xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected no blocks of an input without scales but got 32}}
  %y = "sluice.quantized_linear"(%x, %w, %s) <{element_type = i8, input_block = 32 : i64, block = 32 : i64, operandSegmentSizes = array<i32: 1, 0, 1, 1, 0>}>
    : (tensor<?x64xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return
}

// -----

// C6: 33 columns take three panels.
func.func @f(%x: tensor<?x64xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected a result of the input's rows and of columns that take 2 panels of 16 but got 'tensor<?x33xf32>'}}
  %y = sluice.quantized_linear %x, %w as i8 by %s in blocks 32
    : (tensor<?x64xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x33xf32>
  return
}

// -----

// C6: 16 columns take one.
func.func @f(%x: tensor<?x64xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected a result of the input's rows and of columns that take 2 panels of 16 but got 'tensor<?x16xf32>'}}
  %y = sluice.quantized_linear %x, %w as i8 by %s in blocks 32
    : (tensor<?x64xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x16xf32>
  return
}

// -----

// C6
func.func @f(%x: tensor<?x64xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected a result of the input's rows and of columns that take 2 panels of 16 but got 'tensor<?x?xf32>'}}
  %y = sluice.quantized_linear %x, %w as i8 by %s in blocks 32
    : (tensor<?x64xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x?xf32>
  return
}

// -----

// C6
func.func @f(%x: tensor<5x64xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>) {
  // expected-error @+1 {{'sluice.quantized_linear' op expected a result of the input's rows and of columns that take 2 panels of 16 but got 'tensor<6x32xf32>'}}
  %y = sluice.quantized_linear %x, %w as i8 by %s in blocks 32
    : (tensor<5x64xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<6x32xf32>
  return
}

// -----

// expected-error @+1 {{expected 1 to 64 inputs side by side but got 0}}
sluice.weight @w "w" : tensor<8x8xi8> in #sluice.panels<16 of out_in by 0>

// -----

// expected-error @+1 {{expected 1 to 64 inputs side by side but got 65}}
sluice.weight @w "w" : tensor<8x65xi8> in #sluice.panels<16 of out_in by 65>

// -----

// expected-error @+1 {{expected numbers of 4 bits, or whole elements, but got bits 2}}
sluice.weight @w "w" : tensor<8x8xi8> in #sluice.panels<16 of out_in bits 2>

// -----

// expected-error @+1 {{expected a matrix of at least 2 dimensions but got 1}}
sluice.weight @w "w" : tensor<8x8xi8> in #sluice.panels<16 of out_in dims 1>

// -----

// expected-error @+1 {{expected out_in where inputs are in several dimensions or two in a byte, but got in_out}}
sluice.weight @w "w" : tensor<8x8x8xi8> in #sluice.panels<16 of in_out dims 3>

// -----

// expected-error @+1 {{expected out_in where inputs are in several dimensions or two in a byte, but got in_out}}
sluice.weight @w "w" : tensor<8x8xi8> in #sluice.panels<16 of in_out bits 4>

// -----

// C5 of weight
// expected-error @+1 {{'sluice.weight' op expected at least 3 dimensions to put in panels but got 'tensor<8x8xf32>'}}
sluice.weight @w "w" : tensor<8x8xf32> in #sluice.panels<16 of out_in dims 3>

// -----

// C5 of weight
// expected-error @+1 {{'sluice.weight' op expected bytes, which hold two numbers each, but got 'tensor<8x8xf32>'}}
sluice.weight @w "w" : tensor<8x8xf32> in #sluice.panels<16 of out_in bits 4>

// -----

// C5 of weight
// expected-error @+1 {{'sluice.weight' op expected a multiple of 4 inputs, which lie side by side, but got 6 in 'tensor<8x6xi8>'}}
sluice.weight @w "w" : tensor<8x6xi8> in #sluice.panels<16 of out_in by 4>

// -----

// C5 of weight: inputs are rows.
// expected-error @+1 {{'sluice.weight' op expected a multiple of 4 inputs, which lie side by side, but got 6 in 'tensor<6x8xi8>'}}
sluice.weight @w "w" : tensor<6x8xi8> in #sluice.panels<16 of in_out by 4>

// -----

// C5 of weight: 6 bytes are 12 numbers.
// expected-error @+1 {{'sluice.weight' op expected a multiple of 8 inputs, which lie side by side, but got 12 in 'tensor<8x2x3xi8>'}}
sluice.weight @w "w" : tensor<8x2x3xi8> in #sluice.panels<16 of out_in by 4 bits 4 dims 3>
