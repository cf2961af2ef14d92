// What sluice-cpu-products says of each product: which kernels it has, or why none;
// whether rows are read where they are, or why they are copied.
//
// RUN: sluice-opt %s --sluice-cpu-products=machine=avx512-bf16 \
// RUN:   --remarks-filter=sluice-cpu-products -o /dev/null 2>&1 | FileCheck %s --implicit-check-not=remark:

#in = affine_map<(p, r, k, c) -> (r, k)>
#weight = affine_map<(p, r, k, c) -> (p, k, c)>
#out = affine_map<(p, r, k, c) -> (r, p, c)>
#product = {indexing_maps = [#in, #weight, #out],
            iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
#in2 = affine_map<(p, r, l, j, c) -> (r, l * 2 + j)>
#weight2 = affine_map<(p, r, l, j, c) -> (p, l, c, j)>
#out2 = affine_map<(p, r, l, j, c) -> (r, p, c)>
#product2 = {indexing_maps = [#in2, #weight2, #out2],
             iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel"]}

// Kernels read the rows of a task, which one of its ops makes.
// CHECK: remark: [Passed] {{.*}}Function=in_place {{.*}}"the product has kernels for avx512-bf16: 1 to 6 rows: a stream, 4 panels at once; 7 to 14 rows: a block, 2 panels at once; 15 or more rows: blocks of 7 to 14, 2 panels at once"
// CHECK: remark: [Passed] {{.*}}Function=in_place {{.*}}"rows are read where they are"
func.func @in_place(%rows: index, %w: memref<4x300x16xf32>, %y: memref<?x4x16xf32>) {
  scf.forall (%e) in (4) {
    %x = memref.alloc(%rows) : memref<?x300xf32>
    linalg.generic #product ins(%x, %w : memref<?x300xf32>, memref<4x300x16xf32>) outs(%y : memref<?x4x16xf32>) {
    ^bb0(%p: f32, %q: f32, %c: f32):
      %m = arith.mulf %p, %q : f32
      %n = arith.addf %c, %m : f32
      linalg.yield %n : f32
    }
  }
  return
}

// Rows that are copied.

// CHECK: remark: [Passed] {{.*}}Function=converted {{.*}}"the product has kernels for avx512-bf16: 
// CHECK: remark: [Missed] {{.*}}Function=converted {{.*}}Reason="they are converted from f16 to f32", Remark="rows are copied"
func.func @converted(%x: memref<?x300xf16>, %w: memref<4x300x16xf32>, %y: memref<?x4x16xf32>) {
  scf.forall (%e) in (4) {
    linalg.generic #product ins(%x, %w : memref<?x300xf16>, memref<4x300x16xf32>) outs(%y : memref<?x4x16xf32>) {
    ^bb0(%p: f16, %q: f32, %c: f32):
      %pe = arith.extf %p : f16 to f32
      %m = arith.mulf %pe, %q : f32
      %n = arith.addf %c, %m : f32
      linalg.yield %n : f32
    }
  }
  return
}

// CHECK: remark: [Passed] {{.*}}Function=too_long {{.*}}"the product has kernels for avx512-bf16: 1 row: a stream, 4 panels at once; 2 to 6 rows: a stream, 4
// CHECK: remark: [Missed] {{.*}}Function=too_long {{.*}}Reason="they have 3000 inputs, and a slice has 2048", Remark="rows are copied"
func.func @too_long(%x: memref<?x3000xf32>, %w: memref<4x3000x16xf32>, %y: memref<?x4x16xf32>) {
  scf.forall (%e) in (4) {
    linalg.generic #product ins(%x, %w : memref<?x3000xf32>, memref<4x3000x16xf32>) outs(%y : memref<?x4x16xf32>) {
    ^bb0(%p: f32, %q: f32, %c: f32):
      %m = arith.mulf %p, %q : f32
      %n = arith.addf %c, %m : f32
      linalg.yield %n : f32
    }
  }
  return
}

// CHECK: remark: [Passed] {{.*}}Function=dynamic {{.*}}"the product has kernels for avx512-bf16: 
// CHECK: remark: [Missed] {{.*}}Function=dynamic {{.*}}Reason="how long they are is known only at run time", Remark="rows are copied"
func.func @dynamic(%x: memref<?x?xf32>, %w: memref<4x?x16xf32>, %y: memref<?x4x16xf32>) {
  scf.forall (%e) in (4) {
    linalg.generic #product ins(%x, %w : memref<?x?xf32>, memref<4x?x16xf32>) outs(%y : memref<?x4x16xf32>) {
    ^bb0(%p: f32, %q: f32, %c: f32):
      %m = arith.mulf %p, %q : f32
      %n = arith.addf %c, %m : f32
      linalg.yield %n : f32
    }
  }
  return
}

// CHECK: remark: [Passed] {{.*}}Function=argument {{.*}}"the product has kernels for avx512-bf16: 
// CHECK: remark: [Missed] {{.*}}Function=argument {{.*}}Reason="they are an argument of the function", Remark="rows are copied"
func.func @argument(%x: memref<?x300xf32>, %w: memref<4x300x16xf32>, %y: memref<?x4x16xf32>) {
  scf.forall (%e) in (4) {
    linalg.generic #product ins(%x, %w : memref<?x300xf32>, memref<4x300x16xf32>) outs(%y : memref<?x4x16xf32>) {
    ^bb0(%p: f32, %q: f32, %c: f32):
      %m = arith.mulf %p, %q : f32
      %n = arith.addf %c, %m : f32
      linalg.yield %n : f32
    }
  }
  return
}

// CHECK: remark: [Passed] {{.*}}Function=other_shape {{.*}}"the product has kernels for avx512-bf16: 
// CHECK: remark: [Missed] {{.*}}Function=other_shape {{.*}}Reason="they are a part, or another shape, of a buffer", Remark="rows are copied"
func.func @other_shape(%rows: index, %w: memref<4x300x16xf32>, %y: memref<?x4x16xf32>) {
  scf.forall (%e) in (4) {
    %a = memref.alloc(%rows) : memref<?x4x75xf32>
    %x = memref.collapse_shape %a [[0], [1, 2]] : memref<?x4x75xf32> into memref<?x300xf32>
    linalg.generic #product ins(%x, %w : memref<?x300xf32>, memref<4x300x16xf32>) outs(%y : memref<?x4x16xf32>) {
    ^bb0(%p: f32, %q: f32, %c: f32):
      %m = arith.mulf %p, %q : f32
      %n = arith.addf %c, %m : f32
      linalg.yield %n : f32
    }
  }
  return
}

// CHECK: remark: [Passed] {{.*}}Function=unknown_size {{.*}}"the product has kernels for avx512-bf16: 
// CHECK: remark: [Missed] {{.*}}Function=unknown_size {{.*}}Reason="their buffer has no rows of one known size", Remark="rows are copied"
func.func @unknown_size(%rows: index, %columns: index, %w: memref<4x300x16xf32>, %y: memref<?x4x16xf32>) {
  scf.forall (%e) in (4) {
    %x = memref.alloc(%rows, %columns) : memref<?x?xf32>
    linalg.generic #product ins(%x, %w : memref<?x?xf32>, memref<4x300x16xf32>) outs(%y : memref<?x4x16xf32>) {
    ^bb0(%p: f32, %q: f32, %c: f32):
      %m = arith.mulf %p, %q : f32
      %n = arith.addf %c, %m : f32
      linalg.yield %n : f32
    }
  }
  return
}

func.func private @make() -> memref<?x300xf32>
// CHECK: remark: [Passed] {{.*}}Function=made {{.*}}"the product has kernels for avx512-bf16: 
// CHECK: remark: [Missed] {{.*}}Function=made {{.*}}Reason="'func.call' at {{.*}}product-remarks.mlir:[[#@LINE+3]]:10 makes them", Remark="rows are copied"
func.func @made(%rows: index, %w: memref<4x300x16xf32>, %y: memref<?x4x16xf32>) {
  scf.forall (%e) in (4) {
    %x = func.call @make() : () -> memref<?x300xf32>
    linalg.generic #product ins(%x, %w : memref<?x300xf32>, memref<4x300x16xf32>) outs(%y : memref<?x4x16xf32>) {
    ^bb0(%p: f32, %q: f32, %c: f32):
      %m = arith.mulf %p, %q : f32
      %n = arith.addf %c, %m : f32
      linalg.yield %n : f32
    }
  }
  return
}

func.func private @look(memref<?x300xf32>)
// CHECK: remark: [Passed] {{.*}}Function=needed {{.*}}"the product has kernels for avx512-bf16: 
// CHECK: remark: [Missed] {{.*}}Function=needed {{.*}}Reason="'func.call' at {{.*}}product-remarks.mlir:[[#@LINE+10]]:5 needs them as they are", Remark="rows are copied"
func.func @needed(%rows: index, %w: memref<4x300x16xf32>, %y: memref<?x4x16xf32>) {
  scf.forall (%e) in (4) {
    %x = memref.alloc(%rows) : memref<?x300xf32>
    linalg.generic #product ins(%x, %w : memref<?x300xf32>, memref<4x300x16xf32>) outs(%y : memref<?x4x16xf32>) {
    ^bb0(%p: f32, %q: f32, %c: f32):
      %m = arith.mulf %p, %q : f32
      %n = arith.addf %c, %m : f32
      linalg.yield %n : f32
    }
    func.call @look(%x) : (memref<?x300xf32>) -> ()
  }
  return
}

// CHECK: remark: [Passed] {{.*}}Function=no_task {{.*}}"the product has kernels for avx512-bf16: 
// CHECK: remark: [Missed] {{.*}}Function=no_task {{.*}}Reason="only buffers of a task are laid out for kernels", Remark="rows are copied"
func.func @no_task(%rows: index, %w: memref<4x300x16xf32>, %y: memref<?x4x16xf32>) {
  %x = memref.alloc(%rows) : memref<?x300xf32>
  linalg.generic #product ins(%x, %w : memref<?x300xf32>, memref<4x300x16xf32>) outs(%y : memref<?x4x16xf32>) {
  ^bb0(%p: f32, %q: f32, %c: f32):
    %m = arith.mulf %p, %q : f32
    %n = arith.addf %c, %m : f32
    linalg.yield %n : f32
  }
  return
}

// Products that have no kernels.

// CHECK: remark: [Missed] {{.*}}Function=weights {{.*}}Reason="expected weights of f32, bf16 or f16 but got f64", Remark="the product has no kernels for avx512-bf16"
func.func @weights(%x: memref<?x8xf64>, %w: memref<4x8x16xf64>, %y: memref<?x4x16xf64>) {
  linalg.generic #product ins(%x, %w : memref<?x8xf64>, memref<4x8x16xf64>) outs(%y : memref<?x4x16xf64>) {
  ^bb0(%p: f64, %q: f64, %c: f64):
    %m = arith.mulf %p, %q : f64
    %n = arith.addf %c, %m : f64
    linalg.yield %n : f64
  }
  return
}

// CHECK: remark: [Missed] {{.*}}Function=inputs_sums {{.*}}Reason="expected sums of f32 but got f64", Remark="the product has no kernels for avx512-bf16"
func.func @inputs_sums(%x: memref<?x8xf64>, %w: memref<4x8x16xf32>, %y: memref<?x4x16xf64>) {
  linalg.generic #product ins(%x, %w : memref<?x8xf64>, memref<4x8x16xf32>) outs(%y : memref<?x4x16xf64>) {
  ^bb0(%p: f64, %q: f32, %c: f64):
    %qe = arith.extf %q : f32 to f64
    %m = arith.mulf %p, %qe : f64
    %n = arith.addf %c, %m : f64
    linalg.yield %n : f64
  }
  return
}

// CHECK: remark: [Missed] {{.*}}Function=side {{.*}}Reason="expected 1 input of a column side by side, or 2 of bf16, but got 2 of f16", Remark="the product has no kernels for avx512-bf16"
func.func @side(%x: memref<?x8xf32>, %w: memref<4x4x16x2xf16>, %y: memref<?x4x16xf32>) {
  linalg.generic #product2 ins(%x, %w : memref<?x8xf32>, memref<4x4x16x2xf16>) outs(%y : memref<?x4x16xf32>) {
  ^bb0(%p: f32, %q: f16, %c: f32):
    %qe = arith.extf %q : f16 to f32
    %m = arith.mulf %p, %qe : f32
    %n = arith.addf %c, %m : f32
    linalg.yield %n : f32
  }
  return
}

// CHECK: remark: [Missed] {{.*}}Function=width {{.*}}Reason="expected panels of a multiple of 16 outputs but got 8", Remark="the product has no kernels for avx512-bf16"
func.func @width(%x: memref<?x8xf32>, %w: memref<4x8x8xf32>, %y: memref<?x4x8xf32>) {
  linalg.generic #product ins(%x, %w : memref<?x8xf32>, memref<4x8x8xf32>) outs(%y : memref<?x4x8xf32>) {
  ^bb0(%p: f32, %q: f32, %c: f32):
    %m = arith.mulf %p, %q : f32
    %n = arith.addf %c, %m : f32
    linalg.yield %n : f32
  }
  return
}

// CHECK: remark: [Missed] {{.*}}Function=dynamic_width {{.*}}Reason="expected panels of a multiple of 16 outputs but got a dynamic number", Remark="the product has no kernels for avx512-bf16"
func.func @dynamic_width(%x: memref<?x8xf32>, %w: memref<4x8x?xf32>, %y: memref<?x4x?xf32>) {
  linalg.generic #product ins(%x, %w : memref<?x8xf32>, memref<4x8x?xf32>) outs(%y : memref<?x4x?xf32>) {
  ^bb0(%p: f32, %q: f32, %c: f32):
    %m = arith.mulf %p, %q : f32
    %n = arith.addf %c, %m : f32
    linalg.yield %n : f32
  }
  return
}

// CHECK: remark: [Missed] {{.*}}Function=columns {{.*}}Reason="a row of the input or of the result, or a panel, does not lie in one piece", Remark="the product has no kernels for avx512-bf16"
func.func @columns(%x: memref<?x8xf32, strided<[?, 2]>>, %w: memref<4x8x16xf32>, %y: memref<?x4x16xf32>) {
  linalg.generic #product ins(%x, %w : memref<?x8xf32, strided<[?, 2]>>, memref<4x8x16xf32>) outs(%y : memref<?x4x16xf32>) {
  ^bb0(%p: f32, %q: f32, %c: f32):
    %m = arith.mulf %p, %q : f32
    %n = arith.addf %c, %m : f32
    linalg.yield %n : f32
  }
  return
}

// CHECK: remark: [Missed] {{.*}}Function=values {{.*}}Reason="its operands are no buffers", Remark="the product has no kernels for avx512-bf16"
func.func @values(%x: tensor<?x8xf32>, %w: tensor<4x8x16xf32>, %y: tensor<?x4x16xf32>) -> tensor<?x4x16xf32> {
  %z = linalg.generic #product ins(%x, %w : tensor<?x8xf32>, tensor<4x8x16xf32>) outs(%y : tensor<?x4x16xf32>) {
  ^bb0(%p: f32, %q: f32, %c: f32):
    %m = arith.mulf %p, %q : f32
    %n = arith.addf %c, %m : f32
    linalg.yield %n : f32
  } -> tensor<?x4x16xf32>
  return %z : tensor<?x4x16xf32>
}
