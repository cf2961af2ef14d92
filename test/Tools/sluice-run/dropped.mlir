// What a capacity drops is counted for the experts that the gates reach, by
// interpreter and compiled code alike; absent entries are not dropped ones.
//
// RUN: sluice-run %s --counters=json | FileCheck %s
// RUN: sluice-run %s --counters=json --target=interpreter | FileCheck %s

// Five tokens, all of which choose expert 1 first, then 0 or 2. Two fit.
// CHECK: "op":"experts#0"{{[^]]*}}"entries":6,"dropped":4,{{[^]]*}}"tokens_per_expert":[2,2,2,0]
// Expert 0 alone lost 1; experts 1 and 2 lost 3.
// CHECK-SAME: "op":"experts#1"{{[^]]*}}"entries":2,"dropped":1,{{[^]]*}}"tokens_per_expert":[2]
// CHECK-SAME: "op":"experts#2"{{[^]]*}}"entries":4,"dropped":3,{{[^]]*}}"tokens_per_expert":[2,2]
// Cut columns are not dropped, nor are slots without an entry.
// CHECK-SAME: "op":"experts#3"{{[^]]*}}"entries":3,"dropped":0,{{[^]]*}}"tokens_per_expert":[3]
// A router that is a function: each call counts for the experts that its gates
// reach, although the second one drops more.
// CHECK-SAME: "op":"experts#4"{{[^]]*}}"entries":4,"dropped":2,{{[^]]*}}"tokens_per_expert":[2,2]
// CHECK-SAME: "op":"experts#5"{{[^]]*}}"entries":2,"dropped":4,{{[^]]*}}"tokens_per_expert":[1,1]
// Joined gates that have one limit behind them.
// CHECK-SAME: "op":"experts#6"{{[^]]*}}"entries":4,"dropped":2,{{[^]]*}}"tokens_per_expert":[2,2]
// Experts that are a function, called for limited gates twice.
// CHECK-SAME: "function":"run","op":"experts#0"{{[^]]*}}"calls":2,{{[^]]*}}"entries":6,"dropped":6,{{[^]]*}}"tokens_per_expert":[3,3]
!pair = !sluice.gates<5x2xf32, 2 per token>
!column = tensor<5x1xf32>

func.func @main() -> (!column, !column, !column, !column, !column, !column, !column) {
  %x = arith.constant dense<[[1.0], [2.0], [3.0], [4.0], [5.0]]> : tensor<5x1xf32>
  %e = arith.constant dense<[[1, 0], [1, 2], [1, 0], [1, 2], [1, 0]]> : tensor<5x2xi64>
  %c = arith.constant 2 : index
  %g = sluice.from_entries %e : (tensor<5x2xi64>) -> !sluice.gates<5x4xf32, 2 per token>
  %kept = sluice.limit %g, %c by choice : !sluice.gates<5x4xf32, 2 per token>
  %half = sluice.scale %kept by 0.5 : !sluice.gates<5x4xf32, 2 per token>
  %y = sluice.experts by %half : !sluice.gates<5x4xf32, 2 per token>
      (%t = %x : tensor<5x1xf32>) combine sum weight output -> tensor<5x1xf32> {
    sluice.yield %t : tensor<?x1xf32>
  }
  %some = sluice.columns %half from 0 to 3 : !sluice.gates<5x4xf32, 2 per token>
  %z = sluice.mixed_experts by %some : !sluice.gates<5x3xf32, 2 per token>
      combine sum weight output -> tensor<5x1xf32>
    experts 0 to 1 (%t = %x : tensor<5x1xf32>) { sluice.yield %t : tensor<?x1xf32> }
    experts 1 to 3 (%t = %x : tensor<5x1xf32>) { sluice.yield %t : tensor<?x1xf32> }
  %first = sluice.columns %g from 0 to 1 : !sluice.gates<5x4xf32, 2 per token>
  %none = arith.constant dense<-1> : tensor<5x1xi64>
  %absent = sluice.from_entries %none : (tensor<5x1xi64>) -> !sluice.gates<5x1xf32, 1 per token>
  %both = sluice.join %first, %absent
    : !sluice.gates<5x1xf32, 1 per token>, !sluice.gates<5x1xf32, 1 per token>
  %u = sluice.experts by %both : !sluice.gates<5x1xf32, 1 per token>
      (%t = %x : tensor<5x1xf32>) combine sum weight output -> tensor<5x1xf32> {
    sluice.yield %t : tensor<?x1xf32>
  }

  // Three tokens choose expert 0, and three expert 1.
  %choice = arith.constant dense<[[0, -1], [0, -1], [1, 0], [1, -1], [1, -1]]> : tensor<5x2xi64>
  %c1 = arith.constant 1 : index
  %two = call @route(%choice, %c) : (tensor<5x2xi64>, index) -> !pair
  %one = call @route(%choice, %c1) : (tensor<5x2xi64>, index) -> !pair
  %v = sluice.experts by %two : !pair (%t = %x : !column) combine sum weight output -> !column {
    sluice.yield %t : tensor<?x1xf32>
  }
  %w = sluice.experts by %one : !pair (%t = %x : !column) combine sum weight output -> !column {
    sluice.yield %t : tensor<?x1xf32>
  }
  %less = sluice.sigmoid %two : !pair
  %joined = sluice.join %two, %less : !pair, !pair
  %r = sluice.experts by %joined : !pair (%t = %x : !column) combine sum weight output -> !column {
    sluice.yield %t : tensor<?x1xf32>
  }
  %p = call @run(%x, %two) : (!column, !pair) -> !column
  %q = call @run(%p, %one) : (!column, !pair) -> !column
  return %y, %z, %u, %v, %w, %r, %q
    : !column, !column, !column, !column, !column, !column, !column
}

func.func private @route(%e: tensor<5x2xi64>, %c: index) -> !pair {
  %g = sluice.from_entries %e : (tensor<5x2xi64>) -> !pair
  %k = sluice.limit %g, %c by token : !pair
  %n = sluice.normalize %k : !pair
  return %n : !pair
}
func.func private @run(%x: !column, %g: !pair) -> !column {
  %y = sluice.experts by %g : !pair (%t = %x : !column) combine sum weight output -> !column {
    sluice.yield %t : tensor<?x1xf32>
  }
  return %y : !column
}
