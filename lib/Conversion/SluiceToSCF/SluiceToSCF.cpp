//===- SluiceToSCF.cpp - Routers and plans to loops -------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SluiceToSCF.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "sluice/Conversion/Passes.h"

namespace sluice {
#define GEN_PASS_DEF_CONVERTSLUICETOSCF
#include "sluice/Conversion/Passes.h.inc"
} // namespace sluice

using namespace mlir;
using namespace sluice;

ValueRange sluice::makeForall(LoopBuilder &b, Value count, ValueRange shared,
                              llvm::function_ref<SmallVector<ParallelInsert>(
                                  LoopBuilder &, Value, ValueRange)>
                                  body) {
  OpFoldResult bound = count;
  auto loop = scf::ForallOp::create(b, b.loc, ArrayRef<OpFoldResult>{bound},
                                    shared, /*mapping=*/std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  LoopBuilder inner(b, b.loc);
  inner.setInsertionPoint(loop.getTerminator());
  SmallVector<ParallelInsert> inserts =
      body(inner, loop.getInductionVar(0), loop.getRegionIterArgs());
  inner.setInsertionPointToEnd(loop.getTerminator().getBody());
  for (ParallelInsert &insert : inserts) {
    SmallVector<OpFoldResult> strides(insert.offsets.size(), b.getIndexAttr(1));
    tensor::ParallelInsertSliceOp::create(inner, b.loc, insert.source,
                                          insert.dest, insert.offsets,
                                          insert.sizes, strides);
  }
  return loop.getResults();
}

ValueRange sluice::makeFor(
    LoopBuilder &b, Value count, ValueRange init,
    llvm::function_ref<SmallVector<Value>(LoopBuilder &, Value, ValueRange)>
        body) {
  auto loop = scf::ForOp::create(
      b, b.loc, b.index(0), count, b.index(1), init,
      [&](OpBuilder &builder, Location loc, Value i, ValueRange carried) {
        LoopBuilder inner(builder, loc);
        scf::YieldOp::create(inner, loc, body(inner, i, carried));
      });
  return loop.getResults();
}

SmallVector<Value>
sluice::ifElse(LoopBuilder &b, Value condition, ValueRange otherwise,
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

Value sluice::makeSortKey(LoopBuilder &b, Value score) {
  Type type = getArithmeticType(score.getType());
  Value value = b.convert(score, type);
  unsigned width = type.getIntOrFloatBitWidth();
  Type integer = b.getIntegerType(width);
  auto constant = [&](APInt number) -> Value {
    return arith::ConstantOp::create(b, b.loc,
                                     b.getIntegerAttr(integer, number));
  };
  // -0.0 + 0.0 is 0.0, everything else stays as it is.
  Value positive =
      arith::AddFOp::create(b, b.loc, value, b.constant(type, 0.0));
  Value bits = arith::BitcastOp::create(b, b.loc, integer, positive);
  // Magnitudes of negative numbers grow downwards.
  Value sign =
      arith::ShRSIOp::create(b, b.loc, bits, constant(APInt(width, width - 1)));
  Value flip = arith::AndIOp::create(b, b.loc, sign,
                                     constant(APInt::getSignedMaxValue(width)));
  Value key = arith::XOrIOp::create(b, b.loc, bits, flip);
  Value isNaN =
      arith::CmpFOp::create(b, b.loc, arith::CmpFPredicate::UNO, value, value);
  return arith::SelectOp::create(
      b, b.loc, isNaN, constant(APInt::getSignedMaxValue(width)), key);
}

Value sluice::comesBefore(LoopBuilder &b, Value key, Value index,
                          Value otherKey, Value otherIndex) {
  Value larger =
      arith::CmpIOp::create(b, b.loc, arith::CmpIPredicate::sgt, key, otherKey);
  Value same =
      arith::CmpIOp::create(b, b.loc, arith::CmpIPredicate::eq, key, otherKey);
  Value lower = arith::CmpIOp::create(b, b.loc, arith::CmpIPredicate::slt,
                                      index, otherIndex);
  return arith::OrIOp::create(b, b.loc, larger,
                              arith::AndIOp::create(b, b.loc, same, lower));
}

void sluice::getRows(LoopBuilder &b, Value tensor, OpFoldResult row,
                     OpFoldResult count, SmallVectorImpl<OpFoldResult> &offsets,
                     SmallVectorImpl<OpFoldResult> &sizes) {
  sizes = tensor::getMixedSizes(b, b.loc, tensor);
  offsets.assign(sizes.size(), b.getIndexAttr(0));
  offsets[0] = row;
  sizes[0] = count;
}

namespace {
struct ConvertSluiceToSCF
    : sluice::impl::ConvertSluiceToSCFBase<ConvertSluiceToSCF> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    TypeConverter converter;
    converter.addConversion([](Type type) { return type; });
    converter.addConversion(
        [](GatesType type,
           SmallVectorImpl<Type> &types) -> std::optional<LogicalResult> {
          int64_t shape[] = {type.getTokens(), type.getSlots()};
          types.push_back(
              RankedTensorType::get(shape, IndexType::get(type.getContext())));
          types.push_back(RankedTensorType::get(shape, type.getElementType()));
          return success();
        });

    ConversionTarget target(*context);
    RewritePatternSet patterns(context);
    populateGatherToSCFPatterns(converter, patterns);
    populateGatesToSCFPatterns(converter, patterns);
    populateRoutersToSCFPatterns(converter, patterns);
    populateSetsToSCFPatterns(converter, patterns);
    populatePlanToSCFPatterns(converter, patterns);
    populateGroupedToSCFPatterns(converter, patterns);
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                   converter);
    populateCallOpTypeConversionPattern(patterns, converter);
    populateReturnOpTypeConversionPattern(patterns, converter);
    scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                         target);

    target.addIllegalOp<TopKOp, AlwaysOp, KeepGroupsOp, NormalizeOp, ScaleOp,
                        EntriesOp, PlanOp, GroupedOp, ExpertsOp, FromEntriesOp,
                        FromDenseOp, DenseOp, ChooseTokensOp, ColumnsOp, JoinOp,
                        FilterOp, ScaleByOp, LimitOp, CapacityOp,
                        tensor::GatherOp>();
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
      return converter.isSignatureLegal(op.getFunctionType());
    });
    target.markUnknownOpDynamicallyLegal([&](Operation *op) {
      return converter.isLegal(op->getOperandTypes()) &&
             converter.isLegal(op->getResultTypes());
    });
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
