//===- PackedUses.cpp - What reads a weight in panels -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PackedUses.h"

#include "sluice/Dialect/Sluice/IR/SluiceUtils.h"

using namespace mlir;
using namespace sluice;

bool sluice::takesWholeMatrices(tensor::ExtractSliceOp slice, int64_t dims) {
  RankedTensorType from = slice.getSourceType(), to = slice.getType();
  if (from.getRank() < dims || to.getRank() < dims)
    return false;
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  for (int64_t d = from.getRank() - dims; d < from.getRank(); ++d)
    if (dropped.test(d) || from.isDynamicDim(d) ||
        getConstantIntValue(slice.getMixedOffsets()[d]) != 0 ||
        getConstantIntValue(slice.getMixedSizes()[d]) != from.getDimSize(d) ||
        getConstantIntValue(slice.getMixedStrides()[d]) != 1)
      return false;
  return true;
}

void sluice::setColumns(LinearOp product, int64_t inputs, int64_t outputs) {
  OpBuilder b(product);
  Location loc = product.getLoc();
  RankedTensorType input = product.getInput().getType();
  if (input.isDynamicDim(1))
    product.getInputMutable().assign(tensor::CastOp::create(
        b, loc, input.clone({input.getDimSize(0), inputs}),
        product.getInput()));
  RankedTensorType result = product.getType();
  if (!result.isDynamicDim(1))
    return;
  product.getResult().setType(result.clone({result.getDimSize(0), outputs}));
  b.setInsertionPointAfter(product);
  auto cast = tensor::CastOp::create(b, loc, result, product);
  product.getResult().replaceAllUsesExcept(cast, cast);
}

void PackedUses::add(GetWeightOp get) {
  gets.push_back(get);
  collect(get);
}

void PackedUses::collect(Value weight) {
  for (OpOperand &use : weight.getUses()) {
    if (BlockArgument argument = getParamArgument(use)) {
      arguments.push_back(argument);
      collect(argument);
      continue;
    }
    auto slice = dyn_cast<tensor::ExtractSliceOp>(use.getOwner());
    if (slice && slice.getSource() == weight && takesWholeMatrices(slice, 2)) {
      slices.push_back(slice);
      collect(slice);
      continue;
    }
    consumers.push_back(&use);
  }
}

void PackedUses::setPanels(PanelsAttr panels) {
  for (GetWeightOp get : gets)
    get.getResult().setType(panels.getPackedType(get.getType()));
  for (BlockArgument argument : arguments)
    argument.setType(
        panels.getPackedType(cast<RankedTensorType>(argument.getType())));
  for (tensor::ExtractSliceOp slice : slices) {
    OpBuilder b(slice);
    // The source is packed already: its matrices may have another rank.
    size_t leading = slice.getStaticSizes().size() - panels.getDims();
    SmallVector<OpFoldResult> offsets = slice.getMixedOffsets(),
                              sizes = slice.getMixedSizes(),
                              strides = slice.getMixedStrides();
    for (SmallVector<OpFoldResult> *values : {&offsets, &sizes, &strides})
      values->resize(leading);
    RankedTensorType type = panels.getPackedType(slice.getType());
    auto source = cast<RankedTensorType>(slice.getSource().getType());
    for (int64_t size : source.getShape().drop_front(leading)) {
      offsets.push_back(b.getIndexAttr(0));
      sizes.push_back(b.getIndexAttr(size));
      strides.push_back(b.getIndexAttr(1));
    }
    Value packed = tensor::ExtractSliceOp::create(
        b, slice.getLoc(), type, slice.getSource(), offsets, sizes, strides);
    slice.getResult().replaceAllUsesWith(packed);
    slice.erase();
  }
  slices.clear();
}
