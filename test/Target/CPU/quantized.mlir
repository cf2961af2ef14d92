// Products of small numbers become loops around kernels: dot products of integers
// by what the machine has, else floats; one panel at a time, and as many rows at once
// as there are registers for.
//
// RUN: sluice-opt %s --convert-sluice-to-linalg --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --split-input-file --sluice-cpu-products=machine=x86-64 | FileCheck %s --check-prefixes=CHECK,SSE
// RUN: sluice-opt %s --convert-sluice-to-linalg --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --split-input-file --sluice-cpu-products=machine=avx2 | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: sluice-opt %s --convert-sluice-to-linalg --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --split-input-file --sluice-cpu-products=machine=avx512 | FileCheck %s --check-prefixes=CHECK,AVX512
// RUN: sluice-opt %s --convert-sluice-to-linalg --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --split-input-file --sluice-cpu-products=machine=avx512-vnni | FileCheck %s --check-prefixes=CHECK,VNNI
// RUN: sluice-opt %s --convert-sluice-to-linalg --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --split-input-file --sluice-cpu-products=machine=neon | FileCheck %s --check-prefixes=CHECK,NEON
//
// They say so.
// RUN: sluice-opt %s --convert-sluice-to-linalg --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --split-input-file --sluice-cpu-products=machine=avx512-vnni --remarks-filter=sluice-cpu-products -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: sluice-opt %s --convert-sluice-to-linalg --split-input-file --sluice-cpu-products=machine=neon --remarks-filter=sluice-cpu-products -o /dev/null 2>&1 | FileCheck %s --check-prefix=TENSOR

// Rounded inputs. Segments are of 32 inputs, in which both have one scale.
// CHECK-LABEL: func.func @rounded(
// Not within a parallel loop: it becomes one, and nothing is filled.
// CHECK-NOT: linalg
// CHECK: scf.parallel
// CHECK: call @__sluice_quantized_rows_i8_i8_f32_32of32and64_2(
// CHECK: func.func private @__sluice_quantized_rows_i8_i8_f32_32of32and64_2(
// SSE: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_1x1(
// SSE: call_intrinsic "llvm.x86.sse2.pmadd.wd"
// SSE: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_2x1(
// SSE-NOT: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_3x
// AVX2: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_1x1(
// AVX2: call_intrinsic "llvm.x86.avx2.pmadd.wd"{{.*}} : (vector<16xi16>, vector<16xi16>) -> vector<8xi32>
// AVX2: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_2x1(
// AVX2: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_3x1(
// AVX2-NOT: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_4x
// AVX512: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_1x1(
// AVX512: call_intrinsic "llvm.x86.avx512.pmaddw.d.512"{{.*}} : (vector<32xi16>, vector<32xi16>) -> vector<16xi32>
// AVX512: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_5x1(
// AVX512: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_8x1(
// AVX512: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_13x1(
// AVX512-NOT: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_14x
// VNNI: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_1x1(
// Signed numbers are moved to unsigned ones, as the instruction takes them.
// VNNI: %[[FLIP:.*]] = arith.constant dense<-128> : vector<64xi8>
// VNNI: arith.xori %{{.*}}, %[[FLIP]] : vector<64xi8>
// VNNI: call_intrinsic "llvm.x86.avx512.vpdpbusd.512"{{.*}} : (vector<16xi32>, vector<64xi8>, vector<64xi8>) -> vector<16xi32>
// VNNI: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_5x1(
// VNNI: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_8x1(
// VNNI: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_9x1(
// VNNI: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_13x1(
// VNNI-NOT: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_14x
// NEON: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_1x1(
// NEON: arith.muli %{{.*}} : vector<4xi32>
// NEON-NOT: call_intrinsic
// NEON: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_2x1(
// NEON: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_5x1(
// NEON-NOT: func.func private @__sluice_quantized_i8_i8_f32_32of32and64_6x
// REMARK: [Passed] {{.*}}Function=rounded {{.*}}"the product has kernels for avx512-vnni: 1 to 6 rows: a stream, 1 panel at once; 7 to 13 rows: a block, 1 panel at once; 14 or more rows: blocks of 7 to 13, 1 panel at once"
// REMARK: [Missed] {{.*}}Function=rounded {{.*}}Reason="segments lie beside their sums and scales", Remark="rows are copied"
// TENSOR: [Missed] {{.*}}Function=rounded {{.*}}Reason="its operands are no buffers", Remark="the product has no kernels for neon"
func.func @rounded(%q: tensor<?x64xi8>, %qs: tensor<?x1xf32>, %w: tensor<2x16x16x4xi8>,
                   %s: tensor<2x2x16xf32>) -> tensor<?x32xf32> {
  %y = sluice.quantized_linear %q by %qs in blocks 64, %w as i8 by %s in blocks 32
    : (tensor<?x64xi8>, tensor<?x1xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

// Float inputs, converted once; numbers of 4 bits are looked up in a table where
// there is an instruction for that. Whole groups of panels have no rest.
// CHECK-LABEL: func.func @floats(
// CHECK: func.func private @__sluice_quantized_rows_bf16_f4E2M1FN_e8m0_32of32_2(
// CHECK-NOT: linalg
// SSE-NOT: pshuf
// AVX2: call_intrinsic "llvm.x86.avx2.pshuf.b"
// AVX2: vector.fma
// AVX512: call_intrinsic "llvm.x86.avx512.pshuf.b.512"
// VNNI-NOT: vpdpbusd
// NEON-NOT: pshuf
func.func @floats(%x: tensor<?x64xbf16>, %w: tensor<4x8x16x4xi8>, %s: tensor<4x2x16xi8>) -> tensor<?x64xf32> {
  %y = sluice.quantized_linear %x, %w as f4E2M1FN by %s as f8E8M0FNU in blocks 32
    : (tensor<?x64xbf16>, tensor<4x8x16x4xi8>, tensor<4x2x16xi8>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// -----

// 800 inputs with one scale: segments of at most 256 inputs, so that sums of
// integers are exact in f32, of equal length.
// CHECK-LABEL: func.func @rows(
// CHECK: func.func private @__sluice_quantized_rows_i8_ui4_f16_zeros_200of800and800_4(
func.func @rows(%q: tensor<?x800xi8>, %qs: tensor<?x1xf32>, %w: tensor<1x100x16x4xi8>,
                %s: tensor<1x1x16xf16>, %z: tensor<1x1x16xi8>) -> tensor<?x9xf32> {
  %y = sluice.quantized_linear %q by %qs in blocks 800, %w as ui4 by %s minus %z in blocks 800
    : (tensor<?x800xi8>, tensor<?x1xf32>, tensor<1x100x16x4xi8>, tensor<1x1x16xf16>, tensor<1x1x16xi8>) -> tensor<?x9xf32>
  return %y : tensor<?x9xf32>
}

// -----

// No kernels: floats of 8 bits, no inputs (nothing would begin the sums), and
// columns of a larger tensor. These stay loops.
// CHECK-LABEL: func.func @float8(
// CHECK: linalg.generic
// CHECK-NOT: __sluice_quantized
// REMARK: [Missed] {{.*}}Function=float8 {{.*}}Reason="expected numbers of integers or f4E2M1FN but got f8E4M3FN", Remark="the product has no kernels
func.func @float8(%x: tensor<?x64xf32>, %w: tensor<2x16x16x4xi8>, %s: tensor<2x2x16xf32>) -> tensor<?x32xf32> {
  %y = sluice.quantized_linear %x, %w as f8E4M3FN by %s in blocks 32
    : (tensor<?x64xf32>, tensor<2x16x16x4xi8>, tensor<2x2x16xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
// CHECK-LABEL: func.func @empty(
// CHECK: linalg.generic
// CHECK-NOT: __sluice_quantized
// REMARK: [Missed] {{.*}}Function=empty {{.*}}Reason="there are no inputs, and no segment that would begin the sums", Remark="the product has no kernels
func.func @empty(%x: tensor<?x0xf32>, %w: tensor<2x0x16x4xi8>, %s: tensor<2x0x16xf32>) -> tensor<?x32xf32> {
  %y = sluice.quantized_linear %x, %w as i8 by %s in blocks 32
    : (tensor<?x0xf32>, tensor<2x0x16x4xi8>, tensor<2x0x16xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

// What is marked by others is believed only as far as operands go: scales are
// floats here, not powers.
#x = affine_map<(p, r, l, j, c) -> (r, l * 4 + j)>
#w = affine_map<(p, r, l, j, c) -> (p, l, c, j)>
#s = affine_map<(p, r, l, j, c) -> (p, (l * 4) floordiv 32, c)>
#y = affine_map<(p, r, l, j, c) -> (r, p, c)>
// CHECK-LABEL: func.func @marked(
// CHECK: linalg.generic
// CHECK-NOT: __sluice_quantized
// REMARK: [Missed] {{.*}}Function=marked {{.*}}Reason="expected scales of i8, which are powers of two, but got f32", Remark="the product has no kernels
func.func @marked(%x: memref<?x64xf32>, %w: memref<2x16x16x4xi8>, %s: memref<2x2x16xf32>, %y: memref<?x2x16xf32>) {
  linalg.generic {indexing_maps = [#x, #w, #s, #y],
                  iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel"],
                  sluice.numbers = {block = 32 : i64, input_block = 0 : i64, numbers = i8, powers = true, zeros = false}}
      ins(%x, %w, %s : memref<?x64xf32>, memref<2x16x16x4xi8>, memref<2x2x16xf32>) outs(%y : memref<?x2x16xf32>) {
  ^bb0(%a: f32, %b: i8, %c: f32, %d: f32):
    linalg.yield %d : f32
  }
  return
}

// All that operands have to be.
#z = affine_map<(p, r, l, j, c) -> (p, (l * 4) floordiv 32, c)>
#xs = affine_map<(p, r, l, j, c) -> (r, (l * 4) floordiv 64)>
// REMARK: [Missed] {{.*}}Function=pieces {{.*}}Reason="a row or a panel of operand 0 does not lie in one piece", Remark="the product has no kernels
func.func @pieces(%x: memref<?x64xf32, strided<[?, 2]>>, %w: memref<2x16x16x4xi8>, %s: memref<2x2x16xf32>, %y: memref<?x2x16xf32>) {
  linalg.generic {indexing_maps = [#x, #w, #s, #y],
                  iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel"],
                  sluice.numbers = {block = 32 : i64, input_block = 0 : i64, numbers = i8, powers = false, zeros = false}}
      ins(%x, %w, %s : memref<?x64xf32, strided<[?, 2]>>, memref<2x16x16x4xi8>, memref<2x2x16xf32>) outs(%y : memref<?x2x16xf32>) {
  ^bb0(%a: f32, %b: i8, %c: f32, %d: f32):
    linalg.yield %d : f32
  }
  return
}
// REMARK: [Missed] {{.*}}Function=inputs {{.*}}Reason="expected inputs of f32, bf16 or f16 but got f64", Remark="the product has no kernels
func.func @inputs(%x: memref<?x64xf64>, %w: memref<2x16x16x4xi8>, %s: memref<2x2x16xf32>, %y: memref<?x2x16xf32>) {
  linalg.generic {indexing_maps = [#x, #w, #s, #y],
                  iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel"],
                  sluice.numbers = {block = 32 : i64, input_block = 0 : i64, numbers = i8, powers = false, zeros = false}}
      ins(%x, %w, %s : memref<?x64xf64>, memref<2x16x16x4xi8>, memref<2x2x16xf32>) outs(%y : memref<?x2x16xf32>) {
  ^bb0(%a: f64, %b: i8, %c: f32, %d: f32):
    linalg.yield %d : f32
  }
  return
}
// REMARK: [Missed] {{.*}}Function=input_scales {{.*}}Reason="expected inputs of i8 with scales of f32 but got i8 with scales of f16", Remark="the product has no kernels
func.func @input_scales(%x: memref<?x64xi8>, %w: memref<2x16x16x4xi8>, %s: memref<2x2x16xf32>, %xs: memref<?x1xf16>, %y: memref<?x2x16xf32>) {
  linalg.generic {indexing_maps = [#x, #w, #s, #xs, #y],
                  iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel"],
                  sluice.numbers = {block = 32 : i64, input_block = 64 : i64, numbers = i8, powers = false, zeros = false}}
      ins(%x, %w, %s, %xs : memref<?x64xi8>, memref<2x16x16x4xi8>, memref<2x2x16xf32>, memref<?x1xf16>) outs(%y : memref<?x2x16xf32>) {
  ^bb0(%a: i8, %b: i8, %c: f32, %e: f16, %d: f32):
    linalg.yield %d : f32
  }
  return
}
// REMARK: [Missed] {{.*}}Function=scales {{.*}}Reason="expected scales of f32, bf16 or f16 but got f64", Remark="the product has no kernels
func.func @scales(%x: memref<?x64xf32>, %w: memref<2x16x16x4xi8>, %s: memref<2x2x16xf64>, %y: memref<?x2x16xf32>) {
  linalg.generic {indexing_maps = [#x, #w, #s, #y],
                  iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel"],
                  sluice.numbers = {block = 32 : i64, input_block = 0 : i64, numbers = i8, powers = false, zeros = false}}
      ins(%x, %w, %s : memref<?x64xf32>, memref<2x16x16x4xi8>, memref<2x2x16xf64>) outs(%y : memref<?x2x16xf32>) {
  ^bb0(%a: f32, %b: i8, %c: f64, %d: f32):
    linalg.yield %d : f32
  }
  return
}
// REMARK: [Missed] {{.*}}Function=zeros {{.*}}Reason="expected zero points of i8 but got i16", Remark="the product has no kernels
func.func @zeros(%x: memref<?x64xf32>, %w: memref<2x16x16x4xi8>, %s: memref<2x2x16xf32>, %z: memref<2x2x16xi16>, %y: memref<?x2x16xf32>) {
  linalg.generic {indexing_maps = [#x, #w, #s, #z, #y],
                  iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel"],
                  sluice.numbers = {block = 32 : i64, input_block = 0 : i64, numbers = i8, powers = false, zeros = true}}
      ins(%x, %w, %s, %z : memref<?x64xf32>, memref<2x16x16x4xi8>, memref<2x2x16xf32>, memref<2x2x16xi16>) outs(%y : memref<?x2x16xf32>) {
  ^bb0(%a: f32, %b: i8, %c: f32, %f: i16, %d: f32):
    linalg.yield %d : f32
  }
  return
}
// REMARK: [Missed] {{.*}}Function=panels {{.*}}Reason="expected panels of lines of 16 times 4 bytes but got memref<2x16x8x4xi8>", Remark="the product has no kernels
func.func @panels(%x: memref<?x64xf32>, %w: memref<2x16x8x4xi8>, %s: memref<2x2x8xf32>, %y: memref<?x2x8xf32>) {
  linalg.generic {indexing_maps = [#x, #w, #s, #y],
                  iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel"],
                  sluice.numbers = {block = 32 : i64, input_block = 0 : i64, numbers = i8, powers = false, zeros = false}}
      ins(%x, %w, %s : memref<?x64xf32>, memref<2x16x8x4xi8>, memref<2x2x8xf32>) outs(%y : memref<?x2x8xf32>) {
  ^bb0(%a: f32, %b: i8, %c: f32, %d: f32):
    linalg.yield %d : f32
  }
  return
}
// REMARK: [Missed] {{.*}}Function=sums {{.*}}Reason="expected sums of f32 but got f64", Remark="the product has no kernels
func.func @sums(%x: memref<?x64xf32>, %w: memref<2x16x16x4xi8>, %s: memref<2x2x16xf32>, %y: memref<?x2x16xf64>) {
  linalg.generic {indexing_maps = [#x, #w, #s, #y],
                  iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel"],
                  sluice.numbers = {block = 32 : i64, input_block = 0 : i64, numbers = i8, powers = false, zeros = false}}
      ins(%x, %w, %s : memref<?x64xf32>, memref<2x16x16x4xi8>, memref<2x2x16xf32>) outs(%y : memref<?x2x16xf64>) {
  ^bb0(%a: f32, %b: i8, %c: f32, %d: f64):
    linalg.yield %d : f64
  }
  return
}
