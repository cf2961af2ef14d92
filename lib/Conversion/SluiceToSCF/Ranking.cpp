//===- Ranking.cpp - The largest of many scores -----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Ranking.h"
#include "Buffers.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace sluice;

/// So many keys are walked over in each round; more are cut into blocks.
static constexpr int64_t maxFlatKeys = 512;
/// Rounds for which blocks are worth being made.
static constexpr int64_t minRoundsOfBlocks = 3;
/// Bits of a key that one pass of the sort looks at.
static constexpr int64_t digitBits = 8;

static Value makeInteger(LoopBuilder &b, IntegerType type, APInt value) {
  return arith::ConstantOp::create(b, b.loc, b.getIntegerAttr(type, value));
}

IntegerType sluice::getKeyType(Type score) {
  return IntegerType::get(score.getContext(),
                          getArithmeticType(score).getIntOrFloatBitWidth());
}

Value sluice::makeSmallestKey(LoopBuilder &b, IntegerType type) {
  return makeInteger(b, type, APInt::getSignedMinValue(type.getWidth()));
}

Value sluice::makeLargestKey(LoopBuilder &b, IntegerType type) {
  return makeInteger(b, type, APInt::getSignedMaxValue(type.getWidth()));
}

//===----------------------------------------------------------------------===//
// KeyQueue
//===----------------------------------------------------------------------===//

KeyQueue::KeyQueue(LoopBuilder &b, IntegerType keyType, int64_t count,
                   int64_t rounds)
    // As many bits as the widest registers have; LLVM cuts them for others.
    : keyType(keyType), count(count), lanes(512 / keyType.getWidth()) {
  bool isFlat = count <= maxFlatKeys || rounds < minRoundsOfBlocks;
  blockSize = isFlat ? llvm::alignTo(count, lanes)
                     : int64_t(1) << llvm::divideCeil(llvm::Log2_64_Ceil(count),
                                                      uint64_t(2));
  numBlocks = llvm::divideCeil(count, blockSize);
  // What fills up the last lanes is never the largest.
  Value none = makeSmallestKey(b, keyType);
  auto make = [&](int64_t used, int64_t size) {
    Value buffer = makeBuffer(b, {b.getIndexAttr(size)}, keyType);
    forRange(b, b.index(used), b.index(size),
             [&](LoopBuilder &b, Value i) { store(b, none, buffer, i); });
    return buffer;
  };
  keys = make(count, numBlocks * blockSize);
  if (numBlocks > 1)
    largestOfBlock = make(numBlocks, llvm::alignTo(numBlocks, lanes));
}

void KeyQueue::fill(LoopBuilder &b,
                    llvm::function_ref<Value(LoopBuilder &, Value)> key) {
  forEach(b, b.index(count),
          [&](LoopBuilder &b, Value i) { store(b, key(b, i), keys, i); });
  if (largestOfBlock)
    forEach(b, b.index(numBlocks),
            [&](LoopBuilder &b, Value i) { refreshBlock(b, i); });
}

Value KeyQueue::take(LoopBuilder &b) {
  Value start = b.index(0), block;
  if (largestOfBlock) {
    block =
        findLargest(b, largestOfBlock, start, llvm::alignTo(numBlocks, lanes))
            .number;
    start = b.mul(block, b.index(blockSize));
  }
  Value number = findLargest(b, keys, start, blockSize).number;
  store(b, makeSmallestKey(b, keyType), keys, number);
  if (largestOfBlock)
    refreshBlock(b, block);
  return number;
}

void KeyQueue::refreshBlock(LoopBuilder &b, Value block) {
  Value start = b.mul(block, b.index(blockSize));
  store(b, findLargest(b, keys, start, blockSize).key, largestOfBlock, block);
}

/// The first of the largest among `count` keys, a multiple of the lanes: each
/// lane has its own, the first of these is chosen at the end.
KeyQueue::Largest KeyQueue::findLargest(LoopBuilder &b, Value buffer,
                                        Value start, int64_t count) {
  auto vector = VectorType::get(lanes, keyType);
  auto splat = [&](LoopBuilder &b, Value scalar) -> Value {
    return vector::BroadcastOp::create(b, b.loc, vector, scalar);
  };
  SmallVector<APInt> numbers;
  for (int64_t lane = 0; lane < lanes; ++lane)
    numbers.emplace_back(keyType.getWidth(), lane);
  Value firstNumbers = arith::ConstantOp::create(
      b, b.loc, DenseElementsAttr::get(vector, numbers));
  Value none = splat(b, makeSmallestKey(b, keyType));
  ValueRange best = makeFor(
      b, b.index(count / lanes), {none, firstNumbers},
      [&](LoopBuilder &b, Value i, ValueRange sofar) {
        Value offset = b.mul(i, b.index(lanes));
        Value next = vector::LoadOp::create(b, b.loc, vector, buffer,
                                            b.add(start, offset));
        Value own = arith::IndexCastOp::create(b, b.loc, keyType, offset);
        Value numbers = b.add(firstNumbers, splat(b, own));
        Value larger = b.compare(arith::CmpIPredicate::sgt, next, sofar[0]);
        return SmallVector<Value>{b.select(larger, next, sofar[0]),
                                  b.select(larger, numbers, sofar[1])};
      });
  Value key = vector::ReductionOp::create(
      b, b.loc, vector::CombiningKind::MAXSI, best[0]);
  Value isLargest = b.compare(arith::CmpIPredicate::eq, best[0], splat(b, key));
  Value candidates =
      b.select(isLargest, best[1], splat(b, makeLargestKey(b, keyType)));
  Value number = vector::ReductionOp::create(
      b, b.loc, vector::CombiningKind::MINSI, candidates);
  number = arith::IndexCastOp::create(b, b.loc, b.getIndexType(), number);
  return {key, b.add(start, number)};
}

//===----------------------------------------------------------------------===//
// Sorting and selecting
//===----------------------------------------------------------------------===//

Value sluice::sortByKeys(LoopBuilder &b, Value keys, Value count) {
  auto keyType = cast<IntegerType>(getElementTypeOrSelf(keys.getType()));
  int64_t numDigits = 1 << digitBits;
  // All bits but the sign, so that unsigned order is the reverse of the signed.
  Value falling = makeLargestKey(b, keyType);
  Value mask =
      makeInteger(b, keyType, APInt(keyType.getWidth(), numDigits - 1));
  Value order = makeBuffer(b, ArrayRef<OpFoldResult>{count}, b.getIndexType());
  Value other = makeBuffer(b, ArrayRef<OpFoldResult>{count}, b.getIndexType());
  Value places = makeBuffer(b, {b.getIndexAttr(numDigits)}, b.getIndexType());
  forEach(b, count, [&](LoopBuilder &b, Value i) { store(b, i, order, i); });

  // A stable counting sort by each digit, the lowest first.
  auto pass = [&](LoopBuilder &b, Value from, Value to, Value shift) {
    auto digitOf = [&](LoopBuilder &b, Value number) -> Value {
      Value bits =
          arith::XOrIOp::create(b, b.loc, load(b, keys, number), falling);
      Value digit = arith::AndIOp::create(
          b, b.loc, arith::ShRUIOp::create(b, b.loc, bits, shift), mask);
      return arith::IndexCastUIOp::create(b, b.loc, b.getIndexType(), digit);
    };
    Value zero = b.index(0);
    forEach(b, b.index(numDigits),
            [&](LoopBuilder &b, Value d) { store(b, zero, places, d); });
    forEach(b, count, [&](LoopBuilder &b, Value i) {
      postIncrement(b, places, digitOf(b, i));
    });
    makeFor(b, b.index(numDigits), zero,
            [&](LoopBuilder &b, Value d, ValueRange sum) {
              Value size = load(b, places, d);
              store(b, sum[0], places, d);
              return SmallVector<Value>{b.add(sum[0], size)};
            });
    forEach(b, count, [&](LoopBuilder &b, Value i) {
      Value number = load(b, from, i);
      Value at = postIncrement(b, places, digitOf(b, number));
      store(b, number, to, at);
    });
  };
  // There and back again: keys have an even number of digits.
  Value pairs = b.index(keyType.getWidth() / (2 * digitBits));
  forEach(b, pairs, [&](LoopBuilder &b, Value pair) {
    auto shift = [&](int64_t more) -> Value {
      Value bits = b.add(b.mul(pair, b.index(2 * digitBits)), b.index(more));
      return arith::IndexCastOp::create(b, b.loc, keyType, bits);
    };
    pass(b, order, other, shift(0));
    pass(b, other, order, shift(digitBits));
  });
  return order;
}

std::pair<Value, Value>
sluice::findLastOfFirst(LoopBuilder &b, IntegerType keyType, Value count,
                        Value wanted,
                        llvm::function_ref<Value(LoopBuilder &, Value)> key) {
  auto countKeys = [&](LoopBuilder &b, arith::CmpIPredicate predicate,
                       Value bound) -> Value {
    return makeFor(
        b, count, b.index(0), [&](LoopBuilder &b, Value i, ValueRange sum) {
          Value counts = b.compare(predicate, key(b, i), bound);
          return SmallVector<Value>{
              b.add(sum[0], arith::IndexCastUIOp::create(
                                b, b.loc, b.getIndexType(), counts))};
        })[0];
  };
  // The key is found bit by bit, the highest first, in unsigned order: the
  // largest number that at least `wanted` keys reach.
  unsigned width = keyType.getWidth();
  Value sign = makeSmallestKey(b, keyType);
  Value one = makeInteger(b, keyType, APInt(width, 1));
  Value found =
      makeFor(b, b.index(width), makeInteger(b, keyType, APInt(width, 0)),
              [&](LoopBuilder &b, Value round, ValueRange sofar) {
                Value place = b.sub(b.index(width - 1), round);
                Value bit = arith::ShLIOp::create(
                    b, b.loc, one,
                    arith::IndexCastOp::create(b, b.loc, keyType, place));
                Value more = arith::OrIOp::create(b, b.loc, sofar[0], bit);
                Value bound = arith::XOrIOp::create(b, b.loc, more, sign);
                Value reaching = countKeys(b, arith::CmpIPredicate::sge, bound);
                Value enough =
                    b.compare(arith::CmpIPredicate::sge, reaching, wanted);
                return SmallVector<Value>{b.select(enough, more, sofar[0])};
              })[0];
  Value last = arith::XOrIOp::create(b, b.loc, found, sign);
  Value ties = b.sub(wanted, countKeys(b, arith::CmpIPredicate::sgt, last));
  Value number = makeFor(
      b, count, {b.index(-1), b.index(0)},
      [&](LoopBuilder &b, Value i, ValueRange sofar) {
        Value isTie = b.compare(arith::CmpIPredicate::eq, key(b, i), last);
        Value isWanted = b.conjunction(
            isTie, b.compare(arith::CmpIPredicate::slt, sofar[1], ties));
        Value more =
            arith::IndexCastUIOp::create(b, b.loc, b.getIndexType(), isWanted);
        return SmallVector<Value>{b.select(isWanted, i, sofar[0]),
                                  b.add(sofar[1], more)};
      })[0];
  return {last, number};
}
