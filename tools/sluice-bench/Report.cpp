//===- Report.cpp - What a measurement says ---------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include "sluice/Support/AtomicFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/TargetParser/Host.h"

using namespace sluice;
using namespace sluice::bench;

std::string sluice::bench::getCPUName(llvm::StringRef cpu) {
  return cpu == "native" ? llvm::sys::getHostCPUName().str() : cpu.str();
}

void sluice::bench::printHead(llvm::raw_ostream &os, const Report &report) {
  auto rate = [&](llvm::StringRef what, std::optional<double> perSecond,
                  llvm::StringRef unit) {
    os << ", " << what << " ";
    if (perSecond)
      os << llvm::format("%.1f", *perSecond * 1e-9) << " " << unit;
    else
      os << "none";
  };
  os << "machine: " << report.cpu << ", " << report.threads
     << (report.threads == 1 ? " thread" : " threads");
  rate("f32", report.peaks.getF32(), "GF/s");
  rate("bf16 dot", report.peaks.getBF16(), "GF/s");
  rate("int8 dot", report.peaks.getInt8(), "Gop/s");
  rate("read", report.peaks.getRead(), "GB/s");
  os << " (streams a thread: " << report.peaks.getStreams() << ")\n"
     << "model: " << report.subject.describe() << "\n"
     << llvm::format("compiled in %.3f s, loaded in %.3f s\n",
                     report.subject.getCompileSeconds(),
                     report.subject.getLoadSeconds());
}

void sluice::bench::printTable(llvm::raw_ostream &os, const Report &report) {
  os << "\n"
     << llvm::format("%9s %8s %11s %11s %11s %7s", "tokens", "experts",
                     "best ms", "median ms", "floor ms", "share");
  size_t count = report.subject.getNumBaselines();
  for (size_t i = 0; i < count; ++i)
    os << llvm::format(
        " | %11s %6s",
        (report.subject.getBaselineName(i) + " ms").str().c_str(), "ratio");
  os << "\n";
  for (const Cell &cell : report.cells) {
    os << llvm::format("%9lld %8lld %11.4f %11.4f", (long long)cell.tokens,
                       (long long)cell.work.touchedExperts, cell.best * 1e3,
                       cell.median * 1e3);
    if (auto floor = getFloor(report.subject, cell.work, report.peaks))
      os << llvm::format(" %11.4f %6.1f%%", *floor * 1e3,
                         *floor / cell.best * 100);
    else
      os << llvm::format(" %11s %7s", "-", "-");
    for (double baseline : cell.baselines)
      os << llvm::format(" | %11.4f %6.2f", baseline * 1e3,
                         baseline / cell.best);
    os << "\n";
  }
}

llvm::Error sluice::bench::writeJSON(llvm::StringRef path, const Report &report,
                                     bool withWork) {
  return writeFileAtomically(path, [&](llvm::raw_ostream &os) {
    llvm::json::OStream json(os, /*IndentSize=*/2);
    auto number = [&](llvm::StringRef name, std::optional<double> value,
                      double scale) {
      if (value)
        json.attribute(name, *value * scale);
      else
        json.attribute(name, nullptr);
    };
    json.object([&] {
      json.attributeObject("machine", [&] {
        number("peak_gflops", report.peaks.getF32(), 1e-9);
        number("bf16_gflops", report.peaks.getBF16(), 1e-9);
        number("int8_gops", report.peaks.getInt8(), 1e-9);
        number("read_gbps", report.peaks.getRead(), 1e-9);
        json.attribute("threads", report.threads);
        json.attribute("cpu", report.cpu);
      });
      json.attributeArray("cells", [&] {
        for (const Cell &cell : report.cells)
          json.object([&] {
            json.attribute("tokens", cell.tokens);
            json.attribute("type", report.subject.getWeightType());
            json.attribute("activations", report.subject.getActivationType());
            json.attribute("routing", report.subject.getRouting());
            json.attribute("best_ms", cell.best * 1e3);
            json.attribute("median_ms", cell.median * 1e3);
            std::optional<double> floor =
                getFloor(report.subject, cell.work, report.peaks);
            number("floor_ms", floor, 1e3);
            number("share", floor, 1 / cell.best);
            json.attributeObject("baselines", [&] {
              for (auto [i, best] : llvm::enumerate(cell.baselines))
                json.attributeObject(
                    report.subject.getBaselineName(i), [&, best = best] {
                      json.attribute("best_ms", best * 1e3);
                      json.attribute("ratio", best / cell.best);
                    });
            });
            if (withWork) {
              json.attribute("operations", cell.work.operations);
              json.attribute("bytes", cell.work.bytes);
            }
          });
      });
      if (withWork)
        json.attribute("title", report.subject.describe());
    });
    os << "\n";
    return llvm::Error::success();
  });
}
