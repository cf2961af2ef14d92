//===- GatesTest.cpp - Gates from tensors, and gates as sets --------*- C++
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

static HostTensor bools(llvm::ArrayRef<int64_t> shape,
                        llvm::ArrayRef<double> values) {
  return make(Dtype::Bool, shape, values);
}

static HostTensor i64(llvm::ArrayRef<int64_t> shape,
                      llvm::ArrayRef<double> values) {
  return make(Dtype::I64, shape, values);
}

namespace {
class GatesTest : public InterpreterTest {
protected:
  static std::string gatesType(int numExperts, const std::string &bound) {
    return "!sluice.gates<?x" + std::to_string(numExperts) + "xf32" + bound +
           ">";
  }

  /// @main(`arguments`) -> (indices, values) of the `k` slots of the gates that
  /// `text` calls %g.
  void loadEntries(const std::string &arguments, const std::string &text,
                   int numExperts, int k) {
    std::string slots = std::to_string(k);
    std::string types =
        "tensor<?x" + slots + "xi64>, tensor<?x" + slots + "xf32>";
    load("func.func @main(" + arguments + ") -> (" + types + ") {\n" + text +
         "\n%i, %v = sluice.entries %g : " +
         gatesType(numExperts, ", " + slots + " per token") +
         "\nreturn %i, %v : " + types + "\n}");
  }

  /// @main(`arguments`) -> (values, presence) of the gates that `text` calls
  /// %g.
  void loadDense(const std::string &arguments, const std::string &text,
                 int numExperts, const std::string &bound = "") {
    std::string experts = std::to_string(numExperts);
    std::string types =
        "tensor<?x" + experts + "xf32>, tensor<?x" + experts + "xi1>";
    load("func.func @main(" + arguments + ") -> (" + types + ") {\n" + text +
         "\n%dv, %dp = sluice.dense %g : " + gatesType(numExperts, bound) +
         "\nreturn %dv, %dp : " + types + "\n}");
  }

  /// Runs @main and compares its two results.
  void expect(llvm::ArrayRef<HostTensor> inputs, llvm::ArrayRef<double> first,
              llvm::ArrayRef<double> second) {
    auto results = run(inputs);
    ASSERT_EQ(results.size(), 2u);
    expectSame(results[0], first);
    expectSame(results[1], second);
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// Between gates and tensors
//===----------------------------------------------------------------------===//

TEST_F(GatesTest, fromEntriesWithoutValues) {
  struct Case {
    std::string type;
    Dtype dtype;
  };
  for (const Case &test : {Case{"i64", Dtype::I64}, Case{"i32", Dtype::I32},
                           Case{"index", Dtype::I64}}) {
    SCOPED_TRACE(test.type);
    std::string indices = "tensor<?x2x" + test.type + ">";
    loadEntries("%e: " + indices,
                "%g = sluice.from_entries %e : (" + indices +
                    ") -> !sluice.gates<?x3xf32, 2 per token>",
                3, 2);
    expect({make(test.dtype, {3, 2}, {2, 0, -1, 1, -1, -1})},
           {2, 0, -1, 1, -1, -1}, {1, 1, 0, 1, 0, 0});
    expect({make(test.dtype, {0, 2}, {})}, {}, {});
  }
}

TEST_F(GatesTest, fromEntriesWithValuesOrWeights) {
  loadEntries("%e: tensor<?x2xi64>, %x: tensor<?x2xf32>",
              "%g = sluice.from_entries %e values %x : (tensor<?x2xi64>, "
              "tensor<?x2xf32>) -> !sluice.gates<?x3xf32, 2 per token>",
              3, 2);
  HostTensor values[] = {i64({2, 2}, {2, 0, -1, 1}),
                         f32({2, 2}, {5, NaN, 7, -0.0})};
  expect(values, {2, 0, -1, 1}, {5, NaN, 0, -0.0});
  HostTensor fewer[] = {i64({2, 2}, {2, 0, -1, 1}), f32({1, 2}, {5, 6})};
  EXPECT_EQ(fail(fewer),
            "expected operands of one shape but got 2x2 and 1x2\n");

  loadEntries("%e: tensor<?x2xi64>, %x: tensor<?x3xf32>",
              "%g = sluice.from_entries %e weights %x : (tensor<?x2xi64>, "
              "tensor<?x3xf32>) -> !sluice.gates<?x3xf32, 2 per token>",
              3, 2);
  HostTensor weights[] = {i64({2, 2}, {2, 0, -1, 1}),
                          f32({2, 3}, {1, 2, 3, 4, 5, 6})};
  expect(weights, {2, 0, -1, 1}, {3, 1, 0, 5});
  HostTensor less[] = {i64({2, 2}, {2, 0, -1, 1}), f32({1, 3}, {1, 2, 3})};
  EXPECT_EQ(fail(less),
            "expected weights of 2 rows, as the indices have, but got 1\n");
}

TEST_F(GatesTest, fromEntriesThatAreNone) {
  loadEntries("%e: tensor<?x3xi64>",
              "%g = sluice.from_entries %e : (tensor<?x3xi64>) -> "
              "!sluice.gates<?x4xf32, 3 per token>",
              4, 3);
  EXPECT_EQ(fail({i64({2, 3}, {0, 1, 2, 3, 4, 0})}),
            "expected an expert below 4, or -1, in slot 1 of token 1 but got "
            "4\n");
  EXPECT_EQ(fail({i64({1, 3}, {0, 1, -2})}),
            "expected an expert below 4, or -1, in slot 2 of token 0 but got "
            "-2\n");
  EXPECT_EQ(fail({i64({2, 3}, {0, 1, 2, 3, -1, 3})}),
            "expected different experts in the slots of token 1 but slots 0 "
            "and 2 both have expert 3\n");
}

TEST_F(GatesTest, fromDense) {
  const std::string arguments = "%x: tensor<?x3xf32>, %m: tensor<?x3xi1>";
  const std::string text = "%g = sluice.from_dense %x where %m : "
                           "tensor<?x3xf32>, tensor<?x3xi1> -> ";
  loadDense(arguments, text + gatesType(3, ""), 3);
  HostTensor inputs[] = {f32({3, 3}, {1, 2, NaN, 4, 5, 6, 0, 8, 9}),
                         bools({3, 3}, {1, 0, 1, 0, 0, 0, 1, 1, 1})};
  expect(inputs, {1, 0, NaN, 0, 0, 0, 0, 8, 9}, {1, 0, 1, 0, 0, 0, 1, 1, 1});
  HostTensor none[] = {f32({0, 3}, {}), bools({0, 3}, {})};
  expect(none, {}, {});
  HostTensor fewer[] = {f32({2, 3}, {1, 2, 3, 4, 5, 6}),
                        bools({1, 3}, {1, 0, 1})};
  EXPECT_EQ(fail(fewer),
            "expected operands of one shape but got 2x3 and 1x3\n");

  loadEntries(arguments, text + gatesType(3, ", 2 per token"), 3, 2);
  HostTensor bounded[] = {f32({3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}),
                          bools({3, 3}, {1, 0, 1, 0, 0, 0, 0, 1, 0})};
  expect(bounded, {0, 2, -1, -1, 1, -1}, {1, 3, 0, 0, 8, 0});
  EXPECT_EQ(fail(inputs), "expected at most 2 entries in the mask for each "
                          "token but token 2 has 3\n");
}

TEST_F(GatesTest, dense) {
  loadDense("%x: tensor<?x3xf32>", "%g = sluice.topk %x, 2 : tensor<?x3xf32>",
            3, ", 2 per token");
  // A value of 0 is present.
  expect({f32({2, 3}, {1, 3, 2, 0, -1, -2})}, {0, 3, 2, 0, -1, 0},
         {0, 1, 1, 1, 1, 0});
  expect({f32({0, 3}, {})}, {}, {});
}

//===----------------------------------------------------------------------===//
// Sets of entries
//===----------------------------------------------------------------------===//

TEST_F(GatesTest, columnsKeepTheOrderAndMoveUp) {
  loadEntries("%x: tensor<?x5xf32>",
              "%t = sluice.topk %x, 4 : tensor<?x5xf32>\n"
              "%g = sluice.columns %t from 2 to 5 : "
              "!sluice.gates<?x5xf32, 4 per token>",
              3, 3);
  // Chosen: 0, 2, 4, 3 and 0, 1, 2, 4.
  expect({f32({2, 5}, {5, 1, 4, 2, 3, 9, 8, 1, 0, 0.5})}, {0, 2, 1, 0, 2, -1},
         {4, 3, 2, 1, 0.5, 0});
  expect({f32({0, 5}, {})}, {}, {});

  // Also over slots that were absent before.
  loadEntries("%e: tensor<?x3xi64>",
              "%t = sluice.from_entries %e : (tensor<?x3xi64>) -> "
              "!sluice.gates<?x4xf32, 3 per token>\n"
              "%g = sluice.columns %t from 0 to 4 : "
              "!sluice.gates<?x4xf32, 3 per token>",
              4, 3);
  expect({i64({2, 3}, {-1, 3, 1, -1, -1, 0})}, {3, 1, -1, 0, -1, -1},
         {1, 1, 0, 1, 0, 0});
}

TEST_F(GatesTest, columnsOfGatesWithoutABoundPerToken) {
  loadDense("%x: tensor<?x3xf32>, %m: tensor<?x3xi1>",
            "%t = sluice.from_dense %x where %m : tensor<?x3xf32>, "
            "tensor<?x3xi1> -> !sluice.gates<?x3xf32>\n"
            "%g = sluice.columns %t from 1 to 3 : !sluice.gates<?x3xf32>",
            2);
  HostTensor inputs[] = {f32({2, 3}, {1, 2, 3, 4, 5, 6}),
                         bools({2, 3}, {1, 1, 0, 1, 0, 1})};
  expect(inputs, {2, 0, 0, 6}, {1, 0, 0, 1});
}

TEST_F(GatesTest, joinWithOverlap) {
  loadEntries("%x: tensor<?x3xf32>, %y: tensor<?x3xf32>",
              "%a = sluice.topk %x, 2 : tensor<?x3xf32>\n"
              "%b = sluice.always %y, [1, 0] : tensor<?x3xf32>\n"
              "%g = sluice.join %a, %b : !sluice.gates<?x3xf32, 2 per token>, "
              "!sluice.gates<?x3xf32, 2 per token>",
              3, 3);
  // What both have keeps the first one's value and place.
  HostTensor inputs[] = {f32({3, 3}, {1, 3, 2, 5, 1, 4, 5, 4, 1}),
                         f32({3, 3}, {10, 20, 30, 40, 50, 60, 70, 80, 90})};
  expect(inputs, {1, 2, 0, 0, 2, 1, 0, 1, -1}, {3, 2, 10, 5, 4, 50, 5, 4, 0});
  HostTensor others[] = {f32({1, 3}, {1, 3, 2}), f32({0, 3}, {})};
  EXPECT_EQ(fail(others),
            "expected gates of the same tokens but got 1 and 0\n");
}

TEST_F(GatesTest, joinLeavesNoHoles) {
  loadEntries("%a: tensor<?x2xi64>, %b: tensor<?x1xi64>",
              "%ga = sluice.from_entries %a : (tensor<?x2xi64>) -> "
              "!sluice.gates<?x4xf32, 2 per token>\n"
              "%gb = sluice.from_entries %b : (tensor<?x1xi64>) -> "
              "!sluice.gates<?x4xf32, 1 per token>\n"
              "%g = sluice.join %ga, %gb : "
              "!sluice.gates<?x4xf32, 2 per token>, "
              "!sluice.gates<?x4xf32, 1 per token>",
              4, 3);
  HostTensor inputs[] = {i64({3, 2}, {-1, 2, -1, -1, 3, 0}),
                         i64({3, 1}, {1, 0, -1})};
  expect(inputs, {2, 1, -1, 0, -1, -1, 3, 0, -1}, {1, 1, 0, 1, 0, 0, 1, 1, 0});
}

TEST_F(GatesTest, joinWithoutABound) {
  loadDense("%x: tensor<?x3xf32>, %c: index",
            "%a = sluice.topk %x, 1 : tensor<?x3xf32>\n"
            "%b = sluice.choose_tokens %x, %c : tensor<?x3xf32>\n"
            "%g = sluice.join %a, %b : !sluice.gates<?x3xf32, 1 per token>, "
            "!sluice.gates<?x3xf32, ? per expert>",
            3);
  HostTensor inputs[] = {f32({2, 3}, {3, 1, 2, 1, 2, 4}), i64({}, {1})};
  expect(inputs, {3, 0, 0, 0, 2, 4}, {1, 0, 0, 0, 1, 1});
}

TEST_F(GatesTest, filter) {
  struct Case {
    std::string shape;
    std::vector<int64_t> dims;
    std::vector<double> mask, indices, values;
  };
  // Chosen: 1, 2 and 0, 2.
  const Case cases[] = {
      {"3", {3}, {1, 0, 1}, {-1, 2, 0, 2}, {0, 2, 5, 4}},
      {"1", {1}, {1}, {1, 2, 0, 2}, {3, 2, 5, 4}},
      {"?x1", {2, 1}, {0, 1}, {-1, -1, 0, 2}, {0, 0, 5, 4}},
      {"1x3", {1, 3}, {0, 0, 1}, {-1, 2, -1, 2}, {0, 2, 0, 4}},
      {"?x3", {2, 3}, {0, 1, 0, 0, 1, 1}, {1, -1, -1, 2}, {3, 0, 0, 4}},
  };
  for (const Case &test : cases) {
    SCOPED_TRACE(test.shape);
    std::string type = "tensor<" + test.shape + "xi1>";
    loadEntries("%x: tensor<?x3xf32>, %m: " + type,
                "%t = sluice.topk %x, 2 : tensor<?x3xf32>\n"
                "%g = sluice.filter %t where %m : "
                "!sluice.gates<?x3xf32, 2 per token>, " +
                    type,
                3, 2);
    HostTensor inputs[] = {f32({2, 3}, {1, 3, 2, 5, 1, 4}),
                           bools(test.dims, test.mask)};
    expect(inputs, test.indices, test.values);
  }
  HostTensor wrong[] = {f32({1, 3}, {1, 3, 2}),
                        bools({2, 3}, {0, 0, 0, 0, 0, 0})};
  EXPECT_EQ(fail(wrong),
            "expected a mask of 1 rows, as the gates have tokens, but got 2\n");
}

TEST_F(GatesTest, filterWithoutABound) {
  loadDense("%x: tensor<?x2xf32>, %c: index, %m: tensor<2xi1>",
            "%t = sluice.choose_tokens %x, %c : tensor<?x2xf32>\n"
            "%g = sluice.filter %t where %m : "
            "!sluice.gates<?x2xf32, ? per expert>, tensor<2xi1>",
            2, ", ? per expert");
  HostTensor inputs[] = {f32({2, 2}, {1, 2, 3, 4}), i64({}, {2}),
                         bools({2}, {0, 1})};
  expect(inputs, {0, 2, 0, 4}, {0, 1, 0, 1});
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

TEST_F(GatesTest, scaleBy) {
  struct Case {
    std::string shape;
    std::vector<int64_t> dims;
    std::vector<double> factors, values;
  };
  // Entries: 1 (3), absent, and 0 (5), 2 (4).
  const Case cases[] = {
      {"3", {3}, {10, 0, -1}, {0, 0, 50, -4}},
      {"1", {1}, {2}, {6, 0, 10, 8}},
      {"?x1", {2, 1}, {NaN, 3}, {NaN, 0, 15, 12}},
      {"?x3", {2, 3}, {1, 2, 3, 4, 5, 6}, {6, 0, 20, 24}},
  };
  for (const Case &test : cases) {
    SCOPED_TRACE(test.shape);
    std::string type = "tensor<" + test.shape + "xf32>";
    loadEntries("%e: tensor<?x2xi64>, %x: tensor<?x3xf32>, %f: " + type,
                "%t = sluice.from_entries %e weights %x : (tensor<?x2xi64>, "
                "tensor<?x3xf32>) -> !sluice.gates<?x3xf32, 2 per token>\n"
                "%g = sluice.scale_by %t, %f : "
                "!sluice.gates<?x3xf32, 2 per token>, " +
                    type,
                3, 2);
    HostTensor inputs[] = {i64({2, 2}, {1, -1, 0, 2}),
                           f32({2, 3}, {1, 3, 2, 5, 1, 4}),
                           f32(test.dims, test.factors)};
    expect(inputs, {1, -1, 0, 2}, test.values);
  }
  HostTensor wrong[] = {i64({1, 2}, {1, -1}), f32({1, 3}, {1, 3, 2}),
                        f32({2, 3}, {1, 2, 3, 4, 5, 6})};
  EXPECT_EQ(fail(wrong),
            "expected factors of 1 rows, as the gates have tokens, but got "
            "2\n");
}

TEST_F(GatesTest, scaleByRoundsOnce) {
  load(R"(func.func @main(%x: tensor<1x1xbf16>) -> tensor<1x1xbf16> {
    %f = arith.constant dense<1.00390625> : tensor<1xf32>
    %t = sluice.topk %x, 1 : tensor<1x1xbf16>
    %g = sluice.scale_by %t, %f
      : !sluice.gates<1x1xbf16, 1 per token>, tensor<1xf32>
    %i, %v = sluice.entries %g : !sluice.gates<1x1xbf16, 1 per token>
    return %v : tensor<1x1xbf16>
  })");
  auto results = run({make(Dtype::BF16, {1, 1}, {1.5})});
  ASSERT_EQ(results.size(), 1u);
  // In bf16 the factor would be 1.
  expectSame(results[0], {1.5078125});
}

TEST_F(GatesTest, onlyPresentEntriesTakePart) {
  const std::string entries =
      "%t = sluice.from_entries %e weights %x : (tensor<?x3xi64>, "
      "tensor<?x3xf32>) -> !sluice.gates<?x3xf32, 3 per token>\n";
  const std::string arguments = "%e: tensor<?x3xi64>, %x: tensor<?x3xf32>";
  const std::string type = " : !sluice.gates<?x3xf32, 3 per token>";
  HostTensor inputs[] = {i64({3, 3}, {-1, 2, 0, -1, -1, -1, 1, -1, -1}),
                         f32({3, 3}, {3, NaN, 1, 1, 2, 3, 4, 5, 6})};
  const std::vector<double> indices = {-1, 2, 0, -1, -1, -1, 1, -1, -1};

  loadEntries(arguments, entries + "%g = sluice.normalize %t" + type, 3, 3);
  expect(inputs, indices, {0, 0.25, 0.75, 0, 0, 0, 1, 0, 0});
  loadEntries(arguments,
              entries + "%g = sluice.normalize %t p 0x7FF0000000000000" + type,
              3, 3);
  expect(inputs, indices, {0, 1.0 / 3, 1, 0, 0, 0, 1, 0, 0});
  loadEntries(arguments, entries + "%g = sluice.sigmoid %t" + type, 3, 3);
  auto results = run(inputs);
  ASSERT_EQ(results.size(), 2u);
  expectNear(results[1], {0, 1 / (1 + std::exp(-1.0)), 1 / (1 + std::exp(-3.0)),
                          0, 0, 0, 1 / (1 + std::exp(-5.0)), 0, 0});
  loadEntries(arguments, entries + "%g = sluice.softmax %t" + type, 3, 3);
  results = run(inputs);
  ASSERT_EQ(results.size(), 2u);
  double e = std::exp(2.0);
  expectNear(results[1], {0, 1 / (1 + e), e / (1 + e), 0, 0, 0, 1, 0, 0});
}

TEST_F(GatesTest, valuesOfGatesWithoutABound) {
  loadDense("%x: tensor<?x3xf32>, %m: tensor<?x3xi1>",
            "%t = sluice.from_dense %x where %m : tensor<?x3xf32>, "
            "tensor<?x3xi1> -> !sluice.gates<?x3xf32>\n"
            "%n = sluice.normalize %t : !sluice.gates<?x3xf32>\n"
            "%g = sluice.scale %n by 2.0 : !sluice.gates<?x3xf32>",
            3);
  HostTensor inputs[] = {f32({2, 3}, {3, NaN, 1, 1, 2, 3}),
                         bools({2, 3}, {1, 0, 1, 0, 0, 0})};
  expect(inputs, {1.5, 0, 0.5, 0, 0, 0}, {1, 0, 1, 0, 0, 0});
}

TEST_F(GatesTest, planWithAbsentSlots) {
  load(R"(func.func @main(%e: tensor<?x2xi64>)
      -> (tensor<3xindex>, tensor<?xindex>, tensor<?x2xindex>) {
    %g = sluice.from_entries %e
      : (tensor<?x2xi64>) -> !sluice.gates<?x2xf32, 2 per token>
    %o, %s, %p = sluice.plan %g : !sluice.gates<?x2xf32, 2 per token>
    return %o, %s, %p : tensor<3xindex>, tensor<?xindex>, tensor<?x2xindex>
  })");
  auto results = run({i64({2, 2}, {-1, 0, 1, -1})});
  ASSERT_EQ(results.size(), 3u);
  expectSame(results[0], {0, 1, 2});
  expectSame(results[1], {1, 2, -1, -1});
  expectSame(results[2], {0, -1, 1, -1});
}

TEST_F(GatesTest, planOfGatesWithoutABound) {
  load(R"(func.func @main(%x: tensor<?x3xf32>, %a: tensor<?x3xi1>,
        %b: tensor<?x3xi1>)
      -> (tensor<4xindex>, tensor<?xindex>, tensor<?x3xindex>) {
    %ga = sluice.from_dense %x where %a
      : tensor<?x3xf32>, tensor<?x3xi1> -> !sluice.gates<?x3xf32>
    %gb = sluice.from_dense %x where %b
      : tensor<?x3xf32>, tensor<?x3xi1> -> !sluice.gates<?x3xf32>
    %g = sluice.join %ga, %gb
      : !sluice.gates<?x3xf32>, !sluice.gates<?x3xf32>
    %o, %s, %p = sluice.plan %g : !sluice.gates<?x3xf32>
    return %o, %s, %p : tensor<4xindex>, tensor<?xindex>, tensor<?x3xindex>
  })");
  // Token 0 has its entries in the order 2, 0; an expert's slot is its own.
  HostTensor inputs[] = {f32({2, 3}, {1, 2, 3, 4, 5, 6}),
                         bools({2, 3}, {0, 0, 1, 0, 1, 1}),
                         bools({2, 3}, {1, 0, 0, 0, 0, 0})};
  auto results = run(inputs);
  ASSERT_EQ(results.size(), 3u);
  expectSame(results[0], {0, 1, 2, 4});
  expectSame(results[1], {0, 4, 2, 5, -1, -1});
  expectSame(results[2], {0, 2, -1, 1, 3, -1});
}
