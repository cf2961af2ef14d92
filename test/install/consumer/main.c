/*===- main.c - The compiler from C ----------------------------*- C -*-===*\
|*                                                                            *|
|* Part of the Sluice project, under the Apache License v2.0 with LLVM        *|
|* Exceptions. See LICENSE for license information.                           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#include "sluice-c/Sluice.h"

#include <stdio.h>

static void print(sluice_severity severity, const char *message,
                  const char *file, int line, int column, void *user) {
  (void)severity;
  (void)user;
  fprintf(stderr, "%s:%d:%d: %s\n", file ? file : "?", line, column, message);
}

static int fail(const sluice_error *error) {
  fprintf(stderr, "%s\n", error->message);
  return 1;
}

int main(int argc, char **argv) {
  sluice_error error;
  sluice_session *session = NULL;
  sluice_module *module = NULL;
  sluice_program *program = NULL;
  if (argc != 2 || sluice_abi_version() != SLUICE_ABI_VERSION)
    return fprintf(stderr, "expected a model and a matching library\n"), 1;
  if (sluice_session_create(&session, &error) ||
      sluice_session_set_diagnostic_handler(session, print, NULL, &error) ||
      sluice_module_parse_file(session, argv[1], &module, &error) ||
      sluice_module_compile(module, &program, &error))
    return fail(&error);
  sluice_module_destroy(module);
  sluice_session_destroy(session);

  /* The weights and both tensors are this program's memory. */
  float rows[2][1][2] = {{{1, 1}}, {{1, -1}}};
  sluice_named_tensor experts[2] = {
      {"experts.0", {rows[0], SLUICE_F32, 2, {1, 2}, NULL}},
      {"experts.1", {rows[1], SLUICE_F32, 2, {1, 2}, NULL}}};
  sluice_weights *weights = NULL;
  sluice_model *model = NULL;
  if (sluice_weights_create(experts, 2, &weights, &error) ||
      sluice_program_load(program, weights, &model, &error))
    return fail(&error);
  sluice_program_destroy(program);
  sluice_weights_close(weights);

  float x[3][2] = {{2, 1}, {3, 4}, {6, 5}};
  float y[3][1];
  sluice_tensor input = {x, SLUICE_F32, 2, {3, 2}, NULL};
  sluice_tensor output = {y, SLUICE_F32, 2, {3, 1}, NULL};
  int moe = sluice_model_find_function(model, "moe");
  if (sluice_model_call(model, moe, &input, 1, &output, 1, &error))
    return fail(&error);
  printf("%g %g %g\n", y[0][0], y[1][0], y[2][0]);
  sluice_model_destroy(model);
  return 0;
}
