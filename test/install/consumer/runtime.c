/*===- runtime.c - The runtime, without the compiler -----------*- C -*-===*\
|*                                                                            *|
|* Part of the Sluice project, under the Apache License v2.0 with LLVM        *|
|* Exceptions. See LICENSE for license information.                           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#include "sluice-c/Runtime.h"

#include <stdio.h>

int main(int argc, char **argv) {
  sluice_error error;
  sluice_weights *weights = NULL;
  if (argc != 2)
    return fprintf(stderr, "expected a safetensors file\n"), 1;
  if (sluice_weights_open(argv[1], &weights, &error))
    return fprintf(stderr, "%s\n", error.message), 1;
  for (int64_t i = 0; i < sluice_weights_count(weights); ++i) {
    sluice_weight_info info;
    if (sluice_weights_info(weights, i, &info, &error))
      return fprintf(stderr, "%s\n", error.message), 1;
    printf("%s: %s, %lld bytes\n", info.name, info.dtype,
           (long long)info.num_bytes);
  }
  sluice_weights_close(weights);
  return 0;
}
