//===- SluiceQuantOps.td - Quantised numbers and how they are made ---*- tablegen -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_QUANT_OPS_TD
#define SLUICE_QUANT_OPS_TD

include "sluice/Dialect/Sluice/IR/SluiceOpBase.td"

/// Numbers are computed in f32, so none of them is wider.
def Sluice_NarrowFloatTensor : RankedTensorOf<[F16, BF16, F32]>;
def Sluice_ByteTensor : RankedTensorOf<[I8]>;
def Sluice_ScaleTensor : RankedTensorOf<[F16, BF16, F32, I8]>;
def Sluice_F32Tensor : RankedTensorOf<[F32]>;

def Sluice_QuantType : AnyTypeOf<
    [I8, UI8, I<4>, UI<4>, F4E2M1FN, F8E4M3FN, F8E5M2],
    "i8, ui8, i4, ui4, f4E2M1FN, f8E4M3FN or f8E5M2">;
def Sluice_ScaleType : Type<F8E8M0FNU.predicate, "f8E8M0FNU">;
def Sluice_RoundedType : AnyTypeOf<[I8, UI8], "i8 or ui8">;

/// C1 of both ops says how many there are.
def Sluice_BlocksAttr : ConfinedAttr<
    DenseI64ArrayAttr, [DenseArrayStrictlyPositive<DenseI64ArrayAttr>]>;

def Sluice_DequantizeOp : Sluice_Op<"dequantize", [Pure]> {
  let summary = "numbers from small integers or floats and a scale for each block";
  let description = [{
    `input` holds bytes that stand for small numbers q of the type after `as`; a
    block of `blocks` elements has one scale s and, with `minus`, one zero point
    z (otherwise 0):

        result[i] = (q[i] - z[b]) * s[b],  b[d] = i[d] floordiv blocks[d]

    computed in f32 and rounded once, to the result's type.

    | as | a number | bytes |
    |---|---|---|
    | `i8`, `ui8` | -128 to 127, 0 to 255 | one each |
    | `i4`, `ui4` | -8 to 7, 0 to 15 | one for two |
    | `f8E4M3FN` | 4 bits of exponent, 3 of fraction; largest 448, no infinity | one each |
    | `f8E5M2` | 5 bits of exponent, 2 of fraction; the upper half of an f16 | one each |
    | `f4E2M1FN` | 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives | one for two |

    *Two in a byte* are neighbours along the last dimension, the first one in the
    low four bits; where their number is odd, the high bits of the last byte are
    not read. The last dimension of `input` is then half as long. It may be cut
    into several, as files do that keep the bytes of a block together: only the
    product counts.

    *Scales* are f16, bf16, f32, or bytes `as f8E8M0FNU`: 2^(byte - 127), and NaN
    for 255. The last block of a dimension may be shorter than the others: a
    dimension of n elements has ceil(n / block) scales. A block as long as the
    dimension gives one scale for all of it.

    *Zero points* are integers of the type of `input`, one for each scale, and
    stored as it is: two in a byte along the last dimension if they have 4 bits.

    ```mlir
    // Groups of 32 along each row, with zero points.
    %w = sluice.dequantize %q as ui4 in blocks [1, 32] by %s minus %z
      : (tensor<1024x1024xi8>, tensor<1024x64xf32>, tensor<1024x32xi8>)
      -> tensor<1024x2048xf32>
    // gpt-oss as it is published, MXFP4: 90 blocks of 16 bytes.
    %g = sluice.dequantize %b as f4E2M1FN in blocks [1, 32] by %e as f8E8M0FNU
      : (tensor<5760x90x16xi8>, tensor<5760x90xi8>) -> tensor<5760x2880xbf16>
    // DeepSeek-V3's tiles; the file's "weight_scale_inv" is what multiplies.
    %d = sluice.dequantize %f as f8E4M3FN in blocks [128, 128] by %i
      : (tensor<2048x7168xi8>, tensor<16x56xf32>) -> tensor<2048x7168xf32>
    // One scale for each row.
    %r = sluice.dequantize %p as i8 in blocks [1, 2048] by %t
      : (tensor<64x2048xi8>, tensor<64x1xf16>) -> tensor<64x2048xf32>
    ```

    Where these come from: MXFP4 is the OCP Microscaling Formats (MX)
    Specification v1.0, sections 5.2 (blocks of 32), 5.3.3 (E2M1) and 5.4.1
    (E8M0); the order of the bytes is that of gpt-oss (arXiv 2508.10925),
    `..._blocks` and `..._scales`. The tiles are those of the DeepSeek-V3
    technical report (arXiv 2412.19437), section 3.3.2. GGML's Q8_0 is `i8` in
    blocks [1, 32] with f16 scales; its Q4_0 is `ui4` minus 8 in such blocks. GGML
    keeps a block's scale beside its numbers, and in Q4_0 element j beside j + 16:
    put into tensors of their own, in order, they are what this op reads.

    Constraints:
    - (C1) the result has at least one dimension, and `blocks` one size for each
      of them, which is 1 if the dimension is dynamic
    - (C2) `scales` has ceil(n / block) elements along each dimension
    - (C3) `scales` is of i8 with `as f8E8M0FNU`, and of floats without
    - (C4) `input` has the result's dimensions, the last one in bytes and perhaps
      cut into several
    - (C5) the result's last dimension is static if two elements are in a byte
      or `input` has more dimensions than the result
    - (C6) `zeros` is given for integers only, and stored as `input` is, with the
      dimensions of `scales`

    Invalid, because 2048 numbers of 4 bits take 1024 bytes:
    ```mlir
    %w = sluice.dequantize %q as ui4 in blocks [1, 32] by %s
      : (tensor<1024x2048xi8>, tensor<1024x64xf32>) -> tensor<1024x2048xf32>
    ```
  }];
  let arguments = (ins Sluice_ByteTensor:$input, Sluice_ScaleTensor:$scales,
                       Optional<Sluice_ByteTensor>:$zeros,
                       TypeAttrOf<Sluice_QuantType>:$element_type,
                       OptionalAttr<TypeAttrOf<Sluice_ScaleType>>:$scale_type,
                       Sluice_BlocksAttr:$blocks);
  let results = (outs Sluice_NarrowFloatTensor:$result);
  let assemblyFormat = [{
    $input `as` $element_type `in` `blocks` $blocks `by` $scales
    (`as` $scale_type^)? (`minus` $zeros^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    /// Two elements in a byte.
    bool isPacked() {
      return getElementType().getIntOrFloatBitWidth() == 4;
    }
  }];
}

def Sluice_QuantizeOp : Sluice_Op<"quantize", [Pure]> {
  let summary = "rounds numbers to small integers and a scale for each block";
  let description = [{
    The rounding of activations: a model file that says so lets compiled code
    multiply integers. Nothing is rounded that the file does not say. With x the
    numbers of a block of `blocks` elements, each operation rounded to f32 and in
    this order, `to i8` (symmetric, no zero points) gives

        m = max |x|,  s = m / 127,  r = 1 / s
        q = min(max(roundeven(x * r), -127), 127)

    and `to ui8` (with zero points)

        lo = min(x, 0),  hi = max(x, 0),  m = hi - lo,  s = m / 255,  r = 1 / s
        z = roundeven(-lo * r)
        q = min(max(roundeven(x * r) + z, 0), 255)

    with lo the smallest of the block and 0, hi the largest. roundeven rounds to
    the nearest integer, ties to even. If m is not finite (the block has a NaN or
    an infinity, or hi - lo is too large), s is NaN and q = z = 0: a broken input
    stays visible. If m is 0, or so small that r is not finite (m below about
    1e-36), s = 0 and q = z = 0.

    `sluice.dequantize` of the results, with the same blocks, gives the rounded
    numbers: within s / 2 of x, up to the roundings of f32, `to i8`, and s `to
    ui8`. The interpreter and compiled code give the same bits for the same x;
    an x that was computed may differ in its last bit between the two, and so
    may fall on the other side of a tie.

    ```mlir
    // Groups of 32 along each row.
    %q, %s = sluice.quantize %x to i8 in blocks [1, 32]
      : tensor<?x2048xf32> -> tensor<?x2048xi8>, tensor<?x64xf32>
    // A scale and a zero point for each row.
    %q, %s, %z = sluice.quantize %x to ui8 in blocks [1, 2048]
      : tensor<?x2048xf32> -> tensor<?x2048xi8>, tensor<?x1xf32>, tensor<?x1xi8>
    %r = sluice.dequantize %q as ui8 in blocks [1, 2048] by %s minus %z
      : (tensor<?x2048xi8>, tensor<?x1xf32>, tensor<?x1xi8>) -> tensor<?x2048xf32>
    ```

    This is the rounding of GGML's Q8_0 (symmetric, groups of 32), with scales
    kept in f32, and of the dynamic quantisation of ONNX
    (DynamicQuantizeLinear, asymmetric), by block instead of by tensor.

    Constraints:
    - (C1) `input` has at least one dimension, and `blocks` one size for each of
      them, which is 1 if the dimension is dynamic
    - (C2) `quantized` has the shape of `input`
    - (C3) `scales` has ceil(n / block) elements along each dimension
    - (C4) `zeros` is there `to ui8`, with the shape of `scales`, and not `to i8`
  }];
  let arguments = (ins Sluice_NarrowFloatTensor:$input,
                       TypeAttrOf<Sluice_RoundedType>:$element_type,
                       Sluice_BlocksAttr:$blocks);
  let results = (outs Sluice_ByteTensor:$quantized, Sluice_F32Tensor:$scales,
                      Optional<Sluice_ByteTensor>:$zeros);
  let assemblyFormat = [{
    $input `to` $element_type `in` `blocks` $blocks attr-dict
    `:` type($input) `->` type(results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Without zero points, `to i8`.
    bool isSymmetric() { return getElementType().isSignlessInteger(); }
  }];
}

def Sluice_QuantizedLinearOp : Sluice_Op<"quantized_linear",
    [Pure, AttrSizedOperandSegments]> {
  let summary = "a product of small numbers in panels, with scales for each block";
  let description = [{
    What `sluice-pack-weights` makes of a `sluice.linear` whose weight is
    `sluice.dequantize` of numbers in a file, and whose input perhaps is
    `sluice.dequantize` of what `sluice.quantize` gave:

        result[t, o] = sum over i of  x[t, i] * (q[o, i] - z[o, b]) * s[o, b]
        x[t, i] = input[t, i] * input_scales[t, i / input_block],  b = i / block

    or x = input where that is a float. `weight`, `scales` and `zeros` are in
    panels of 16 outputs (`#sluice.panels`): numbers `by 4`, so that four inputs of
    an output lie side by side, scales and zero points for one block after the
    other. Numbers of 4 bits are in both halves of each byte, as are zero points of
    that type. The sum is in f32; integers of one block may be multiplied and
    added as integers first.

    Upstream's quantised types keep scales in the type; here they are data of a
    file, one for each block of each expert.

    ```mlir
    %y = sluice.quantized_linear %q by %s in blocks 32, %w as ui4 by %ws minus %wz in blocks 32
      : (tensor<?x64xi8>, tensor<?x2xf32>, tensor<2x8x16x4xi8>, tensor<2x2x16xf32>,
         tensor<2x1x16xi8>) -> tensor<?x32xf32>
    ```

    Constraints:
    - (C1) the weight is [panels, lines, 16, 4] bytes, for lines x 4 inputs, or
      lines x 8 of 4 bits, which is the last dimension of `input`
    - (C2) `scales` is [panels, ceil(inputs / block), 16], of i8 with `as
      f8E8M0FNU`, and of floats without
    - (C3) `zeros` is [panels, ceil(inputs / block), 16], with half as many blocks,
      rounded up, if the numbers have 4 bits; for integers only
    - (C4) `input_scales` is [rows, ceil(inputs / input block)] and there if and only
      if the input is of i8
    - (C5) blocks are multiples of the inputs in a line
    - (C6) the result has the input's rows, and columns that take all panels, the
      last one perhaps not filled
  }];
  let arguments = (ins
    TensorRankOf<[I8, F16, BF16, F32], [2]>:$input,
    Optional<TensorRankOf<[F32], [2]>>:$input_scales,
    TensorRankOf<[I8], [4]>:$weight,
    TensorRankOf<[F16, BF16, F32, I8], [3]>:$scales,
    Optional<TensorRankOf<[I8], [3]>>:$zeros,
    TypeAttrOf<Sluice_QuantType>:$element_type,
    OptionalAttr<TypeAttrOf<Sluice_ScaleType>>:$scale_type,
    DefaultValuedAttr<ConfinedAttr<I64Attr, [IntNonNegative]>, "0">:$input_block,
    ConfinedAttr<I64Attr, [IntPositive]>:$block);
  let results = (outs TensorRankOf<[F32], [2]>:$result);
  let assemblyFormat = [{
    $input (`by` $input_scales^ `in` `blocks` $input_block)? `,` $weight `as` $element_type
    `by` $scales (`as` $scale_type^)? (`minus` $zeros^)? `in` `blocks` $block attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Two numbers in a byte.
    bool isPacked() {
      return getElementType().getIntOrFloatBitWidth() == 4;
    }
    /// Inputs of an output that 4 bytes hold.
    int64_t getLineInputs() { return isPacked() ? 8 : 4; }
  }];
}

#endif // SLUICE_QUANT_OPS_TD
