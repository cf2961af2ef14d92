//===- SluiceUtils.cpp - Names that reports give to ops ---------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Dialect/Sluice/IR/SluiceUtils.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace sluice;

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

/// The calls of `function`.
static SmallVector<CallOpInterface> findCalls(FunctionOpInterface function) {
  SmallVector<CallOpInterface> calls;
  Operation *table =
      SymbolTable::getNearestSymbolTable(function->getParentOp());
  if (!table)
    return calls;
  if (auto uses = SymbolTable::getSymbolUses(function, table))
    for (SymbolTable::SymbolUse use : *uses)
      if (auto call = dyn_cast<CallOpInterface>(use.getUser()))
        calls.push_back(call);
  return calls;
}

/// What the gates of another function are, seen from the function that has
/// them as an argument or as the result of a call.
static SmallVector<Value> followCall(Value gates) {
  SmallVector<Value> origins;
  if (auto argument = dyn_cast<BlockArgument>(gates)) {
    auto function =
        dyn_cast<FunctionOpInterface>(argument.getOwner()->getParentOp());
    if (function && argument.getOwner()->isEntryBlock())
      for (CallOpInterface call : findCalls(function))
        origins.push_back(call.getArgOperands()[argument.getArgNumber()]);
    return origins;
  }
  auto call = dyn_cast<CallOpInterface>(gates.getDefiningOp());
  if (!call)
    return origins;
  auto callee = dyn_cast_or_null<FunctionOpInterface>(call.resolveCallable());
  // With several calls, the limit would count for the experts of each.
  if (!callee || !callee.getFunctionBody().hasOneBlock() ||
      findCalls(callee).size() != 1)
    return origins;
  Operation *end = callee.getFunctionBody().front().getTerminator();
  origins.push_back(end->getOperand(cast<OpResult>(gates).getResultNumber()));
  return origins;
}

SmallVector<LimitedExperts> sluice::findLimits(Value gates) {
  using Range = std::tuple<Value, int64_t, int64_t>;
  SmallVector<LimitedExperts> limits;
  llvm::SetVector<Range> ranges;
  ranges.insert({gates, 0, cast<GatesType>(gates.getType()).getExperts()});
  for (size_t i = 0; i < ranges.size(); ++i) {
    auto [value, from, to] = ranges[i];
    Operation *op = value.getDefiningOp();
    if (!op || !isa<SluiceDialect>(op->getDialect())) {
      for (Value origin : followCall(value))
        ranges.insert({origin, from, to});
      continue;
    }
    if (isa<LimitOp>(op))
      limits.push_back({op, from, to});
    // Other ops that make gates of gates keep the experts' numbers.
    int64_t shift = 0;
    if (auto columns = dyn_cast<ColumnsOp>(op))
      shift = columns.getFrom();
    for (Value operand : op->getOperands())
      if (isa<GatesType>(operand.getType()))
        ranges.insert({operand, from + shift, to + shift});
  }
  return limits;
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

BlockArgument sluice::getParamArgument(OpOperand &use) {
  auto find = [&](auto op) -> BlockArgument {
    unsigned first = op.getParams().getBeginOperandIndex();
    unsigned number = use.getOperandNumber() - first;
    if (use.getOperandNumber() < first || number >= op.getParams().size())
      return {};
    return op.getBody().getArgument(op.getInputs().size() + number);
  };
  if (auto experts = dyn_cast<ExpertsOp>(use.getOwner()))
    return find(experts);
  if (auto grouped = dyn_cast<GroupedOp>(use.getOwner()))
    return find(grouped);
  return {};
}
