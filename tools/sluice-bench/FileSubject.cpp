//===- FileSubject.cpp - A model file that is measured ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Subject.h"
#include "sluice/Interpreter/Interpreter.h"
#include "sluice/Support/Compare.h"
#include "sluice/Support/NamePattern.h"
#include "sluice/Support/Weights.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/WithColor.h"

#include <cmath>

using namespace sluice;
using namespace sluice::bench;

/// Above so many bytes of weights the interpreter, which is slow and holds them
/// in binary64, is not asked.
static constexpr double checkedBytes = 64e6;
/// How many tokens it is asked about.
static constexpr int64_t checkedTokens = 4;

namespace {

class FileSubject : public Subject {
public:
  llvm::Error create(llvm::StringRef path, llvm::StringRef entry,
                     const SubjectOptions &options);

  std::string describe() const override {
    return "@" + function.name + " of " + path;
  }
  std::string getWeightType() const override { return weightType; }
  std::string getActivationType() const override { return activationType; }
  std::string getRouting() const override { return "model"; }

  llvm::Error start(int64_t tokens) override;
  llvm::Error next() override;
  llvm::Error call() override;
  llvm::Expected<Work> getWork() override;

private:
  llvm::Error chooseEntry(const ModelInterface &interface,
                          llvm::StringRef entry);
  llvm::Error makeWeights(const ModelInterface &interface);
  llvm::Expected<std::vector<HostTensor>> makeInputs(int64_t tokens);
  llvm::Error verify(int64_t tokens);

  std::string path;
  ModelInterface::Function function;
  std::string weightType = "f32", activationType = "f32";
  /// The last error that the session's handler was told.
  std::string problem;
  std::optional<Session> session;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<HostTensor> tensors;
  std::optional<WeightsFile> weights;
  double weightBytes = 0;
  std::optional<JitModel> model;
  /// Integers of inputs are below this.
  int64_t numExperts = 1;

  int64_t tokens = 0;
  uint64_t seed = 0;
  std::vector<HostTensor> inputs, outputs;
};

} // namespace

llvm::Error FileSubject::chooseEntry(const ModelInterface &interface,
                                     llvm::StringRef entry) {
  llvm::ArrayRef<ModelInterface::Function> functions = interface.getFunctions();
  if (functions.empty())
    return llvm::createStringError("the model has no public function");
  std::string names;
  for (const ModelInterface::Function &candidate : functions)
    names += (names.empty() ? "" : ", ") + candidate.name;
  llvm::SmallVector<llvm::StringRef> wanted = {entry};
  if (entry.empty() && functions.size() == 1)
    wanted = {functions.front().name};
  else if (entry.empty())
    wanted = {"main", "moe"};
  for (llvm::StringRef name : wanted)
    for (const ModelInterface::Function &candidate : functions)
      if (candidate.name == name) {
        function = candidate;
        return llvm::Error::success();
      }
  if (entry.empty())
    return llvm::createStringError("the model has several public functions; "
                                   "choose one by --entry: " +
                                   names);
  return llvm::createStringError("the model has no public function '" + entry +
                                 "'; it has " + names);
}

/// All weights, each stack in one piece, so that it can be used in place.
llvm::Error FileSubject::makeWeights(const ModelInterface &interface) {
  for (const ModelInterface::Weight &weight : interface.getWeights()) {
    llvm::Expected<int64_t> count = numElements(weight.shape);
    if (!count)
      return count.takeError();
    weightBytes += double(*count) * sizeOf(*parseDtype(weight.dtype));
  }
  if (llvm::Error error = checkMemory(2 * weightBytes))
    return error;

  llvm::StringMap<sluice_named_tensor> named;
  size_t largest = 0;
  for (const ModelInterface::Weight &weight : interface.getWeights()) {
    Dtype dtype = *parseDtype(weight.dtype);
    llvm::Expected<HostTensor> tensor = HostTensor::create(dtype, weight.shape);
    if (!tensor)
      return tensor.takeError();
    double in = weight.shape.empty() ? 1 : double(weight.shape.back());
    // Integers are 0, which is an expert, an index and a count.
    if (isFloat(dtype))
      fillRandom(*tensor, std::sqrt(3 / std::max(in, 1.0)), ++seed);
    if (isFloat(dtype) && tensor->numBytes() > largest) {
      largest = tensor->numBytes();
      weightType = weight.dtype;
    }

    std::string problem;
    std::optional<NamePattern> pattern =
        NamePattern::parse(weight.tensor, problem);
    if (!pattern)
      return llvm::createStringError("weight @" + weight.symbol + ": " +
                                     problem);
    size_t stacked = pattern->placeholders().size();
    llvm::ArrayRef<int64_t> shape = weight.shape;
    llvm::Expected<HostTensor> part =
        HostTensor::create(dtype, shape.drop_front(stacked));
    if (!part)
      return part.takeError();
    sluice_tensor view = llvm::cantFail(part->toC());
    int64_t parts = llvm::cantFail(numElements(shape.take_front(stacked)));
    for (int64_t i = 0; i < parts; ++i) {
      std::vector<int64_t> indices(stacked);
      for (int64_t left = i, j = int64_t(stacked) - 1; j >= 0; --j) {
        indices[j] = left % shape[j];
        left /= shape[j];
      }
      view.data = tensor->bytes().data() + i * part->numBytes();
      // Two weights may be the same tensor; the first one's numbers are taken.
      named.try_emplace(pattern->substitute(indices),
                        sluice_named_tensor{nullptr, view});
    }
    tensors.push_back(std::move(*tensor));
  }
  std::vector<sluice_named_tensor> list;
  for (auto &entry : named)
    list.push_back({entry.getKeyData(), entry.second.tensor});
  llvm::Expected<WeightsFile> file = WeightsFile::fromMemory(list);
  if (!file)
    return file.takeError();
  weights = std::move(*file);
  return llvm::Error::success();
}

llvm::Error FileSubject::create(llvm::StringRef modelPath,
                                llvm::StringRef entry,
                                const SubjectOptions &options) {
  path = modelPath.str();
  SessionOptions sessionOptions;
  sessionOptions.compile.cpu = options.cpu;
  sessionOptions.compile.counters = true;
  session.emplace(sessionOptions, [this](const Diagnostic &diagnostic) {
    if (diagnostic.severity == Diagnostic::Severity::Error)
      problem = diagnostic.describe();
    printDiagnostic(diagnostic);
  });
  auto parsed = session->parseFile(path);
  if (!parsed)
    return parsed.takeError();
  module = std::move(*parsed);
  llvm::Expected<ModelInterface> interface = session->inspect(*module);
  if (!interface)
    return interface.takeError();
  if (llvm::Error error = chooseEntry(*interface, entry))
    return error;
  if (llvm::Error error = makeWeights(*interface))
    return error;
  for (const ModelInterface::Value &input : llvm::reverse(function.inputs))
    if (isFloat(*parseDtype(input.dtype)))
      activationType = input.dtype;
  llvm::Expected<JitModel> built =
      build(*session, *module, *weights, options.threads);
  if (!built)
    return built.takeError();
  model.emplace(std::move(*built));

  llvm::Expected<llvm::json::Value> counters =
      llvm::json::parse(model->getCountersJson());
  if (!counters)
    return counters.takeError();
  bool found = false;
  if (const auto *routed = counters->getAsObject()->getArray("routed"))
    for (const llvm::json::Value &op : *routed)
      if (const auto *experts = op.getAsObject()->getArray("tokens_per_expert"))
        if (!found || int64_t(experts->size()) < numExperts) {
          numExperts = experts->size();
          found = true;
        }
  return llvm::Error::success();
}

llvm::Expected<std::vector<HostTensor>> FileSubject::makeInputs(int64_t count) {
  std::vector<HostTensor> made;
  for (const ModelInterface::Value &input : function.inputs) {
    llvm::SmallVector<int64_t> shape(input.shape.begin(), input.shape.end());
    llvm::replace(shape, int64_t(-1), count);
    Dtype dtype = *parseDtype(input.dtype);
    llvm::Expected<HostTensor> tensor = HostTensor::create(dtype, shape);
    if (!tensor)
      return tensor.takeError();
    ++seed;
    if (isFloat(dtype)) {
      fillRandom(*tensor, 1, seed);
    } else {
      std::minstd_rand random(seed);
      int64_t limit =
          dtype == Dtype::Bool ? 2 : std::max<int64_t>(numExperts, 1);
      for (int64_t i = 0; i < tensor->numElements(); ++i)
        tensor->setInteger(i, random() % limit);
    }
    made.push_back(std::move(*tensor));
  }
  return made;
}

llvm::Error FileSubject::verify(int64_t count) {
  llvm::Expected<std::vector<HostTensor>> made = makeInputs(count);
  if (!made)
    return made.takeError();
  llvm::Expected<std::vector<HostTensor>> actual =
      model->run(function.name, *made);
  if (!actual)
    return actual.takeError();
  interpreter::Options options;
  options.weights = &*weights;
  auto exact =
      interpreter::Interpreter(*module, options).runExact(function.name, *made);
  if (mlir::failed(exact))
    return llvm::createStringError("the interpreter cannot run @" +
                                   function.name + ": " + problem);
  for (auto [index, result, expected] : llvm::enumerate(*actual, *exact)) {
    double tolerance = result.dtype() == Dtype::F16    ? 0x1p-10
                       : result.dtype() == Dtype::BF16 ? 0x1p-7
                                                       : 1e-5;
    // Widening loses nothing, and types must be the same.
    llvm::Expected<HostTensor> widened =
        isFloat(result.dtype())
            ? HostTensor::fromDoubles(Dtype::F64, result.shape(),
                                      result.toDoubles())
            : result.clone();
    if (!widened)
      return widened.takeError();
    llvm::Expected<Comparison> comparison =
        compareTensors(*widened, expected, tolerance);
    if (!comparison)
      return comparison.takeError();
    if (!comparison->matches())
      return llvm::createStringError(
          "with " + llvm::Twine(count) + " tokens, result " +
          llvm::Twine(index) + " of @" + function.name +
          " against the interpreter: " + comparison->describe());
  }
  return llvm::Error::success();
}

llvm::Error FileSubject::start(int64_t count) {
  if (weightBytes <= checkedBytes) {
    if (llvm::Error error = verify(std::min(count, checkedTokens)))
      return error;
  } else if (tokens == 0) {
    llvm::WithColor::remark(llvm::errs(), "sluice-bench")
        << "results are not compared with the interpreter's: "
        << int64_t(weightBytes * 1e-6)
        << " MB of weights are too many for it\n";
  }
  tokens = count;
  if (llvm::Error error = next())
    return error;
  // The first call says which sizes the results have; later ones go into
  // buffers that stay.
  llvm::Expected<std::vector<HostTensor>> results =
      model->run(function.name, inputs);
  if (!results)
    return results.takeError();
  outputs = std::move(*results);
  return llvm::Error::success();
}

llvm::Error FileSubject::next() {
  llvm::Expected<std::vector<HostTensor>> made = makeInputs(tokens);
  if (!made)
    return made.takeError();
  inputs = std::move(*made);
  model->resetCounters();
  return llvm::Error::success();
}

llvm::Error FileSubject::call() {
  llvm::SmallVector<sluice_tensor> arguments, results;
  for (const HostTensor &input : inputs)
    arguments.push_back(llvm::cantFail(input.toC()));
  for (const HostTensor &output : outputs)
    results.push_back(llvm::cantFail(output.toC()));
  return model->call(function.name, arguments, results);
}

llvm::Expected<Work> FileSubject::getWork() {
  llvm::Expected<llvm::json::Value> counters =
      llvm::json::parse(model->getCountersJson());
  if (!counters)
    return counters.takeError();
  Work work;
  if (const auto *routed = counters->getAsObject()->getArray("routed"))
    for (const llvm::json::Value &value : *routed) {
      const llvm::json::Object &op = *value.getAsObject();
      work.operations += 2 * op.getNumber("multiply_adds").value_or(0);
      work.bytes += op.getNumber("weight_bytes").value_or(0);
      if (const auto *experts = op.getArray("tokens_per_expert"))
        work.touchedExperts +=
            llvm::count_if(*experts, [](const llvm::json::Value &count) {
              return count.getAsInteger().value_or(0) > 0;
            });
    }
  return work;
}

llvm::Expected<std::unique_ptr<Subject>>
sluice::bench::createFileSubject(llvm::StringRef path, llvm::StringRef entry,
                                 const SubjectOptions &options) {
  auto subject = std::make_unique<FileSubject>();
  if (llvm::Error error = subject->create(path, entry, options))
    return std::move(error);
  return std::unique_ptr<Subject>(std::move(subject));
}
