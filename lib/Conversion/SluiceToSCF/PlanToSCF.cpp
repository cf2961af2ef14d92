//===- PlanToSCF.cpp - The counting sort of a plan --------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Buffers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace sluice;

/// Slots that make a chunk: enough to be worth a thread's turn, few enough that
/// what a chunk touches stays in a core's second cache.
static constexpr int64_t slotsPerChunk = 16384;
/// Slots for each expert at least, so that counting them costs more than
/// clearing and adding up the counts.
static constexpr int64_t slotsPerExpert = 4;
/// So many positions of a token are sorted in registers.
static constexpr int64_t maxNetwork = 16;

/// Sorts unsigned numbers: Batcher's merge exchange, which compares the same
/// pairs whatever the numbers are (Knuth, The Art of Computer Programming,
/// 5.2.2, algorithm M).
static void sortInRegisters(LoopBuilder &b, MutableArrayRef<Value> numbers) {
  size_t n = numbers.size();
  for (size_t p = 1; p < n; p *= 2)
    for (size_t k = p; k >= 1; k /= 2)
      for (size_t j = k % p; j + k < n; j += 2 * k)
        for (size_t i = 0; i < std::min(k, n - j - k); ++i) {
          if ((i + j) / (2 * p) != (i + j + k) / (2 * p))
            continue;
          Value &low = numbers[i + j], &high = numbers[i + j + k];
          Value smaller = arith::MinUIOp::create(b, b.loc, low, high);
          high = arith::MaxUIOp::create(b, b.loc, low, high);
          low = smaller;
        }
}

namespace {
/// Tokens are cut into chunks. Each chunk counts its entries of each expert;
/// sums over these, expert by expert and then chunk by chunk, say where each
/// chunk's entries of an expert begin, so that chunks place them independently.
/// There is one stable order: how tokens are cut is not seen.
class PlanLowering {
public:
  PlanLowering(LoopBuilder &b, PlanOp op, GatesValue gates)
      : op(op), type(cast<GatesType>(op.getGates().getType())), gates(gates),
        tokens(tensor::DimOp::create(b, b.loc, gates.experts, 0)),
        slotsPerToken(b.index(type.getSlots())),
        experts(b.index(type.getExperts())) {
    int64_t slots = std::max(slotsPerChunk, slotsPerExpert * type.getExperts());
    // A type may have no slot at all.
    tokensPerChunk =
        llvm::divideCeil(slots, std::max<int64_t>(type.getSlots(), 1));
  }

  /// offsets, order and place.
  SmallVector<Value> lower(LoopBuilder &b) {
    count(b);
    addUp(b);
    auto orderType = cast<RankedTensorType>(op.getOrder().getType());
    auto placeType = cast<RankedTensorType>(op.getPlace().getType());
    SmallVector<Value> slots, rows;
    if (!orderType.hasStaticShape())
      slots.push_back(b.mul(tokens, slotsPerToken));
    if (placeType.isDynamicDim(0))
      rows.push_back(tokens);
    order = makeBuffer(b, orderType, slots);
    place = makeBuffer(b, placeType, rows);
    if (type.isPerToken() && type.getSlots() <= maxNetwork)
      scatterSorted(b);
    else
      scatterAndWalk(b);
    return {toTensor(b, offsets), toTensor(b, order), toTensor(b, place)};
  }

private:
  Value getExpert(LoopBuilder &b, Value token, Value slot) {
    return b.extract(gates.experts, {token, slot});
  }

  static Value isPresent(LoopBuilder &b, Value number) {
    return b.compare(arith::CmpIPredicate::sge, number, b.index(0));
  }

  /// Entries of each expert in each chunk.
  void count(LoopBuilder &b) {
    Value chunks =
        arith::CeilDivUIOp::create(b, b.loc, tokens, b.index(tokensPerChunk));
    cursors = makeBuffer(b, {chunks, b.getIndexAttr(type.getExperts())},
                         b.getIndexType());
    Value zero = b.index(0);
    forChunksInParallel(
        b, tokens, tokensPerChunk,
        [&](LoopBuilder &b, Value chunk, Value first, Value last) {
          forEach(b, experts, [&](LoopBuilder &b, Value e) {
            store(b, zero, cursors, {chunk, e});
          });
          forRange(b, first, last, [&](LoopBuilder &b, Value t) {
            forEach(b, slotsPerToken, [&](LoopBuilder &b, Value j) {
              Value expert = getExpert(b, t, j);
              ifElse(b, isPresent(b, expert), {}, [&](LoopBuilder &b) {
                postIncrement(b, cursors, {chunk, expert});
                return SmallVector<Value>{};
              });
            });
          });
        });
  }

  /// Where each expert begins, and in it each chunk.
  void addUp(LoopBuilder &b) {
    offsets = makeBuffer(b, {b.getIndexAttr(type.getExperts() + 1)},
                         b.getIndexType());
    Value chunks =
        arith::CeilDivUIOp::create(b, b.loc, tokens, b.index(tokensPerChunk));
    Value entries = makeFor(
        b, experts, b.index(0), [&](LoopBuilder &b, Value e, ValueRange sum) {
          store(b, sum[0], offsets, e);
          return llvm::to_vector_of<Value>(
              makeFor(b, chunks, sum[0],
                      [&](LoopBuilder &b, Value chunk, ValueRange sofar) {
                        Value size = load(b, cursors, {chunk, e});
                        store(b, sofar[0], cursors, {chunk, e});
                        return SmallVector<Value>{b.add(sofar[0], size)};
                      }));
        })[0];
    store(b, entries, offsets, experts);
  }

  /// Gives the slot of an entry the next position of its expert; -1 if there
  /// is no entry.
  Value scatter(LoopBuilder &b, Value chunk, Value t, Value j) {
    Value expert = getExpert(b, t, j);
    return ifElse(b, isPresent(b, expert), b.index(-1),
                  [&](LoopBuilder &b) -> SmallVector<Value> {
                    Value at = postIncrement(b, cursors, {chunk, expert});
                    store(b, b.add(b.mul(t, slotsPerToken), j), order, at);
                    return {at};
                  })[0];
  }

  /// A token's positions are sorted at once. As unsigned numbers absent ones,
  /// -1, are the largest.
  void scatterSorted(LoopBuilder &b) {
    forChunksInParallel(
        b, tokens, tokensPerChunk,
        [&](LoopBuilder &b, Value chunk, Value first, Value last) {
          forRange(b, first, last, [&](LoopBuilder &b, Value t) {
            SmallVector<Value> positions;
            for (int64_t j = 0; j < type.getSlots(); ++j)
              positions.push_back(scatter(b, chunk, t, b.index(j)));
            sortInRegisters(b, positions);
            for (auto [j, position] : llvm::enumerate(positions))
              store(b, position, place, {t, b.index(j)});
          });
        });
  }

  /// A chunk's positions grow with the expert, so going through them in order
  /// sorts each token's.
  void scatterAndWalk(LoopBuilder &b) {
    forChunksInParallel(
        b, tokens, tokensPerChunk,
        [&](LoopBuilder &b, Value chunk, Value first, Value last) {
          forRange(b, first, last, [&](LoopBuilder &b, Value t) {
            forEach(b, slotsPerToken,
                    [&](LoopBuilder &b, Value j) { scatter(b, chunk, t, j); });
          });
        });
    Value zero = b.index(0), one = b.index(1), absent = b.index(-1);
    // Now each cursor is where the next chunk's begins.
    forChunksInParallel(
        b, tokens, tokensPerChunk,
        [&](LoopBuilder &b, Value chunk, Value first, Value last) {
          Value filled =
              makeBuffer(b, {b.getIndexAttr(tokensPerChunk)}, b.getIndexType());
          forEach(b, b.index(tokensPerChunk),
                  [&](LoopBuilder &b, Value i) { store(b, zero, filled, i); });
          forRange(b, first, last, [&](LoopBuilder &b, Value t) {
            forEach(b, slotsPerToken, [&](LoopBuilder &b, Value j) {
              store(b, absent, place, {t, j});
            });
          });
          Value isFirst = b.compare(arith::CmpIPredicate::eq, chunk, zero);
          Value before =
              b.sub(arith::MaxUIOp::create(b, b.loc, chunk, one), one);
          forEach(b, experts, [&](LoopBuilder &b, Value e) {
            Value begin = b.select(isFirst, load(b, offsets, e),
                                   load(b, cursors, {before, e}));
            Value end = load(b, cursors, {chunk, e});
            forRange(b, begin, end, [&](LoopBuilder &b, Value position) {
              Value t = arith::DivUIOp::create(
                  b, b.loc, load(b, order, position), slotsPerToken);
              Value at = postIncrement(b, filled, b.sub(t, first));
              store(b, position, place, {t, at});
            });
          });
        });
  }

  PlanOp op;
  GatesType type;
  GatesValue gates;
  Value tokens, slotsPerToken, experts;
  int64_t tokensPerChunk;
  /// [chunks, experts]: sizes, then the next position of each.
  Value cursors;
  Value offsets, order, place;
};

struct ConvertPlan : OpConversionPattern<PlanOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(PlanOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    PlanLowering lowering(b, op, GatesValue(adaptor.getGates()));
    rewriter.replaceOp(op, lowering.lower(b));
    return success();
  }
};
} // namespace

void sluice::populatePlanToSCFPatterns(const TypeConverter &converter,
                                       RewritePatternSet &patterns) {
  patterns.add<ConvertPlan>(converter, patterns.getContext());
}
