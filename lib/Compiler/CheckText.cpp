//===- CheckText.cpp - What MLIR's parser cannot take -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CheckText.h"

#include "llvm/ADT/StringExtras.h"

using namespace sluice;

/// More than any model has, and few enough for the stack: the parser and many
/// passes descend into what is nested.
static constexpr unsigned maxNesting = 256;

/// Where brackets, or the minus signs of affine expressions, are nested deeper;
/// null if they are not.
static const char *findDeepNesting(llvm::StringRef text) {
  unsigned depth = 0, minuses = 0;
  for (const char *at = text.begin(), *end = text.end(); at != end; ++at) {
    char next = at + 1 == end ? 0 : at[1];
    minuses = *at == '-' ? minuses + 1 : *at == ' ' ? minuses : 0;
    if (depth + minuses > maxNesting)
      return at;
    switch (*at) {
    case '"':
      // Up to the closing quotation mark, at most to the end of the line.
      while (at + 1 != end && at[1] != '"' && at[1] != '\n')
        at += at[1] == '\\' && at + 2 != end ? 2 : 1;
      if (at + 1 != end)
        ++at;
      break;
    case '/':
      if (next == '/')
        while (at + 1 != end && at[1] != '\n')
          ++at;
      break;
    case '<':
    case '(':
    case '[':
    case '{':
      depth += !(*at == '<' && next == '=');
      break;
    case '>':
      // Not that of an arrow or of a comparison.
      if ((at != text.begin() && at[-1] == '-') || next == '=')
        break;
      [[fallthrough]];
    case ')':
    case ']':
    case '}':
      depth -= depth > 0;
      break;
    default:
      break;
    }
  }
  return nullptr;
}

/// Whether `text` starts with `[`, integers of 64 bits and `]`.
static bool startsWithIntegers(llvm::StringRef text) {
  if (!text.consume_front("["))
    return false;
  auto [list, rest] = text.split(']');
  if (list.size() == text.size())
    return false;
  // A comment in between is left to the parser.
  if (list.trim().empty() || list.contains("//"))
    return true;
  return llvm::all_of(llvm::split(list, ','), [](llvm::StringRef word) {
    int64_t value;
    word = word.trim();
    return !word.getAsInteger(10, value) || !word.getAsInteger(0, value);
  });
}

/// Where `text`, which starts with a list of lists, has an empty one in it; empty
/// if it has none.
static llvm::StringRef findEmptyGroup(llvm::StringRef text) {
  if (!text.consume_front("["))
    return {};
  while (true) {
    text = text.ltrim(" \t\r\n,");
    llvm::StringRef group = text;
    if (!text.consume_front("["))
      return {};
    auto [list, rest] = text.split(']');
    if (list.trim().empty())
      return group;
    text = rest;
  }
}

/// The lists of linalg.reduce, broadcast and transpose: what is wrong in them is
/// reported by their parsers, which then go on with an attribute that is null.
/// And arrays of index, of which the parser asks how many bits one has; and groups
/// of no dimension of tensor.expand_shape and collapse_shape, of which their
/// verifiers take the last one.
static std::optional<TextProblem> findBadList(llvm::StringRef text) {
  char last = 0;
  while (!text.empty()) {
    char c = text.front();
    if (c == '"') {
      text = text.drop_front();
      while (!text.empty() && text.front() != '"' && text.front() != '\n')
        text = text.substr(text.front() == '\\' ? 2 : 1);
      text = text.substr(1);
    } else if (text.starts_with("//")) {
      text = text.drop_until([](char d) { return d == '\n'; });
      continue;
    } else if (llvm::isAlpha(c)) {
      llvm::StringRef word = text.take_while(
          [](char d) { return llvm::isAlnum(d) || d == '_' || d == '.'; });
      text = text.drop_front(word.size());
      llvm::StringRef rest = text.ltrim();
      if (last == ')' && (word == "dimensions" || word == "permutation") &&
          rest.consume_front("=") && !startsWithIntegers(rest.ltrim()))
        return TextProblem{rest.ltrim().data(),
                           "expected a list of integers, such as [0, 1]"};
      if (word.ends_with("expand_shape") || word.ends_with("collapse_shape") ||
          word == "reassociation") {
        // Behind the operand, or the attribute's name.
        llvm::StringRef groups = rest.drop_until([](char d) {
          return llvm::StringRef("[:(){}").contains(d);
        });
        if (llvm::StringRef empty = findEmptyGroup(groups); !empty.empty())
          return TextProblem{empty.data(),
                             "expected a group of at least one dimension but "
                             "got []"};
      }
      if (word == "array" && rest.consume_front("<")) {
        llvm::StringRef type = rest.ltrim();
        if (type.starts_with("index") &&
            (type.size() == 5 || !llvm::isAlnum(type[5])))
          return TextProblem{type.data(),
                             "expected an array of i1, i8, i16, i32, i64, f32 "
                             "or f64 but got one of index"};
      }
    } else {
      text = text.drop_front();
    }
    if (!llvm::isSpace(c))
      last = c;
  }
  return std::nullopt;
}

std::optional<TextProblem> sluice::findTextProblem(llvm::StringRef text) {
  if (const char *at = findDeepNesting(text))
    return TextProblem{at, "expected at most " + std::to_string(maxNesting) +
                               " levels of nesting"};
  return findBadList(text);
}
