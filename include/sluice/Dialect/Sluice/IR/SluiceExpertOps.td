//===- SluiceExpertOps.td - Experts: regions that run where a token was routed ---*- tablegen -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_EXPERT_OPS_TD
#define SLUICE_EXPERT_OPS_TD

include "mlir/Interfaces/ControlFlowInterfaces.td"
include "sluice/Dialect/Sluice/IR/SluiceOpBase.td"

def Sluice_ExpertsOp : Sluice_Op<"experts", [
    AttrSizedOperandSegments, RecursiveMemoryEffects, SingleBlock]> {
  let summary = "runs each expert on the tokens that were routed to it";
  let description = [{
    The region is the body of every expert. It sees a *matrix* of the tokens
    that were routed to its expert, in increasing order of the token, with a
    dynamic number of rows (0 included), and that expert's slice of each stacked
    parameter. With f_e the body with the parameters params[e]:

        combine sum:      Y[t] = sum over t's entries (e, v) of  v * f_e(X[t])
        combine replace:  Y[t] = v * f_e(X[t])  if t has an entry (e, v),
                          Y[t] = base[t]        otherwise (0 without `else`)

    The sum is taken in increasing expert number, in at least f32, and rounded
    once; a token without entries gets 0. Where the value v goes is said by
    `weight`: on the `output` as above; on the `input`, f_e(v * X[t]) (Llama 4;
    the first input is scaled); or `none`, where only presence counts.

    Values of the surroundings may be used in the body: they are the same for
    all experts. What belongs to a token must come as an input, what belongs to
    an expert as a parameter. Bodies may contain routers and experts.

    A body without inputs is a constant for each expert: a table's row, a hidden
    unit's row of the second matrix (`docs/Rationale/Systems.md`).

    What costs: a multiply-add, and a byte of a parameter, only where an entry
    is present.

    ```mlir
    %y = sluice.experts by %g : !sluice.gates<?x64xf32, 8 per token>
        (%t = %x : tensor<?x2048xf32>)
        with (%wg = %gate : tensor<64x1024x2048xf32>,
              %wu = %up   : tensor<64x1024x2048xf32>,
              %wd = %down : tensor<64x2048x1024xf32>)
        combine sum weight output -> tensor<?x2048xf32> {
      // %t : tensor<?x2048xf32>, %wg, %wu : tensor<1024x2048xf32>, ...
      %a = sluice.linear %t, %wg : (tensor<?x2048xf32>, tensor<1024x2048xf32>) -> tensor<?x1024xf32>
      %b = sluice.linear %t, %wu : (tensor<?x2048xf32>, tensor<1024x2048xf32>) -> tensor<?x1024xf32>
      %s = sluice.silu %a : tensor<?x1024xf32>
      %h = arith.mulf %s, %b : tensor<?x1024xf32>
      %o = sluice.linear %h, %wd : (tensor<?x1024xf32>, tensor<2048x1024xf32>) -> tensor<?x2048xf32>
      sluice.yield %o : tensor<?x2048xf32>
    }
    ```

    Constraints:
    - (C1) inputs have at least one dimension and as many rows as the gates have
      tokens; there may be none, but `weight input` needs one
    - (C2) a parameter has a static shape whose first dimension is the gates'
      number of experts
    - (C3) the body has one argument for each input (its type with a dynamic
      number of rows) and then one for each parameter (its type without the
      first dimension)
    - (C4) the body yields one tensor with a dynamic number of rows; the result
      is that tensor with as many rows as the gates have tokens, of an element
      type of its own. A *constant* body, with no inputs, yields a static tensor
      instead, which is every row of its expert's
    - (C5) `replace`: the gates have at most 1 entry per token, by their bound or
      because there is one expert
    - (C6) `else` goes with `replace` only and has the type of the result
  }];
  let arguments = (ins Sluice_GatesType:$gates,
                       Variadic<Sluice_FloatTensor>:$inputs,
                       Variadic<AnyRankedTensor>:$params,
                       Optional<Sluice_FloatTensor>:$base,
                       Sluice_CombineAttr:$combine,
                       Sluice_WeightOnAttr:$weight);
  let results = (outs Sluice_FloatTensor:$result);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let builders = [
    // Makes the body's block and its arguments; the caller fills it.
    OpBuilder<(ins "::mlir::Type":$result, "::mlir::Value":$gates,
      "::mlir::ValueRange":$inputs, "::mlir::ValueRange":$params,
      "::mlir::Value":$base, "::sluice::Combine":$combine,
      "::sluice::WeightOn":$weight)>
  ];
  let extraClassDeclaration = [{
    ::mlir::Block *getBodyBlock() { return &getBody().front(); }
    ::mlir::Block::BlockArgListType getInputArgs() {
      return getBody().getArguments().take_front(getInputs().size());
    }
    ::mlir::Block::BlockArgListType getParamArgs() {
      return getBody().getArguments().drop_front(getInputs().size());
    }
    ::mlir::Value getYielded() {
      return getBodyBlock()->getTerminator()->getOperand(0);
    }
  }];
}

def Sluice_YieldOp : Sluice_Op<"yield", [
    Pure, ReturnLike, Terminator,
    ParentOneOf<["::sluice::ExpertsOp", "::sluice::GroupedOp"]>]> {
  let summary = "ends an expert's body with its output";
  let description = [{
    ```mlir
    sluice.yield %o : tensor<?x2048xf32>
    ```
  }];
  let arguments = (ins Sluice_FloatTensor:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

#endif // SLUICE_EXPERT_OPS_TD
