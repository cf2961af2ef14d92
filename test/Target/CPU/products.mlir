// A product with a weight in panels becomes loops around micro-kernels.
//
// RUN: sluice-opt %s --sluice-cpu-products=machine=avx512 | FileCheck %s --check-prefixes=CHECK,AVX512
// RUN: sluice-opt %s --sluice-cpu-products=machine=avx512-bf16 | FileCheck %s --check-prefixes=CHECK,BF16
// RUN: sluice-opt %s --sluice-cpu-products=machine=avx2 | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: sluice-opt %s --sluice-cpu-products="machine=neon parallel=false" | FileCheck %s --check-prefix=SERIAL
// RUN: not sluice-opt %s --sluice-cpu-products=machine=vax 2>&1 | FileCheck %s --check-prefix=VAX

// RUN: sluice-opt --help | FileCheck %s --check-prefix=NAMES

// What there is, and what the documentation of the option says.
// NAMES: --machine={{.*}} x86-64, avx2, avx2-vnni, avx512, avx512-vnni, avx512-bf16, neon, neon-dot, neon-bf16, sve256 or sve512
// VAX: error: expected a machine among x86-64, avx2, avx2-vnni, avx512, avx512-vnni, avx512-bf16, neon, neon-dot, neon-bf16, sve256, sve512 but got 'vax'

#in = affine_map<(p, r, k, c) -> (r, k)>
#weight = affine_map<(p, r, k, c) -> (p, k, c)>
#out = affine_map<(p, r, k, c) -> (r, p, c)>
#inPairs = affine_map<(p, r, l, j, c) -> (r, l * 2 + j)>
#inFours = affine_map<(p, r, l, j, c) -> (r, l * 4 + j)>
#weightPairs = affine_map<(p, r, l, j, c) -> (p, l, c, j)>
#outPairs = affine_map<(p, r, l, j, c) -> (r, p, c)>

// CHECK-LABEL: func.func @fresh(
// SERIAL-LABEL: func.func @fresh(
func.func @fresh(%x: memref<?x300xf32>, %w: memref<4x300x16xf32>, %rows: index) -> memref<?x4x16xf32> {
  %zero = arith.constant 0.0 : f32
  // CHECK: %[[OUT:.*]] = memref.alloc
  %y = memref.alloc(%rows) : memref<?x4x16xf32>
  // The first multiply-add of an element starts at 0; nothing is filled.
  // CHECK-NOT: linalg.fill
  linalg.fill ins(%zero : f32) outs(%y : memref<?x4x16xf32>)
  // Not within a parallel loop: it becomes one.
  // CHECK: scf.parallel
  // SERIAL-NOT: scf.parallel
  // CHECK: call @__sluice_rows_f32_f32x16(
  // CHECK-NOT: linalg.generic
  linalg.generic {indexing_maps = [#in, #weight, #out],
                  iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
      ins(%x, %w : memref<?x300xf32>, memref<4x300x16xf32>) outs(%y : memref<?x4x16xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  }
  return %y : memref<?x4x16xf32>
}

// Each expert's product is part of a parallel loop already; the weight is bf16
// and what is there is added to.
// CHECK-LABEL: func.func @nested(
func.func @nested(%x: memref<?x8xbf16>, %w: memref<4x2x8x16xbf16>, %y: memref<4x?x2x16xf32>) {
  // CHECK: scf.forall
  // CHECK-NOT: scf.parallel
  scf.forall (%e) in (4) {
    %v = memref.subview %w[%e, 0, 0, 0] [1, 2, 8, 16] [1, 1, 1, 1]
      : memref<4x2x8x16xbf16> to memref<2x8x16xbf16, strided<[128, 16, 1], offset: ?>>
    %c1 = arith.constant 1 : index
    %rows = memref.dim %y, %c1 : memref<4x?x2x16xf32>
    %o = memref.subview %y[%e, 0, 0, 0] [1, %rows, 2, 16] [1, 1, 1, 1]
      : memref<4x?x2x16xf32> to memref<?x2x16xf32, strided<[32, 16, 1], offset: ?>>
    // CHECK: call @__sluice_rows_bf16_bf16shortx16(
    // CHECK-NOT: linalg.generic
    linalg.generic {indexing_maps = [#in, #weight, #out],
                    iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
        ins(%x, %v : memref<?x8xbf16>, memref<2x8x16xbf16, strided<[128, 16, 1], offset: ?>>)
        outs(%o : memref<?x2x16xf32, strided<[32, 16, 1], offset: ?>>) {
    ^bb0(%a: bf16, %b: bf16, %c: f32):
      %f = arith.extf %a : bf16 to f32
      %g = arith.extf %b : bf16 to f32
      %m = arith.mulf %f, %g : f32
      %s = arith.addf %c, %m : f32
      linalg.yield %s : f32
    }
  }
  return
}

// Two inputs of bf16 side by side.
// CHECK-LABEL: func.func @pairs(
func.func @pairs(%x: memref<?x8xbf16>, %f: memref<?x8xf32>, %w: memref<2x4x16x2xbf16>, %y: memref<?x2x16xf32>) {
  // AVX512: call @__sluice_rows_bf16_bf16by2shortx16(
  // BF16: call @__sluice_rows_bf16_bf16dotshortx16(
  // CHECK-NOT: linalg.generic
  linalg.generic {indexing_maps = [#inPairs, #weightPairs, #outPairs],
                  iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel"]}
      ins(%x, %w : memref<?x8xbf16>, memref<2x4x16x2xbf16>) outs(%y : memref<?x2x16xf32>) {
  ^bb0(%a: bf16, %b: bf16, %c: f32):
    %g = arith.extf %a : bf16 to f32
    %h = arith.extf %b : bf16 to f32
    %m = arith.mulf %g, %h : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  }
  // Inputs of f32 are not rounded.
  // CHECK: call @__sluice_rows_f32_bf16by2shortx16(
  linalg.generic {indexing_maps = [#inPairs, #weightPairs, #outPairs],
                  iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel"]}
      ins(%f, %w : memref<?x8xf32>, memref<2x4x16x2xbf16>) outs(%y : memref<?x2x16xf32>) {
  ^bb0(%a: f32, %b: bf16, %c: f32):
    %h = arith.extf %b : bf16 to f32
    %m = arith.mulf %a, %h : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  }
  return
}

// Inputs that the product rounds, and four inputs side by side, have no kernel.
// CHECK-LABEL: func.func @unknown(
func.func @unknown(%f: memref<?x8xf32>, %w: memref<2x4x16x2xbf16>, %v: memref<2x2x16x4xbf16>, %y: memref<?x2x16xf32>) {
  // CHECK: linalg.generic
  linalg.generic {indexing_maps = [#inPairs, #weightPairs, #outPairs],
                  iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel"]}
      ins(%f, %w : memref<?x8xf32>, memref<2x4x16x2xbf16>) outs(%y : memref<?x2x16xf32>) {
  ^bb0(%a: f32, %b: bf16, %c: f32):
    %r = arith.truncf %a : f32 to bf16
    %g = arith.extf %r : bf16 to f32
    %h = arith.extf %b : bf16 to f32
    %m = arith.mulf %g, %h : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  }
  // CHECK: linalg.generic
  linalg.generic {indexing_maps = [#inFours, #weightPairs, #outPairs],
                  iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel"]}
      ins(%f, %v : memref<?x8xf32>, memref<2x2x16x4xbf16>) outs(%y : memref<?x2x16xf32>) {
  ^bb0(%a: f32, %b: bf16, %c: f32):
    %h = arith.extf %b : bf16 to f32
    %m = arith.mulf %a, %h : f32
    %s = arith.addf %c, %m : f32
    linalg.yield %s : f32
  }
  return
}

// A weight that is not in panels, and a sum in f64, are for other passes.
// CHECK-LABEL: func.func @others(
func.func @others(%x: memref<?x8xf32>, %w: memref<2x8x16xf32>, %y: memref<?x2x16xf64>) {
  // CHECK: linalg.generic
  linalg.generic {indexing_maps = [#in, #weight, #out],
                  iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
      ins(%x, %w : memref<?x8xf32>, memref<2x8x16xf32>) outs(%y : memref<?x2x16xf64>) {
  ^bb0(%a: f32, %b: f32, %c: f64):
    %f = arith.extf %a : f32 to f64
    %g = arith.extf %b : f32 to f64
    %m = arith.mulf %f, %g : f64
    %s = arith.addf %c, %m : f64
    linalg.yield %s : f64
  }
  return
}

// The loops, which all products of the same types share.
// CHECK-LABEL: func.func private @__sluice_rows_f32_f32x16(
// One row is read where it is; four panels of it at once, then two.
// CHECK: scf.index_switch
// CHECK: case 1 {
// AVX512: call @__sluice_product_f32_1x4x16
// AVX512: call @__sluice_product_f32_1x2x16
// A few are copied, and take four panels at once too, if their sums fit.
// AVX512: case 6 {
// AVX512: call @__sluice_product_f32_6x4x16
// AVX512-NOT: case 7
// AVX2-NOT: case 2 {
// More are blocks of them, which take turns on a slice of two panels.
// CHECK: default {
// CHECK: memref.alloc({{.*}}) : memref<?xf32>
// AVX512-NOT: call @__sluice_product_f32_6x
// AVX512: call @__sluice_product_f32_7x2x16
// AVX512: call @__sluice_product_f32_14x2x16
// AVX2: call @__sluice_product_f32_3x2x16
// AVX2: call @__sluice_product_f32_4x1x16
// AVX2: call @__sluice_product_f32_4x1x16
// AVX2: call @__sluice_product_f32_6x1x16
// CHECK: memref.dealloc

// The kernels: sums in vectors, which the loop carries; a chain of multiply-adds.
// AVX512-LABEL: func.func private @__sluice_product_f32_14x2x16(
// AVX512-SAME: passthrough = ["noinline", ["min-legal-vector-width", "512"]]
// AVX512: scf.for {{.*}} iter_args
// AVX512: memref.prefetch
// AVX512-COUNT-2: vector.load {{.*}} : memref<?xf32>, vector<16xf32>
// AVX512-COUNT-28: vector.fma
// AVX512: scf.yield
// AVX2-LABEL: func.func private @__sluice_product_f32_6x1x16(
// AVX2-COUNT-12: vector.fma {{.*}} : vector<8xf32>

// Two inputs side by side become f32 by a shift and a mask, in that order; inputs
// of bf16 are multiplied in pairs.
// BF16-LABEL: func.func private @__sluice_product_bf16dotshort_13x2x16(
// BF16-SAME: memref<?xbf16>
// BF16: vector.load {{.*}} : memref<?xbf16>, vector<32xbf16>
// BF16: vector.load {{.*}} : memref<?xbf16>, vector<2xbf16>
// BF16-COUNT-26: x86vector.avx512.dot {{.*}} : vector<32xbf16> -> vector<16xf32>
// BF16: scf.yield
// BF16-LABEL: func.func private @__sluice_product_bf16by2short_13x2x16(
// BF16-SAME: memref<?xf32>
// BF16-COUNT-2: arith.shli
// BF16-COUNT-26: vector.fma
// BF16: llvm.fence
// BF16-COUNT-2: arith.andi
// BF16-COUNT-26: vector.fma
// BF16: scf.yield
