//===- ErrorsTest.cpp - What fails, and what is said ------------*- C++ -*-===//
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
class ErrorsTest : public InterpreterTest {};
} // namespace

TEST_F(ErrorsTest, unknownOpsAndTypes) {
  load(R"(func.func @main() {
    "foo.bar"() : () -> ()
    return
  })");
  EXPECT_EQ(fail(), "the interpreter does not know 'foo.bar'\n");
  load(R"(func.func @main() {
    %c = arith.constant dense<1.0> : vector<2xf32>
    return
  })");
  EXPECT_EQ(fail(), "the interpreter does not know the type 'vector<2xf32>' of "
                    "a result of 'arith.constant'\n");
  load(R"(func.func @main(%b: i1) {
    scf.execute_region {
      "cf.br"()[^bb1] : () -> ()
    ^bb1:
      scf.yield
    }
    return
  })");
  EXPECT_EQ(fail({make(Dtype::Bool, {}, {1})}),
            "the interpreter does not know regions of several blocks\n");
}

TEST_F(ErrorsTest, inputs) {
  load("func.func @main(%x: tensor<?x2xf32>) { return }\n"
       "func.func @gated(%g: !sluice.gates<?x2xf32>) { return }\n"
       "func.func private @outside()");
  EXPECT_EQ(fail(), "expected 1 input for 'main' but got 0\n");
  EXPECT_EQ(fail({f32({1, 3}, {1, 2, 3})}),
            "expected 'tensor<?x2xf32>' for input #0 of 'main' but got "
            "tensor<1x3xf32>\n");
  EXPECT_EQ(fail({f32({2}, {1, 2})}),
            "expected 'tensor<?x2xf32>' for input #0 of 'main' but got "
            "tensor<2xf32>\n");
  EXPECT_EQ(fail({make(Dtype::F64, {1, 2}, {1, 2})}),
            "expected 'tensor<?x2xf32>' for input #0 of 'main' but got "
            "tensor<1x2xf64>\n");
  auto expectFailure = [&](llvm::StringRef entry, llvm::StringRef message) {
    diagnostics.clear();
    HostTensor input = f32({1, 2}, {1, 2});
    llvm::ArrayRef<HostTensor> inputs(input);
    EXPECT_TRUE(failed(interpreter->run(
        entry, entry == "gated" ? inputs : inputs.drop_back())));
    EXPECT_EQ(diagnostics, message.str() + "\n");
  };
  expectFailure("none", "expected a function called 'none' but the module has "
                        "'main', 'gated', 'outside'");
  expectFailure("outside", "the interpreter cannot run the function 'outside', "
                           "which has no body");
  expectFailure(
      "gated", "the interpreter cannot pass '!sluice.gates<?x2xf32>', the type "
               "of argument #0 of 'gated'; expected f16, bf16, f32, f64, i1, "
               "i8, i32, i64, index or a ranked tensor of these");
}

TEST_F(ErrorsTest, arithmetic) {
  load(R"(func.func @main(%a: i32, %b: i32) -> (i32) {
    %c = arith.divsi %a, %b : i32
    %d = arith.shli %c, %b : i32
    return %d : i32
  })");
  auto i32 = [](double value) { return make(Dtype::I32, {}, {value}); };
  EXPECT_EQ(fail({i32(1), i32(0)}), "division by zero\n");
  EXPECT_EQ(fail({i32(1), i32(32)}),
            "expected to shift by less than 32 bits but got 32\n");
  EXPECT_EQ(run({i32(8), i32(2)})[0][0], 16);
}

TEST_F(ErrorsTest, bounds) {
  load(R"(func.func @main(%x: tensor<?xf32>, %i: index) -> f32 {
    %s = tensor.extract_slice %x[%i] [2] [1] : tensor<?xf32> to tensor<2xf32>
    %c = tensor.cast %x : tensor<?xf32> to tensor<3xf32>
    %e = tensor.extract %c[%i] : tensor<3xf32>
    return %e : f32
  })");
  auto index = [](double value) { return make(Dtype::I64, {}, {value}); };
  EXPECT_EQ(fail({f32({3}, {1, 2, 3}), index(2)}),
            "expected a slice within the 3 elements of dimension 0 but got "
            "offset 2, size 2, stride 1\n");
  EXPECT_EQ(fail({f32({3}, {1, 2, 3}), index(-1)}),
            "expected a slice within the 3 elements of dimension 0 but got "
            "offset -1, size 2, stride 1\n");
  EXPECT_EQ(fail({f32({5}, {1, 2, 3, 4, 5}), index(0)}),
            "expected a result of type 'tensor<3xf32>' but got one of shape "
            "5\n");
  EXPECT_EQ(run({f32({3}, {1, 2, 3}), index(1)})[0][0], 2);

  load(R"(func.func @main(%x: tensor<?xf32>, %i: index) -> f32 {
    %e = tensor.extract %x[%i] : tensor<?xf32>
    return %e : f32
  })");
  EXPECT_EQ(fail({f32({3}, {1, 2, 3}), index(3)}),
            "expected an index below 3 in dimension 0 but got 3\n");
}

TEST_F(ErrorsTest, shapesThatDiffer) {
  load(R"(func.func @main(%x: tensor<?xf32>, %y: tensor<?xf32>) {
    %s = arith.addf %x, %y : tensor<?xf32>
    return
  })");
  EXPECT_EQ(fail({f32({3}, {1, 2, 3}), f32({2}, {1, 2})}),
            "expected operands of one shape but got 3 and 2\n");
}

TEST_F(ErrorsTest, sizes) {
  Options options;
  options.maxElements = 100;
  load(R"(func.func @main(%n: index) {
    %e = tensor.empty(%n, %n) : tensor<?x?xf32>
    return
  })",
       options);
  auto index = [](double value) { return make(Dtype::I64, {}, {value}); };
  EXPECT_EQ(fail({index(11)}), "expected a tensor of at most 100 elements but "
                               "got one of shape 11x11\n");
  EXPECT_EQ(fail({index(-1)}),
            "expected dimensions of at least 0 but got -1\n");
  EXPECT_EQ(fail({index(4294967296.0)}),
            "expected a tensor of at most 100 elements but got one of shape "
            "4294967296x4294967296\n");
  run({index(10)});
}

TEST_F(ErrorsTest, recursion) {
  load(R"(func.func @main() {
    func.call @main() : () -> ()
    return
  })");
  EXPECT_EQ(fail(), "expected at most 200 function calls within each other; "
                    "'main' may call itself without end\n");
}

TEST_F(ErrorsTest, recursionThroughRegionsLeavesTheStackWhole) {
  load(R"(func.func @main(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
    %true = arith.constant true
    %g = sluice.topk %x, 1 : tensor<1x1xf32>
    %y = sluice.experts by %g : !sluice.gates<1x1xf32, 1 per token>
        (%t = %x : tensor<1x1xf32>)
        combine sum weight none -> tensor<1x1xf32> {
      %c = tensor.cast %t : tensor<?x1xf32> to tensor<1x1xf32>
      %r = scf.if %true -> tensor<1x1xf32> {
        %s = scf.execute_region -> tensor<1x1xf32> {
          %v = func.call @main(%c) : (tensor<1x1xf32>) -> tensor<1x1xf32>
          scf.yield %v : tensor<1x1xf32>
        }
        scf.yield %s : tensor<1x1xf32>
      } else {
        scf.yield %c : tensor<1x1xf32>
      }
      %o = tensor.cast %r : tensor<1x1xf32> to tensor<?x1xf32>
      sluice.yield %o : tensor<?x1xf32>
    }
    return %y : tensor<1x1xf32>
  })");
  EXPECT_EQ(fail({f32({1, 1}, {1})}),
            "expected at most 200 function calls within each other; 'main' may "
            "call itself without end\n");
  // What an error interrupted has been put back.
  EXPECT_EQ(fail({f32({1, 1}, {1})}),
            "expected at most 200 function calls within each other; 'main' may "
            "call itself without end\n");
}

TEST_F(ErrorsTest, steps) {
  load(R"(func.func @main(%n: index) {
    %zero = arith.constant 0 : index
    scf.for %i = %zero to %n step %zero {
    }
    return
  })");
  EXPECT_EQ(fail({make(Dtype::I64, {}, {1})}),
            "expected a step of at least 1 but got 0\n");
}

TEST_F(ErrorsTest, expectations) {
  load(R"(func.func @main(%x: tensor<?x2xf32>, %y: tensor<?x2xf32>) {
    check.expect_close %x, %y tolerance 0.1 : tensor<?x2xf32>
    return
  })");
  run({f32({2, 2}, {1, 2, NaN, 10}), f32({2, 2}, {1.9, 2, NaN, 10})});
  EXPECT_EQ(fail({f32({2, 2}, {1, 2, 0, 10}), f32({2, 2}, {1, 2, NaN, 10})}),
            "expect_close failed: element [1, 0] is 0 but nan was expected "
            "(tolerance 0.1)\n");
  EXPECT_EQ(fail({f32({1, 2}, {inf, 0}), f32({1, 2}, {-inf, 0})}),
            "expect_close failed: element [0, 0] is inf but -inf was expected "
            "(tolerance 0.1)\n");
  EXPECT_EQ(fail({f32({1, 2}, {0, 8.9}), f32({1, 2}, {0, 10})}),
            "expect_close failed: element [0, 1] is 8.9 but 10 was expected "
            "(tolerance 0.1)\n");
  EXPECT_EQ(
      fail({f32({1, 2}, {0, 0}), f32({0, 2}, {})}),
      "expect_close failed: expected a tensor of shape 0x2 but got one of "
      "shape 1x2\n");
}

TEST_F(ErrorsTest, exactExpectationsAreAboutStoredNumbers) {
  load(R"(func.func @main() {
    %a = arith.constant dense<0.1> : tensor<1xf32>
    %b = arith.constant dense<0.2> : tensor<1xf32>
    %c = arith.constant dense<0.3> : tensor<1xf32>
    %s = arith.addf %a, %b : tensor<1xf32>
    check.expect_close %s, %c tolerance 0.0 : tensor<1xf32>
    %i = arith.constant dense<[1, 2]> : tensor<2xi64>
    %j = arith.constant dense<[1, 3]> : tensor<2xi64>
    check.expect_equal %i, %j : tensor<2xi64>
    return
  })");
  EXPECT_EQ(fail(),
            "expect_equal failed: element [1] is 2 but 3 was expected\n");
}
