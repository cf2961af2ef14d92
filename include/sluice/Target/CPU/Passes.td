//===- Passes.td - Passes that know a processor ------------*- tablegen -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TARGET_CPU_PASSES_TD
#define SLUICE_TARGET_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def SluiceCPUProducts : Pass<"sluice-cpu-products", "::mlir::ModuleOp"> {
  let summary = "products with packed weights: register tiles in vector code";
  let description = [{
    Takes each `linalg.generic` on buffers that is a product of rows with a weight
    in panels, `out[row, panel, column] += input[row, k] * weight[panel, k,
    column]`, to loops around *micro-kernels*: private functions that keep the
    sums of a few rows and panels in vector registers while they walk along k.
    There is one for each number of rows up to the machine's largest. Weights of
    bf16 in panels `by 2` (`weight[panel, line, column, j]` of
    `input[row, 2 line + j]`) become f32 in registers; with inputs of bf16 they are
    multiplied by the machine's dot products, if it has them.

    How many rows there are is known at run time, and chooses the way: few rows
    walk four panels at once, whose sums are all in registers, as streams that the
    hardware prefetches; more rows that are one block read two panels, or one,
    which the code prefetches into the second cache; still more are cut into
    blocks of nearly one size, which take turns on a slice of the panels that
    stays in the first cache, and share the prefetching of the next one. The
    thresholds come from the registers that tiles need (`PanelSchedule` in
    `sluice/Target/CPU/Schedule.h`); `sluicec --print-schedule` prints them.

    A slice is as much of k as two panels have in the machine's cache; where all of
    k is no more than that, sums stay in registers from the first multiply-add to
    the last. Then, inside a parallel loop, buffers that the function allocates get
    rows with room for a cache line more than a slice, in which equal k of
    different rows do not fall into the same cache set, and kernels read rows
    where they are. Other rows are copied to such a buffer, once for all panels,
    and converted to f32 if they are not. If the product is not inside a parallel
    loop, it becomes one, over blocks of rows and ranges of panels.

    An `scf.forall` around products gets a second version, chosen at run time where
    its iterations would leave an eighth of the threads' time unused, as the one
    task of a token with one expert does: iterations follow each other, and all
    threads share each product.

    Optimisation remarks (`--remarks-filter=sluice-cpu-products`) say for each
    product which kernels it has, or why none, and whether rows are read where
    they are, or why they are copied. What has no kernel becomes plain loops.

    Each element of the result is one chain of multiply-adds in increasing k,
    whatever the number of rows, threads or the tile: a row's bits do not depend
    on the rows beside it. A `linalg.fill` of zeros before the product is absorbed.

    Products of small numbers with scales (a `linalg.generic` that is marked as one,
    made of `sluice.quantized_linear`) take the same road with kernels of their
    own: within a segment, whose inputs and numbers have one scale each, integers
    are multiplied by the machine's dot products and added exactly, or, where
    inputs are floats, numbers become floats in registers. Panels are taken one by
    one; where there are more rows than a stream has, the first block of them
    prefetches numbers and scales.

    Upstream's strategies vectorise `linalg` ops of static tile sizes; a number of
    rows that only the router knows needs the choice among tiles at run time.
  }];
  let options = [
    Option<"machine", "machine", "std::string", /*default=*/"\"x86-64\"",
           "x86-64, avx2, avx2-vnni, avx512, avx512-vnni, avx512-bf16, neon, "
           "neon-dot, neon-bf16, sve256 or sve512">,
    Option<"parallel", "parallel", "bool", /*default=*/"true",
           "products outside of parallel loops become parallel loops">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
    "::mlir::x86vector::X86VectorDialect"
  ];
  let statistics = [
    Statistic<"numProducts", "num-products", "products lowered">,
    Statistic<"numKernels", "num-kernels", "micro-kernels made">
  ];
}

def SluiceInlineStackScopes : Pass<"sluice-inline-stack-scopes"> {
  let summary = "take away stack scopes in which nothing is allocated";
  let description = [{
    `convert-scf-to-openmp` puts the body of each parallel loop in a
    `memref.alloca_scope`, which cannot hold control flow. Upstream's
    canonicalisation removes it unless there is a call in it, which might
    allocate on its caller's stack; Sluice's functions do not. A scope with an
    `alloca` in it stays.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def SluiceScheduleTasks : Pass<"sluice-schedule-tasks"> {
  let summary = "which threads run parallel loops, and when they wait";
  let description = [{
    `convert-scf-to-openmp` leaves OpenMP's schedule open, which is equal numbers of
    iterations for each thread. Experts have as many tokens as the router gives
    them, so equal numbers of tasks are unequal work. Loops in which an iteration
    calls a function or allocates a buffer of a size known only at run time get
    `schedule(dynamic)`: a thread that is done takes the next task. Other loops,
    over tokens and elements, stay as they are.

    A loop of a single iteration runs on the thread that comes to it, without the
    others being woken (`if`): for one token most loops are such. Threads do not
    wait at the end of a loop (`nowait`) that is a region's last, since they wait
    at the region's.

    No result depends on which thread runs a task.
  }];
  let dependentDialects = ["::mlir::omp::OpenMPDialect"];
  let statistics = [
    Statistic<"numDynamic", "num-dynamic", "loops that became dynamic">
  ];
}

def SluiceCPUMath : Pass<"sluice-cpu-math"> {
  let summary = "exponentials that vectorise";
  let description = [{
    Replaces `math.exp` of f32 by upstream's polynomial (after Cephes, a few units
    in the last place), which is a dozen multiply-adds: a call of libm's function
    for each hidden unit of each token costs as much as a tenth of the products.
    The same operations on one element or on a vector give the same bits. For
    processors with fused multiply-adds; without, libm is faster.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif // SLUICE_TARGET_CPU_PASSES_TD
