//===- GatesToSCF.cpp - Between gates and tensors ---------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Buffers.h"
#include "Ranking.h"
#include "Slots.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "sluice/Conversion/RunTimeState.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace sluice;

/// A line of a cache is this many keys at least: rows are turned into columns
/// that far at a time.
static constexpr int64_t tokensPerTranspose = 16;
/// Given entries that a thread checks in one turn.
static constexpr int64_t slotsPerCheck = 4096;

namespace {
struct ConvertFromEntries : OpConversionPattern<FromEntriesOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(FromEntriesOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    auto type = cast<GatesType>(op.getGates().getType());
    Value experts = checkIndices(b, op, type, adaptor.getIndices());
    Type element = type.getElementType();
    Value values = adaptor.getValues();
    if (!values) {
      SmallVector<OpFoldResult> sizes =
          tensor::getMixedSizes(b, b.loc, experts);
      values = makeFilled(b, b.loc, sizes, element, 1.0);
    }
    if (Value weights = adaptor.getWeights())
      values = mapSlots(b, GatesValue(ValueRange{experts, values}), element,
                        [&](LoopBuilder &b, Value token, Value expert, Value) {
                          Value at = arith::MaxSIOp::create(b, b.loc, expert,
                                                            b.index(0));
                          return b.extract(weights, {token, at});
                        });
    rewriter.replaceOpWithMultiple(op, {SmallVector<Value>{experts, values}});
    return success();
  }

private:
  /// What the entry of a slot must be: an expert or -1, and not there before.
  struct Checked {
    Value expert, known, once;
  };
  static Checked check(LoopBuilder &b, Value indices, Value t, Value j, Value k,
                       Value count) {
    auto get = [&](LoopBuilder &b, Value slot) -> Value {
      Value expert = b.extract(indices, {t, slot});
      if (expert.getType().isIndex())
        return expert;
      return arith::IndexCastOp::create(b, b.loc, b.getIndexType(), expert);
    };
    auto isKnown = [&](LoopBuilder &b, Value expert) {
      return b.conjunction(
          b.compare(arith::CmpIPredicate::slt, expert, count),
          b.compare(arith::CmpIPredicate::sge, expert, b.index(-1)));
    };
    Value expert = get(b, j);
    Value isFree = b.negation(isEntry(b, expert));
    // All slots, though only those before count: a loop of a fixed length
    // needs no branches.
    Value once =
        makeFor(b, k, arith::ConstantIntOp::create(b, b.loc, 1, 1).getResult(),
                [&](LoopBuilder &b, Value i, ValueRange sofar) {
                  Value differs =
                      b.compare(arith::CmpIPredicate::ne, get(b, i), expert);
                  Value isLater = b.compare(arith::CmpIPredicate::uge, i, j);
                  Value fine = arith::OrIOp::create(
                      b, b.loc, isFree,
                      arith::OrIOp::create(b, b.loc, isLater, differs));
                  return SmallVector<Value>{b.conjunction(sofar[0], fine)};
                })[0];
    return {expert, isKnown(b, expert), once};
  }

  /// The experts; what is none, or there twice, is reported and becomes absent.
  /// Chunks of tokens are checked in parallel; of those in which something is
  /// wrong all of it is reported in order.
  static Value checkIndices(LoopBuilder &b, FromEntriesOp op, GatesType type,
                            Value indices) {
    Value tokens = tensor::DimOp::create(b, b.loc, indices, 0);
    Value k = b.index(type.getCount()), count = b.index(type.getExperts());
    Value experts = makeBuffer(b, tensor::getMixedSizes(b, b.loc, indices),
                               b.getIndexType());
    int64_t size =
        llvm::divideCeil(slotsPerCheck, std::max<int64_t>(type.getCount(), 1));
    Value chunks = arith::CeilDivUIOp::create(b, b.loc, tokens, b.index(size));
    Value fine = makeBuffer(b, ArrayRef<OpFoldResult>{chunks}, b.getI1Type());
    forChunksInParallel(
        b, tokens, size,
        [&](LoopBuilder &b, Value chunk, Value first, Value last) {
          Value isTrue = arith::ConstantIntOp::create(b, b.loc, 1, 1);
          auto checkSlot = [&](LoopBuilder &b, Value t, Value j,
                               Value sofar) -> Value {
            Checked slot = check(b, indices, t, j, k, count);
            Value valid = b.conjunction(slot.known, slot.once);
            store(b, b.select(valid, slot.expert, b.index(-1)), experts,
                  {t, j});
            return b.conjunction(sofar, valid);
          };
          Value number = b.sub(last, first);
          Value all = makeFor(
              b, number, isTrue,
              [&](LoopBuilder &b, Value i, ValueRange sofar) {
                Value t = b.add(first, i);
                return llvm::to_vector_of<Value>(makeFor(
                    b, k, sofar[0],
                    [&](LoopBuilder &b, Value j, ValueRange inner) {
                      return SmallVector<Value>{checkSlot(b, t, j, inner[0])};
                    }));
              })[0];
          store(b, all, fine, chunk);
        });
    if (op->hasAttr("sluice.code"))
      forEach(b, chunks, [&](LoopBuilder &b, Value chunk) {
        ifElse(b, b.negation(load(b, fine, chunk)), {}, [&](LoopBuilder &b) {
          Value first = b.mul(chunk, b.index(size));
          Value last = arith::MinUIOp::create(
              b, b.loc, b.add(first, b.index(size)), tokens);
          reportAll(b, op, indices, first, last, k, count);
          return SmallVector<Value>{};
        });
      });
    return toTensor(b, experts);
  }

  /// Reports what is wrong with the tokens from `first` to below `last`.
  static void reportAll(LoopBuilder &b, FromEntriesOp op, Value indices,
                        Value first, Value last, Value k, Value count) {
    Value state = op->getParentOfType<FunctionOpInterface>().getArgument(0);
    int64_t code = op->getAttrOfType<IntegerAttr>("sluice.code").getInt();
    forRange(b, first, last, [&](LoopBuilder &b, Value t) {
      forEach(b, k, [&](LoopBuilder &b, Value j) {
        Checked slot = check(b, indices, t, j, k, count);
        report(b, slot.known, state, code, t, j, k, slot.expert);
        report(b, slot.once, state, code + 1, t, j, k, slot.expert);
      });
    });
  }

  static void report(LoopBuilder &b, Value fine, Value state, int64_t code,
                     Value t, Value j, Value k, Value expert) {
    Value wrong = arith::XOrIOp::create(
        b, b.loc, fine, arith::ConstantIntOp::create(b, b.loc, 1, 1));
    auto branch = scf::IfOp::create(b, b.loc, wrong, /*withElse=*/false);
    OpBuilder then = branch.getThenBodyBuilder();
    LoopBuilder inner(then, b.loc);
    auto toInt = [&](Value index) -> Value {
      return arith::IndexCastOp::create(inner, b.loc, inner.getI64Type(),
                                        index);
    };
    Value slot = arith::AddIOp::create(
        inner, b.loc, arith::MulIOp::create(inner, b.loc, t, k), j);
    auto toF64 = [&](Value index) -> Value {
      return arith::SIToFPOp::create(inner, b.loc, inner.getF64Type(),
                                     toInt(index));
    };
    recordFailure(inner, state, code, toInt(slot), toF64(expert), toF64(t));
  }
};

struct ConvertFromDense : OpConversionPattern<FromDenseOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(FromDenseOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    auto type = cast<GatesType>(op.getGates().getType());
    Value values = adaptor.getValues(), mask = adaptor.getMask();
    if (!type.isPerToken()) {
      // One slot for each expert: the values are in place.
      AffineMap all = b.getMultiDimIdentityMap(2);
      Value empty = makeEmptyLike(b, b.loc, values, b.getIndexType());
      Value experts =
          linalg::GenericOp::create(
              b, b.loc, empty.getType(), ValueRange{mask}, ValueRange{empty},
              ArrayRef<AffineMap>{all, all},
              SmallVector<utils::IteratorType>(2,
                                               utils::IteratorType::parallel),
              [&](OpBuilder &builder, Location loc, ValueRange args) {
                LoopBuilder inner(builder, loc);
                Value e = linalg::IndexOp::create(builder, loc, 1);
                inner.yield(inner.select(args[0], e, inner.index(-1)));
              })
              .getResult(0);
      rewriter.replaceOpWithMultiple(op, {SmallVector<Value>{experts, values}});
      return success();
    }
    Value state = op->getParentOfType<FunctionOpInterface>().getArgument(0);
    auto code = op->getAttrOfType<IntegerAttr>("sluice.code");
    RowFiller filler(b, type, tensor::getMixedSize(b, b.loc, values, 0));
    Value experts = b.index(type.getExperts()), k = b.index(type.getCount());
    SmallVector<Value> result = filler.run(
        b, [&](LoopBuilder &b, Value t, RowFiller::Row row) -> RowFiller::Row {
          return llvm::to_vector_of<Value>(
              makeFor(b, experts, row,
                      [&](LoopBuilder &b, Value e, ValueRange carried) {
                        Value on = b.extract(mask, {t, e});
                        Value full =
                            b.compare(arith::CmpIPredicate::sge, carried[2], k);
                        if (code)
                          reportFull(b, b.conjunction(on, full), state,
                                     code.getInt(), t, k);
                        return filler.append(b, carried, on, e,
                                             b.extract(values, {t, e}));
                      }));
        });
    rewriter.replaceOpWithMultiple(op, {result});
    return success();
  }

private:
  static void reportFull(LoopBuilder &b, Value wrong, Value state, int64_t code,
                         Value t, Value k) {
    auto branch = scf::IfOp::create(b, b.loc, wrong, /*withElse=*/false);
    OpBuilder then = branch.getThenBodyBuilder();
    LoopBuilder inner(then, b.loc);
    auto toInt = [&](Value index) -> Value {
      return arith::IndexCastOp::create(inner, b.loc, inner.getI64Type(),
                                        index);
    };
    Value bound =
        arith::SIToFPOp::create(inner, b.loc, inner.getF64Type(), toInt(k));
    recordFailure(inner, state, code, toInt(t), bound, bound);
  }
};

struct ConvertDense : OpConversionPattern<DenseOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(DenseOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    GatesValue gates(adaptor.getGates());
    auto type = cast<GatesType>(op.getGates().getType());
    GatesType wide =
        GatesType::get(type.getContext(), type.getTokens(), type.getExperts(),
                       type.getElementType(), Bound::None, 0);
    SmallVector<Value> rows = spread(b, gates, type, wide);
    AffineMap all = b.getMultiDimIdentityMap(2);
    Value empty = makeEmptyLike(b, b.loc, rows[0], b.getI1Type());
    Value present =
        linalg::GenericOp::create(
            b, b.loc, empty.getType(), ValueRange{rows[0]}, ValueRange{empty},
            ArrayRef<AffineMap>{all, all},
            SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel),
            [&](OpBuilder &builder, Location loc, ValueRange args) {
              LoopBuilder inner(builder, loc);
              inner.yield(isEntry(inner, args[0]));
            })
            .getResult(0);
    rewriter.replaceOp(op,
                       {castTo(b, b.loc, rows[1], op.getValues().getType()),
                        castTo(b, b.loc, present, op.getPresent().getType())});
    return success();
  }

  /// Gates with one slot for each expert, values of absent ones 0.
  static SmallVector<Value> spread(LoopBuilder &b, GatesValue gates,
                                   GatesType type, GatesType wide) {
    RowFiller filler(b, wide, tensor::getMixedSize(b, b.loc, gates.experts, 0));
    Value slots = b.index(type.getSlots());
    return filler.run(b, [&](LoopBuilder &b, Value t, RowFiller::Row row) {
      return llvm::to_vector_of<Value>(makeFor(
          b, slots, row, [&](LoopBuilder &b, Value j, ValueRange carried) {
            Value expert = b.extract(gates.experts, {t, j});
            return filler.place(b, carried, isEntry(b, expert), expert,
                                b.extract(gates.values, {t, j}));
          }));
    });
  }
};

struct ConvertChooseTokens : OpConversionPattern<ChooseTokensOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ChooseTokensOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    auto type = cast<GatesType>(op.getGates().getType());
    Value scores = adaptor.getScores();
    Value tokens = tensor::DimOp::create(b, b.loc, scores, 0);
    Value experts = b.index(type.getExperts());
    IntegerType keyType = getKeyType(getElementTypeOrSelf(scores.getType()));
    Value wanted =
        arith::MinSIOp::create(b, b.loc, adaptor.getCapacity(), tokens);

    // The keys of an expert side by side.
    Value keys =
        makeBuffer(b, {b.getIndexAttr(type.getExperts()), tokens}, keyType);
    forChunksInParallel(
        b, tokens, tokensPerTranspose,
        [&](LoopBuilder &b, Value, Value first, Value last) {
          forEach(b, experts, [&](LoopBuilder &b, Value e) {
            forRange(b, first, last, [&](LoopBuilder &b, Value t) {
              store(b, makeSortKey(b, b.extract(scores, {t, e})), keys, {e, t});
            });
          });
        });
    // The last one that each expert takes; then every token can tell.
    SmallVector<OpFoldResult> columns = {b.getIndexAttr(type.getExperts())};
    Value lastKeys = makeBuffer(b, columns, keyType);
    Value lastTokens = makeBuffer(b, columns, b.getIndexType());
    forEachInParallel(b, experts, [&](LoopBuilder &b, Value e) {
      auto [key, token] = findLastOfFirst(
          b, keyType, tokens, wanted,
          [&](LoopBuilder &b, Value t) { return load(b, keys, {e, t}); });
      store(b, key, lastKeys, e);
      store(b, token, lastTokens, e);
    });
    Value empty = makeEmptyLike(b, b.loc, scores, b.getIndexType());
    AffineMap all = b.getMultiDimIdentityMap(2);
    AffineMap column = all.dropResult(0);
    Value chosen =
        linalg::GenericOp::create(
            b, b.loc, empty.getType(),
            ValueRange{scores, toTensor(b, lastKeys), toTensor(b, lastTokens)},
            ValueRange{empty}, ArrayRef<AffineMap>{all, column, column, all},
            SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel),
            [&](OpBuilder &builder, Location loc, ValueRange args) {
              LoopBuilder b(builder, loc);
              Value t = linalg::IndexOp::create(b, loc, 0);
              Value e = linalg::IndexOp::create(b, loc, 1);
              Value isBehind =
                  comesBefore(b, args[1], args[2], makeSortKey(b, args[0]), t);
              b.yield(b.select(isBehind, b.index(-1), e));
            })
            .getResult(0);
    rewriter.replaceOpWithMultiple(op, {SmallVector<Value>{chosen, scores}});
    return success();
  }
};
} // namespace

void sluice::populateGatesToSCFPatterns(const TypeConverter &converter,
                                        RewritePatternSet &patterns) {
  patterns.add<ConvertFromEntries, ConvertFromDense, ConvertDense,
               ConvertChooseTokens>(converter, patterns.getContext());
}
