//===- Artifact.c - What a model's C functions are made of --------*- C -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Artifact.h"

#include <stdio.h>
#include <stdlib.h>

/// Enough for every function that a person writes, without an allocation.
#define NUM_ON_STACK 16

static int fail(sluice_error *error, const char *format, const char *text) {
  if (error)
    snprintf(error->message, sizeof(error->message), format, text);
  return 1;
}

int sluice_artifact_load(const sluice_artifact *artifact,
                         const char *weights_path, sluice_model **model,
                         sluice_error *error) {
  if (!model)
    return fail(error, "%s",
                "expected a place for the model but got a null pointer");
  size_t length = 0;
  const char *missing =
      sluice_find_missing_feature(artifact->features, &length);
  if (missing) {
    char name[32];
    snprintf(name, sizeof(name), "%.*s", (int)length, missing);
    return fail(error,
                "expected a processor with %s, for which the model was "
                "compiled, but this one has none; compile it with another "
                "--cpu",
                name);
  }
  return sluice_model_create(
      artifact->manifest, artifact->functions,
      weights_path ? weights_path : artifact->default_weights, model, error);
}

int sluice_artifact_call(const sluice_model *model, int function,
                         const sluice_tensor *const *inputs, int num_inputs,
                         sluice_tensor *const *outputs, int num_outputs,
                         const char *const *names, sluice_error *error) {
  for (int i = 0; i < num_inputs; ++i)
    if (!inputs[i])
      return fail(error, "expected the tensor '%s' but got a null pointer",
                  names[i]);
  for (int i = 0; i < num_outputs; ++i)
    if (!outputs[i])
      return fail(error, "expected the tensor '%s' but got a null pointer",
                  names[num_inputs + i]);

  sluice_tensor on_stack[NUM_ON_STACK];
  sluice_tensor *tensors = on_stack;
  const size_t count = (size_t)num_inputs + (size_t)num_outputs;
  if (count > NUM_ON_STACK &&
      !(tensors = (sluice_tensor *)malloc(count * sizeof(*tensors))))
    return fail(error, "%s", "out of memory");
  for (int i = 0; i < num_inputs; ++i)
    tensors[i] = *inputs[i];
  sluice_tensor *results = tensors + num_inputs;
  for (int i = 0; i < num_outputs; ++i)
    results[i] = *outputs[i];

  const int failed = sluice_model_call(model, function, tensors, num_inputs,
                                       results, num_outputs, error);
  if (!failed)
    for (int i = 0; i < num_outputs; ++i)
      *outputs[i] = results[i];
  if (tensors != on_stack)
    free(tensors);
  return failed;
}
