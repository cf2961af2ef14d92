//===- UpstreamOpsTest.cpp - arith, math, tensor, linalg, scf, func -*- C++
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

namespace {
class UpstreamOpsTest : public InterpreterTest {
protected:
  /// The value of %r, of `type`, after `text`.
  double evaluate(const std::string &text, const std::string &type) {
    load("func.func @main() -> " + type + " {\n" + text +
         "\nreturn %r : " + type + "\n}");
    auto results = run();
    return results.empty() ? NaN : results[0][0];
  }
  /// A constant; i1 is spelled without its type.
  static std::string constant(const std::string &name, const std::string &value,
                              const std::string &type) {
    return name + " = arith.constant " + value +
           (type == "i1" ? "" : " : " + type) + "\n";
  }
  double binary(const std::string &op, const std::string &a,
                const std::string &b, const std::string &type,
                const std::string &result = "") {
    return evaluate(constant("%a", a, type) + constant("%b", b, type) +
                        "%r = " + op + " %a, %b : " + type,
                    result.empty() ? type : result);
  }
  double convert(const std::string &op, const std::string &a,
                 const std::string &from, const std::string &to) {
    return evaluate(constant("%a", a, from) + "%r = " + op + " %a : " + from +
                        " to " + to,
                    to);
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// arith and math
//===----------------------------------------------------------------------===//

TEST_F(UpstreamOpsTest, f32IsNotRounded) {
  double tenth = static_cast<double>(0.1f);
  EXPECT_EQ(binary("arith.addf", "0.1", "0.1", "f32"), 2 * tenth);
  EXPECT_EQ(binary("arith.mulf", "0.1", "0.1", "f32"), tenth * tenth);
  EXPECT_EQ(convert("arith.truncf", "0.1", "f64", "f32"), 0.1);
}

TEST_F(UpstreamOpsTest, narrowTypesAreRounded) {
  EXPECT_EQ(convert("arith.truncf", "1.00390625", "f32", "bf16"), 1.0);
  EXPECT_EQ(convert("arith.truncf", "1.01171875", "f32", "bf16"), 1.015625);
  EXPECT_EQ(convert("arith.truncf", "65519.0", "f32", "f16"), 65504.0);
  EXPECT_EQ(convert("arith.truncf", "65520.0", "f32", "f16"), inf);
  EXPECT_EQ(convert("arith.truncf", "-1.0e39", "f64", "bf16"), -inf);
  // Half of the smallest subnormal, and a bit more.
  EXPECT_EQ(convert("arith.truncf", "0x3E60000000000000", "f64", "f16"), 0.0);
  EXPECT_EQ(convert("arith.truncf", "0x3E60000000000001", "f64", "f16"),
            std::ldexp(1.0, -24));
  EXPECT_EQ(binary("arith.divf", "1.0", "3.0", "bf16"), 0.333984375);
}

TEST_F(UpstreamOpsTest, minimaAndMaxima) {
  const std::string nanText = "0x7FC00000";
  expectSame({binary("arith.maximumf", nanText, "1.0", "f32"),
              binary("arith.maxnumf", nanText, "1.0", "f32"),
              binary("arith.minimumf", "-0.0", "0.0", "f32"),
              binary("arith.maximumf", "-0.0", "0.0", "f32"),
              binary("arith.minnumf", "2.0", "1.0", "f32")},
             {NaN, 1, -0.0, 0.0, 1});
}

TEST_F(UpstreamOpsTest, integersWrap) {
  EXPECT_EQ(binary("arith.addi", "2147483647", "1", "i32"), -2147483648.0);
  EXPECT_EQ(binary("arith.divsi", "-7", "2", "i32"), -3);
  EXPECT_EQ(binary("arith.floordivsi", "-7", "2", "i32"), -4);
  EXPECT_EQ(binary("arith.ceildivsi", "7", "2", "i32"), 4);
  EXPECT_EQ(binary("arith.remsi", "-7", "2", "i32"), -1);
  EXPECT_EQ(binary("arith.divui", "-2", "2", "i32"), 2147483647.0);
  EXPECT_EQ(binary("arith.shrsi", "-8", "1", "i32"), -4);
  EXPECT_EQ(binary("arith.shrui", "-8", "1", "i32"), 2147483644.0);
  EXPECT_EQ(binary("arith.cmpi ult,", "-1", "1", "i32", "i1"), 0);
  EXPECT_EQ(binary("arith.cmpi slt,", "-1", "1", "i32", "i1"), 1);
  EXPECT_EQ(binary("arith.cmpi slt,", "true", "false", "i1", "i1"), 1);
  EXPECT_EQ(binary("math.ipowi", "3", "4", "i32"), 81);
}

TEST_F(UpstreamOpsTest, conversions) {
  EXPECT_EQ(convert("arith.extsi", "true", "i1", "i32"), -1);
  EXPECT_EQ(convert("arith.extui", "true", "i1", "i32"), 1);
  EXPECT_EQ(convert("arith.uitofp", "-1", "i32", "f32"), 4294967295.0);
  EXPECT_EQ(convert("arith.sitofp", "-1", "i32", "f32"), -1);
  EXPECT_EQ(convert("arith.fptosi", "-2.75", "f32", "i32"), -2);
  EXPECT_EQ(convert("arith.fptosi", "1.0e30", "f32", "i32"), 2147483647.0);
  EXPECT_EQ(convert("arith.trunci", "4294967297", "i64", "i32"), 1);
  EXPECT_EQ(convert("arith.bitcast", "1065353216", "i32", "f32"), 1);
  EXPECT_EQ(convert("arith.bitcast", "-2.0", "f32", "i32"), -1073741824.0);
  EXPECT_EQ(convert("arith.index_cast", "-3", "i32", "index"), -3);
}

TEST_F(UpstreamOpsTest, mathOnTensors) {
  load(R"(func.func @main(%x: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xi1>) {
    %s = math.rsqrt %x : tensor<?xf32>
    %n = math.isnan %s : tensor<?xf32>
    return %s, %n : tensor<?xf32>, tensor<?xi1>
  })");
  auto results = run({f32({4}, {4, 0, -1, inf})});
  ASSERT_EQ(results.size(), 2u);
  expectSame(results[0], {0.5, inf, NaN, 0});
  expectSame(results[1], {0, 0, 1, 0});
}

TEST_F(UpstreamOpsTest, resultsOfRunAreRounded) {
  load(R"(func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
    %y = math.exp %x : tensor<1xf32>
    return %y : tensor<1xf32>
  })");
  auto results = interpreter->run("main", {f32({1}, {1})});
  ASSERT_TRUE(succeeded(results)) << diagnostics;
  EXPECT_EQ((*results)[0].dtype(), Dtype::F32);
  EXPECT_EQ((*results)[0].get(0), static_cast<double>(static_cast<float>(M_E)));
  expectSame(run({f32({1}, {1})})[0], {std::exp(1.0)});
}

//===----------------------------------------------------------------------===//
// tensor
//===----------------------------------------------------------------------===//

TEST_F(UpstreamOpsTest, slices) {
  load(R"(func.func @main(%x: tensor<3x4xf32>, %y: tensor<2xf32>)
      -> (tensor<2x2xf32>, tensor<2xf32>, tensor<3x4xf32>, tensor<3x6xf32>,
          tensor<2x3x2xf32>) {
    %a = tensor.extract_slice %x[1, 0] [2, 2] [1, 3]
      : tensor<3x4xf32> to tensor<2x2xf32>
    %b = tensor.extract_slice %x[0, 3] [2, 1] [2, 1]
      : tensor<3x4xf32> to tensor<2xf32>
    %c = tensor.insert_slice %y into %x[1, 1] [1, 2] [1, 2]
      : tensor<2xf32> into tensor<3x4xf32>
    %z = arith.constant 0.0 : f32
    %d = tensor.pad %x low[0, 2] high[0, 0] {
    ^bb0(%i: index, %j: index):
      tensor.yield %z : f32
    } : tensor<3x4xf32> to tensor<3x6xf32>
    %f = tensor.collapse_shape %x [[0, 1]] : tensor<3x4xf32> into tensor<12xf32>
    %e = tensor.expand_shape %f [[0, 1, 2]] output_shape [2, 3, 2]
      : tensor<12xf32> into tensor<2x3x2xf32>
    return %a, %b, %c, %d, %e : tensor<2x2xf32>, tensor<2xf32>, tensor<3x4xf32>,
      tensor<3x6xf32>, tensor<2x3x2xf32>
  })");
  std::vector<double> x = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  auto results = run({f32({3, 4}, x), f32({2}, {-1, -2})});
  ASSERT_EQ(results.size(), 5u);
  expectSame(results[0], {5, 8, 9, 12});
  expectSame(results[1], {4, 12});
  expectSame(results[2], {1, 2, 3, 4, 5, -1, 7, -2, 9, 10, 11, 12});
  expectSame(results[3],
             {0, 0, 1, 2, 3, 4, 0, 0, 5, 6, 7, 8, 0, 0, 9, 10, 11, 12});
  expectSame(results[4], x);
}

TEST_F(UpstreamOpsTest, constantsWithoutElements) {
  load(R"(func.func @main() -> (tensor<0xf32>, tensor<2x0xi32>, tensor<i32>) {
    %a = arith.constant dense<> : tensor<0xf32>
    %b = arith.constant dense<1> : tensor<2x0xi32>
    %c = arith.constant dense<-5> : tensor<i32>
    return %a, %b, %c : tensor<0xf32>, tensor<2x0xi32>, tensor<i32>
  })");
  auto results = run();
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(shapes[0], (std::vector<int64_t>{0}));
  EXPECT_EQ(shapes[1], (std::vector<int64_t>{2, 0}));
  expectSame(results[2], {-5});
}

TEST_F(UpstreamOpsTest, constantsInResources) {
  load(R"(func.func @main() -> tensor<2xf32> {
    %a = arith.constant dense_resource<numbers> : tensor<2xf32>
    return %a : tensor<2xf32>
  }
  {-# dialect_resources: { builtin: {
    numbers: "0x040000000000803F00000040"
  } } #-})");
  auto results = run();
  ASSERT_EQ(results.size(), 1u);
  expectSame(results[0], {1, 2});
}

TEST_F(UpstreamOpsTest, makingTensors) {
  load(R"(func.func @main(%n: index)
      -> (tensor<?x2xi64>, tensor<5xf32>, tensor<2x2xf32>) {
    %g = tensor.generate %n {
    ^bb0(%i: index, %j: index):
      %s = arith.muli %i, %j : index
      %t = arith.index_cast %s : index to i64
      tensor.yield %t : i64
    } : tensor<?x2xi64>
    %one = arith.constant 1.0 : f32
    %two = arith.constant 2.0 : f32
    %a = tensor.from_elements %one, %two : tensor<2xf32>
    %b = tensor.splat %two : tensor<3xf32>
    %c = tensor.concat dim(0) %a, %b
      : (tensor<2xf32>, tensor<3xf32>) -> tensor<5xf32>
    %d = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %r = arith.constant dense<[[1], [0]]> : tensor<2x1xindex>
    %f = tensor.gather %d[%r] gather_dims([0])
      : (tensor<2x2xf32>, tensor<2x1xindex>) -> tensor<2x2xf32>
    return %g, %c, %f : tensor<?x2xi64>, tensor<5xf32>, tensor<2x2xf32>
  })");
  auto results = run({make(Dtype::I64, {}, {3})});
  ASSERT_EQ(results.size(), 3u);
  expectSame(results[0], {0, 0, 0, 1, 0, 2});
  expectSame(results[1], {1, 2, 2, 2, 2});
  expectSame(results[2], {3, 4, 1, 2});
}

//===----------------------------------------------------------------------===//
// linalg
//===----------------------------------------------------------------------===//

TEST_F(UpstreamOpsTest, namedStructuredOps) {
  load(R"(func.func @main(%a: tensor<?x3xf32>, %b: tensor<3x2xf32>,
        %c: tensor<?x2xf32>)
      -> (tensor<?x2xf32>, tensor<2x3xf32>, tensor<?xf32>) {
    %z = arith.constant 0.0 : f32
    %f = linalg.fill ins(%z : f32) outs(%c : tensor<?x2xf32>) -> tensor<?x2xf32>
    %m = linalg.matmul ins(%a, %b : tensor<?x3xf32>, tensor<3x2xf32>)
                       outs(%f : tensor<?x2xf32>) -> tensor<?x2xf32>
    %e = tensor.empty() : tensor<2x3xf32>
    %t = linalg.transpose ins(%b : tensor<3x2xf32>) outs(%e : tensor<2x3xf32>)
         permutation = [1, 0]
    %zero = arith.constant 0 : index
    %n = tensor.dim %a, %zero : tensor<?x3xf32>
    %g = tensor.empty(%n) : tensor<?xf32>
    %h = linalg.fill ins(%z : f32) outs(%g : tensor<?xf32>) -> tensor<?xf32>
    %s = linalg.reduce { arith.addf } ins(%a : tensor<?x3xf32>)
         outs(%h : tensor<?xf32>) dimensions = [1]
    return %m, %t, %s : tensor<?x2xf32>, tensor<2x3xf32>, tensor<?xf32>
  })");
  HostTensor inputs[] = {f32({2, 3}, {1, 2, 3, 4, 5, 6}),
                         f32({3, 2}, {1, 0, 0, 1, 1, 1}),
                         f32({2, 2}, {NaN, NaN, NaN, NaN})};
  auto results = run(inputs);
  ASSERT_EQ(results.size(), 3u);
  expectSame(results[0], {4, 5, 10, 11});
  expectSame(results[1], {1, 0, 1, 0, 1, 1});
  expectSame(results[2], {6, 15});

  HostTensor wrong[] = {f32({1, 3}, {1, 2, 3}), f32({3, 2}, {1, 0, 0, 1, 1, 1}),
                        f32({2, 2}, {0, 0, 0, 0})};
  EXPECT_EQ(fail(wrong),
            "expected dimension 0 of operand #2 to have size 1 but "
            "got 2\n");
}

TEST_F(UpstreamOpsTest, genericWithIndexAndSurroundings) {
  // The second op needs the evaluator: its body reads a tensor.
  load(R"(func.func @main(%x: tensor<2x3xf32>, %s: f32, %t: tensor<3xf32>)
      -> (tensor<2x3xf32>, tensor<2x3xf32>) {
    %a = linalg.generic {
      indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>,
                       affine_map<(d0, d1) -> (d0, d1)>],
      iterator_types = ["parallel", "parallel"]
    } ins(%x : tensor<2x3xf32>) outs(%x : tensor<2x3xf32>) {
    ^bb0(%in: f32, %out: f32):
      %c = arith.constant 10.0 : f32
      %i = linalg.index 1 : index
      %j = arith.index_cast %i : index to i64
      %f = arith.sitofp %j : i64 to f32
      %m = arith.mulf %in, %s : f32
      %n = arith.mulf %c, %f : f32
      %o = arith.addf %m, %n : f32
      linalg.yield %o : f32
    } -> tensor<2x3xf32>
    %b = linalg.generic {
      indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>],
      iterator_types = ["parallel", "parallel"]
    } outs(%x : tensor<2x3xf32>) {
    ^bb0(%out: f32):
      %i = linalg.index 1 : index
      %e = tensor.extract %t[%i] : tensor<3xf32>
      linalg.yield %e : f32
    } -> tensor<2x3xf32>
    return %a, %b : tensor<2x3xf32>, tensor<2x3xf32>
  })");
  HostTensor inputs[] = {f32({2, 3}, {1, 2, 3, 4, 5, 6}), f32({}, {2}),
                         f32({3}, {7, 8, 9})};
  auto results = run(inputs);
  ASSERT_EQ(results.size(), 2u);
  expectSame(results[0], {2, 14, 26, 8, 20, 32});
  expectSame(results[1], {7, 8, 9, 7, 8, 9});
}

TEST_F(UpstreamOpsTest, convolution) {
  load(R"(func.func @main(%x: tensor<4xf32>, %k: tensor<2xf32>)
      -> tensor<3xf32> {
    %z = arith.constant dense<0.0> : tensor<3xf32>
    %y = linalg.conv_1d ins(%x, %k : tensor<4xf32>, tensor<2xf32>)
                        outs(%z : tensor<3xf32>) -> tensor<3xf32>
    return %y : tensor<3xf32>
  })");
  auto results = run({f32({4}, {1, 2, 3, 4}), f32({2}, {1, 10})});
  ASSERT_EQ(results.size(), 1u);
  expectSame(results[0], {21, 32, 43});
}

//===----------------------------------------------------------------------===//
// scf and func
//===----------------------------------------------------------------------===//

TEST_F(UpstreamOpsTest, loops) {
  load(R"(func.func @main(%n: index) -> (index, index, i32) {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %three = arith.constant 3 : index
    %s = scf.for %i = %zero to %n step %three iter_args(%a = %zero) -> index {
      %b = arith.addi %a, %i : index
      scf.yield %b : index
    }
    %w = scf.while (%a = %one) : (index) -> index {
      %c = arith.cmpi slt, %a, %n : index
      scf.condition(%c) %a : index
    } do {
    ^bb0(%a: index):
      %b = arith.addi %a, %a : index
      scf.yield %b : index
    }
    %c = arith.cmpi eq, %s, %w : index
    %r = scf.if %c -> i32 {
      %v = arith.constant 7 : i32
      scf.yield %v : i32
    } else {
      %v = func.call @fibonacci(%n) : (index) -> i32
      scf.yield %v : i32
    }
    return %s, %w, %r : index, index, i32
  }
  func.func private @fibonacci(%n: index) -> i32 {
    %two = arith.constant 2 : index
    %one = arith.constant 1 : index
    %c = arith.cmpi slt, %n, %two : index
    %r = scf.if %c -> i32 {
      %v = arith.index_cast %n : index to i32
      scf.yield %v : i32
    } else {
      %p = arith.subi %n, %one : index
      %q = arith.subi %n, %two : index
      %a = func.call @fibonacci(%p) : (index) -> i32
      %b = func.call @fibonacci(%q) : (index) -> i32
      %s = arith.addi %a, %b : i32
      scf.yield %s : i32
    }
    return %r : i32
  })");
  auto results = run({make(Dtype::I64, {}, {10})});
  ASSERT_EQ(results.size(), 3u);
  expectSame(results[0], {0 + 3 + 6 + 9});
  expectSame(results[1], {16});
  expectSame(results[2], {55});
}
