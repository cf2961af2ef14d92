//===- GatesToSCF.cpp - Between gates and tensors ----------------*- C++
//-*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Slots.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "sluice/Conversion/RunTimeState.h"

using namespace mlir;
using namespace sluice;

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
  /// The experts; what is none, or there twice, is reported and becomes absent.
  static Value checkIndices(LoopBuilder &b, FromEntriesOp op, GatesType type,
                            Value indices) {
    Value state = op->getParentOfType<FunctionOpInterface>().getArgument(0);
    auto code = op->getAttrOfType<IntegerAttr>("sluice.code");
    Value tokens = tensor::DimOp::create(b, b.loc, indices, 0);
    Value k = b.index(type.getCount()), count = b.index(type.getExperts());
    Value empty = makeEmptyLike(b, b.loc, indices, b.getIndexType());
    return makeFor(
        b, tokens, empty, [&](LoopBuilder &b, Value t, ValueRange rows) {
          ValueRange row = makeFor(
              b, k, rows, [&](LoopBuilder &b, Value j, ValueRange carried) {
                Value expert = b.extract(indices, {t, j});
                if (!expert.getType().isIndex())
                  expert = arith::IndexCastOp::create(b, b.loc,
                                                      b.getIndexType(), expert);
                Value below =
                    b.compare(arith::CmpIPredicate::slt, expert, count);
                Value above =
                    b.compare(arith::CmpIPredicate::sge, expert, b.index(-1));
                Value known = b.conjunction(below, above);
                // Not among the slots before.
                Value twice = makeFor(
                    b, j,
                    arith::ConstantIntOp::create(b, b.loc, 0, 1).getResult(),
                    [&](LoopBuilder &b, Value i, ValueRange found) {
                      Value other = b.extract(carried[0], {t, i});
                      Value same =
                          b.compare(arith::CmpIPredicate::eq, other, expert);
                      return SmallVector<Value>{arith::OrIOp::create(
                          b, b.loc, found[0],
                          b.conjunction(same, isEntry(b, other)))};
                    })[0];
                if (code) {
                  report(b, known, state, code.getInt(), t, j, k, expert);
                  Value once = arith::XOrIOp::create(
                      b, b.loc, twice,
                      arith::ConstantIntOp::create(b, b.loc, 1, 1));
                  report(b, once, state, code.getInt() + 1, t, j, k, expert);
                }
                Value absent = b.index(-1);
                Value valid = b.select(known, expert, absent);
                valid = b.select(twice, absent, valid);
                return SmallVector<Value>{b.insert(valid, carried[0], {t, j})};
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
    Value rounds =
        arith::MinSIOp::create(b, b.loc, adaptor.getCapacity(), tokens);
    Value empty = makeEmptyLike(b, b.loc, scores, b.getIndexType());
    // Of no tokens there are no columns to slice.
    if (cast<RankedTensorType>(scores.getType()).getDimSize(0) == 0) {
      rewriter.replaceOpWithMultiple(op, {SmallVector<Value>{empty, scores}});
      return success();
    }
    Value experts = makeForall(
        b, b.index(type.getExperts()), empty,
        [&](LoopBuilder &b, Value e, ValueRange shared) {
          SmallVector<OpFoldResult> offsets = {b.getIndexAttr(0), e};
          SmallVector<OpFoldResult> sizes = {
              tensor::getMixedSize(b, b.loc, scores, 0), b.getIndexAttr(1)};
          SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
          Value column = tensor::ExtractSliceOp::create(
              b, b.loc, shared[0], offsets, sizes, strides);
          Value none = linalg::FillOp::create(b, b.loc, b.index(-1), column)
                           .getResult(0);
          auto key = [&](LoopBuilder &b, Value t) {
            return makeSortKey(b, b.extract(scores, {t, e}));
          };
          Value chosen =
              forRanked(b, scores, rounds, tokens, key, none,
                        [&](LoopBuilder &b, Value, Value t, Value carried) {
                          return b.insert(e, carried, {t, b.index(0)});
                        });
          return SmallVector<ParallelInsert>{
              {chosen, shared[0], offsets, sizes}};
        })[0];
    rewriter.replaceOpWithMultiple(op, {SmallVector<Value>{experts, scores}});
    return success();
  }
};
} // namespace

void sluice::populateGatesToSCFPatterns(const TypeConverter &converter,
                                        RewritePatternSet &patterns) {
  patterns.add<ConvertFromEntries, ConvertFromDense, ConvertDense,
               ConvertChooseTokens>(converter, patterns.getContext());
}
