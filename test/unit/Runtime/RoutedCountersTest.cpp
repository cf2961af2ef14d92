//===- RoutedCountersTest.cpp - Tests of the counters' sums and text --*- C++
//-*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Support/RoutedCounters.h"

#include <gtest/gtest.h>

using namespace sluice;

TEST(RoutedCounters, NoOps) { EXPECT_EQ(toJson({}), "{\"routed\":[]}"); }

TEST(RoutedCounters, SumsCallsAndCountsTouchedExpertsPerCall) {
  RoutedCounters op;
  op.function = "moe";
  op.op = "experts#0";
  op.where = "a \"b\".mlir:9:8";
  op.add(1, 2, 3, 1, {3, 0, 0}, /*multiplyAddsPerEntry=*/10,
         /*weightBytesPerExpert=*/100);
  op.add(1, 2, 4, 0, {2, 1, 1}, 10, 100);
  EXPECT_EQ(toJson({op}),
            "{\"routed\":[{\"function\":\"moe\",\"op\":\"experts#0\","
            "\"where\":\"a \\\"b\\\".mlir:9:8\",\"calls\":2,\"tokens\":4,"
            "\"entries\":7,\"dropped\":1,\"multiply_adds\":70,"
            "\"weight_bytes\":400,\"tokens_per_expert\":[5,1,1]}]}");
}

TEST(RoutedCounters, SumsStopAtTheLargestInteger) {
  RoutedCounters op;
  op.add(1, 1, INT64_MAX, INT64_MAX, {INT64_MAX}, 2, 1);
  op.add(1, 1, INT64_MAX, INT64_MAX, {INT64_MAX}, 2, 1);
  EXPECT_EQ(op.entries, INT64_MAX);
  EXPECT_EQ(op.multiplyAdds, INT64_MAX);
  EXPECT_EQ(op.tokensPerExpert[0], INT64_MAX);
  EXPECT_EQ(op.weightBytes, 2);
}
