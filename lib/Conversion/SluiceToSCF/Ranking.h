//===- Ranking.h - The largest of many scores -------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Scores are compared by their sort keys (makeSortKey): integers whose signed
// order is that of `sluice.topk`, and among which the smallest integer is none.
// Equal keys are ordered by their numbers, the lower one first.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_CONVERSION_SLUICETOSCF_RANKING_H
#define SLUICE_LIB_CONVERSION_SLUICETOSCF_RANKING_H

#include "SluiceToSCF.h"

namespace sluice {

/// The type of the sort keys of scores of type `score`.
mlir::IntegerType getKeyType(mlir::Type score);

/// An integer constant: the smallest, which is no key, or the largest, which is
/// the key of NaN.
mlir::Value makeSmallestKey(LoopBuilder &b, mlir::IntegerType type);
mlir::Value makeLargestKey(LoopBuilder &b, mlir::IntegerType type);

/// The largest of some keys one after the other. A round costs a walk over
/// `count` keys, or over about the root of that many where it is large: then
/// blocks of keys have their largest beside them.
class KeyQueue {
public:
  /// Makes buffers for `count` keys, of which at most `rounds` are taken.
  KeyQueue(LoopBuilder &b, mlir::IntegerType keyType, int64_t count,
           int64_t rounds);

  /// Fills the queue anew; `key` gives the key of each number.
  void fill(LoopBuilder &b,
            llvm::function_ref<mlir::Value(LoopBuilder &, mlir::Value)> key);

  /// Takes the largest key that is left out of the queue; returns its number.
  mlir::Value take(LoopBuilder &b);

private:
  struct Largest {
    mlir::Value key, number;
  };
  Largest findLargest(LoopBuilder &b, mlir::Value buffer, mlir::Value start,
                      int64_t count);
  void refreshBlock(LoopBuilder &b, mlir::Value block);

  mlir::IntegerType keyType;
  int64_t count, lanes, blockSize, numBlocks;
  mlir::Value keys, largestOfBlock;
};

/// The numbers 0 to `count` - 1 by falling keys; `keys` is a buffer of `count`
/// keys. Time is linear in `count`.
mlir::Value sortByKeys(LoopBuilder &b, mlir::Value keys, mlir::Value count);

/// The last one of the `wanted` first of `count` keys: the key and its number.
/// A key is one of the first if it is larger, or the same at a number that is
/// not larger. With `wanted` < 1 no key is. `key` gives the key of a number.
/// Time is linear in `count`.
std::pair<mlir::Value, mlir::Value> findLastOfFirst(
    LoopBuilder &b, mlir::IntegerType keyType, mlir::Value count,
    mlir::Value wanted,
    llvm::function_ref<mlir::Value(LoopBuilder &, mlir::Value)> key);

} // namespace sluice

#endif // SLUICE_LIB_CONVERSION_SLUICETOSCF_RANKING_H
