//===- SessionThreadsTest.cpp - Sessions do not see each other --*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// These run under ThreadSanitizer, too (tools/check --preset tsan).
//
//===----------------------------------------------------------------------===//

#include "SessionTest.h"

#include <thread>

using namespace sluice;
using namespace sluice::test;

namespace {

/// What one thread does with a session of its own, and what came of it.
struct Work {
  SessionOptions options;
  std::string name;
  int rounds = 3;

  Lines diagnostics;
  std::string counters;
  std::vector<float> results;

  void run() {
    LayerWeights weights;
    for (int round = 0; round < rounds; ++round) {
      TestSession s(options);
      llvm::consumeError(
          s.session.parse("func.func @" + name + "() {", name + ".mlir")
              .takeError());
      auto module = s.parse();
      llvm::cantFail(s.session.runPasses(*module, "canonicalize,cse"));
      JitModel model = llvm::cantFail(llvm::cantFail(s.session.compile(*module))
                                          .load(weights.open().getHandle()));
      results.assign(3, 0);
      sluice_tensor out = view(results.data(), {3, 1});
      llvm::cantFail(model.call("main", {view(tokens, {3, 2})}, out));
      counters = model.getCountersJson();
      diagnostics = s.diagnostics;
    }
  }
};

/// Options for a thread. OpenMP's library is not instrumented: what it hands
/// from thread to thread would look like a race.
SessionOptions optionsFor(unsigned optLevel, bool counters) {
  SessionOptions options;
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
  options.compile.parallel = false;
#endif
#endif
  options.compile.optLevel = optLevel;
  options.compile.counters = counters;
  options.remarks = counters;
  return options;
}

TEST(SessionThreads, TwoSessionsInTwoThreads) {
  Work works[2];
  works[0].options = optionsFor(0, /*counters=*/true);
  works[0].name = "first";
  works[1].options = optionsFor(2, /*counters=*/false);
  works[1].name = "second";
  std::thread first([&] { works[0].run(); });
  std::thread second([&] { works[1].run(); });
  first.join();
  second.join();

  for (const Work &work : works) {
    EXPECT_EQ(work.results, (std::vector<float>{3, -1, 11}));
    ASSERT_FALSE(work.diagnostics.empty());
    EXPECT_EQ(work.diagnostics[0].rfind("error: " + work.name + ".mlir:1:", 0),
              0u)
        << work.diagnostics[0];
    for (llvm::StringRef line : work.diagnostics)
      EXPECT_TRUE(line.contains(work.name + ".mlir") ||
                  line.starts_with("remark: "))
          << line.str();
  }
  EXPECT_NE(works[0].counters.find(R"("tokens":3)"), std::string::npos);
  EXPECT_EQ(works[1].counters, R"({"routed":[]})");
  EXPECT_GT(works[0].diagnostics.size(), 1u);
  EXPECT_EQ(works[1].diagnostics.size(), 1u);
}

TEST(SessionThreads, OneModelInTwoThreads) {
  LayerWeights weights;
  TestSession s(optionsFor(2, /*counters=*/true));
  JitModel model = s.load(weights);
  auto call = [&model] {
    for (int i = 0; i < 50; ++i) {
      float y[3] = {};
      sluice_tensor out = view(y, {3, 1});
      llvm::cantFail(model.call("main", {view(tokens, {3, 2})}, out));
      ASSERT_EQ(y[2], 11);
    }
  };
  std::thread other(call);
  call();
  other.join();
  EXPECT_NE(model.getCountersJson().find(R"("calls":100)"), std::string::npos);
}

} // namespace
