//===- MutateText.cpp - Changes of model files that often parse -*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MutateText.h"

#include <cctype>
#include <iterator>
#include <vector>

using namespace sluice;
using namespace sluice::fuzz;

namespace {

/// A word of the text: a number, a name, a symbol.
struct Word {
  enum class Kind { Number, Name, Value, Other };
  Kind kind = Kind::Other;
  size_t at = 0;
  size_t size = 0;
};

using Lines = std::vector<std::string>;

} // namespace

static size_t pickIndex(size_t size, Random &random) {
  return size_t(random.between(0, int64_t(size) - 1));
}

static std::vector<Word> splitWords(const std::string &text) {
  auto isName = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.';
  };
  std::vector<Word> words;
  for (size_t at = 0; at < text.size();) {
    Word word;
    word.at = at;
    char c = text[at++];
    if (std::isspace(static_cast<unsigned char>(c)))
      continue;
    bool digit = std::isdigit(static_cast<unsigned char>(c));
    if (c == '%' || c == '@' || c == '#' || c == '!' || c == '^') {
      word.kind = Word::Kind::Value;
      while (at < text.size() && isName(text[at]))
        ++at;
    } else if (digit) {
      // Not the x of 4x8xf32: sizes are numbers of their own.
      word.kind = Word::Kind::Number;
      while (at < text.size() &&
             (std::isdigit(static_cast<unsigned char>(text[at])) ||
              text[at] == '.'))
        ++at;
    } else if (isName(c)) {
      word.kind = Word::Kind::Name;
      // x stands between sizes.
      while (c != 'x' && at < text.size() && isName(text[at]))
        ++at;
    }
    word.size = at - word.at;
    words.push_back(word);
  }
  return words;
}

static Lines splitLines(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

static std::string joinLines(const Lines &lines) {
  std::string text;
  for (const std::string &line : lines)
    text += line + "\n";
  return text;
}

static const char *const numbers[] = {
    "0",  "1",   "2",     "3",           "4",
    "7",  "-1",  "-2",    "65",          "64",
    "16", "256", "65536", "2147483648",  "4294967296",
    "?",  "*",   "1.0",   "0x7FF00000",  "9223372036854775807",
    "8",  "5",   "1e-30", "-1.0",        "-9223372036854775808",
    "31", "0.0", "1e400", "0xFFFFFFFF",  "18446744073709551616"};

static const char *const names[] = {
    "f32", "f64", "f16", "bf16", "i1", "i8", "i32", "i64", "index", "f8E4M3FN",
    "tensor", "memref", "vector", "none", "dense", "true", "false",
    "sluice.topk", "sluice.experts", "sluice.linear", "sluice.softmax",
    "sluice.normalize", "sluice.scale", "sluice.scale_by", "sluice.entries",
    "sluice.dense", "sluice.from_dense", "sluice.from_entries", "sluice.join",
    "sluice.columns", "sluice.filter", "sluice.limit", "sluice.capacity",
    "sluice.always", "sluice.keep_groups", "sluice.choose_tokens",
    "sluice.broadcast", "sluice.split", "sluice.clamp", "sluice.rms_norm",
    "sluice.get_weight", "sluice.weight", "sluice.yield", "sluice.silu",
    "sluice.relu", "sluice.sigmoid", "sluice.softplus", "sluice.gelu",
    "arith.addf", "arith.mulf", "arith.constant", "arith.divf", "arith.addi",
    "arith.divsi", "arith.remsi", "arith.shli", "arith.fptosi", "arith.sitofp",
    "arith.extf", "arith.truncf", "arith.cmpf", "arith.select", "math.exp",
    "math.sqrt", "math.powf", "math.tanh", "tensor.empty", "tensor.dim",
    "tensor.extract", "tensor.extract_slice", "tensor.insert_slice",
    "tensor.collapse_shape", "tensor.expand_shape", "tensor.concat",
    "tensor.pad", "tensor.gather", "tensor.cast", "tensor.generate",
    "tensor.reshape", "linalg.fill", "linalg.matmul", "linalg.generic",
    "linalg.transpose", "linalg.reduce", "linalg.softmax", "linalg.broadcast",
    "scf.if", "scf.yield", "func.call", "func.func", "func.return", "private",
    "sum", "replace", "concat", "none", "output", "input", "per", "token",
    "expert", "by", "layout", "in_out", "max", "top2_sum", "neg_inf", "zero",
    "floor", "nearest", "ceil", "factor", "fraction", "choice", "priority",
    "else", "else", "interleaved", "weights", "where", "values", "from", "to"};

template <size_t N>
static const char *pick(const char *const (&list)[N], Random &random) {
  return list[pickIndex(N, random)];
}

/// Another word of the same kind for one of the text.
static void changeWord(std::string &text, Random &random) {
  std::vector<Word> words = splitWords(text);
  if (words.empty())
    return;
  const Word &word = words[pickIndex(words.size(), random)];
  // Mostly one that the text has: it means something there.
  std::vector<Word> others;
  for (const Word &other : words)
    if (other.kind == word.kind)
      others.push_back(other);
  std::string by;
  if (word.kind == Word::Kind::Number && random.chance(0.7)) {
    by = pick(numbers, random);
  } else if (word.kind == Word::Kind::Name && random.chance(0.4)) {
    by = pick(names, random);
  } else {
    const Word &other = others[pickIndex(others.size(), random)];
    by = text.substr(other.at, other.size);
  }
  text.replace(word.at, word.size, by);
}

/// The same word everywhere: types of operands stay consistent.
static void changeWordEverywhere(std::string &text, Random &random) {
  std::vector<Word> words = splitWords(text);
  if (words.empty())
    return;
  const Word &word = words[pickIndex(words.size(), random)];
  if (word.kind != Word::Kind::Number && word.kind != Word::Kind::Name)
    return;
  std::string old = text.substr(word.at, word.size);
  std::string by = word.kind == Word::Kind::Number ? pick(numbers, random)
                                                   : pick(names, random);
  for (size_t i = words.size(); i-- > 0;)
    if (words[i].size == old.size() &&
        text.compare(words[i].at, old.size(), old) == 0)
      text.replace(words[i].at, old.size(), by);
}

static void dropOrDoubleWord(std::string &text, Random &random) {
  std::vector<Word> words = splitWords(text);
  if (words.empty())
    return;
  const Word &word = words[pickIndex(words.size(), random)];
  if (random.chance(0.5))
    text.erase(word.at, word.size);
  else
    text.insert(word.at, text.substr(word.at, word.size) + " ");
}

static void changeLines(std::string &text, Random &random) {
  Lines lines = splitLines(text);
  if (lines.empty())
    return;
  size_t a = pickIndex(lines.size(), random);
  size_t b = pickIndex(lines.size(), random);
  switch (random.between(0, 3)) {
  case 0:
    lines.erase(lines.begin() + ptrdiff_t(a));
    break;
  case 1: {
    std::string copy = lines[a];
    lines.insert(lines.begin() + ptrdiff_t(b), copy);
    break;
  }
  case 2:
    std::swap(lines[a], lines[b]);
    break;
  default:
    lines[a] = lines[b];
    break;
  }
  text = joinLines(lines);
}

/// A copy of an op with another result, used in place of one of its operands.
static void doubleOp(std::string &text, Random &random) {
  Lines lines = splitLines(text);
  if (lines.empty())
    return;
  size_t at = pickIndex(lines.size(), random);
  size_t equals = lines[at].find(" = ");
  size_t name = lines[at].find('%');
  if (equals == std::string::npos || name > equals)
    return;
  std::string copy = lines[at];
  copy.insert(equals, "_again");
  lines.insert(lines.begin() + ptrdiff_t(at) + 1, copy);
  std::string value = lines[at].substr(name, equals - name);
  // Its last use.
  for (size_t i = lines.size(); i-- > at + 2;) {
    size_t use = lines[i].rfind(value);
    if (use == std::string::npos)
      continue;
    lines[i].insert(use + value.size(), "_again");
    break;
  }
  text = joinLines(lines);
}

void sluice::fuzz::mutateText(std::string &text, Random &random) {
  for (int64_t i = random.between(1, 3); i > 0; --i)
    switch (random.between(0, 9)) {
    case 0:
    case 1:
    case 2:
    case 3:
      changeWord(text, random);
      break;
    case 4:
    case 5:
    case 6:
      changeWordEverywhere(text, random);
      break;
    case 7:
      changeLines(text, random);
      break;
    case 8:
      doubleOp(text, random);
      break;
    default:
      dropOrDoubleWord(text, random);
      break;
    }
}

std::string sluice::fuzz::spliceText(std::string_view first,
                                     std::string_view second, Random &random) {
  Lines a = splitLines(first), b = splitLines(second);
  if (a.empty() || b.empty())
    return std::string(first);
  size_t from = pickIndex(b.size(), random);
  size_t count = size_t(random.between(1, 4));
  size_t to = std::min(from + count, b.size());
  // Whole files are a way, too: several functions in a module.
  if (random.chance(0.2)) {
    from = 0;
    to = b.size();
  }
  a.insert(a.begin() + ptrdiff_t(pickIndex(a.size() + 1, random)),
           b.begin() + ptrdiff_t(from), b.begin() + ptrdiff_t(to));
  return joinLines(a);
}
