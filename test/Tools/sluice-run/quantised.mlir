// Small cases whose numbers a person can check: by the interpreter and compiled.
//
// REQUIRES: sluice-run
// RUN: sluice-run %s --target=interpreter
// RUN: sluice-run %s
// The rounding needs no instruction that the oldest processor lacks.
// RUN: sluice-opt %s --sluice-cpu-pipeline=machine=x86-64 -o /dev/null

func.func @main() {
  // 0x21 is 1, then 2; 0xf8 is 8, then 15: as i4 -8 and -1.
  %p = arith.constant dense<[[0x21, -8]]> : tensor<1x2xi8>
  %s = arith.constant dense<[[0.5, 2.0]]> : tensor<1x2xf32>
  // Zero points 1 and 3.
  %z = arith.constant dense<[[0x31]]> : tensor<1x1xi8>
  %0 = sluice.dequantize %p as ui4 in blocks [1, 2] by %s minus %z
    : (tensor<1x2xi8>, tensor<1x2xf32>, tensor<1x1xi8>) -> tensor<1x4xf32>
  %e0 = arith.constant dense<[[0.0, 0.5, 10.0, 24.0]]> : tensor<1x4xf32>
  check.expect_close %0, %e0 tolerance 0.0 : tensor<1x4xf32>
  %1 = sluice.dequantize %p as i4 in blocks [1, 2] by %s
    : (tensor<1x2xi8>, tensor<1x2xf32>) -> tensor<1x4xf32>
  %e1 = arith.constant dense<[[0.5, 1.0, -16.0, -2.0]]> : tensor<1x4xf32>
  check.expect_close %1, %e1 tolerance 0.0 : tensor<1x4xf32>
  // Of three numbers the last half byte is not read. 2^(128 - 127) and 1/2.
  %x = arith.constant dense<[[-128, 126]]> : tensor<1x2xi8>
  %2 = sluice.dequantize %p as f4E2M1FN in blocks [1, 2] by %x as f8E8M0FNU
    : (tensor<1x2xi8>, tensor<1x2xi8>) -> tensor<1x3xf32>
  %e2 = arith.constant dense<[[1.0, 2.0, -0.0]]> : tensor<1x3xf32>
  check.expect_close %2, %e2 tolerance 0.0 : tensor<1x3xf32>
  // 448, the largest, and 2^-9, the smallest, of f8E4M3FN.
  %b = arith.constant dense<[0x7e, 1]> : tensor<2xi8>
  %t = arith.constant dense<[0.5]> : tensor<1xf32>
  %3 = sluice.dequantize %b as f8E4M3FN in blocks [2] by %t
    : (tensor<2xi8>, tensor<1xf32>) -> tensor<2xf32>
  %e3 = arith.constant dense<[224.0, 0.0009765625]> : tensor<2xf32>
  check.expect_close %3, %e3 tolerance 0.0 : tensor<2xf32>

  // Steps of 1, of nothing, and of NaN. Ties go to the even number.
  %v = arith.constant dense<[[127.0, -2.5, 3.5], [0.0, 0.0, -0.0], [0x7FC00000, 1.0, 2.0]]> : tensor<3x3xf32>
  %q, %r = sluice.quantize %v to i8 in blocks [1, 3]
    : tensor<3x3xf32> -> tensor<3x3xi8>, tensor<3x1xf32>
  %eq = arith.constant dense<[[127, -2, 4], [0, 0, 0], [0, 0, 0]]> : tensor<3x3xi8>
  %er = arith.constant dense<[[1.0], [0.0], [0x7FC00000]]> : tensor<3x1xf32>
  check.expect_equal %q, %eq : tensor<3x3xi8>
  check.expect_close %r, %er tolerance 0.0 : tensor<3x1xf32>
  // From -55 to 200 in steps of 1: the zero point is 55.
  %w = arith.constant dense<[[-55.0, 0.0, 200.0]]> : tensor<1x3xf32>
  %a, %c, %d = sluice.quantize %w to ui8 in blocks [1, 3]
    : tensor<1x3xf32> -> tensor<1x3xi8>, tensor<1x1xf32>, tensor<1x1xi8>
  %ea = arith.constant dense<[[0, 55, -1]]> : tensor<1x3xi8>
  %ed = arith.constant dense<[[55]]> : tensor<1x1xi8>
  check.expect_equal %a, %ea : tensor<1x3xi8>
  check.expect_equal %d, %ed : tensor<1x1xi8>
  %4 = sluice.dequantize %a as ui8 in blocks [1, 3] by %c minus %d
    : (tensor<1x3xi8>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<1x3xf32>
  check.expect_close %4, %w tolerance 0.0 : tensor<1x3xf32>
  return
}
