//===- Runner.cpp - Compares one case with the oracle -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Runner.h"

#include "Files.h"
#include "InjectedBug.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "sluice/InitAll.h"
#include "sluice/Dialect/Sluice/Transforms/Passes.h"
#include "sluice/Interpreter/Interpreter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace sluice;

std::unique_ptr<mlir::MLIRContext> sluice::makeContext() {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  return std::make_unique<mlir::MLIRContext>(
      registry, mlir::MLIRContext::Threading::DISABLED);
}

mlir::OwningOpRef<mlir::ModuleOp> CaseRunner::parse(const std::string &text) {
  return mlir::parseSourceString<mlir::ModuleOp>(text, &context, "case");
}

/// A bound of the logits: the sum of the magnitudes of their terms.
double CaseRunner::logitMagnitude() const {
  auto find = [&](const Value &value) -> const HostTensor & {
    for (auto [argument, input] : llvm::zip_equal(c.arguments, values))
      if (argument.value.name == value.name)
        return input;
    llvm_unreachable("the router's operands are arguments");
  };
  const Router &router = c.router;
  double largest = 0;
  if (!router.isProduct) {
    for (double v : find(router.arguments.front()).toDoubles())
      if (std::isfinite(v))
        largest = std::max(largest, std::fabs(v));
    return largest;
  }
  std::vector<double> x = find(router.input).toDoubles(),
                      w = find(router.weight).toDoubles(), b;
  if (router.hasBias)
    b = find(router.bias).toDoubles();
  int64_t in = router.input.shape[1];
  for (int64_t t = 0; t < c.tokens; ++t)
    for (int64_t e = 0; e < router.experts; ++e) {
      double sum = router.hasBias ? std::fabs(b[e]) : 0;
      for (int64_t i = 0; i < in; ++i)
        sum += std::fabs(x[t * in + i] *
                         w[router.inOut ? i * router.experts + e : e * in + i]);
      largest = std::max(largest, sum);
    }
  return largest;
}

bool CaseRunner::drawValues(uint64_t seed) {
  values = drawInputs(c, seed);
  inputs.clear();
  for (auto [argument, value] : llvm::zip_equal(c.arguments, values))
    if (!argument.isWeight)
      inputs.push_back(llvm::cantFail(value.clone()));
  if (inputs.size() == values.size())
    return true;
  weights.reset();
  if (weightsPath.empty()) {
    if (llvm::sys::fs::createTemporaryFile("sluice-fuzz", "safetensors",
                                           weightsPath))
      return false;
    weightsRemover.setFile(weightsPath);
  }
  llvm::Error error = writeWeights(c, values, weightsPath);
  if (!error) {
    llvm::Expected<WeightsFile> file = WeightsFile::open(weightsPath);
    if (file) {
      weights = std::move(*file);
      return true;
    }
    error = file.takeError();
  }
  diagnostics += llvm::toString(std::move(error)) + "\n";
  return false;
}

/// Draws inputs until no choice is closer than rounding may decide.
bool CaseRunner::draw(mlir::ModuleOp module) {
  for (redraws = 0; redraws < 40; ++redraws) {
    if (!drawValues(c.seed + 0x1000 * (redraws + 1)))
      return false;
    interpreter::Options oracleOptions;
    if (weights)
      oracleOptions.weights = &*weights;
    interpreter::Interpreter oracle(module, oracleOptions);
    auto routed = oracle.runExact("route", inputs);
    if (failed(routed))
      return false;
    uint64_t ties = oracle.getExactTies();
    double needed = c.router.selectionPerLogit * logitMagnitude() +
                    c.router.selectionConstant;
    if (oracle.getSmallestMargin() < needed ||
        (c.router.mayRoundToTies && ties > 0))
      continue;
    oracle.resetCounters();
    auto computed = oracle.runExact("moe", inputs);
    if (failed(computed))
      return false;
    if (oracle.getSmallestMargin() < std::max(needed, c.innerMargin))
      continue;
    llvm::raw_string_ostream os(counters);
    oracle.printCountersJSON(os);
    routing = std::move(*routed);
    result = std::move(*computed);
    return true;
  }
  return false;
}

/// The majorant, and what is known of the gates.
bool CaseRunner::interpret(mlir::ModuleOp module) {
  const Router &router = c.router;
  for (double v : routing[1].toDoubles())
    if (std::isfinite(v))
      gateMagnitude = std::max(gateMagnitude, std::fabs(v));
  double scale = std::max(gateMagnitude, 1e-30);
  double spread = router.perLogit * logitMagnitude();
  gateError = router.constant + (router.isRelative ? spread : spread / scale);
  if (router.gates.type == Dtype::F16)
    gateError += 0x1p-22 / scale;
  std::vector<HostTensor> all;
  for (const HostTensor &input : values)
    all.push_back(llvm::cantFail(input.clone()));
  for (const HostTensor &input : values) {
    std::vector<double> values = input.toDoubles();
    for (double &v : values)
      v = std::fabs(v);
    all.push_back(llvm::cantFail(
        HostTensor::fromDoubles(Dtype::F64, input.shape(), values)));
  }
  all.push_back(llvm::cantFail(HostTensor::fromDoubles(
      Dtype::F64, {}, {c.isWeighed ? gateMagnitude : 1})));
  interpreter::Interpreter oracle(module);
  auto computed = oracle.runExact("majorant", all);
  if (failed(computed))
    return false;
  majorant = std::move(*computed);
  return true;
}

CompileOptions CaseRunner::compileOptions() const {
  CompileOptions result;
  result.parallel = c.parallel;
  result.counters = c.counters;
  result.optLevel =
      options.optLevel < 0 ? c.optLevel : unsigned(options.optLevel);
  return result;
}

bool CaseRunner::lower(mlir::ModuleOp module) {
  if (options.injectBug && failed(runInjectedBug(module)))
    return false;
  return succeeded(lowerModel(module, compileOptions()));
}

llvm::Expected<JitModel> CaseRunner::compile(mlir::ModuleOp module) {
  if (!lower(module))
    return llvm::createStringError("lowering failed");
  mlir::FailureOr<CompiledModel> compiled =
      compileModel(module, compileOptions());
  if (failed(compiled))
    return llvm::createStringError("compiling failed");
  return JitModel::create(*compiled, weightsPath);
}

static std::string indexText(const HostTensor &tensor, int64_t index) {
  std::string text;
  for (int64_t i : tensor.unflatten(index))
    text += (text.empty() ? "" : ", ") + std::to_string(i);
  return "[" + text + "]";
}

/// Where a routed op stands in another's body, how often it is called, and the
/// weights that each call reads, depend on how compiled code cuts rows.
static llvm::json::Value withoutCalls(const std::string &text) {
  llvm::json::Value value = llvm::cantFail(llvm::json::parse(text));
  for (llvm::json::Value &record : *value.getAsObject()->getArray("routed")) {
    record.getAsObject()->erase("calls");
    record.getAsObject()->erase("weight_bytes");
  }
  return value;
}

bool CaseRunner::checkCounters(const std::string &actual) {
  if (actual == counters)
    return true;
  bool isNested = c.summary.find(" nested") != std::string::npos;
  if (isNested && withoutCalls(actual) == withoutCalls(counters))
    return true;
  // Where every token goes to one expert, nothing is routed any more once the
  // router stands beside the experts and the model is canonical.
  mlir::OwningOpRef<mlir::ModuleOp> canonical = parse(c.model);
  mlir::PassManager pm(&context);
  pm.addPass(createSluiceInlineBodies());
  pm.addPass(mlir::createCanonicalizerPass());
  std::string expected;
  if (canonical && succeeded(pm.run(*canonical))) {
    interpreter::Options oracleOptions;
    if (weights)
      oracleOptions.weights = &*weights;
    interpreter::Interpreter oracle(*canonical, oracleOptions);
    if (succeeded(oracle.runExact("moe", inputs))) {
      llvm::raw_string_ostream os(expected);
      oracle.printCountersJSON(os);
    }
  }
  if (actual == expected)
    return true;
  message = "@moe: counters are " + actual + " but the oracle has " + counters;
  return false;
}

bool CaseRunner::checkRouting(llvm::ArrayRef<HostTensor> actual) {
  if (actual[0].shape() != routing[0].shape()) {
    message = "@route: indices of another shape";
    return false;
  }
  for (int64_t i = 0; i < routing[0].numElements(); ++i)
    if (actual[0].getInteger(i) != routing[0].getInteger(i)) {
      message = "@route: index " + indexText(routing[0], i) + " is " +
                std::to_string(actual[0].getInteger(i)) +
                " but the oracle has " +
                std::to_string(routing[0].getInteger(i));
      return false;
    }
  double bound = 2 * gateError * gateMagnitude + c.tiny;
  return checkClose("@route: weight", actual[1], routing[1],
                    [&](int64_t) { return bound; });
}

bool CaseRunner::checkResult(const HostTensor &actual) {
  std::vector<double> limits = majorant[0].toDoubles();
  double relative = c.error + c.gateDegree * gateError;
  return checkClose("@moe: element", actual, result[0], [&](int64_t i) {
    return 2 * relative * limits[i] + c.tiny;
  });
}

bool CaseRunner::checkClose(llvm::StringRef what, const HostTensor &actual,
                            const HostTensor &expected,
                            llvm::function_ref<double(int64_t)> bound) {
  if (actual.shape() != expected.shape()) {
    message = (what + ": another shape, " + actual.typeText() + " for " +
               expected.typeText())
                  .str();
    return false;
  }
  for (int64_t i = 0; i < expected.numElements(); ++i) {
    double a = actual.get(i), e = expected.get(i), limit = bound(i);
    bool same = std::isnan(e) ? std::isnan(a) : a == e;
    if (same)
      continue;
    double error = std::fabs(a - e);
    if (std::isfinite(e) && error <= limit) {
      share = std::max(share, error / limit);
      continue;
    }
    llvm::raw_string_ostream os(message);
    os << what << " " << indexText(expected, i) << " is "
       << llvm::format("%.9g", a) << " but the oracle has "
       << llvm::format("%.9g", e) << "; the error "
       << llvm::format("%.3g", error) << " is above the bound "
       << llvm::format("%.3g", limit);
    return false;
  }
  return true;
}

static bool sameBits(llvm::ArrayRef<HostTensor> a,
                     llvm::ArrayRef<HostTensor> b) {
  return llvm::all_of(llvm::zip_equal(a, b), [](auto pair) {
    auto [x, y] = pair;
    return x.bytes() == y.bytes();
  });
}

Outcome CaseRunner::prepare(mlir::ModuleOp module) {
  if (!draw(module))
    return diagnostics.empty()
               ? Outcome::LeftOut
               : fail("the interpreter failed: " + diagnostics);
  mlir::OwningOpRef<mlir::ModuleOp> bounds = parse(c.majorant);
  if (!bounds || !interpret(*bounds))
    return fail("the majorant failed: " + diagnostics + "\n" + c.majorant);
  return Outcome::Agrees;
}

ErrorCollector::ErrorCollector(mlir::MLIRContext &context, std::string &text)
    : ScopedDiagnosticHandler(&context, [&text](mlir::Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
          text += diagnostic.str() + "\n";
        return mlir::success();
      }) {}

Outcome CaseRunner::run() {
  ErrorCollector collector(context, diagnostics);
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(c.model);
  if (!module)
    return fail("the model is not valid: " + diagnostics);
  module->walk([&](mlir::Operation *op) {
    ++ops[op->getName().getStringRef().str()];
  });
  Outcome prepared = prepare(*module);
  if (prepared != Outcome::Agrees)
    return prepared;

  llvm::Expected<JitModel> compiled = compile(*module);
  if (!compiled)
    return fail(llvm::toString(compiled.takeError()) + ": " + diagnostics);
  std::vector<HostTensor> first;
  for (int threads : {1, 3}) {
    compiled->setThreads(threads);
    compiled->resetCounters();
    auto actual = compiled->run("moe", inputs);
    if (!actual)
      return fail("@moe failed: " + llvm::toString(actual.takeError()));
    std::string counted = compiled->getCountersJson();
    if (c.counters && !checkCounters(counted))
      return Outcome::Differs;
    if (threads == 1) {
      auto routed = compiled->run("route", inputs);
      if (!routed)
        return fail("@route failed: " + llvm::toString(routed.takeError()));
      if (!checkRouting(*routed) || !checkResult((*actual)[0]))
        return Outcome::Differs;
      first = std::move(*actual);
    } else if (!sameBits(first, *actual)) {
      return fail("@moe: other bits with 3 threads than with 1");
    }
  }
  return Outcome::Agrees;
}
