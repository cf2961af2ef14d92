/*===- errors.c - Each function of libsluice, each way to fail ----*- C -*-===*\
|*                                                                            *|
|* Part of the Sluice project, under the Apache License v2.0 with LLVM        *|
|* Exceptions. See LICENSE for license information.                           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#include "sluice-c/Sluice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      printf("line %d: %s does not hold\n", __LINE__, #condition);             \
      ++failures;                                                              \
    }                                                                          \
  } while (0)

/* Prints the message of a call that must fail. */
#define FAILS(call)                                                            \
  do {                                                                         \
    sluice_error error = {"no message"};                                       \
    CHECK((call) == 1);                                                        \
    printf("%s\n", error.message);                                             \
  } while (0)

#define SUCCEEDS(call)                                                         \
  do {                                                                         \
    sluice_error error = {""};                                                 \
    if ((call) != 0) {                                                         \
      printf("line %d: %s\n", __LINE__, error.message);                        \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

static void print(sluice_severity severity, const char *message,
                  const char *file, int line, int column, void *user) {
  static const char *const names[] = {"note", "remark", "warning", "error"};
  ++*(int *)user;
  printf("  %s: %s:%d:%d: %s\n", names[severity], file ? file : "-", line,
         column, message);
}

static const char layer[] =
    "sluice.weight @w \"experts.{e}.w\" : tensor<2x1x2xf32>\n"
    "func.func @main(%x: tensor<?x2xf32> {sluice.name = \"x\"})"
    " -> tensor<?x1xf32> {\n"
    "  %w = sluice.get_weight @w : tensor<2x1x2xf32>\n"
    "  %g = sluice.topk %x, 1 : tensor<?x2xf32>\n"
    "  %y = sluice.experts by %g : !sluice.gates<?x2xf32, 1 per token>\n"
    "      (%t = %x : tensor<?x2xf32>) with (%v = %w : tensor<2x1x2xf32>)\n"
    "      combine sum weight none -> tensor<?x1xf32> {\n"
    "    %o = sluice.linear %t, %v"
    " : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x1xf32>\n"
    "    sluice.yield %o : tensor<?x1xf32>\n"
    "  }\n"
    "  return %y : tensor<?x1xf32>\n"
    "}\n";

static sluice_tensor matrix(float *data, int64_t rows, int64_t columns) {
  sluice_tensor tensor = {data, SLUICE_F32, 2, {rows, columns}, NULL};
  return tensor;
}

static void testSessions(sluice_session *session) {
  printf("-- sessions\n");
  FAILS(sluice_session_create(NULL, &error));
  FAILS(sluice_session_set_option(NULL, "cpu", "native", &error));
  FAILS(sluice_session_set_option(session, "cpus", "native", &error));
  FAILS(sluice_session_set_option(session, "cpu", "z80", &error));
  FAILS(sluice_session_set_option(session, "target", "z80", &error));
  FAILS(sluice_session_set_option(session, "opt-level", "4", &error));
  FAILS(sluice_session_set_option(session, "parallel", "yes", &error));
  FAILS(sluice_session_set_option(session, "threads", "-1", &error));
  char *value = NULL;
  FAILS(sluice_session_get_option(session, "threads", NULL, &error));
  FAILS(sluice_session_get_option(session, "thread", &value, &error));
  CHECK(value == NULL);
  FAILS(sluice_session_set_diagnostic_handler(NULL, print, NULL, &error));

  int options = 0;
  for (const char *key; (key = sluice_option_key(options)) != NULL; ++options) {
    /* What get says, set takes. */
    SUCCEEDS(sluice_session_get_option(session, key, &value, &error));
    SUCCEEDS(sluice_session_set_option(session, key, value, &error));
    sluice_string_free(value);
  }
  CHECK(options == 9);
  CHECK(sluice_option_key(-1) == NULL);
  /* A target brings its own default. */
  SUCCEEDS(
      sluice_session_set_option(session, "target", "x86_64-linux-gnu", &error));
  SUCCEEDS(sluice_session_set_option(session, "target", "native", &error));
  SUCCEEDS(sluice_session_get_option(session, "cpu", &value, &error));
  CHECK(strcmp(value, "native") == 0);
  sluice_string_free(value);
  SUCCEEDS(sluice_session_set_option(session, "compile-threads", "2", &error));
  SUCCEEDS(sluice_session_set_option(session, "counters", "true", &error));
  SUCCEEDS(sluice_session_set_option(session, "threads", "2", &error));
  SUCCEEDS(sluice_session_get_option(session, "threads", &value, &error));
  CHECK(strcmp(value, "2") == 0);
  sluice_string_free(value);
}

static void testModules(sluice_session *session, const char *folder) {
  printf("-- modules\n");
  sluice_module *module = NULL;
  FAILS(sluice_module_parse(NULL, "", 0, NULL, &module, &error));
  FAILS(sluice_module_parse(session, NULL, 0, NULL, &module, &error));
  FAILS(sluice_module_parse(session, "func.func @f(", 13, "bad.mlir", &module,
                            &error));
  FAILS(sluice_module_parse_file(session, "/no such file", &module, &error));
  CHECK(module == NULL);
  CHECK(sluice_module_parse(session, "func", 4, NULL, &module, NULL) == 1);
  SUCCEEDS(sluice_module_parse(session, layer, sizeof(layer) - 1, "layer.mlir",
                               &module, &error));
  char *text = NULL, *json = NULL;
  FAILS(sluice_module_print(NULL, &text, &error));
  FAILS(sluice_module_describe(module, NULL, &error));
  FAILS(sluice_module_run_passes(module, NULL, &error));
  FAILS(sluice_module_run_passes(module, "nothing", &error));
  FAILS(sluice_module_clone(module, NULL, &error));
  FAILS(sluice_module_write(module, SLUICE_OUTPUT_LLVM_IR, NULL, NULL, NULL,
                            &error));
  FAILS(sluice_module_write(module, (sluice_output)9, "x", NULL, NULL, &error));
  FAILS(sluice_module_write(module, SLUICE_OUTPUT_OBJECT, "/no/folder/x.o",
                            NULL, NULL, &error));
  FAILS(sluice_module_write(module, SLUICE_OUTPUT_OBJECT, "x.o", "1", NULL,
                            &error));
  FAILS(sluice_module_write(module, SLUICE_OUTPUT_OBJECT, "x.o", NULL,
                            "/no.safetensors", &error));

  sluice_module *copy = NULL;
  SUCCEEDS(sluice_module_clone(module, &copy, &error));
  SUCCEEDS(sluice_module_run_passes(copy, "sluice-plan-dispatch", &error));
  SUCCEEDS(sluice_module_print(copy, &text, &error));
  CHECK(strstr(text, "sluice.grouped") != NULL);
  sluice_string_free(text);
  SUCCEEDS(sluice_module_print(module, &text, &error));
  CHECK(strstr(text, "sluice.grouped") == NULL);
  sluice_string_free(text);
  SUCCEEDS(sluice_module_describe(module, &json, &error));
  printf("%s\n", json);
  sluice_string_free(json);

  static const struct {
    sluice_output output;
    const char *name;
  } outputs[] = {{SLUICE_OUTPUT_SHARED_LIBRARY, "layer.so"},
                 {SLUICE_OUTPUT_OBJECT, "object.o"},
                 {SLUICE_OUTPUT_ASSEMBLY, "code.s"},
                 {SLUICE_OUTPUT_LLVM_IR, "code.ll"}};
  for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); ++i) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, outputs[i].name);
    SUCCEEDS(sluice_module_write(module, outputs[i].output, path, "net", NULL,
                                 &error));
  }
  sluice_module_destroy(copy);
  sluice_module_destroy(module);
  sluice_module_destroy(NULL);
}

/* Objects may go in any order: the session goes first here. */
static void testModels(sluice_session *session) {
  printf("-- models\n");
  sluice_module *module = NULL, *bad = NULL;
  SUCCEEDS(sluice_module_parse(session, layer, sizeof(layer) - 1, "layer.mlir",
                               &module, &error));
  const char text[] = "func.func @f(%m: memref<2xf32>) { return }";
  SUCCEEDS(
      sluice_module_parse(session, text, sizeof(text) - 1, NULL, &bad, &error));
  sluice_program *program = NULL;
  FAILS(sluice_module_compile(NULL, &program, &error));
  FAILS(sluice_module_compile(bad, &program, &error));
  sluice_module_destroy(bad);
  CHECK(program == NULL);
  CHECK(sluice_program_manifest(NULL) == NULL);
  sluice_session_destroy(session);
  /* The handler is not called any more. */
  FAILS(sluice_module_run_passes(module, "nothing", &error));
  SUCCEEDS(sluice_module_compile(module, &program, &error));
  sluice_module_destroy(module);
  CHECK(strstr(sluice_program_manifest(program), "\"experts.{e}.w\"") != NULL);

  float sum[2] = {1, 1}, difference[2] = {1, -1};
  sluice_named_tensor tensors[] = {{"experts.0.w", matrix(sum, 1, 2)},
                                   {"experts.1.w", matrix(difference, 1, 2)}};
  sluice_weights *weights = NULL, *some = NULL;
  FAILS(sluice_weights_create(NULL, 2, &weights, &error));
  SUCCEEDS(sluice_weights_create(tensors, 1, &some, &error));
  tensors[1].tensor.dtype = SLUICE_F64;
  sluice_weights *wrong = NULL;
  SUCCEEDS(sluice_weights_create(tensors, 2, &wrong, &error));
  tensors[1].tensor.dtype = SLUICE_F32;
  SUCCEEDS(sluice_weights_create(tensors, 2, &weights, &error));
  sluice_model *model = NULL;
  FAILS(sluice_program_load(NULL, weights, &model, &error));
  FAILS(sluice_program_load(program, NULL, &model, &error));
  FAILS(sluice_program_load(program, some, &model, &error));
  FAILS(sluice_program_load(program, wrong, &model, &error));
  CHECK(model == NULL);
  SUCCEEDS(sluice_program_load(program, weights, &model, &error));
  sluice_weights_close(weights);
  sluice_weights_close(some);
  sluice_weights_close(wrong);
  sluice_program_destroy(program);
  sluice_program_destroy(NULL);

  sluice_value_info info;
  SUCCEEDS(sluice_model_input_info(model, 0, 0, &info, &error));
  CHECK(strcmp(info.name, "x") == 0 && info.rank == 2 && info.shape[0] == -1);
  FAILS(sluice_model_result_info(model, 0, 1, &info, &error));

  float x[6] = {2, 1, 3, 4, 6, 5}, y[3] = {0, 0, 0};
  sluice_tensor input = matrix(x, 3, 2), output = matrix(y, 3, 1);
  int function = sluice_model_find_function(model, "main");
  FAILS(sluice_model_call(model, 7, &input, 1, &output, 1, &error));
  FAILS(sluice_model_call(model, function, &input, 0, &output, 1, &error));
  SUCCEEDS(sluice_model_call(model, function, &input, 1, &output, 1, &error));
  CHECK(output.data == y);
  printf("%g %g %g\n", y[0], y[1], y[2]);
  char *counters = sluice_model_counters_json(model);
  printf("%s\n", counters);
  sluice_string_free(counters);
  sluice_model_destroy(model);
}

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  printf("%s %d\n", sluice_version(), sluice_abi_version());
  CHECK(sluice_abi_version() == SLUICE_ABI_VERSION);
  sluice_string_free(NULL);
  sluice_session_destroy(NULL);
  sluice_session *session = NULL;
  int diagnostics = 0;
  SUCCEEDS(sluice_session_create(&session, &error));
  SUCCEEDS(sluice_session_set_diagnostic_handler(session, print, &diagnostics,
                                                 &error));
  testSessions(session);
  testModules(session, argv[1]);
  testModels(session);
  printf("%s, %d diagnostics\n", failures ? "failed" : "passed", diagnostics);
  return failures != 0;
}
