//===- Bench.cpp - Measuring cell by cell -----------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bench.h"

#include "Timer.h"
#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace sluice;
using namespace sluice::bench;

llvm::Expected<Cell> sluice::bench::measureCell(Subject &subject,
                                                int64_t tokens, double seconds,
                                                Peaks &peaks) {
  constexpr size_t fewestRuns = 3;
  Cell cell;
  cell.tokens = tokens;
  if (llvm::Error error = subject.start(tokens))
    return std::move(error);
  size_t count = subject.getNumBaselines();
  cell.baselines.assign(count, HUGE_VAL);
  std::vector<double> times;
  double end = now() + seconds;
  for (size_t run = 0; run < fewestRuns || now() < end; ++run) {
    if (llvm::Error error = subject.next())
      return std::move(error);
    peaks.probe();
    // Who comes first changes, so that each finds as often in the caches what
    // another left there. Number `count` is the compiled model.
    for (size_t i = 0; i <= count; ++i) {
      size_t which = (run + i) % (count + 1);
      double start = now();
      if (which < count) {
        subject.runBaseline(which);
        cell.baselines[which] = std::min(cell.baselines[which], now() - start);
        continue;
      }
      if (llvm::Error error = subject.call())
        return std::move(error);
      double elapsed = now() - start;
      times.push_back(elapsed);
      if (times.size() > 1 && elapsed >= cell.best)
        continue;
      llvm::Expected<Work> work = subject.getWork();
      if (!work)
        return work.takeError();
      cell.best = elapsed;
      cell.work = *work;
    }
  }
  llvm::sort(times);
  size_t half = times.size() / 2;
  cell.median =
      times.size() % 2 ? times[half] : (times[half - 1] + times[half]) / 2;
  cell.runs = times.size();
  return cell;
}

std::optional<double> sluice::bench::getFloor(const Subject &subject,
                                              const Work &work,
                                              const Peaks &peaks) {
  if (work.operations == 0)
    return std::nullopt;
  double peak = *peaks.getF32();
  // What can be done by dot products of bf16 or i8, where the processor has
  // them. All numbers of MXFP4 are numbers of bf16.
  if ((subject.getWeightType() == "bf16" ||
       subject.getWeightType() == "mxfp4") &&
      subject.getActivationType() == "bf16")
    peak = std::max(peak, peaks.getBF16().value_or(0));
  if (subject.getActivationType() == "i8")
    peak = std::max(peak, peaks.getInt8().value_or(0));
  return std::max(work.operations / peak, work.bytes / peaks.getRead());
}
