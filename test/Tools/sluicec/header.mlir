// The header is C11 and C++ without a warning, stands alone, can be included
// with another model's, and the example in it is a program that runs.
// RUN: rm -rf %t && mkdir %t
// RUN: sluicec %s -o %t/lib7-model.v2.so
// RUN: FileCheck %s < %t/lib7-model.v2.h
// RUN: sluicec %s -o %t/other.so
// RUN: echo '#include "lib7-model.v2.h"' > %t/both.c
// RUN: echo '#include "other.h"' >> %t/both.c
// RUN: echo '#include "sluice-c/Runtime.h"' >> %t/both.c
// RUN: %clang -std=c11 -pedantic -Wall -Wextra -Wdocumentation -Werror -fsyntax-only -I %sluice_src/include %t/both.c
// RUN: %clang -x c++ -std=c++11 -pedantic -Wall -Wextra -Werror -fsyntax-only -I %sluice_src/include %t/both.c
// RUN: sed -n 's/^ \*     //p' %t/other.h | grep -v '^cc ' > %t/example.c
// RUN: %clang -std=c11 -Wall -Werror %t/example.c %t/other.so -Wl,-rpath,%t -o %t/example
// RUN: %t/example

// CHECK: #ifndef SLUICE_MODEL_MODEL_7_MODEL_V2_H
// CHECK: cc main.c lib7-model.v2.so
// CHECK: typedef struct model_7_model_v2 model_7_model_v2;
// CHECK: It has no weights
// CHECK: int model_7_model_v2_load(const char *weights_path, model_7_model_v2 **model,
// CHECK-NEXT:                       sluice_error *error);
// CHECK: The model's function @twice.
// CHECK-NEXT: `input` (input): SLUICE_F32, [?, 2]
// CHECK-NEXT: `result` (result): SLUICE_F32, [?, 2]
// CHECK: int model_7_model_v2_twice(const model_7_model_v2 *model,
// CHECK-NEXT:                        const sluice_tensor *input, sluice_tensor *result,
// CHECK-NEXT:                        sluice_error *error);
// CHECK: The model's function @odd * / name.
// CHECK: int model_7_model_v2_odd____name(const model_7_model_v2 *model,
// CHECK-NEXT: const sluice_tensor *input0,
// CHECK-NEXT: const sluice_tensor *input1,

func.func @twice(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %y = arith.addf %x, %x : tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

func.func @"odd */ name"(%i: tensor<i64>, %b: tensor<2xi1>) -> (tensor<2xi1>, tensor<i64>) {
  return %b, %i : tensor<2xi1>, tensor<i64>
}
