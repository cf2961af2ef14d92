//===- GuiltyPass.cpp - Which pass made it wrong ----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The interpreter executes the model after each pass of the pipeline, as long as
// it knows the ops: the model level, the plan level, loops and linalg on
// tensors. From bufferization on it does not; what goes wrong there is between
// the last pass after which it agreed and the end.
//
//===----------------------------------------------------------------------===//

#include "Runner.h"

#include "InjectedBug.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Builders.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"
#include "sluice/Interpreter/Interpreter.h"
#include "sluice/Pipelines/Pipelines.h"
#include "llvm/Support/JSON.h"

using namespace sluice;

namespace {

/// Calls back before and after each pass, with the module.
class EachPass : public mlir::PassInstrumentation {
public:
  using Before = llvm::function_ref<void(llvm::StringRef)>;
  using After = llvm::function_ref<void(llvm::StringRef, mlir::ModuleOp)>;
  EachPass(Before before, After after) : before(before), after(after) {}

  void runBeforePass(mlir::Pass *pass, mlir::Operation *) override {
    if (!pass->getArgument().empty())
      before(pass->getArgument());
  }
  void runAfterPass(mlir::Pass *pass, mlir::Operation *op) override {
    // What only holds other passes has no name.
    if (pass->getArgument().empty())
      return;
    auto module = llvm::dyn_cast<mlir::ModuleOp>(op);
    after(pass->getArgument(),
          module ? module : op->getParentOfType<mlir::ModuleOp>());
  }

private:
  Before before;
  After after;
};

} // namespace

/// Takes away the state, which is the first argument of each function once it
/// is one: it holds failures and counters, and no result depends on it.
static void eraseState(mlir::ModuleOp module) {
  for (auto function : module.getOps<mlir::func::FuncOp>()) {
    if (function.isExternal() || function.getNumArguments() == 0 ||
        !llvm::isa<mlir::MemRefType>(function.getArgument(0).getType()))
      continue;
    mlir::Value state = function.getArgument(0);
    for (mlir::Operation *user : llvm::make_early_inc_range(state.getUsers())) {
      mlir::OpBuilder builder(user);
      if (llvm::isa<mlir::func::CallOp>(user)) {
        user->eraseOperand(0);
        continue;
      }
      // What is read, or was there before, is 0.
      for (mlir::Value result : user->getResults())
        if (result.getType().isInteger())
          result.replaceAllUsesWith(mlir::arith::ConstantIntOp::create(
              builder, user->getLoc(), result.getType(), 0));
      if (user->use_empty())
        user->erase();
    }
    if (state.use_empty())
      (void)function.eraseArgument(0);
  }
}

/// The symbols of the weights that `function` takes as arguments in front of
/// its inputs.
static std::vector<std::string> findWeightArguments(mlir::ModuleOp module,
                                                    llvm::StringRef function) {
  std::vector<std::string> symbols;
  auto text = module->getAttrOfType<mlir::StringAttr>("sluice.manifest");
  if (!text)
    return symbols;
  llvm::json::Value manifest = llvm::cantFail(llvm::json::parse(text));
  const llvm::json::Array *weights = manifest.getAsObject()->getArray("weights");
  for (const llvm::json::Value &value :
       *manifest.getAsObject()->getArray("functions")) {
    const llvm::json::Object *object = value.getAsObject();
    if (object->getString("name") != function || !object->getArray("weights"))
      continue;
    for (const llvm::json::Value &index : *object->getArray("weights"))
      symbols.push_back((*weights)[size_t(*index.getAsInteger())]
                            .getAsObject()
                            ->getString("symbol")
                            ->str());
  }
  return symbols;
}

CaseRunner::Level CaseRunner::interpretLowered(mlir::ModuleOp module) {
  mlir::OwningOpRef<mlir::ModuleOp> copy(module.clone());
  eraseState(*copy);
  interpreter::Options oracleOptions;
  if (weights)
    oracleOptions.weights = &*weights;
  interpreter::Interpreter oracle(*copy, oracleOptions);
  auto interpret = [&](llvm::StringRef function) {
    llvm::SmallVector<HostTensor> all;
    for (const std::string &symbol : findWeightArguments(*copy, function))
      for (auto [argument, value] : llvm::zip_equal(c.arguments, values))
        if (argument.value.name == symbol)
          all.push_back(llvm::cantFail(value.clone()));
    for (const HostTensor &input : inputs)
      all.push_back(llvm::cantFail(input.clone()));
    return oracle.runExact(function, all);
  };
  auto routed = interpret("route");
  if (failed(routed))
    return Level::NotExecutable;
  auto computed = interpret("moe");
  if (failed(computed))
    return Level::NotExecutable;
  return checkRouting(*routed) && checkResult((*computed)[0]) ? Level::Agrees
                                                              : Level::Differs;
}

std::string CaseRunner::findGuiltyPass(
    llvm::function_ref<void(llvm::StringRef)> announce) {
  ErrorCollector collector(context, diagnostics);
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(c.model);
  if (!module)
    return "none: the model is not valid";
  if (prepare(*module) != Outcome::Agrees)
    return "none: the interpreter has no answer";

  // After the last pass that was right, and after the first that was wrong.
  std::string right, wrong;
  auto after = [&](llvm::StringRef pass, mlir::ModuleOp lowered) {
    if (!wrong.empty())
      return;
    Level level = interpretLowered(lowered);
    if (level == Level::Agrees)
      right = pass.str();
    else if (level == Level::Differs)
      wrong = pass.str();
    // Passes in between of which nothing is known.
    if (level == Level::NotExecutable)
      ++unknown;
    else if (wrong.empty())
      unknown = 0;
  };
  unknown = 0;
  mlir::PassManager pm(&context);
  if (options.injectBug)
    buildInjectedBug(pm);
  CPUOptions cpu;
  cpu.parallel = c.parallel;
  buildCPUPipeline(pm, cpu);
  pm.addInstrumentation(std::make_unique<EachPass>(announce, after));
  mlir::OwningOpRef<mlir::ModuleOp> lowered(module->clone());
  bool lowers = succeeded(pm.run(*lowered));
  if (!wrong.empty() && unknown == 0)
    return wrong;
  std::string since = right.empty() ? "the first" : "behind " + right;
  if (!wrong.empty())
    return "one of those " + since + " up to " + wrong;
  if (!lowers)
    return "one of those " + since + ", which failed: " + diagnostics;
  // Does LLVM's optimizer matter?
  if (c.optLevel != 0 && options.optLevel != 0) {
    RunOptions plain = options;
    plain.optLevel = 0;
    if (CaseRunner(context, c, plain).run() == Outcome::Agrees)
      return "one of LLVM's at level " + std::to_string(c.optLevel);
  }
  return "one of those " + since + ", or LLVM";
}
