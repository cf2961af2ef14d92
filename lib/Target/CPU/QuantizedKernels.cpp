//===- QuantizedKernels.cpp - Register tiles of small numbers ---*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantizedKernels.h"

#include "Intrinsics.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;
using namespace sluice;

/// Columns of a panel, and inputs of a column that lie side by side.
static constexpr int64_t width = 16, side = 4;
/// Most inputs of a segment: sums of integers stay exact in f32.
static constexpr int64_t maxSegment = 256;
/// Multiply-adds that are written one after the other for a segment; where
/// there would be more, a loop has those of one or two lines.
static constexpr int64_t maxUnrolled = 64;

//===----------------------------------------------------------------------===//
// QuantizedTile
//===----------------------------------------------------------------------===//

QuantizedTile::QuantizedTile(const CPUMachine &machine,
                             const QuantizedProduct &product, Type input,
                             Type scales, int64_t depth)
    : product(product), input(input), scales(scales),
      hasSignedBytes(isInteger() && machine.dots == DotKind::SignedQuads) {
  int64_t line = product.getLineInputs();
  int64_t common = std::gcd(product.block, depth);
  if (isInteger())
    common = std::gcd(common, product.inputBlock);
  segment = std::min(common, maxSegment / line * line);
  while (common % segment != 0)
    segment -= line;
  allSegments = depth / segment;
  segments =
      std::max<int64_t>(QuantizedSchedule::getDepth(isInteger()) / segment, 1);
}

Type QuantizedTile::getCopyType(const CPUMachine &machine) const {
  Builder b(input.getContext());
  if (!isInteger())
    return b.getF32Type();
  return machine.dots == DotKind::Pairs ? b.getI16Type() : b.getI8Type();
}

int64_t QuantizedTile::getRowStride() const {
  // A cache line more, so that rows lie in different sets.
  return segments * segment + (isInteger() ? 64 : 16);
}

int64_t QuantizedTile::getOffset() const {
  if (isa<FloatType>(product.numbers))
    return 12;
  bool isSigned = product.numbers.isSignlessInteger();
  if (product.isPacked())
    return isSigned ? 8 : 0;
  return (isSigned ? 128 : 0) - (hasSignedBytes ? 128 : 0);
}

std::string QuantizedTile::getName() const {
  std::string name;
  llvm::raw_string_ostream os(name);
  os << input << "_" << product.numbers << "_"
     << (product.hasPowers ? std::string("e8m0") : std::string());
  if (!product.hasPowers)
    os << scales;
  os << (product.hasZeros ? "_zeros" : "") << "_" << segment << "of"
     << product.block;
  if (isInteger())
    os << "and" << product.inputBlock;
  return name;
}

//===----------------------------------------------------------------------===//
// KernelBody
//===----------------------------------------------------------------------===//

namespace {
/// Fills the body of one kernel.
class KernelBody {
public:
  KernelBody(func::FuncOp function, const CPUMachine &machine,
             const QuantizedTile &tile, int64_t rows)
      : builder(function.getBody()), b(builder, function.getLoc()),
        machine(machine), tile(tile), product(tile.product), rows(rows),
        streamRows(QuantizedSchedule(machine, tile.getShape()).getStreamRows()),
        lanes(machine.lanes), vectors(width / machine.lanes),
        sum(VectorType::get({lanes}, b.getF32Type())),
        integers(VectorType::get({lanes}, b.getI32Type())),
        pairs(VectorType::get({2 * lanes}, b.getI16Type())),
        bytes(VectorType::get({4 * lanes}, b.getI8Type())) {
    const Value *next = function.getArguments().begin();
    // The order of QuantizedKernels::call.
    args.a = *next++, args.aOffset = *next++;
    if (tile.isInteger())
      args.sums = *next++, args.inputScales = *next++,
      args.segmentOffset = *next++;
    args.weight = *next++, args.weightOffset = *next++;
    args.scales = *next++, args.scalesOffset = *next++;
    if (product.hasZeros)
      args.zeros = *next++, args.zerosOffset = *next++;
    args.c = *next++, args.cOffset = *next++, args.cRowStride = *next++;
    args.firstSegment = *next++, args.segments = *next++;
    args.first = *next++, args.prefetchDistance = *next++;
  }

  void build() {
    // As many of a block's bytes of numbers as there is one scale for.
    int64_t bytesOfScale = product.block / product.getLineInputs() * side;
    scalesDistance = arith::DivUIOp::create(b, b.loc, args.prefetchDistance,
                                            b.index(bytesOfScale));
    auto loop = scf::ForOp::create(b, b.loc, b.index(0), args.segments,
                                   b.index(1), loadSums(),
                                   [&](OpBuilder &builder, Location loc,
                                       Value segment, ValueRange carried) {
                                     LoopBuilder inner(builder, loc);
                                     SmallVector<Value> sums(carried);
                                     addSegment(inner, segment, sums);
                                     scf::YieldOp::create(inner, loc, sums);
                                   });
    storeSums(loop.getResults());
    func::ReturnOp::create(b, b.loc);
  }

private:
  Value number(LoopBuilder &b, VectorType type, int64_t value) {
    return arith::ConstantOp::create(
        b, b.loc,
        DenseElementsAttr::get(type,
                               b.getIntegerAttr(type.getElementType(), value)));
  }
  Value number(LoopBuilder &b, double value) {
    return arith::ConstantOp::create(
        b, b.loc, DenseElementsAttr::get(sum, b.getF32FloatAttr(value)));
  }
  Value cast(LoopBuilder &b, VectorType type, Value value) {
    return vector::BitCastOp::create(b, b.loc, type, value);
  }
  Value spread(LoopBuilder &b, VectorType type, Value element) {
    return vector::BroadcastOp::create(b, b.loc, type, element);
  }
  Value loadScalar(LoopBuilder &b, Value buffer, Value place) {
    return memref::LoadOp::create(b, b.loc, buffer, place);
  }

  template <typename Fn> void forSums(Fn fn) {
    for (int64_t v = 0; v < vectors; ++v)
      for (int64_t i = 0; i < rows; ++i)
        fn(i, v);
  }
  Value getSumPlace(LoopBuilder &b, int64_t row, int64_t vector) {
    Value place = b.add(args.cOffset, b.mul(args.cRowStride, b.index(row)));
    return b.add(place, b.index(vector * lanes));
  }
  SmallVector<Value> loadSums();
  void storeSums(ValueRange sums);

  /// To the second cache: the first has little room, and a request that waits
  /// there for memory keeps others out. Streams do not.
  void prefetch(LoopBuilder &b, Value buffer, Value place) {
    if (rows <= streamRows)
      return;
    memref::PrefetchOp::create(b, b.loc, buffer, place, /*isWrite=*/false,
                               /*localityHint=*/2, /*isDataCache=*/true);
  }
  void addSegment(LoopBuilder &b, Value segment, SmallVectorImpl<Value> &sums);
  /// Adds a line's products of `group` vectors of columns, from `vector` on, to
  /// sums of their own, rows of a vector side by side: of integers, or of
  /// floats that their scale is still to be multiplied with.
  void addLine(LoopBuilder &b, Value line, Value inputs, int64_t vector,
               ArrayRef<Value> zeros, SmallVectorImpl<Value> &own);
  void addQuads(LoopBuilder &b, ArrayRef<SmallVector<Value>> numbers,
                Value inputs, SmallVectorImpl<Value> &own);
  /// How many vectors of columns share the loads of rows' elements.
  int64_t getGroup() const {
    // x86's dot products load an element themselves.
    bool loadsApart = machine.dots == DotKind::SignedQuads;
    return tile.isInteger() && loadsApart ? vectors : 1;
  }
  /// How many of a segment's lines are code of their own.
  int64_t getLinesTogether(int64_t lines) const {
    int64_t two = lines % 2 == 0 ? 2 : 1;
    // For AArch64 LLVM does all loads of straight code first, for which there
    // are not enough registers.
    if (machine.unit != VectorUnit::X86)
      return rows * getGroup() <= 8 ? two : 1;
    int64_t perLine = rows * vectors;
    perLine *= tile.isInteger() ? 1 : product.getLineInputs();
    bool isShort = isShortOfPairs() || (rows == 1 && isShortOfRegisters());
    if (lines * perLine <= maxUnrolled && !isShort)
      return lines;
    return tile.isInteger() || isShort ? two : 1;
  }
  /// Even and odd numbers of both halves of a line, and rows' pairs, which LLVM
  /// shares among lines that are written one after the other, would spill.
  bool isShortOfPairs() const {
    return tile.isInteger() && product.isPacked() && rows > 1 &&
           machine.dots == DotKind::Pairs && machine.registers < 32;
  }
  /// A single row's lines of floats, written one after the other, would spill.
  bool isShortOfRegisters() const {
    return !tile.isInteger() && machine.registers < 32;
  }
  /// The scales or zero points of a vector of columns, in f32.
  Value loadScale(LoopBuilder &b, Value block, int64_t vector);
  Value loadZero(LoopBuilder &b, Value block, int64_t vector);
  /// The numbers in a line, as unsigned bytes that are larger by the offset:
  /// one or two vectors of four inputs for each column.
  SmallVector<Value> loadNumbers(LoopBuilder &b, Value place);
  Value lookUp(LoopBuilder &b, Value halves);
  /// Number j of four, in integers of 32 bits.
  Value getNumber(LoopBuilder &b, Value numbers, int64_t j);

  OpBuilder builder;
  LoopBuilder b;
  const CPUMachine &machine;
  const QuantizedTile &tile;
  const QuantizedProduct &product;
  int64_t rows, streamRows, lanes, vectors;
  VectorType sum, integers, pairs, bytes;
  QuantizedKernels::Arguments args;
  /// How far ahead to prefetch scales, in elements.
  Value scalesDistance;
};
} // namespace

SmallVector<Value> KernelBody::loadSums() {
  SmallVector<Type> types(rows * vectors, sum);
  auto start = scf::IfOp::create(b, b.loc, types, args.first,
                                 /*addThenBlock=*/true, /*addElseBlock=*/true);
  OpBuilder then = start.getThenBodyBuilder();
  LoopBuilder zeros(then, b.loc);
  scf::YieldOp::create(zeros, b.loc,
                       SmallVector<Value>(types.size(), number(zeros, 0.0)));
  OpBuilder otherwise = start.getElseBodyBuilder();
  LoopBuilder loads(otherwise, b.loc);
  SmallVector<Value> loaded;
  forSums([&](int64_t i, int64_t v) {
    loaded.push_back(vector::LoadOp::create(loads, b.loc, sum, args.c,
                                            getSumPlace(loads, i, v)));
  });
  scf::YieldOp::create(loads, b.loc, loaded);
  return start.getResults();
}

void KernelBody::storeSums(ValueRange sums) {
  unsigned next = 0;
  forSums([&](int64_t i, int64_t v) {
    vector::StoreOp::create(b, b.loc, sums[next++], args.c,
                            getSumPlace(b, i, v));
  });
}

Value KernelBody::loadScale(LoopBuilder &b, Value block, int64_t vector) {
  Value place = b.add(args.scalesOffset, b.mul(block, b.index(width)));
  place = b.add(place, b.index(vector * lanes));
  if (vector == 0)
    prefetch(b, args.scales, b.add(place, scalesDistance));
  Value scale = vector::LoadOp::create(
      b, b.loc, VectorType::get({lanes}, tile.scales), args.scales, place);
  if (product.hasPowers) {
    // The byte is the exponent of an f32, except for the ends.
    Value byte = arith::ExtUIOp::create(b, b.loc, integers, scale);
    Value bits = arith::ShLIOp::create(b, b.loc, byte, number(b, integers, 23));
    bits =
        arith::MaxSIOp::create(b, b.loc, bits, number(b, integers, 0x00400000));
    Value isNaN =
        b.compare(arith::CmpIPredicate::eq, byte, number(b, integers, 255));
    bits = b.select(isNaN, number(b, integers, 0x7fc00000), bits);
    scale = cast(b, sum, bits);
  } else if (!tile.scales.isF32()) {
    scale = arith::ExtFOp::create(b, b.loc, sum, scale);
  }
  // Bits of small floats are twice the number.
  if (isa<FloatType>(product.numbers))
    scale = arith::MulFOp::create(b, b.loc, scale, number(b, 0.5));
  return scale;
}

Value KernelBody::loadZero(LoopBuilder &b, Value block, int64_t vector) {
  Value row = block;
  if (product.isPacked())
    row = arith::DivUIOp::create(b, b.loc, block, b.index(2));
  Value place = b.add(args.zerosOffset, b.mul(row, b.index(width)));
  place = b.add(place, b.index(vector * lanes));
  Value stored = vector::LoadOp::create(
      b, b.loc, VectorType::get({lanes}, b.getI8Type()), args.zeros, place);
  Value bits = arith::ExtUIOp::create(b, b.loc, integers, stored);
  if (product.isPacked()) {
    Value odd = arith::RemUIOp::create(b, b.loc, block, b.index(2));
    Value amount = arith::IndexCastOp::create(b, b.loc, b.getI32Type(),
                                              b.mul(odd, b.index(4)));
    bits = arith::ShRUIOp::create(b, b.loc, bits, spread(b, integers, amount));
    bits = arith::AndIOp::create(b, b.loc, bits, number(b, integers, 15));
  }
  if (!product.numbers.isUnsignedInteger()) {
    // Moves the negative half below 0.
    Value half = number(b, integers, product.isPacked() ? 8 : 128);
    bits = b.sub(arith::XOrIOp::create(b, b.loc, bits, half), half);
  }
  return arith::SIToFPOp::create(b, b.loc, sum, bits);
}

/// Twice the small floats that bytes below 16 stand for, and 12 more.
Value KernelBody::lookUp(LoopBuilder &b, Value halves) {
  static constexpr int8_t values[] = {12, 13, 14, 15, 16, 18, 20, 24,
                                      12, 11, 10, 9,  8,  6,  4,  0};
  if (machine.hasByteTables) {
    SmallVector<int8_t> table;
    for (int64_t i = 0; i < 4 * lanes; ++i)
      table.push_back(values[i % 16]);
    Value entries = arith::ConstantOp::create(
        b, b.loc, DenseElementsAttr::get(bytes, ArrayRef<int8_t>(table)));
    return lookUpBytes(b, machine, entries, halves);
  }
  Value magnitude =
      arith::AndIOp::create(b, b.loc, halves, number(b, bytes, 7));
  Value value = magnitude;
  auto addBeyond = [&](int64_t least, int64_t amount) {
    Value is = b.compare(arith::CmpIPredicate::uge, magnitude,
                         number(b, bytes, least));
    Value more = b.add(value, number(b, bytes, amount));
    value = b.select(is, more, value);
  };
  addBeyond(5, 1);
  addBeyond(6, 1);
  addBeyond(7, 3);
  Value middle = number(b, bytes, tile.getOffset());
  Value isPositive =
      b.compare(arith::CmpIPredicate::ult, halves, number(b, bytes, 8));
  return b.select(isPositive, b.add(middle, value), b.sub(middle, value));
}

SmallVector<Value> KernelBody::loadNumbers(LoopBuilder &b, Value place) {
  Value line = vector::LoadOp::create(b, b.loc, bytes, args.weight, place);
  bool isSigned = product.numbers.isSignlessInteger();
  if (!product.isPacked()) {
    if (isSigned != tile.hasSignedBytes)
      line = arith::XOrIOp::create(b, b.loc, line, number(b, bytes, -128));
    return {line};
  }
  if (isSigned)
    line = arith::XOrIOp::create(b, b.loc, line, number(b, bytes, -120));
  Value mask = number(b, pairs, 0x0f0f);
  Value halves = cast(b, pairs, line);
  Value low = arith::AndIOp::create(b, b.loc, halves, mask);
  Value high = arith::AndIOp::create(
      b, b.loc, arith::ShRUIOp::create(b, b.loc, halves, number(b, pairs, 4)),
      mask);
  SmallVector<Value> numbers = {cast(b, bytes, low), cast(b, bytes, high)};
  if (isa<FloatType>(product.numbers))
    for (Value &n : numbers)
      n = lookUp(b, n);
  return numbers;
}

Value KernelBody::getNumber(LoopBuilder &b, Value numbers, int64_t j) {
  Value quads = cast(b, integers, numbers);
  if (j > 0)
    quads = arith::ShRUIOp::create(b, b.loc, quads, number(b, integers, 8 * j));
  if (j + 1 < side)
    quads = arith::AndIOp::create(b, b.loc, quads, number(b, integers, 255));
  return quads;
}

void KernelBody::addQuads(LoopBuilder &b, ArrayRef<SmallVector<Value>> numbers,
                          Value inputs, SmallVectorImpl<Value> &own) {
  auto four = VectorType::get({4}, b.getI8Type());
  auto one = VectorType::get({1}, b.getI32Type());
  for (int64_t half = 0, e = numbers.front().size(); half < e; ++half)
    for (int64_t i = 0; i < rows; ++i) {
      Value place =
          b.add(inputs, b.index(i * tile.getRowStride() + half * side));
      Value x =
          cast(b, one, vector::LoadOp::create(b, b.loc, four, args.a, place));
      x = vector::ExtractOp::create(b, b.loc, x, 0);
      x = cast(b, bytes, spread(b, integers, x));
      for (auto [v, columns] : llvm::enumerate(numbers)) {
        Value &sum = own[v * rows + i];
        sum = multiplyQuads(b, machine, sum, columns[half], x);
      }
    }
}

void KernelBody::addLine(LoopBuilder &b, Value line, Value inputs,
                         int64_t vector, ArrayRef<Value> zeros,
                         SmallVectorImpl<Value> &own) {
  if (vector == 0)
    prefetch(b, args.weight, b.add(line, args.prefetchDistance));
  SmallVector<SmallVector<Value>> numbersOf;
  for (int64_t v = vector; v < vector + getGroup(); ++v)
    numbersOf.push_back(loadNumbers(b, b.add(line, b.index(v * 4 * lanes))));
  if (tile.isInteger() &&
      (machine.dots == DotKind::Quads || machine.dots == DotKind::SignedQuads))
    return addQuads(b, numbersOf, inputs, own);
  ArrayRef<Value> all = numbersOf.front();
  Value zero = zeros.front();
  for (int64_t half = 0, e = all.size(); half < e; ++half) {
    Value numbers = all[half];
    // Where four inputs of row i are, from number `from` on.
    auto getInput = [&](int64_t i, int64_t from) {
      return b.add(inputs,
                   b.index(i * tile.getRowStride() + half * side + from));
    };
    if (!tile.isInteger()) {
      for (int64_t j = 0; j < side; ++j) {
        Value w =
            arith::SIToFPOp::create(b, b.loc, sum, getNumber(b, numbers, j));
        if (tile.getOffset())
          w = arith::SubFOp::create(b, b.loc, w, number(b, tile.getOffset()));
        if (zero)
          w = arith::SubFOp::create(b, b.loc, w, zero);
        for (int64_t i = 0; i < rows; ++i)
          own[i] = multiplyAdd(
              b, machine, spread(b, sum, loadScalar(b, args.a, getInput(i, j))),
              w, own[i]);
      }
      continue;
    }
    switch (machine.dots) {
    case DotKind::Widened:
      for (int64_t j = 0; j < side; ++j) {
        Value w = getNumber(b, numbers, j);
        for (int64_t i = 0; i < rows; ++i) {
          Value x = arith::ExtSIOp::create(
              b, b.loc, b.getI32Type(), loadScalar(b, args.a, getInput(i, j)));
          own[i] = b.add(own[i], b.mul(spread(b, integers, x), w));
        }
      }
      break;
    case DotKind::Pairs: {
      // Inputs were copied as 0, 2, 1, 3.
      Value words = cast(b, pairs, numbers);
      Value even =
          arith::AndIOp::create(b, b.loc, words, number(b, pairs, 255));
      Value odd = arith::ShRUIOp::create(b, b.loc, words, number(b, pairs, 8));
      auto two = VectorType::get({2}, b.getI16Type());
      auto one = VectorType::get({1}, b.getI32Type());
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < 2; ++j) {
          Value x = cast(b, one,
                         vector::LoadOp::create(b, b.loc, two, args.a,
                                                getInput(i, 2 * j)));
          x = vector::ExtractOp::create(b, b.loc, x, 0);
          x = cast(b, pairs, spread(b, integers, x));
          own[i] = b.add(own[i], multiplyPairs(b, machine, j ? odd : even, x));
        }
      break;
    }
    case DotKind::Quads:
    case DotKind::SignedQuads:
      llvm_unreachable("done above");
    }
  }
}

void KernelBody::addSegment(LoopBuilder &b, Value segment,
                            SmallVectorImpl<Value> &sums) {
  int64_t line = product.getLineInputs(), lines = tile.segment / line;
  Value number = b.add(args.firstSegment, segment);
  Value block = arith::DivUIOp::create(b, b.loc, number,
                                       b.index(product.block / tile.segment));
  Value inputs = b.add(args.aOffset, b.mul(segment, b.index(tile.segment)));
  auto getRowValue = [&](Value buffer, int64_t i) {
    return loadScalar(
        b, buffer,
        b.add(b.add(args.segmentOffset, segment), b.index(i * tile.segments)));
  };
  unsigned next = 0;
  for (int64_t first = 0; first < vectors; first += getGroup()) {
    // A single row's elements fit if registers are wide.
    if (rows > 1 || vectors > 1)
      keepOrder(b);
    SmallVector<Value> zeros(getGroup()), own;
    if (product.hasZeros)
      for (auto [v, zero] : llvm::enumerate(zeros))
        zero = loadZero(b, block, first + v);
    Value start =
        b.add(args.weightOffset, b.mul(segment, b.index(lines * width * side)));
    for (int64_t v = 0; v < getGroup(); ++v)
      for (int64_t i = 0; i < rows; ++i) {
        if (!tile.isInteger())
          own.push_back(this->number(b, 0.0));
        else if (product.hasZeros || tile.getOffset() == 0)
          own.push_back(this->number(b, integers, 0));
        else // What the offset adds is taken away beforehand.
          own.push_back(spread(b, integers, getRowValue(args.sums, i)));
      }
    // With zero points that is part of what they are multiplied with.
    SmallVector<Value> kernelZeros =
        tile.isInteger() ? SmallVector<Value>(zeros.size()) : zeros;
    auto addLines = [&](LoopBuilder &b, Value from, int64_t count,
                        SmallVectorImpl<Value> &own) {
      for (int64_t l = 0; l < count; ++l) {
        Value at = b.add(from, b.index(l));
        addLine(b, b.add(start, b.mul(at, b.index(width * side))),
                b.add(inputs, b.mul(at, b.index(line))), first, kernelZeros,
                own);
      }
    };
    int64_t together = getLinesTogether(lines);
    if (together == lines) {
      addLines(b, b.index(0), lines, own);
    } else {
      auto loop = scf::ForOp::create(
          b, b.loc, b.index(0), b.index(lines), b.index(together), own,
          [&](OpBuilder &builder, Location loc, Value l, ValueRange carried) {
            LoopBuilder inner(builder, loc);
            SmallVector<Value> values(carried);
            addLines(inner, l, together, values);
            scf::YieldOp::create(inner, loc, values);
          });
      if (machine.unit != VectorUnit::X86 || isShortOfRegisters() ||
          isShortOfPairs())
        keepRolled(loop);
      own.assign(loop.getResults().begin(), loop.getResults().end());
    }
    const Value *ownSum = own.begin();
    for (auto [v, zero] : llvm::enumerate(zeros)) {
      Value scale = loadScale(b, block, first + v);
      if (zero && tile.getOffset())
        zero = arith::AddFOp::create(b, b.loc, zero,
                                     this->number(b, tile.getOffset()));
      if (zero)
        zero = arith::NegFOp::create(b, b.loc, zero);
      for (int64_t i = 0; i < rows; ++i, ++next, ++ownSum) {
        if (!tile.isInteger()) {
          sums[next] = multiplyAdd(b, machine, *ownSum, scale, sums[next]);
          continue;
        }
        Value dot = arith::SIToFPOp::create(b, b.loc, sum, *ownSum);
        if (zero)
          dot = multiplyAdd(
              b, machine, spread(b, sum, getRowValue(args.sums, i)), zero, dot);
        Value both = arith::MulFOp::create(
            b, b.loc, scale, spread(b, sum, getRowValue(args.inputScales, i)));
        sums[next] = multiplyAdd(b, machine, dot, both, sums[next]);
      }
    }
  }
}

//===----------------------------------------------------------------------===//
// QuantizedKernels
//===----------------------------------------------------------------------===//

func::FuncOp QuantizedKernels::get(const QuantizedTile &tile, int64_t rows) {
  std::string name = "__sluice_quantized_" + tile.getName() + "_" +
                     std::to_string(rows) + "x1";
  func::FuncOp &kernel = kernels[name];
  if (kernel)
    return kernel;

  Builder builder(module.getContext());
  Type index = builder.getIndexType(), f32 = builder.getF32Type();
  SmallVector<Type> types = {getFlatType(tile.getCopyType(machine)), index};
  if (tile.isInteger())
    types.append(
        {getFlatType(tile.product.hasZeros ? f32 : builder.getI32Type()),
         getFlatType(f32), index});
  types.append({getFlatType(builder.getI8Type()), index});
  types.append({getFlatType(tile.scales), index});
  if (tile.product.hasZeros)
    types.append({getFlatType(builder.getI8Type()), index});
  types.append({getFlatType(f32), index, index, index, index,
                builder.getI1Type(), index});
  kernel = createKernel(module, name, types);
  KernelBody(kernel, machine, tile, rows).build();
  return kernel;
}

void QuantizedKernels::call(LoopBuilder &b, const QuantizedTile &tile,
                            int64_t rows, const Arguments &args) {
  SmallVector<Value> operands = {args.a, args.aOffset};
  if (tile.isInteger())
    operands.append({args.sums, args.inputScales, args.segmentOffset});
  operands.append({args.weight, args.weightOffset});
  operands.append({args.scales, args.scalesOffset});
  if (tile.product.hasZeros)
    operands.append({args.zeros, args.zerosOffset});
  operands.append({args.c, args.cOffset, args.cRowStride, args.firstSegment,
                   args.segments, args.first, args.prefetchDistance});
  func::CallOp::create(b, b.loc, get(tile, rows), operands);
}
