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

def Sluice_MixedExpertsOp : Sluice_Op<"mixed_experts", [
    AttrSizedOperandSegments, RecursiveMemoryEffects,
    SingleBlock]> {
  let summary = "experts that differ in body, width or parameters";
  let description = [{
    `sluice.experts` with a body for each range of experts instead of one for
    all. A case `experts a to b` is the body of the experts a <= e < b, with
    inputs and parameters of its own; its parameters are stacked for these
    b - a experts. An expert that no case names has *no* body: its entries
    contribute nothing, as if they were absent (under `replace` the token keeps
    the base), and cost nothing.

    Combine, weight and `else` mean what they mean for `sluice.experts`. The sum
    is taken within each case in increasing expert number, then over the cases,
    in at least f32, and rounded once.

    MoE++ (Jin et al. 2024) mixes MLPs with experts that yield 0, the token
    itself, or a learned vector; Uni-MoE, HMoE and MoDSE have MLPs of several
    widths; LongCat-Flash has identity experts behind the MLPs.

    ```mlir
    %y = sluice.mixed_experts by %g : !sluice.gates<?x7xf32, 2 per token>
        combine sum weight output -> tensor<?x8xf32>
      experts 0 to 4 (%t = %x : tensor<?x8xf32>)
          with (%wu = %up : tensor<4x32x8xf32>, %wd = %down : tensor<4x8x32xf32>) {
        %a = sluice.linear %t, %wu : (tensor<?x8xf32>, tensor<32x8xf32>) -> tensor<?x32xf32>
        %r = sluice.relu %a : tensor<?x32xf32>
        %o = sluice.linear %r, %wd : (tensor<?x32xf32>, tensor<8x32xf32>) -> tensor<?x8xf32>
        sluice.yield %o : tensor<?x8xf32>
      }
      experts 4 to 5 (%t = %x : tensor<?x8xf32>) {  // the token itself
        sluice.yield %t : tensor<?x8xf32>
      }
      experts 5 to 6 () with (%c = %constant : tensor<1x8xf32>) {
        sluice.yield %c : tensor<8xf32>
      }
    // expert 6 yields 0
    ```

    Reports and counters have one record for each case, numbered as if the cases
    were `sluice.experts` ops one after the other.

    Constraints:
    - (C1) there is at least one case; 0 <= from < to <= the number of experts,
      and a case begins where the one before it ends or later
    - (C2) each case has the inputs, parameters and body that `sluice.experts`
      demands (C1 to C4 there), for `to` - `from` experts
    - (C3) `replace`: the gates have at most 1 entry per token, by their bound or
      because there is one expert
    - (C4) `else` goes with `replace` only and has the type of the result
    - (C5) `input_counts` and `param_counts` have an entry for each case and add
      up to the operands
  }];
  let arguments = (ins Sluice_GatesType:$gates,
                       Variadic<Sluice_FloatTensor>:$inputs,
                       Variadic<AnyRankedTensor>:$params,
                       Optional<Sluice_FloatTensor>:$base,
                       DenseI64ArrayAttr:$from,
                       DenseI64ArrayAttr:$to,
                       DenseI32ArrayAttr:$input_counts,
                       DenseI32ArrayAttr:$param_counts,
                       Sluice_CombineAttr:$combine,
                       Sluice_WeightOnAttr:$weight);
  let results = (outs Sluice_FloatTensor:$result);
  let regions = (region VariadicRegion<SizedRegion<1>>:$bodies);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The experts `from` <= e < `to`.
    struct Case {
      int64_t from;
      int64_t to;
      ::mlir::ValueRange inputs;
      ::mlir::ValueRange params;
      ::mlir::Region *body;
    };
    /// Of an op whose counts are valid (C5).
    ::llvm::SmallVector<Case> getCases();
  }];
}

def Sluice_YieldOp : Sluice_Op<"yield", [
    Pure, ReturnLike, Terminator,
    ParentOneOf<["::sluice::ExpertsOp", "::sluice::MixedExpertsOp",
                 "::sluice::GroupedOp"]>]> {
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
