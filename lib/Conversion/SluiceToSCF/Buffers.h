//===- Buffers.h - What loops fill in any order -----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A parallel loop on tensors inserts one slice an iteration. What a sort
// scatters is no slice: such lowerings work on buffers and hand over a tensor
// when they are done. Bufferisation frees the buffers.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_CONVERSION_SLUICETOSCF_BUFFERS_H
#define SLUICE_LIB_CONVERSION_SLUICETOSCF_BUFFERS_H

#include "SluiceToSCF.h"

namespace sluice {

/// A buffer without contents; static sizes become static dimensions.
mlir::Value makeBuffer(LoopBuilder &b, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                       mlir::Type elementType);

/// A buffer without contents, shaped like the tensor type `type`, with
/// `dynamicSizes` where that is dynamic.
mlir::Value makeBuffer(LoopBuilder &b, mlir::RankedTensorType type,
                       mlir::ValueRange dynamicSizes);

/// The contents of `buffer`, which nothing may write any more.
mlir::Value toTensor(LoopBuilder &b, mlir::Value buffer);

mlir::Value load(LoopBuilder &b, mlir::Value buffer, mlir::ValueRange at);
void store(LoopBuilder &b, mlir::Value value, mlir::Value buffer,
           mlir::ValueRange at);

/// Adds 1 to the index at `at`; returns what was there.
mlir::Value postIncrement(LoopBuilder &b, mlir::Value buffer,
                          mlir::ValueRange at);

/// A loop from 0 to `count` for its effects on buffers.
void forEach(LoopBuilder &b, mlir::Value count,
             llvm::function_ref<void(LoopBuilder &, mlir::Value)> body);

/// The same from `first` to below `last`.
void forRange(LoopBuilder &b, mlir::Value first, mlir::Value last,
              llvm::function_ref<void(LoopBuilder &, mlir::Value)> body);

/// The same in parallel: iterations write different places.
void forEachInParallel(
    LoopBuilder &b, mlir::Value count,
    llvm::function_ref<void(LoopBuilder &, mlir::Value)> body);

/// Cuts 0 to `count` into chunks of `size` and visits these in parallel, each
/// from `first` to below `last`.
void forChunksInParallel(
    LoopBuilder &b, mlir::Value count, int64_t size,
    llvm::function_ref<void(LoopBuilder &, mlir::Value chunk, mlir::Value first,
                            mlir::Value last)>
        body);

} // namespace sluice

#endif // SLUICE_LIB_CONVERSION_SLUICETOSCF_BUFFERS_H
