//===- manifest.cpp - Any text as a manifest --------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The manifest is parsed; what is valid is made a model with functions that do
// nothing, whose results are then missing.
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"

#include "../../lib/Runtime/CPU/Manifest.h"

#include <algorithm>
#include <memory>

using namespace sluice::fuzz;

static void doNothing(void **) {}

namespace {
struct Destroy {
  void operator()(sluice_model *model) const { sluice_model_destroy(model); }
};
} // namespace

/// Calls a function with the smallest inputs that it takes, if they are small.
static void call(const sluice_model *model, int index,
                 const sluice::rt::FunctionSpec &spec) {
  std::vector<sluice_tensor> inputs;
  std::vector<std::vector<char>> memory;
  for (const sluice::rt::ValueSpec &value : spec.inputs) {
    sluice_tensor input = {};
    input.dtype = value.dtype;
    input.rank = int32_t(value.shape.size());
    std::transform(value.shape.begin(), value.shape.end(), input.shape,
                   [](int64_t size) { return size < 0 ? 1 : size; });
    int64_t bytes = 0;
    if (sluice_tensor_num_bytes(&input, &bytes, nullptr) != 0 || bytes > 4096)
      return;
    input.data = memory.emplace_back(size_t(bytes)).data();
    inputs.push_back(input);
  }
  std::vector<sluice_tensor> outputs(spec.results.size(), sluice_tensor());
  sluice_error error;
  if (sluice_model_call(model, index, inputs.data(), int(inputs.size()),
                        outputs.data(), int(outputs.size()), &error) != 0)
    return;
  for (sluice_tensor &output : outputs)
    sluice_tensor_free(&output);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string text(reinterpret_cast<const char *>(data), size);
  sluice_error error;
  std::optional<sluice::rt::Manifest> manifest =
      sluice::rt::parseManifest(text, &error);
  if (!manifest) {
    require(error.message[0] != 0, "an error has a message");
    return 0;
  }
  // A manifest may rightly ask for more memory than there is.
  if (manifest->stateSize > 1 << 16)
    return 0;
  std::vector<sluice_packed_fn> functions(manifest->functions.size() + 1,
                                          doNothing);
  sluice_model *created = nullptr;
  if (sluice_model_create(text.c_str(), functions.data(), nullptr, &created,
                          &error) != 0)
    return 0;
  std::unique_ptr<sluice_model, Destroy> model(created);
  for (const sluice::rt::FunctionSpec &function : manifest->functions) {
    int index =
        sluice_model_find_function(model.get(), function.name.c_str());
    require(index >= 0, "a function is found by its name");
    call(model.get(), index, manifest->functions[size_t(index)]);
  }
  std::free(sluice_model_counters_json(model.get()));
  sluice_model_reset_counters(model.get());
  return 0;
}
