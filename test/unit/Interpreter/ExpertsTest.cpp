//===- ExpertsTest.cpp - Bodies, combines and counters ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InterpreterTest.h"
#include "llvm/Support/raw_ostream.h"

using namespace sluice;
using namespace sluice::interpreter;

namespace {
class ExpertsTest : public InterpreterTest {
protected:
  /// @main(%x, %s, %w, %b): the top `k` of %s say which of three 2x2 matrices
  /// multiply %x; `join` is what stands between parameters and result.
  void loadLayer(int k, const std::string &join, bool isGrouped = false) {
    std::string gates =
        "!sluice.gates<?x3xf32, " + std::to_string(k) + " per token>";
    std::string slots = std::to_string(k);
    load("func.func @main(%x: tensor<?x2xf32>, %s: tensor<?x3xf32>,\n"
         "    %w: tensor<3x2x2xf32>, %b: tensor<?x2xf32>)\n"
         "    -> tensor<?x2xf32> {\n"
         "  %g = sluice.topk %s, " +
         slots + " : tensor<?x3xf32>\n" +
         (isGrouped ? "%o, %r, %p = sluice.plan %g : " + gates +
                          "\n%y = sluice.grouped by %g : " + gates +
                          " plan %o, %r, %p : tensor<4xindex>, "
                          "tensor<?xindex>, tensor<?x" +
                          slots + "xindex>\n"
                    : "%y = sluice.experts by %g : " + gates + "\n") +
         "      (%t = %x : tensor<?x2xf32>)\n"
         "      with (%m = %w : tensor<3x2x2xf32>)\n      " +
         join + (isGrouped ? " rows_per_task 1" : "") +
         " -> tensor<?x2xf32> {\n"
         "    %o1 = sluice.linear %t, %m\n"
         "      : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>\n"
         "    sluice.yield %o1 : tensor<?x2xf32>\n"
         "  }\n"
         "  return %y : tensor<?x2xf32>\n}");
  }

  /// Expert e multiplies by e + 1, and expert 2 swaps as well.
  std::vector<std::vector<double>> runLayer(llvm::ArrayRef<double> x,
                                            llvm::ArrayRef<double> scores) {
    int64_t numTokens = x.size() / 2;
    HostTensor inputs[] = {
        f32({numTokens, 2}, x), f32({numTokens, 3}, scores),
        f32({3, 2, 2}, {1, 0, 0, 1, 2, 0, 0, 2, 0, 3, 3, 0}),
        f32({numTokens, 2}, std::vector<double>(x.size(), 100))};
    return run(inputs);
  }
};
} // namespace

TEST_F(ExpertsTest, sumOnOutput) {
  loadLayer(2, "combine sum weight output");
  // Token 0: 5 * e2 + 4 * e1; token 1: 1 * e0 + 0.5 * e2.
  auto results = runLayer({1, 2, 3, 4}, {0, 4, 5, 1, 0, 0.5});
  ASSERT_EQ(results.size(), 1u);
  expectSame(results[0], {5 * 6 + 4 * 2, 5 * 3 + 4 * 4, //
                          3 + 0.5 * 12, 4 + 0.5 * 9});
}

TEST_F(ExpertsTest, aValueOfZeroOrNanStillRuns) {
  loadLayer(2, "combine sum weight output");
  auto results = runLayer({1, 2, inf, 1}, {0, -1, 0, 0, 0, -1});
  ASSERT_EQ(results.size(), 1u);
  // 0 * inf is not a number.
  expectSame(results[0], {0, 0, NaN, NaN});
  EXPECT_EQ(interpreter->getCounters()[0].entries, 4);
}

TEST_F(ExpertsTest, weightOnInputOrNone) {
  loadLayer(1, "combine sum weight input");
  auto results = runLayer({1, 2}, {0, 0, 5});
  ASSERT_EQ(results.size(), 1u);
  expectSame(results[0], {30, 15});
  loadLayer(1, "combine sum weight none");
  results = runLayer({1, 2}, {0, 0, 5});
  ASSERT_EQ(results.size(), 1u);
  expectSame(results[0], {6, 3});
}

TEST_F(ExpertsTest, replace) {
  loadLayer(1, "combine replace weight output");
  auto results = runLayer({1, 2, 3, 4}, {0, 2, 0, 3, 0, 0});
  ASSERT_EQ(results.size(), 1u);
  expectSame(results[0], {4, 8, 9, 12});
  // Every token has an entry, so that nothing of the base stays.
  loadLayer(1, "else %b combine replace weight none");
  results = runLayer({1, 2, 3, 4}, {0, 2, 0, 3, 0, 0});
  ASSERT_EQ(results.size(), 1u);
  expectSame(results[0], {2, 4, 3, 4});
}

TEST_F(ExpertsTest, baseStaysWithoutTokens) {
  loadLayer(1, "else %b combine replace weight none");
  auto results = runLayer({}, {});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(shapes[0], (std::vector<int64_t>{0, 2}));
}

TEST_F(ExpertsTest, groupedIsTheSame) {
  const double x[] = {1, 2, 3, 4, 5, 6, 7, 8};
  const double scores[] = {3, 2, 1, 1, 2, 3, 3, 1, 2, 1, 3, 2};
  loadLayer(2, "combine sum weight output");
  auto expected = runLayer(x, scores);
  RoutedCounters one = interpreter->getCounters()[0];
  loadLayer(2, "combine sum weight output", /*isGrouped=*/true);
  auto actual = runLayer(x, scores);
  EXPECT_EQ(actual, expected);
  RoutedCounters other = interpreter->getCounters()[0];
  EXPECT_EQ(one.op, "experts#0");
  EXPECT_EQ(other.op, "experts#0");
  EXPECT_EQ(one.multiplyAdds, other.multiplyAdds);
  EXPECT_EQ(one.tokensPerExpert, other.tokensPerExpert);
}

TEST_F(ExpertsTest, aPlanOfOtherGatesIsAnError) {
  load(R"(func.func @main(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
    %n = arith.negf %x : tensor<?x2xf32>
    %g = sluice.topk %x, 1 : tensor<?x2xf32>
    %h = sluice.topk %n, 1 : tensor<?x2xf32>
    %o, %r, %p = sluice.plan %h : !sluice.gates<?x2xf32, 1 per token>
    %y = sluice.grouped by %g : !sluice.gates<?x2xf32, 1 per token>
        plan %o, %r, %p : tensor<3xindex>, tensor<?xindex>, tensor<?x1xindex>
        (%t = %x : tensor<?x2xf32>)
        combine sum weight output rows_per_task 0 -> tensor<?x2xf32> {
      sluice.yield %t : tensor<?x2xf32>
    }
    return %y : tensor<?x2xf32>
  })");
  EXPECT_EQ(fail({f32({1, 2}, {1, 2})}),
            "expected the plan of the gates, with 0 in element 1 of 'offsets', "
            "but got 1\n");
}

TEST_F(ExpertsTest, counters) {
  loadLayer(2, "combine sum weight output");
  runLayer({1, 2, 3, 4, 5, 6}, {0, 1, 2, 0, 1, 2, 0, 2, 1});
  runLayer({}, {});
  // Expert 0 had no token: its 16 bytes were not touched.
  const RoutedCounters &counters = interpreter->getCounters()[0];
  EXPECT_EQ(counters.function, "main");
  EXPECT_EQ(counters.where, "-:5:6");
  EXPECT_EQ(counters.calls, 2);
  EXPECT_EQ(counters.tokens, 3);
  EXPECT_EQ(counters.entries, 6);
  EXPECT_EQ(counters.dropped, 0);
  EXPECT_EQ(counters.multiplyAdds, 6 * 4);
  EXPECT_EQ(counters.weightBytes, 2 * 16);
  EXPECT_EQ(counters.tokensPerExpert, (std::vector<int64_t>{0, 3, 3}));

  interpreter->resetCounters();
  std::string json;
  llvm::raw_string_ostream os(json);
  interpreter->printCountersJSON(os);
  const std::string start =
      "{\"routed\":[{\"function\":\"main\",\"op\":\"experts#0\",\"where\":\"";
  EXPECT_EQ(json.substr(0, start.size()), start);
  EXPECT_NE(json.find("\"calls\":0,\"tokens\":0,\"entries\":0,\"dropped\":0,"
                      "\"multiply_adds\":0,\"weight_bytes\":0,"
                      "\"tokens_per_expert\":[0,0,0]}]}"),
            std::string::npos);
}

TEST_F(ExpertsTest, nested) {
  // Each expert routes its own tokens among two of its columns' matrices.
  load(R"(func.func @main(%x: tensor<?x2xf32>, %w: tensor<2x2x2x2xf32>)
      -> tensor<?x2xf32> {
    %g = sluice.topk %x, 1 : tensor<?x2xf32>
    %y = sluice.experts by %g : !sluice.gates<?x2xf32, 1 per token>
        (%t = %x : tensor<?x2xf32>) with (%v = %w : tensor<2x2x2x2xf32>)
        combine sum weight none -> tensor<?x2xf32> {
      %n = arith.negf %t : tensor<?x2xf32>
      %h = sluice.topk %n, 1 : tensor<?x2xf32>
      %z = sluice.experts by %h : !sluice.gates<?x2xf32, 1 per token>
          (%u = %t : tensor<?x2xf32>) with (%m = %v : tensor<2x2x2xf32>)
          combine sum weight none -> tensor<?x2xf32>
          attributes {sluice.label = "inner"} {
        %o = sluice.linear %u, %m
          : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
        sluice.yield %o : tensor<?x2xf32>
      }
      sluice.yield %z : tensor<?x2xf32>
    }
    return %y : tensor<?x2xf32>
  })");
  // Token 0 goes to expert 1, in it to 0; token 1 the other way round.
  auto results = run({f32({2, 2}, {1, 2, 4, 3}),
                      f32({2, 2, 2, 2}, {9, 9, 9, 9, 1, 0, 0, 10, //
                                         0, 1, 10, 0, 9, 9, 9, 9})});
  ASSERT_EQ(results.size(), 1u);
  expectSame(results[0], {2, 10, 4, 30});
  const auto &counters = interpreter->getCounters();
  ASSERT_EQ(counters.size(), 2u);
  EXPECT_EQ(counters[0].op, "experts#0");
  EXPECT_EQ(counters[0].multiplyAdds, 0);
  EXPECT_EQ(counters[0].weightBytes, 64);
  EXPECT_EQ(counters[1].op, "inner");
  EXPECT_EQ(counters[1].calls, 2);
  EXPECT_EQ(counters[1].multiplyAdds, 8);
  EXPECT_EQ(counters[1].weightBytes, 32);
}

TEST_F(ExpertsTest, severalInputsAndSurroundings) {
  load(R"(func.func @main(%x: tensor<?x1xf32>, %z: tensor<?xf32>)
      -> tensor<?x1xf32> {
    %c = arith.constant dense<[[10.0]]> : tensor<1x1xf32>
    %s = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
    %l = sluice.linear %x, %s
      : (tensor<?x1xf32>, tensor<2x1xf32>) -> tensor<?x2xf32>
    %g = sluice.topk %l, 1 : tensor<?x2xf32>
    %y = sluice.experts by %g : !sluice.gates<?x2xf32, 1 per token>
        (%t = %x : tensor<?x1xf32>, %u = %z : tensor<?xf32>)
        combine sum weight input -> tensor<?x1xf32> {
      %zero = arith.constant 0 : index
      %n = tensor.dim %u, %zero : tensor<?xf32>
      %e = tensor.expand_shape %u [[0, 1]] output_shape [%n, 1]
        : tensor<?xf32> into tensor<?x1xf32>
      %o = sluice.linear %t, %c
        : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32>
      %r = arith.addf %o, %e : tensor<?x1xf32>
      sluice.yield %r : tensor<?x1xf32>
    }
    return %y : tensor<?x1xf32>
  })");
  // Only the first input is weighed, here by 2 * x or by x.
  auto results = run({f32({2, 1}, {1, -1}), f32({2}, {3, 4})});
  ASSERT_EQ(results.size(), 1u);
  expectSame(results[0], {2 * 10 + 3, 10 + 4});
}

TEST_F(ExpertsTest, narrowSumsAreRoundedOnce) {
  load(R"(func.func @main(%x: tensor<?x1xbf16>, %s: tensor<?x3xbf16>)
      -> tensor<?x1xbf16> {
    %g = sluice.topk %s, 3 : tensor<?x3xbf16>
    %y = sluice.experts by %g : !sluice.gates<?x3xbf16, 3 per token>
        (%t = %x : tensor<?x1xbf16>)
        combine sum weight output -> tensor<?x1xbf16> {
      sluice.yield %t : tensor<?x1xbf16>
    }
    return %y : tensor<?x1xbf16>
  })");
  // 1 + 2^-8 + 2^-8: twice rounded it would stay 1.
  double small = std::ldexp(1.0, -8);
  auto results = run({make(Dtype::BF16, {1, 1}, {1}),
                      make(Dtype::BF16, {1, 3}, {1, small, small})});
  ASSERT_EQ(results.size(), 1u);
  expectSame(results[0], {1 + 2 * small});
}

TEST_F(ExpertsTest, rowsMustFitTheGates) {
  loadLayer(1, "combine sum weight output");
  HostTensor inputs[] = {f32({2, 2}, {1, 2, 3, 4}), f32({1, 3}, {1, 2, 3}),
                         f32({3, 2, 2}, std::vector<double>(12, 0)),
                         f32({1, 2}, {0, 0})};
  EXPECT_EQ(fail(inputs), "expected input #0 to have 1 rows, as the gates have "
                          "tokens, but got 2\n");
}
