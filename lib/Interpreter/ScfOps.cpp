//===- ScfOps.cpp - Structured control flow on values -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sluice::interpreter;

static LogicalResult setResults(Evaluator &evaluator, Operation *op,
                                ValueList &values) {
  for (auto [result, value] : llvm::zip_equal(op->getResults(), values))
    evaluator.set(result, std::move(value));
  return success();
}

static LogicalResult runRegion(Evaluator &evaluator, Operation *op,
                               Region &region) {
  if (!region.empty() && !region.hasOneBlock())
    return op->emitError("the interpreter does not know regions of several "
                         "blocks");
  ValueList yielded;
  if (!region.empty() &&
      failed(evaluator.runBlock(region.front(), {}, yielded)))
    return failure();
  return setResults(evaluator, op, yielded);
}

static LogicalResult evaluateFor(Evaluator &evaluator, scf::ForOp op) {
  unsigned width = getIntWidth(op.getInductionVar().getType());
  int64_t lower = evaluator.getInt(op.getLowerBound());
  int64_t upper = evaluator.getInt(op.getUpperBound());
  int64_t step = evaluator.getInt(op.getStep());
  bool isUnsigned = op.getUnsignedCmp();
  if (step == 0 || (!isUnsigned && asSigned(step, width) < 0))
    return op.emitError("expected a step of at least 1 but got ") << step;

  // Counting the iterations first, as 64-bit numbers, cannot overflow.
  uint64_t numIterations = 0;
  bool runs = isUnsigned ? asUnsigned(lower, width) < asUnsigned(upper, width)
                         : asSigned(lower, width) < asSigned(upper, width);
  if (runs) {
    uint64_t distance = asUnsigned(
        static_cast<int64_t>(static_cast<uint64_t>(upper) - lower), width);
    numIterations = (distance - 1) / asUnsigned(step, width) + 1;
  }

  ValueList carried = evaluator.getAll(op.getInitArgs());
  uint64_t position = lower;
  for (; numIterations > 0; --numIterations, position += step) {
    ValueList arguments, yielded;
    arguments.push_back(Element::ofInt(wrapInt(position, width)));
    llvm::append_range(arguments, carried);
    if (failed(evaluator.runBlock(*op.getBody(), arguments, yielded)))
      return failure();
    carried = std::move(yielded);
  }
  return setResults(evaluator, op, carried);
}

static LogicalResult evaluateWhile(Evaluator &evaluator, scf::WhileOp op) {
  ValueList carried = evaluator.getAll(op.getInits());
  while (true) {
    ValueList condition;
    if (failed(evaluator.runBlock(*op.getBeforeBody(), carried, condition)))
      return failure();
    bool continues = std::get<Element>(condition.front()).i;
    ValueList forwarded(condition.begin() + 1, condition.end());
    if (!continues)
      return setResults(evaluator, op, forwarded);
    if (failed(evaluator.runBlock(*op.getAfterBody(), forwarded, carried)))
      return failure();
  }
}

LogicalResult sluice::interpreter::evaluateScf(Evaluator &evaluator,
                                               Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](scf::ExecuteRegionOp op) {
        return runRegion(evaluator, op, op.getRegion());
      })
      .Case([&](scf::ForOp op) { return evaluateFor(evaluator, op); })
      .Case([&](scf::IfOp op) {
        bool holds = evaluator.getInt(op.getCondition());
        return runRegion(evaluator, op,
                         holds ? op.getThenRegion() : op.getElseRegion());
      })
      .Case([&](scf::IndexSwitchOp op) {
        int64_t selector = evaluator.getInt(op.getArg());
        for (auto [number, region] :
             llvm::zip_equal(op.getCases(), op.getCaseRegions()))
          if (number == selector)
            return runRegion(evaluator, op, region);
        return runRegion(evaluator, op, op.getDefaultRegion());
      })
      .Case([&](scf::WhileOp op) { return evaluateWhile(evaluator, op); })
      .Default([&](Operation *op) { return evaluator.emitUnknown(op); });
}
