// RUN: sluice-opt %s --sluice-externalize-state --split-input-file --verify-diagnostics | FileCheck %s
// RUN: sluice-opt %s --sluice-externalize-state=counters=true --split-input-file | FileCheck %s --check-prefix=COUNT

// The weights that a function's callees use are its own too, in order of their
// declaration; @unused is nobody's.
// CHECK: \22weights\22:[{\22dtype\22:\22f32\22,\22shape\22:[4],\22symbol\22:\22a\22,\22tensor\22:\22first\22},{\22dtype\22:\22i64\22,\22shape\22:[2,4],\22symbol\22:\22b\22,\22tensor\22:\22t.{e}\22}]
// CHECK-NOT: sluice.weight
sluice.weight @a "first" : tensor<4xf32>
sluice.weight @unused "unused" : tensor<4xf32>
sluice.weight @b "t.{e}" : tensor<2x4xi64>

// CHECK: func.func private @inner(%[[STATE:.*]]: memref<?xi64>, %[[B:.*]]: tensor<2x4xi64> {bufferization.writable = false}) -> tensor<2x4xi64> {
// CHECK-NEXT: return %[[B]]
func.func private @inner() -> tensor<2x4xi64> {
  %b = sluice.get_weight @b : tensor<2x4xi64>
  return %b : tensor<2x4xi64>
}

// CHECK: func.func @outer(%[[STATE:.*]]: memref<?xi64>, %[[A:.*]]: tensor<4xf32> {{.*}}, %[[B:.*]]: tensor<2x4xi64> {{.*}}, %[[X:.*]]: tensor<?x4xf32> {bufferization.writable = false})
// CHECK-SAME: llvm.emit_c_interface
// CHECK: call @inner(%[[STATE]], %[[B]])
func.func @outer(%x: tensor<?x4xf32>) -> (tensor<4xf32>, tensor<2x4xi64>) {
  %a = sluice.get_weight @a : tensor<4xf32>
  %b = call @inner() : () -> tensor<2x4xi64>
  return %a, %b : tensor<4xf32>, tensor<2x4xi64>
}

// -----

// What an entry costs: both products; what an expert costs: both parameters.
// Inner experts count for themselves.
// COUNT: \22counters\22:[{\22at\22:8,\22experts\22:4,\22function\22:\22f\22,\22multiply_adds_per_entry\22:96,\22op\22:\22experts#0\22,\22weight_bytes_per_expert\22:288,
// COUNT: \22state_size\22:17
// COUNT: sluice.counter = 8
// Without the option nothing is counted.
// CHECK: \22counters\22:[]
// CHECK-NOT: sluice.counter =
func.func @f(%x: tensor<?x8xf32>, %s: tensor<?x4xf32>, %w: tensor<4x6x8xf32>,
             %v: tensor<4x8x6xbf16>) -> tensor<?x8xf32> {
  %g = sluice.topk %s, 2 : tensor<?x4xf32>
  %o, %r, %p = sluice.plan %g : !sluice.gates<?x4xf32, 2 per token>
  %y = sluice.grouped by %g : !sluice.gates<?x4xf32, 2 per token>
      plan %o, %r, %p : tensor<5xindex>, tensor<?xindex>, tensor<?x2xindex>
      (%t = %x : tensor<?x8xf32>)
      with (%a = %w : tensor<4x6x8xf32>, %b = %v : tensor<4x8x6xbf16>)
      combine sum weight output rows_per_task 32 -> tensor<?x8xf32> {
    %h = sluice.linear %t, %a : (tensor<?x8xf32>, tensor<6x8xf32>) -> tensor<?x6xf32>
    %z = sluice.linear %h, %b : (tensor<?x6xf32>, tensor<8x6xbf16>) -> tensor<?x8xf32>
    sluice.yield %z : tensor<?x8xf32>
  }
  return %y : tensor<?x8xf32>
}

// -----

// Each expectation has a code, and the manifest says what it means.
// CHECK: \22failures\22:[{\22code\22:1,\22kind\22:\22expect_close\22,\22tolerance\22:0.5,\22where\22:\22{{.*}}externalize-state.mlir:[[@LINE+4]]:3\22}]
// CHECK: check.expect_close
// CHECK-SAME: {sluice.code = 1 : i64}
func.func @check(%x: tensor<4xf32>) {
  check.expect_close %x, %x tolerance 0.5 : tensor<4xf32>
  return
}
