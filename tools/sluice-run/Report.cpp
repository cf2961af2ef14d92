//===- Report.cpp - What a run prints ---------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace sluice;

static void printDuration(llvm::raw_ostream &os, double seconds) {
  if (seconds < 1e-3)
    os << llvm::format("%.1f us", seconds * 1e6);
  else if (seconds < 1)
    os << llvm::format("%.2f ms", seconds * 1e3);
  else
    os << llvm::format("%.3f s", seconds);
}

void sluice::printTimes(llvm::raw_ostream &os, std::vector<double> seconds) {
  llvm::sort(seconds);
  size_t half = seconds.size() / 2;
  double median = seconds.size() % 2 ? seconds[half]
                                     : (seconds[half - 1] + seconds[half]) / 2;
  os << "time: min ";
  printDuration(os, seconds.front());
  os << ", median ";
  printDuration(os, median);
  os << " (" << seconds.size() << (seconds.size() == 1 ? " run" : " runs")
     << " after a warm-up)\n";
}

static void printRouted(llvm::raw_ostream &os, const llvm::json::Object &op) {
  auto text = [&](llvm::StringRef key) {
    return op.getString(key).value_or("");
  };
  auto number = [&](llvm::StringRef key) {
    return op.getInteger(key).value_or(0);
  };
  os << "@" << text("function") << " " << text("op") << " at " << text("where")
     << "\n"
     << "  calls                " << number("calls") << "\n"
     << "  tokens               " << number("tokens") << "\n"
     << "  entries              " << number("entries") << "\n"
     << "  dropped              " << number("dropped") << "\n"
     << "  multiply-adds        " << number("multiply_adds") << "\n"
     << "  weight bytes touched " << number("weight_bytes") << "\n"
     << "  tokens per expert   ";
  if (const llvm::json::Array *experts = op.getArray("tokens_per_expert"))
    for (const llvm::json::Value &count : *experts)
      os << " " << count.getAsInteger().value_or(0);
  os << "\n";
}

void sluice::printCounters(llvm::raw_ostream &os, llvm::StringRef json) {
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(json);
  if (!value) {
    llvm::consumeError(value.takeError());
    os << json << "\n";
    return;
  }
  const llvm::json::Object *root = value->getAsObject();
  const llvm::json::Array *routed = root ? root->getArray("routed") : nullptr;
  if (!routed || routed->empty()) {
    os << "no experts in this model: nothing was counted\n";
    return;
  }
  for (const llvm::json::Value &op : *routed)
    if (const llvm::json::Object *object = op.getAsObject())
      printRouted(os, *object);
}
