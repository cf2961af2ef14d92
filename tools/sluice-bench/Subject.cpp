//===- Subject.cpp - What is measured ---------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Subject.h"

#include "Timer.h"
#include "sluice/Support/Weights.h"
#include "llvm/Support/WithColor.h"

#include <cmath>
#include <unistd.h>

using namespace sluice;
using namespace sluice::bench;

llvm::Error sluice::bench::checkMemory(double bytes) {
  double memory = double(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  if (bytes <= memory)
    return llvm::Error::success();
  auto gigabytes = [](double bytes) {
    return std::to_string(int64_t(std::ceil(bytes * 1e-9)));
  };
  return llvm::createStringError(
      "expected weights and activations that fit in " + gigabytes(memory) +
      " GB of memory with all copies but they take " + gigabytes(bytes) +
      " GB; choose a smaller layer, fewer --tokens or fewer --baselines");
}

void sluice::bench::printDiagnostic(const Diagnostic &diagnostic) {
  if (diagnostic.severity == Diagnostic::Severity::Warning)
    llvm::WithColor::warning(llvm::errs(), "sluice-bench")
        << diagnostic.describe() << "\n";
}

llvm::Expected<JitModel> Subject::build(Session &session, mlir::ModuleOp module,
                                        const WeightsFile &weights,
                                        int threads) {
  double start = now();
  llvm::Expected<JitProgram> program = session.compile(module);
  if (!program)
    return program.takeError();
  double compiled = now();
  llvm::Expected<JitModel> model = program->load(weights.getHandle());
  if (!model)
    return model.takeError();
  compileSeconds = compiled - start;
  loadSeconds = now() - compiled;
  model->setThreads(threads);
  return model;
}
