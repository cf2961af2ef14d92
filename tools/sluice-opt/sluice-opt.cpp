//===- sluice-opt.cpp - Runs passes over model files ------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "VerifyRoundTrip.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "sluice/InitAll.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

static llvm::cl::opt<bool> verifyEachOption(
    "verify-roundtrip-each",
    llvm::cl::desc("Print the output of each pass and write it as bytecode, "
                   "read it again and compare; an error if it differs"));

/// mlir-opt's main, with verification behind each pass.
static mlir::LogicalResult runVerified(llvm::StringRef input,
                                       llvm::StringRef output,
                                       mlir::DialectRegistry &registry) {
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> file =
      mlir::openInputFile(input, &message);
  std::unique_ptr<llvm::ToolOutputFile> out;
  if (file)
    out = mlir::openOutputFile(output, &message);
  if (!out) {
    llvm::errs() << "sluice-opt: error: " << message << "\n";
    return mlir::failure();
  }
  std::atomic<bool> failed(false);
  mlir::MlirOptMainConfig options =
      mlir::MlirOptMainConfig::createFromCLOptions();
  mlir::MlirOptMainConfig config = options;
  config.setPassPipelineSetupFn([&](mlir::PassManager &pm) {
    sluice::verifyRoundTripOfEachPass(pm, failed);
    return options.setupPassPipeline(pm);
  });
  if (mlir::failed(
          mlir::MlirOptMain(out->os(), std::move(file), registry, config)) ||
      failed)
    return mlir::failure();
  out->keep();
  return mlir::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  mlir::DialectRegistry registry;
  sluice::registerAllDialects(registry);
  sluice::registerAllPasses();
  auto [input, output] = mlir::registerAndParseCLIOptions(
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
      registry);
  return mlir::asMainReturnCode(
      verifyEachOption
          ? runVerified(input, output, registry)
          : mlir::MlirOptMain(argc, argv, input, output, registry));
}
