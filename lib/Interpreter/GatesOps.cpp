//===- GatesOps.cpp - Gates from tensors, and gates as sets -----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Selection.h"

#include "sluice/Dialect/Sluice/IR/Sluice.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/TypeSwitch.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir;
using namespace sluice;
using namespace sluice::interpreter;

using Row = Gates::Rows::value_type;

static constexpr Slot absentSlot = {-1, 0.0};

static GatesType getGatesType(Value gates) {
  return cast<GatesType>(gates.getType());
}

/// A token's entries without the absent slots between them.
static Row getEntries(ArrayRef<Slot> slots) {
  Row entries;
  llvm::copy_if(slots, std::back_inserter(entries),
                [](const Slot &slot) { return slot.isPresent(); });
  return entries;
}

/// Sets `result` to gates of these rows of entries, less what was `dropped`; a
/// bound per token fills them up with absent slots.
static LogicalResult setGates(Evaluator &evaluator, Value result,
                              Gates::Rows rows,
                              Gates::DroppedList dropped = {}) {
  GatesType type = getGatesType(result);
  if (type.isPerToken())
    for (Row &row : rows)
      row.resize(type.getCount(), absentSlot);
  evaluator.set(result,
                Gates(std::move(rows), type.getExperts(), std::move(dropped)));
  return success();
}

static LogicalResult checkNumRows(Operation *op, StringRef name,
                                  const Tensor &tensor, int64_t expected,
                                  StringRef reason) {
  if (tensor.getDim(0) == expected)
    return success();
  return op->emitError("expected ")
         << name << " of " << expected << " rows, " << reason << ", but got "
         << tensor.getDim(0);
}

//===----------------------------------------------------------------------===//
// Between gates and tensors
//===----------------------------------------------------------------------===//

static LogicalResult evaluateFromEntries(Evaluator &evaluator,
                                         FromEntriesOp op) {
  Tensor indices = evaluator.getTensor(op.getIndices());
  int64_t numTokens = indices.getDim(0), k = indices.getDim(1);
  int64_t numExperts = getGatesType(op.getGates()).getExperts();
  Tensor values, weights;
  if (op.getValues()) {
    values = evaluator.getTensor(op.getValues());
    if (failed(checkSameShape(op, indices.getShape(), values.getShape())))
      return failure();
  }
  if (op.getWeights()) {
    weights = evaluator.getTensor(op.getWeights());
    if (failed(checkNumRows(op, "weights", weights, numTokens,
                            "as the indices have")))
      return failure();
  }

  Gates::Rows rows(numTokens);
  for (auto [t, row] : llvm::enumerate(rows))
    for (int64_t j = 0; j < k; ++j) {
      int64_t position = t * k + j;
      int64_t expert = indices.data()[position].i;
      if (expert < -1 || expert >= numExperts)
        return op.emitError("expected an expert below ")
               << numExperts << ", or -1, in slot " << j << " of token " << t
               << " but got " << expert;
      for (auto [other, slot] : llvm::enumerate(row))
        if (slot.isPresent() && slot.expert == expert)
          return op.emitError("expected different experts in the slots of "
                              "token ")
                 << t << " but slots " << other << " and " << j
                 << " both have expert " << expert;
      double value = 1.0;
      if (op.getValues())
        value = values.data()[position].f;
      else if (op.getWeights() && expert >= 0)
        value = weights.data()[t * numExperts + expert].f;
      row.push_back(expert < 0 ? absentSlot : Slot{expert, value});
    }
  return setGates(evaluator, op.getGates(), std::move(rows));
}

static LogicalResult evaluateFromDense(Evaluator &evaluator, FromDenseOp op) {
  Tensor values = evaluator.getTensor(op.getValues());
  Tensor mask = evaluator.getTensor(op.getMask());
  if (failed(checkSameShape(op, values.getShape(), mask.getShape())))
    return failure();
  GatesType type = getGatesType(op.getGates());
  Gates::Rows rows(values.getDim(0));
  for (auto [t, row] : llvm::enumerate(rows)) {
    for (int64_t e = 0; e < type.getExperts(); ++e) {
      int64_t position = t * type.getExperts() + e;
      if (mask.data()[position].i)
        row.push_back({e, values.data()[position].f});
    }
    if (type.isPerToken() && static_cast<int64_t>(row.size()) > type.getCount())
      return op.emitError("expected at most ")
             << type.getCount() << " entries in the mask for each token but "
             << "token " << t << " has " << row.size();
  }
  return setGates(evaluator, op.getGates(), std::move(rows));
}

static LogicalResult evaluateDense(Evaluator &evaluator, DenseOp op) {
  Gates gates = evaluator.getGates(op.getGates());
  int64_t numExperts = gates.getNumExperts();
  int64_t shape[] = {gates.getNumTokens(), numExperts};
  FailureOr<Tensor> values =
      evaluator.makeTensor(op, shape, Element::ofFloat(0.0));
  FailureOr<Tensor> present =
      evaluator.makeTensor(op, shape, Element::ofInt(0));
  if (failed(values) || failed(present))
    return failure();
  Element *valueData = values->mutableData();
  Element *presentData = present->mutableData();
  for (int64_t t = 0; t < gates.getNumTokens(); ++t)
    for (const Slot &slot : gates.getSlots(t))
      if (slot.isPresent()) {
        valueData[t * numExperts + slot.expert].f = slot.value;
        presentData[t * numExperts + slot.expert].i = 1;
      }
  evaluator.set(op.getValues(), std::move(*values));
  evaluator.set(op.getPresent(), std::move(*present));
  return success();
}

static LogicalResult evaluateChooseTokens(Evaluator &evaluator,
                                          ChooseTokensOp op) {
  Tensor scores = evaluator.getTensor(op.getScores());
  int64_t numTokens = scores.getDim(0);
  int64_t size =
      std::clamp<int64_t>(evaluator.getInt(op.getCapacity()), 0, numTokens);
  Gates::Rows rows(numTokens);
  // Expert after expert, so that each token's entries are in that order.
  for (int64_t e = 0; e < scores.getDim(1); ++e) {
    SmallVector<double> column = getColumn(scores, e);
    SmallVector<int64_t> order = rank(column);
    for (int64_t t : ArrayRef(order).take_front(size))
      rows[t].push_back({e, column[t]});
    // Among the chosen the order decides nothing.
    if (size > 0 && size < numTokens)
      recordDecision(evaluator, column[order[size - 1]], column[order[size]]);
  }
  return setGates(evaluator, op.getGates(), std::move(rows));
}

//===----------------------------------------------------------------------===//
// Sets of entries
//===----------------------------------------------------------------------===//

static LogicalResult evaluateColumns(Evaluator &evaluator, ColumnsOp op) {
  Gates gates = evaluator.getGates(op.getInput());
  int64_t from = op.getFrom(), to = op.getTo();
  Gates::Rows rows(gates.getNumTokens());
  for (auto [t, row] : llvm::enumerate(rows))
    for (const Slot &slot : getEntries(gates.getSlots(t)))
      if (slot.expert >= from && slot.expert < to)
        row.push_back({slot.expert - from, slot.value});
  Gates::DroppedList dropped = gates.getDropped();
  for (Dropped &limited : dropped)
    limited.from += from;
  return setGates(evaluator, op.getResult(), std::move(rows),
                  std::move(dropped));
}

static LogicalResult evaluateJoin(Evaluator &evaluator, JoinOp op) {
  Gates a = evaluator.getGates(op.getA()), b = evaluator.getGates(op.getB());
  if (a.getNumTokens() != b.getNumTokens())
    return op.emitError("expected gates of the same tokens but got ")
           << a.getNumTokens() << " and " << b.getNumTokens();
  Gates::Rows rows(a.getNumTokens());
  for (auto [t, row] : llvm::enumerate(rows)) {
    row = getEntries(a.getSlots(t));
    llvm::DenseSet<int64_t> taken;
    for (const Slot &slot : row)
      taken.insert(slot.expert);
    for (const Slot &slot : getEntries(b.getSlots(t)))
      if (!taken.contains(slot.expert))
        row.push_back(slot);
  }
  Gates::DroppedList dropped = a.getDropped();
  for (const Dropped &limited : b.getDropped())
    if (!llvm::is_contained(dropped, limited))
      dropped.push_back(limited);
  return setGates(evaluator, op.getResult(), std::move(rows),
                  std::move(dropped));
}

/// Drops the entries that `keeps` does not keep. What is bounded per token
/// keeps its slots in place. `dropped` is what limits took out, here or before.
template <typename Fn>
static LogicalResult dropEntries(Evaluator &evaluator, const Gates &gates,
                                 Value result, Gates::DroppedList dropped,
                                 Fn keeps) {
  Gates::Rows rows = gates.copyRows();
  for (auto [t, row] : llvm::enumerate(rows)) {
    for (auto [j, slot] : llvm::enumerate(row))
      if (slot.isPresent() && !keeps(t, j, slot))
        slot = absentSlot;
    if (!getGatesType(result).isPerToken())
      row = getEntries(row);
  }
  return setGates(evaluator, result, std::move(rows), std::move(dropped));
}

namespace {
/// A tensor of up to two dimensions, repeated to tokens x experts.
class Spread {
public:
  static FailureOr<Spread> get(Evaluator &evaluator, Operation *op,
                               Value operand, StringRef name,
                               const Gates &gates) {
    Spread spread;
    spread.tensor = evaluator.getTensor(operand);
    // As in `sluice.broadcast`, it is the type that says what is repeated.
    ArrayRef<int64_t> declared =
        cast<RankedTensorType>(operand.getType()).getShape();
    int64_t rowSize = spread.tensor.getShape().back();
    spread.expertStep = declared.back() == 1 ? 0 : 1;
    if (declared.size() == 2 && declared.front() != 1) {
      spread.tokenStep = rowSize;
      if (failed(checkNumRows(op, name, spread.tensor, gates.getNumTokens(),
                              "as the gates have tokens")))
        return failure();
    }
    return spread;
  }

  Element at(int64_t token, int64_t expert) const {
    return tensor.data()[token * tokenStep + expert * expertStep];
  }

private:
  Tensor tensor;
  int64_t tokenStep = 0, expertStep = 0;
};
} // namespace

static LogicalResult evaluateFilter(Evaluator &evaluator, FilterOp op) {
  Gates gates = evaluator.getGates(op.getInput());
  FailureOr<Spread> mask =
      Spread::get(evaluator, op, op.getMask(), "a mask", gates);
  if (failed(mask))
    return failure();
  return dropEntries(evaluator, gates, op.getResult(), gates.getDropped(),
                     [&](int64_t t, int64_t, const Slot &slot) {
                       return mask->at(t, slot.expert).i != 0;
                     });
}

static LogicalResult evaluateScaleBy(Evaluator &evaluator, ScaleByOp op) {
  Gates gates = evaluator.getGates(op.getInput());
  FailureOr<Spread> factors =
      Spread::get(evaluator, op, op.getFactor(), "factors", gates);
  if (failed(factors))
    return failure();
  Type type = getGatesType(op.getResult()).getElementType();
  Gates::Rows rows = gates.copyRows();
  for (auto [t, row] : llvm::enumerate(rows))
    for (Slot &slot : row)
      if (slot.isPresent())
        slot.value =
            roundNarrow(slot.value * factors->at(t, slot.expert).f, type);
  return setGates(evaluator, op.getResult(), std::move(rows),
                  gates.getDropped());
}

namespace {
/// A place for an entry: a token and one of its slots.
struct Place {
  int64_t token, slot;
};
} // namespace

/// All places in the order in which `op` takes entries.
static SmallVector<Place> getOrder(LimitOp op, ArrayRef<int64_t> tokens) {
  int64_t k = getGatesType(op.getInput()).getCount();
  SmallVector<Place> places;
  if (op.getOrder() == LimitOrder::Choice) {
    for (int64_t j = 0; j < k; ++j)
      for (int64_t t : tokens)
        places.push_back({t, j});
  } else {
    for (int64_t t : tokens)
      for (int64_t j = 0; j < k; ++j)
        places.push_back({t, j});
  }
  return places;
}

static LogicalResult evaluateLimit(Evaluator &evaluator, LimitOp op) {
  Gates gates = evaluator.getGates(op.getInput());
  int64_t numTokens = gates.getNumTokens(), numExperts = gates.getNumExperts();
  auto capacity = static_cast<size_t>(
      std::max<int64_t>(evaluator.getInt(op.getCapacity()), 0));
  auto tokens = llvm::to_vector(llvm::seq<int64_t>(0, numTokens));
  SmallVector<double> priorities;
  if (op.getPriority()) {
    Tensor priority = evaluator.getTensor(op.getPriority());
    if (failed(checkNumRows(op, "priorities", priority, numTokens,
                            "as the gates have tokens")))
      return failure();
    priorities = getColumn(priority, 0);
    tokens = rank(priorities);
  }

  // The places of each expert's entries, the first one first.
  std::vector<SmallVector<Place>> places(numExperts);
  for (Place place : getOrder(op, tokens))
    if (Slot slot = gates.getSlots(place.token)[place.slot]; slot.isPresent())
      places[slot.expert].push_back(place);

  llvm::DenseSet<std::pair<int64_t, int64_t>> dropped;
  std::vector<int64_t> numDropped(numExperts);
  for (auto [expert, list] : llvm::enumerate(places)) {
    ArrayRef<Place> queue(list);
    if (queue.size() <= capacity)
      continue;
    numDropped[expert] = queue.size() - capacity;
    for (Place place : queue.drop_front(capacity))
      dropped.insert({place.token, place.slot});
    if (capacity == 0 || priorities.empty())
      continue;
    // By choice, a slot's number comes before the priority.
    Place last = queue[capacity - 1], next = queue[capacity];
    if (op.getOrder() == LimitOrder::Token || last.slot == next.slot)
      recordDecision(evaluator, priorities[last.token], priorities[next.token]);
  }
  Gates::DroppedList all = gates.getDropped();
  all.push_back({std::make_shared<const std::vector<int64_t>>(numDropped), 0});
  return dropEntries(evaluator, gates, op.getResult(), std::move(all),
                     [&](int64_t t, int64_t j, const Slot &) {
                       return !dropped.contains({t, j});
                     });
}

static LogicalResult evaluateCapacity(Evaluator &evaluator, CapacityOp op) {
  Tensor tokens = evaluator.getTensor(op.getTokens());
  double share =
      op.getNumber().convertToDouble() * static_cast<double>(tokens.getDim(0));
  if (op.getKind() == CapacityKind::Factor)
    share /= static_cast<double>(tokens.getDim(1));
  switch (op.getRounding()) {
  case Rounding::Floor:
    share = std::floor(share);
    break;
  case Rounding::Nearest:
    share = std::nearbyint(share);
    break;
  case Rounding::Ceil:
    share = std::ceil(share);
    break;
  }
  // More tokens than can be counted are as many as there are.
  int64_t capacity = share < std::ldexp(1.0, 63)
                         ? static_cast<int64_t>(share)
                         : std::numeric_limits<int64_t>::max();
  int64_t min = op.getMin();
  evaluator.set(op, Element::ofInt(std::max(capacity, min)));
  return success();
}

LogicalResult sluice::interpreter::evaluateGates(Evaluator &evaluator,
                                                 Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](CapacityOp op) { return evaluateCapacity(evaluator, op); })
      .Case([&](ChooseTokensOp op) {
        return evaluateChooseTokens(evaluator, op);
      })
      .Case([&](ColumnsOp op) { return evaluateColumns(evaluator, op); })
      .Case([&](DenseOp op) { return evaluateDense(evaluator, op); })
      .Case([&](FilterOp op) { return evaluateFilter(evaluator, op); })
      .Case([&](FromDenseOp op) { return evaluateFromDense(evaluator, op); })
      .Case(
          [&](FromEntriesOp op) { return evaluateFromEntries(evaluator, op); })
      .Case([&](JoinOp op) { return evaluateJoin(evaluator, op); })
      .Case([&](LimitOp op) { return evaluateLimit(evaluator, op); })
      .Case([&](ScaleByOp op) { return evaluateScaleBy(evaluator, op); })
      .Default([&](Operation *op) { return evaluator.emitUnknown(op); });
}
