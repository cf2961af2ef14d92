//===- openmp-alone.c - What models call of OpenMP, for one thread *- C -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Stands in for libomp where there is none for the target.

#include <stdarg.h>
#include <stdint.h>

typedef void (*outlined)(int32_t *thread, int32_t *bound, ...);

int omp_get_max_threads(void) { return 1; }
void omp_set_num_threads(int number) { (void)number; }
int32_t __kmpc_global_thread_num(void *place) {
  (void)place;
  return 0;
}
void __kmpc_barrier(void *place, int32_t thread) { (void)place, (void)thread; }
void __kmpc_push_num_threads(void *place, int32_t thread, int32_t number) {
  (void)place, (void)thread, (void)number;
}

void __kmpc_fork_call(void *place, int32_t count, outlined body, ...) {
  (void)place;
  int32_t thread = 0, bound = 0;
  void *arguments[2] = {0, 0};
  va_list list;
  va_start(list, body);
  for (int32_t i = 0; i < count && i < 2; ++i)
    arguments[i] = va_arg(list, void *);
  va_end(list);
  if (count > 2)
    __builtin_trap();
  body(&thread, &bound, arguments[0], arguments[1]);
}
/// A region that one thread may be told to run alone, as this one always does.
void __kmpc_fork_call_if(void *place, int32_t count, outlined body,
                         int32_t condition, void *arguments) {
  (void)place, (void)count, (void)condition;
  int32_t thread = 0, bound = 0;
  body(&thread, &bound, arguments, 0);
}

void __kmpc_for_static_init_8u(void *place, int32_t thread, int32_t schedule,
                               int32_t *last, uint64_t *lower, uint64_t *upper,
                               int64_t *stride, int64_t step, int64_t chunk) {
  (void)place, (void)thread, (void)schedule, (void)step, (void)chunk;
  *last = 1;
  *stride = (int64_t)(*upper - *lower + 1);
}
void __kmpc_for_static_fini(void *place, int32_t thread) {
  (void)place, (void)thread;
}

// All iterations at once. The region may be nested in no other.
static struct {
  uint64_t lower, upper;
  int isLeft;
} loop;

void __kmpc_dispatch_init_8u(void *place, int32_t thread, int32_t schedule,
                             uint64_t lower, uint64_t upper, int64_t step,
                             int64_t chunk) {
  (void)place, (void)thread, (void)schedule, (void)step, (void)chunk;
  loop.lower = lower, loop.upper = upper, loop.isLeft = lower <= upper;
}
int __kmpc_dispatch_next_8u(void *place, int32_t thread, int32_t *last,
                            uint64_t *lower, uint64_t *upper, int64_t *stride) {
  (void)place, (void)thread;
  if (!loop.isLeft)
    return 0;
  loop.isLeft = 0;
  *last = 1, *lower = loop.lower, *upper = loop.upper, *stride = 1;
  return 1;
}
void __kmpc_dispatch_deinit(void *place, int32_t thread) {
  (void)place, (void)thread;
}
