//===- aarch64-main.c - Runs a layer for numbers of tokens --------*- C -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// aarch64-main WEIGHTS COUNT...: reads as many rows from the standard input as
// the largest COUNT, and writes the layer's results for the first COUNT of
// them, one after the other.

#include "m.h"

#include <stdio.h>
#include <stdlib.h>

static float rows[128 * COLUMNS];

static int fail(const sluice_error *error) {
  fprintf(stderr, "%s\n", error->message);
  return 1;
}

int main(int argc, char **argv) {
  sluice_error error;
  m *model;
  if (m_load(argv[1], &model, &error))
    return fail(&error);
  if (fread(rows, sizeof(*rows), sizeof(rows) / sizeof(*rows), stdin) == 0)
    return 1;
  for (int i = 2; i < argc; ++i) {
    sluice_tensor x = {rows, SLUICE_F32, 2, {atoi(argv[i]), COLUMNS}, NULL};
    sluice_tensor y = {NULL, SLUICE_F32, 0, {0}, NULL};
    if (m_layer(model, &x, &y, &error))
      return fail(&error);
    fwrite(y.data, sizeof(float), (size_t)(y.shape[0] * y.shape[1]), stdout);
    m_free_tensor(&y);
  }
  m_free(model);
  return 0;
}
