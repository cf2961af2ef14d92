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
      "sluice-opt: runs passes over a model file and prints the result\n\n"
      "A pass is one step of the compiler. Passes run in the order of the "
      "command line;\nwithout any the file is only checked. Most options below "
      "belong to LLVM and to\nMLIR's own passes. To begin with:\n\n"
      "  --sluice-plan-pipeline      plan which expert gets which tokens\n"
      "  --sluice-cpu-pipeline       all steps, down to MLIR's llvm dialect\n"
      "  --sluice-*, --convert-*     single passes, see docs/Passes.md\n"
      "  --mlir-print-ir-after=NAME  print the program after that pass, too\n"
      "  --remarks-filter=sluice.*   print what passes decided, and why\n\n"
      "docs/Tutorial/4-Levels.md goes through them.\n\n"
      "Example: sluice-opt model.mlir --canonicalize --sluice-plan-dispatch\n",
      registry));
}
