//===- Pipelines.cpp - From a model to what a machine runs ------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Pipelines/Pipelines.h"
#include "mlir/Conversion/Passes.h"
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

void sluice::buildCPUPipeline(OpPassManager &pm, const CPUOptions &options) {
  buildPlanPipeline(pm, options);
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

  buildBufferization(pm);
  pm.addNestedPass<func::FuncOp>(createSluiceSerializeNested());
  pm.addNestedPass<func::FuncOp>(createSluiceReductionsToLoops());
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  pm.addPass(createLoopInvariantCodeMotionPass());
  pm.addNestedPass<func::FuncOp>(options.parallel
                                     ? createForallToParallelLoopPass()
                                     : createForallToForLoopPass());
  if (options.parallel)
    pm.addPass(createConvertSCFToOpenMPPass());
  // Takes away the stack scopes that came with the parallel loops: nothing
  // inside allocates on the stack, and they cannot hold control flow.
  pm.addPass(createCanonicalizerPass());

  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(arith::createArithExpandOpsPass({/*includeBf16=*/true}));
  // log(1 + x), the approximation, is 0 for small x: libm has log1p.
  pm.addPass(createConvertMathToLLVMPass({/*approximateLog1p=*/false}));
  pm.addPass(createConvertMathToLibmPass());
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

namespace {
/// The same choices as CPUOptions, for the command line.
struct CPUPipelineOptions : PassPipelineOptions<CPUPipelineOptions> {
  Option<bool> parallel{*this, "parallel", llvm::cl::init(true),
                        llvm::cl::desc("use OpenMP")};
  Option<bool> counters{*this, "counters", llvm::cl::init(false),
                        llvm::cl::desc("count what routed ops do")};
  Option<int64_t> rowsPerTask{
      *this, "rows-per-task", llvm::cl::init(32),
      llvm::cl::desc("most rows of an expert's tokens in one task")};

  CPUOptions get() const { return {parallel, counters, rowsPerTask}; }
};
} // namespace

void sluice::registerPipelines() {
  PassPipelineRegistration<CPUPipelineOptions>(
      "sluice-plan-pipeline", "model level to plan level",
      [](OpPassManager &pm, const CPUPipelineOptions &options) {
        buildPlanPipeline(pm, options.get());
      });
  PassPipelineRegistration<CPUPipelineOptions>(
      "sluice-cpu-pipeline", "model level to the LLVM dialect for a CPU",
      [](OpPassManager &pm, const CPUPipelineOptions &options) {
        buildCPUPipeline(pm, options.get());
      });
}
