//===- InitAll.cpp - Everything that Sluice's tools register ----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/InitAll.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "sluice/Conversion/Passes.h"
#include "sluice/Dialect/Check/IR/Check.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"
#include "sluice/Dialect/Sluice/Transforms/Passes.h"
#include "sluice/Pipelines/Pipelines.h"
#include "sluice/Target/CPU/Passes.h"

void sluice::registerAllDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllToLLVMIRTranslations(registry);
  registry.insert<SluiceDialect, check::CheckDialect>();
}

void sluice::registerAllPasses() {
  mlir::registerAllPasses();
  registerSluiceTransformsPasses();
  registerSluiceConversionPasses();
  registerSluiceTargetCPUPasses();
  registerPipelines();
}
