//===- RouterOps.cpp - Making gates and the algebra on them -----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Plan.h"
#include "Selection.h"

#include "sluice/Dialect/Sluice/IR/Sluice.h"
#include "llvm/ADT/TypeSwitch.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir;
using namespace sluice;
using namespace sluice::interpreter;

//===----------------------------------------------------------------------===//
// Making gates
//===----------------------------------------------------------------------===//

static LogicalResult evaluateTopK(Evaluator &evaluator, TopKOp op) {
  Tensor scores = evaluator.getTensor(op.getScores());
  Tensor weights = evaluator.getTensor(op.getWeighing());
  if (failed(checkSameShape(op, scores.getShape(), weights.getShape())))
    return failure();
  int64_t numExperts = scores.getDim(1), k = op.getK();
  Gates::Rows rows(scores.getDim(0));
  for (auto [t, row] : llvm::enumerate(rows)) {
    SmallVector<double> tokenScores = getRow(scores, t);
    SmallVector<double> tokenWeights = getRow(weights, t);
    SmallVector<int64_t> order = rank(tokenScores);
    for (int64_t j = 0; j < k; ++j) {
      row.push_back({order[j], tokenWeights[order[j]]});
      if (j + 1 < numExperts)
        recordDecision(evaluator, tokenScores[order[j]],
                       tokenScores[order[j + 1]]);
    }
  }
  evaluator.set(op, Gates(std::move(rows), numExperts));
  return success();
}

static LogicalResult evaluateAlways(Evaluator &evaluator, AlwaysOp op) {
  Tensor weights = evaluator.getTensor(op.getWeights());
  Gates::Rows rows(weights.getDim(0));
  for (auto [t, row] : llvm::enumerate(rows)) {
    SmallVector<double> values = getRow(weights, t);
    for (int64_t expert : op.getExperts())
      row.push_back({expert, values[expert]});
  }
  evaluator.set(op, Gates(std::move(rows), weights.getDim(1)));
  return success();
}

static LogicalResult evaluateKeepGroups(Evaluator &evaluator, KeepGroupsOp op) {
  Tensor scores = evaluator.getTensor(op.getScores());
  int64_t numGroups = op.getGroups(), keep = op.getKeep();
  int64_t size = scores.getDim(1) / numGroups;
  double masked = op.getMasked() == MaskValue::Zero
                      ? 0.0
                      : -std::numeric_limits<double>::infinity();
  Tensor result = scores;
  Element *data = result.mutableData();
  for (int64_t t = 0; t < scores.getDim(0); ++t) {
    SmallVector<double> row = getRow(scores, t);
    SmallVector<double> groupScores;
    for (int64_t g = 0; g < numGroups; ++g) {
      ArrayRef<double> group = ArrayRef(row).slice(g * size, size);
      SmallVector<int64_t> order = rank(group);
      double score = group[order[0]];
      if (op.getGroupScore() == GroupScore::Top2Sum)
        score += group[order[1]];
      groupScores.push_back(score);
    }
    SmallVector<int64_t> order = rank(groupScores);
    if (keep < numGroups)
      recordDecision(evaluator, groupScores[order[keep - 1]],
                     groupScores[order[keep]]);
    for (int64_t g : ArrayRef(order).drop_front(keep))
      for (int64_t i = 0; i < size; ++i)
        data[t * scores.getDim(1) + g * size + i].f = masked;
  }
  evaluator.set(op, std::move(result));
  return success();
}

//===----------------------------------------------------------------------===//
// Changing values
//===----------------------------------------------------------------------===//

static double getNorm(ArrayRef<Slot> slots, std::optional<double> p) {
  double norm = 0.0;
  for (const Slot &slot : slots) {
    if (!slot.isPresent())
      continue;
    if (!p)
      norm += slot.value;
    else if (std::isinf(*p))
      norm = maximum(norm, std::fabs(slot.value));
    else
      norm += std::pow(std::fabs(slot.value), *p);
  }
  return p && !std::isinf(*p) ? std::pow(norm, 1.0 / *p) : norm;
}

static LogicalResult evaluateNormalize(Evaluator &evaluator, NormalizeOp op) {
  auto toNumber = [](std::optional<APFloat> number) -> std::optional<double> {
    if (!number)
      return std::nullopt;
    return number->convertToDouble();
  };
  std::optional<double> p = toNumber(op.getP()), min = toNumber(op.getMin());
  double eps = toNumber(op.getEps()).value_or(0.0);
  Type type = cast<GatesType>(op.getType()).getElementType();
  Gates gates = evaluator.getGates(op.getInput());
  Gates::Rows rows = gates.copyRows();
  for (auto &row : rows) {
    double divisor = getNorm(row, p) + eps;
    if (min)
      divisor = maximum(divisor, *min);
    for (Slot &slot : row)
      if (slot.isPresent())
        slot.value = roundNarrow(slot.value / divisor, type);
  }
  evaluator.set(
      op, Gates(std::move(rows), gates.getNumExperts(), gates.getDropped()));
  return success();
}

static LogicalResult evaluateScale(Evaluator &evaluator, ScaleOp op) {
  Type type = cast<GatesType>(op.getType()).getElementType();
  double factor = op.getFactor().convertToDouble();
  if (!isa<Float64Type>(type))
    factor = roundToType(factor, Float32Type::get(op.getContext()));
  Gates gates = evaluator.getGates(op.getInput());
  Gates::Rows rows = gates.copyRows();
  for (auto &row : rows)
    for (Slot &slot : row)
      if (slot.isPresent())
        slot.value = roundNarrow(slot.value * factor, type);
  evaluator.set(
      op, Gates(std::move(rows), gates.getNumExperts(), gates.getDropped()));
  return success();
}

//===----------------------------------------------------------------------===//
// Reading gates
//===----------------------------------------------------------------------===//

static LogicalResult evaluateEntries(Evaluator &evaluator, EntriesOp op) {
  Gates gates = evaluator.getGates(op.getGates());
  int64_t k = cast<GatesType>(op.getGates().getType()).getCount();
  FailureOr<Tensor> indices =
      evaluator.makeTensor(op, {gates.getNumTokens(), k}, Element::ofInt(-1));
  FailureOr<Tensor> values = evaluator.makeTensor(op, {gates.getNumTokens(), k},
                                                  Element::ofFloat(0.0));
  if (failed(indices) || failed(values))
    return failure();
  Element *nextIndex = indices->mutableData();
  Element *nextValue = values->mutableData();
  for (int64_t t = 0; t < gates.getNumTokens(); ++t)
    for (const Slot &slot : gates.getSlots(t)) {
      if (slot.isPresent()) {
        nextIndex->i = slot.expert;
        nextValue->f = slot.value;
      }
      ++nextIndex;
      ++nextValue;
    }
  evaluator.set(op.getIndices(), std::move(*indices));
  evaluator.set(op.getValues(), std::move(*values));
  return success();
}

Plan sluice::interpreter::makePlan(const Gates &gates, GatesType type) {
  int64_t numTokens = gates.getNumTokens(), slotsPerToken = type.getSlots();
  std::vector<std::vector<int64_t>> slotsOf(gates.getNumExperts());
  for (int64_t t = 0; t < numTokens; ++t)
    for (auto [j, slot] : llvm::enumerate(gates.getSlots(t)))
      if (slot.isPresent())
        slotsOf[slot.expert].push_back(t * slotsPerToken +
                                       (type.isPerToken() ? j : slot.expert));

  Plan plan;
  plan.place.assign(numTokens * slotsPerToken, -1);
  std::vector<int64_t> numPlaces(numTokens, 0);
  for (ArrayRef<int64_t> slots : slotsOf) {
    plan.offsets.push_back(plan.order.size());
    for (int64_t slot : slots) {
      int64_t t = slot / slotsPerToken;
      plan.place[t * slotsPerToken + numPlaces[t]++] = plan.order.size();
      plan.order.push_back(slot);
    }
  }
  plan.offsets.push_back(plan.order.size());
  return plan;
}

static LogicalResult evaluatePlan(Evaluator &evaluator, PlanOp op) {
  Gates gates = evaluator.getGates(op.getGates());
  auto type = cast<GatesType>(op.getGates().getType());
  int64_t k = type.getSlots(), numTokens = gates.getNumTokens();
  // What `order` leaves unspecified is -1, where every use is an error.
  Element none = Element::ofInt(-1);
  FailureOr<Tensor> place = evaluator.makeTensor(op, {numTokens, k}, none);
  if (failed(place))
    return failure();
  FailureOr<Tensor> order = evaluator.makeTensor(op, {numTokens * k}, none);
  FailureOr<Tensor> offsets =
      evaluator.makeTensor(op, {gates.getNumExperts() + 1}, none);
  if (failed(order) || failed(offsets))
    return failure();

  Plan plan = makePlan(gates, type);
  auto setResult = [&](Value result, Tensor &tensor,
                       ArrayRef<int64_t> numbers) {
    llvm::transform(numbers, tensor.mutableData(), Element::ofInt);
    evaluator.set(result, std::move(tensor));
  };
  setResult(op.getOffsets(), *offsets, plan.offsets);
  setResult(op.getOrder(), *order, plan.order);
  setResult(op.getPlace(), *place, plan.place);
  return success();
}

LogicalResult sluice::interpreter::evaluateRouter(Evaluator &evaluator,
                                                  Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](AlwaysOp op) { return evaluateAlways(evaluator, op); })
      .Case([&](EntriesOp op) { return evaluateEntries(evaluator, op); })
      .Case([&](KeepGroupsOp op) { return evaluateKeepGroups(evaluator, op); })
      .Case([&](NormalizeOp op) { return evaluateNormalize(evaluator, op); })
      .Case([&](PlanOp op) { return evaluatePlan(evaluator, op); })
      .Case([&](ScaleOp op) { return evaluateScale(evaluator, op); })
      .Case([&](TopKOp op) { return evaluateTopK(evaluator, op); })
      .Default([&](Operation *op) { return evaluateGates(evaluator, op); });
}
