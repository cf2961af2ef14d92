//===- Interpreter.cpp - The oracle: runs models in binary64 ----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Interpreter/Interpreter.h"

#include "Evaluator.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace sluice;
using namespace sluice::interpreter;

Interpreter::Interpreter(ModuleOp module, Options options)
    : evaluator(std::make_unique<Evaluator>(module, options)) {}

Interpreter::~Interpreter() = default;

const std::vector<RoutedCounters> &Interpreter::getCounters() const {
  return evaluator->counters;
}

void Interpreter::printCountersJSON(llvm::raw_ostream &os) const {
  os << toJson(evaluator->counters);
}

double Interpreter::getSmallestMargin() const {
  return evaluator->smallestMargin;
}

uint64_t Interpreter::getExactTies() const { return evaluator->exactTies; }

void Interpreter::resetCounters() { evaluator->resetCounters(); }

FailureOr<SmallVector<HostTensor>>
Interpreter::run(StringRef entry, ArrayRef<HostTensor> inputs) {
  return run(entry, inputs, /*isExact=*/false);
}

FailureOr<SmallVector<HostTensor>>
Interpreter::runExact(StringRef entry, ArrayRef<HostTensor> inputs) {
  return run(entry, inputs, /*isExact=*/true);
}

//===----------------------------------------------------------------------===//
// Crossing the border
//===----------------------------------------------------------------------===//

/// How numbers of this type look outside; nothing if they cannot cross.
static std::optional<Dtype> getDtype(Type type) {
  if (type.isF32())
    return Dtype::F32;
  if (type.isF64())
    return Dtype::F64;
  if (type.isF16())
    return Dtype::F16;
  if (type.isBF16())
    return Dtype::BF16;
  if (type.isInteger(1))
    return Dtype::Bool;
  if (type.isInteger(8))
    return Dtype::I8;
  if (type.isInteger(32))
    return Dtype::I32;
  if (type.isInteger(64) || type.isIndex())
    return Dtype::I64;
  return std::nullopt;
}

/// The type of the numbers in a tensor or a number that can cross the border.
static FailureOr<Dtype> getBorderDtype(func::FuncOp function, StringRef role,
                                       unsigned number, Type type) {
  std::optional<Dtype> dtype;
  if (isKnownType(type))
    dtype = getDtype(getElementTypeOrSelf(type));
  if (dtype)
    return *dtype;
  return function.emitError("the interpreter cannot pass ")
         << type << ", the type of " << role << " #" << number << " of '"
         << function.getName()
         << "'; expected f16, bf16, f32, f64, i1, i8, i32, i64, index or a "
            "ranked "
            "tensor of these";
}

static FailureOr<RuntimeValue> importValue(Evaluator &evaluator,
                                           func::FuncOp function,
                                           unsigned number,
                                           const HostTensor &input) {
  Type type = function.getArgumentTypes()[number];
  FailureOr<Dtype> dtype = getBorderDtype(function, "argument", number, type);
  if (failed(dtype))
    return failure();
  ArrayRef<int64_t> declared;
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    declared = tensor.getShape();
  if (input.dtype() != *dtype || !fitsShape(input.shape(), declared))
    return function.emitError("expected ")
           << type << " for input #" << number << " of '" << function.getName()
           << "' but got " << input.typeText();

  FailureOr<Tensor> tensor = evaluator.makeTensor(function, input.shape());
  if (failed(tensor))
    return failure();
  Element *target = tensor->mutableData();
  for (int64_t i = 0; i < input.numElements(); ++i)
    target[i] = isFloat(*dtype) ? Element::ofFloat(input.get(i))
                                : Element::ofInt(input.getInteger(i));
  if (!isa<RankedTensorType>(type))
    return RuntimeValue(target[0]);
  return RuntimeValue(std::move(*tensor));
}

static FailureOr<HostTensor> exportValue(func::FuncOp function, Dtype dtype,
                                         const RuntimeValue &value,
                                         bool isExact) {
  Tensor tensor;
  if (const auto *element = std::get_if<Element>(&value))
    tensor = Tensor({}, *element);
  else
    tensor = std::get<Tensor>(value);
  llvm::Expected<HostTensor> output = HostTensor::create(
      isExact && isFloat(dtype) ? Dtype::F64 : dtype, tensor.getShape());
  if (!output)
    return function.emitError("cannot make a result of '")
           << function.getName() << "': " << llvm::toString(output.takeError());
  for (int64_t i = 0; i < tensor.getNumElements(); ++i) {
    if (isFloat(dtype))
      output->set(i, tensor.data()[i].f);
    else
      output->setInteger(i, tensor.data()[i].i);
  }
  return std::move(*output);
}

FailureOr<SmallVector<HostTensor>>
Interpreter::run(StringRef entry, ArrayRef<HostTensor> inputs, bool isExact) {
  ModuleOp module = evaluator->getModule();
  auto function = module.lookupSymbol<func::FuncOp>(entry);
  if (!function) {
    InFlightDiagnostic diag = module.emitError("expected a function called '")
                              << entry << "' but the module has ";
    auto functions = llvm::to_vector(module.getOps<func::FuncOp>());
    if (functions.empty())
      diag << "none";
    llvm::interleaveComma(functions, diag, [&](func::FuncOp other) {
      diag << "'" << other.getName() << "'";
    });
    return diag;
  }
  unsigned numInputs = function.getNumArguments();
  if (inputs.size() != numInputs)
    return function.emitError("expected ")
           << numInputs << (numInputs == 1 ? " input" : " inputs") << " for '"
           << entry << "' but got " << inputs.size();

  ValueList arguments, values;
  for (auto [i, input] : llvm::enumerate(inputs)) {
    FailureOr<RuntimeValue> argument =
        importValue(*evaluator, function, i, input);
    if (failed(argument))
      return failure();
    arguments.push_back(std::move(*argument));
  }
  SmallVector<Dtype> dtypes;
  for (auto [i, type] : llvm::enumerate(function.getResultTypes())) {
    FailureOr<Dtype> dtype = getBorderDtype(function, "result", i, type);
    if (failed(dtype))
      return failure();
    dtypes.push_back(*dtype);
  }

  if (failed(evaluator->call(function, arguments, values, function)))
    return failure();
  SmallVector<HostTensor> results;
  for (auto [dtype, value] : llvm::zip_equal(dtypes, values)) {
    FailureOr<HostTensor> result = exportValue(function, dtype, value, isExact);
    if (failed(result))
      return failure();
    results.push_back(std::move(*result));
  }
  return results;
}
