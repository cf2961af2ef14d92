//===- Passes.td - Conversions out of Sluice's dialects ----*- tablegen -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_CONVERSION_PASSES_TD
#define SLUICE_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertSluiceToSCF : Pass<"convert-sluice-to-scf", "::mlir::ModuleOp"> {
  let summary = "lower routers, plans and grouped experts to loops on tensors";
  let description = [{
    Gates become two tensors, [T, k] experts (index, -1 where absent) and
    [T, k] values, in function signatures too. Selection becomes a loop over
    tokens; a plan becomes a counting sort; `sluice.grouped` becomes a parallel
    loop over tasks that gathers rows, runs the inlined body and writes its rows
    side by side, then a parallel loop over tokens that adds them in increasing
    expert number. Nothing is padded, and an expert without tokens costs
    nothing. There are no atomics: results do not depend on the number of
    threads.

    What selects and sorts works on buffers, since what a sort scatters is no
    slice: chunks of tokens count their entries of each expert, sums of these say
    where each chunk's begin, and chunks scatter independently. Time is linear in
    the entries; the `k` largest of many scores are found block by block.

    `sluice.experts` must have been planned (`sluice-plan-dispatch`).
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect", "::mlir::vector::VectorDialect"
  ];
}

def ConvertSluiceToLinalg : Pass<"convert-sluice-to-linalg"> {
  let summary = "lower products, activations and shapes to linalg on tensors";
  let description = [{
    Lowers the tensor ops of the dialect (`linear`, `softmax`, `rms_norm`, activations,
    `broadcast`, `clamp`, `split`, `quantize`, `dequantize`) to `linalg.generic`
    and `tensor` ops. Numbers of 8 and 4 bits are taken apart with shifts and
    masks: no type of theirs goes further.
    Accumulation is in f32, or f64 if a type is f64. A product's loops are
    ordered so that the innermost walks along the weight's rows, and its
    additions carry `reassoc`, so that LLVM may vectorise them. Upstream's
    aggregates (`linalg.softmax`) are decomposed along the way.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"
  ];
}

def ConvertCheckToSCF : Pass<"convert-check-to-scf", "::mlir::func::FuncOp"> {
  let summary = "lower expectations to comparisons that record a failure";
  let description = [{
    Each `check` op becomes loops that look for the first element that differs
    and write the op's code (`sluice.code`, from `sluice-externalize-state`), the
    index and both values to the function's state. The first failure of a run is
    kept.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def ConvertGuardsToSCF : Pass<"convert-guards-to-scf", "::mlir::func::FuncOp"> {
  let summary = "check the numbers that index, cut and divide";
  let description = [{
    Upstream leaves undefined what `tensor.extract`, `tensor.insert`, slices,
    sizes and integer divisions do with numbers that are out of range. Where
    these are not known to be right, `sluice-externalize-state` gives the op a
    code (`sluice.code`), and this pass makes a check of it: a number that is
    wrong is recorded in the function's state, as a failed expectation is, and
    the op does not run, or runs with a number that is right. The interpreter
    reports the same numbers.

    To be run when elementwise ops on tensors have become `linalg`: divisions
    are checked one by one.

    ```mlir
    %v = tensor.extract %t[%i] {sluice.code = 1 : i64} : tensor<8xf32>
    ```
    becomes
    ```mlir
    %good = arith.cmpi ult, %i, %c8 : index
    // ... if not, write code, dimension, %i and 8 to the state
    %v = scf.if %good -> f32 {
      %e = tensor.extract %t[%i] : tensor<8xf32>
      scf.yield %e : f32
    } else {
      scf.yield %zero : f32
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

#endif // SLUICE_CONVERSION_PASSES_TD
