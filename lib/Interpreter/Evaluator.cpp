//===- Evaluator.cpp - Runs ops on values -----------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/TypeUtilities.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"
#include "sluice/Dialect/Sluice/IR/SluiceUtils.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace sluice;
using namespace sluice::interpreter;

/// Deep enough for any model, and shallow enough for the stack of a thread.
static constexpr unsigned maxCallDepth = 200;

Evaluator::Evaluator(ModuleOp module, Options options)
    : options(options), module(module) {
  walkRoutedBodies(module, [&](Region &body) {
    Operation *op = body.getParentOp();
    counterNumbers[&body] = counters.size();
    RoutedCounters &entry = counters.emplace_back();
    entry.function = getFunctionName(op);
    entry.op = getRoutedBodyName(body);
    entry.where = getLocationText(op->getLoc());
  });
  resetCounters();
}

/// How many experts have this routed body.
static int64_t getNumExperts(Region &body) {
  Operation *op = body.getParentOp();
  if (auto mixed = dyn_cast<MixedExpertsOp>(op)) {
    MixedExpertsOp::Case part = mixed.getCases()[body.getRegionNumber()];
    return part.to - part.from;
  }
  // The gates are the first operand of every routed op.
  return cast<GatesType>(op->getOperand(0).getType()).getExperts();
}

void Evaluator::resetCounters() {
  for (auto [body, number] : counterNumbers) {
    RoutedCounters &entry = counters[number];
    RoutedCounters zero;
    zero.function = std::move(entry.function);
    zero.op = std::move(entry.op);
    zero.where = std::move(entry.where);
    zero.tokensPerExpert.resize(getNumExperts(*body));
    entry = std::move(zero);
  }
  smallestMargin = std::numeric_limits<double>::infinity();
  exactTies = 0;
}

void Evaluator::countMultiplyAdds(int64_t number) {
  if (!runningBodies.empty())
    getCounters(runningBodies.back()).multiplyAdds += number;
}

//===----------------------------------------------------------------------===//
// Functions and blocks
//===----------------------------------------------------------------------===//

LogicalResult Evaluator::call(FunctionOpInterface function,
                              ArrayRef<RuntimeValue> arguments,
                              ValueList &results, Operation *caller) {
  if (function.isExternal())
    return caller->emitError("the interpreter cannot run the function '")
           << function.getName() << "', which has no body";
  if (callDepth == maxCallDepth)
    return caller->emitError("expected at most ")
           << maxCallDepth << " function calls within each other; '"
           << function.getName() << "' may call itself without end";
  ++callDepth;
  DenseMap<Value, RuntimeValue> outer;
  std::swap(outer, frame);
  LogicalResult result =
      runBlock(function.getFunctionBody().front(), arguments, results);
  std::swap(outer, frame);
  --callDepth;
  return result;
}

LogicalResult Evaluator::runBlock(Block &block,
                                  ArrayRef<RuntimeValue> arguments,
                                  ValueList &yielded) {
  for (auto [argument, value] :
       llvm::zip_equal(block.getArguments(), arguments))
    set(argument, value);
  yielded.clear();
  for (Operation &op : block) {
    if (isa<func::ReturnOp, scf::YieldOp, scf::ConditionOp, tensor::YieldOp,
            linalg::YieldOp, YieldOp>(op)) {
      yielded = getAll(op.getOperands());
      return success();
    }
    if (failed(evaluate(&op)))
      return failure();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

LogicalResult Evaluator::emitUnknown(Operation *op) {
  return op->emitError("the interpreter does not know '")
         << op->getName() << "'";
}

static LogicalResult evaluateFunc(Evaluator &evaluator, Operation *op) {
  auto call = dyn_cast<func::CallOp>(op);
  if (!call)
    return evaluator.emitUnknown(op);
  auto function =
      evaluator.symbols.lookupNearestSymbolFrom<FunctionOpInterface>(
          op, call.getCalleeAttr());
  if (!function)
    return op->emitError("expected '")
           << call.getCallee() << "' to be a function of the module";
  ValueList arguments = evaluator.getAll(op->getOperands()), results;
  if (failed(evaluator.call(function, arguments, results, op)))
    return failure();
  for (auto [result, value] : llvm::zip_equal(op->getResults(), results))
    evaluator.set(result, std::move(value));
  return success();
}

static LogicalResult evaluateMath(Evaluator &evaluator, Operation *op) {
  return evaluator.evaluateElementwise(op);
}

LogicalResult Evaluator::evaluate(Operation *op) {
  using Handler = LogicalResult (*)(Evaluator &, Operation *);
  auto handler =
      llvm::StringSwitch<Handler>(op->getName().getDialectNamespace())
          .Case("arith", evaluateArith)
          .Case("check", evaluateCheck)
          .Case("func", evaluateFunc)
          .Case("linalg", evaluateLinalg)
          .Case("math", evaluateMath)
          .Case("scf", evaluateScf)
          .Case("sluice", evaluateSluice)
          .Case("tensor", evaluateTensor)
          .Default(nullptr);
  if (!handler)
    return emitUnknown(op);
  // Handlers rely on known types, and ops on operands of their static shapes.
  if (failed(checkResultTypes(op)) || failed(handler(*this, op)))
    return failure();
  return checkResultShapes(op);
}

bool sluice::interpreter::isKnownType(Type type) {
  if (auto tensor = dyn_cast_or_null<RankedTensorType>(type))
    return isKnownElementType(tensor.getElementType());
  return isa_and_nonnull<GatesType>(type) || (type && isKnownElementType(type));
}

LogicalResult Evaluator::checkResultTypes(Operation *op) {
  for (Type type : op->getResultTypes())
    if (!isKnownType(type))
      return op->emitError("the interpreter does not know the type ")
             << type << " of a result of '" << op->getName() << "'";
  return success();
}

bool sluice::interpreter::fitsShape(ArrayRef<int64_t> actual,
                                    ArrayRef<int64_t> declared) {
  return actual.size() == declared.size() &&
         llvm::all_of(llvm::zip(actual, declared), [](auto dims) {
           auto [actualDim, declaredDim] = dims;
           return ShapedType::isDynamic(declaredDim) ||
                  actualDim == declaredDim;
         });
}

LogicalResult Evaluator::checkResultShapes(Operation *op) {
  for (Value result : op->getResults()) {
    if (auto gates = dyn_cast<GatesType>(result.getType())) {
      int64_t numTokens = std::get<Gates>(get(result)).getNumTokens();
      if (!gates.hasDynamicTokens() && gates.getTokens() != numTokens)
        return op->emitError("expected gates of ")
               << gates.getTokens() << " tokens but got " << numTokens;
    }
    auto tensor = dyn_cast<RankedTensorType>(result.getType());
    if (!tensor)
      continue;
    ArrayRef<int64_t> actual = std::get<Tensor>(get(result)).getShape();
    if (!fitsShape(actual, tensor.getShape()))
      return op->emitError("expected a result of type ")
             << result.getType() << " but got one of shape "
             << getShapeText(actual);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

ValueList Evaluator::getAll(ValueRange values) const {
  ValueList result;
  for (Value value : values)
    result.push_back(get(value));
  return result;
}

SmallVector<int64_t> Evaluator::getInts(ArrayRef<OpFoldResult> list) const {
  SmallVector<int64_t> result;
  for (OpFoldResult item : list) {
    std::optional<int64_t> constant = getConstantIntValue(item);
    result.push_back(constant ? *constant : getInt(cast<Value>(item)));
  }
  return result;
}

FailureOr<Tensor> Evaluator::makeTensor(Operation *op, ArrayRef<int64_t> shape,
                                        Element init) {
  uint64_t number = 1;
  for (int64_t dim : shape)
    if (dim < 0)
      return op->emitError("expected dimensions of at least 0 but got ") << dim;
  // An empty tensor has no elements, however large its other dimensions are.
  if (llvm::is_contained(shape, 0))
    return Tensor(shape, init);
  for (int64_t dim : shape)
    if (__builtin_mul_overflow(number, static_cast<uint64_t>(dim), &number) ||
        number > options.maxElements)
      return op->emitError("expected a tensor of at most ")
             << options.maxElements << " elements but got one of shape "
             << getShapeText(shape);
  return Tensor(shape, init);
}

bool sluice::interpreter::nextIndex(MutableArrayRef<int64_t> index,
                                    ArrayRef<int64_t> shape) {
  for (unsigned dim = shape.size(); dim-- > 0;) {
    if (++index[dim] < shape[dim])
      return true;
    index[dim] = 0;
  }
  return false;
}

SmallVector<int64_t> sluice::interpreter::getStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size());
  // Unsigned, because an empty tensor may have dimensions of any size.
  uint64_t stride = 1;
  for (unsigned dim = shape.size(); dim-- > 0;) {
    strides[dim] = stride;
    stride *= shape[dim];
  }
  return strides;
}

std::string sluice::interpreter::getShapeText(ArrayRef<int64_t> shape) {
  if (shape.empty())
    return "a scalar";
  std::string text;
  for (int64_t dim : shape)
    text += (text.empty() ? "" : "x") + std::to_string(dim);
  return text;
}

LogicalResult sluice::interpreter::checkSameShape(Operation *op,
                                                  ArrayRef<int64_t> first,
                                                  ArrayRef<int64_t> second) {
  if (first == second)
    return success();
  return op->emitError("expected operands of one shape but got ")
         << getShapeText(first) << " and " << getShapeText(second);
}

//===----------------------------------------------------------------------===//
// Elementwise ops
//===----------------------------------------------------------------------===//

ElementFunction sluice::interpreter::getElementFunction(Operation *op) {
  StringRef dialect = op->getName().getDialectNamespace();
  ElementFunction function;
  if (dialect == "arith")
    function = getArithFunction(op);
  else if (dialect == "math")
    function = getMathFunction(op);
  if (!function)
    return function;

  // Only narrow results have to be brought into the form that is carried.
  Type type = getElementTypeOrSelf(op->getResult(0).getType());
  if (isa<Float16Type, BFloat16Type>(type)) {
    unsigned numResults = op->getNumResults();
    return [function, type, numResults](const Element *operands,
                                        Element *results) {
      if (failed(function(operands, results)))
        return failure();
      for (unsigned i = 0; i < numResults; ++i)
        results[i].f = roundNarrow(results[i].f, type);
      return success();
    };
  }
  if (type.isInteger() && getIntWidth(type) < 64) {
    SmallVector<unsigned, 2> widths;
    for (Type result : op->getResultTypes())
      widths.push_back(getIntWidth(getElementTypeOrSelf(result)));
    return [function, widths](const Element *operands, Element *results) {
      if (failed(function(operands, results)))
        return failure();
      for (auto [i, width] : llvm::enumerate(widths))
        results[i].i = wrapInt(results[i].i, width);
      return success();
    };
  }
  return function;
}

const ElementFunction &Evaluator::findElementFunction(Operation *op) {
  auto [it, isNew] = elementFunctions.try_emplace(op);
  if (isNew)
    it->second = getElementFunction(op);
  return it->second;
}

LogicalResult Evaluator::evaluateElementwise(Operation *op) {
  const ElementFunction &function = findElementFunction(op);
  if (!function)
    return emitUnknown(op);
  unsigned numOperands = op->getNumOperands(), numResults = op->getNumResults();
  SmallVector<Element, 4> arguments(numOperands), values(numResults);

  if (!isa<RankedTensorType>(op->getResult(0).getType())) {
    for (auto [i, operand] : llvm::enumerate(op->getOperands()))
      arguments[i] = getElement(operand);
    if (failed(function(arguments.data(), values.data())))
      return failure();
    for (auto [i, result] : llvm::enumerate(op->getResults()))
      set(result, values[i]);
    return success();
  }

  SmallVector<Tensor, 3> operands;
  for (Value operand : op->getOperands()) {
    operands.push_back(getTensor(operand));
    if (failed(checkSameShape(op, operands.front().getShape(),
                              operands.back().getShape())))
      return failure();
  }
  SmallVector<Tensor, 2> results;
  for (unsigned i = 0; i < numResults; ++i) {
    FailureOr<Tensor> result = makeTensor(op, operands.front().getShape());
    if (failed(result))
      return failure();
    results.push_back(*result);
  }
  SmallVector<const Element *, 3> sources;
  for (const Tensor &operand : operands)
    sources.push_back(operand.data());
  SmallVector<Element *, 2> targets;
  for (Tensor &result : results)
    targets.push_back(result.mutableData());
  for (int64_t n = 0, e = operands.front().getNumElements(); n < e; ++n) {
    for (unsigned i = 0; i < numOperands; ++i)
      arguments[i] = sources[i][n];
    if (failed(function(arguments.data(), values.data())))
      return failure();
    for (unsigned i = 0; i < numResults; ++i)
      targets[i][n] = values[i];
  }
  for (auto [result, tensor] : llvm::zip_equal(op->getResults(), results))
    set(result, std::move(tensor));
  return success();
}
