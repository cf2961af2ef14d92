//===- CheckOps.td - Expectations inside a model file ---*- tablegen -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_CHECK_OPS_TD
#define SLUICE_CHECK_OPS_TD

include "mlir/IR/OpBase.td"

def Check_Dialect : Dialect {
  let name = "check";
  let cppNamespace = "::sluice::check";
  let summary = "expectations, so that an end-to-end test is one file";
  let description = [{
    A run in which an expectation does not hold fails with the place of the op,
    the first index that differs and both values: in the interpreter, in compiled
    code and in an artifact alike.
  }];
}

class Check_Op<string mnemonic, list<Trait> traits = []>
    : Op<Check_Dialect, mnemonic, traits>;

def Check_ExpectCloseOp : Check_Op<"expect_close",
    [AllTypesMatch<["actual", "expected"]>]> {
  let summary = "fails unless two tensors agree within a tolerance";
  let description = [{
    Fails if for some element |actual - expected| > tolerance * M, M the largest
    finite magnitude in `expected`, or if exactly one of the two is NaN, or if
    one is infinite and the other is not equal to it. `tolerance 0.0` asks for
    equality.

    ```mlir
    check.expect_close %y, %expected tolerance 1.0e-5 : tensor<2x3xf32>
    ```

    Constraints:
    - (C1) the tolerance is finite and not negative

    Tensors whose dynamic shapes turn out to differ fail as well.
  }];
  let arguments = (ins RankedTensorOf<[F16, BF16, F32, F64]>:$actual,
                       RankedTensorOf<[F16, BF16, F32, F64]>:$expected,
                       F64Attr:$tolerance);
  let assemblyFormat = [{
    $actual `,` $expected `tolerance` $tolerance attr-dict `:` type($actual)
  }];
  let hasVerifier = 1;
}

def Check_ExpectEqualOp : Check_Op<"expect_equal",
    [AllTypesMatch<["actual", "expected"]>]> {
  let summary = "fails unless two integer tensors are the same";
  let description = [{
    ```mlir
    check.expect_equal %indices, %expected : tensor<3x2xi64>
    ```

    Tensors whose dynamic shapes turn out to differ fail as well.
  }];
  let arguments = (ins RankedTensorOf<[I1, I8, I32, I64, Index]>:$actual,
                       RankedTensorOf<[I1, I8, I32, I64, Index]>:$expected);
  let assemblyFormat = "$actual `,` $expected attr-dict `:` type($actual)";
}

#endif // SLUICE_CHECK_OPS_TD
