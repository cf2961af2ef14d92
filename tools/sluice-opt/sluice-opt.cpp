//===- sluice-opt.cpp - Runs passes over model files ------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "sluice/InitAll.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  sluice::registerAllDialects(registry);
  sluice::registerAllPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(
      argc, argv,
      "sluice-opt: runs Sluice's and upstream's passes over a model file\n\n"
      "Example: sluice-opt model.mlir --canonicalize --sluice-plan-dispatch\n",
      registry));
}
