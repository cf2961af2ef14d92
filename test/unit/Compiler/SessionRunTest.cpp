//===- SessionRunTest.cpp - Compiling, writing and running ------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SessionTest.h"

#include "../Runtime/TestFiles.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ThreadPool.h"

using namespace sluice;
using namespace sluice::test;

TEST(SessionRun, CallersBuffers) {
  TestSession s;
  LayerWeights weights;
  JitModel model = s.load(weights);
  float y[3] = {};
  sluice_tensor out = view(y, {3, 1});
  llvm::cantFail(model.call("main", {view(tokens, {3, 2})}, out));
  EXPECT_EQ(out.data, y);
  EXPECT_EQ((std::vector<float>(y, y + 3)), (std::vector<float>{3, -1, 11}));

  sluice_tensor fresh = {};
  llvm::cantFail(model.call("main", {view(tokens, {1, 2})}, fresh));
  EXPECT_EQ(static_cast<float *>(fresh.data)[0], 3);
  sluice_tensor_free(&fresh);

  EXPECT_EQ(errorOf(model.call("other", {}, {})),
            "the model has no public function 'other'");
  EXPECT_EQ(errorOf(model.call("main", {}, out)),
            "main: expected 1 input but got 0");
  EXPECT_EQ(errorOf(model.call("main", {view(tokens, {2, 2})}, out)),
            "main: output 0: the caller's buffer is tensor<3x1xf32> but the "
            "result is tensor<2x1xf32>");
}

TEST(SessionRun, WeightsInMemory) {
  TestSession s;
  JitProgram program = llvm::cantFail(s.session.compile(*s.parse()));
  auto load = [&](std::vector<sluice_named_tensor> tensors) {
    return program.load(
        llvm::cantFail(WeightsFile::fromMemory(tensors)).getHandle());
  };
  float data[4] = {};
  LayerWeights weights;
  EXPECT_EQ(errorOf(load({weights.tensors[0]})),
            "weight @w: the given weights: no tensor 'experts.1.w' among the 1 "
            "tensors; the closest name is 'experts.0.w'");
  EXPECT_EQ(
      errorOf(load({weights.tensors[0], {"experts.1.w", view(data, {2, 2})}})),
      "weight @w: the given weights: tensor 'experts.1.w': expected "
      "tensor<1x2xF32> but got tensor<2x2xF32>; declare the weight with "
      "its shape");
  EXPECT_EQ(errorOf(load({weights.tensors[0],
                          {"experts.1.w", view(data, {1, 2}, SLUICE_F64)}})),
            "weight @w: the given weights: tensor 'experts.1.w': expected "
            "tensor<1x2xF32> but got tensor<1x2xF64>; declare the weight with "
            "its element type");
  EXPECT_EQ(errorOf(program.load(nullptr)),
            "model 'model' has 1 weights but no weight file was given; name "
            "the safetensors file that holds them");

  // Two models of one program, with other weights, outlive it and the session.
  LayerWeights negative;
  negative.sum[0] = negative.sum[1] = -1;
  std::vector<JitModel> models;
  for (LayerWeights *w : {&weights, &negative})
    models.push_back(llvm::cantFail(program.load(w->open().getHandle())));
  float y[2] = {};
  for (auto [model, value] : llvm::zip(models, y)) {
    sluice_tensor out = view(&value, {1, 1});
    llvm::cantFail(model.call("main", {view(tokens, {1, 2})}, out));
  }
  EXPECT_EQ(y[0], 3);
  EXPECT_EQ(y[1], -3);
}

TEST(SessionRun, ModelsOutliveEverything) {
  LayerWeights weights;
  auto model = std::make_unique<TestSession>()->load(weights);
  float y[3] = {};
  sluice_tensor out = view(y, {3, 1});
  llvm::cantFail(model.call("main", {view(tokens, {3, 2})}, out));
  EXPECT_EQ(y[2], 11);
}

TEST(SessionRun, WhatCannotBeCompiled) {
  TestSession s;
  auto module = s.parse("func.func @f(%x: memref<2xf32>) { return }");
  std::string error = errorOf(s.session.compile(*module));
  EXPECT_EQ(error, "layer.mlir:1:1: expected argument 0 of public function 'f' "
                   "to be a ranked tensor of f16, bf16, f32, f64, i1, i8, i32 or "
                   "i64 but got 'memref<2xf32>'");
  EXPECT_EQ(s.diagnostics, (Lines{"error: " + error}));
  SessionOptions options;
  options.compile.cpu = "z80";
  s.session.setOptions(options);
  EXPECT_EQ(errorOf(s.session.compile(*s.parse())).rfind("layer.mlir", 0), 0u);
}

TEST(SessionRun, Phases) {
  PhaseTimes phases;
  SessionOptions options;
  options.compile.phases = &phases;
  TestSession s(options);
  PhaseTimer whole(/*times=*/nullptr, "whole");
  auto module = s.parse();
  llvm::cantFail(s.session.compile(*module));
  double seconds = whole.getSeconds();
  std::vector<std::string> names;
  for (const PhaseTimes::Phase &phase : phases.getPhases()) {
    names.push_back(phase.name);
    EXPECT_GT(phase.seconds, 0) << phase.name;
  }
  EXPECT_EQ(names, (Lines{"parse", "plan", "lower", "translate", "optimize",
                          "generate code", "link"}));
  EXPECT_LE(phases.getSum(), seconds);

  // A second one adds to the first.
  llvm::cantFail(s.session.compile(*module));
  EXPECT_EQ(phases.getPhases().size(), names.size());
  EXPECT_LE(phases.getSum(), whole.getSeconds());
}

TEST(SessionRun, SeveralProcessors) {
  SessionOptions options;
  options.compile.cpu = "native,generic";
  TestSession s(options);
  auto module = s.parse();
  LayerWeights weights;
  JitProgram program = llvm::cantFail(s.session.compile(*module));
  JitModel model = llvm::cantFail(program.load(weights.open().getHandle()));
  float y[3] = {};
  sluice_tensor out = view(y, {3, 1});
  llvm::cantFail(model.call("main", {view(tokens, {3, 2})}, out));
  EXPECT_EQ(y[1], -1);

  // The steps alone: a module for each, the better one first.
  mlir::OwningOpRef<mlir::ModuleOp> lowered = module->clone();
  ASSERT_TRUE(mlir::succeeded(lowerModel(*lowered, options.compile)));
  std::vector<std::string> names;
  for (auto part : lowered->getOps<mlir::ModuleOp>())
    names.push_back(part.getSymName().value_or("").str());
  EXPECT_EQ(names, (Lines{"native", "generic"}));
  auto compiled = compileModel(*lowered, options.compile);
  ASSERT_TRUE(mlir::succeeded(compiled));
  llvm::cantFail(JitProgram::create(*compiled));

  options.compile.cpu = "native,native";
  s.session.setOptions(options);
  EXPECT_EQ(errorOf(s.session.compile(*module)),
            "layer.mlir:0:0: expected each processor once but got 'native' "
            "twice in 'native,native'");
}

TEST(SessionRun, FilesDoNotDependOnThreads) {
  // Enough code for several parts.
  auto [weights, function] = layer.split("func.func");
  std::string text = weights.str();
  for (char name = 'a'; name < 'i'; ++name) {
    auto [start, rest] = function.split("@main");
    text += "func.func" + start.str() + "@" + name + rest.str();
  }
  llvm::DefaultThreadPool pool(llvm::hardware_concurrency(2));
  std::string contents[2];
  for (bool parallel : {false, true}) {
    SessionOptions options;
    options.runtimeDirectory = SLUICE_LIB_DIR;
    options.threadPool = parallel ? &pool : nullptr;
    TestSession s(options);
    TempDir dir;
    llvm::cantFail(s.session.write(*s.parse(text), dir.path("layer.so")));
    auto file = llvm::MemoryBuffer::getFile(dir.path("layer.so"));
    ASSERT_TRUE(bool(file));
    contents[parallel] = (*file)->getBuffer().str();
  }
  EXPECT_NE(contents[0].find("__sluice_private"), std::string::npos);
  EXPECT_TRUE(contents[0] == contents[1]);
}

TEST(SessionRun, Remarks) {
  SessionOptions options;
  options.remarks = true;
  TestSession s(options), quiet;
  llvm::cantFail(s.session.runPasses(*s.parse(), "sluice-plan-dispatch"));
  llvm::cantFail(
      quiet.session.runPasses(*quiet.parse(), "sluice-plan-dispatch"));
  ASSERT_FALSE(s.diagnostics.empty());
  EXPECT_EQ(s.diagnostics[0].rfind("remark: layer.mlir:", 0), 0u)
      << s.diagnostics[0];
  EXPECT_TRUE(quiet.diagnostics.empty());
}

TEST(SessionRun, Write) {
  SessionOptions options;
  options.runtimeDirectory = SLUICE_LIB_DIR;
  TestSession s(options);
  TempDir dir;
  auto module = s.parse();
  auto write = [&](const std::string &name, ArtifactKind kind,
                   std::string prefix = "", std::string weights = "") {
    return s.session.write(*module, dir.path(name), {kind, prefix, weights});
  };
  llvm::cantFail(write("liblayer.so", ArtifactKind::SharedLibrary));
  llvm::cantFail(write("object.o", ArtifactKind::Object, "net"));
  llvm::cantFail(write("code.s", ArtifactKind::Assembly));
  llvm::cantFail(write("code.ll", ArtifactKind::LLVMIR));
  auto contains = [&](const std::string &name, llvm::StringRef text) {
    auto file = llvm::MemoryBuffer::getFile(dir.path(name));
    return file && (*file)->getBuffer().contains(text);
  };
  EXPECT_TRUE(contains("liblayer.h", "int layer_main("));
  EXPECT_TRUE(contains("object.h", "int net_main("));
  EXPECT_TRUE(contains("code.s", "code_main"));
  EXPECT_TRUE(contains("code.ll", "@code_main"));
  EXPECT_TRUE(llvm::sys::fs::exists(dir.path("liblayer.so")));
  EXPECT_TRUE(s.diagnostics.empty());

  std::string error =
      errorOf(write("no/folder.o", ArtifactKind::Object, "net"));
  EXPECT_NE(error.find("no/folder.o"), std::string::npos) << error;
  EXPECT_EQ(s.diagnostics, (Lines{"error: " + error}));
  EXPECT_EQ(errorOf(write("a.o", ArtifactKind::Object, "1")),
            "expected a C identifier as prefix but got '1'; choose one by "
            "--prefix");
  EXPECT_NE(errorOf(write("a.o", ArtifactKind::Object, "", dir.path("no.st"))),
            "");
  options.runtimeDirectory = dir.path("none");
  s.session.setOptions(options);
  EXPECT_EQ(errorOf(write("a.so", ArtifactKind::SharedLibrary)),
            "cannot link: expected Sluice's runtime at " +
                dir.path("none/libsluice_artifact.a") +
                " but there is no such file");
  EXPECT_FALSE(llvm::sys::fs::exists(dir.path("a.so")));
}
