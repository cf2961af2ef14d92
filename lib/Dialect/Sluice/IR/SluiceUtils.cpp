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

bool sluice::isRoutedOp(Operation *op) {
  return isa<ExpertsOp, MixedExpertsOp, GroupedOp>(op);
}

void sluice::walkRoutedBodies(Operation *root,
                              llvm::function_ref<void(Region &)> visit) {
  for (Region &region : root->getRegions()) {
    if (isRoutedOp(root))
      visit(region);
    for (Operation &op : region.getOps())
      walkRoutedBodies(&op, visit);
  }
}

std::string sluice::getRoutedBodyName(Region &body) {
  Operation *op = body.getParentOp();
  if (auto label = op->getAttrOfType<StringAttr>("sluice.label")) {
    if (op->getNumRegions() == 1)
      return label.str();
    return (label.getValue() + "." + Twine(body.getRegionNumber())).str();
  }
  unsigned number = 0;
  if (Operation *function = op->getParentOfType<FunctionOpInterface>()) {
    bool isFound = false;
    walkRoutedBodies(function, [&](Region &other) {
      isFound |= &other == &body;
      number += !isFound;
    });
  }
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
