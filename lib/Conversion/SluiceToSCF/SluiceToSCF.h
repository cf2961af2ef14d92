//===- SluiceToSCF.h - Shared by the patterns to loops ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_CONVERSION_SLUICETOSCF_H
#define SLUICE_LIB_CONVERSION_SLUICETOSCF_H

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Transforms/DialectConversion.h"
#include "sluice/Conversion/Utils.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"

namespace sluice {

/// Gates after conversion: [T, k] experts (index, -1 where the slot is absent)
/// and [T, k] values.
struct GatesValue {
  explicit GatesValue(mlir::ValueRange values)
      : experts(values[0]), values(values[1]) {}
  mlir::Value experts, values;
};

/// A slice that one iteration of a parallel loop writes.
struct ParallelInsert {
  mlir::Value source, dest;
  llvm::SmallVector<mlir::OpFoldResult> offsets, sizes;
};

/// A parallel loop of `count` iterations over tensors that they share. `body`
/// gets the iteration's number and the shared tensors and says what to write.
mlir::ValueRange
makeForall(LoopBuilder &b, mlir::Value count, mlir::ValueRange shared,
           llvm::function_ref<llvm::SmallVector<ParallelInsert>(
               LoopBuilder &, mlir::Value, mlir::ValueRange)>
               body);

/// A loop from 0 to `count` that carries `init`.
mlir::ValueRange makeFor(LoopBuilder &b, mlir::Value count,
                         mlir::ValueRange init,
                         llvm::function_ref<llvm::SmallVector<mlir::Value>(
                             LoopBuilder &, mlir::Value, mlir::ValueRange)>
                             body);

/// What `body` yields if `condition` holds, else `otherwise`.
llvm::SmallVector<mlir::Value>
ifElse(LoopBuilder &b, mlir::Value condition, mlir::ValueRange otherwise,
       llvm::function_ref<llvm::SmallVector<mlir::Value>(LoopBuilder &)> body);

/// An integer whose signed order is that of scores (see sluice.topk): larger
/// scores have larger keys, both zeros the same, NaN the largest of all.
mlir::Value makeSortKey(LoopBuilder &b, mlir::Value score);

/// The row `row` of `tensor`: offsets and sizes of it alone, all of the other
/// dimensions.
void getRows(LoopBuilder &b, mlir::Value tensor, mlir::OpFoldResult row,
             mlir::OpFoldResult count,
             llvm::SmallVectorImpl<mlir::OpFoldResult> &offsets,
             llvm::SmallVectorImpl<mlir::OpFoldResult> &sizes);

/// A score with a key and a number comes before another one: a larger key, or
/// the same at a lower number.
mlir::Value comesBefore(LoopBuilder &b, mlir::Value key, mlir::Value index,
                        mlir::Value otherKey, mlir::Value otherIndex);

void populateGatherToSCFPatterns(const mlir::TypeConverter &converter,
                                 mlir::RewritePatternSet &patterns);
void populateGatesToSCFPatterns(const mlir::TypeConverter &converter,
                                mlir::RewritePatternSet &patterns);
void populateRoutersToSCFPatterns(const mlir::TypeConverter &converter,
                                  mlir::RewritePatternSet &patterns);
void populateSetsToSCFPatterns(const mlir::TypeConverter &converter,
                               mlir::RewritePatternSet &patterns);
void populatePlanToSCFPatterns(const mlir::TypeConverter &converter,
                               mlir::RewritePatternSet &patterns);
void populateGroupedToSCFPatterns(const mlir::TypeConverter &converter,
                                  mlir::RewritePatternSet &patterns);

} // namespace sluice

#endif // SLUICE_LIB_CONVERSION_SLUICETOSCF_H
