//===- BoundsTest.cpp - Experts by gates of any bound ---------------*- C++
//-*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InterpreterTest.h"

using namespace sluice;
using namespace sluice::interpreter;

static HostTensor i64(llvm::ArrayRef<int64_t> shape,
                      llvm::ArrayRef<double> values) {
  return make(Dtype::I64, shape, values);
}

static HostTensor bools(llvm::ArrayRef<int64_t> shape,
                        llvm::ArrayRef<double> values) {
  return make(Dtype::Bool, shape, values);
}

namespace {
class BoundsTest : public InterpreterTest {
protected:
  /// The head of a routed op over three experts without a bound, called %y,
  /// up to its inputs; `sluice.grouped` after its plan.
  static std::string head(bool isGrouped) {
    if (!isGrouped)
      return "%y = sluice.experts by %g : !sluice.gates<?x3xf32>\n";
    return "%o, %r, %p = sluice.plan %g : !sluice.gates<?x3xf32>\n"
           "%y = sluice.grouped by %g : !sluice.gates<?x3xf32> "
           "plan %o, %r, %p : tensor<4xindex>, tensor<?xindex>, "
           "tensor<?x3xindex>\n";
  }
  static std::string tail(bool isGrouped) {
    return isGrouped ? " rows_per_task 1 -> " : " -> ";
  }
};
} // namespace

TEST_F(BoundsTest, thresholds) {
  for (bool isGrouped : {false, true}) {
    load("func.func @main(%x: tensor<?x1xf32>, %s: tensor<?x3xf32>,\n"
         "    %m: tensor<?x3xi1>, %w: tensor<3x1x1xf32>) -> tensor<?x1xf32> {\n"
         "  %g = sluice.from_dense %s where %m : tensor<?x3xf32>, "
         "tensor<?x3xi1> -> !sluice.gates<?x3xf32>\n" +
         head(isGrouped) +
         "(%t = %x : tensor<?x1xf32>) with (%v = %w : tensor<3x1x1xf32>)\n"
         "combine sum weight output" +
         tail(isGrouped) +
         "tensor<?x1xf32> {\n"
         "    %z = sluice.linear %t, %v\n"
         "      : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32>\n"
         "    sluice.yield %z : tensor<?x1xf32>\n  }\n"
         "  return %y : tensor<?x1xf32>\n}");
    HostTensor inputs[] = {f32({3, 1}, {1, 2, 3}),
                           f32({3, 3}, {2, 3, 5, 7, 11, 13, 17, 19, 23}),
                           bools({3, 3}, {1, 0, 1, 0, 0, 0, 1, 1, 1}),
                           f32({3, 1, 1}, {1, 10, 100})};
    auto results = run(inputs);
    ASSERT_EQ(results.size(), 1u);
    expectSame(results[0],
               {2 * 1 + 5 * 100, 0, 3 * (17 * 1 + 19 * 10 + 23 * 100)});
    const RoutedCounters &counters = interpreter->getCounters()[0];
    EXPECT_EQ(counters.tokens, 3);
    EXPECT_EQ(counters.entries, 5);
    EXPECT_EQ(counters.dropped, 0);
    EXPECT_EQ(counters.multiplyAdds, 5);
    EXPECT_EQ(counters.weightBytes, 12);
    EXPECT_EQ(counters.tokensPerExpert, (std::vector<int64_t>{2, 1, 2}));
  }
}

TEST_F(BoundsTest, droppedEntriesAreThoseOfTheLimit) {
  load(R"(func.func @main(%x: tensor<?x2xf32>, %c: index) -> tensor<?x2xf32> {
    %t = sluice.topk %x, 2 : tensor<?x2xf32>
    %g = sluice.limit %t, %c by choice : !sluice.gates<?x2xf32, 2 per token>
    %y = sluice.experts by %g : !sluice.gates<?x2xf32, 2 per token>
        (%r = %x : tensor<?x2xf32>)
        combine sum weight none -> tensor<?x2xf32> {
      sluice.yield %r : tensor<?x2xf32>
    }
    return %y : tensor<?x2xf32>
  })");
  HostTensor inputs[] = {f32({3, 2}, {2, 1, 4, 3, 6, 5}), i64({}, {2})};
  auto results = run(inputs);
  ASSERT_EQ(results.size(), 1u);
  // Both experts take tokens 0 and 1.
  expectSame(results[0], {4, 2, 8, 6, 0, 0});
  EXPECT_EQ(interpreter->getCounters()[0].entries, 4);
  EXPECT_EQ(interpreter->getCounters()[0].dropped, 2);
}

TEST_F(BoundsTest, mixtureOfDepths) {
  for (bool isGrouped : {false, true}) {
    load(std::string(R"(func.func @main(%x: tensor<?x1xf32>,
        %s: tensor<?x1xf32>, %c: index) -> tensor<?x1xf32> {
    %g = sluice.choose_tokens %s, %c : tensor<?x1xf32>
    )") +
         (isGrouped ? R"(%o, %r, %p = sluice.plan %g
      : !sluice.gates<?x1xf32, ? per expert>
    %y = sluice.grouped by %g : !sluice.gates<?x1xf32, ? per expert>
        plan %o, %r, %p : tensor<2xindex>, tensor<?xindex>, tensor<?x1xindex>
        )"
                    : R"(%y = sluice.experts by %g
        : !sluice.gates<?x1xf32, ? per expert>
        )") +
         "(%t = %x : tensor<?x1xf32>) else %x combine replace weight output" +
         tail(isGrouped) + R"(tensor<?x1xf32> {
      %n = arith.negf %t : tensor<?x1xf32>
      sluice.yield %n : tensor<?x1xf32>
    }
    return %y : tensor<?x1xf32>
  })");
    HostTensor inputs[] = {f32({4, 1}, {1, 2, 3, 4}),
                           f32({4, 1}, {0.5, 2, 3, 2}), i64({}, {2})};
    auto results = run(inputs);
    ASSERT_EQ(results.size(), 1u);
    expectSame(results[0], {1, -4, -9, 4});
    EXPECT_EQ(interpreter->getCounters()[0].entries, 2);
    EXPECT_EQ(interpreter->getCounters()[0].dropped, 0);
    EXPECT_EQ(interpreter->getExactTies(), 1u);
  }
}

//===----------------------------------------------------------------------===//
// Constant bodies
//===----------------------------------------------------------------------===//

TEST_F(BoundsTest, constantBodies) {
  for (bool isGrouped : {false, true}) {
    load("func.func @main(%s: tensor<?x3xf32>, %m: tensor<?x3xi1>,\n"
         "    %w: tensor<3x2xf32>) -> tensor<?x2xf32> {\n"
         "  %g = sluice.from_dense %s where %m : tensor<?x3xf32>, "
         "tensor<?x3xi1> -> !sluice.gates<?x3xf32>\n" +
         head(isGrouped) +
         "() with (%v = %w : tensor<3x2xf32>)\n"
         "combine sum weight output" +
         tail(isGrouped) +
         "tensor<?x2xf32> {\n"
         "    sluice.yield %v : tensor<2xf32>\n  }\n"
         "  return %y : tensor<?x2xf32>\n}");
    HostTensor inputs[] = {f32({3, 3}, {2, 3, 5, 7, 11, 13, 17, 19, 23}),
                           bools({3, 3}, {1, 0, 1, 0, 0, 0, 0, 0, 1}),
                           f32({3, 2}, {1, 10, 2, 20, 3, 30})};
    auto results = run(inputs);
    ASSERT_EQ(results.size(), 1u);
    expectSame(results[0], {2 * 1 + 5 * 3, 2 * 10 + 5 * 30, 0, 0, //
                            23 * 3, 23 * 30});
    const RoutedCounters &counters = interpreter->getCounters()[0];
    EXPECT_EQ(counters.entries, 3);
    EXPECT_EQ(counters.dropped, 0);
    EXPECT_EQ(counters.multiplyAdds, 0);
    EXPECT_EQ(counters.weightBytes, 2 * 8);
    EXPECT_EQ(counters.tokensPerExpert, (std::vector<int64_t>{1, 0, 2}));

    HostTensor none[] = {f32({0, 3}, {}), bools({0, 3}, {}),
                         f32({3, 2}, {1, 10, 2, 20, 3, 30})};
    run(none);
    EXPECT_EQ(shapes[0], (std::vector<int64_t>{0, 2}));
  }
}

TEST_F(BoundsTest, constantNumbersReplace) {
  load(R"(func.func @main(%e: tensor<?x1xi64>, %w: tensor<3xf32>,
        %b: tensor<?xf32>) -> tensor<?xf32> {
    %g = sluice.from_entries %e
      : (tensor<?x1xi64>) -> !sluice.gates<?x3xf32, 1 per token>
    %y = sluice.experts by %g : !sluice.gates<?x3xf32, 1 per token>
        () with (%v = %w : tensor<3xf32>) else %b
        combine replace weight none -> tensor<?xf32> {
      sluice.yield %v : tensor<f32>
    }
    return %y : tensor<?xf32>
  })");
  HostTensor inputs[] = {i64({4, 1}, {2, -1, 0, 2}), f32({3}, {1, 2, 3}),
                         f32({4}, {10, 20, 30, 40})};
  auto results = run(inputs);
  ASSERT_EQ(results.size(), 1u);
  expectSame(results[0], {3, 20, 1, 3});
  // No entry is not a dropped one.
  EXPECT_EQ(interpreter->getCounters()[0].dropped, 0);
}

TEST_F(BoundsTest, bodiesOfNothingAtAll) {
  // The sum of the gates.
  load(R"(func.func @main(%x: tensor<?x3xf32>) -> tensor<?x1xf32> {
    %g = sluice.topk %x, 2 : tensor<?x3xf32>
    %y = sluice.experts by %g : !sluice.gates<?x3xf32, 2 per token> ()
        combine sum weight output -> tensor<?x1xf32> {
      %one = arith.constant dense<1.0> : tensor<1xf32>
      sluice.yield %one : tensor<1xf32>
    }
    return %y : tensor<?x1xf32>
  })");
  auto results = run({f32({2, 3}, {1, 2, 3, -1, -2, -3})});
  ASSERT_EQ(results.size(), 1u);
  expectSame(results[0], {5, -3});
}

TEST_F(BoundsTest, nestedConstants) {
  // Each expert has a layer of hidden units of its own: two numbers, each of
  // which adds its row where it is above 0.
  load(R"(func.func @main(%x: tensor<?x2xf32>, %w: tensor<2x2x1xf32>)
      -> tensor<?x1xf32> {
    %g = sluice.topk %x, 1 : tensor<?x2xf32>
    %y = sluice.experts by %g : !sluice.gates<?x2xf32, 1 per token>
        (%t = %x : tensor<?x2xf32>) with (%v = %w : tensor<2x2x1xf32>)
        combine sum weight none -> tensor<?x1xf32> {
      %zero = arith.constant 0.0 : f32
      %zeros = sluice.broadcast %zero like %t : f32, tensor<?x2xf32>
      %on = arith.cmpf ogt, %t, %zeros : tensor<?x2xf32>
      %h = sluice.from_dense %t where %on
        : tensor<?x2xf32>, tensor<?x2xi1> -> !sluice.gates<?x2xf32>
      %z = sluice.experts by %h : !sluice.gates<?x2xf32>
          () with (%r = %v : tensor<2x1xf32>)
          combine sum weight output -> tensor<?x1xf32> {
        sluice.yield %r : tensor<1xf32>
      }
      sluice.yield %z : tensor<?x1xf32>
    }
    return %y : tensor<?x1xf32>
  })");
  HostTensor inputs[] = {f32({3, 2}, {1, 2, 4, -3, -6, -5}),
                         f32({2, 2, 1}, {1, 10, 100, 1000})};
  auto results = run(inputs);
  ASSERT_EQ(results.size(), 1u);
  expectSame(results[0], {1 * 100 + 2 * 1000, 4 * 1, 0});
  const auto &counters = interpreter->getCounters();
  ASSERT_EQ(counters.size(), 2u);
  EXPECT_EQ(counters[0].entries, 3);
  EXPECT_EQ(counters[1].calls, 2);
  EXPECT_EQ(counters[1].tokens, 3);
  EXPECT_EQ(counters[1].entries, 3);
  EXPECT_EQ(counters[1].dropped, 0);
  EXPECT_EQ(counters[1].tokensPerExpert, (std::vector<int64_t>{2, 1}));
}
