//===- Peaks.cpp - What a machine can do at most ----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Peaks.h"

#include "PeakKernels.h"
#include "Team.h"
#include "Timer.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/TargetParser/AArch64TargetParser.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/TargetParser/X86TargetParser.h"

#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#ifdef __aarch64__
#include <sys/auxv.h>
#endif

using namespace sluice::bench;

/// How much a thread reads in one measurement. It has as many windows as four,
/// and takes one after the other: the caches have forgotten the first when it
/// comes round.
static constexpr size_t windowBytes = size_t(64) << 20;
static constexpr size_t windowsPerThread = 4;

llvm::StringMap<bool> sluice::bench::getFeatures(llvm::StringRef cpu) {
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  llvm::Triple triple(llvm::sys::getProcessTriple());
#ifdef __aarch64__
  // LLVM does not ask for all of them. The bits are Linux's.
  unsigned long first = getauxval(AT_HWCAP), second = getauxval(AT_HWCAP2);
  host["neon"] = true;
  host["dotprod"] = first >> 20 & 1;
  host["i8mm"] = second >> 13 & 1;
  host["bf16"] = second >> 14 & 1;
#endif
  if (cpu == "native")
    return host;
  llvm::SmallVector<llvm::StringRef> names;
  if (triple.isX86()) {
    llvm::X86::getFeaturesForCPU(cpu, names);
  } else if (auto info = llvm::AArch64::parseCpu(cpu)) {
    std::vector<llvm::StringRef> extensions;
    llvm::AArch64::getExtensionFeatures(info->getImpliedExtensions(),
                                        extensions);
    names.assign(extensions.begin(), extensions.end());
  }
  llvm::StringMap<bool> features;
  for (llvm::StringRef name : names) {
    name.consume_front("+");
    features[name] = host.lookup(name);
  }
  // Part of each architecture, whatever the table says.
  features[triple.isX86() ? "sse2" : "neon"] = true;
  return features;
}

void Peaks::Free::operator()(void *memory) const { std::free(memory); }

static bool hasFeatures(const llvm::StringMap<bool> &features,
                        llvm::StringRef needed) {
  return llvm::all_of(llvm::split(needed, ','), [&](llvm::StringRef name) {
    return features.lookup(name);
  });
}

Peaks::Peaks(const llvm::StringMap<bool> &features, int threads)
    : threads(threads), readRates(maxStreams) {
  for (const PeakKernel *const *kernel = peakKernels; *kernel; ++kernel) {
    if (!hasFeatures(features, (*kernel)->features))
      continue;
    Candidates &candidates = (*kernel)->kind == PeakKind::F32    ? f32
                             : (*kernel)->kind == PeakKind::BF16 ? bf16
                                                                 : int8;
    candidates.push_back({*kernel});
  }
  size_t bytes = windowBytes * windowsPerThread * threads;
  constexpr size_t hugePage = size_t(2) << 20;
  buffer.reset(static_cast<char *>(std::aligned_alloc(hugePage, bytes)));
  if (!buffer)
    return;
  madvise(buffer.get(), bytes, MADV_HUGEPAGE);
  // Each thread's windows by itself, so that they are near it.
  runTeam(threads, [&](Member &member) {
    long first = member.begin(threads), last = member.end(threads);
    std::memset(buffer.get() + first * windowsPerThread * windowBytes, 1,
                (last - first) * windowsPerThread * windowBytes);
  });
}

Peaks::~Peaks() = default;

std::optional<double> Peaks::best(const Candidates &candidates) {
  std::optional<double> rate;
  for (const Measured &measured : candidates)
    rate = std::max(rate.value_or(0), measured.rate);
  return rate;
}

double Peaks::getRead() const {
  return *std::max_element(readRates.begin(), readRates.end());
}

int Peaks::getStreams() const {
  return std::max_element(readRates.begin(), readRates.end()) -
         readRates.begin() + 1;
}

/// Seconds from the first thread's start to the last one's end, of threads that
/// start together.
template <typename Body> static double timeTeam(int threads, Body body) {
  std::vector<double> starts(threads, 0), ends(threads, 0);
  int actual = 1;
  runTeam(threads, [&](Member &member) {
    int thread = member.getThread();
    if (thread == 0)
      actual = member.getNumThreads();
    member.wait();
    starts[thread] = now();
    body(thread);
    ends[thread] = now();
  });
  return *std::max_element(ends.begin(), ends.begin() + actual) -
         *std::min_element(starts.begin(), starts.begin() + actual);
}

void Peaks::run(Candidates &candidates) {
  constexpr long turns = 50000;
  for (Measured &measured : candidates) {
    double seconds =
        timeTeam(threads, [&](int) { measured.kernel->run(turns); });
    double operations = double(turns) * measured.kernel->operationsPerTurn;
    measured.rate = std::max(measured.rate, threads * operations / seconds);
  }
}

void Peaks::read(int streams) {
  if (!buffer)
    return;
  size_t window = turn++ % windowsPerThread;
  double seconds = timeTeam(threads, [&](int thread) {
    size_t index = thread * windowsPerThread + window;
    readStreams(streams, buffer.get() + index * windowBytes, windowBytes);
  });
  double &rate = readRates[streams - 1];
  rate = std::max(rate, threads * windowBytes / seconds);
}

void Peaks::measure(double seconds) {
  double end = now() + seconds;
  // All in turn, so that all see the same state of a shared machine.
  do {
    for (int streams = 1; streams <= maxStreams; ++streams) {
      read(streams);
      run(f32);
    }
    run(bf16);
    run(int8);
  } while (now() < end);
}

void Peaks::probe() {
  run(f32);
  run(bf16);
  run(int8);
  read(getStreams());
}
