//===- GatesToSCF.cpp - Gates as sets of entries ----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SluiceToSCF.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "sluice/Conversion/RunTimeState.h"

using namespace mlir;
using namespace sluice;

static Value extract(LoopBuilder &b, Value tensor, ValueRange indices) {
  return tensor::ExtractOp::create(b, b.loc, tensor, indices);
}

static Value insert(LoopBuilder &b, Value value, Value tensor,
                    ValueRange indices) {
  return tensor::InsertOp::create(b, b.loc, value, tensor, indices);
}

static Value compare(LoopBuilder &b, arith::CmpIPredicate predicate, Value l,
                     Value r) {
  return arith::CmpIOp::create(b, b.loc, predicate, l, r);
}

static Value conjunction(LoopBuilder &b, Value l, Value r) {
  return arith::AndIOp::create(b, b.loc, l, r);
}

static Value select(LoopBuilder &b, Value condition, Value l, Value r) {
  return arith::SelectOp::create(b, b.loc, condition, l, r);
}

/// What `body` yields if `condition` holds, else `otherwise`.
static SmallVector<Value>
ifElse(LoopBuilder &b, Value condition, ValueRange otherwise,
       llvm::function_ref<SmallVector<Value>(LoopBuilder &)> body) {
  auto branch = scf::IfOp::create(
      b, b.loc, condition,
      [&](OpBuilder &builder, Location loc) {
        LoopBuilder inner(builder, loc);
        scf::YieldOp::create(inner, loc, body(inner));
      },
      [&](OpBuilder &builder, Location loc) {
        scf::YieldOp::create(builder, loc, otherwise);
      });
  return llvm::to_vector_of<Value>(branch.getResults());
}

namespace {
/// The rows of gates while they are filled, token by token in parallel: each
/// token's slots are filled in order, what is left over is absent.
class RowFiller {
public:
  /// The state of one row: experts and values, [1, slots], and how many are
  /// filled.
  using Row = SmallVector<Value>;

  RowFiller(LoopBuilder &b, GatesType type, OpFoldResult tokens)
      : type(type), tokens(tokens), slots(b.index(type.getSlots())) {}

  /// `fill` appends one token's entries to its row.
  SmallVector<Value>
  run(LoopBuilder &b,
      llvm::function_ref<Row(LoopBuilder &, Value token, Row)> fill) {
    SmallVector<OpFoldResult> sizes = {tokens,
                                       b.getIndexAttr(type.getSlots())};
    Value experts = tensor::EmptyOp::create(b, b.loc, sizes, b.getIndexType());
    Value values =
        tensor::EmptyOp::create(b, b.loc, sizes, type.getElementType());
    Value count = getValueOrCreateConstantIndexOp(b, b.loc, tokens);
    ValueRange results = makeForall(
        b, count, {experts, values},
        [&](LoopBuilder &b, Value t, ValueRange shared) {
          SmallVector<OpFoldResult> offsets, rowSizes;
          getRows(b, shared[0], t, b.getIndexAttr(1), offsets, rowSizes);
          SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
          auto slice = [&](Value tensor) -> Value {
            return tensor::ExtractSliceOp::create(b, b.loc, tensor, offsets,
                                                  rowSizes, strides);
          };
          Value absent = linalg::FillOp::create(b, b.loc, b.index(-1),
                                                slice(shared[0]))
                             .getResult(0);
          Value zero = b.constant(type.getElementType(), 0.0);
          Value zeros =
              linalg::FillOp::create(b, b.loc, zero, slice(shared[1]))
                  .getResult(0);
          Row row = fill(b, t, {absent, zeros, b.index(0)});
          return SmallVector<ParallelInsert>{
              {row[0], shared[0], offsets, rowSizes},
              {row[1], shared[1], offsets, rowSizes}};
        });
    return llvm::to_vector_of<Value>(results);
  }

  /// Appends an entry where `condition` holds and a slot is left.
  Row append(LoopBuilder &b, ValueRange row, Value condition, Value expert,
             Value value) {
    Value room = compare(b, arith::CmpIPredicate::slt, row[2], slots);
    return ifElse(b, conjunction(b, condition, room), row,
                  [&](LoopBuilder &b) -> Row {
                    return put(b, row, row[2], expert, value);
                  });
  }

  /// Puts an entry where `condition` holds into the slot of its expert.
  Row place(LoopBuilder &b, ValueRange row, Value condition, Value expert,
            Value value) {
    return ifElse(b, condition, row, [&](LoopBuilder &b) -> Row {
      return put(b, row, expert, expert, value);
    });
  }

private:
  Row put(LoopBuilder &b, ValueRange row, Value slot, Value expert,
          Value value) {
    Value zero = b.index(0);
    Value more = arith::AddIOp::create(b, b.loc, row[2], b.index(1));
    return {insert(b, expert, row[0], {zero, slot}),
            insert(b, value, row[1], {zero, slot}), more};
  }

  GatesType type;
  OpFoldResult tokens;
  Value slots;
};
} // namespace

static Value isEntry(LoopBuilder &b, Value expert) {
  return compare(b, arith::CmpIPredicate::sge, expert, b.index(0));
}

/// A tensor that is repeated to tokens x experts, at one place of these.
static Value extractSpread(LoopBuilder &b, Value tensor, Value token,
                           Value expert) {
  auto type = cast<RankedTensorType>(tensor.getType());
  // Absent entries have no place; what is read for them is not used.
  expert = arith::MaxSIOp::create(b, b.loc, expert, b.index(0));
  Value full[] = {token, expert};
  SmallVector<Value> indices;
  for (int64_t d = 0; d < type.getRank(); ++d)
    indices.push_back(type.getDimSize(d) == 1 ? b.index(0)
                                              : full[d + 2 - type.getRank()]);
  return extract(b, tensor, indices);
}

/// New experts or values of all slots, from both and the slot's token.
static Value mapSlots(LoopBuilder &b, GatesValue gates, Type elementType,
                      llvm::function_ref<Value(LoopBuilder &, Value token,
                                               Value expert, Value value)>
                          body) {
  AffineMap all = b.getMultiDimIdentityMap(2);
  Value empty = makeEmptyLike(b, b.loc, gates.experts, elementType);
  return linalg::GenericOp::create(
             b, b.loc, empty.getType(),
             ValueRange{gates.experts, gates.values}, ValueRange{empty},
             ArrayRef<AffineMap>{all, all, all},
             SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel),
             [&](OpBuilder &builder, Location loc, ValueRange args) {
               LoopBuilder inner(builder, loc);
               Value token = linalg::IndexOp::create(builder, loc, 0);
               inner.yield(body(inner, token, args[0], args[1]));
             })
      .getResult(0);
}

/// Visits the first `rounds` of `count` things in order of their keys, which
/// belong to `scores` (larger first, ties to the lower number): `body` gets the
/// round, the thing's number and what is carried.
static Value
forRanked(LoopBuilder &b, Value scores, Value rounds, Value count,
          llvm::function_ref<Value(LoopBuilder &, Value)> key, Value init,
          llvm::function_ref<Value(LoopBuilder &, Value round, Value thing,
                                   Value carried)>
              body) {
  unsigned width = getArithmeticType(getElementTypeOrSelf(scores.getType()))
                       .getIntOrFloatBitWidth();
  auto constant = [&](APInt number) -> Value {
    return arith::ConstantOp::create(
        b, b.loc, b.getIntegerAttr(b.getIntegerType(width), number));
  };
  Value none = b.index(-1);
  Value largest = constant(APInt::getSignedMaxValue(width));
  Value smallest = constant(APInt::getSignedMinValue(width));
  return makeFor(
      b, rounds, {init, largest, none},
      [&](LoopBuilder &b, Value round, ValueRange carried) {
        ValueRange best = makeFor(
            b, count, {smallest, none},
            [&](LoopBuilder &b, Value i, ValueRange sofar) {
              Value own = key(b, i);
              Value candidate =
                  comesBefore(b, carried[1], carried[2], own, i);
              Value first =
                  compare(b, arith::CmpIPredicate::eq, sofar[1], none);
              Value larger =
                  compare(b, arith::CmpIPredicate::sgt, own, sofar[0]);
              Value better = conjunction(
                  b, candidate, arith::OrIOp::create(b, b.loc, first, larger));
              return SmallVector<Value>{select(b, better, own, sofar[0]),
                                        select(b, better, i, sofar[1])};
            });
        return SmallVector<Value>{body(b, round, best[1], carried[0]), best[0],
                                  best[1]};
      })[0];
}

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
                          return extract(b, weights, {token, at});
                        });
    rewriter.replaceOpWithMultiple(op, {SmallVector<Value>{experts, values}});
    return success();
  }

private:
  /// The experts; what is none, or there twice, is reported and becomes absent.
  static Value checkIndices(LoopBuilder &b, FromEntriesOp op, GatesType type,
                            Value indices) {
    Value state = op->getParentOfType<FunctionOpInterface>().getArgument(0);
    auto code = op->getAttrOfType<IntegerAttr>("sluice.code");
    Value tokens = tensor::DimOp::create(b, b.loc, indices, 0);
    Value k = b.index(type.getCount()), count = b.index(type.getExperts());
    Value empty = makeEmptyLike(b, b.loc, indices, b.getIndexType());
    return makeFor(b, tokens, empty, [&](LoopBuilder &b, Value t,
                                         ValueRange rows) {
      ValueRange row = makeFor(
          b, k, rows, [&](LoopBuilder &b, Value j, ValueRange carried) {
            Value expert = extract(b, indices, {t, j});
            if (!expert.getType().isIndex())
              expert = arith::IndexCastOp::create(b, b.loc, b.getIndexType(),
                                                  expert);
            Value below = compare(b, arith::CmpIPredicate::slt, expert, count);
            Value above =
                compare(b, arith::CmpIPredicate::sge, expert, b.index(-1));
            Value known = conjunction(b, below, above);
            // Not among the slots before.
            Value twice = makeFor(
                b, j, arith::ConstantIntOp::create(b, b.loc, 0, 1).getResult(),
                [&](LoopBuilder &b, Value i, ValueRange found) {
                  Value other = extract(b, carried[0], {t, i});
                  Value same =
                      compare(b, arith::CmpIPredicate::eq, other, expert);
                  return SmallVector<Value>{arith::OrIOp::create(
                      b, b.loc, found[0],
                      conjunction(b, same, isEntry(b, other)))};
                })[0];
            if (code) {
              report(b, known, state, code.getInt(), t, j, k, expert);
              Value once = arith::XOrIOp::create(
                  b, b.loc, twice,
                  arith::ConstantIntOp::create(b, b.loc, 1, 1));
              report(b, once, state, code.getInt() + 1, t, j, k, expert);
            }
            Value absent = b.index(-1);
            Value valid = select(b, known, expert, absent);
            valid = select(b, twice, absent, valid);
            return SmallVector<Value>{insert(b, valid, carried[0], {t, j})};
          });
      return SmallVector<Value>{row[0]};
    })[0];
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
                inner.yield(select(inner, args[0], e, inner.index(-1)));
              })
              .getResult(0);
      rewriter.replaceOpWithMultiple(op,
                                     {SmallVector<Value>{experts, values}});
      return success();
    }
    Value state = op->getParentOfType<FunctionOpInterface>().getArgument(0);
    auto code = op->getAttrOfType<IntegerAttr>("sluice.code");
    RowFiller filler(b, type, tensor::getMixedSize(b, b.loc, values, 0));
    Value experts = b.index(type.getExperts()), k = b.index(type.getCount());
    SmallVector<Value> result = filler.run(
        b, [&](LoopBuilder &b, Value t, RowFiller::Row row) -> RowFiller::Row {
          return llvm::to_vector_of<Value>(makeFor(
              b, experts, row,
              [&](LoopBuilder &b, Value e, ValueRange carried) {
                Value on = extract(b, mask, {t, e});
                Value full =
                    compare(b, arith::CmpIPredicate::sge, carried[2], k);
                if (code)
                  reportFull(b, conjunction(b, on, full), state, code.getInt(),
                             t, k);
                return filler.append(b, carried, on, e,
                                     extract(b, values, {t, e}));
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
    GatesType wide = GatesType::get(type.getContext(), type.getTokens(),
                                    type.getExperts(), type.getElementType(),
                                    Bound::None, 0);
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
    rewriter.replaceOp(op, {castTo(b, b.loc, rows[1], op.getValues().getType()),
                            castTo(b, b.loc, present,
                                   op.getPresent().getType())});
    return success();
  }

  /// Gates with one slot for each expert, values of absent ones 0.
  static SmallVector<Value> spread(LoopBuilder &b, GatesValue gates,
                                   GatesType type, GatesType wide) {
    RowFiller filler(b, wide,
                     tensor::getMixedSize(b, b.loc, gates.experts, 0));
    Value slots = b.index(type.getSlots());
    return filler.run(b, [&](LoopBuilder &b, Value t, RowFiller::Row row) {
      return llvm::to_vector_of<Value>(makeFor(
          b, slots, row, [&](LoopBuilder &b, Value j, ValueRange carried) {
            Value expert = extract(b, gates.experts, {t, j});
            return filler.place(b, carried, isEntry(b, expert), expert,
                                extract(b, gates.values, {t, j}));
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
    Value rounds =
        arith::MinSIOp::create(b, b.loc, adaptor.getCapacity(), tokens);
    Value empty = makeEmptyLike(b, b.loc, scores, b.getIndexType());
    Value experts = makeForall(
        b, b.index(type.getExperts()), empty,
        [&](LoopBuilder &b, Value e, ValueRange shared) {
          SmallVector<OpFoldResult> offsets = {b.getIndexAttr(0), e};
          SmallVector<OpFoldResult> sizes = {
              tensor::getMixedSize(b, b.loc, scores, 0), b.getIndexAttr(1)};
          SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
          Value column = tensor::ExtractSliceOp::create(
              b, b.loc, shared[0], offsets, sizes, strides);
          Value none =
              linalg::FillOp::create(b, b.loc, b.index(-1), column)
                  .getResult(0);
          auto key = [&](LoopBuilder &b, Value t) {
            return makeSortKey(b, extract(b, scores, {t, e}));
          };
          Value chosen = forRanked(
              b, scores, rounds, tokens, key, none,
              [&](LoopBuilder &b, Value, Value t, Value carried) {
                return insert(b, e, carried, {t, b.index(0)});
              });
          return SmallVector<ParallelInsert>{
              {chosen, shared[0], offsets, sizes}};
        })[0];
    rewriter.replaceOpWithMultiple(op, {SmallVector<Value>{experts, scores}});
    return success();
  }
};

struct ConvertColumns : OpConversionPattern<ColumnsOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ColumnsOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    GatesValue gates(adaptor.getInput());
    auto from = cast<GatesType>(op.getInput().getType());
    auto type = cast<GatesType>(op.getType());
    RowFiller filler(b, type,
                     tensor::getMixedSize(b, b.loc, gates.experts, 0));
    Value slots = b.index(from.getSlots());
    Value first = b.index(op.getFrom()), last = b.index(op.getTo());
    SmallVector<Value> result = filler.run(b, [&](LoopBuilder &b, Value t,
                                                  RowFiller::Row row) {
      return llvm::to_vector_of<Value>(makeFor(
          b, slots, row, [&](LoopBuilder &b, Value j, ValueRange carried) {
            Value expert = extract(b, gates.experts, {t, j});
            Value inside = conjunction(
                b, compare(b, arith::CmpIPredicate::sge, expert, first),
                compare(b, arith::CmpIPredicate::slt, expert, last));
            Value number = arith::SubIOp::create(b, b.loc, expert, first);
            Value value = extract(b, gates.values, {t, j});
            return type.isPerToken()
                       ? filler.append(b, carried, inside, number, value)
                       : filler.place(b, carried, inside, number, value);
          }));
    });
    rewriter.replaceOpWithMultiple(op, {result});
    return success();
  }
};

struct ConvertJoin : OpConversionPattern<JoinOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(JoinOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    GatesValue first(adaptor.getA()), second(adaptor.getB());
    auto a = cast<GatesType>(op.getA().getType());
    auto c = cast<GatesType>(op.getB().getType());
    auto type = cast<GatesType>(op.getType());
    RowFiller filler(b, type,
                     tensor::getMixedSize(b, b.loc, first.experts, 0));
    auto slotsOf = [&](GatesType gates) { return b.index(gates.getSlots()); };
    Value aSlots = slotsOf(a), cSlots = slotsOf(c);
    auto add = [&](LoopBuilder &b, ValueRange row, Value condition,
                   Value expert, Value value) {
      return type.isPerToken()
                 ? filler.append(b, row, condition, expert, value)
                 : filler.place(b, row, condition, expert, value);
    };
    SmallVector<Value> result = filler.run(b, [&](LoopBuilder &b, Value t,
                                                  RowFiller::Row row) {
      ValueRange firstRow = makeFor(
          b, aSlots, row, [&](LoopBuilder &b, Value j, ValueRange carried) {
            Value expert = extract(b, first.experts, {t, j});
            return add(b, carried, isEntry(b, expert), expert,
                       extract(b, first.values, {t, j}));
          });
      return llvm::to_vector_of<Value>(makeFor(
          b, cSlots, firstRow,
          [&](LoopBuilder &b, Value j, ValueRange carried) {
            Value expert = extract(b, second.experts, {t, j});
            Value fresh = makeFor(
                b, aSlots, isEntry(b, expert),
                [&](LoopBuilder &b, Value i, ValueRange sofar) {
                  Value other = extract(b, first.experts, {t, i});
                  Value differs =
                      compare(b, arith::CmpIPredicate::ne, other, expert);
                  return SmallVector<Value>{conjunction(b, sofar[0], differs)};
                })[0];
            return add(b, carried, fresh, expert,
                       extract(b, second.values, {t, j}));
          }));
    });
    rewriter.replaceOpWithMultiple(op, {result});
    return success();
  }
};

struct ConvertFilter : OpConversionPattern<FilterOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(FilterOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    GatesValue gates(adaptor.getInput());
    Value mask = adaptor.getMask().front();
    Value experts = mapSlots(
        b, gates, b.getIndexType(),
        [&](LoopBuilder &b, Value token, Value expert, Value) {
          Value keep = extractSpread(b, mask, token, expert);
          return select(b, keep, expert, b.index(-1));
        });
    rewriter.replaceOpWithMultiple(
        op, {SmallVector<Value>{experts, gates.values}});
    return success();
  }
};

struct ConvertScaleBy : OpConversionPattern<ScaleByOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(ScaleByOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    GatesValue gates(adaptor.getInput());
    Value factors = adaptor.getFactor().front();
    Type element = cast<GatesType>(op.getType()).getElementType();
    Type f = getArithmeticType(element);
    if (getElementTypeOrSelf(factors.getType()).isF64())
      f = b.getF64Type();
    Value values = mapSlots(
        b, gates, element,
        [&](LoopBuilder &b, Value token, Value expert, Value value) {
          Value factor =
              b.convert(extractSpread(b, factors, token, expert), f);
          return b.convert(
              arith::MulFOp::create(b, b.loc, b.convert(value, f), factor),
              element);
        });
    rewriter.replaceOpWithMultiple(
        op, {SmallVector<Value>{gates.experts, values}});
    return success();
  }
};

struct ConvertLimit : OpConversionPattern<LimitOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(LimitOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    GatesValue gates(adaptor.getInput());
    auto type = cast<GatesType>(op.getType());
    Value capacity = adaptor.getCapacity().front();
    Value tokens = tensor::DimOp::create(b, b.loc, gates.experts, 0);
    Value slots = b.index(type.getCount());
    Value order;
    if (op.getPriority())
      order = rank(b, adaptor.getPriority().front(), tokens);

    Value zero = b.index(0);
    SmallVector<OpFoldResult> size = {b.getIndexAttr(type.getExperts())};
    Value empty = tensor::EmptyOp::create(b, b.loc, size, b.getIndexType());
    Value used =
        linalg::FillOp::create(b, b.loc, zero, empty).getResult(0);
    auto visit = [&](LoopBuilder &b, Value i, Value j, ValueRange carried) {
      Value t = order ? extract(b, order, i) : i;
      Value expert = extract(b, carried[0], {t, j});
      return ifElse(
          b, isEntry(b, expert), carried,
          [&](LoopBuilder &b) -> SmallVector<Value> {
            Value taken = extract(b, carried[1], expert);
            Value room =
                compare(b, arith::CmpIPredicate::slt, taken, capacity);
            Value kept = select(b, room, expert, b.index(-1));
            Value more = arith::AddIOp::create(b, b.loc, taken, b.index(1));
            return {insert(b, kept, carried[0], {t, j}),
                    insert(b, select(b, room, more, taken), carried[1],
                           expert)};
          });
    };
    bool byChoice = op.getOrder() == LimitOrder::Choice;
    ValueRange result = makeFor(
        b, byChoice ? slots : tokens, {gates.experts, used},
        [&](LoopBuilder &b, Value outer, ValueRange carried) {
          return llvm::to_vector_of<Value>(makeFor(
              b, byChoice ? tokens : slots, carried,
              [&](LoopBuilder &b, Value inner, ValueRange now) {
                return byChoice ? visit(b, inner, outer, now)
                                : visit(b, outer, inner, now);
              }));
        });
    rewriter.replaceOpWithMultiple(
        op, {SmallVector<Value>{result[0], gates.values}});
    return success();
  }

private:
  /// The tokens by falling priority.
  static Value rank(LoopBuilder &b, Value priority, Value tokens) {
    SmallVector<OpFoldResult> size = {
        tensor::getMixedSize(b, b.loc, priority, 0)};
    Value order = tensor::EmptyOp::create(b, b.loc, size, b.getIndexType());
    auto key = [&](LoopBuilder &b, Value t) {
      return makeSortKey(b, extract(b, priority, {t, b.index(0)}));
    };
    return forRanked(b, priority, tokens, tokens, key, order,
                     [&](LoopBuilder &b, Value round, Value t, Value carried) {
                       return insert(b, t, carried, round);
                     });
  }
};

struct ConvertCapacity : OpConversionPattern<CapacityOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(CapacityOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    LoopBuilder b(rewriter, op.getLoc());
    Type f64 = b.getF64Type();
    Value rows = tensor::DimOp::create(b, b.loc, adaptor.getTokens(), 0);
    Value share = arith::MulFOp::create(
        b, b.loc, b.constant(f64, op.getNumber().convertToDouble()),
        arith::UIToFPOp::create(
            b, b.loc, f64,
            arith::IndexCastOp::create(b, b.loc, b.getI64Type(), rows)));
    if (op.getKind() == CapacityKind::Factor) {
      auto type = cast<RankedTensorType>(op.getTokens().getType());
      share = arith::DivFOp::create(b, b.loc, share,
                                    b.constant(f64, type.getDimSize(1)));
    }
    switch (op.getRounding()) {
    case Rounding::Floor:
      share = math::FloorOp::create(b, b.loc, share);
      break;
    case Rounding::Nearest:
      share = math::RoundEvenOp::create(b, b.loc, share);
      break;
    case Rounding::Ceil:
      share = math::CeilOp::create(b, b.loc, share);
      break;
    }
    // More room than there are tokens in the world, and it still is an integer.
    share = arith::MinimumFOp::create(b, b.loc, share,
                                      b.constant(f64, 0x1p62));
    Value whole =
        arith::FPToSIOp::create(b, b.loc, b.getI64Type(), share);
    Value result = arith::MaxSIOp::create(
        b, b.loc,
        arith::IndexCastOp::create(b, b.loc, b.getIndexType(), whole),
        b.index(op.getMin()));
    rewriter.replaceOp(op, result);
    return success();
  }
};
} // namespace

void sluice::populateGatesToSCFPatterns(const TypeConverter &converter,
                                        RewritePatternSet &patterns) {
  patterns.add<ConvertFromEntries, ConvertFromDense, ConvertDense,
               ConvertChooseTokens, ConvertColumns, ConvertJoin, ConvertFilter,
               ConvertScaleBy, ConvertLimit, ConvertCapacity>(
      converter, patterns.getContext());
}
