// RUN: sluice-opt %s --sluice-plan-dispatch --split-input-file | FileCheck %s
// RUN: sluice-opt %s --sluice-plan-dispatch=rows-per-task=8 --split-input-file | FileCheck %s --check-prefix=EIGHT
// RUN: sluice-opt %s --sluice-plan-dispatch --split-input-file --remarks-filter=sluice-plan-dispatch 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// RUN: not sluice-opt %s --sluice-plan-dispatch=rows-per-task=-1 2>&1 | FileCheck %s --check-prefix=NEGATIVE

// NEGATIVE: error: expected rows-per-task to be at least 0 but got -1

// CHECK-LABEL: @rows_apart(
// CHECK-SAME: %[[X:.*]]: tensor<?x8xf32>, %[[S:.*]]: tensor<?x4xf32>, %[[W:.*]]: tensor<4x8x8xf32>)
// CHECK: %[[G:.*]] = sluice.topk %[[S]], 2
// CHECK: %[[OFFSETS:.*]], %[[ORDER:.*]], %[[PLACE:.*]] = sluice.plan %[[G]]
// CHECK: sluice.grouped by %[[G]] : !sluice.gates<?x4xf32, 2 per token> plan %[[OFFSETS]], %[[ORDER]], %[[PLACE]]
// CHECK-NEXT: (%[[T:.*]] = %[[X]] : tensor<?x8xf32>)
// CHECK-NEXT: with (%[[V:.*]] = %[[W]] : tensor<4x8x8xf32>)
// CHECK-NEXT: combine sum weight output rows_per_task 64
// CHECK-NEXT: sluice.linear %[[T]], %[[V]]
// EIGHT-LABEL: @rows_apart(
// EIGHT: rows_per_task 8
// REMARK: [Passed] tasks {{.*}}Function=rows_apart {{.*}}an expert's tokens run in tasks of at most 64 rows
func.func @rows_apart(%x: tensor<?x8xf32>, %s: tensor<?x4xf32>, %w: tensor<4x8x8xf32>) -> tensor<?x8xf32> {
  %g = sluice.topk %s, 2 : tensor<?x4xf32>
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x8xf32>) with (%v = %w : tensor<4x8x8xf32>)
      combine sum weight output -> tensor<?x8xf32> {
    %o = sluice.linear %t, %v : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
    sluice.yield %o : tensor<?x8xf32>
  }
  return %y : tensor<?x8xf32>
}

// -----

// A linalg op with a body that handles rows itself is not looked into.
// CHECK-LABEL: @unknown_op(
// CHECK: rows_per_task 0
// REMARK: [Missed] tasks {{.*}}Function=unknown_op | Reason="a row of 'tensor.dim' at {{.*}} may depend on other rows", Remark="an expert's tokens run as one task"
func.func @unknown_op(%x: tensor<?x8xf32>, %s: tensor<?x4xf32>) -> tensor<?x8xf32> {
  %g = sluice.topk %s, 2 : tensor<?x4xf32>
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x8xf32>) combine sum weight output -> tensor<?x8xf32> {
    %c0 = arith.constant 0 : index
    %n = tensor.dim %t, %c0 : tensor<?x8xf32>
    %e = tensor.empty(%n) : tensor<?x8xf32>
    %h = linalg.add ins(%t, %t : tensor<?x8xf32>, tensor<?x8xf32>)
                    outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
    sluice.yield %h : tensor<?x8xf32>
  }
  return %y : tensor<?x8xf32>
}

// -----

// A router that sees other tokens: how many an expert drops depends on the batch.
// CHECK-LABEL: @limit_inside(
// CHECK: rows_per_task 0
// CHECK: sluice.limit
// CHECK: rows_per_task 64
func.func @limit_inside(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c = arith.constant 3 : index
  %g = sluice.topk %x, 1 : tensor<?x4xf32>
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 1 per token>
      (%t = %x : tensor<?x4xf32>) combine sum weight output -> tensor<?x4xf32> {
    %h = sluice.topk %t, 1 : tensor<?x4xf32>
    %l = sluice.limit %h, %c by token : !sluice.gates<?x4xf32, 1 per token>
    %z = sluice.experts by %l : !sluice.gates<?x4xf32, 1 per token>
        (%u = %t : tensor<?x4xf32>) combine sum weight output -> tensor<?x4xf32> {
      sluice.yield %u : tensor<?x4xf32>
    }
    sluice.yield %z : tensor<?x4xf32>
  }
  return %y : tensor<?x4xf32>
}

// -----

// Experts inside an expert are planned too, and keep rows apart.
// CHECK-LABEL: @nested(
// CHECK: sluice.grouped
// CHECK: rows_per_task 64
// CHECK: sluice.grouped
// CHECK: rows_per_task 64
func.func @nested(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %g = sluice.topk %x, 1 : tensor<?x4xf32>
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 1 per token>
      (%t = %x : tensor<?x4xf32>) combine sum weight output -> tensor<?x4xf32> {
    %h = sluice.topk %t, 1 : tensor<?x4xf32>
    %z = sluice.experts by %h : !sluice.gates<?x4xf32, 1 per token>
        (%u = %t : tensor<?x4xf32>) combine sum weight output -> tensor<?x4xf32> {
      sluice.yield %u : tensor<?x4xf32>
    }
    sluice.yield %z : tensor<?x4xf32>
  }
  return %y : tensor<?x4xf32>
}

// -----

// A tensor from outside with rows of its own may match the number of rows of an
// expert's tokens, not that of a task's.
// CHECK-LABEL: @captured_rows(
// CHECK: rows_per_task 0
func.func @captured_rows(%x: tensor<?x4xf32>, %r: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %g = sluice.topk %x, 1 : tensor<?x4xf32>
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 1 per token>
      (%t = %x : tensor<?x4xf32>) combine sum weight output -> tensor<?x4xf32> {
    %o = arith.addf %t, %r : tensor<?x4xf32>
    sluice.yield %o : tensor<?x4xf32>
  }
  return %y : tensor<?x4xf32>
}
