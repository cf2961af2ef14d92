//===- LayerSubject.cpp - A layer made to be measured -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Peaks.h"
#include "Subject.h"
#include "Team.h"
#include "sluice/Support/Weights.h"
#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace sluice;
using namespace sluice::bench;

namespace {

class LayerSubject : public Subject {
public:
  LayerSubject(const LayerShape &shape, Routing routing)
      : shape(shape), routing(routing) {}

  llvm::Error create(const SubjectOptions &options);

  std::string describe() const override;
  std::string getWeightType() const override {
    return shape.getWeightType().str();
  }
  std::string getActivationType() const override {
    return shape.getActivationType().str();
  }
  std::string getRouting() const override {
    return bench::toString(routing).str();
  }

  llvm::Error start(int64_t tokens) override;
  llvm::Error next() override;
  llvm::Error call() override;
  llvm::Expected<Work> getWork() override;
  size_t getNumBaselines() const override { return baselines.size(); }
  llvm::StringRef getBaselineName(size_t index) const override {
    return baselines[index]->getName();
  }
  void runBaseline(size_t index) override { baselines[index]->run(batch); }

private:
  llvm::Error createBaselines(const SubjectOptions &options);
  llvm::Expected<const float *> widen(const Matrices &matrices, int64_t in,
                                      FloatBuffer &buffer);
  llvm::Error verify();
  llvm::Error verifyRows();
  llvm::Error compare(llvm::StringRef what, double tolerance, double value,
                      double expected, double scale, int64_t token,
                      int64_t column);
  /// How far f32 may be from the definition, relative to the largest element:
  /// the roundings of a sum of n terms add up to about sqrt(n) of one, and
  /// among all elements some are several times that far.
  double getSumTolerance() const {
    return std::max(1e-5,
                    4 * 0x1p-24 * std::sqrt(double(shape.width + shape.inner)));
  }

  LayerShape shape;
  Routing routing;
  LayerWeights weights;
  /// With all copies.
  double weightBytes = 0;
  /// Copies in f32, for the baselines, where the weights are of another type.
  FloatBuffer gate, up, down;
  std::vector<std::unique_ptr<Baseline>> baselines;
  std::optional<JitModel> model;

  std::optional<BatchMaker> maker;
  Batch batch;
  HostTensor output;
};

} // namespace

llvm::Error LayerSubject::create(const SubjectOptions &options) {
  // The tensors, what the compiled model packs, and the baselines' copies.
  double elements =
      double(shape.experts) * shape.numMatrices() * shape.matrixElements();
  weightBytes = 2 * shape.experts * shape.expertBytes();
  if (!options.baselines.empty() && shape.weights != Dtype::F32)
    weightBytes += elements * sizeof(float);
  if (llvm::is_contained(options.baselines, "hand"))
    weightBytes += elements * sizeof(float);
  if (llvm::Error error = checkMemory(weightBytes))
    return error;

  SessionOptions sessionOptions;
  sessionOptions.compile.cpu = options.cpu;
  Session session(sessionOptions, printDiagnostic);
  auto module = session.parse(makeModel(shape), "layer.mlir");
  if (!module)
    return module.takeError();
  llvm::Expected<LayerWeights> created = LayerWeights::create(shape);
  if (!created)
    return created.takeError();
  weights = std::move(*created);
  llvm::Expected<WeightsFile> file =
      WeightsFile::fromMemory(weights.getTensors());
  if (!file)
    return file.takeError();
  llvm::Expected<JitModel> built =
      build(session, **module, *file, options.threads);
  if (!built)
    return built.takeError();
  model.emplace(std::move(*built));
  return createBaselines(options);
}

/// The numbers of matrices with rows of `in`, in f32: the tensor's own, or a
/// copy.
llvm::Expected<const float *>
LayerSubject::widen(const Matrices &matrices, int64_t in, FloatBuffer &buffer) {
  if (matrices.isEmpty())
    return nullptr;
  if (matrices.values.dtype() == Dtype::F32)
    return matrices.values.as<float>().data();
  int64_t count = matrices.values.shape()[0] * matrices.values.shape()[1];
  if (llvm::Error error = buffer.resize(count * in))
    return std::move(error);
  runTeam(/*threads=*/0, [&](Member &member) {
    std::vector<double> row(in);
    for (int64_t i = member.begin(count), end = member.end(count); i < end;
         ++i) {
      matrices.readRow(shape, i, row);
      llvm::copy(row, buffer.data() + i * in);
    }
  });
  return buffer.data();
}

llvm::Error LayerSubject::createBaselines(const SubjectOptions &options) {
  if (options.baselines.empty())
    return llvm::Error::success();
  FloatWeights floats;
  for (auto [matrices, in, buffer, data] :
       {std::tuple(&weights.getGate(), shape.width, &gate, &floats.gate),
        std::tuple(&weights.getUp(), shape.width, &up, &floats.up),
        std::tuple(&weights.getDown(), shape.inner, &down, &floats.down)}) {
    llvm::Expected<const float *> widened = widen(*matrices, in, *buffer);
    if (!widened)
      return widened.takeError();
    *data = *widened;
  }
  llvm::StringMap<bool> features = getFeatures(options.cpu);
  for (llvm::StringRef name : options.baselines) {
    auto baseline =
        name == "hand"
            ? createHandLayer(shape, floats, features, options.threads)
            : createOpenBLAS(shape, floats, features, options.threads);
    if (!baseline)
      return baseline.takeError();
    baselines.push_back(std::move(*baseline));
  }
  return llvm::Error::success();
}

std::string LayerSubject::describe() const {
  std::string text = "D " + std::to_string(shape.width) + ", F " +
                     std::to_string(shape.inner) + ", " +
                     std::to_string(shape.experts) + " experts, " +
                     std::to_string(shape.perToken) + " per token, " +
                     (shape.gated ? "SwiGLU" : "ReLU") + "; " +
                     getWeightType() + " weights, " + getActivationType() +
                     " activations, " + getRouting() + " routing";
  for (const auto &baseline : baselines)
    text += "; " + baseline->getName().str() + ": " + baseline->describe();
  return text;
}

llvm::Error LayerSubject::start(int64_t tokens) {
  // Input and output of each, and what is between a token's experts.
  double rows = double(tokens) * shape.perToken;
  if (llvm::Error error = checkMemory(
          weightBytes + (2.0 * tokens * shape.width + rows * shape.inner) *
                            sizeof(float) * (1 + baselines.size())))
    return error;
  maker.emplace(shape, weights, routing, tokens);
  llvm::Expected<HostTensor> buffer =
      HostTensor::create(Dtype::F32, {tokens, shape.width});
  if (!buffer)
    return buffer.takeError();
  output = std::move(*buffer);
  if (llvm::Error error = next())
    return error;
  if (llvm::Error error = call())
    return error;
  for (const auto &baseline : baselines)
    baseline->run(batch);
  return verify();
}

llvm::Error LayerSubject::next() {
  llvm::Expected<Batch> made = maker->next();
  if (!made)
    return made.takeError();
  batch = std::move(*made);
  for (const auto &baseline : baselines)
    if (llvm::Error error = baseline->prepare(batch))
      return error;
  return llvm::Error::success();
}

llvm::Error LayerSubject::call() {
  sluice_tensor input = llvm::cantFail(batch.input.toC());
  sluice_tensor result = llvm::cantFail(output.toC());
  return model->call("moe", input, result);
}

llvm::Expected<Work> LayerSubject::getWork() {
  Work work;
  work.operations = shape.entryOperations() * batch.experts.size();
  work.bytes = shape.expertBytes() * batch.touched;
  work.touchedExperts = batch.touched;
  return work;
}

llvm::Error LayerSubject::compare(llvm::StringRef what, double tolerance,
                                  double value, double expected, double scale,
                                  int64_t token, int64_t column) {
  if (std::abs(value - expected) <= tolerance * scale)
    return llvm::Error::success();
  return llvm::createStringError(
      "with " + llvm::Twine(batch.tokens) +
      " tokens the compiled layer's element [" + llvm::Twine(token) + ", " +
      llvm::Twine(column) + "] is " + std::to_string(value) + " but " +
      std::to_string(expected) + " by " + what + " (tolerance " +
      std::to_string(tolerance) + " of " + std::to_string(scale) +
      "); the compiler is wrong: please report it");
}

/// Some rows against the definition.
llvm::Error LayerSubject::verifyRows() {
  int64_t rows = std::min<int64_t>(batch.tokens, 3);
  for (int64_t i = 0; i < rows; ++i) {
    int64_t token = rows == 1 ? 0 : (batch.tokens - 1) * i / (rows - 1);
    std::vector<double> expected = computeRow(shape, weights, batch, token);
    double scale = 0;
    for (double value : expected)
      scale = std::max(scale, std::abs(value));
    // A hidden number between two of bf16's, or of the steps of its group, may
    // be rounded to either.
    double tolerance = shape.rounding == Rounding::None   ? getSumTolerance()
                       : shape.rounding == Rounding::BF16 ? 0x1p-8
                                                          : 0x1p-6;
    for (auto [column, value] : llvm::enumerate(expected))
      if (llvm::Error error =
              compare("the definition", tolerance,
                      output.as<float>()[token * shape.width + column], value,
                      scale, token, column))
        return error;
  }
  return llvm::Error::success();
}

llvm::Error LayerSubject::verify() {
  if (llvm::Error error = verifyRows())
    return error;
  double scale = 0;
  for (float value : output.as<float>())
    scale = std::max<double>(scale, std::abs(value));
  // Baselines sum in another order; they round no activations: each is off by
  // 2^-9 of itself, twice, or by 1/254 of the largest of its group.
  double tolerance = shape.rounding == Rounding::None   ? 2 * getSumTolerance()
                     : shape.rounding == Rounding::BF16 ? 0x1p-6
                                                        : 0x1p-3;
  for (const auto &baseline : baselines)
    for (int64_t t = 0; t < batch.tokens; ++t)
      for (int64_t c = 0; c < shape.width; ++c)
        if (llvm::Error error =
                compare(("the baseline '" + baseline->getName() + "'").str(),
                        tolerance, output.as<float>()[t * shape.width + c],
                        baseline->get(t, c), scale, t, c))
          return error;
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<Subject>>
sluice::bench::createLayerSubject(const LayerShape &shape, Routing routing,
                                  const SubjectOptions &options) {
  auto subject = std::make_unique<LayerSubject>(shape, routing);
  if (llvm::Error error = subject->create(options))
    return std::move(error);
  return std::unique_ptr<Subject>(std::move(subject));
}
