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
    the next one. Optimisation remarks
    (`--remarks-filter=sluice-split-mixed-experts`) say how many ops it became.

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
  let summary = "inline calls in experts' bodies, and calls of functions that run "
                "no experts";
  let description = [{
    Replaces each `func.call` in the body of a `sluice.experts` by what the
    function does, so that passes which look at bodies (the one that cuts tokens
    into tasks, fusion into products) see it whole: a body written once as a
    function, for routed and shared experts, costs nothing. A function that
    calls itself, or that has more than one block, is an error there.

    Calls elsewhere are replaced, too, so that what a router drops is counted
    for the experts that it is made for, and weights that are handed to a
    function can be packed. Left alone are calls of functions that run experts
    (counters name the function that experts stand in), that call themselves, or
    that have more than one block. Private functions that nobody calls any more
    are erased.

    Optimisation remarks (`--remarks-filter=sluice-inline-bodies`) say what was
    inlined.

    ```mlir
    func.func private @route(%p: tensor<?x4xf32>) -> !sluice.gates<?x4xf32, 2 per token> {
      %g = sluice.topk %p, 2 : tensor<?x4xf32>
      return %g : !sluice.gates<?x4xf32, 2 per token>
    }
    func.func @moe(%x: tensor<?x8xf32>, %p: tensor<?x4xf32>) -> tensor<?x8xf32> {
      %g = call @route(%p) : (tensor<?x4xf32>) -> !sluice.gates<?x4xf32, 2 per token>
      ...
    ```
    becomes
    ```mlir
    func.func @moe(%x: tensor<?x8xf32>, %p: tensor<?x4xf32>) -> tensor<?x8xf32> {
      %g = sluice.topk %p, 2 : tensor<?x4xf32>
      ...
    ```
  }];
  let statistics = [
    Statistic<"numInlined", "num-inlined", "calls inlined">
  ];
}

def SluicePlanDispatch : Pass<"sluice-plan-dispatch"> {
  let summary = "plan how experts run: tokens grouped by expert, cut into tasks";
  let description = [{
    Replaces each `sluice.experts` by a `sluice.plan` of its gates and a
    `sluice.grouped` that follows it, and decides how each expert's tokens are
    cut into tasks that run in parallel.

    Rows of a body's result usually depend on the same row of its inputs only;
    then tasks have at most `rows-per-task` rows (a row is a token that was
    routed to the expert), so that a skewed routing still fills all cores. A
    body with an op for which this is not known (a loop, a call, a `linalg` op)
    gets one task an expert. Optimisation remarks
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
        combine sum weight output rows_per_task 64 -> tensor<?x8xf32> { ... }
    ```
  }];
  let options = [
    Option<"rowsPerTask", "rows-per-task", "int64_t", /*default=*/"64",
           "most tokens (rows) that a task runs through its expert; 0: all of "
           "them. More tokens read a weight less often, fewer balance better">
  ];
  let statistics = [
    Statistic<"numPlanned", "num-planned", "experts ops given a plan">
  ];
}

def SluicePackWeights : Pass<"sluice-pack-weights", "::mlir::ModuleOp"> {
  let summary = "pack the weights of products into panels, when they are loaded";
  let description = [{
    A weight that is used by products only, directly or as the parameter of
    experts, and by all of them in one layout, is put in panels
    (`#sluice.panels`): loading packs it once, and the products become `layout
    panels`, which read it in the order in which it lies in memory. Weights of
    fewer outputs than half a panel, and f64 ones, stay as they are; so do
    weights with another use, which a remark names
    (`--remarks-filter=sluice-pack-weights`).

    ```mlir
    sluice.weight @w "w" : tensor<64x32xf32>
    %w = sluice.get_weight @w : tensor<64x32xf32>
    %y = sluice.linear %x, %w : (tensor<?x32xf32>, tensor<64x32xf32>) -> tensor<?x64xf32>
    ```
    becomes
    ```mlir
    sluice.weight @w "w" : tensor<64x32xf32> in #sluice.panels<16 of out_in>
    %w = sluice.get_weight @w : tensor<4x32x16xf32>
    %y = sluice.linear %x, %w layout panels
      : (tensor<?x32xf32>, tensor<4x32x16xf32>) -> tensor<?x64xf32>
    ```

    Weights of bf16 are packed `by 2`: two inputs of an output are 32 bits, of which
    an f32 is made by one shift or mask, and what dot products of bf16 take. A
    product with them whose input's last dimension is `?` gets a `tensor.cast` to
    the weight's number of inputs, which the packed type has not.

    With panels of 16, a product whose weight is `sluice.dequantize` of weights that
    nothing else reads (numbers, scales, zero points; equal constants will do)
    becomes a `sluice.quantized_linear` of them in panels, of integers if its input
    is `sluice.dequantize` of what `sluice.quantize` rounded to i8. That takes
    integers or f4E2M1FN, blocks along rows, and inputs and blocks of a multiple of
    4 numbers, 8 if these have 4 bits; a remark says what is in the way.
  }];
  let options = [
    Option<"width", "width", "int64_t", /*default=*/"16",
           "outputs of a panel">
  ];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numPacked", "num-packed", "weights put in panels">
  ];
}

def SluiceExternalizeState : Pass<"sluice-externalize-state", "::mlir::ModuleOp"> {
  let summary = "turn weights, errors and counters into arguments, described in JSON";
  let description = [{
    Compiled code has no globals, so that two models, or two threads in one
    model, never see each other. What it reads besides its inputs, and reports
    besides its results, goes through arguments that this pass adds to every
    function: first `%state : memref<?xi64>`, numbers in memory of the caller's,
    where a run leaves what failed and what it counted; then one argument for
    each weight that the function or one that it calls uses, in place of
    `sluice.get_weight`.

    What a caller must know stands in the module attribute `sluice.manifest`,
    the model's description for those who call it: a JSON object that the runtime
    reads (`sluice_model_create` in `sluice-c/Runtime.h` lists its fields):

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
    one visits each element exactly once and is the only user; who asks for the
    result's size is none. Upstream's `linalg-fuse-elementwise-ops` also fuses into
    reductions, where an activation would be computed again for each column of a
    product.
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

    What only one op reads, row by row, goes along with it, so that a tile of scores
    stays in cache from its first op to its last: the maximum, exponentials, sum and
    quotients of a softmax are one loop. What several of these read is written once
    for each; `canonicalize` and `cse`, which follow, leave one.
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

def SluicePlaceResults : Pass<"sluice-place-results", "::mlir::func::FuncOp"> {
  let summary = "products with packed weights write where their rows are read";
  let description = [{
    Gives each product of rows with a weight in panels, or in small numbers, zeros
    of its own to add to, since `cse` lets products of one shape share them, and a
    shared tensor is filled and copied. Where all that happens to the result is that
    its panels, side by side, become rows of a larger tensor (`tensor.collapse_shape`
    and `tensor.parallel_insert_slice`, as experts' results do), the zeros are those
    rows of that tensor, and nothing is copied.

    To be run right before bufferization. Upstream's `eliminate-empty-tensors` does
    the like for slices, but not through a change of shape.
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def SluiceSerializeNested : Pass<"sluice-serialize-nested"> {
  let summary = "run parallel loops inside parallel loops in sequence";
  let description = [{
    Turns each `scf.forall` on buffers that stands inside another one (experts
    inside an expert's body) into `scf.for`. The outer loop already has work for
    all cores, and starting a team of threads costs microseconds each time.
    Optimisation remarks (`--remarks-filter=sluice-serialize-nested`) say which
    ones, and inside which.
  }];
  let dependentDialects = ["::mlir::scf::SCFDialect"];
}

#endif // SLUICE_DIALECT_SLUICE_TRANSFORMS_PASSES_TD
