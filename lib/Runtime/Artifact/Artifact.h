//===- Artifact.h - What a model's C functions are made of --------*- C -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_RUNTIME_ARTIFACT_ARTIFACT_H
#define SLUICE_LIB_RUNTIME_ARTIFACT_ARTIFACT_H

#include "sluice-c/Runtime.h"

/// What sluicec puts into a library; lib/Compiler/EntryPoints.cpp writes it, so
/// the members' order is an agreement.
typedef struct sluice_artifact {
  const char *manifest;
  const sluice_packed_fn *functions;
  /// The weight file that was named when the model was compiled, or NULL.
  const char *default_weights;
  /// The processor's features that the code needs, separated by commas.
  const char *features;
} sluice_artifact;

/// Behind <prefix>_load: checks the processor and creates the model.
int sluice_artifact_load(const sluice_artifact *artifact,
                         const char *weights_path, sluice_model **model,
                         sluice_error *error);

/// Behind each public function: calls it with tensors that lie anywhere.
/// `inputs` and `outputs` have one pointer for each of the function's values;
/// `names` names them, inputs first, for messages.
int sluice_artifact_call(const sluice_model *model, int function,
                         const sluice_tensor *const *inputs, int num_inputs,
                         sluice_tensor *const *outputs, int num_outputs,
                         const char *const *names, sluice_error *error);

/// Returns the first of the comma-separated `features` that this processor or
/// its operating system lacks, and its length, or NULL.
const char *sluice_find_missing_feature(const char *features, size_t *length);

#endif // SLUICE_LIB_RUNTIME_ARTIFACT_ARTIFACT_H
