//===- Quantised.cpp - Generated numbers of 8 and 4 bits --------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Case.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace sluice;

namespace {
/// A type of stored numbers.
struct NumberType {
  const char *name;
  int64_t perByte;
  bool isInteger;
  /// The largest seven bits of a number: no NaN, nothing that is far from all
  /// others.
  int64_t limit;
  /// Roughly the root of the numbers' mean square.
  double spread;
};
} // namespace

static constexpr NumberType numberTypes[] = {
    {"i8", 1, true, 127, 74},       {"ui8", 1, true, 127, 147},
    {"i4", 2, true, 127, 4.6},      {"ui4", 2, true, 127, 8.8},
    {"f4E2M1FN", 2, false, 127, 3}, {"f8E4M3FN", 1, false, 126, 130},
    {"f8E5M2", 1, false, 0x4f, 8},
};

static std::string listText(llvm::ArrayRef<int64_t> numbers) {
  std::string text = "[";
  for (int64_t number : numbers)
    text += (text.size() == 1 ? "" : ", ") + std::to_string(number);
  return text + "]";
}

Value CaseBuilder::quantisedWeight(llvm::ArrayRef<int64_t> shape, Dtype type) {
  const NumberType &number = numberTypes[random.below(std::size(numberTypes))];
  int64_t blocks[] = {
      random.pick<int64_t>({1, 1, 1, 2, 3}),
      random.pick<int64_t>({shape[1], 1, 2, 3, 4, 8, 16, 32, 128})};
  int64_t rows = llvm::divideCeil(shape[0], blocks[0]);
  int64_t columns = llvm::divideCeil(shape[1], blocks[1]);
  auto bytes = [&](int64_t rowCount, int64_t size) {
    Fill fill;
    fill.kind = Fill::Kind::Bytes;
    fill.limit = number.limit;
    return parameter(
        {rowCount, int64_t(llvm::divideCeil(size, number.perByte))}, Dtype::I8,
        fill);
  };
  Value q = bytes(shape[0], shape[1]);
  bool hasExponents = random.chance(0.3);
  Fill fill;
  fill.scale = 1 / (number.spread * std::sqrt(double(shape[1])));
  if (hasExponents) {
    fill.kind = Fill::Kind::Exponents;
    fill.limit = 128 + std::ilogb(fill.scale);
  }
  Dtype scaleType = hasExponents ? Dtype::I8
                    : type == Dtype::F16
                        ? Dtype::F16
                        : random.pick({Dtype::F32, Dtype::BF16});
  Value s = parameter({rows, columns}, scaleType, fill);
  std::string text = "sluice.dequantize " + q.ref() + " as " + number.name +
                     " in blocks " + listText(blocks) + " by " + s.ref() +
                     (hasExponents ? " as f8E8M0FNU" : "");
  std::string types = q.typeText() + ", " + s.typeText();
  if (number.isInteger && random.chance(0.5)) {
    Value z = bytes(rows, columns);
    text += " minus " + z.ref();
    types += ", " + z.typeText();
  }
  c.summary += std::string(" ") + number.name;
  return program.makeExact(shape, type, text + " : (" + types + ") -> ");
}

Value CaseBuilder::rounded(const Value &t) {
  int64_t size = t.shape[1];
  int64_t blocks[] = {1,
                      random.pick<int64_t>({size, 1, 2, 3, 4, 8, 16, 32, 128})};
  int64_t columns = llvm::divideCeil(size, blocks[1]);
  bool isSymmetric = random.chance(0.6);
  std::string as = isSymmetric ? "i8" : "ui8";
  Value q = program.make({-1, size}, Dtype::I8);
  Value s = program.make({-1, columns}, Dtype::F32);
  Value z = program.make({-1, columns}, Dtype::I8);
  std::string results = q.ref() + ", " + s.ref();
  std::string types = q.typeText() + ", " + s.typeText();
  if (!isSymmetric) {
    results += ", " + z.ref();
    types += ", " + z.typeText();
  }
  std::string blockText = " in blocks " + listText(blocks);
  program.setKeepsValues(true);
  program.line(results + " = sluice.quantize " + t.ref() + " to " + as +
               blockText + " : " + t.typeText() + " -> " + types);
  program.setKeepsValues(false);
  c.summary += " rounded-" + as;
  return program.makeExact(t.shape, t.type,
                           "sluice.dequantize " + q.ref() + " as " + as +
                               blockText + " by " + s.ref() +
                               (isSymmetric ? "" : " minus " + z.ref()) +
                               " : (" + types + ") -> ");
}
