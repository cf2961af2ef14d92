//===- RoutedCounters.cpp - What a routed op did ----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Support/RoutedCounters.h"

#include "Json.h"

#include <limits>

using namespace sluice;

static constexpr int64_t largest = std::numeric_limits<int64_t>::max();

static int64_t saturatingAdd(int64_t a, int64_t b) {
  int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? largest : sum;
}

static int64_t saturatingMul(int64_t a, int64_t b) {
  int64_t product;
  return __builtin_mul_overflow(a, b, &product) ? largest : product;
}

void RoutedCounters::add(int64_t numCalls, int64_t numTokens,
                         int64_t numEntries, int64_t numDropped,
                         const std::vector<int64_t> &entriesPerExpert,
                         int64_t multiplyAddsPerEntry,
                         int64_t weightBytesPerExpert) {
  calls = saturatingAdd(calls, numCalls);
  tokens = saturatingAdd(tokens, numTokens);
  entries = saturatingAdd(entries, numEntries);
  dropped = saturatingAdd(dropped, numDropped);
  multiplyAdds = saturatingAdd(multiplyAdds,
                               saturatingMul(numEntries, multiplyAddsPerEntry));

  if (tokensPerExpert.size() < entriesPerExpert.size())
    tokensPerExpert.resize(entriesPerExpert.size());
  int64_t touchedExperts = 0;
  for (size_t e = 0; e < entriesPerExpert.size(); ++e) {
    tokensPerExpert[e] = saturatingAdd(tokensPerExpert[e], entriesPerExpert[e]);
    touchedExperts += entriesPerExpert[e] > 0;
  }
  addTouched(touchedExperts, weightBytesPerExpert);
}

void RoutedCounters::addTouched(int64_t experts,
                                int64_t weightBytesPerExpert) {
  weightBytes = saturatingAdd(weightBytes,
                              saturatingMul(experts, weightBytesPerExpert));
}

std::string sluice::toJson(const std::vector<RoutedCounters> &counters) {
  std::string text = "{\"routed\":[";
  const char *separator = "";
  for (const RoutedCounters &op : counters) {
    text += separator;
    separator = ",";
    text += "{\"function\":" + rt::toJsonString(op.function);
    text += ",\"op\":" + rt::toJsonString(op.op);
    text += ",\"where\":" + rt::toJsonString(op.where);
    text += ",\"calls\":" + std::to_string(op.calls);
    text += ",\"tokens\":" + std::to_string(op.tokens);
    text += ",\"entries\":" + std::to_string(op.entries);
    text += ",\"dropped\":" + std::to_string(op.dropped);
    text += ",\"multiply_adds\":" + std::to_string(op.multiplyAdds);
    text += ",\"weight_bytes\":" + std::to_string(op.weightBytes);
    text += ",\"tokens_per_expert\":[";
    const char *comma = "";
    for (int64_t count : op.tokensPerExpert) {
      text += comma + std::to_string(count);
      comma = ",";
    }
    text += "]}";
  }
  return text + "]}";
}
