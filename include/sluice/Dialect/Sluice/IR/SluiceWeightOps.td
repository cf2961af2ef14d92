//===- SluiceWeightOps.td - Named weights backed by a file ---*- tablegen -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_WEIGHT_OPS_TD
#define SLUICE_WEIGHT_OPS_TD

include "mlir/IR/SymbolInterfaces.td"
include "sluice/Dialect/Sluice/IR/SluiceOpBase.td"

def Sluice_WeightOp : Sluice_Op<"weight", [Symbol]> {
  let summary = "a named weight, stored in a safetensors file";
  let description = [{
    Declares a constant of the model whose contents lie in a safetensors file
    that is given when the model is compiled or loaded. `tensor` is the name of
    the tensor in the file. A placeholder `{e}` in it stands for a number, and
    stacks one tensor for each value 0, 1, ... along a new leading dimension, as
    published checkpoints number their experts; `{e+8}` counts from 8. Several
    placeholders give several leading dimensions, left to right. The name inside
    the braces is for the reader.

    The element type is that of the file (f16, bf16, f32, f64, i8, i32 or i64);
    nothing is converted on the way, and another type in the file is an error. i8
    stands for any type of one byte except booleans (I8, U8, F8_E4M3, F8_E5M2,
    F8_E8M0): the bytes are taken as they are, and `sluice.dequantize` says what
    they mean.

    ```mlir
    // One tensor of the file.
    sluice.weight @router "model.layers.0.mlp.gate.weight" : tensor<64x2048xf32>
    // Bytes, here of numbers of 4 bits, two in each.
    sluice.weight @blocks "mlp.experts.gate_up_proj_blocks" : tensor<32x5760x90x16xi8>
    // 64 tensors of 1024 x 2048, stacked.
    sluice.weight @up "model.layers.0.mlp.experts.{e}.up_proj.weight"
      : tensor<64x1024x2048xf32>
    ```

    With `in` panels the value of the weight, what `sluice.get_weight` gives, is
    packed when the file is loaded; `type` is that of the file all the same.

    Constraints:
    - (C1) `type` is a ranked tensor of static shape of f16, bf16, f32, f64, i8, i32
      or i64
    - (C2) the tensor's name is not empty
    - (C3) braces in the name are placeholders: `{name}` or `{name+offset}`
    - (C4) there are at most as many placeholders as dimensions
    - (C5) a weight in panels has as many dimensions as a matrix has, and as many
      inputs as lie side by side, or a multiple

    Invalid, because the shape of a stored tensor is known:
    ```mlir
    sluice.weight @router "gate.weight" : tensor<?x2048xf32>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$tensor,
                       TypeAttrOf<Sluice_StoredTensor>:$type,
                       OptionalAttr<Sluice_PanelsAttr>:$panels);
  let assemblyFormat = [{
    $sym_name $tensor attr-dict `:` $type (`in` qualified($panels)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The type of the weight's value.
    ::mlir::RankedTensorType getValueType();
  }];
}

def Sluice_GetWeightOp : Sluice_Op<"get_weight",
    [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the value of a named weight";
  let description = [{
    ```mlir
    %router = sluice.get_weight @router : tensor<64x2048xf32>
    ```

    Constraints:
    - (C1) `weight` names a `sluice.weight` of the enclosing module
    - (C2) the result has exactly the type of its value
  }];
  let arguments = (ins FlatSymbolRefAttr:$weight);
  let results = (outs Sluice_StoredTensor:$result);
  let assemblyFormat = "$weight attr-dict `:` type($result)";
}

#endif // SLUICE_WEIGHT_OPS_TD
