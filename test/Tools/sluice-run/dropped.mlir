// What a capacity drops is counted for the experts that the gates reach, by
// interpreter and compiled code alike; absent entries are not dropped ones.
//
// RUN: sluice-run %s --counters=json | FileCheck %s
// RUN: sluice-run %s --counters=json --target=interpreter | FileCheck %s

// Five tokens, all of which choose expert 1 first, then 0 or 2. Two fit.
// CHECK: "op":"experts#0"{{.*}}"entries":6,"dropped":4,{{.*}}"tokens_per_expert":[2,2,2,0]
// Expert 0 alone lost 1; experts 1 and 2 lost 3.
// CHECK-SAME: "op":"experts#1"{{.*}}"entries":2,"dropped":1,{{.*}}"tokens_per_expert":[2]
// CHECK-SAME: "op":"experts#2"{{.*}}"entries":4,"dropped":3,{{.*}}"tokens_per_expert":[2,2]
// Cut columns are not dropped, nor are slots without an entry.
// CHECK-SAME: "op":"experts#3"{{.*}}"entries":3,"dropped":0,{{.*}}"tokens_per_expert":[3]
func.func @main() -> (tensor<5x1xf32>, tensor<5x1xf32>, tensor<5x1xf32>) {
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
  return %y, %z, %u : tensor<5x1xf32>, tensor<5x1xf32>, tensor<5x1xf32>
}
