//===- ExpertOps.cpp - Bodies that run where tokens were routed -*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"
#include "Plan.h"

#include "sluice/Dialect/Sluice/IR/Sluice.h"

using namespace mlir;
using namespace sluice;
using namespace sluice::interpreter;

namespace {
/// One token that an expert has to work on.
struct Visit {
  int64_t token;
  double value;
};

/// A body and the experts `from` <= e < `to` that it is the body of.
struct Part {
  int64_t from;
  int64_t to;
  Region *body;
  SmallVector<Tensor> inputs, params;

  /// A body without inputs yields what is the row of each of its tokens.
  bool isConstant() const { return inputs.empty(); }
};

/// The run of one op that runs experts.
class ExpertsRun {
public:
  template <typename OpTy>
  ExpertsRun(Evaluator &evaluator, OpTy op, int64_t rowsPerTask)
      : evaluator(evaluator), op(op), gates(evaluator.getGates(op.getGates())),
        combine(op.getCombine()), weight(op.getWeight()),
        rowsPerTask(rowsPerTask),
        resultType(cast<RankedTensorType>(op.getResult().getType())) {
    if (op.getBase())
      base = evaluator.getTensor(op.getBase());
  }

  void addPart(int64_t from, int64_t to, ValueRange inputs, ValueRange params,
               Region &body);
  LogicalResult run();

private:
  LogicalResult checkRows();
  /// The tokens of each expert, in increasing order.
  std::vector<std::vector<Visit>> groupByExpert() const;
  void count(const Part &part, ArrayRef<std::vector<Visit>> visits);
  FailureOr<Tensor> gather(const Tensor &input, ArrayRef<Visit> visits,
                           BlockArgument argument, bool isWeighted);
  LogicalResult runBody(const Part &part, int64_t expert,
                        ArrayRef<Visit> visits);
  LogicalResult makeResult();

  Evaluator &evaluator;
  Operation *op;
  Gates gates;
  SmallVector<Part, 1> parts;
  std::optional<Tensor> base;
  Combine combine;
  WeightOn weight;
  int64_t rowsPerTask;
  RankedTensorType resultType;
  /// Not rounded until all experts have run.
  Tensor result;
};
} // namespace

void ExpertsRun::addPart(int64_t from, int64_t to, ValueRange inputs,
                         ValueRange params, Region &body) {
  Part &part = parts.emplace_back();
  part.from = from;
  part.to = to;
  part.body = &body;
  for (Value input : inputs)
    part.inputs.push_back(evaluator.getTensor(input));
  for (Value param : params)
    part.params.push_back(evaluator.getTensor(param));
}

LogicalResult ExpertsRun::checkRows() {
  for (const Part &part : parts)
    for (auto [i, input] : llvm::enumerate(part.inputs))
      if (input.getDim(0) != gates.getNumTokens())
        return op->emitError("expected input #")
               << i << " to have " << gates.getNumTokens()
               << " rows, as the gates have tokens, but got "
               << input.getDim(0);
  return success();
}

std::vector<std::vector<Visit>> ExpertsRun::groupByExpert() const {
  std::vector<std::vector<Visit>> visits(gates.getNumExperts());
  for (int64_t t = 0; t < gates.getNumTokens(); ++t)
    for (const Slot &slot : gates.getSlots(t))
      if (slot.isPresent())
        visits[slot.expert].push_back({t, slot.value});
  return visits;
}

void ExpertsRun::count(const Part &part, ArrayRef<std::vector<Visit>> visits) {
  int64_t numEntries = 0, bytesPerExpert = 0;
  std::vector<int64_t> entriesPerExpert;
  for (const std::vector<Visit> &tokens : visits) {
    entriesPerExpert.push_back(tokens.size());
    numEntries += tokens.size();
  }
  for (auto [param, argument] : llvm::zip_equal(
           part.params,
           part.body->getArguments().drop_front(part.inputs.size()))) {
    Type type = cast<RankedTensorType>(argument.getType()).getElementType();
    unsigned bits = isa<IndexType>(type) ? 64 : type.getIntOrFloatBitWidth();
    bytesPerExpert += param.getRowSize() * llvm::divideCeil(bits, 8);
  }
  // Multiply-adds are counted when they are executed.
  evaluator.getCounters(part.body).add(
      /*numCalls=*/1, gates.getNumTokens(), numEntries,
      gates.countDropped(part.from, part.to), entriesPerExpert,
      /*multiplyAddsPerEntry=*/0, bytesPerExpert);
}

FailureOr<Tensor> ExpertsRun::gather(const Tensor &input,
                                     ArrayRef<Visit> visits,
                                     BlockArgument argument, bool isWeighted) {
  SmallVector<int64_t> shape(input.getShape());
  shape[0] = visits.size();
  FailureOr<Tensor> rows = evaluator.makeTensor(op, shape);
  if (failed(rows))
    return failure();
  Type type = cast<RankedTensorType>(argument.getType()).getElementType();
  int64_t rowSize = input.getRowSize();
  Element *target = rows->mutableData();
  for (const Visit &visit : visits) {
    const Element *row = input.data() + visit.token * rowSize;
    for (int64_t i = 0; i < rowSize; ++i)
      *target++ =
          isWeighted
              ? Element::ofFloat(roundNarrow(visit.value * row[i].f, type))
              : row[i];
  }
  return rows;
}

/// What tokens without entries get. All but the number of rows is static.
LogicalResult ExpertsRun::makeResult() {
  SmallVector<int64_t> shape(resultType.getShape());
  shape[0] = gates.getNumTokens();
  if (base) {
    result = *base;
    if (base->getShape() == ArrayRef(shape))
      return success();
    return op->emitError("expected 'else' to have the result's shape ")
           << getShapeText(shape) << " but got "
           << getShapeText(base->getShape());
  }
  FailureOr<Tensor> zeros =
      evaluator.makeTensor(op, shape, Element::ofFloat(0.0));
  if (failed(zeros))
    return failure();
  result = std::move(*zeros);
  return success();
}

LogicalResult ExpertsRun::runBody(const Part &part, int64_t expert,
                                  ArrayRef<Visit> visits) {
  ValueList arguments, yielded;
  for (auto [i, input] : llvm::enumerate(part.inputs)) {
    FailureOr<Tensor> rows =
        gather(input, visits, part.body->getArgument(i),
               /*isWeighted=*/i == 0 && weight == WeightOn::Input);
    if (failed(rows))
      return failure();
    arguments.push_back(std::move(*rows));
  }
  for (const Tensor &param : part.params)
    arguments.push_back(param.getPart(expert - part.from));

  evaluator.runningBodies.push_back(part.body);
  LogicalResult ran =
      evaluator.runBlock(part.body->front(), arguments, yielded);
  evaluator.runningBodies.pop_back();
  if (failed(ran))
    return failure();

  Tensor output = std::get<Tensor>(yielded.front());
  bool isConstant = part.isConstant();
  if (!isConstant && output.getDim(0) != static_cast<int64_t>(visits.size()))
    return op->emitError("expected the body to yield ")
           << visits.size() << " rows, one for each token, but got "
           << output.getDim(0);
  int64_t rowSize = isConstant ? output.getNumElements() : output.getRowSize();
  Element *data = result.mutableData();
  for (auto [n, visit] : llvm::enumerate(visits)) {
    const Element *row = output.data() + (isConstant ? 0 : n * rowSize);
    for (int64_t i = 0; i < rowSize; ++i) {
      double number = row[i].f;
      if (weight == WeightOn::Output)
        number *= visit.value;
      Element &target = data[visit.token * rowSize + i];
      target.f = combine == Combine::Sum ? target.f + number : number;
    }
  }
  return success();
}

LogicalResult ExpertsRun::run() {
  if (failed(checkRows()) || failed(makeResult()))
    return failure();
  std::vector<std::vector<Visit>> visits = groupByExpert();

  // In increasing expert number, which is the order of the sum. No body runs
  // for an expert without tokens.
  for (const Part &part : parts) {
    count(part, ArrayRef(visits).slice(part.from, part.to - part.from));
    for (int64_t expert = part.from; expert < part.to; ++expert) {
      ArrayRef<Visit> tokens(visits[expert]);
      while (!tokens.empty()) {
        size_t size = tokens.size();
        // A constant is made once, whatever its tokens.
        if (rowsPerTask > 0 && !part.isConstant())
          size = std::min<size_t>(size, rowsPerTask);
        if (failed(runBody(part, expert, tokens.take_front(size))))
          return failure();
        tokens = tokens.drop_front(size);
      }
    }
  }

  Element *data = result.mutableData();
  for (int64_t i = 0, e = result.getNumElements(); i < e; ++i)
    data[i].f = roundNarrow(data[i].f, resultType.getElementType());
  evaluator.set(op->getResult(0), std::move(result));
  return success();
}

/// Fails unless `operand` begins with `expected`.
static LogicalResult checkPlan(Evaluator &evaluator, GroupedOp op,
                               Value operand, StringRef name, int64_t size,
                               ArrayRef<int64_t> expected) {
  Tensor actual = evaluator.getTensor(operand);
  if (actual.getNumElements() != size)
    return op.emitError("expected the plan of the gates, with ")
           << size << " elements in '" << name << "', but got "
           << actual.getNumElements();
  for (auto [i, number] : llvm::enumerate(expected))
    if (actual.data()[i].i != number)
      return op.emitError("expected the plan of the gates, with ")
             << number << " in element " << i << " of '" << name
             << "', but got " << actual.data()[i].i;
  return success();
}

LogicalResult sluice::interpreter::evaluateExperts(Evaluator &evaluator,
                                                   Operation *op) {
  auto runOnAll = [&](auto op, int64_t rowsPerTask) {
    ExpertsRun run(evaluator, op, rowsPerTask);
    run.addPart(0, cast<GatesType>(op.getGates().getType()).getExperts(),
                op.getInputs(), op.getParams(), op.getBody());
    return run.run();
  };
  if (auto experts = dyn_cast<ExpertsOp>(op))
    return runOnAll(experts, /*rowsPerTask=*/0);
  if (auto mixed = dyn_cast<MixedExpertsOp>(op)) {
    ExpertsRun run(evaluator, mixed, /*rowsPerTask=*/0);
    for (const MixedExpertsOp::Case &part : mixed.getCases())
      run.addPart(part.from, part.to, part.inputs, part.params, *part.body);
    return run.run();
  }

  auto grouped = cast<GroupedOp>(op);
  Gates gates = evaluator.getGates(grouped.getGates());
  auto type = cast<GatesType>(grouped.getGates().getType());
  int64_t numSlots = gates.getNumTokens() * type.getSlots();
  Plan plan = makePlan(gates, type);
  if (failed(checkPlan(evaluator, grouped, grouped.getOffsets(), "offsets",
                       plan.offsets.size(), plan.offsets)) ||
      failed(checkPlan(evaluator, grouped, grouped.getOrder(), "order",
                       numSlots, plan.order)) ||
      failed(checkPlan(evaluator, grouped, grouped.getPlace(), "place",
                       numSlots, plan.place)))
    return failure();
  return runOnAll(grouped, grouped.getRowsPerTask());
}
