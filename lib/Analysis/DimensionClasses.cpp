//===- DimensionClasses.cpp - Sizes that must be equal ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Analysis/DimensionClasses.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"

using namespace mlir;
using namespace sluice;

static unsigned getRank(Value value) {
  if (isa<GatesType>(value.getType()))
    return 1;
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type ? type.getRank() : 0;
}

static int64_t getSize(Value value, unsigned dim) {
  if (auto gates = dyn_cast<GatesType>(value.getType()))
    return gates.getTokens();
  return cast<RankedTensorType>(value.getType()).getDimSize(dim);
}

DimensionClasses::DimensionClasses(ModuleOp module) {
  SmallVector<func::CallOp> calls;
  module.walk([&](Operation *op) {
    if (auto call = dyn_cast<func::CallOp>(op))
      calls.push_back(call);
    else
      visit(op);
  });
  // What a callee ties may be what its caller's own callers need.
  for (bool hasChanged = true; hasChanged;) {
    hasChanged = false;
    for (func::CallOp call : calls)
      hasChanged |= visitCall(call);
  }
}

bool DimensionClasses::areTied(Value a, unsigned aDim, Value b,
                               unsigned bDim) const {
  return classes.isEquivalent({a.getAsOpaquePointer(), aDim},
                              {b.getAsOpaquePointer(), bDim});
}

std::optional<int64_t> DimensionClasses::getStaticSize(Value value,
                                                       unsigned dim) const {
  Dim key = {value.getAsOpaquePointer(), dim};
  if (!classes.contains(key))
    return std::nullopt;
  for (auto it = classes.findLeader(key); it != classes.member_end(); ++it) {
    int64_t size = getSize(Value::getFromOpaquePointer(it->first), it->second);
    if (!ShapedType::isDynamic(size))
      return size;
  }
  return std::nullopt;
}

void DimensionClasses::tie(Value a, unsigned aDim, Value b, unsigned bDim) {
  if (aDim < getRank(a) && bDim < getRank(b))
    classes.unionSets({a.getAsOpaquePointer(), aDim},
                      {b.getAsOpaquePointer(), bDim});
}

void DimensionClasses::tieAll(Value a, Value b) {
  for (unsigned d = 0, e = std::min(getRank(a), getRank(b)); d < e; ++d)
    tie(a, d, b, d);
}

/// Experts at either level: their rows, and what the bodies yield.
void DimensionClasses::visitBody(Operation *op) {
  auto tieResult = [&](Value gates, Value base) {
    tie(gates, 0, op->getResult(0), 0);
    if (base)
      tieAll(base, op->getResult(0));
  };
  auto tieRows = [&](Value gates, ValueRange inputs, Region &region) {
    for (Value input : inputs)
      tie(gates, 0, input, 0);
    // All inputs have the rows of one expert.
    Block &body = region.front();
    if (inputs.empty())
      return;
    for (unsigned i = 0; i < inputs.size(); ++i)
      tie(body.getArgument(0), 0, body.getArgument(i), 0);
    tie(body.getArgument(0), 0, body.getTerminator()->getOperand(0), 0);
  };
  if (auto experts = dyn_cast<ExpertsOp>(op)) {
    tieResult(experts.getGates(), experts.getBase());
    tieRows(experts.getGates(), experts.getInputs(), experts.getBody());
  } else if (auto grouped = dyn_cast<GroupedOp>(op)) {
    tieResult(grouped.getGates(), grouped.getBase());
    tieRows(grouped.getGates(), grouped.getInputs(), grouped.getBody());
  } else if (auto mixed = dyn_cast<MixedExpertsOp>(op)) {
    tieResult(mixed.getGates(), mixed.getBase());
    for (const MixedExpertsOp::Case &part : mixed.getCases())
      tieRows(mixed.getGates(), part.inputs, *part.body);
  }
}

void DimensionClasses::visit(Operation *op) {
  if (isa<ExpertsOp, MixedExpertsOp, GroupedOp>(op))
    return visitBody(op);
  if (auto linear = dyn_cast<LinearOp>(op)) {
    tie(linear.getInput(), 0, linear.getResult(), 0);
    if (linear.getInterleave() == 1)
      tie(linear.getInput(), 1, linear.getWeight(), linear.getInDim());
    if (linear.getLayout() != Layout::Panels)
      tie(linear.getResult(), 1, linear.getWeight(), linear.getOutDim());
    if (linear.getBias())
      tie(linear.getBias(), 0, linear.getResult(), 1);
    return;
  }
  if (auto topk = dyn_cast<TopKOp>(op)) {
    tie(topk.getScores(), 0, topk.getGates(), 0);
    if (topk.getWeights())
      tieAll(topk.getScores(), topk.getWeights());
    return;
  }
  if (auto broadcast = dyn_cast<BroadcastOp>(op)) {
    Value source = broadcast.getSource(), like = broadcast.getLike();
    tieAll(like, broadcast.getResult());
    unsigned rank = getRank(source), missing = getRank(like) - rank;
    for (unsigned d = 0; d < rank; ++d)
      if (getSize(source, d) != 1)
        tie(source, d, like, d + missing);
    return;
  }
  if (isa<FromEntriesOp, FromDenseOp, JoinOp, ChooseTokensOp, LimitOp>(op)) {
    // Tokens everywhere; a capacity has no dimension.
    for (Value operand : op->getOperands())
      tie(operand, 0, op->getResult(0), 0);
    return;
  }
  if (isa<FilterOp, ScaleByOp>(op)) {
    Value spread = op->getOperand(1);
    tie(op->getOperand(0), 0, op->getResult(0), 0);
    if (getRank(spread) == 2 && getSize(spread, 0) != 1)
      tie(spread, 0, op->getResult(0), 0);
    return;
  }
  if (auto norm = dyn_cast<RMSNormOp>(op))
    return tieAll(norm.getInput(), norm.getResult());
  if (isa<AlwaysOp, EntriesOp, SplitOp, PlanOp, DenseOp, ColumnsOp>(op)) {
    // Tokens stay tokens; the offsets of a plan are something else.
    for (Value result : op->getResults())
      if (getRank(result) > 1 || isa<GatesType>(result.getType()))
        tie(op->getOperand(0), 0, result, 0);
    return;
  }
  if (auto linear = dyn_cast<QuantizedLinearOp>(op)) {
    tie(linear.getInput(), 0, linear.getResult(), 0);
    if (linear.getInputScales())
      tie(linear.getInputScales(), 0, linear.getResult(), 0);
    return;
  }
  if (isa<DequantizeOp, QuantizeOp>(op)) {
    // What is dynamic is not cut into blocks: all have a row for each row. The
    // last dimension is bytes for some and blocks for others, unless it is.
    auto whole = cast<RankedTensorType>(isa<QuantizeOp>(op)
                                            ? op->getOperand(0).getType()
                                            : op->getResult(0).getType());
    Value first = op->getOperand(0);
    auto tieDynamic = [&](Value value) {
      for (unsigned d = 0, e = whole.getRank(); d < e; ++d)
        if (whole.isDynamicDim(d))
          tie(first, d, value, d);
    };
    llvm::for_each(op->getOperands(), tieDynamic);
    llvm::for_each(op->getResults(), tieDynamic);
    return;
  }
  if (isa<KeepGroupsOp, NormalizeOp, ScaleOp, SoftmaxOp, SigmoidOp, SoftplusOp,
          SiluOp, ReluOp, GeluOp, ClampOp, tensor::CastOp>(op) ||
      OpTrait::hasElementwiseMappableTraits(op)) {
    for (Value operand : op->getOperands())
      for (Value result : op->getResults())
        if (getRank(operand) == getRank(result))
          tieAll(operand, result);
    return;
  }
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
    // Operand dimensions that one loop runs over.
    SmallVector<std::pair<Value, unsigned>> first(linalgOp.getNumLoops());
    for (OpOperand &operand : op->getOpOperands()) {
      AffineMap map = linalgOp.getMatchingIndexingMap(&operand);
      for (unsigned d = 0; d < map.getNumResults(); ++d) {
        auto loop = dyn_cast<AffineDimExpr>(map.getResult(d));
        if (!loop)
          continue;
        auto &seen = first[loop.getPosition()];
        if (seen.first)
          tie(seen.first, seen.second, operand.get(), d);
        else
          seen = {operand.get(), d};
      }
    }
    for (OpOperand &init : linalgOp.getDpsInitsMutable())
      if (linalgOp.hasPureTensorSemantics())
        tieAll(init.get(), linalgOp.getTiedOpResult(&init));
    return;
  }
}

/// What the callee demands of its arguments and knows of its results holds for
/// what this call gives and gets. The other way round would make one size of
/// those that several calls have.
bool DimensionClasses::visitCall(Operation *op) {
  auto call = cast<func::CallOp>(op);
  auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      call, call.getCalleeAttr());
  if (!callee || callee.isExternal())
    return false;
  struct Border {
    Value outer, inner;
    unsigned dim;
  };
  SmallVector<Border> borders;
  auto add = [&](ValueRange outer, ValueRange inner) {
    for (auto [o, i] : llvm::zip_equal(outer, inner))
      for (unsigned d = 0, e = std::min(getRank(o), getRank(i)); d < e; ++d)
        borders.push_back({o, i, d});
  };
  add(call.getOperands(), callee.getArguments());
  add(call.getResults(),
      callee.getBody().back().getTerminator()->getOperands());
  bool hasChanged = false;
  auto unite = [&](const Border &a, Value b, unsigned bDim) {
    if (areTied(a.outer, a.dim, b, bDim))
      return;
    tie(a.outer, a.dim, b, bDim);
    hasChanged = true;
  };
  for (auto [i, border] : llvm::enumerate(borders)) {
    if (getSize(border.inner, border.dim) != ShapedType::kDynamic ||
        getStaticSize(border.inner, border.dim))
      unite(border, border.inner, border.dim);
    for (const Border &other : ArrayRef(borders).take_front(i))
      if (areTied(border.inner, border.dim, other.inner, other.dim))
        unite(border, other.outer, other.dim);
  }
  return hasChanged;
}
