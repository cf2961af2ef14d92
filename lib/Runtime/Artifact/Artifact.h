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

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The code for one processor.
typedef struct sluice_artifact_code {
  /// The processor's name, as --cpu had it.
  const char *cpu;
  /// The processor's features that the code needs, separated by commas.
  const char *features;
  const char *manifest;
  const sluice_packed_fn *functions;
} sluice_artifact_code;

/// What sluicec puts into a library; lib/Compiler/EntryPoints.cpp writes it, so
/// the members' order is an agreement, here and above.
typedef struct sluice_artifact {
  /// The best first: of what a processor can run, the first is taken.
  const sluice_artifact_code *codes;
  size_t num_codes;
  /// The weight file that was named when the model was compiled, or NULL.
  const char *default_weights;
} sluice_artifact;

/// Behind <prefix>_load: chooses the code and creates the model. The code is
/// that for the processor that the environment variable SLUICE_CPU names, or
/// the best that this one can run.
int sluice_artifact_load(const sluice_artifact *artifact,
                         const char *weights_path, sluice_model **model,
                         sluice_error *error);

/// Behind <prefix>_cpu: the name of the processor whose code a load would
/// choose now; NULL if there is none.
const char *sluice_artifact_cpu(const sluice_artifact *artifact);

/// Behind each public function: calls it with tensors that lie anywhere.
/// `inputs` and `outputs` have one pointer for each of the function's values;
/// `names` names them, inputs first, for messages.
int sluice_artifact_call(const sluice_model *model, int function,
                         const sluice_tensor *const *inputs, int num_inputs,
                         sluice_tensor *const *outputs, int num_outputs,
                         const char *const *names, sluice_error *error);

/// The first of `codes` that this processor and its operating system can run;
/// if `wanted` is neither NULL nor empty, the one for the processor of that
/// name. NULL, and the reason in `error`, which may be NULL, if there is none.
/// Looks at names and features only.
const sluice_artifact_code *
sluice_choose_code(const sluice_artifact_code *codes, size_t num_codes,
                   const char *wanted, sluice_error *error);

#ifdef __cplusplus
}
#endif

#endif // SLUICE_LIB_RUNTIME_ARTIFACT_ARTIFACT_H
