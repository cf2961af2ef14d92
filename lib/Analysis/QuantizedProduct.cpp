//===- QuantizedProduct.cpp - Products of small numbers in panels -*- C++
//-*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Analysis/QuantizedProduct.h"

using namespace mlir;
using namespace sluice;

static constexpr llvm::StringLiteral attributeName = "sluice.numbers";

SmallVector<AffineMap> QuantizedProduct::getMaps(MLIRContext *context) const {
  AffineExpr panel, row, line, j, column;
  bindDims(context, panel, row, line, j, column);
  int64_t size = getLineInputs();
  AffineExpr first = line * size;
  SmallVector<SmallVector<AffineExpr, 4>> maps = {{row, first + j}};
  if (isPacked())
    maps.push_back({row, first + j + 4});
  maps.push_back({panel, line, column, j});
  AffineExpr inBlock = first.floorDiv(block);
  maps.push_back({panel, inBlock, column});
  if (hasInputScales())
    maps.push_back({row, first.floorDiv(inputBlock)});
  if (hasZeros)
    maps.push_back({panel, isPacked() ? inBlock.floorDiv(2) : inBlock, column});
  maps.push_back({row, panel, column});
  return AffineMap::inferFromExprList(maps, context);
}

void QuantizedProduct::mark(linalg::GenericOp op) const {
  Builder b(op.getContext());
  op->setAttr(
      attributeName,
      b.getDictionaryAttr(
          {b.getNamedAttr("block", b.getI64IntegerAttr(block)),
           b.getNamedAttr("input_block", b.getI64IntegerAttr(inputBlock)),
           b.getNamedAttr("numbers", TypeAttr::get(numbers)),
           b.getNamedAttr("powers", b.getBoolAttr(hasPowers)),
           b.getNamedAttr("zeros", b.getBoolAttr(hasZeros))}));
}

std::optional<QuantizedProduct> QuantizedProduct::match(linalg::GenericOp op) {
  auto said = op->getAttrOfType<DictionaryAttr>(attributeName);
  if (!said || op.getNumDpsInits() != 1 || op.getNumLoops() != 5)
    return std::nullopt;
  auto numbers = said.getAs<TypeAttr>("numbers");
  auto block = said.getAs<IntegerAttr>("block");
  auto inputBlock = said.getAs<IntegerAttr>("input_block");
  auto powers = said.getAs<BoolAttr>("powers");
  auto zeros = said.getAs<BoolAttr>("zeros");
  if (!numbers || !block || !inputBlock || !powers || !zeros ||
      block.getInt() < 1 || inputBlock.getInt() < 0)
    return std::nullopt;
  Type type = numbers.getValue();
  if (!type.isIntOrFloat() || type.isSignedInteger() ||
      (type.getIntOrFloatBitWidth() != 4 &&
       type.getIntOrFloatBitWidth() != 8) ||
      (zeros.getValue() && !isa<IntegerType>(type)))
    return std::nullopt;
  QuantizedProduct product;
  product.numbers = numbers.getValue();
  product.hasPowers = powers.getValue();
  product.hasZeros = zeros.getValue();
  product.inputBlock = inputBlock.getInt();
  product.block = block.getInt();
  // Lines do not cross blocks.
  if (product.block % product.getLineInputs() != 0 ||
      product.inputBlock % product.getLineInputs() != 0)
    return std::nullopt;
  if (op.getNumDpsInputs() != int64_t(product.getNumInputs()) ||
      op.getIndexingMapsArray() != product.getMaps(op.getContext()))
    return std::nullopt;
  return product;
}
