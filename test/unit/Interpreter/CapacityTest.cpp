//===- CapacityTest.cpp - Experts with room for so many tokens ------*- C++
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

static HostTensor index(double value) { return make(Dtype::I64, {}, {value}); }

namespace {
class CapacityTest : public InterpreterTest {
protected:
  void expect(llvm::ArrayRef<HostTensor> inputs, llvm::ArrayRef<double> first,
              llvm::ArrayRef<double> second) {
    auto results = run(inputs);
    ASSERT_EQ(results.size(), 2u);
    expectSame(results[0], first);
    expectSame(results[1], second);
  }

  /// @main(%e, %c, %p) -> (indices, values) of gates of two experts with the
  /// entries %e and the values 1, after the limit %c `order`.
  void loadLimit(const std::string &order) {
    bool hasPriority = order.find("priority") != std::string::npos;
    load("func.func @main(%e: tensor<?x2xi64>, %c: index, %p: tensor<?x1xf32>)"
         "\n    -> (tensor<?x2xi64>, tensor<?x2xf32>) {\n"
         "  %t = sluice.from_entries %e : (tensor<?x2xi64>) -> "
         "!sluice.gates<?x2xf32, 2 per token>\n"
         "  %g = sluice.limit %t, %c " +
         order + " : !sluice.gates<?x2xf32, 2 per token>" +
         (hasPriority ? ", tensor<?x1xf32>\n" : "\n") +
         "  %i, %v = sluice.entries %g : !sluice.gates<?x2xf32, 2 per token>\n"
         "  return %i, %v : tensor<?x2xi64>, tensor<?x2xf32>\n}");
  }

  /// Three tokens that choose 0 then 1, 1 then 0, 0 then 1.
  void expectLimit(const std::string &order, int64_t capacity,
                   llvm::ArrayRef<double> priority,
                   llvm::ArrayRef<double> indices) {
    SCOPED_TRACE(order + ", capacity " + std::to_string(capacity));
    loadLimit(order);
    std::vector<double> values;
    for (double index : indices)
      values.push_back(index >= 0);
    HostTensor inputs[] = {make(Dtype::I64, {3, 2}, {0, 1, 1, 0, 0, 1}),
                           index(capacity), f32({3, 1}, priority)};
    expect(inputs, indices, values);
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// choose_tokens
//===----------------------------------------------------------------------===//

TEST_F(CapacityTest, chooseTokens) {
  load(R"(func.func @main(%x: tensor<?x2xf32>, %c: index)
      -> (tensor<?x2xf32>, tensor<?x2xi1>) {
    %g = sluice.choose_tokens %x, %c : tensor<?x2xf32>
    %v, %p = sluice.dense %g : !sluice.gates<?x2xf32, ? per expert>
    return %v, %p : tensor<?x2xf32>, tensor<?x2xi1>
  })");
  auto inputs = [](int64_t capacity) {
    std::vector<HostTensor> list;
    list.push_back(f32({3, 2}, {3, 1, 2, 1, 3, 5}));
    list.push_back(index(capacity));
    return list;
  };
  // Expert 1 chooses token 2 and the earlier one of two equal tokens.
  expect(inputs(2), {3, 1, 0, 0, 3, 5}, {1, 1, 0, 0, 1, 1});
  EXPECT_EQ(interpreter->getExactTies(), 1u);
  EXPECT_DOUBLE_EQ(interpreter->getSmallestMargin(), 1.0 / 3);

  interpreter->resetCounters();
  for (int64_t capacity : {0, -1})
    expect(inputs(capacity), {0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0});
  for (int64_t capacity : {3, 4, 1000000000})
    expect(inputs(capacity), {3, 1, 2, 1, 3, 5}, {1, 1, 1, 1, 1, 1});
  // Nothing was decided.
  EXPECT_EQ(interpreter->getExactTies(), 0u);
  EXPECT_EQ(interpreter->getSmallestMargin(), inf);

  HostTensor broken[] = {f32({3, 2}, {inf, -inf, NaN, -inf, 0, -inf}),
                         index(1)};
  expect(broken, {0, -inf, NaN, 0, 0, 0}, {0, 1, 1, 0, 0, 0});
  HostTensor none[] = {f32({0, 2}, {}), index(2)};
  expect(none, {}, {});
}

//===----------------------------------------------------------------------===//
// limit
//===----------------------------------------------------------------------===//

TEST_F(CapacityTest, limitByChoiceOrByToken) {
  const double none[] = {0, 0, 0};
  expectLimit("by choice", 2, none, {0, 1, 1, -1, 0, -1});
  expectLimit("by choice", 1, none, {0, -1, 1, -1, -1, -1});
  expectLimit("by token", 2, none, {0, 1, 1, 0, -1, -1});
  expectLimit("by token", 1, none, {0, 1, -1, -1, -1, -1});
  // Without a priority no number decides.
  EXPECT_EQ(interpreter->getExactTies(), 0u);
  for (const char *order : {"by choice", "by token", "by choice priority %p",
                            "by token priority %p"}) {
    for (int64_t capacity : {3, 4, 1000000000})
      expectLimit(order, capacity, none, {0, 1, 1, 0, 0, 1});
    for (int64_t capacity : {0, -1, -1000000000})
      expectLimit(order, capacity, none, {-1, -1, -1, -1, -1, -1});
    EXPECT_EQ(interpreter->getExactTies(), 0u);
    EXPECT_EQ(interpreter->getSmallestMargin(), inf);
  }
}

TEST_F(CapacityTest, limitByPriority) {
  // Token 2 comes first, then the equal tokens 0 and 1.
  expectLimit("by token priority %p", 2, {1, 1, 2}, {0, 1, -1, -1, 0, 1});
  EXPECT_EQ(interpreter->getExactTies(), 2u);
  EXPECT_EQ(interpreter->getSmallestMargin(), inf);
  expectLimit("by token priority %p", 1, {1, 1, 2}, {-1, -1, -1, -1, 0, 1});
  EXPECT_EQ(interpreter->getExactTies(), 0u);
  EXPECT_DOUBLE_EQ(interpreter->getSmallestMargin(), 0.5);
  expectLimit("by token priority %p", 1, {inf, NaN, NaN},
              {-1, -1, 1, 0, -1, -1});
  EXPECT_EQ(interpreter->getExactTies(), 2u);
}

TEST_F(CapacityTest, limitByChoiceThenPriority) {
  // Expert 0 keeps the first choice of token 2 before that of token 0; expert 1
  // keeps the first choice of token 1 whatever the priorities are.
  expectLimit("by choice priority %p", 1, {1, 1, 2}, {-1, -1, 1, -1, 0, -1});
  EXPECT_EQ(interpreter->getExactTies(), 0u);
  EXPECT_DOUBLE_EQ(interpreter->getSmallestMargin(), 0.5);
  // Expert 1's room for a second choice goes to token 2 before token 0.
  expectLimit("by choice priority %p", 2, {1, 1, 4}, {0, -1, 1, -1, 0, 1});
  EXPECT_DOUBLE_EQ(interpreter->getSmallestMargin(), 0.75);
}

TEST_F(CapacityTest, absentSlotsTakeNoRoom) {
  loadLimit("by choice");
  HostTensor inputs[] = {make(Dtype::I64, {3, 2}, {-1, 0, -1, -1, 1, 0}),
                         index(1), f32({3, 1}, {0, 0, 0})};
  expect(inputs, {-1, 0, -1, -1, 1, -1}, {0, 1, 0, 0, 1, 0});
  HostTensor none[] = {make(Dtype::I64, {0, 2}, {}), index(1), f32({0, 1}, {})};
  expect(none, {}, {});
}

TEST_F(CapacityTest, prioritiesOfOtherTokens) {
  loadLimit("by token priority %p");
  HostTensor inputs[] = {make(Dtype::I64, {1, 2}, {0, 1}), index(1),
                         f32({2, 1}, {0, 0})};
  EXPECT_EQ(fail(inputs), "expected priorities of 1 rows, as the gates have "
                          "tokens, but got 2\n");
}

//===----------------------------------------------------------------------===//
// capacity
//===----------------------------------------------------------------------===//

TEST_F(CapacityTest, capacity) {
  struct Case {
    std::string what;
    int64_t numExperts, numTokens;
    double expected;
  };
  const Case cases[] = {
      {"factor 1.25 floor min 0", 4, 10, 3}, // 3.125
      {"factor 1.25 nearest min 0", 4, 10, 3},
      {"factor 1.25 ceil min 0", 4, 10, 4},
      {"factor 1.25 floor min 4", 4, 10, 4},
      {"factor 1.5 nearest min 0", 2, 5, 4}, // 3.75
      {"factor 1.0 floor min 0", 2, 5, 2},   // 2.5
      {"factor 1.0 nearest min 0", 2, 5, 2}, // to even
      {"factor 1.0 nearest min 0", 2, 7, 4}, // 3.5
      {"factor 1.0 ceil min 0", 2, 5, 3},
      {"factor 1.0 ceil min 0", 2, 4, 2},
      {"factor 1.0 ceil min 0", 3, 0, 0},
      {"factor 1.0 ceil min 7", 3, 0, 7},
      {"factor 0.0 ceil min 0", 3, 9, 0},
      {"fraction 0.125 floor min 0", 3, 9, 1}, // 1.125
      {"fraction 0.125 nearest min 0", 3, 9, 1},
      {"fraction 0.125 ceil min 0", 3, 9, 2},
      {"fraction 0.125 ceil min 3", 3, 9, 3},
      {"fraction 0.5 nearest min 0", 3, 9, 4}, // 4.5
      {"fraction 2.0 floor min 0", 3, 9, 18},
  };
  for (const Case &test : cases) {
    SCOPED_TRACE(test.what);
    std::string type = "tensor<?x" + std::to_string(test.numExperts) + "xf32>";
    load("func.func @main(%x: " + type + ") -> index {\n" +
         "%c = sluice.capacity of %x " + test.what + " : " + type +
         "\nreturn %c : index\n}");
    std::vector<double> numbers(test.numTokens * test.numExperts, NaN);
    auto results = run({f32({test.numTokens, test.numExperts}, numbers)});
    ASSERT_EQ(results.size(), 1u);
    expectSame(results[0], {test.expected});
  }
}

TEST_F(CapacityTest, capacityWithoutEnd) {
  load(R"(func.func @main(%x: tensor<?x2xf32>) -> i1 {
    %c = sluice.capacity of %x fraction 1.0e300 floor min 0 : tensor<?x2xf32>
    %largest = arith.constant 9223372036854775807 : index
    %is = arith.cmpi eq, %c, %largest : index
    return %is : i1
  })");
  auto results = run({f32({1, 2}, {0, 0})});
  ASSERT_EQ(results.size(), 1u);
  expectSame(results[0], {1});
}
