// The ops that make gates from tensors and treat gates as sets, as in ops.mlir.
//
// RUN: sluice-opt %s | sluice-opt | FileCheck %s
// RUN: sluice-opt %s --mlir-print-op-generic | sluice-opt | FileCheck %s

// CHECK: sluice.weight @table "tid2eid" : tensor<53x3xi64>
sluice.weight @table "tid2eid" : tensor<53x3xi64>

// CHECK-LABEL: @tensors
func.func @tensors(%i: tensor<?x2xi64>, %v: tensor<?x2xf32>, %s: tensor<?x4xf32>,
                   %m: tensor<?x4xi1>, %c: index) {
  // CHECK: sluice.from_entries %{{.*}} : (tensor<?x2xi64>) -> !sluice.gates<?x4xf32, 2 per token>
  %0 = sluice.from_entries %i : (tensor<?x2xi64>) -> !sluice.gates<?x4xf32, 2 per token>
  // CHECK: sluice.from_entries %{{.*}} values %{{.*}} : (tensor<?x2xi64>, tensor<?x2xf32>) -> !sluice.gates<?x4xf32, 2 per token>
  %1 = sluice.from_entries %i values %v : (tensor<?x2xi64>, tensor<?x2xf32>) -> !sluice.gates<?x4xf32, 2 per token>
  // CHECK: sluice.from_entries %{{.*}} weights %{{.*}} : (tensor<?x2xi64>, tensor<?x4xf32>) -> !sluice.gates<?x4xf32, 2 per token>
  %2 = sluice.from_entries %i weights %s : (tensor<?x2xi64>, tensor<?x4xf32>) -> !sluice.gates<?x4xf32, 2 per token>
  // CHECK: sluice.from_dense %{{.*}} where %{{.*}} : tensor<?x4xf32>, tensor<?x4xi1> -> !sluice.gates<?x4xf32>
  %3 = sluice.from_dense %s where %m : tensor<?x4xf32>, tensor<?x4xi1> -> !sluice.gates<?x4xf32>
  // CHECK: sluice.from_dense %{{.*}} where %{{.*}} : tensor<?x4xf32>, tensor<?x4xi1> -> !sluice.gates<?x4xf32, 1 per token>
  %4 = sluice.from_dense %s where %m : tensor<?x4xf32>, tensor<?x4xi1> -> !sluice.gates<?x4xf32, 1 per token>
  // CHECK: sluice.choose_tokens %{{.*}}, %{{.*}} : tensor<?x4xf32>
  %5 = sluice.choose_tokens %s, %c : tensor<?x4xf32>
  // CHECK: sluice.dense %{{.*}} : !sluice.gates<?x4xf32, ? per expert>
  %d, %p = sluice.dense %5 : !sluice.gates<?x4xf32, ? per expert>
  return
}

// CHECK-LABEL: @sets
func.func @sets(%g: !sluice.gates<?x4xf32, 3 per token>,
                %h: !sluice.gates<?x4xf32, ? per expert>, %p: tensor<?x1xf32>,
                %m: tensor<?x1xi1>, %f: tensor<4xbf16>, %x: tensor<?x4xf32>) {
  // What bounds the columns is the smaller of k and their number.
  // CHECK: %[[COLUMNS:.*]] = sluice.columns %{{.*}} from 1 to 3 : !sluice.gates<?x4xf32, 3 per token>
  %0 = sluice.columns %g from 1 to 3 : !sluice.gates<?x4xf32, 3 per token>
  // CHECK: sluice.entries %[[COLUMNS]] : !sluice.gates<?x2xf32, 2 per token>
  %i, %w = sluice.entries %0 : !sluice.gates<?x2xf32, 2 per token>
  // Bounds add up to the number of experts at most.
  // CHECK: %[[JOINED:.*]] = sluice.join %{{.*}}, %{{.*}} : !sluice.gates<?x4xf32, 3 per token>, !sluice.gates<?x4xf32, 3 per token>
  %1 = sluice.join %g, %g : !sluice.gates<?x4xf32, 3 per token>, !sluice.gates<?x4xf32, 3 per token>
  // CHECK: sluice.filter %[[JOINED]] where %{{.*}} : !sluice.gates<?x4xf32, 4 per token>, tensor<?x1xi1>
  %2 = sluice.filter %1 where %m : !sluice.gates<?x4xf32, 4 per token>, tensor<?x1xi1>
  // CHECK: %[[BOTH:.*]] = sluice.join %{{.*}}, %{{.*}} : !sluice.gates<?x4xf32, 3 per token>, !sluice.gates<?x4xf32, ? per expert>
  %3 = sluice.join %g, %h : !sluice.gates<?x4xf32, 3 per token>, !sluice.gates<?x4xf32, ? per expert>
  // CHECK: sluice.scale_by %[[BOTH]], %{{.*}} : !sluice.gates<?x4xf32>, tensor<4xbf16>
  %4 = sluice.scale_by %3, %f : !sluice.gates<?x4xf32>, tensor<4xbf16>
  // CHECK: %[[C:.*]] = sluice.capacity of %{{.*}} factor 1.250000e+00 floor min 4 : tensor<?x4xf32>
  %c = sluice.capacity of %x factor 1.25 floor min 4 : tensor<?x4xf32>
  // CHECK: sluice.limit %{{.*}}, %[[C]] by choice : !sluice.gates<?x4xf32, 3 per token>
  %5 = sluice.limit %g, %c by choice : !sluice.gates<?x4xf32, 3 per token>
  // CHECK: sluice.limit %{{.*}}, %[[C]] by token priority %{{.*}} : !sluice.gates<?x4xf32, 3 per token>, tensor<?x1xf32>
  %6 = sluice.limit %g, %c by token priority %p : !sluice.gates<?x4xf32, 3 per token>, tensor<?x1xf32>
  // CHECK: sluice.plan %{{.*}} : !sluice.gates<?x4xf32, ? per expert>
  %o, %r, %l = sluice.plan %h : !sluice.gates<?x4xf32, ? per expert>
  return
}

// CHECK-LABEL: @rms_norm
func.func @rms_norm(%x: tensor<?x4xbf16>, %w: tensor<4xf32>) {
  // CHECK: sluice.rms_norm %{{.*}} eps {{.*}} : tensor<?x4xbf16>
  %0 = sluice.rms_norm %x eps 1.0e-6 : tensor<?x4xbf16>
  // CHECK: sluice.rms_norm %{{.*}} eps {{.*}} gain %{{.*}} : tensor<?x4xbf16>, tensor<4xf32>
  %1 = sluice.rms_norm %x eps 1.0e-6 gain %w : tensor<?x4xbf16>, tensor<4xf32>
  return
}

// CHECK-LABEL: @constant_body
func.func @constant_body(%g: !sluice.gates<?x4xf32>, %rows: tensor<4x6xf32>) -> tensor<?x6xf32> {
  // CHECK: sluice.experts by %{{.*}} : !sluice.gates<?x4xf32>
  // CHECK-NEXT: ()
  // CHECK-NEXT: with (%[[ROW:.*]] = %{{.*}} : tensor<4x6xf32>)
  // CHECK-NEXT: combine sum weight output -> tensor<?x6xf32> {
  // CHECK-NEXT: sluice.yield %[[ROW]] : tensor<6xf32>
  %y = sluice.experts by %g : !sluice.gates<?x4xf32>
      () with (%row = %rows : tensor<4x6xf32>)
      combine sum weight output -> tensor<?x6xf32> {
    sluice.yield %row : tensor<6xf32>
  }
  return %y : tensor<?x6xf32>
}
