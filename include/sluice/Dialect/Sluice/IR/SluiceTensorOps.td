//===- SluiceTensorOps.td - Products, activations and shapes in value semantics ---*- tablegen -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TENSOR_OPS_TD
#define SLUICE_TENSOR_OPS_TD

include "mlir/Interfaces/InferTypeOpInterface.td"
include "sluice/Dialect/Sluice/IR/SluiceOpBase.td"

def Sluice_LinearOp : Sluice_Op<"linear", [Pure]> {
  let summary = "a product with a weight matrix, one row a token";
  let description = [{
    With `layout out_in` (the default, as torch.nn.Linear stores it)

        result[t, o] = sum_i input[t, i] * weight[o, i] (+ bias[o])

    and with `layout in_out` `weight[i, o]` in place of `weight[o, i]`; with
    `layout panels` the weight is packed (`#sluice.panels`, made by
    `sluice-pack-weights`), `weight[o / w, i, o mod w]`, or, `by n`,
    `weight[o / w, i / n, o mod w, i mod n]`. Products
    are added in at least f32, whatever the operands' types; the bias is added
    to that sum; the result is rounded once, to the result's element type. So a
    router that computes its logits in f32 from bf16 activations says so by an
    f32 result.

    Where input and weight are bf16, a processor's dot products of bf16 compute
    the sum, if it has any. They take what is below f32's smallest normal number
    for 0 and have roundings of their own, within the bound of other sums (on
    AArch64 twice that). Inputs of other types are never rounded: a model that
    wants such a product says so by `arith.truncf`.

    `linalg.matmul` does the same product on destinations that somebody has to
    make and fill; at the model level there are only values.

    ```mlir
    %l = sluice.linear %x, %w
      : (tensor<?x2048xbf16>, tensor<64x2048xbf16>) -> tensor<?x64xf32>
    %h = sluice.linear %x, %w bias %b layout in_out
      : (tensor<?x64xf32>, tensor<64x96xf32>, tensor<96xf32>) -> tensor<?x96xf32>
    ```

    Constraints:
    - (C1) the last dimension of `input` equals the weight's `in` dimension; of
      panels `by n`, it is static and takes their lines of n, the last one perhaps
      not filled
    - (C2) the last dimension of `result` equals the weight's `out` dimension; of
      panels, it is static and takes their number, the last one perhaps not filled
    - (C3) `input` and `result` have the same number of rows
    - (C4) `bias` has as many elements as the weight's `out` dimension
    - (C5) the weight has 3 dimensions, all static, if it is in panels, 4 if these
      are `by n`; otherwise 2
  }];
  let arguments = (ins Sluice_FloatMatrix:$input,
                       TensorRankOf<[Sluice_Float], [2, 3, 4]>:$weight,
                       Optional<Sluice_FloatVector>:$bias,
                       DefaultValuedAttr<Sluice_LayoutAttr,
                         "::sluice::Layout::OutIn">:$layout);
  let results = (outs Sluice_FloatMatrix:$result);
  let assemblyFormat = [{
    $input `,` $weight (`bias` $bias^)? (`layout` $layout^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The weight's dimension that is summed over; in panels, that of lines.
    unsigned getInDim() { return getLayout() == Layout::InOut ? 0 : 1; }
    /// How many inputs lie side by side in a line: 1 but for panels `by n`.
    int64_t getInterleave() {
      auto type = ::llvm::cast<::mlir::RankedTensorType>(getWeight().getType());
      return type.getRank() == 4 ? type.getDimSize(3) : 1;
    }
    /// Of a weight that is not in panels.
    unsigned getOutDim() { return 1 - getInDim(); }
  }];
}

class Sluice_UnaryOp<string mnemonic, list<Trait> traits = []>
    : Sluice_Op<mnemonic, !listconcat([Pure, SameOperandsAndResultType], traits)> {
  let arguments = (ins Sluice_FloatTensorOrGates:$input);
  let results = (outs Sluice_FloatTensorOrGates:$result);
  let assemblyFormat = "$input attr-dict `:` type($result)";
}

def Sluice_SigmoidOp : Sluice_UnaryOp<"sigmoid"> {
  let summary = "computes 1 / (1 + exp(-x)), element by element";
  let description = [{
    On gates it maps the values of the present entries. Computed in at least
    f32, rounded once.

    ```mlir
    %s = sluice.sigmoid %l : tensor<?x64xf32>
    %h = sluice.sigmoid %g : !sluice.gates<?x64xf32, 1 per token>
    ```
  }];
}

def Sluice_SoftplusOp : Sluice_UnaryOp<"softplus"> {
  let summary = "computes log(1 + exp(x)), element by element";
  let description = [{
    Computed as max(x, 0) + log1p(exp(-|x|)), in at least f32; never overflows.
    DeepSeek-V4's score is `math.sqrt` of it. On gates it maps the values of the
    present entries.

    ```mlir
    %s = sluice.softplus %l : tensor<?x64xf32>
    ```
  }];
}

def Sluice_SiluOp : Sluice_UnaryOp<"silu"> {
  let summary = "computes x / (1 + exp(-x)), element by element";
  let description = [{
    Also called swish. Computed in at least f32, rounded once. -inf gives NaN,
    as in the formula.

    ```mlir
    %h = sluice.silu %a : tensor<?x1024xf32>
    ```
  }];
}

def Sluice_ReluOp : Sluice_UnaryOp<"relu", [Idempotent]> {
  let summary = "replaces negative numbers by 0, element by element; NaN stays NaN";
  let description = [{
    ```mlir
    %h = sluice.relu %a : tensor<?x3072xf32>
    ```
  }];
}

def Sluice_GeluOp : Sluice_Op<"gelu", [Pure, SameOperandsAndResultType]> {
  let summary = "the Gaussian error linear unit, element by element";
  let description = [{
    `erf`: x/2 (1 + erf(x / sqrt 2)). `tanh`: x/2 (1 + tanh(sqrt(2/pi) (x +
    0.044715 x^3))). Models mean one or the other; none is the default.
    Computed in at least f32, rounded once.

    ```mlir
    %h = sluice.gelu %a tanh : tensor<?x80xf32>
    ```
  }];
  let arguments = (ins Sluice_FloatTensorOrGates:$input,
                       Sluice_GeluKindAttr:$kind);
  let results = (outs Sluice_FloatTensorOrGates:$result);
  let assemblyFormat = "$input $kind attr-dict `:` type($result)";
}

def Sluice_ClampOp : Sluice_Op<"clamp", [Pure, SameOperandsAndResultType]> {
  let summary = "limits values from below, from above, or both";
  let description = [{
    result = minimum(maximum(x, min), max), element by element, with the bounds
    that are given; NaN stays NaN. The bounds are rounded to the element type.

    ```mlir
    %g1 = sluice.clamp %g max 7.0 : tensor<?x48xf32>
    %u1 = sluice.clamp %u min -7.0 max 7.0 : tensor<?x48xf32>
    ```

    Constraints:
    - (C1) at least one of `min` and `max` is given
    - (C2) neither is NaN, and `min` <= `max`
  }];
  let arguments = (ins Sluice_FloatTensorOrGates:$input,
                       OptionalAttr<F64Attr>:$min, OptionalAttr<F64Attr>:$max);
  let results = (outs Sluice_FloatTensorOrGates:$result);
  let assemblyFormat = [{
    $input (`min` $min^)? (`max` $max^)? attr-dict `:` type($result)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Sluice_SoftmaxOp : Sluice_Op<"softmax", [Pure, SameOperandsAndResultType]> {
  let summary = "softmax over all experts, or over the chosen ones";
  let description = [{
    On a tensor, along the last dimension: exp(x - max) / sum exp(x - max). On
    gates, over the present entries of each token: softmax *after* selection. A
    token without entries has none afterwards. Computed in at least f32 whatever
    the element type, rounded once. A NaN or a +inf in a row makes the row NaN;
    so does a row of nothing but -inf.

    ```mlir
    %p = sluice.softmax %l : tensor<?x64xf32>
    %w = sluice.softmax %g : !sluice.gates<?x64xf32, 8 per token>
    ```

    Constraints:
    - (C1) a tensor has at least one dimension
  }];
  let arguments = (ins Sluice_FloatTensorOrGates:$input);
  let results = (outs Sluice_FloatTensorOrGates:$result);
  let assemblyFormat = "$input attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Sluice_RMSNormOp : Sluice_Op<"rms_norm", [
    Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "divides each row by its root mean square";
  let description = [{
    Along the last dimension, x / sqrt(mean(x^2) + eps), times `gain` if there is
    one (arXiv 1910.07467). Computed in at least f32, rounded once.

    ```mlir
    %n = sluice.rms_norm %x eps 1.0e-6 : tensor<?x64xf32>
    %n = sluice.rms_norm %x eps 1.0e-6 gain %w : tensor<?x64xf32>, tensor<64xf32>
    ```

    Constraints:
    - (C1) `input` has at least one dimension, and its last one is static and
      not 0
    - (C2) `gain` has as many elements as the last dimension
    - (C3) `eps` is finite and not negative
  }];
  let arguments = (ins Sluice_FloatTensor:$input, F64Attr:$eps,
                       Optional<Sluice_FloatVector>:$gain);
  let results = (outs Sluice_FloatTensor:$result);
  let assemblyFormat = [{
    $input `eps` $eps (`gain` $gain^)? attr-dict
    `:` type($input) (`,` type($gain)^)?
  }];
  let hasVerifier = 1;
}

def Sluice_BroadcastOp : Sluice_Op<"broadcast",
    [Pure, InferTypeOpAdaptor]> {
  let summary = "repeats a number, a vector or a column to another's shape";
  let description = [{
    Repeats `source` to the shape of `like` as numpy does: dimensions are
    aligned at the end; a missing one and one of size 1 are repeated. The result
    has the shape of `like` and the element type of `source`; the elements of
    `like` are not read. With it the elementwise ops of `arith` and `math` take
    biases, constants and per-token factors, whatever the number of tokens.
    (`linalg.broadcast` and `tensor.splat` want the sizes as operands.)

    ```mlir
    %b = sluice.broadcast %bias like %s : tensor<64xf32>, tensor<?x64xf32>
    %c = sluice.broadcast %one  like %u : f32, tensor<?x48xf32>
    %w = sluice.broadcast %gate like %y : tensor<?x1xf32>, tensor<?x56xf32>
    ```

    Constraints:
    - (C1) `source` has no more dimensions than `like`
    - (C2) aligned at the end, a dimension of `source` is 1 or that of `like`;
      a dynamic one is compatible with a dynamic one only
  }];
  let arguments = (ins Sluice_ElementOrTensor:$source, AnyRankedTensor:$like);
  let results = (outs Sluice_AnyTensor:$result);
  let assemblyFormat =
      "$source `like` $like attr-dict `:` type($source) `,` type($like)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Sluice_SplitOp : Sluice_Op<"split",
    [Pure, InferTypeOpAdaptor]> {
  let summary = "cuts the last dimension into equal parts";
  let description = [{
    Cuts the last dimension, of size n * m, into n results of size m. Part p
    has the elements p * m + i, or, if `interleaved`, i * n + p. Checkpoints
    that store gate and up in one tensor need one or the other: GraniteMoE's
    halves, gpt-oss's alternating columns.

    ```mlir
    %g, %u = sluice.split %h : tensor<?x96xf32> into 2
    %g, %u = sluice.split %h interleaved : tensor<?x96xf32> into 2
    ```

    Constraints:
    - (C1) `input` has at least one dimension, and its last one is static
    - (C2) `parts` is at least 1 and divides it
    - (C3) there are at most 1024 parts
  }];
  let arguments = (ins Sluice_FloatTensor:$input, UnitAttr:$interleaved,
                       ConfinedAttr<I64Attr, [IntMinValue<1>]>:$parts);
  let results = (outs Variadic<Sluice_FloatTensor>:$results);
  let assemblyFormat = [{
    $input (`interleaved` $interleaved^)? attr-dict `:` type($input)
    `into` $parts
  }];
  let hasVerifier = 1;
}

#endif // SLUICE_TENSOR_OPS_TD
