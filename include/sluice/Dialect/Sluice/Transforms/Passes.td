//===- Passes.td - Passes within the sluice dialect --------*- tablegen -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_DIALECT_SLUICE_TRANSFORMS_PASSES_TD
#define SLUICE_DIALECT_SLUICE_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def SluiceSplitMixedExperts : Pass<"sluice-split-mixed-experts"> {
  let summary = "turn experts that differ into several experts ops";
  let description = [{
    Replaces each `sluice.mixed_experts` by one `sluice.experts` for each of its
    cases, over the case's `sluice.columns` of the gates, so that every later
    pass sees bodies that all experts of an op share. Sums of the cases are added
    (in at least f32, then rounded); under `replace` each case is the `else` of
    the next one.

    ```mlir
    %y = sluice.mixed_experts by %g : !sluice.gates<?x5xf32, 2 per token>
        combine sum weight output -> tensor<?x8xf32>
      experts 0 to 4 (%t = %x : tensor<?x8xf32>) with (%w = %ws : tensor<4x8x8xf32>) { ... }
      experts 4 to 5 (%t = %x : tensor<?x8xf32>) { ... }
    ```
    becomes
    ```mlir
    %g0 = sluice.columns %g from 0 to 4 : !sluice.gates<?x5xf32, 2 per token>
    %y0 = sluice.experts by %g0 : !sluice.gates<?x4xf32, 2 per token>
        (%t = %x : tensor<?x8xf32>) with (%w = %ws : tensor<4x8x8xf32>)
        combine sum weight output -> tensor<?x8xf32> { ... }
    %g1 = sluice.columns %g from 4 to 5 : !sluice.gates<?x5xf32, 2 per token>
    %y1 = sluice.experts by %g1 : !sluice.gates<?x1xf32, 1 per token>
        (%t = %x : tensor<?x8xf32>)
        combine sum weight output -> tensor<?x8xf32> { ... }
    %y = arith.addf %y0, %y1 : tensor<?x8xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let statistics = [
    Statistic<"numSplit", "num-split", "mixed_experts ops split">
  ];
}

def SluiceInlineBodies : Pass<"sluice-inline-bodies", "::mlir::ModuleOp"> {
  let summary = "inline the calls in experts' bodies";
  let description = [{
    Replaces each `func.call` in the body of a `sluice.experts` by what the
    function does, so that passes which look at bodies (the one that cuts tokens
    into tasks, fusion into products) see it whole: a body written once as a
    function, for routed and shared experts, costs nothing. Calls elsewhere are
    left alone.

    A function that calls itself, or that has more than one block, is an error.
  }];
}

def SluicePlanDispatch : Pass<"sluice-plan-dispatch"> {
  let summary = "give every experts op a plan: model level to plan level";
  let description = [{
    Replaces each `sluice.experts` by a `sluice.plan` of its gates and a
    `sluice.grouped` that follows it, and decides how each expert's tokens are
    cut into tasks that run in parallel.

    Rows of a body's result usually depend on the same row of its inputs only;
    then tasks have at most `rows-per-task` rows, so that a skewed routing still
    fills all cores. A body with an op for which this is not known (a loop, a
    call, a `linalg` op) gets one task an expert. Optimisation remarks
    (`--remarks-filter=sluice-plan-dispatch`) say which, and name the op.

    ```mlir
    %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
        (%t = %x : tensor<?x8xf32>) with (%w = %ws : tensor<4x8x8xf32>)
        combine sum weight output -> tensor<?x8xf32> { ... }
    ```
    becomes
    ```mlir
    %offsets, %order, %place = sluice.plan %g : !sluice.gates<?x4xf32, 2 per token>
    %y = sluice.grouped by %g : !sluice.gates<?x4xf32, 2 per token>
        plan %offsets, %order, %place : tensor<5xindex>, tensor<?xindex>, tensor<?x2xindex>
        (%t = %x : tensor<?x8xf32>) with (%w = %ws : tensor<4x8x8xf32>)
        combine sum weight output rows_per_task 32 -> tensor<?x8xf32> { ... }
    ```
  }];
  let options = [
    Option<"rowsPerTask", "rows-per-task", "int64_t", /*default=*/"32",
           "most rows of an expert's tokens in one task; 0: one task an expert. "
           "More rows read a weight less often, fewer balance better">
  ];
  let statistics = [
    Statistic<"numPlanned", "num-planned", "experts ops given a plan">
  ];
}

def SluiceExternalizeState : Pass<"sluice-externalize-state", "::mlir::ModuleOp"> {
  let summary = "turn weights and run-time state into arguments, write the manifest";
  let description = [{
    Compiled code has no globals, so that two models, or two threads in one
    model, never see each other. This pass adds to every function a first
    argument `%state : memref<?xi64>` and then one argument for each weight that
    the function or one that it calls uses, and replaces `sluice.get_weight` by
    these. What a caller must know stands in the module attribute
    `sluice.manifest`, a JSON object that lib/Runtime reads:

    - the weights: symbol, tensor name in the file, element type, shape;
    - the public functions: arguments, results, weights (numbers), and which
      dynamic sizes of arguments must be equal (`same_sizes`), because the loops
      rely on it;
    - failures: each `check` op, and each `sluice.grouped` whose body handles
      rows itself, gets a code (attribute `sluice.code`), which compiled code
      writes to state[0], followed by the index that differs and the two values'
      bits as f64;
    - with `counters`, for each `sluice.grouped` the place in the state
      (attribute `sluice.counter`) where calls, tokens, entries, slots, experts
      touched and tokens per expert are counted, and what an entry costs.

    Public functions may not take or return gates (use `sluice.entries`), and a
    body's products must have static weights to be counted: both are errors.
  }];
  let options = [
    Option<"counters", "counters", "bool", /*default=*/"false",
           "count what each routed op does; costs a few instructions an op">
  ];
  let dependentDialects = ["::mlir::memref::MemRefDialect",
                           "::mlir::bufferization::BufferizationDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def SluiceFuseElementwise : Pass<"sluice-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "fuse elementwise linalg ops that run once for each element";
  let description = [{
    Fuses an elementwise `linalg` op into the one that uses its result, if that
    one visits each element exactly once and is the only user. Upstream's
    `linalg-fuse-elementwise-ops` also fuses into reductions, where an activation
    would be computed again for each column of a product.
  }];
}

def SluiceTileRows : Pass<"sluice-tile-rows", "::mlir::func::FuncOp"> {
  let summary = "run the rows of linalg ops in parallel";
  let description = [{
    Tiles every `linalg` op that stands outside of parallel loops along its
    outermost parallel loop into an `scf.forall`, so that dense parts beside the
    experts use all cores; the fill of its result goes along. That loop runs over
    tokens, or, in a product with an [out, in] weight, over the weight's rows, so
    that each core reads its own part of the weight. Each element is computed as
    it would be without tiling: results do not depend on the number of threads.
    Ops without a parallel loop, or with a static one no longer than a tile, are
    left alone.
  }];
  let options = [
    Option<"rows", "rows", "int64_t", /*default=*/"16", "rows in a tile">
  ];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::affine::AffineDialect"];
}

def SluiceReductionsToLoops
    : Pass<"sluice-reductions-to-loops", "::mlir::func::FuncOp"> {
  let summary = "lower linalg reductions to loops that carry the sum";
  let description = [{
    Lowers each `linalg` op on buffers whose innermost loop is its only
    reduction to `scf` loops in which that loop carries the running result.
    Upstream's `convert-linalg-to-loops` loads and stores it in every step, and
    LLVM cannot always prove that it need not: a pointer that crossed into a
    parallel region may alias any other.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
}

def SluiceSerializeNested
    : Pass<"sluice-serialize-nested", "::mlir::func::FuncOp"> {
  let summary = "run parallel loops inside parallel loops in sequence";
  let description = [{
    Turns each `scf.forall` on buffers that stands inside another one (experts
    inside an expert's body) into `scf.for`. The outer loop already has work for
    all cores, and starting a team of threads costs microseconds each time.
  }];
  let dependentDialects = ["::mlir::scf::SCFDialect"];
}

#endif // SLUICE_DIALECT_SLUICE_TRANSFORMS_PASSES_TD
