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

static const sluice_artifact_code *choose(const sluice_artifact *artifact,
                                          sluice_error *error) {
  return sluice_choose_code(artifact->codes, artifact->num_codes,
                            getenv("SLUICE_CPU"), error);
}

int sluice_artifact_load(const sluice_artifact *artifact,
                         const char *weights_path, sluice_model **model,
                         sluice_error *error) {
  if (!model)
    return fail(error, "%s",
                "expected a place for the model but got a null pointer");
  const sluice_artifact_code *code = choose(artifact, error);
  if (!code)
    return 1;
  return sluice_model_create(
      code->manifest, code->functions,
      weights_path ? weights_path : artifact->default_weights, model, error);
}

const char *sluice_artifact_cpu(const sluice_artifact *artifact) {
  const sluice_artifact_code *code = choose(artifact, NULL);
  return code ? code->cpu : NULL;
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
