//===- Memory.c - What compiled code allocates --------------------*- C -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Memory.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
  /// Smaller blocks are malloc's business.
  largeBytes = 64 << 10,
  /// From here on a block is worth pages of 2 MiB.
  hugeBytes = 4 << 20,
  hugePage = 2 << 20,
  numKept = 32
};

static _Atomic(void *) kept[numKept];

static void *checked(void *memory, size_t bytes) {
  if (memory || bytes == 0)
    return memory;
  fprintf(stderr,
          "sluice: error: out of memory: the model asked for %zu bytes\n",
          bytes);
  // Other threads may be running: nothing is cleaned up under them.
  _exit(1);
}

/// Keeps `block` if there is room.
static int keep(void *block) {
  for (int i = 0; i < numKept; ++i) {
    void *expected = NULL;
    if (atomic_compare_exchange_strong(&kept[i], &expected, block))
      return 1;
  }
  return 0;
}

/// A block that was kept, of at least `bytes` and not more than twice as many.
static void *take(size_t bytes) {
  for (int i = 0; i < numKept; ++i) {
    if (!atomic_load_explicit(&kept[i], memory_order_relaxed))
      continue;
    void *block = atomic_exchange(&kept[i], NULL);
    if (!block)
      continue;
    size_t size = malloc_usable_size(block);
    if (size >= bytes && size / 2 <= bytes)
      return block;
    if (!keep(block))
      free(block);
  }
  return NULL;
}

void *sluice_rt_malloc(size_t bytes) {
  if (bytes < largeBytes)
    return checked(malloc(bytes), bytes);
  void *block = take(bytes);
  if (block)
    return block;
  if (bytes < hugeBytes)
    return checked(malloc(bytes), bytes);
  if (posix_memalign(&block, hugePage, bytes) != 0)
    return checked(NULL, bytes);
#ifdef MADV_HUGEPAGE
  // Advice: if it is not taken, nothing is lost.
  (void)madvise(block, bytes, MADV_HUGEPAGE);
#endif
  return block;
}

void *sluice_rt_calloc(size_t count, size_t bytes) {
  return checked(calloc(count, bytes), count * bytes);
}

void sluice_rt_free(void *block) {
  if (block && (malloc_usable_size(block) < largeBytes || !keep(block)))
    free(block);
}

void sluice_rt_trim(void) {
  for (int i = 0; i < numKept; ++i)
    free(atomic_exchange(&kept[i], NULL));
}
