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
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "sluice/Dialect/Sluice/IR/SluiceUtils.h"

using namespace mlir;

/// What uses `buffer`, or a part of it, and does not work for any strides; null
/// if there is nothing.
static Operation *findFixedUse(Value buffer) {
  for (Operation *user : buffer.getUsers()) {
    if (isa<linalg::LinalgOp, memref::DeallocOp, memref::LoadOp, memref::DimOp,
            memref::CopyOp>(user))
      continue;
    auto store = dyn_cast<memref::StoreOp>(user);
    if (store && store.getValueToStore() != buffer)
      continue;
    auto view = dyn_cast<memref::SubViewOp>(user);
    Operation *fixed = view ? findFixedUse(view.getResult()) : user;
    if (fixed)
      return fixed;
  }
  return nullptr;
}

/// Where the elements of `buffer` come from, in words.
static std::string describeSource(Value buffer) {
  bool isPart = false;
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>()) {
    isPart = true;
    buffer = view.getViewSource();
  }
  if (buffer.getDefiningOp<memref::AllocOp>())
    return isPart ? "they are a part, or another shape, of a buffer"
                  : "their buffer has no rows of one known size";
  auto argument = dyn_cast<BlockArgument>(buffer);
  if (argument && isa<FunctionOpInterface>(argument.getOwner()->getParentOp()))
    return "they are an argument of the function";
  Operation *source =
      argument ? argument.getOwner()->getParentOp() : buffer.getDefiningOp();
  return ("'" + source->getName().getStringRef() + "' at " +
          sluice::getLocationText(source->getLoc()) + " makes them")
      .str();
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

bool sluice::spreadRows(Value buffer, int64_t stride, std::string &obstacle) {
  auto alloc = buffer.getDefiningOp<memref::AllocOp>();
  MemRefType type = alloc ? alloc.getType() : MemRefType();
  if (!type || type.getRank() != 2 || type.isDynamicDim(1) ||
      !type.getLayout().isIdentity() || type.getDimSize(1) > stride ||
      !alloc.getSymbolOperands().empty()) {
    obstacle = describeSource(buffer);
    return false;
  }
  if (Operation *user = findFixedUse(buffer)) {
    obstacle = ("'" + user->getName().getStringRef() + "' at " +
                getLocationText(user->getLoc()) + " needs them as they are")
                   .str();
    return false;
  }
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
