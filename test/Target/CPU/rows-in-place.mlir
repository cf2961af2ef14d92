// Rows that a task makes for a product are written where kernels read them.
//
// RUN: sluice-opt %s --sluice-cpu-products=machine=avx512 | FileCheck %s

#in = affine_map<(p, r, k, c) -> (r, k)>
#weight = affine_map<(p, r, k, c) -> (p, k, c)>
#out = affine_map<(p, r, k, c) -> (r, p, c)>

// Two products of the same rows, gathered one by one; the last one's rows are
// made by an elementwise op.
// CHECK-LABEL: func.func @gated(
// CHECK: scf.forall
// CHECK: %[[ALL:.*]] = memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<?x2064xf32>
// CHECK: %[[ROWS:.*]] = memref.subview %[[ALL]][0, 0] [%{{.*}}, 300] [1, 1] : memref<?x2064xf32> to memref<?x300xf32, strided<[2064, 1]>>
// CHECK: memref.subview %[[ROWS]]{{.*}} to memref<300xf32, strided<[1], offset: ?>>
// CHECK: call @__sluice_rows_f32_f32x16_inplace
// CHECK: call @__sluice_rows_f32_f32x16_inplace
// CHECK: memref.dealloc %[[ALL]] : memref<?x2064xf32>
func.func @gated(%x: memref<?x300xf32>, %w: memref<4x300x16xf32>, %v: memref<4x300x16xf32>,
                 %y: memref<?x4x16xf32>, %z: memref<?x4x16xf32>, %rows: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.forall (%e) in (4) {
    %a = memref.alloc(%rows) {alignment = 64 : i64} : memref<?x300xf32>
    scf.for %i = %c0 to %rows step %c1 {
      %from = memref.subview %x[%i, 0] [1, 300] [1, 1] : memref<?x300xf32> to memref<300xf32, strided<[1], offset: ?>>
      %to = memref.subview %a[%i, 0] [1, 300] [1, 1] : memref<?x300xf32> to memref<300xf32, strided<[1], offset: ?>>
      memref.copy %from, %to : memref<300xf32, strided<[1], offset: ?>> to memref<300xf32, strided<[1], offset: ?>>
    }
    linalg.generic {indexing_maps = [#in, #weight, #out],
                    iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
        ins(%a, %w : memref<?x300xf32>, memref<4x300x16xf32>) outs(%y : memref<?x4x16xf32>) {
    ^bb0(%p: f32, %q: f32, %c: f32):
      %m = arith.mulf %p, %q : f32
      %s = arith.addf %c, %m : f32
      linalg.yield %s : f32
    }
    linalg.generic {indexing_maps = [#in, #weight, #out],
                    iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
        ins(%a, %v : memref<?x300xf32>, memref<4x300x16xf32>) outs(%z : memref<?x4x16xf32>) {
    ^bb0(%p: f32, %q: f32, %c: f32):
      %m = arith.mulf %p, %q : f32
      %s = arith.addf %c, %m : f32
      linalg.yield %s : f32
    }
    memref.dealloc %a : memref<?x300xf32>
  }
  return
}

func.func private @look(memref<?x300xf32>)

// Rows that something else sees, or that are longer than a slice, are copied.
// CHECK-LABEL: func.func @seen(
// CHECK: memref.alloc(%{{.*}}) : memref<?x300xf32>
// CHECK: call @__sluice_rows_f32_f32x16(
// CHECK: memref.alloc(%{{.*}}) : memref<?x3000xf32>
// CHECK: call @__sluice_rows_f32_f32x16(
func.func @seen(%w: memref<4x300x16xf32>, %v: memref<4x3000x16xf32>, %y: memref<?x4x16xf32>, %rows: index) {
  scf.forall (%e) in (4) {
    %a = memref.alloc(%rows) : memref<?x300xf32>
    func.call @look(%a) : (memref<?x300xf32>) -> ()
    linalg.generic {indexing_maps = [#in, #weight, #out],
                    iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
        ins(%a, %w : memref<?x300xf32>, memref<4x300x16xf32>) outs(%y : memref<?x4x16xf32>) {
    ^bb0(%p: f32, %q: f32, %c: f32):
      %m = arith.mulf %p, %q : f32
      %s = arith.addf %c, %m : f32
      linalg.yield %s : f32
    }
    memref.dealloc %a : memref<?x300xf32>
    %b = memref.alloc(%rows) : memref<?x3000xf32>
    linalg.generic {indexing_maps = [#in, #weight, #out],
                    iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
        ins(%b, %v : memref<?x3000xf32>, memref<4x3000x16xf32>) outs(%y : memref<?x4x16xf32>) {
    ^bb0(%p: f32, %q: f32, %c: f32):
      %m = arith.mulf %p, %q : f32
      %s = arith.addf %c, %m : f32
      linalg.yield %s : f32
    }
    memref.dealloc %b : memref<?x3000xf32>
  }
  return
}
