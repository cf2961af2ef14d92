// Which numbers are checked, and what stands in for wrong ones.
//
// RUN: sluice-opt %s --pass-pipeline='builtin.module(sluice-externalize-state,func.func(convert-elementwise-to-linalg,convert-guards-to-scf))' | FileCheck %s

// CHECK-LABEL: func.func private @extract(
// CHECK-SAME: %[[STATE:.*]]: memref<?xi64>, %[[X:[a-z0-9]*]]: tensor<?xf32>
// CHECK-SAME: %[[I:[a-z0-9]*]]: tensor<i64>
func.func private @extract(%x: tensor<?xf32>, %i: tensor<i64>) -> f32 {
  // Nothing can be wrong with no index.
  // CHECK-NOT: scf.if
  // CHECK: tensor.extract %[[I]][]
  %n = tensor.extract %i[] : tensor<i64>
  // CHECK: %[[AT:.*]] = arith.index_cast
  %at = arith.index_cast %n : i64 to index
  // CHECK: %[[SIZE:.*]] = tensor.dim %[[X]]
  // CHECK: %[[GOOD:.*]] = arith.cmpi ult, %[[AT]], %[[SIZE]]
  // CHECK: scf.if
  // CHECK: memref.atomic_rmw addi {{.*}}, %[[STATE]]
  // CHECK: scf.if %[[GOOD]] -> (f32)
  // CHECK-NEXT: tensor.extract %[[X]][%[[AT]]] : tensor<?xf32>
  // CHECK: else
  // CHECK-NEXT: scf.yield %{{.*}} : f32
  %e = tensor.extract %x[%at] : tensor<?xf32>
  return %e : f32
}

// CHECK-LABEL: func.func private @known(
func.func private @known(%x: tensor<4x8xf32>, %y: tensor<?x8xf32>, %a: tensor<2xi64>) -> (f32, tensor<?x4xf32>, tensor<2xi64>) {
  // CHECK-NOT: scf.if
  %c3 = arith.constant 3 : index
  %e = tensor.extract %x[%c3, %c3] : tensor<4x8xf32>
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %y, %c0 : tensor<?x8xf32>
  %half = tensor.extract_slice %y[0, 4] [%rows, 4] [1, 1] : tensor<?x8xf32> to tensor<?x4xf32>
  %seven = arith.constant dense<7> : tensor<2xi64>
  %d = arith.divsi %a, %seven : tensor<2xi64>
  return %e, %half, %d : f32, tensor<?x4xf32>, tensor<2xi64>
}

// Each element has its own divisor.
// CHECK-LABEL: func.func @divide(
func.func @divide(%a: tensor<2xi64>, %b: tensor<2xi64>) -> tensor<2xi64> {
  // CHECK: linalg.generic
  // CHECK: arith.xori
  // CHECK: %[[FINE:.*]] = arith.andi
  // CHECK: %[[D:.*]] = arith.select %[[FINE]], %{{.*}}, %{{.*}} : i64
  // CHECK: arith.divsi %{{.*}}, %[[D]] : i64
  %d = arith.divsi %a, %b : tensor<2xi64>
  return %d : tensor<2xi64>
}
