//===- RouterTest.cpp - Selections and gates --------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InterpreterTest.h"

using namespace sluice;
using namespace sluice::interpreter;

namespace {
class RouterTest : public InterpreterTest {
protected:
  /// @main(%x) -> (indices, values) of `k` slots of gates over `numExperts`
  /// experts that `text` calls %g.
  void loadRouter(const std::string &text, int numExperts, int k,
                  const std::string &type = "f32") {
    std::string e = std::to_string(numExperts), slots = std::to_string(k);
    load("func.func @main(%x: tensor<?x" + e + "x" + type + ">) -> (tensor<?x" +
         slots + "xi64>, tensor<?x" + slots + "x" + type + ">) {\n" + text +
         "\n%i, %v = sluice.entries %g : !sluice.gates<?x" + e + "x" + type +
         ", " + slots + " per token>\nreturn %i, %v : tensor<?x" + slots +
         "xi64>, tensor<?x" + slots + "x" + type + ">\n}");
  }
};
} // namespace

TEST_F(RouterTest, largestFirst) {
  loadRouter("%g = sluice.topk %x, 2 : tensor<?x4xf32>", 4, 2);
  auto results = run({f32({2, 4}, {1, 4, 2, 3, -1, -4, -2, -3})});
  ASSERT_EQ(results.size(), 2u);
  expectSame(results[0], {1, 3, 0, 2});
  expectSame(results[1], {4, 3, -1, -2});
  // Relative gaps: 1/4 and 1/3 in the first row, 1/2 and 1/3 in the second.
  EXPECT_DOUBLE_EQ(interpreter->getSmallestMargin(), 0.25);
  EXPECT_EQ(interpreter->getExactTies(), 0u);
}

TEST_F(RouterTest, tiesGoToTheLowerExpert) {
  loadRouter("%g = sluice.topk %x, 3 : tensor<?x4xf32>", 4, 3);
  auto results = run({f32({2, 4}, {2, 2, 2, 2, -0.0, 0.0, -1, 0.0})});
  ASSERT_EQ(results.size(), 2u);
  expectSame(results[0], {0, 1, 2, 0, 1, 3});
  expectSame(results[1], {2, 2, 2, -0.0, 0.0, 0.0});
  EXPECT_EQ(interpreter->getExactTies(), 5u);
  EXPECT_DOUBLE_EQ(interpreter->getSmallestMargin(), 1.0);
}

TEST_F(RouterTest, nanRanksAboveInfinity) {
  loadRouter("%g = sluice.topk %x, 4 : tensor<?x4xf32>", 4, 4);
  auto results = run({f32({2, 4}, {inf, NaN, 1, NaN, -inf, 0, -inf, -1})});
  ASSERT_EQ(results.size(), 2u);
  // All experts: every one is present, -inf as well.
  expectSame(results[0], {1, 3, 0, 2, 1, 3, 0, 2});
  expectSame(results[1], {NaN, NaN, inf, 1, 0, -1, -inf, -inf});
  EXPECT_EQ(interpreter->getExactTies(), 2u);
}

TEST_F(RouterTest, oneExpert) {
  loadRouter("%g = sluice.topk %x, 1 : tensor<?x1xf32>", 1, 1);
  auto results = run({f32({3, 1}, {5, NaN, -inf})});
  ASSERT_EQ(results.size(), 2u);
  expectSame(results[0], {0, 0, 0});
  expectSame(results[1], {5, NaN, -inf});
  EXPECT_EQ(interpreter->getSmallestMargin(), inf);
}

TEST_F(RouterTest, noTokens) {
  loadRouter("%s = sluice.softmax %x : tensor<?x4xf32>\n"
             "%t = sluice.topk %s, 2 : tensor<?x4xf32>\n"
             "%g = sluice.normalize %t : !sluice.gates<?x4xf32, 2 per token>",
             4, 2);
  auto results = run({f32({0, 4}, {})});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(shapes[0], (std::vector<int64_t>{0, 2}));
  EXPECT_EQ(shapes[1], (std::vector<int64_t>{0, 2}));
}

TEST_F(RouterTest, weightsAndScoresDiffer) {
  loadRouter("%m = arith.negf %x : tensor<?x3xf32>\n"
             "%g = sluice.topk %m, 2 weights %x "
             ": tensor<?x3xf32>, tensor<?x3xf32>",
             3, 2);
  auto results = run({f32({1, 3}, {3, 1, 2})});
  ASSERT_EQ(results.size(), 2u);
  expectSame(results[0], {1, 2});
  expectSame(results[1], {1, 2});
}

TEST_F(RouterTest, always) {
  loadRouter("%g = sluice.always %x, [2, 0] : tensor<?x3xf32>", 3, 2);
  auto results = run({f32({2, 3}, {1, 2, 3, 4, 5, 6})});
  ASSERT_EQ(results.size(), 2u);
  expectSame(results[0], {2, 0, 2, 0});
  expectSame(results[1], {3, 1, 6, 4});
}

TEST_F(RouterTest, groupsAreMaskedAsSaid) {
  for (bool isZero : {false, true}) {
    load("func.func @main(%x: tensor<?x6xf32>) -> tensor<?x6xf32> {\n"
         "%m = sluice.keep_groups %x, 1 of 3 by max masked " +
         std::string(isZero ? "zero" : "neg_inf") +
         " : tensor<?x6xf32>\nreturn %m : tensor<?x6xf32>\n}");
    double m = isZero ? 0.0 : -inf;
    // In the second row the groups are equal; in the third one is broken.
    auto results = run({f32({3, 6}, {-1, -2, -4, -0.5, -3, -3, //
                                     1, 0, 0, 1, 1, 1,         //
                                     1, 2, 3, 4, NaN, 0})});
    ASSERT_EQ(results.size(), 1u);
    expectSame(results[0], {m, m, -4, -0.5, m, m, //
                            1, 0, m, m, m, m,     //
                            m, m, m, m, NaN, 0});
    EXPECT_EQ(interpreter->getExactTies(), 1u);
    EXPECT_DOUBLE_EQ(interpreter->getSmallestMargin(), 0.5);
  }
}

TEST_F(RouterTest, groupsBySumOfTwo) {
  load(R"(func.func @main(%x: tensor<?x6xf32>) -> tensor<?x6xf32> {
    %m = sluice.keep_groups %x, 1 of 2 by top2_sum masked neg_inf
      : tensor<?x6xf32>
    return %m : tensor<?x6xf32>
  })");
  auto results = run({f32({1, 6}, {9, 0, 0, 5, 1, 5})});
  ASSERT_EQ(results.size(), 1u);
  expectSame(results[0], {-inf, -inf, -inf, 5, 1, 5});
}

TEST_F(RouterTest, normalizeVariants) {
  const std::string topk = "%t = sluice.topk %x, 2 : tensor<?x2xf32>\n"
                           "%g = sluice.normalize %t ";
  const std::string type = " : !sluice.gates<?x2xf32, 2 per token>";
  struct Case {
    std::string options;
    std::vector<double> values, expected;
  };
  const Case cases[] = {
      {"", {3, 1}, {0.75, 0.25}},
      {"", {0, 0}, {NaN, NaN}},
      {"", {1, -1}, {inf, -inf}},
      {"p 1.0", {3, -1}, {0.75, -0.25}},
      {"p 2.0", {4, -3}, {0.8, -0.6}},
      {"p 0x7FF0000000000000", {-1, -4}, {-0.25, -1}},
      {"eps 1.0", {2, 1}, {0.5, 0.25}},
      {"min 8.0", {3, 1}, {0.375, 0.125}},
      {"min 2.0", {3, 1}, {0.75, 0.25}},
      {"eps 1.0 min 8.0", {2, 1}, {0.25, 0.125}},
      {"eps 1.0 min 2.0", {2, 1}, {0.5, 0.25}},
      {"min 1.0", {0, 0}, {0, 0}},
  };
  for (const Case &test : cases) {
    SCOPED_TRACE(test.options);
    loadRouter(topk + test.options + type, 2, 2);
    auto results = run({f32({1, 2}, test.values)});
    ASSERT_EQ(results.size(), 2u);
    expectSame(results[1], test.expected);
  }
}

TEST_F(RouterTest, softmaxOverTheChosen) {
  loadRouter("%t = sluice.topk %x, 2 : tensor<?x3xf32>\n"
             "%g = sluice.softmax %t : !sluice.gates<?x3xf32, 2 per token>",
             3, 2);
  auto results = run({f32({3, 3}, {1, -100, 1,       //
                                   -inf, -inf, -inf, //
                                   1000, 999, 0})});
  ASSERT_EQ(results.size(), 2u);
  expectNear(llvm::ArrayRef(results[1]).take_front(2), {0.5, 0.5});
  expectSame(llvm::ArrayRef(results[1]).slice(2, 2), {NaN, NaN});
  double e = std::exp(-1.0);
  expectNear(llvm::ArrayRef(results[1]).slice(4, 2),
             {1 / (1 + e), e / (1 + e)});
}

TEST_F(RouterTest, valuesAreMappedAndPresenceStays) {
  loadRouter(R"(%t = sluice.topk %x, 2 : tensor<?x2xf32>
    %a = sluice.relu %t : !sluice.gates<?x2xf32, 2 per token>
    %b = sluice.clamp %a max 3.0 : !sluice.gates<?x2xf32, 2 per token>
    %g = sluice.scale %b by -0.5 : !sluice.gates<?x2xf32, 2 per token>)",
             2, 2);
  auto results = run({f32({3, 2}, {-1, 2, 7, 0, NaN, 1})});
  ASSERT_EQ(results.size(), 2u);
  expectSame(results[0], {1, 0, 0, 1, 0, 1});
  expectSame(results[1], {-1, -0.0, -1.5, -0.0, NaN, -0.5});
}

TEST_F(RouterTest, narrowValuesAreRounded) {
  loadRouter("%t = sluice.topk %x, 3 : tensor<?x3xbf16>\n"
             "%g = sluice.normalize %t : !sluice.gates<?x3xbf16, 3 per token>",
             3, 3, "bf16");
  auto results = run({make(Dtype::BF16, {1, 3}, {1, 1, 1})});
  ASSERT_EQ(results.size(), 2u);
  // 1/3 in 8 bits.
  expectSame(results[1], {0.333984375, 0.333984375, 0.333984375});
}

TEST_F(RouterTest, factorsAreNumbersOfTheType) {
  loadRouter(
      "%t = sluice.topk %x, 1 : tensor<?x1xf32>\n"
      "%g = sluice.scale %t by 0.1 : !sluice.gates<?x1xf32, 1 per token>",
      1, 1);
  auto results = run({f32({1, 1}, {1})});
  ASSERT_EQ(results.size(), 2u);
  expectSame(results[1], {static_cast<double>(0.1f)});
}

TEST_F(RouterTest, plan) {
  load(R"(func.func @main(%x: tensor<?x3xf32>)
      -> (tensor<4xindex>, tensor<?xindex>, tensor<?x2xindex>) {
    %g = sluice.topk %x, 2 : tensor<?x3xf32>
    %o, %s, %p = sluice.plan %g : !sluice.gates<?x3xf32, 2 per token>
    return %o, %s, %p : tensor<4xindex>, tensor<?xindex>, tensor<?x2xindex>
  })");
  // Tokens choose (2, 0), (0, 2), (2, 1).
  auto results = run({f32({3, 3}, {1, 0, 2, 2, 0, 1, 0, 1, 2})});
  ASSERT_EQ(results.size(), 3u);
  expectSame(results[0], {0, 2, 3, 6});
  expectSame(results[1], {1, 2, 5, 0, 3, 4});
  expectSame(results[2], {0, 3, 1, 4, 2, 5});
}
