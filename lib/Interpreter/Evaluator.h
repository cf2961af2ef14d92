//===- Evaluator.h - Runs ops on values -------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The evaluator holds the values of SSA names and dispatches each op to the
// file of its dialect. Every failure has been reported at an op when it is
// returned.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_INTERPRETER_EVALUATOR_H
#define SLUICE_LIB_INTERPRETER_EVALUATOR_H

#include "Elementwise.h"
#include "RuntimeValue.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "sluice/Interpreter/Interpreter.h"
#include "sluice/Support/RoutedCounters.h"
#include "llvm/ADT/DenseMap.h"

#include <limits>

namespace sluice::interpreter {

using ValueList = llvm::SmallVector<RuntimeValue, 4>;

class Evaluator {
public:
  Evaluator(mlir::ModuleOp module, Options options);

  mlir::ModuleOp getModule() const { return module; }

  /// Runs a function on arguments that fit its type. `caller` is the place of
  /// errors about the call itself.
  llvm::LogicalResult call(mlir::FunctionOpInterface function,
                           llvm::ArrayRef<RuntimeValue> arguments,
                           ValueList &results, mlir::Operation *caller);

  /// Binds the block's arguments, runs its ops and gives the operands of its
  /// terminator.
  llvm::LogicalResult runBlock(mlir::Block &block,
                               llvm::ArrayRef<RuntimeValue> arguments,
                               ValueList &yielded);

  llvm::LogicalResult evaluate(mlir::Operation *op);

  //===--------------------------------------------------------------------===//
  // Values
  //===--------------------------------------------------------------------===//

  const RuntimeValue &get(mlir::Value value) const {
    return frame.find(value)->second;
  }
  Element getElement(mlir::Value value) const {
    return std::get<Element>(get(value));
  }
  int64_t getInt(mlir::Value value) const { return getElement(value).i; }
  /// The next two return copies, which are cheap: a reference would not
  /// survive the next `set`.
  Tensor getTensor(mlir::Value value) const {
    return std::get<Tensor>(get(value));
  }
  Gates getGates(mlir::Value value) const {
    return std::get<Gates>(get(value));
  }
  ValueList getAll(mlir::ValueRange values) const;
  /// The numbers of a list that mixes attributes and operands, such as the
  /// offsets of a slice.
  llvm::SmallVector<int64_t>
  getInts(llvm::ArrayRef<mlir::OpFoldResult> list) const;

  void set(mlir::Value value, RuntimeValue runtimeValue) {
    frame[value] = std::move(runtimeValue);
  }

  /// A tensor for `op`'s use with all elements `init`; an error if the shape is
  /// negative or has more elements than the options allow.
  llvm::FailureOr<Tensor> makeTensor(mlir::Operation *op,
                                     llvm::ArrayRef<int64_t> shape,
                                     Element init = Element::ofInt(0));

  //===--------------------------------------------------------------------===//
  // What several dialects need
  //===--------------------------------------------------------------------===//

  /// Reports an op that the interpreter cannot run.
  llvm::LogicalResult emitUnknown(mlir::Operation *op);

  /// Runs an elementwise op on scalars or on tensors of one shape.
  llvm::LogicalResult evaluateElementwise(mlir::Operation *op);
  /// The function of an elementwise op, looked up once; empty for other ops.
  const ElementFunction &findElementFunction(mlir::Operation *op);

  /// The value of a constant op or of a weight, made on first use.
  llvm::DenseMap<mlir::Operation *, RuntimeValue> constants;
  mlir::SymbolTableCollection symbols;
  /// Numbers of the loops around the op that runs, innermost linalg op last.
  llvm::SmallVector<llvm::ArrayRef<int64_t>> linalgIndices;
  const Options options;

  //===--------------------------------------------------------------------===//
  // Reports
  //===--------------------------------------------------------------------===//

  /// Where the routed bodies of the module count, in the order of
  /// walkRoutedBodies.
  std::vector<RoutedCounters> counters;
  RoutedCounters &getCounters(mlir::Region *routedBody) {
    return counters[counterNumbers.lookup(routedBody)];
  }
  /// The routed bodies that are running, the innermost one last. Each
  /// multiply-add counts for that one only.
  llvm::SmallVector<mlir::Region *> runningBodies;
  void countMultiplyAdds(int64_t number);
  void resetCounters();

  /// The smallest relative gap, other than 0, between scores whose order
  /// decided something, and how many of them were equal.
  double smallestMargin = std::numeric_limits<double>::infinity();
  uint64_t exactTies = 0;

private:
  llvm::LogicalResult checkResultTypes(mlir::Operation *op);
  llvm::LogicalResult checkResultShapes(mlir::Operation *op);

  mlir::ModuleOp module;
  /// The values of the function that runs.
  llvm::DenseMap<mlir::Value, RuntimeValue> frame;
  llvm::DenseMap<mlir::Operation *, ElementFunction> elementFunctions;
  llvm::DenseMap<mlir::Region *, size_t> counterNumbers;
  unsigned callDepth = 0;
};

/// One function for each dialect; each reports ops that it does not know.
llvm::LogicalResult evaluateArith(Evaluator &evaluator, mlir::Operation *op);
llvm::LogicalResult evaluateTensor(Evaluator &evaluator, mlir::Operation *op);
llvm::LogicalResult evaluateLinalg(Evaluator &evaluator, mlir::Operation *op);
llvm::LogicalResult evaluateScf(Evaluator &evaluator, mlir::Operation *op);
llvm::LogicalResult evaluateSluice(Evaluator &evaluator, mlir::Operation *op);
llvm::LogicalResult evaluateCheck(Evaluator &evaluator, mlir::Operation *op);
/// The parts of the sluice dialect that have files of their own.
llvm::LogicalResult evaluateRouter(Evaluator &evaluator, mlir::Operation *op);
llvm::LogicalResult evaluateGates(Evaluator &evaluator, mlir::Operation *op);
llvm::LogicalResult evaluateExperts(Evaluator &evaluator, mlir::Operation *op);
llvm::LogicalResult evaluateQuant(Evaluator &evaluator, mlir::Operation *op);
llvm::LogicalResult evaluateQuantizedLinear(Evaluator &evaluator,
                                            mlir::Operation *op);

/// What each pattern of bits means as a number of `type`, of at most 8 bits.
llvm::SmallVector<float> getNumbers(mlir::Type type);

/// True if a value of this type can be held; false also for null.
bool isKnownType(mlir::Type type);

/// True if a value of shape `actual` may have a type of shape `declared`.
bool fitsShape(llvm::ArrayRef<int64_t> actual,
               llvm::ArrayRef<int64_t> declared);

/// Goes through all indices of `shape` in C order: moves `index` to the next
/// one, and returns false behind the last.
bool nextIndex(llvm::MutableArrayRef<int64_t> index,
               llvm::ArrayRef<int64_t> shape);
/// Elements between neighbours in each dimension.
llvm::SmallVector<int64_t> getStrides(llvm::ArrayRef<int64_t> shape);
/// "2x3", or "a scalar" for no dimensions.
std::string getShapeText(llvm::ArrayRef<int64_t> shape);
/// Emits an error at `op` unless both shapes are the same.
llvm::LogicalResult checkSameShape(mlir::Operation *op,
                                   llvm::ArrayRef<int64_t> first,
                                   llvm::ArrayRef<int64_t> second);

} // namespace sluice::interpreter

#endif // SLUICE_LIB_INTERPRETER_EVALUATOR_H
