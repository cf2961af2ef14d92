// Weights that are dequantized for products are put in panels, as they are, and
// the products read them there.
//
// RUN: sluice-opt %s --sluice-pack-weights --split-input-file | FileCheck %s
// RUN: sluice-opt %s --sluice-pack-weights=width=8 --split-input-file | FileCheck %s --check-prefix=EIGHT
// RUN: sluice-opt %s --sluice-pack-weights --split-input-file --remarks-filter=sluice-pack-weights -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// Only panels of 16 are defined for small numbers.
// EIGHT-NOT: sluice.quantized_linear

// Bytes in blocks that do not divide the inputs, scales in f16, a bias.
// CHECK-LABEL: sluice.weight @q "q"
// CHECK-SAME: tensor<40x24xi8> in #sluice.panels<16 of out_in by 4>
// CHECK: sluice.weight @s "s" : tensor<40x2xf16> in #sluice.panels<16 of out_in>
// REMARK: [Passed] weight {{.*}}@q is packed in panels of 16 outputs
// REMARK: [Passed] weight {{.*}}@s is packed in panels of 16 outputs
sluice.weight @q "q" : tensor<40x24xi8>
sluice.weight @s "s" : tensor<40x2xf16>
// CHECK: func.func @i8(%[[X:.*]]: tensor<?x24xf32>, %[[BIAS:.*]]: tensor<40xbf16>)
func.func @i8(%x: tensor<?x24xf32>, %bias: tensor<40xbf16>) -> tensor<?x40xf32> {
  // CHECK-DAG: %[[Q:.*]] = sluice.get_weight @q : tensor<3x6x16x4xi8>
  // CHECK-DAG: %[[S:.*]] = sluice.get_weight @s : tensor<3x2x16xf16>
  %q = sluice.get_weight @q : tensor<40x24xi8>
  %s = sluice.get_weight @s : tensor<40x2xf16>
  %w = sluice.dequantize %q as i8 in blocks [1, 16] by %s
    : (tensor<40x24xi8>, tensor<40x2xf16>) -> tensor<40x24xf32>
  // CHECK-NOT: sluice.dequantize
  // CHECK: %[[Y:.*]] = sluice.quantized_linear %[[X]], %[[Q]] as i8 by %[[S]] in blocks 16 : (tensor<?x24xf32>, tensor<3x6x16x4xi8>, tensor<3x2x16xf16>) -> tensor<?x40xf32>
  // CHECK: %[[WIDE:.*]] = arith.extf %[[BIAS]] : tensor<40xbf16> to tensor<40xf32>
  // CHECK: %[[ALL:.*]] = sluice.broadcast %[[WIDE]]
  // CHECK: arith.addf %[[Y]], %[[ALL]] : tensor<?x40xf32>
  %y = sluice.linear %x, %w bias %bias : (tensor<?x24xf32>, tensor<40x24xf32>, tensor<40xbf16>) -> tensor<?x40xf32>
  return %y : tensor<?x40xf32>
}

// -----

// Numbers of 4 bits in blocks that are whole rows, and two products; the second
// one's result is rounded once.
// CHECK-LABEL: sluice.weight @q "q"
// CHECK-SAME: tensor<24x32xi8> in #sluice.panels<16 of out_in by 4 bits 4>
sluice.weight @q "q" : tensor<24x32xi8>
sluice.weight @s "s" : tensor<24x1xf32>
// CHECK: func.func @i4(%[[X:.*]]: tensor<?x64xf32>, %[[H:.*]]: tensor<?x64xbf16>)
func.func @i4(%x: tensor<?x64xf32>, %h: tensor<?x64xbf16>) -> (tensor<?x24xf32>, tensor<?x24xbf16>) {
  %q = sluice.get_weight @q : tensor<24x32xi8>
  %s = sluice.get_weight @s : tensor<24x1xf32>
  %w = sluice.dequantize %q as i4 in blocks [1, 1000] by %s
    : (tensor<24x32xi8>, tensor<24x1xf32>) -> tensor<24x64xf32>
  // CHECK: sluice.quantized_linear %[[X]], %{{.*}} as i4 by %{{.*}} in blocks 64 : (tensor<?x64xf32>, tensor<2x8x16x4xi8>, tensor<2x1x16xf32>) -> tensor<?x24xf32>
  %y = sluice.linear %x, %w : (tensor<?x64xf32>, tensor<24x64xf32>) -> tensor<?x24xf32>
  // CHECK: %[[Z:.*]] = sluice.quantized_linear %[[H]], %{{.*}} as i4 by %{{.*}} in blocks 64 : (tensor<?x64xbf16>, tensor<2x8x16x4xi8>, tensor<2x1x16xf32>) -> tensor<?x24xf32>
  // CHECK: arith.truncf %[[Z]] : tensor<?x24xf32> to tensor<?x24xbf16>
  %z = sluice.linear %h, %w : (tensor<?x64xbf16>, tensor<24x64xf32>) -> tensor<?x24xbf16>
  return %y, %z : tensor<?x24xf32>, tensor<?x24xbf16>
}

// -----

// Zero points of 4 bits, three blocks in two bytes, by parameters of experts.
// The input is rounded: its integers and scales are operands.
// CHECK-LABEL: sluice.weight @q "{e}.q"
// CHECK-SAME: tensor<4x24x24xi8> in #sluice.panels<16 of out_in by 4 bits 4>
// CHECK: sluice.weight @s "{e}.s" : tensor<4x24x3xf32> in #sluice.panels<16 of out_in>
// CHECK: sluice.weight @z "{e}.z" : tensor<4x24x2xi8> in #sluice.panels<16 of out_in bits 4>
sluice.weight @q "{e}.q" : tensor<4x24x24xi8>
sluice.weight @s "{e}.s" : tensor<4x24x3xf32>
sluice.weight @z "{e}.z" : tensor<4x24x2xi8>
// CHECK: func.func @ui4(
func.func @ui4(%x: tensor<?x48xf32>, %g: !sluice.gates<?x4xf32, 2 per token>) -> tensor<?x24xf32> {
  %q = sluice.get_weight @q : tensor<4x24x24xi8>
  %s = sluice.get_weight @s : tensor<4x24x3xf32>
  %z = sluice.get_weight @z : tensor<4x24x2xi8>
  // CHECK: with (%[[Q:.*]] = %{{.*}} : tensor<4x2x6x16x4xi8>, %[[S:.*]] = %{{.*}} : tensor<4x2x3x16xf32>, %[[Z:.*]] = %{{.*}} : tensor<4x2x2x16xi8>)
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x48xf32>)
      with (%bq = %q : tensor<4x24x24xi8>, %bs = %s : tensor<4x24x3xf32>, %bz = %z : tensor<4x24x2xi8>)
      combine sum weight output -> tensor<?x24xf32> {
    // CHECK: %[[R:.*]], %[[RS:.*]] = sluice.quantize
    %r, %rs = sluice.quantize %t to i8 in blocks [1, 48] : tensor<?x48xf32> -> tensor<?x48xi8>, tensor<?x1xf32>
    %d = sluice.dequantize %r as i8 in blocks [1, 48] by %rs
      : (tensor<?x48xi8>, tensor<?x1xf32>) -> tensor<?x48xf32>
    %w = sluice.dequantize %bq as ui4 in blocks [1, 16] by %bs minus %bz
      : (tensor<24x24xi8>, tensor<24x3xf32>, tensor<24x2xi8>) -> tensor<24x48xf32>
    // CHECK-NOT: sluice.dequantize
    // CHECK: sluice.quantized_linear %[[R]] by %[[RS]] in blocks 48, %[[Q]] as ui4 by %[[S]] minus %[[Z]] in blocks 16 : (tensor<?x48xi8>, tensor<?x1xf32>, tensor<2x6x16x4xi8>, tensor<2x3x16xf32>, tensor<2x2x16xi8>) -> tensor<?x24xf32>
    %o = sluice.linear %d, %w : (tensor<?x48xf32>, tensor<24x48xf32>) -> tensor<?x24xf32>
    sluice.yield %o : tensor<?x24xf32>
  }
  return %y : tensor<?x24xf32>
}

// -----

// Equal zero points need no file (GGML's Q4_0 is minus 8).
// CHECK-LABEL: sluice.weight @q "q"
sluice.weight @q "q" : tensor<24x32xi8>
sluice.weight @s "s" : tensor<24x2xf16>
// CHECK: func.func @minus_eight(
func.func @minus_eight(%x: tensor<?x64xf32>) -> tensor<?x24xf32> {
  %q = sluice.get_weight @q : tensor<24x32xi8>
  %s = sluice.get_weight @s : tensor<24x2xf16>
  %z = arith.constant dense<0x88> : tensor<24x1xi8>
  %w = sluice.dequantize %q as ui4 in blocks [1, 32] by %s minus %z
    : (tensor<24x32xi8>, tensor<24x2xf16>, tensor<24x1xi8>) -> tensor<24x64xf32>
  // CHECK: %[[Z:.*]] = arith.constant dense<-120> : tensor<2x1x16xi8>
  // CHECK: sluice.quantized_linear %{{.*}}, %{{.*}} as ui4 by %{{.*}} minus %[[Z]] in blocks 32 : (tensor<?x64xf32>, tensor<2x8x16x4xi8>, tensor<2x2x16xf16>, tensor<2x1x16xi8>) -> tensor<?x24xf32>
  %y = sluice.linear %x, %w : (tensor<?x64xf32>, tensor<24x64xf32>) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

// -----

// MXFP4 as it is published: a dimension of blocks, powers of two; what is
// dequantized to bf16 is exact. The other product's weight is in f32.
// CHECK-LABEL: sluice.weight @q "q"
// CHECK-SAME: tensor<24x2x16xi8> in #sluice.panels<16 of out_in by 4 bits 4 dims 3>
// CHECK: sluice.weight @s "s" : tensor<24x2xi8> in #sluice.panels<16 of out_in>
sluice.weight @q "q" : tensor<24x2x16xi8>
sluice.weight @s "s" : tensor<24x2xi8>
// CHECK: func.func @mxfp4(%[[X:.*]]: tensor<?x64xbf16>
func.func @mxfp4(%x: tensor<?x64xbf16>) -> tensor<?x24xbf16> {
  %q = sluice.get_weight @q : tensor<24x2x16xi8>
  %s = sluice.get_weight @s : tensor<24x2xi8>
  %w = sluice.dequantize %q as f4E2M1FN in blocks [1, 32] by %s as f8E8M0FNU
    : (tensor<24x2x16xi8>, tensor<24x2xi8>) -> tensor<24x64xbf16>
  %v = sluice.dequantize %q as f4E2M1FN in blocks [1, 32] by %s as f8E8M0FNU
    : (tensor<24x2x16xi8>, tensor<24x2xi8>) -> tensor<24x64xf32>
  // CHECK: sluice.quantized_linear %[[X]], %{{.*}} as f4E2M1FN by %{{.*}} as f8E8M0FNU in blocks 32 : (tensor<?x64xbf16>, tensor<2x8x16x4xi8>, tensor<2x2x16xi8>) -> tensor<?x24xf32>
  // CHECK: arith.truncf
  // CHECK: sluice.quantized_linear
  %y = sluice.linear %x, %w : (tensor<?x64xbf16>, tensor<24x64xbf16>) -> tensor<?x24xbf16>
  %z = sluice.linear %x, %v : (tensor<?x64xbf16>, tensor<24x64xf32>) -> tensor<?x24xbf16>
  %u = arith.addf %y, %z : tensor<?x24xbf16>
  return %u : tensor<?x24xbf16>
}

// -----

// Inputs that are rounded in another way are read as floats: lines would cross
// their blocks, they have zero points, are in bf16, or are needed themselves.
// CHECK-LABEL: sluice.weight @q "q"
sluice.weight @q "q" : tensor<24x32xi8>
sluice.weight @s "s" : tensor<24x2xf32>
// CHECK: func.func @rounded(
func.func @rounded(%x: tensor<?x64xf32>) -> (tensor<?x24xf32>, tensor<?x24xf32>, tensor<?x24xf32>, tensor<?x24xf32>, tensor<?x64xf32>) {
  %q = sluice.get_weight @q : tensor<24x32xi8>
  %s = sluice.get_weight @s : tensor<24x2xf32>
  %w = sluice.dequantize %q as i4 in blocks [1, 32] by %s
    : (tensor<24x32xi8>, tensor<24x2xf32>) -> tensor<24x64xf32>
  %r0, %s0 = sluice.quantize %x to i8 in blocks [1, 4] : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?x16xf32>
  // CHECK: %[[D0:.*]] = sluice.dequantize {{.*}} in blocks [1, 4]
  %d0 = sluice.dequantize %r0 as i8 in blocks [1, 4] by %s0 : (tensor<?x64xi8>, tensor<?x16xf32>) -> tensor<?x64xf32>
  // CHECK: sluice.quantized_linear %[[D0]], %
  %y0 = sluice.linear %d0, %w : (tensor<?x64xf32>, tensor<24x64xf32>) -> tensor<?x24xf32>
  %r1, %s1, %z1 = sluice.quantize %x to ui8 in blocks [1, 32] : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xi8>
  // CHECK: %[[D1:.*]] = sluice.dequantize {{.*}} minus
  %d1 = sluice.dequantize %r1 as ui8 in blocks [1, 32] by %s1 minus %z1 : (tensor<?x64xi8>, tensor<?x2xf32>, tensor<?x2xi8>) -> tensor<?x64xf32>
  // CHECK: sluice.quantized_linear %[[D1]], %
  %y1 = sluice.linear %d1, %w : (tensor<?x64xf32>, tensor<24x64xf32>) -> tensor<?x24xf32>
  %r2, %s2 = sluice.quantize %x to i8 in blocks [1, 32] : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?x2xf32>
  // CHECK: %[[D2:.*]] = sluice.dequantize {{.*}} -> tensor<?x64xbf16>
  %d2 = sluice.dequantize %r2 as i8 in blocks [1, 32] by %s2 : (tensor<?x64xi8>, tensor<?x2xf32>) -> tensor<?x64xbf16>
  // CHECK: sluice.quantized_linear %[[D2]], %
  %y2 = sluice.linear %d2, %w : (tensor<?x64xbf16>, tensor<24x64xf32>) -> tensor<?x24xf32>
  // CHECK: %[[D3:.*]] = sluice.dequantize %[[R:[^ ]*]] as i8 in blocks [1, 32] by %[[RS:[^ ]*]] : {{.*}} -> tensor<?x64xf32>
  %d3 = sluice.dequantize %r2 as i8 in blocks [1, 32] by %s2 : (tensor<?x64xi8>, tensor<?x2xf32>) -> tensor<?x64xf32>
  // CHECK: sluice.quantized_linear %[[R]] by %[[RS]] in blocks 32, %
  %y3 = sluice.linear %d3, %w : (tensor<?x64xf32>, tensor<24x64xf32>) -> tensor<?x24xf32>
  // CHECK: return {{.*}}, %[[D3]] :
  return %y0, %y1, %y2, %y3, %d3 : tensor<?x24xf32>, tensor<?x24xf32>, tensor<?x24xf32>, tensor<?x24xf32>, tensor<?x64xf32>
}

// -----

// Numbers of columns that only the weight has told.
// CHECK-LABEL: func.func @any(
// CHECK-SAME: %[[X:.*]]: tensor<?x?xf32>
func.func @any(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: %[[C:.*]] = tensor.cast %[[X]] : tensor<?x?xf32> to tensor<?x64xf32>
  // CHECK: %[[Y:.*]] = sluice.quantized_linear %[[C]], {{.*}} -> tensor<?x24xf32>
  // CHECK: %[[D:.*]] = tensor.cast %[[Y]] : tensor<?x24xf32> to tensor<?x?xf32>
  // CHECK: return %[[D]]
  %q = sluice.get_weight @q : tensor<24x64xi8>
  %s = sluice.get_weight @s : tensor<24x2xf32>
  %w = sluice.dequantize %q as i8 in blocks [1, 32] by %s
    : (tensor<24x64xi8>, tensor<24x2xf32>) -> tensor<24x64xf32>
  %y = sluice.linear %x, %w : (tensor<?x?xf32>, tensor<24x64xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}
sluice.weight @q "q" : tensor<24x64xi8>
sluice.weight @s "s" : tensor<24x2xf32>
