// A scope without allocations goes away, a call in it or not.
//
// RUN: sluice-opt %s --sluice-inline-stack-scopes | FileCheck %s

func.func private @f(index) -> index

// CHECK-LABEL: func.func @empty(
func.func @empty(%i: index) -> index {
  // CHECK-NOT: alloca_scope
  // CHECK: %[[R:.*]] = call @f
  // CHECK: return %[[R]]
  %r = memref.alloca_scope -> (index) {
    %c = func.call @f(%i) : (index) -> index
    memref.alloca_scope.return %c : index
  }
  return %r : index
}

// CHECK-LABEL: func.func @allocates(
func.func @allocates() {
  // CHECK: memref.alloca_scope
  memref.alloca_scope {
    %m = memref.alloca() : memref<4xf32>
    %c0 = arith.constant 0 : index
    %zero = arith.constant 0.0 : f32
    memref.store %zero, %m[%c0] : memref<4xf32>
  }
  return
}
