//===- NamePatternTest.cpp - Tests of patterns of names ---------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Support/NamePattern.h"

#include <gtest/gtest.h>

using sluice::NamePattern;

static std::string errorOf(const char *text) {
  std::string error;
  EXPECT_FALSE(NamePattern::parse(text, error)) << text;
  return error;
}

TEST(NamePattern, WithoutPlaceholderIsTheName) {
  std::string error;
  auto pattern = NamePattern::parse("model.gate.weight", error);
  ASSERT_TRUE(pattern);
  EXPECT_TRUE(pattern->placeholders().empty());
  EXPECT_EQ(pattern->substitute({}), "model.gate.weight");
}

TEST(NamePattern, PlaceholdersCountFromTheirFirstNumber) {
  std::string error;
  auto pattern = NamePattern::parse("{layer}.experts.{e+8}.up", error);
  ASSERT_TRUE(pattern);
  ASSERT_EQ(pattern->placeholders().size(), 2u);
  EXPECT_EQ(pattern->placeholders()[1].name, "e");
  EXPECT_EQ(pattern->placeholders()[1].first, 8);
  EXPECT_EQ(pattern->substitute({3, 0}), "3.experts.8.up");
  EXPECT_EQ(pattern->substitute({0, 15}), "0.experts.23.up");
  EXPECT_EQ(pattern->text(), "{layer}.experts.{e+8}.up");
}

TEST(NamePattern, EmptyTextIsANameToo) {
  std::string error;
  EXPECT_TRUE(NamePattern::parse("", error));
}

TEST(NamePattern, MalformedPlaceholders) {
  EXPECT_EQ(errorOf("a.{e"), "expected a placeholder such as {e} or {e+8} at "
                             "offset 2 of 'a.{e'");
  for (const char *text : {"{}", "a}", "{8}", "{e+}", "{e-1}", "{e+x}",
                           "{e +1}", "{{e}}", "{e+1234567890123456}"})
    EXPECT_NE(errorOf(text).find("expected a placeholder"), std::string::npos);
}

TEST(NamePattern, RepeatedPlaceholder) {
  EXPECT_EQ(errorOf("{e}.{e+1}"),
            "placeholder {e} occurs twice in '{e}.{e+1}': each one is a "
            "dimension of its own and needs its own name");
}
