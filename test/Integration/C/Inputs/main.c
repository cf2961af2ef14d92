//===- main.c - Uses a compiled model from C ----------------------*- C -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Usage: main weights.safetensors x.npy y.npy
// Runs the model on x.npy of shape [5, 8] from two threads at once, writes
// y.npy, and makes every mistake that the header says is an error.
//
//===----------------------------------------------------------------------===//

#include "moe.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS = 5, WIDTH = 8, HEADER = 128, CALLS = 300 };

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "line %d: %s: %s\n", __LINE__, #condition,               \
              error.message);                                                  \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

static sluice_error error;
static float x_data[TOKENS * WIDTH];
static float expected[TOKENS * WIDTH];
static const sluice_tensor x = {x_data, SLUICE_F32, 2, {TOKENS, WIDTH}, NULL};

/// Calls the model many times with a part of the tokens: results must not
/// depend on the other tokens, nor on the other thread.
static void *run(void *argument) {
  const moe *model = (const moe *)argument;
  for (int i = 0; i < CALLS; ++i) {
    int first = i % TOKENS;
    sluice_tensor part = x, y = {NULL, SLUICE_F32, 0, {0}, NULL};
    part.data = x_data + first * WIDTH;
    part.shape[0] = TOKENS - first;
    sluice_error own;
    if (moe_moe(model, &part, &y, &own) || y.rank != 2 ||
        y.shape[0] != TOKENS - first || y.shape[1] != WIDTH ||
        memcmp(y.data, expected + first * WIDTH,
               sizeof(float) * WIDTH * (size_t)(TOKENS - first)) != 0)
      return argument;
    moe_free_tensor(&y);
  }
  return NULL;
}

static void makeMistakes(moe *model) {
  float result[TOKENS * WIDTH];
  for (int i = 0; i < TOKENS * WIDTH; ++i)
    result[i] = 7;
  sluice_tensor y = {result, SLUICE_F32, 2, {TOKENS, WIDTH}, NULL};

  CHECK(moe_moe(NULL, &x, &y, &error));
  puts(error.message);
  CHECK(moe_moe(model, NULL, &y, &error));
  puts(error.message);
  CHECK(moe_moe(model, &x, NULL, &error));
  puts(error.message);
  CHECK(moe_moe(model, &x, NULL, NULL));

  sluice_tensor wrong = x;
  wrong.shape[1] = WIDTH - 1;
  CHECK(moe_moe(model, &wrong, &y, &error));
  puts(error.message);
  wrong = x;
  wrong.dtype = SLUICE_I32;
  CHECK(moe_moe(model, &wrong, &y, &error));
  puts(error.message);
  wrong = x;
  wrong.data = NULL;
  CHECK(moe_moe(model, &wrong, &y, &error));
  puts(error.message);
  y.shape[0] = TOKENS - 1;
  CHECK(moe_moe(model, &x, &y, &error));
  puts(error.message);

  moe *none = NULL;
  CHECK(moe_load("/no such file", &none, &error));
  puts(error.message);
  CHECK(moe_load(NULL, &none, &error));
  puts(error.message);
  CHECK(moe_load(NULL, NULL, &error));
  puts(error.message);
  CHECK(none == NULL);
  moe_free(NULL);
  moe_free_tensor(NULL);

  // After all these errors the buffer is as it was.
  for (int i = 0; i < TOKENS * WIDTH; ++i)
    CHECK(result[i] == 7);
}

int main(int argc, char **argv) {
  (void)argc;
  char header[HEADER];
  FILE *file = fopen(argv[2], "rb");
  CHECK(file && fread(header, HEADER, 1, file) == 1 &&
        fread(x_data, sizeof(x_data), 1, file) == 1);
  fclose(file);

  moe *model = NULL;
  CHECK(moe_load(argv[1], &model, &error) == 0);
  // Into a buffer of our own.
  sluice_tensor y = {expected, SLUICE_F32, 2, {TOKENS, WIDTH}, NULL};
  CHECK(moe_moe(model, &x, &y, &error) == 0);
  CHECK(y.data == expected && y.allocation == NULL);
  file = fopen(argv[3], "wb");
  CHECK(file && fwrite(header, HEADER, 1, file) == 1 &&
        fwrite(expected, sizeof(expected), 1, file) == 1);
  CHECK(fclose(file) == 0);

  makeMistakes(model);

  // What only one call counts.
  moe_reset_counters(model);
  CHECK(moe_moe(model, &x, &y, &error) == 0);
  char *counters = moe_counters_json(model);
  CHECK(counters);
  puts(counters);
  free(counters);

  moe_set_threads(model, 2);
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i)
    CHECK(pthread_create(&threads[i], NULL, run, model) == 0);
  for (int i = 0; i < 2; ++i) {
    void *failed = NULL;
    CHECK(pthread_join(threads[i], &failed) == 0);
    CHECK(!failed);
  }

  // A second model, at the same time, and results that outlive theirs.
  moe *second = NULL;
  CHECK(moe_load(argv[1], &second, &error) == 0);
  sluice_tensor z = {NULL, SLUICE_F32, 0, {0}, NULL};
  CHECK(moe_moe(second, &x, &z, &error) == 0);
  moe_free(second);
  moe_free(model);
  CHECK(memcmp(z.data, expected, sizeof(expected)) == 0);
  moe_free_tensor(&z);
  CHECK(z.data == NULL);
  moe_free_tensor(&z);
  puts("ok");
  return 0;
}
