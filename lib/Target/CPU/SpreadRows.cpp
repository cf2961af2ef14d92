//===- SpreadRows.cpp - Rows where kernels read them ------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SpreadRows.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

/// Whether all that uses `buffer`, and parts of it, works for any strides.
static bool takesAnyStrides(Value buffer) {
  return llvm::all_of(buffer.getUsers(), [&](Operation *user) {
    if (isa<linalg::LinalgOp, memref::DeallocOp, memref::LoadOp, memref::DimOp,
            memref::CopyOp>(user))
      return true;
    if (auto store = dyn_cast<memref::StoreOp>(user))
      return store.getValueToStore() != buffer;
    auto view = dyn_cast<memref::SubViewOp>(user);
    return view && takesAnyStrides(view.getResult());
  });
}

/// Gives what is a part of `buffer` the type that it has now.
static void updateViews(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  for (Operation *user : buffer.getUsers()) {
    auto view = dyn_cast<memref::SubViewOp>(user);
    if (!view)
      continue;
    view.getResult().setType(memref::SubViewOp::inferRankReducedResultType(
        view.getType().getShape(), type, view.getMixedOffsets(),
        view.getMixedSizes(), view.getMixedStrides()));
    updateViews(view.getResult());
  }
}

bool sluice::spreadRows(Value buffer, int64_t stride) {
  auto alloc = buffer.getDefiningOp<memref::AllocOp>();
  MemRefType type = alloc ? alloc.getType() : MemRefType();
  if (!type || type.getRank() != 2 || type.isDynamicDim(1) ||
      !type.getLayout().isIdentity() || type.getDimSize(1) > stride ||
      !alloc.getSymbolOperands().empty() || !takesAnyStrides(buffer))
    return false;
  OpBuilder b(alloc);
  Location loc = alloc.getLoc();
  MemRefType wide = MemRefType::Builder(type).setShape(
      ArrayRef<int64_t>{type.getDimSize(0), stride});
  auto whole = memref::AllocOp::create(b, loc, wide, alloc.getDynamicSizes(),
                                       alloc.getAlignmentAttr());
  SmallVector<OpFoldResult> offsets(2, b.getIndexAttr(0)),
      strides(2, b.getIndexAttr(1)), sizes = alloc.getMixedSizes();
  Value rows =
      memref::SubViewOp::create(b, loc, whole, offsets, sizes, strides);
  for (Operation *user : llvm::make_early_inc_range(buffer.getUsers()))
    if (auto dealloc = dyn_cast<memref::DeallocOp>(user))
      dealloc.getMemrefMutable().assign(whole);
  buffer.replaceAllUsesWith(rows);
  alloc.erase();
  updateViews(rows);
  return true;
}
