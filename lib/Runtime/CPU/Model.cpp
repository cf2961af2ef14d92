//===- Model.cpp - Creating models, and their counters ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Memory.h"
#include "Model.h"
#include "Panels.h"
#include "Weights.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace sluice;
using namespace sluice::rt;

const FunctionSpec *sluice_model::function(int index) const {
  if (index < 0 || size_t(index) >= manifest.functions.size())
    return nullptr;
  return &manifest.functions[size_t(index)];
}

void sluice_model::resetCounters() const {
  std::vector<RoutedCounters> zeros;
  for (const CounterSpec &spec : manifest.counters) {
    RoutedCounters &counter = zeros.emplace_back();
    counter.function = spec.function;
    counter.op = spec.op;
    counter.where = spec.where;
    counter.tokensPerExpert.resize(spec.experts);
  }
  std::lock_guard<std::mutex> lock(countersMutex);
  counters = std::move(zeros);
}

void sluice_model::addCounters(const std::vector<int64_t> &state) const {
  std::lock_guard<std::mutex> lock(countersMutex);
  for (size_t i = 0; i < manifest.counters.size(); ++i) {
    const CounterSpec &spec = manifest.counters[i];
    auto at = state.begin() + std::ptrdiff_t(spec.at);
    if (at[0] == 0)
      continue;
    auto experts = at + std::ptrdiff_t(Manifest::counterHeader);
    std::vector<int64_t> perExpert(experts,
                                   experts + std::ptrdiff_t(spec.experts));
    // An op inside another one's body ran several times; only the code knows
    // how many experts had a token in each.
    counters[i].add(at[0], at[1], at[2], at[3], perExpert,
                    spec.multiplyAddsPerEntry, /*weightBytesPerExpert=*/0);
    counters[i].addTouched(at[4], spec.weightBytesPerExpert);
  }
}

/// Makes another owner of `weights`.
static sluice_weights *share(const sluice_weights &weights) {
  ++weights.references;
  return const_cast<sluice_weights *>(&weights);
}

/// Loads all weights of the manifest.
static bool loadWeights(sluice_model &model, const sluice_weights *source,
                        sluice_error *error) {
  const std::vector<WeightSpec> &specs = model.manifest.weights;
  if (specs.empty())
    return true;
  if (!source)
    return setError(error, "model " + quoted(model.manifest.name) + " has " +
                               std::to_string(specs.size()) +
                               " weights but no weight file was given; name "
                               "the safetensors file that holds them");
  model.source.reset(share(*source));
  // The tensors must not move: the descriptors' owner frees them.
  model.weights.reserve(specs.size());
  for (const WeightSpec &spec : specs) {
    sluice_error reason;
    OwnedTensor tensor;
    if (sluice_weights_load(source, spec.tensor.c_str(), spec.dtype,
                            int32_t(spec.shape.size()), spec.shape.data(),
                            &tensor, &reason) != 0)
      return setError(error, "weight @" + spec.symbol + ": " + reason.message);
    model.weights.push_back(spec.panelWidth ? packPanels(spec, tensor)
                                            : std::move(tensor));
  }
  return true;
}

/// Makes a model; `getWeights` opens what the manifest's weights are loaded
/// from, and is only called if there are any.
template <typename GetWeights>
static bool createModel(const char *manifestJson,
                        const sluice_packed_fn *functions,
                        GetWeights &&getWeights, sluice_model **model,
                        sluice_error *error) {
  if (!manifestJson || !functions || !model)
    return setError(error, "expected a manifest, functions and a place for "
                           "the model but got a null pointer");
  std::optional<Manifest> manifest = parseManifest(manifestJson, error);
  if (!manifest)
    return false;
  auto result = std::make_unique<sluice_model>();
  result->manifest = std::move(*manifest);
  for (size_t i = 0; i < result->manifest.functions.size(); ++i) {
    if (!functions[i])
      return setError(error, "expected the code of function " +
                                 quoted(result->manifest.functions[i].name) +
                                 " but got a null pointer");
    result->functions.push_back(functions[i]);
  }
  const sluice_weights *weights = nullptr;
  if (!result->manifest.weights.empty() && !getWeights(weights))
    return false;
  if (!loadWeights(*result, weights, error))
    return false;
  result->resetCounters();
  *model = result.release();
  return true;
}

static bool describeValue(const std::vector<ValueSpec> FunctionSpec::*values,
                          const char *role, const sluice_model *model,
                          int function, int index, sluice_value_info *info,
                          sluice_error *error) {
  if (!model || !info)
    return setError(error, "expected a model and a place for the description "
                           "but got a null pointer");
  const FunctionSpec *spec = model->function(function);
  if (!spec)
    return setError(error,
                    "expected the index of one of the model's " +
                        std::to_string(model->manifest.functions.size()) +
                        " functions but got " + std::to_string(function));
  const std::vector<ValueSpec> &list = spec->*values;
  if (index < 0 || size_t(index) >= list.size())
    return setError(error, spec->name + ": expected the index of one of " +
                               std::to_string(list.size()) + " " + role +
                               " but got " + std::to_string(index));
  const ValueSpec &value = list[size_t(index)];
  *info = {};
  info->name = value.name.c_str();
  info->dtype = value.dtype;
  info->rank = int32_t(value.shape.size());
  std::copy(value.shape.begin(), value.shape.end(), info->shape);
  return true;
}

extern "C" {

int sluice_model_create(const char *manifestJson,
                        const sluice_packed_fn *functions,
                        const char *weightsPath, sluice_model **model,
                        sluice_error *error) {
  return guarded(error, [&] {
    std::unique_ptr<sluice_weights, WeightsCloser> file;
    auto open = [&](const sluice_weights *&weights) {
      sluice_weights *opened = nullptr;
      if (weightsPath && sluice_weights_open(weightsPath, &opened, error) != 0)
        return false;
      file.reset(opened);
      weights = opened;
      return true;
    };
    return createModel(manifestJson, functions, open, model, error);
  });
}

int sluice_model_create_with(const char *manifestJson,
                             const sluice_packed_fn *functions,
                             const sluice_weights *weights,
                             sluice_model **model, sluice_error *error) {
  return guarded(error, [&] {
    auto take = [&](const sluice_weights *&source) {
      source = weights;
      return true;
    };
    return createModel(manifestJson, functions, take, model, error);
  });
}

void sluice_model_set_owner(sluice_model *model, void *owner,
                            void (*release)(void *)) {
  if (!model)
    return;
  model->owner = owner;
  model->release = release;
}

void sluice_model_destroy(sluice_model *model) {
  if (!model)
    return;
  void *owner = model->owner;
  auto *release = model->release;
  delete model;
  if (release)
    release(owner);
  sluice_rt_trim();
}

void sluice_model_set_threads(sluice_model *model, int numThreads) {
  if (model)
    model->numThreads = numThreads;
}

int sluice_model_num_functions(const sluice_model *model) {
  return model ? int(model->manifest.functions.size()) : 0;
}

const char *sluice_model_function_name(const sluice_model *model,
                                       int function) {
  const FunctionSpec *spec = model ? model->function(function) : nullptr;
  return spec ? spec->name.c_str() : nullptr;
}

int sluice_model_find_function(const sluice_model *model, const char *name) {
  if (!name)
    return -1;
  for (int i = 0; i < sluice_model_num_functions(model); ++i)
    if (model->manifest.functions[size_t(i)].name == name)
      return i;
  return -1;
}

int sluice_model_num_inputs(const sluice_model *model, int function) {
  const FunctionSpec *spec = model ? model->function(function) : nullptr;
  return spec ? int(spec->inputs.size()) : -1;
}

int sluice_model_num_results(const sluice_model *model, int function) {
  const FunctionSpec *spec = model ? model->function(function) : nullptr;
  return spec ? int(spec->results.size()) : -1;
}

int sluice_model_input_info(const sluice_model *model, int function, int index,
                            sluice_value_info *info, sluice_error *error) {
  return guarded(error, [&] {
    return describeValue(&FunctionSpec::inputs, "inputs", model, function,
                         index, info, error);
  });
}

int sluice_model_result_info(const sluice_model *model, int function, int index,
                             sluice_value_info *info, sluice_error *error) {
  return guarded(error, [&] {
    return describeValue(&FunctionSpec::results, "results", model, function,
                         index, info, error);
  });
}

char *sluice_model_counters_json(const sluice_model *model) {
  char *copy = nullptr;
  guarded(nullptr, [&] {
    std::vector<RoutedCounters> counters;
    if (model) {
      std::lock_guard<std::mutex> lock(model->countersMutex);
      counters = model->counters;
    }
    std::string text = toJson(counters);
    copy = static_cast<char *>(std::malloc(text.size() + 1));
    if (copy)
      std::memcpy(copy, text.c_str(), text.size() + 1);
    return copy != nullptr;
  });
  return copy;
}

void sluice_model_reset_counters(sluice_model *model) {
  guarded(nullptr, [&] {
    if (model)
      model->resetCounters();
    return true;
  });
}

} // extern "C"
