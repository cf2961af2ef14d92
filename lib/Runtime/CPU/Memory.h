//===- Memory.h - What compiled code allocates --------------------*- C -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiled code allocates its intermediate results in each call. Large ones
// come from the system page by page, filled with zeros, and go back to it: for
// a layer of 1024 tokens that costs as much as a tenth of its products. So a
// few large blocks that were freed are kept for the next call, in a table that
// any thread may take from without a lock. All of them are blocks of malloc:
// what leaves as a result goes to free.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_RUNTIME_CPU_MEMORY_H
#define SLUICE_LIB_RUNTIME_CPU_MEMORY_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What compiled code calls for malloc, calloc and free. It does not look at
/// what it gets, and cannot return: without memory, one line is printed and the
/// process ends with exit code 1.
__attribute__((visibility("hidden"))) void *sluice_rt_malloc(size_t bytes);
__attribute__((visibility("hidden"))) void *sluice_rt_calloc(size_t count,
                                                             size_t bytes);
__attribute__((visibility("hidden"))) void sluice_rt_free(void *block);

/// Frees the blocks that are kept.
__attribute__((visibility("hidden"))) void sluice_rt_trim(void);

#ifdef __cplusplus
}
#endif

#endif // SLUICE_LIB_RUNTIME_CPU_MEMORY_H
