//===- NamePattern.cpp - Names of checkpoint tensors with numbers --*- C++
//-*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Support/NamePattern.h"

using namespace sluice;

static bool isDigit(char c) { return c >= '0' && c <= '9'; }
static bool isIdentifierStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Parses what is between the braces.
static std::optional<NamePattern::Placeholder>
parsePlaceholder(std::string_view text) {
  NamePattern::Placeholder result;
  size_t i = 0;
  if (text.empty() || !isIdentifierStart(text[0]))
    return std::nullopt;
  while (i < text.size() && (isIdentifierStart(text[i]) || isDigit(text[i])))
    ++i;
  result.name = text.substr(0, i);
  if (i == text.size())
    return result;
  // 15 digits, so that adding an index cannot overflow.
  std::string_view digits = text.substr(i + 1);
  if (text[i] != '+' || digits.empty() || digits.size() > 15)
    return std::nullopt;
  for (char c : digits) {
    if (!isDigit(c))
      return std::nullopt;
    result.first = result.first * 10 + (c - '0');
  }
  return result;
}

std::optional<NamePattern> NamePattern::parse(std::string_view text,
                                              std::string &error) {
  NamePattern result;
  result.source = text;
  size_t begin = 0;
  while (true) {
    size_t brace = text.find_first_of("{}", begin);
    result.texts.emplace_back(text.substr(begin, brace - begin));
    if (brace == std::string_view::npos)
      return result;
    size_t end = text.find('}', brace);
    std::optional<Placeholder> holder;
    if (text[brace] == '{' && end != std::string_view::npos)
      holder = parsePlaceholder(text.substr(brace + 1, end - brace - 1));
    if (!holder) {
      error = "expected a placeholder such as {e} or {e+8} at offset " +
              std::to_string(brace) + " of '" + std::string(text) + "'";
      return std::nullopt;
    }
    for (const Placeholder &other : result.holders) {
      if (other.name == holder->name) {
        error = "placeholder {" + holder->name + "} occurs twice in '" +
                std::string(text) +
                "': each one is a dimension of its own and needs its own name";
        return std::nullopt;
      }
    }
    result.holders.push_back(std::move(*holder));
    begin = end + 1;
  }
}

std::string NamePattern::substitute(const std::vector<int64_t> &indices) const {
  std::string result = texts[0];
  for (size_t i = 0; i < holders.size(); ++i) {
    result += std::to_string(holders[i].first + indices[i]);
    result += texts[i + 1];
  }
  return result;
}
