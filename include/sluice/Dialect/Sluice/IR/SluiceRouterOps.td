//===- SluiceRouterOps.td - Ops that make gates and the algebra on them ---*- tablegen -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_ROUTER_OPS_TD
#define SLUICE_ROUTER_OPS_TD

include "mlir/Interfaces/InferTypeOpInterface.td"
include "sluice/Dialect/Sluice/IR/SluiceOpBase.td"

// The order by which every selection compares scores; said once, meant by all.
//
// Larger first. Equal scores: the lower index first; -0.0 equals 0.0. NaN is
// larger than +inf and equal to NaN (what torch.topk does), so that a broken
// router shows. -inf is a score like any other.

def Sluice_TopKOp : Sluice_Op<"topk",
    [Pure, InferTypeOpAdaptor]> {
  let summary = "each token chooses the k experts with the largest scores";
  let description = [{
    For each row t of `scores`, the k largest entries become the token's
    entries, the largest first. Their values are taken from `weights` at the
    same places, or from `scores` if `weights` is absent: what selects and what
    weighs may differ (DeepSeek-V3 selects by biased scores and weighs by plain
    ones).

    Larger scores come first; equal scores (-0.0 equals 0.0): the lower expert
    number; NaN ranks above +inf and equal to NaN; -inf is a score like any
    other. All k slots of every token are present.

    The result's element type is that of the operand that weighs.

    ```mlir
    // Mixtral: softmax, then the two largest.
    %g = sluice.topk %p, 2 : tensor<?x8xf32>
    // DeepSeek-V3: chosen by %c, weighed by %s.
    %g = sluice.topk %c, 8 weights %s : tensor<?x256xf32>, tensor<?x256xf32>
    ```

    Constraints:
    - (C1) the number of experts (columns of `scores`) is static
    - (C2) 1 <= k <= the number of experts
    - (C3) `weights` has the shape of `scores`

    Invalid, because there are only 4 experts to choose from:
    ```mlir
    %g = sluice.topk %p, 5 : tensor<?x4xf32>
    ```
  }];
  let arguments = (ins Sluice_FloatMatrix:$scores,
                       ConfinedAttr<I64Attr, [IntMinValue<1>]>:$k,
                       Optional<Sluice_FloatMatrix>:$weights);
  let results = (outs Sluice_GatesType:$gates);
  let assemblyFormat = [{
    $scores `,` $k (`weights` $weights^)? attr-dict
    `:` type($scores) (`,` type($weights)^)?
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    /// The operand whose elements become the values of the gates.
    ::mlir::TypedValue<::mlir::RankedTensorType> getWeighing() {
      return getWeights() ? getWeights() : getScores();
    }
  }];
}

def Sluice_AlwaysOp : Sluice_Op<"always",
    [Pure, InferTypeOpAdaptor]> {
  let summary = "every token goes to the same, listed experts";
  let description = [{
    Static routing: every token has an entry for each expert of the list, in
    that order, with the value weights[t, expert]. A choice of all experts
    (k = E) is this op with the list 0 .. E-1, and so is a shared expert that
    takes part in a normalisation.

    ```mlir
    %g = sluice.always %p, [0, 1, 2] : tensor<?x3xf32>
    ```

    Constraints:
    - (C1) the number of experts (columns of `weights`) is static
    - (C2) the list is not empty, names experts that exist, and none twice
  }];
  let arguments = (ins Sluice_FloatMatrix:$weights, DenseI64ArrayAttr:$experts);
  let results = (outs Sluice_GatesType:$gates);
  let assemblyFormat = "$weights `,` $experts attr-dict `:` type($weights)";
  let hasVerifier = 1;
}

def Sluice_KeepGroupsOp : Sluice_Op<"keep_groups",
    [Pure, AllTypesMatch<["scores", "result"]>]> {
  let summary = "masks the scores of all but the best groups of experts";
  let description = [{
    The experts form `groups` groups of equal size, neighbours together. A
    group's score is its largest entry (`max`, DeepSeek-V2) or the sum of its
    two largest (`top2_sum`, DeepSeek-V3). For each token the `keep` best groups
    keep their entries; all entries of the others become -inf (`neg_inf`) or 0.0
    (`zero`: earlier DeepSeek code; another choice where kept scores are
    negative). Groups compare as scores do in `sluice.topk`: ties to the lower
    group, NaN above all. Sums of two are rounded to the element type (at least
    f32).

    ```mlir
    %m = sluice.keep_groups %c, 4 of 8 by top2_sum masked neg_inf : tensor<?x256xf32>
    ```

    Constraints:
    - (C1) the number of experts (columns) is static, and `groups` divides it
    - (C2) 1 <= `keep` <= `groups`
    - (C3) by `top2_sum`: groups have at least 2 experts
  }];
  let arguments = (ins Sluice_FloatMatrix:$scores,
                       ConfinedAttr<I64Attr, [IntMinValue<1>]>:$keep,
                       ConfinedAttr<I64Attr, [IntMinValue<1>]>:$groups,
                       Sluice_GroupScoreAttr:$group_score,
                       Sluice_MaskValueAttr:$masked);
  let results = (outs Sluice_FloatMatrix:$result);
  let assemblyFormat = [{
    $scores `,` $keep `of` $groups `by` $group_score `masked` $masked attr-dict
    `:` type($scores)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Sluice_NormalizeOp : Sluice_Op<"normalize", [Pure, SameOperandsAndResultType]> {
  let summary = "divides each token's values by their norm";
  let description = [{
    For each token, over its present entries,

        v  ->  v / max(N + eps, min),    N = sum v              (no `p`)
                                         N = (sum |v|^p)^(1/p)  (`p` given)

    `p inf` is written `p 0x7FF0000000000000` and means the largest |v|. `min`
    left out: no lower bound. A norm of 0 divides by 0 as IEEE arithmetic does
    (NaN or infinity); `eps` and `min` are there to prevent it. Computed in at
    least f32; sums in order of the entries.

    | model | written |
    |---|---|
    | Mixtral | `sluice.normalize %g` |
    | DeepSeek-V3 | `sluice.normalize %g eps 1e-20` |
    | Ernie 4.5 | `sluice.normalize %g min 1e-12` |
    | DBRX | `sluice.normalize %g p 1.0` |

    ```mlir
    %n = sluice.normalize %g eps 1.0e-20 : !sluice.gates<?x256xf32, 8 per token>
    ```

    Constraints:
    - (C1) `p` is at least 1 (infinity is one)
    - (C2) `eps` is finite and not negative
    - (C3) `min` is finite and positive
  }];
  let arguments = (ins Sluice_GatesType:$input, OptionalAttr<F64Attr>:$p,
                       OptionalAttr<F64Attr>:$eps, OptionalAttr<F64Attr>:$min);
  let results = (outs Sluice_GatesType:$result);
  let assemblyFormat = [{
    $input (`p` $p^)? (`eps` $eps^)? (`min` $min^)? attr-dict
    `:` qualified(type($result))
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    /// eps as a number; 0 if left out.
    double getEpsValue() {
      return getEps() ? getEps()->convertToDouble() : 0.0;
    }
    /// True if the result's values add up to 1 whatever is normalised: a plain
    /// sum, nothing added to it, no lower bound.
    bool isExactSum() {
      return !getP() && getEpsValue() == 0.0 && !getMin();
    }
  }];
}

def Sluice_ScaleByOp : Sluice_Op<"scale_by", [
    Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "multiplies the values of gates by a tensor";
  let description = [{
    v -> v * factor at (t, e) for each present entry. The factors are repeated
    to tokens x experts as `sluice.broadcast` does: [E] per expert (Gemma 4), [1]
    learned and global (Inkling), [T, 1] per token, [T, E] per entry. Computed in
    at least f32, rounded once. Presence does not change.

    ```mlir
    %s = sluice.scale_by %g, %f : !sluice.gates<?x10xf32, 3 per token>, tensor<10xf32>
    ```

    Constraints:
    - (C1) aligned at the end with [T, E], each dimension of the factors is 1 or
      that one
  }];
  let arguments = (ins Sluice_GatesType:$input,
                       TensorRankOf<[Sluice_Float], [1, 2]>:$factor);
  let results = (outs Sluice_GatesType:$result);
  let assemblyFormat = [{
    $input `,` $factor attr-dict `:` qualified(type($input)) `,` type($factor)
  }];
  let hasVerifier = 1;
}

def Sluice_ScaleOp : Sluice_Op<"scale", [Pure, SameOperandsAndResultType]> {
  let summary = "multiplies the values of gates by a number";
  let description = [{
    v -> v * factor for each present entry (`routed_scaling_factor`). Presence
    does not change, not even by a factor of 0. The factor is rounded to the
    element type (at least f32).

    ```mlir
    %s = sluice.scale %g by 2.5 : !sluice.gates<?x256xf32, 8 per token>
    ```
  }];
  let arguments = (ins Sluice_GatesType:$input, F64Attr:$factor);
  let results = (outs Sluice_GatesType:$result);
  let assemblyFormat = "$input `by` $factor attr-dict `:` qualified(type($result))";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Sluice_EntriesOp : Sluice_Op<"entries",
    [Pure, InferTypeOpAdaptor]> {
  let summary = "the entries of gates as two tensors, in order";
  let description = [{
    indices[t, j] is the expert of token t's slot j and values[t, j] its value;
    an absent slot has index -1 and value 0. Slots are in the order in which the
    router chose: the most important first.

    ```mlir
    %i, %w = sluice.entries %g : !sluice.gates<?x64xf32, 8 per token>
    // tensor<?x8xi64>, tensor<?x8xf32>
    ```

    Constraints:
    - (C1) the gates are bounded per token
  }];
  let arguments = (ins Sluice_GatesPerToken:$gates);
  let results = (outs TensorRankOf<[I64], [2]>:$indices,
                      Sluice_FloatMatrix:$values);
  let assemblyFormat = "$gates attr-dict `:` qualified(type($gates))";
}

#endif // SLUICE_ROUTER_OPS_TD
