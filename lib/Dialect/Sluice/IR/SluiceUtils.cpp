//===- SluiceUtils.cpp - Names that reports give to ops ---------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Dialect/Sluice/IR/SluiceUtils.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"

using namespace mlir;

bool sluice::isRoutedOp(Operation *op) { return isa<ExpertsOp, GroupedOp>(op); }

std::string sluice::getRoutedOpName(Operation *op) {
  if (auto label = op->getAttrOfType<StringAttr>("sluice.label"))
    return label.str();
  Operation *function = op->getParentOfType<FunctionOpInterface>();
  unsigned number = 0;
  if (function)
    function->walk<WalkOrder::PreOrder>([&](Operation *other) {
      if (other == op)
        return WalkResult::interrupt();
      number += isRoutedOp(other);
      return WalkResult::advance();
    });
  return "experts#" + std::to_string(number);
}

std::string sluice::getFunctionName(Operation *op) {
  auto function = op->getParentOfType<FunctionOpInterface>();
  return function ? function.getName().str() : std::string();
}

std::string sluice::getLocationText(Location loc) {
  auto position = loc->findInstanceOf<FileLineColLoc>();
  if (!position)
    return "unknown";
  return (position.getFilename().getValue() + ":" + Twine(position.getLine()) +
          ":" + Twine(position.getColumn()))
      .str();
}
