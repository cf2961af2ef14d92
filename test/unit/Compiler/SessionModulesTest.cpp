//===- SessionModulesTest.cpp - Parsing, passes, inspecting -----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SessionTest.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "sluice/Pipelines/Pipelines.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/ThreadPool.h"

using namespace sluice;
using namespace sluice::test;

static std::string print(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream(text) << module;
  return text;
}

TEST(Session, ParseErrorsGoToTheHandler) {
  TestSession s;
  testing::internal::CaptureStderr();
  std::string error = errorOf(
      s.session.parse("func.func @f() {\n  sluice.nothing\n}", "a.mlir"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  ASSERT_EQ(s.diagnostics.size(), 1u);
  EXPECT_EQ(s.diagnostics[0], "error: " + error);
  EXPECT_EQ(error.rfind("a.mlir:2:3: ", 0), 0u) << error;

  s.diagnostics.clear();
  EXPECT_EQ(errorOf(s.session.parse(std::string(300, '('), "deep.mlir")),
            "deep.mlir:1:258: expected at most 256 levels of nesting");
  EXPECT_EQ(s.diagnostics,
            (Lines{"error: deep.mlir:1:258: expected at most 256 levels of "
                   "nesting"}));
  s.diagnostics.clear();
  EXPECT_EQ(
      errorOf(s.session.parseFile("/no such file")),
      "cannot open input file '/no such file': No such file or directory");
  EXPECT_EQ(s.diagnostics.size(), 1u);
}

TEST(Session, NotesFollowTheirError) {
  TestSession s;
  EXPECT_EQ(errorOf(s.session.parse("func.func private @f()\n"
                                    "func.func private @f()",
                                    "twice.mlir")),
            "twice.mlir:2:1: redefinition of symbol named 'f'");
  EXPECT_EQ(
      s.diagnostics,
      (Lines{"error: twice.mlir:2:1: redefinition of symbol named 'f'",
             "note: twice.mlir:1:1: see existing symbol definition here"}));
}

TEST(Session, WithoutHandlerNothingIsPrinted) {
  Session session;
  testing::internal::CaptureStderr();
  EXPECT_EQ(
      errorOf(session.parse("func.func @f(", "a.mlir")).rfind("a.mlir:1:", 0),
      0u);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Session, ReadsBytecode) {
  TestSession s;
  std::string bytes;
  llvm::raw_string_ostream os(bytes);
  ASSERT_TRUE(mlir::succeeded(mlir::writeBytecodeToFile(*s.parse(), os)));
  auto module = llvm::cantFail(s.session.parse(bytes));
  EXPECT_EQ(print(*module), print(*s.parse()));
  // Cut off.
  errorOf(s.session.parse(llvm::StringRef(bytes).drop_back(40)));
  EXPECT_FALSE(s.diagnostics.empty());
}

TEST(Session, Inspect) {
  TestSession s;
  ModelInterface interface = llvm::cantFail(s.session.inspect(*s.parse()));
  ASSERT_EQ(interface.getFunctions().size(), 1u);
  const ModelInterface::Function &main = interface.getFunctions()[0];
  EXPECT_EQ(main.name, "main");
  ASSERT_EQ(main.inputs.size(), 1u);
  EXPECT_EQ(main.inputs[0].cName, "x");
  EXPECT_EQ(main.inputs[0].dtype, "f32");
  EXPECT_EQ(llvm::ArrayRef<int64_t>(main.inputs[0].shape),
            llvm::ArrayRef<int64_t>({-1, 2}));
  ASSERT_EQ(interface.getWeights().size(), 1u);
  EXPECT_EQ(interface.getWeights()[0].tensor, "experts.{e}.w");
  EXPECT_EQ(describeModel(*s.parse("func.func @g(%i: index, %m: memref<2xf32>) "
                                   "{ return }\nfunc.func private @h()")),
            R"({"functions":[{"inputs":[{"dtype":"i64","name":"","shape":[]},)"
            R"({"dtype":"memref<2xf32>","name":""}],"name":"g","results":[]}],)"
            R"("weights":[]})");
}

TEST(Session, DescribesTheSchedule) {
  TestSession s;
  CompileOptions options;
  // Another architecture than this machine's, too.
  options.target = "aarch64-linux-gnu";
  options.cpu = "generic,neoverse-n2";
  constexpr llvm::StringLiteral model = R"(
sluice.weight @w "w" : tensor<32x64xf32>
func.func @f(%x: tensor<?x64xf32>) -> tensor<?x32xf32> {
  %w = sluice.get_weight @w : tensor<32x64xf32>
  %y = sluice.linear %x, %w : (tensor<?x64xf32>, tensor<32x64xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
})";
  auto text = describeSchedule(*s.parse(model), options);
  ASSERT_TRUE(mlir::succeeded(text));
  llvm::json::Value products = llvm::cantFail(llvm::json::parse(*text));
  ASSERT_EQ(products.getAsArray()->size(), 2u);
  const llvm::json::Object &best = *(*products.getAsArray())[0].getAsObject();
  EXPECT_EQ(best.getString("cpu"), "neoverse-n2");
  EXPECT_EQ(best.getString("machine"), "neon-bf16");
  EXPECT_EQ(best.getString("weight"), "w");
  EXPECT_EQ(best.getString("location"), "layer.mlir:5:8");
  EXPECT_EQ(best.getArray("schedule")->size(), 4u);

  // Weights that are too small for panels.
  text = describeSchedule(*s.parse(), options);
  ASSERT_TRUE(mlir::succeeded(text));
  EXPECT_EQ(*text, "[]");

  EXPECT_TRUE(s.diagnostics.empty());
  options.cpu = "z9000";
  EXPECT_TRUE(mlir::failed(describeSchedule(*s.parse(), options)));
  ASSERT_EQ(s.diagnostics.size(), 1u);
  EXPECT_NE(s.diagnostics[0].find("unknown processor 'z9000'"),
            std::string::npos);
}

TEST(Session, RunsPassesByName) {
  TestSession s;
  auto module = s.parse();
  llvm::cantFail(s.session.runPasses(
      *module, "sluice-plan-dispatch{rows-per-task=8},cse"));
  EXPECT_NE(print(*module).find("sluice.grouped"), std::string::npos);
  // A pass for functions, at the top and where it belongs.
  llvm::cantFail(s.session.runPasses(*module, "sluice-tile-rows"));
  llvm::cantFail(s.session.runPasses(
      *module, " builtin.module(func.func(sluice-tile-rows)) "));
  EXPECT_TRUE(s.diagnostics.empty());

  auto other = s.parse();
  llvm::cantFail(s.session.runPasses(*other, [](mlir::OpPassManager &pm) {
    buildPlanPipeline(pm, CPUOptions());
  }));
  EXPECT_NE(print(*other).find("sluice.grouped"), std::string::npos);
}

TEST(Session, PipelinesThatAreWrong) {
  TestSession s;
  auto module = s.parse();
  std::string before = print(*module);
  testing::internal::CaptureStderr();
  auto run = [&](llvm::StringRef pipeline) {
    return errorOf(s.session.runPasses(*module, pipeline));
  };
  EXPECT_EQ(run("cse,nothing{a=1,b=2}"),
            "pass pipeline, at 'nothing{a=1,b=2}': there is no pass or "
            "pipeline of this name");
  EXPECT_EQ(s.diagnostics.size(), 1u);
  EXPECT_EQ(run(""),
            "pass pipeline, at '': expected the name of a pass but got none");
  EXPECT_EQ(run("cse,"),
            "pass pipeline, at '': expected the name of a pass but got none");
  EXPECT_EQ(run("cse{"), "pass pipeline, at 'cse{': expected '}' at the end of "
                         "the options");
  EXPECT_NE(run("builtin.module(cse"), "");
  EXPECT_NE(run("builtin.module(func.func(sluice-externalize-state))"), "");
  EXPECT_NE(run("func.func(nothing)"), "");
  EXPECT_NE(run("func.func(cse"), "");
  EXPECT_NE(run("cse{no-option=1}"), "");
  EXPECT_NE(run("cse)"), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(print(*module), before);
}

TEST(Session, FailedPassLeavesTheModule) {
  TestSession s;
  auto module =
      s.parse(layer.str() + "func.func @bad(%m: memref<2xf32>) { return }");
  std::string before = print(*module);
  // The first pass succeeds and changes @main.
  std::string error = errorOf(s.session.runPasses(
      *module, "sluice-plan-dispatch,sluice-externalize-state"));
  EXPECT_EQ(error.rfind("layer.mlir:14:1: expected argument 0 of public "
                        "function 'bad' to be ",
                        0),
            0u)
      << error;
  EXPECT_EQ(print(*module), before);
}

TEST(Session, ModulesBuiltInMemory) {
  TestSession s;
  mlir::MLIRContext *context = s.session.getContext();
  context->loadDialect<mlir::arith::ArithDialect, mlir::func::FuncDialect>();
  mlir::OpBuilder builder(context);
  mlir::Location loc = builder.getUnknownLoc();
  mlir::OwningOpRef<mlir::ModuleOp> module(mlir::ModuleOp::create(loc));
  builder.setInsertionPointToEnd(module->getBody());
  auto type = mlir::RankedTensorType::get({2}, builder.getF32Type());
  auto function = mlir::func::FuncOp::create(
      builder, loc, "twice", builder.getFunctionType({type}, {type}));
  builder.setInsertionPointToStart(function.addEntryBlock());
  mlir::Value x = function.getArgument(0);
  mlir::Value sum = mlir::arith::AddFOp::create(builder, loc, x, x);

  // Not finished yet.
  EXPECT_EQ(errorOf(s.session.compile(*module)), s.diagnostics.at(0).substr(7));

  mlir::func::ReturnOp::create(builder, loc, sum);
  JitModel model =
      llvm::cantFail(llvm::cantFail(s.session.compile(*module)).load(nullptr));
  float input[2] = {1, 2}, output[2] = {};
  sluice_tensor out = view(output, {2});
  llvm::cantFail(model.call("twice", {view(input, {2})}, out));
  EXPECT_EQ(output[1], 4);

  Session other;
  EXPECT_EQ(errorOf(other.compile(*module)),
            "expected a module of this session but got one of another context");
  EXPECT_EQ(errorOf(other.compile(mlir::ModuleOp())),
            "expected a module but got none");
}

TEST(Session, CallersThreadPool) {
  llvm::DefaultThreadPool pool(llvm::hardware_concurrency(2));
  SessionOptions options;
  options.threadPool = &pool;
  TestSession s(options), plain;
  EXPECT_EQ(&s.session.getContext()->getThreadPool(), &pool);
  EXPECT_FALSE(plain.session.getContext()->isMultithreadingEnabled());
  auto a = s.parse(), b = plain.parse();
  llvm::cantFail(s.session.runPasses(*a, "sluice-cpu-pipeline"));
  llvm::cantFail(plain.session.runPasses(*b, "sluice-cpu-pipeline"));
  EXPECT_EQ(print(*a), print(*b));
  s.session.setOptions(SessionOptions());
  EXPECT_FALSE(s.session.getContext()->isMultithreadingEnabled());
}
