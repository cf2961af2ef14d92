//===- Pipelines.cpp - From a model to what a machine runs ------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Pipelines/Pipelines.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "sluice/Conversion/Passes.h"
#include "sluice/Dialect/Sluice/Transforms/Passes.h"
#include "sluice/Target/CPU/Machine.h"
#include "sluice/Target/CPU/Passes.h"

using namespace mlir;
using namespace sluice;

void sluice::buildPlanPipeline(OpPassManager &pm, const CPUOptions &options) {
  pm.addPass(createSluiceSplitMixedExperts());
  pm.addPass(createSluiceInlineBodies());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createSluicePlanDispatch({options.rowsPerTask}));
}

/// Tensors to buffers that the code itself frees.
static void buildBufferization(OpPassManager &pm) {
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  // A loop may carry a tensor that it does not update in place.
  bufferize.allowReturnAllocsFromLoops = true;
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  bufferization::buildBufferDeallocationPipeline(
      pm, bufferization::BufferDeallocationPipelineOptions());
  pm.addPass(createConvertBufferizationToMemRefPass());
}

void sluice::buildCPUBufferPipeline(OpPassManager &pm,
                                    const CPUOptions &options) {
  if (!options.machine.empty())
    pm.addPass(createSluicePackWeights());
  pm.addPass(createSluiceExternalizeState({options.counters}));
  pm.addPass(createConvertSluiceToSCF());
  pm.addPass(createConvertSluiceToLinalg());
  pm.addNestedPass<func::FuncOp>(createConvertCheckToSCF());
  pm.addNestedPass<func::FuncOp>(createConvertElementwiseToLinalgPass());
  pm.addNestedPass<func::FuncOp>(createConvertGuardsToSCF());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addNestedPass<func::FuncOp>(createSluiceFuseElementwise());
  if (options.parallel)
    pm.addNestedPass<func::FuncOp>(createSluiceTileRows());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addNestedPass<func::FuncOp>(createSluicePlaceResults());

  buildBufferization(pm);
  pm.addPass(createSluiceSerializeNested());
}

void sluice::buildCPUMachinePipeline(OpPassManager &pm,
                                     const CPUOptions &options) {
  if (!options.machine.empty())
    pm.addPass(createSluiceCPUProducts({options.machine, options.parallel}));
  pm.addNestedPass<func::FuncOp>(createSluiceReductionsToLoops());
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  pm.addPass(createLoopInvariantCodeMotionPass());
  pm.addNestedPass<func::FuncOp>(options.parallel
                                     ? createForallToParallelLoopPass()
                                     : createForallToForLoopPass());
  if (options.parallel) {
    pm.addPass(createConvertSCFToOpenMPPass());
    pm.addPass(createSluiceScheduleTasks());
    pm.addPass(createSluiceInlineStackScopes());
  }
  pm.addPass(createCanonicalizerPass());

  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(arith::createArithExpandOpsPass({/*includeBf16=*/true}));
  const CPUMachine *machine = lookupCPUMachine(options.machine);
  if (machine && machine->hasFMA)
    pm.addPass(createSluiceCPUMath());
  // log(1 + x), the approximation, is 0 for small x: libm has log1p.
  pm.addPass(createConvertMathToLLVMPass({/*approximateLog1p=*/false}));
  pm.addPass(createConvertMathToLibmPass());
  ConvertVectorToLLVMPassOptions vectors;
  vectors.x86Vector = true;
  pm.addPass(createConvertVectorToLLVMPass(vectors));
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createConvertOpenMPToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void sluice::buildCPUPipeline(OpPassManager &pm, const CPUOptions &options) {
  buildPlanPipeline(pm, options);
  buildCPUBufferPipeline(pm, options);
  buildCPUMachinePipeline(pm, options);
}

namespace {
/// The same choices as CPUOptions, for the command line.
struct CPUPipelineOptions : PassPipelineOptions<CPUPipelineOptions> {
  Option<bool> parallel{*this, "parallel", llvm::cl::init(true),
                        llvm::cl::desc("use OpenMP")};
  Option<bool> counters{*this, "counters", llvm::cl::init(false),
                        llvm::cl::desc("count what routed ops do")};
  Option<int64_t> rowsPerTask{
      *this, "rows-per-task", llvm::cl::init(CPUOptions().rowsPerTask),
      llvm::cl::desc(
          "most tokens that a task runs through its expert; 0: all")};
  Option<std::string> machine{
      *this, "machine", llvm::cl::init(CPUOptions().machine),
      llvm::cl::desc("schedule of products, see sluice-cpu-products; empty: "
                     "plain loops over weights as they are stored")};

  CPUOptions get() const { return {parallel, counters, rowsPerTask, machine}; }
};
} // namespace

void sluice::registerPipelines() {
  PassPipelineRegistration<CPUPipelineOptions>(
      "sluice-plan-pipeline",
      "what happens before loops are made: calls are inlined, and experts get "
      "a plan (sluice.plan, sluice.grouped) of which tokens each one runs",
      [](OpPassManager &pm, const CPUPipelineOptions &options) {
        buildPlanPipeline(pm, options.get());
      });
  PassPipelineRegistration<CPUPipelineOptions>(
      "sluice-cpu-pipeline",
      "all of the lowering for a CPU: sluice-plan-pipeline, then loops, "
      "buffers "
      "and OpenMP, down to MLIR's LLVM dialect",
      [](OpPassManager &pm, const CPUPipelineOptions &options) {
        buildCPUPipeline(pm, options.get());
      });
}
