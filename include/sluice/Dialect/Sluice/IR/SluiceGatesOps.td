//===- SluiceGatesOps.td - Gates from tensors, and gates as sets --*- tablegen -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_GATES_OPS_TD
#define SLUICE_GATES_OPS_TD

include "mlir/Interfaces/InferTypeOpInterface.td"
include "sluice/Dialect/Sluice/IR/SluiceOpBase.td"

//===----------------------------------------------------------------------===//
// Between gates and tensors
//===----------------------------------------------------------------------===//

def Sluice_FromEntriesOp : Sluice_Op<"from_entries", [
    Pure, AttrSizedOperandSegments]> {
  let summary = "gates whose experts are given, slot by slot";
  let description = [{
    Slot j of token t is an entry of expert indices[t, j]; -1 is absent. Its
    value is values[t, j], or weights[t, indices[t, j]] (a score for each
    expert), or 1 if neither is given. The inverse of `sluice.entries`, order
    included. Tables by token id (DeepSeek-V4's first layers), experts given
    from outside (a data set, a language, a position in a codebook) and choices
    composed of other ops come in here.

    An index that is neither -1 nor an expert, and an expert twice in a row,
    are errors at run time.

    ```mlir
    %g = sluice.from_entries %i weights %s
      : (tensor<?x3xi64>, tensor<?x10xf32>) -> !sluice.gates<?x10xf32, 3 per token>
    %g = sluice.from_entries %i values %v
      : (tensor<?x2xi64>, tensor<?x2xf32>) -> !sluice.gates<?x8xf32, 2 per token>
    %g = sluice.from_entries %i : (tensor<?x1xi64>) -> !sluice.gates<?x6xf32, 1 per token>
    ```

    Constraints:
    - (C1) the result is bounded per token, by the number of columns of `indices`
    - (C2) `values` has the shape of `indices`
    - (C3) `weights` has a column for each expert of the result
    - (C4) at most one of `values` and `weights` is given; its element type is
      the result's
    - (C5) all have the same number of rows
  }];
  let arguments = (ins TensorRankOf<[I32, I64, Index], [2]>:$indices,
                       Optional<Sluice_FloatMatrix>:$values,
                       Optional<Sluice_FloatMatrix>:$weights);
  let results = (outs Sluice_GatesType:$gates);
  let assemblyFormat = [{
    $indices (`values` $values^)? (`weights` $weights^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Sluice_FromDenseOp : Sluice_Op<"from_dense", [Pure]> {
  let summary = "gates with an entry wherever a mask is true";
  let description = [{
    An entry (t, e, values[t, e]) for each place where mask[t, e] is true, each
    token's in increasing expert number: thresholds, units that pass a statistic
    of their token (Gemma 3n), hidden units of a k-sparse layer.

    The bound stands in the result's type: none, or k per token; a token with
    more than k entries is then an error at run time.

    ```mlir
    %on = arith.cmpf ogt, %h, %zero : tensor<?x160xf32>
    %g = sluice.from_dense %h where %on
      : tensor<?x160xf32>, tensor<?x160xi1> -> !sluice.gates<?x160xf32>
    ```

    Constraints:
    - (C1) values and mask have the same shape, tokens x experts of the result
    - (C2) the result's element type is that of the values
    - (C3) the result is not bounded per expert
  }];
  let arguments = (ins Sluice_FloatMatrix:$values,
                       TensorRankOf<[I1], [2]>:$mask);
  let results = (outs Sluice_GatesType:$gates);
  let assemblyFormat = [{
    $values `where` $mask attr-dict
    `:` type($values) `,` type($mask) `->` qualified(type($gates))
  }];
  let hasVerifier = 1;
}

def Sluice_DenseOp : Sluice_Op<"dense", [Pure, InferTypeOpAdaptor]> {
  let summary = "gates as two tensors, tokens x experts";
  let description = [{
    values[t, e] is the value of the entry (t, e), 0 where there is none;
    present[t, e] says whether there is one.

    ```mlir
    %v, %p = sluice.dense %g : !sluice.gates<?x8xf32, 7 per expert>
    // tensor<?x8xf32>, tensor<?x8xi1>
    ```
  }];
  let arguments = (ins Sluice_GatesType:$gates);
  let results = (outs Sluice_FloatMatrix:$values,
                      TensorRankOf<[I1], [2]>:$present);
  let assemblyFormat = "$gates attr-dict `:` qualified(type($gates))";
}

def Sluice_ChooseTokensOp : Sluice_Op<"choose_tokens",
    [Pure, InferTypeOpAdaptor]> {
  let summary = "each expert chooses the tokens with the largest scores";
  let description = [{
    Expert choice (arXiv 2202.09368): each expert e takes the min(capacity, T)
    tokens with the largest scores in its column, compared as in `sluice.topk`
    (ties to the earlier token); the entry's value is the score. A token may be
    chosen by no expert or by several; its entries are in increasing expert
    number. A capacity below 0 counts as 0.

    With E = 1 it is the router of mixture of depths (arXiv 2404.02258).

    ```mlir
    %g = sluice.choose_tokens %p, %c : tensor<?x8xf32>
    // !sluice.gates<?x8xf32, ? per expert>
    ```

    Constraints:
    - (C1) the number of experts (columns of `scores`) is static
  }];
  let arguments = (ins Sluice_FloatMatrix:$scores, Index:$capacity);
  let results = (outs Sluice_GatesType:$gates);
  let assemblyFormat = "$scores `,` $capacity attr-dict `:` type($scores)";
}

//===----------------------------------------------------------------------===//
// Gates as sets of entries
//===----------------------------------------------------------------------===//

def Sluice_ColumnsOp : Sluice_Op<"columns", [Pure, InferTypeOpAdaptor]> {
  let summary = "the entries of a range of experts";
  let description = [{
    The entries with `from` <= e < `to`, of gates with `to` - `from` experts
    numbered from 0. A token's entries keep their order and move up to its first
    slots; what bounds them is min(k, to - from).

    Classes that are no expert (ZAYA), cost nothing (LongCat's identity experts)
    or store their weights elsewhere (Inkling's shared experts) are columns.

    ```mlir
    %r = sluice.columns %g from 0 to 9 : !sluice.gates<?x12xf32, 4 per token>
    // !sluice.gates<?x9xf32, 4 per token>
    ```

    Constraints:
    - (C1) 0 <= from < to <= the number of experts
  }];
  let arguments = (ins Sluice_GatesType:$input, I64Attr:$from, I64Attr:$to);
  let results = (outs Sluice_GatesType:$result);
  let assemblyFormat = [{
    $input `from` $from `to` $to attr-dict `:` qualified(type($input))
  }];
  let hasFolder = 1;
}

def Sluice_JoinOp : Sluice_Op<"join", [Pure, InferTypeOpAdaptor]> {
  let summary = "the entries of both";
  let description = [{
    A token's entries of `a`, in order and without gaps, then those of `b` whose
    expert it does not have from `a`. Bounds per token add up, to at most the number of
    experts; otherwise the result has no bound.

    ```mlir
    %g = sluice.join %chosen, %shared
      : !sluice.gates<?x13xf32, 3 per token>, !sluice.gates<?x13xf32, 2 per token>
    // !sluice.gates<?x13xf32, 5 per token>
    ```

    Constraints:
    - (C1) both have the same number of experts and element type, and numbers of
      tokens that can be equal
  }];
  let arguments = (ins Sluice_GatesType:$a, Sluice_GatesType:$b);
  let results = (outs Sluice_GatesType:$result);
  let assemblyFormat = [{
    $a `,` $b attr-dict `:` qualified(type($a)) `,` qualified(type($b))
  }];
}

def Sluice_FilterOp : Sluice_Op<"filter", [
    Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "drops the entries where a mask is false";
  let description = [{
    Keeps an entry (t, e) if the mask is true there. The mask is repeated to
    tokens x experts as `sluice.broadcast` does: [E] speaks of experts, [T, 1] of
    tokens, [T, E] of entries. Slots stay in place.

    ```mlir
    // Text tokens only (Ernie 4.5 VL).
    %gt = sluice.filter %g where %is_text
      : !sluice.gates<?x8xf32, 3 per token>, tensor<?x1xi1>
    ```

    Constraints:
    - (C1) aligned at the end with [T, E], each dimension of the mask is 1 or
      that one
  }];
  let arguments = (ins Sluice_GatesType:$input,
                       TensorRankOf<[I1], [1, 2]>:$mask);
  let results = (outs Sluice_GatesType:$result);
  let assemblyFormat = [{
    $input `where` $mask attr-dict `:` qualified(type($input)) `,` type($mask)
  }];
  let hasVerifier = 1;
}

def Sluice_LimitOp : Sluice_Op<"limit", [
    Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "drops the entries beyond each expert's capacity";
  let description = [{
    Each expert keeps its first `capacity` entries. Entries come one after the
    other `by choice` (all first slots, then all second ones: ST-MoE, NLLB) or
    `by token` (a token's slots together), tokens in order or, with `priority`,
    by falling priority, compared as in `sluice.topk` (batch-prioritised
    routing). Slots stay in place; a capacity below 0 counts as 0.

    A router that sees other tokens: a token's result depends on those before.

    ```mlir
    %k = sluice.limit %g, %c by choice : !sluice.gates<?x8xf32, 2 per token>
    %k = sluice.limit %g, %c by token priority %p
      : !sluice.gates<?x8xf32, 2 per token>, tensor<?x1xf32>
    ```

    Constraints:
    - (C1) the gates are bounded per token
    - (C2) `priority` is a column with a row for each token
  }];
  let arguments = (ins Sluice_GatesPerToken:$input, Index:$capacity,
                       Sluice_LimitOrderAttr:$order,
                       Optional<Sluice_FloatMatrix>:$priority);
  let results = (outs Sluice_GatesType:$result);
  let assemblyFormat = [{
    $input `,` $capacity `by` $order (`priority` $priority^)? attr-dict
    `:` qualified(type($input)) (`,` type($priority)^)?
  }];
  let hasVerifier = 1;
}

def Sluice_CapacityOp : Sluice_Op<"capacity", [Pure]> {
  let summary = "how many tokens an expert has room for";
  let description = [{
    With T rows and E columns of `tokens`,

        factor f:    max(round(f * T / E), min)
        fraction f:  max(round(f * T), min)

    in float64, rounded as said: `floor` (Mesh TensorFlow), `nearest`, halves to
    even (T5X), or `ceil` (NLLB); at most 2^62, more than any number of tokens.

    ```mlir
    %c = sluice.capacity of %p factor 1.25 floor min 4 : tensor<?x64xf32>
    %c = sluice.capacity of %p fraction 0.17 ceil min 0 : tensor<?x7xf32>
    ```

    Constraints:
    - (C1) the number of columns is static and at least 1
    - (C2) the number is finite and not negative
    - (C3) `min` is not negative
  }];
  let arguments = (ins Sluice_FloatMatrix:$tokens,
                       Sluice_CapacityKindAttr:$kind, F64Attr:$number,
                       Sluice_RoundingAttr:$rounding, I64Attr:$min);
  let results = (outs Index:$result);
  let assemblyFormat = [{
    `of` $tokens $kind $number $rounding `min` $min attr-dict `:` type($tokens)
  }];
  let hasVerifier = 1;
}

#endif // SLUICE_GATES_OPS_TD
