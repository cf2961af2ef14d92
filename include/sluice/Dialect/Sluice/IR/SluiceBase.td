//===- SluiceBase.td - The dialect, its types and enums ---*- tablegen -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_BASE_TD
#define SLUICE_BASE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Sluice_Dialect : Dialect {
  let name = "sluice";
  let cppNamespace = "::sluice";
  let summary = "conditional computation: routers, gates and experts";
  let description = [{
    The `sluice` dialect represents networks in which a router decides, per
    token, which experts run. One type stands for a routing decision (`gates`,
    a sparse tokens x experts matrix), a family of ops makes and transforms
    gates, and ops with regions consume them.

    Two levels share the dialect. At the *model level* (`experts` and the ops
    around it) a file reads like a paper. At the *plan level* (`plan` and
    `grouped`) the order in which experts run over which tokens is explicit.
    See `docs/Rationale.md` for the reasons.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"
  ];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
}

//===----------------------------------------------------------------------===//
// Enums
//===----------------------------------------------------------------------===//

class Sluice_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::sluice";
  let genSpecializedAttr = 0;
}

class Sluice_EnumAttr<EnumAttrInfo info, string mnemonic>
    : EnumAttr<Sluice_Dialect, info, mnemonic> {
  let assemblyFormat = "$value";
}

def Sluice_Bound : Sluice_Enum<"Bound", "what bounds the entries of gates", [
  I32EnumAttrCase<"None", 0, "none">,
  I32EnumAttrCase<"PerToken", 1, "token">,
  I32EnumAttrCase<"PerExpert", 2, "expert">]>;

def Sluice_Layout : Sluice_Enum<"Layout", "order of a weight's two dimensions", [
  I32EnumAttrCase<"OutIn", 0, "out_in">,
  I32EnumAttrCase<"InOut", 1, "in_out">,
  I32EnumAttrCase<"Panels", 2, "panels">]>;
def Sluice_LayoutAttr : Sluice_EnumAttr<Sluice_Layout, "layout">;

def Sluice_PanelsAttr : AttrDef<Sluice_Dialect, "Panels"> {
  let mnemonic = "panels";
  let summary = "how a matrix is packed for products";
  let description = [{
    A matrix M of O outputs and I inputs, in `layout` [out, in] or [in, out],
    becomes panels of `width` outputs each, [ceil(O / width), I, width]:

        packed[p, i, c] = M of output p * width + c and input i; 0 beyond O

    so that a product reads a panel from its beginning to its end, whatever the
    number of rows. Dimensions before the matrix stay as they are.

    - `by n` puts n consecutive inputs of an output side by side, as instructions
      take them that multiply and add neighbours:
      [ceil(O / width), ceil(I / n), width, n]

          packed[p, i, c, j] = M of output p * width + c and input i * n + j

      and 0 beyond I, for types of floats only: what a 0 among other numbers means
      depends on their zero points, so I is a multiple of n there.
    - `bits 4`: a byte of the file holds two numbers of 4 bits, neighbours along its
      last dimension, the first one in the low half. With n inputs side by side, the
      low halves are the first n of 2 n inputs, the high halves the others:
      [ceil(O / width), I / 2 n, width, n] bytes, without the last dimension if
      n is 1. I counts the numbers that the bytes have room for.
    - `dims d`: the matrix is the last d dimensions, of which all but the first are
      inputs, flattened.

    ```mlir
    sluice.weight @up "experts.{e}.up_proj.weight"
      : tensor<64x1000x2048xf32> in #sluice.panels<16 of out_in>
    // its value: tensor<64x63x2048x16xf32>
    sluice.weight @down "experts.{e}.down_proj.weight"
      : tensor<64x2048x1001xbf16> in #sluice.panels<16 of out_in by 2>
    // its value: tensor<64x128x501x16x2xbf16>
    sluice.weight @blocks "mlp.experts.gate_up_proj_blocks"
      : tensor<32x5760x90x16xi8> in #sluice.panels<16 of out_in by 4 bits 4 dims 3>
    // its value: tensor<32x360x360x16x4xi8>
    ```
  }];
  let parameters = (ins "int64_t":$width, EnumParameter<Sluice_Layout>:$layout,
                        DefaultValuedParameter<"int64_t", "1">:$interleave,
                        DefaultValuedParameter<"int64_t", "0">:$bits,
                        DefaultValuedParameter<"int64_t", "2">:$dims);
  let assemblyFormat = [{
    `<` $width `of` $layout (`by` $interleave^)? (`bits` $bits^)?
    (`dims` $dims^)? `>`
  }];
  let builders = [
    AttrBuilder<(ins "int64_t":$width, "::sluice::Layout":$layout), [{
      return $_get($_ctxt, width, layout, 1, 0, 2);
    }]>
  ];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Numbers in a byte, or 1 for whole elements.
    int64_t getNumbersPerElement() const { return getBits() == 4 ? 2 : 1; }
    /// The outputs and inputs of a matrix, or stack of matrices, of type `type`.
    std::pair<int64_t, int64_t> getMatrix(::mlir::RankedTensorType type);
    /// The type of a packed matrix, or stack of matrices, of type `type`.
    ::mlir::RankedTensorType getPackedType(::mlir::RankedTensorType type);
    /// What is in the way of packing `type`; empty if nothing is.
    std::string findObstacle(::mlir::RankedTensorType type);
  }];
}

def Sluice_GeluKind : Sluice_Enum<"GeluKind", "which GELU", [
  I32EnumAttrCase<"Erf", 0, "erf">,
  I32EnumAttrCase<"Tanh", 1, "tanh">]>;
def Sluice_GeluKindAttr : Sluice_EnumAttr<Sluice_GeluKind, "gelu_kind">;

def Sluice_GroupScore : Sluice_Enum<"GroupScore", "a group's own score", [
  I32EnumAttrCase<"Max", 0, "max">,
  I32EnumAttrCase<"Top2Sum", 1, "top2_sum">]>;
def Sluice_GroupScoreAttr : Sluice_EnumAttr<Sluice_GroupScore, "group_score">;

def Sluice_MaskValue : Sluice_Enum<"MaskValue", "what a masked score becomes", [
  I32EnumAttrCase<"NegInf", 0, "neg_inf">,
  I32EnumAttrCase<"Zero", 1, "zero">]>;
def Sluice_MaskValueAttr : Sluice_EnumAttr<Sluice_MaskValue, "mask_value">;

def Sluice_Combine : Sluice_Enum<"Combine", "how experts' outputs join", [
  I32EnumAttrCase<"Sum", 0, "sum">,
  I32EnumAttrCase<"Replace", 1, "replace">]>;
def Sluice_CombineAttr : Sluice_EnumAttr<Sluice_Combine, "combine">;

def Sluice_WeightOn : Sluice_Enum<"WeightOn", "where a gate's value is applied", [
  I32EnumAttrCase<"Output", 0, "output">,
  I32EnumAttrCase<"Input", 1, "input">,
  I32EnumAttrCase<"Nothing", 2, "none">]>;
def Sluice_WeightOnAttr : Sluice_EnumAttr<Sluice_WeightOn, "weight_on">;

def Sluice_LimitOrder : Sluice_Enum<"LimitOrder", "which entries come first", [
  I32EnumAttrCase<"Choice", 0, "choice">,
  I32EnumAttrCase<"Token", 1, "token">]>;
def Sluice_LimitOrderAttr : Sluice_EnumAttr<Sluice_LimitOrder, "limit_order">;

def Sluice_CapacityKind : Sluice_Enum<"CapacityKind", "of what a share", [
  I32EnumAttrCase<"Factor", 0, "factor">,
  I32EnumAttrCase<"Fraction", 1, "fraction">]>;
def Sluice_CapacityKindAttr
    : Sluice_EnumAttr<Sluice_CapacityKind, "capacity_kind">;

def Sluice_Rounding : Sluice_Enum<"Rounding", "how a number becomes whole", [
  I32EnumAttrCase<"Floor", 0, "floor">,
  I32EnumAttrCase<"Nearest", 1, "nearest">,
  I32EnumAttrCase<"Ceil", 2, "ceil">]>;
def Sluice_RoundingAttr : Sluice_EnumAttr<Sluice_Rounding, "rounding">;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

def Sluice_GatesType : TypeDef<Sluice_Dialect, "Gates"> {
  let mnemonic = "gates";
  let summary = "a routing decision: a sparse tokens x experts matrix";
  let description = [{
    **A routing decision is a sparse matrix.** For T tokens and E experts,
    `!sluice.gates<TxExf32>` holds entries (t, e, v): expert e runs for token t,
    and v is its weight. Everything that the literature calls conditional
    computation is this matrix made by another router, consumed by another
    expert body, joined by another combine:

        Y[t] = combine over the entries (t, e, v) of G of  v * f_e(X[t]).

    *Presence* is what costs: an entry that is present runs its expert even if
    its value is 0 or NaN; an entry that is absent never does, and no value
    stands for absence. Normalising, scaling or squashing values never changes
    presence.

    *Value* is a number of the element type. An op that weighs by gates
    multiplies by it; an op that does not (`weight none`) reads presence only.

    *Order*: a token's entries are ordered, the most important first: the order
    in which the router chose them. `sluice.entries` shows it; `sluice.experts`
    adds in increasing expert number instead, so that a change of order that
    keeps the set never changes a sum.

    The *bound* stands in the type, because it is what memory is reserved for
    and what plans are made from:

    | written | at most |
    |---|---|
    | `!sluice.gates<?x64xf32, 8 per token>` | 8 entries in each row: top-k routers |
    | `!sluice.gates<?x64xf32, 7 per expert>` | 7 entries in each column: expert choice; `? per expert` when the capacity depends on the number of tokens |
    | `!sluice.gates<?x64xf32>` | nothing is promised: thresholds |

    With `k per token` every token has k ordered *slots*, each present or
    absent. T may be dynamic (`?`) and may be 0; E is static and at least 1.

    Why a type of its own and not two tensors (indices and values): the bound,
    the number of experts and the meaning of absence would live in conventions
    between ops; passes that know nothing about the router that made G could
    not check any of them. `docs/Rationale.md` compares the alternatives.

    Constraints:
    - (C1) the number of tokens is dynamic or at least 0
    - (C2) the number of experts is static and at least 1
    - (C3) the element type is f16, bf16, f32 or f64
    - (C4) `k per token`: k is static and 1 <= k <= E
    - (C5) `c per expert`: c is dynamic or at least 1
    - (C6) static numbers of tokens and of experts are below 2^31, so that slots
      can be counted
  }];
  let parameters = (ins "int64_t":$tokens, "int64_t":$experts,
                        "::mlir::Type":$elementType,
                        "::sluice::Bound":$bound, "int64_t":$count);
  let builders = [
    TypeBuilderWithInferredContext<(ins "int64_t":$tokens, "int64_t":$experts,
        "::mlir::Type":$elementType, "int64_t":$perToken), [{
      return $_get(elementType.getContext(), tokens, experts, elementType,
                   Bound::PerToken, perToken);
    }]>
  ];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// True if every token has a static number of slots.
    bool isPerToken() const { return getBound() == Bound::PerToken; }
    bool hasDynamicTokens() const {
      return ::mlir::ShapedType::isDynamic(getTokens());
    }
    /// How many slots a token has where gates are laid out token by token: the
    /// bound, or one for each expert if there is none.
    int64_t getSlots() const { return isPerToken() ? getCount() : getExperts(); }
    /// The same routing decision with values of another type.
    GatesType withElementType(::mlir::Type type) const {
      return get(getContext(), getTokens(), getExperts(), type, getBound(),
                 getCount());
    }
  }];
}

def Sluice_GatesPerToken : Type<
    And<[Sluice_GatesType.predicate,
         CPred<"::llvm::cast<::sluice::GatesType>($_self).isPerToken()">]>,
    "gates with a bound per token", "::sluice::GatesType">;

def Sluice_Float : AnyTypeOf<[F16, BF16, F32, F64],
                             "f16, bf16, f32 or f64">;
def Sluice_FloatTensor : RankedTensorOf<[Sluice_Float]>;
def Sluice_FloatMatrix : TensorRankOf<[Sluice_Float], [2]>;
def Sluice_FloatVector : TensorRankOf<[Sluice_Float], [1]>;
def Sluice_Element : AnyTypeOf<[Sluice_Float, I1, I8, I32, I64, Index],
                               "f16, bf16, f32, f64, i1, i8, i32, i64 or index">;
def Sluice_Stored : AnyTypeOf<[Sluice_Float, I8, I32, I64],
                              "f16, bf16, f32, f64, i8, i32 or i64">;
def Sluice_StoredTensor : RankedTensorOf<[Sluice_Stored]>;
def Sluice_AnyTensor : RankedTensorOf<[Sluice_Element]>;
def Sluice_ElementOrTensor : AnyTypeOf<[Sluice_Element, Sluice_AnyTensor],
                                       "a number or a tensor of numbers">;
def Sluice_FloatTensorOrGates : AnyTypeOf<[Sluice_FloatTensor, Sluice_GatesType],
                                "a tensor of floats or gates">;

#endif // SLUICE_BASE_TD
