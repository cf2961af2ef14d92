//===- main.cpp - The compiler from C++ -------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Compiler/Session.h"
#include "sluice/Support/Weights.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace sluice;

static llvm::Error run(llvm::StringRef path) {
  Session session(SessionOptions(), [](const Diagnostic &diagnostic) {
    llvm::errs() << diagnostic.describe() << "\n";
  });
  auto module = session.parseFile(path);
  if (!module)
    return module.takeError();
  auto program = session.compile(**module);
  if (!program)
    return program.takeError();

  // The weights and both tensors are this program's memory.
  float rows[2][2] = {{1, 1}, {1, -1}};
  sluice_named_tensor experts[] = {
      {"experts.0", {rows[0], SLUICE_F32, 2, {1, 2}, nullptr}},
      {"experts.1", {rows[1], SLUICE_F32, 2, {1, 2}, nullptr}}};
  auto weights = WeightsFile::fromMemory(experts);
  if (!weights)
    return weights.takeError();
  auto model = program->load(weights->getHandle());
  if (!model)
    return model.takeError();

  float x[3][2] = {{2, 1}, {3, 4}, {6, 5}};
  float y[3];
  sluice_tensor input = {x, SLUICE_F32, 2, {3, 2}, nullptr};
  sluice_tensor output = {y, SLUICE_F32, 2, {3, 1}, nullptr};
  if (llvm::Error error = model->call("moe", input, output))
    return error;
  llvm::outs() << llvm::format("%g %g %g\n", y[0], y[1], y[2]);
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  if (argc != 2) {
    llvm::errs() << "expected a model\n";
    return 1;
  }
  if (llvm::Error error = run(argv[1])) {
    llvm::errs() << "error: " << llvm::toString(std::move(error)) << "\n";
    return 1;
  }
  return 0;
}
