//===- Team.h - Threads that work together ----------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TOOLS_SLUICE_BENCH_TEAM_H
#define SLUICE_TOOLS_SLUICE_BENCH_TEAM_H

#include <atomic>
#include <type_traits>

namespace sluice::bench {

// Never a function of its own: files that are compiled for more than the
// machine at hand has call these, and the linker would be free to take theirs.
#define SLUICE_BENCH_INLINE __attribute__((always_inline))

/// One thread's place in its team.
class Member {
public:
  Member(int thread, int threads, std::atomic<long> &arrived)
      : thread(thread), threads(threads), arrived(arrived) {}

  SLUICE_BENCH_INLINE int getThread() const { return thread; }
  SLUICE_BENCH_INLINE int getNumThreads() const { return threads; }

  /// This thread's part of `count` things: from begin(count) to end(count).
  SLUICE_BENCH_INLINE long begin(long count) const {
    return count * thread / threads;
  }
  SLUICE_BENCH_INLINE long end(long count) const {
    return count * (thread + 1) / threads;
  }

  /// Waits until all threads of the team have come here as often.
  void wait();

private:
  int thread, threads;
  std::atomic<long> &arrived;
  long turn = 0;
};

/// Calls `body(data, member)` in `threads` threads, the calling one among them,
/// and returns when all are done. They are OpenMP's, as those of compiled
/// models are: the idle threads of a second pool would take time from whoever
/// is measured next. `threads` is 1 or more, or 0 for OpenMP's default; OpenMP
/// may give less.
void runTeam(int threads, void (*body)(void *data, Member &member), void *data);

template <typename Body> void runTeam(int threads, Body &&body) {
  runTeam(
      threads,
      [](void *data, Member &member) {
        (*static_cast<std::remove_reference_t<Body> *>(data))(member);
      },
      &body);
}

#undef SLUICE_BENCH_INLINE

} // namespace sluice::bench

#endif // SLUICE_TOOLS_SLUICE_BENCH_TEAM_H
