//===- Team.cpp - Threads that work together --------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Team.h"

#include <thread>

using namespace sluice::bench;

void Member::wait() {
  // All that arrive in turn n make the count n * threads.
  long all = ++turn * threads;
  arrived.fetch_add(1, std::memory_order_acq_rel);
  for (int spins = 0; arrived.load(std::memory_order_acquire) < all; ++spins)
    if (spins > 20000)
      std::this_thread::yield();
}

extern "C" int omp_get_thread_num(void);
extern "C" int omp_get_num_threads(void);
extern "C" int omp_get_max_threads(void);

void sluice::bench::runTeam(int threads,
                            void (*body)(void *data, Member &member),
                            void *data) {
  std::atomic<long> arrived{0};
  if (threads < 1)
    threads = omp_get_max_threads();
#pragma omp parallel num_threads(threads)
  {
    Member member(omp_get_thread_num(), omp_get_num_threads(), arrived);
    body(data, member);
  }
}
