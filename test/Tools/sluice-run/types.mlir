// Every element type goes in and comes out.
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/../Inputs/tensors.py a=f32:3x2:-1,2 %t/a.npy
// RUN: %python %S/../Inputs/tensors.py b=f64::2.5 %t/b.npy
// RUN: %python %S/../Inputs/tensors.py c=bf16:2:16256,16000 %t/c.npy
// RUN: %python %S/../Inputs/tensors.py d=i32:0:1 %t/d.npy
// RUN: %python %S/../Inputs/tensors.py e=i64:3:1,-2,9007199254740993 %t/e.npy
// RUN: %python %S/../Inputs/tensors.py f=bool:2:1,0 %t/f.npy
// RUN: sluice-run %s --entry=same \
// RUN:   --input %t/a.npy --input %t/b.npy --input %t/c.npy --input %t/d.npy --input %t/e.npy --input %t/f.npy \
// RUN:   --output %t/a2.npy --output %t/b2.npy --output %t/c2.npy --output %t/d2.npy --output %t/e2.npy --output %t/f2.npy \
// RUN:   --expect %t/a.npy --expect %t/b.npy --expect %t/c.npy --expect %t/d.npy --expect %t/e.npy --expect %t/f.npy \
// RUN:   --check --tolerance=0 | FileCheck %s
// CHECK-COUNT-12: largest error 0
// RUN: cmp %t/a.npy %t/a2.npy
// RUN: cmp %t/b.npy %t/b2.npy
// RUN: cmp %t/c.npy %t/c2.npy
// RUN: cmp %t/d.npy %t/d2.npy
// RUN: cmp %t/e.npy %t/e2.npy
// RUN: cmp %t/f.npy %t/f2.npy

// Integers are compared exactly, whatever the tolerance.
// RUN: %python %S/../Inputs/tensors.py e=i64:3:1,-2,9007199254740992 %t/e3.npy
// RUN: not sluice-run %s --entry=integers --input %t/e.npy --expect %t/e3.npy --tolerance=1 2>&1 \
// RUN:   | FileCheck %s --check-prefix=INTEGER
// INTEGER: sluice-run: error: result 0 against {{.*}}e3.npy: element [2] is 9007199254740993 but 9007199254740992 was expected

// A file of another type is not converted.
// RUN: not sluice-run %s --entry=integers --input %t/a.npy 2>&1 | FileCheck %s --check-prefix=TYPE
// TYPE: sluice-run: error: '{{.*}}a.npy': expected elements of i64 ('<i8') but got '<f4'

func.func @same(%a: tensor<?x2xf32>, %b: tensor<f64>, %c: tensor<2xbf16>, %d: tensor<?xi32>, %e: tensor<3xi64>, %f: tensor<2xi1>)
    -> (tensor<?x2xf32>, tensor<f64>, tensor<2xbf16>, tensor<?xi32>, tensor<3xi64>, tensor<2xi1>) {
  return %a, %b, %c, %d, %e, %f : tensor<?x2xf32>, tensor<f64>, tensor<2xbf16>, tensor<?xi32>, tensor<3xi64>, tensor<2xi1>
}

func.func @integers(%e: tensor<3xi64>) -> tensor<3xi64> {
  return %e : tensor<3xi64>
}
