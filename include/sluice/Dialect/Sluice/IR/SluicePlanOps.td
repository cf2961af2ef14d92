//===- SluicePlanOps.td - The plan level: tokens grouped by expert ---*- tablegen -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_PLAN_OPS_TD
#define SLUICE_PLAN_OPS_TD

include "mlir/Interfaces/InferTypeOpInterface.td"
include "sluice/Dialect/Sluice/IR/SluiceExpertOps.td"

def Sluice_PlanOp : Sluice_Op<"plan",
    [Pure, InferTypeOpAdaptor]> {
  let summary = "groups the entries of gates by expert";
  let description = [{
    A stable counting sort: compressed sparse columns of G. With k slots per
    token (E where gates are not bounded per token) a slot's number is t * k + j. Of the n present entries, sorted by
    expert and then by slot number:

    - `offsets`, [E + 1]: expert e has the positions offsets[e] to
      offsets[e + 1] - 1; offsets[E] = n.
    - `order`, [T * k]: order[p] is the slot number at position p; from n on
      unspecified.
    - `place`, [T, k]: the positions of token t's entries in increasing order,
      hence in increasing expert number; then -1.

    No upstream op sorts by a key that is itself data with a known range.

    ```mlir
    %offsets, %order, %place = sluice.plan %g : !sluice.gates<?x64xf32, 8 per token>
    // tensor<65xindex>, tensor<?xindex>, tensor<?x8xindex>
    ```
  }];
  let arguments = (ins Sluice_GatesType:$gates);
  let results = (outs TensorRankOf<[Index], [1]>:$offsets,
                      TensorRankOf<[Index], [1]>:$order,
                      TensorRankOf<[Index], [2]>:$place);
  let assemblyFormat = "$gates attr-dict `:` qualified(type($gates))";
}

def Sluice_GroupedOp : Sluice_Op<"grouped", [
    AttrSizedOperandSegments, RecursiveMemoryEffects, SingleBlock]> {
  let summary = "runs experts over tokens that a plan has grouped";
  let description = [{
    `sluice.experts` with its plan. The result is the same; what is decided here
    is how the work is cut: each expert's tokens are taken in tasks of at most
    `rows_per_task` rows, which run in parallel. `rows_per_task` 0 means one
    task an expert: for bodies in which a row's result depends on other rows.

    ```mlir
    %y = sluice.grouped by %g : !sluice.gates<?x64xf32, 8 per token>
        plan %offsets, %order, %place
          : tensor<65xindex>, tensor<?xindex>, tensor<?x8xindex>
        (%t = %x : tensor<?x2048xf32>)
        with (%w = %weights : tensor<64x1024x2048xf32>)
        combine sum weight output rows_per_task 32 -> tensor<?x1024xf32> {
      %o = sluice.linear %t, %w : (tensor<?x2048xf32>, tensor<1024x2048xf32>) -> tensor<?x1024xf32>
      sluice.yield %o : tensor<?x1024xf32>
    }
    ```

    Constraints: those of `sluice.experts` (C1 to C6), and
    - (C7) `offsets`, `order` and `place` have the types that `sluice.plan`
      gives for the gates
    - (C8) `rows_per_task` is at least 0
  }];
  let arguments = (ins Sluice_GatesType:$gates,
                       TensorRankOf<[Index], [1]>:$offsets,
                       TensorRankOf<[Index], [1]>:$order,
                       TensorRankOf<[Index], [2]>:$place,
                       Variadic<Sluice_FloatTensor>:$inputs,
                       Variadic<AnyRankedTensor>:$params,
                       Optional<Sluice_FloatTensor>:$base,
                       Sluice_CombineAttr:$combine,
                       Sluice_WeightOnAttr:$weight,
                       ConfinedAttr<I64Attr, [IntNonNegative]>:$rows_per_task);
  let results = (outs Sluice_FloatTensor:$result);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::Block *getBodyBlock() { return &getBody().front(); }
    ::mlir::Value getYielded() {
      return getBodyBlock()->getTerminator()->getOperand(0);
    }
  }];
}

#endif // SLUICE_PLAN_OPS_TD
