// Passes say what they decided only if they are asked.
// RUN: rm -rf %t && mkdir %t
// RUN: sluicec %s -o %t/m.so 2>&1 | count 0
// RUN: sluicec %s -o %t/m.so --remarks 2>&1 | FileCheck %s
// CHECK: remarks.mlir:[[#@LINE+4]]:8: remark: [sluice-plan-dispatch] an expert's tokens run as one task: a row of 'linalg.abs' at {{.*}}remarks.mlir:[[#@LINE+6]]:10 may depend on other rows

func.func @f(%x: tensor<?x4xf32>, %p: tensor<?x2xf32>) -> tensor<?x4xf32> {
  %g = sluice.topk %p, 1 : tensor<?x2xf32>
  %y = sluice.experts by %g : !sluice.gates<?x2xf32, 1 per token>
      (%t = %x : tensor<?x4xf32>) combine sum weight output -> tensor<?x4xf32> {
    %o = linalg.abs ins(%t : tensor<?x4xf32>) outs(%t : tensor<?x4xf32>) -> tensor<?x4xf32>
    sluice.yield %o : tensor<?x4xf32>
  }
  return %y : tensor<?x4xf32>
}
