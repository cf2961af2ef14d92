//===- CompareTest.cpp - Tests of comparing results with expectations --*- C++
//-*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Support/Compare.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace llvm;
using namespace sluice;

static HostTensor tensor(Dtype dtype, ArrayRef<int64_t> shape,
                         ArrayRef<double> values) {
  return cantFail(HostTensor::fromDoubles(dtype, shape, values));
}

static Comparison compare(ArrayRef<double> actual, ArrayRef<double> expected,
                          double tolerance, Dtype dtype = Dtype::F64) {
  int64_t n = int64_t(actual.size());
  return cantFail(compareTensors(tensor(dtype, {n}, actual),
                                 tensor(dtype, {n}, expected), tolerance));
}

TEST(Compare, RelativeToTheLargestMagnitude) {
  Comparison result = compare({0.5, -100}, {0, -100}, 0.005);
  EXPECT_TRUE(result.matches());
  EXPECT_DOUBLE_EQ(result.largestError, 0.005);
  EXPECT_EQ(result.describe(),
            "largest error 0.005 relative to the largest magnitude 100");
  EXPECT_FALSE(compare({0.5, -100}, {0, -100}, 0.0049).matches());
}

TEST(Compare, FirstMismatchByItsIndices) {
  auto actual = tensor(Dtype::F32, {2, 2}, {1, 2, 3.5, 5});
  auto expected = tensor(Dtype::F32, {2, 2}, {1, 2, 3, 4});
  Comparison result = cantFail(compareTensors(actual, expected, 1e-5));
  EXPECT_EQ(result.firstIndex, (SmallVector<int64_t>{1, 0}));
  EXPECT_EQ(result.describe(),
            "element [1, 0] is 3.5 but 3 was expected (tolerance 1e-05; 2 of 4 "
            "elements differ, largest error 0.25 relative to the largest "
            "magnitude 4)");
}

TEST(Compare, ShowsAsManyDigitsAsDiffer) {
  Comparison result = compare({1.00000001}, {1}, 0);
  EXPECT_EQ(result.firstActual, "1.00000001");
  EXPECT_EQ(result.firstExpected, "1");
}

TEST(Compare, NansAndInfinities) {
  EXPECT_TRUE(compare({NAN, INFINITY, 1}, {NAN, INFINITY, 1}, 0).matches());
  for (double wrong : {1.0, double(-INFINITY), double(NAN)}) {
    Comparison result = compare({1, wrong}, {1, INFINITY}, INFINITY);
    EXPECT_EQ(result.numMismatches, 1);
    EXPECT_EQ(result.largestError, INFINITY);
    EXPECT_EQ(result.scale, 1);
  }
  EXPECT_FALSE(compare({NAN}, {1}, 1).matches());
  EXPECT_FALSE(compare({1}, {NAN}, 1).matches());
  EXPECT_FALSE(compare({1e308}, {-1e308}, 1.5).matches())
      << "the difference overflows";
  EXPECT_TRUE(compare({1e308}, {-1e308}, 2).matches());
}

TEST(Compare, ExpectedZerosAreComparedAbsolutely) {
  EXPECT_TRUE(compare({1e-6, -0.0}, {0, 0}, 1e-5).matches());
  EXPECT_FALSE(compare({1e-4, 0}, {0, 0}, 1e-5).matches());
}

TEST(Compare, IntegersExactly) {
  EXPECT_TRUE(compare({1, 2}, {1, 2}, 0, Dtype::I64).matches());
  Comparison result = compare({1, 3}, {1, 2}, 100, Dtype::I64);
  EXPECT_EQ(result.describe(), "element [1] is 3 but 2 was expected (1 of 2 "
                               "elements differ, largest error 1)");
  HostTensor a = tensor(Dtype::I64, {1}, {0}), b = tensor(Dtype::I64, {1}, {0});
  a.setInteger(0, INT64_MAX);
  b.setInteger(0, INT64_MAX - 1);
  EXPECT_FALSE(cantFail(compareTensors(a, b, 0)).matches());
  EXPECT_FALSE(compare({1}, {0}, 1, Dtype::Bool).matches());
}

TEST(Compare, Empty) {
  auto empty = tensor(Dtype::F32, {0, 3}, {});
  EXPECT_TRUE(cantFail(compareTensors(empty, empty, 0)).matches());
}

TEST(Compare, Errors) {
  auto a = tensor(Dtype::F32, {2}, {1, 2});
  auto b = tensor(Dtype::F32, {2, 1}, {1, 2});
  auto c = tensor(Dtype::F64, {2}, {1, 2});
  auto errorOf = [](Expected<Comparison> result) {
    return toString(result.takeError());
  };
  EXPECT_EQ(errorOf(compareTensors(a, b, 0)),
            "expected tensor<2x1xf32> but got tensor<2xf32>");
  EXPECT_EQ(errorOf(compareTensors(a, c, 0)),
            "expected tensor<2xf64> but got tensor<2xf32>");
  EXPECT_EQ(errorOf(compareTensors(a, a, -1)),
            "expected a tolerance of at least 0 but got -1");
  EXPECT_EQ(errorOf(compareTensors(a, a, NAN)),
            "expected a tolerance of at least 0 but got nan");
}
