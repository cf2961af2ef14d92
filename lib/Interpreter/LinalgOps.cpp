//===- LinalgOps.cpp - All structured ops on values -------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Named and generic ops take one path: the loops, the indexing maps and the
// body that the LinalgOp interface shows.
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace sluice::interpreter;

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

namespace {
/// Runs the body of an op on one element of each operand. If it consists of
/// elementwise ops on numbers, as nearly all bodies do, names are resolved to
/// registers once; otherwise each run goes through the evaluator.
class Body {
public:
  Body(Evaluator &evaluator, Block &block)
      : evaluator(evaluator), block(block), isSimple(resolve()) {}

  /// `yielded` has one element for each operand of the terminator.
  LogicalResult run(ArrayRef<int64_t> index, ArrayRef<Element> arguments,
                    MutableArrayRef<Element> yielded) {
    return isSimple ? runSteps(index, arguments, yielded)
                    : runBlock(index, arguments, yielded);
  }

private:
  struct Step {
    /// Empty for linalg.index.
    ElementFunction function;
    int64_t indexDim = 0;
    SmallVector<unsigned, 3> operands;
    SmallVector<unsigned, 1> results;
  };

  unsigned addRegister(Value value, Element content = Element::ofInt(0)) {
    numbers[value] = registers.size();
    registers.push_back(content);
    return registers.size() - 1;
  }

  /// The register of a value from inside or outside the body; nothing if it is
  /// not a number.
  std::optional<unsigned> findRegister(Value value) {
    auto it = numbers.find(value);
    if (it != numbers.end())
      return it->second;
    if (value.getParentRegion() == block.getParent() ||
        !isKnownElementType(value.getType()))
      return std::nullopt;
    return addRegister(value, evaluator.getElement(value));
  }

  bool resolve();
  LogicalResult runSteps(ArrayRef<int64_t> index, ArrayRef<Element> arguments,
                         MutableArrayRef<Element> yielded);
  LogicalResult runBlock(ArrayRef<int64_t> index, ArrayRef<Element> arguments,
                         MutableArrayRef<Element> yielded);

  Evaluator &evaluator;
  Block &block;
  SmallVector<Step> steps;
  SmallVector<unsigned, 1> yieldedRegisters;
  SmallVector<Element> registers;
  DenseMap<Value, unsigned> numbers;
  bool isSimple;
};
} // namespace

bool Body::resolve() {
  for (BlockArgument argument : block.getArguments()) {
    if (!isKnownElementType(argument.getType()))
      return false;
    addRegister(argument);
  }
  for (Operation &op : block.without_terminator()) {
    if (isa<arith::ConstantOp>(op)) {
      if (!isKnownElementType(op.getResult(0).getType()) ||
          failed(evaluator.evaluate(&op)))
        return false;
      addRegister(op.getResult(0), evaluator.getElement(op.getResult(0)));
      continue;
    }
    Step step;
    if (auto index = dyn_cast<linalg::IndexOp>(op)) {
      step.indexDim = index.getDim();
    } else {
      step.function = evaluator.findElementFunction(&op);
      if (!step.function)
        return false;
    }
    for (Value operand : op.getOperands()) {
      std::optional<unsigned> number = findRegister(operand);
      if (!number)
        return false;
      step.operands.push_back(*number);
    }
    for (Value result : op.getResults()) {
      if (!isKnownElementType(result.getType()))
        return false;
      step.results.push_back(addRegister(result));
    }
    steps.push_back(std::move(step));
  }
  for (Value value : block.getTerminator()->getOperands()) {
    std::optional<unsigned> number = findRegister(value);
    if (!number)
      return false;
    yieldedRegisters.push_back(*number);
  }
  return true;
}

LogicalResult Body::runSteps(ArrayRef<int64_t> index,
                             ArrayRef<Element> arguments,
                             MutableArrayRef<Element> yielded) {
  llvm::copy(arguments, registers.begin());
  for (const Step &step : steps) {
    if (!step.function) {
      registers[step.results[0]] = Element::ofInt(index[step.indexDim]);
      continue;
    }
    SmallVector<Element, 4> operands, results(step.results.size());
    for (unsigned number : step.operands)
      operands.push_back(registers[number]);
    if (failed(step.function(operands.data(), results.data())))
      return failure();
    for (auto [number, result] : llvm::zip_equal(step.results, results))
      registers[number] = result;
  }
  for (auto [number, result] : llvm::zip_equal(yieldedRegisters, yielded))
    result = registers[number];
  return success();
}

LogicalResult Body::runBlock(ArrayRef<int64_t> index,
                             ArrayRef<Element> arguments,
                             MutableArrayRef<Element> yielded) {
  ValueList values(arguments.begin(), arguments.end()), results;
  evaluator.linalgIndices.push_back(index);
  LogicalResult result = evaluator.runBlock(block, values, results);
  evaluator.linalgIndices.pop_back();
  if (failed(result))
    return failure();
  for (auto [value, target] : llvm::zip_equal(results, yielded))
    target = std::get<Element>(value);
  return success();
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// The value of an indexing expression; the divisor of a `mod` or a `div` is a
/// positive constant.
static int64_t evaluateExpr(AffineExpr expr, ArrayRef<int64_t> index) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return index[dim.getPosition()];
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  auto binary = cast<AffineBinaryOpExpr>(expr);
  int64_t lhs = evaluateExpr(binary.getLHS(), index);
  int64_t rhs = evaluateExpr(binary.getRHS(), index);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return lhs + rhs;
  case AffineExprKind::Mul:
    return lhs * rhs;
  case AffineExprKind::Mod:
    return llvm::mod(lhs, rhs);
  case AffineExprKind::FloorDiv:
    return llvm::divideFloorSigned(lhs, rhs);
  default:
    return llvm::divideCeilSigned(lhs, rhs);
  }
}

/// Whether evaluateExpr can be used: no symbols, divisors above 0.
static bool isKnownMap(AffineMap map) {
  bool isKnown = true;
  map.walkExprs([&](AffineExpr expr) {
    if (isa<AffineSymbolExpr>(expr))
      isKnown = false;
    if (expr.getKind() == AffineExprKind::Mod ||
        expr.getKind() == AffineExprKind::FloorDiv ||
        expr.getKind() == AffineExprKind::CeilDiv) {
      auto divisor =
          dyn_cast<AffineConstantExpr>(cast<AffineBinaryOpExpr>(expr).getRHS());
      isKnown &= divisor && divisor.getValue() > 0;
    }
  });
  return isKnown;
}

namespace {
/// An operand with the place of its elements.
struct Access {
  Tensor tensor;
  AffineMap map;
  SmallVector<int64_t> strides;
  unsigned operandNumber = 0;

  FailureOr<int64_t> getPosition(Operation *op, ArrayRef<int64_t> index) const {
    int64_t position = 0;
    for (unsigned dim = 0; dim < strides.size(); ++dim) {
      int64_t at = evaluateExpr(map.getResult(dim), index);
      if (at < 0 || at >= tensor.getDim(dim))
        return op->emitError("expected an index below ")
               << tensor.getDim(dim) << " in dimension " << dim
               << " of operand #" << operandNumber << " but got " << at;
      position += at * strides[dim];
    }
    return position;
  }
};
} // namespace

/// How often each loop runs: the size of the dimensions that it indexes alone.
static FailureOr<SmallVector<int64_t>> getLoopSizes(linalg::LinalgOp op,
                                                    ArrayRef<Access> accesses) {
  SmallVector<int64_t> sizes(op.getNumLoops(), -1);
  for (const Access &access : accesses)
    for (auto [dim, expr] : llvm::enumerate(access.map.getResults())) {
      auto loop = dyn_cast<AffineDimExpr>(expr);
      if (!loop)
        continue;
      int64_t &size = sizes[loop.getPosition()];
      int64_t actual = access.tensor.getDim(dim);
      if (size >= 0 && size != actual)
        return op->emitError("expected dimension ")
               << dim << " of operand #" << access.operandNumber
               << " to have size " << size << " but got " << actual;
      size = actual;
    }
  for (auto [loop, size] : llvm::enumerate(sizes))
    if (size < 0)
      return op->emitError("the interpreter finds no operand that says how "
                           "often loop ")
             << loop << " runs";
  return sizes;
}

/// Whether each iteration multiplies and adds to a result. Pooling looks like a
/// convolution, but does not multiply.
static bool isMultiplyAdd(linalg::LinalgOp op) {
  if (linalg::isaContractionOpInterface(op))
    return true;
  return linalg::isaConvolutionOpInterface(op) &&
         llvm::any_of(*op.getBlock(), [](Operation &inner) {
           return isa<arith::MulFOp, arith::MulIOp>(inner);
         });
}

/// exp(x - max) / sum exp(x - max) along one dimension. The op has no loops of
/// its own, unlike the others.
static LogicalResult evaluateSoftmax(Evaluator &evaluator,
                                     linalg::SoftmaxOp op) {
  if (!op.hasPureTensorSemantics())
    return op->emitError("expected tensors as operands: the interpreter does "
                         "not know memrefs");
  Tensor tensor = evaluator.getTensor(op.getInput());
  ArrayRef<int64_t> shape = tensor.getShape();
  int64_t dim = op.getDimension(), size = shape[dim], stride = 1;
  for (int64_t d : shape.drop_front(dim + 1))
    stride *= d;
  Type type = getElementTypeOrSelf(op.getInput().getType());
  int64_t count = tensor.getNumElements();
  Element *data = tensor.mutableData();
  for (int64_t first = 0; first < count; ++first) {
    if (first / stride % size != 0)
      continue;
    double largest = -std::numeric_limits<double>::infinity(), sum = 0.0;
    for (int64_t i = 0; i < size; ++i) {
      double x = data[first + i * stride].f;
      largest = std::isnan(x) ? x : std::max(x, largest);
    }
    for (int64_t i = 0; i < size; ++i) {
      double &x = data[first + i * stride].f;
      sum += x = std::exp(x - largest);
    }
    for (int64_t i = 0; i < size; ++i) {
      double &x = data[first + i * stride].f;
      x = roundNarrow(x / sum, type);
    }
  }
  evaluator.set(op->getResult(0), std::move(tensor));
  return success();
}

LogicalResult sluice::interpreter::evaluateLinalg(Evaluator &evaluator,
                                                  Operation *op) {
  if (auto softmax = dyn_cast<linalg::SoftmaxOp>(op))
    return evaluateSoftmax(evaluator, softmax);
  if (auto index = dyn_cast<linalg::IndexOp>(op)) {
    evaluator.set(
        index, Element::ofInt(evaluator.linalgIndices.back()[index.getDim()]));
    return success();
  }
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || op->getNumRegions() != 1)
    return evaluator.emitUnknown(op);
  if (!linalgOp.hasPureTensorSemantics())
    return op->emitError("expected tensors as operands: the interpreter does "
                         "not know memrefs");

  SmallVector<Access> accesses;
  for (auto [operand, map] :
       llvm::zip_equal(op->getOpOperands(), linalgOp.getIndexingMapsArray())) {
    if (!isKnownType(operand.get().getType()))
      return op->emitError("the interpreter does not know the type ")
             << operand.get().getType() << " of operand #"
             << operand.getOperandNumber();
    if (!isKnownMap(map))
      return op->emitError("the interpreter does not know the indexing map ")
             << AffineMapAttr::get(map);
    Access access;
    if (isa<RankedTensorType>(operand.get().getType()))
      access.tensor = evaluator.getTensor(operand.get());
    else
      access.tensor = Tensor({}, evaluator.getElement(operand.get()));
    access.map = map;
    access.strides = getStrides(access.tensor.getShape());
    access.operandNumber = operand.getOperandNumber();
    accesses.push_back(std::move(access));
  }

  FailureOr<SmallVector<int64_t>> sizes = getLoopSizes(linalgOp, accesses);
  if (failed(sizes))
    return failure();
  Body body(evaluator, *linalgOp.getBlock());
  unsigned numInputs = linalgOp.getNumDpsInputs();
  MutableArrayRef<Access> outputs =
      MutableArrayRef(accesses).drop_front(numInputs);
  SmallVector<Element *> targets;
  for (Access &output : outputs)
    targets.push_back(output.tensor.mutableData());

  SmallVector<int64_t> index(sizes->size(), 0), positions(accesses.size());
  SmallVector<Element> arguments(accesses.size()), yielded(outputs.size());
  int64_t numIterations = 0;
  bool runs = !llvm::is_contained(*sizes, 0);
  for (; runs; runs = nextIndex(index, *sizes), ++numIterations) {
    for (auto [i, access] : llvm::enumerate(accesses)) {
      FailureOr<int64_t> position = access.getPosition(op, index);
      if (failed(position))
        return failure();
      positions[i] = *position;
      arguments[i] = access.tensor.data()[*position];
    }
    if (failed(body.run(index, arguments, yielded)))
      return failure();
    for (unsigned i = 0; i < outputs.size(); ++i)
      targets[i][positions[numInputs + i]] = yielded[i];
  }
  if (isMultiplyAdd(linalgOp))
    evaluator.countMultiplyAdds(numIterations);
  for (auto [result, output] : llvm::zip_equal(op->getResults(), outputs))
    evaluator.set(result, std::move(output.tensor));
  return success();
}
