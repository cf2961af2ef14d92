//===- SluiceOps.cpp - Weights, products, activations, shapes ---*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include "mlir/IR/TypeUtilities.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"
#include "sluice/Support/Weights.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace sluice;
using namespace sluice::interpreter;

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

static std::optional<Dtype> getDtype(Type type) {
  if (isa<Float16Type>(type))
    return Dtype::F16;
  if (isa<BFloat16Type>(type))
    return Dtype::BF16;
  if (isa<Float32Type>(type))
    return Dtype::F32;
  if (isa<Float64Type>(type))
    return Dtype::F64;
  if (type.isInteger(8))
    return Dtype::I8;
  if (type.isInteger(32))
    return Dtype::I32;
  if (type.isInteger(64))
    return Dtype::I64;
  return std::nullopt;
}

/// The matrix, or stack of matrices, in panels.
static FailureOr<Tensor> pack(Evaluator &evaluator, GetWeightOp op,
                              const Tensor &matrices, PanelsAttr panels) {
  bool isFloat = isa<FloatType>(op.getType().getElementType());
  FailureOr<Tensor> packed =
      evaluator.makeTensor(op, op.getType().getShape(),
                           isFloat ? Element::ofFloat(0.0) : Element::ofInt(0));
  if (failed(packed))
    return failure();
  ArrayRef<int64_t> shape = matrices.getShape();
  int64_t rows = shape[shape.size() - panels.getDims()], columns = 1;
  for (int64_t size : shape.take_back(panels.getDims() - 1))
    columns *= size;
  bool isOutIn = panels.getLayout() == Layout::OutIn;
  int64_t width = panels.getWidth(), side = panels.getInterleave();
  int64_t numbers = panels.getNumbersPerElement();
  int64_t numOut = isOutIn ? rows : columns;
  int64_t numIn = (isOutIn ? columns : rows) * numbers;
  int64_t lines = llvm::divideCeil(numIn, side * numbers),
          size = rows * columns;
  int64_t packedSize = llvm::divideCeil(numOut, width) * lines * width * side;
  const Element *source = matrices.data();
  Element *target = packed->mutableData();
  if (packedSize == 0 || size == 0)
    return packed;
  for (int64_t first = 0; first < matrices.getNumElements(); first += size) {
    for (int64_t out = 0; out < numOut; ++out)
      for (int64_t in = 0; in < numIn; ++in) {
        int64_t line = in / (side * numbers), j = in % (side * numbers);
        Element &place =
            target[((out / width * lines + line) * width + out % width) * side +
                   j % side];
        if (numbers == 1) {
          place = source[isOutIn ? out * columns + in : in * columns + out];
          continue;
        }
        // The first inputs of a line are in the low halves of its bytes.
        uint8_t byte = source[out * columns + in / 2].i;
        uint8_t number = in % 2 ? byte >> 4 : byte & 15;
        place.i = int8_t(j < side ? number : uint8_t(place.i) | number << 4);
      }
    source += size;
    target += packedSize;
  }
  return packed;
}

static LogicalResult evaluateGetWeight(Evaluator &evaluator, GetWeightOp op) {
  auto weight = evaluator.symbols.lookupNearestSymbolFrom<WeightOp>(
      op, op.getWeightAttr());
  if (!weight)
    return op.emitError("expected '")
           << op.getWeight() << "' to be a sluice.weight of the module";
  if (auto it = evaluator.constants.find(weight);
      it != evaluator.constants.end()) {
    evaluator.set(op, it->second);
    return success();
  }
  if (!evaluator.options.weights)
    return op.emitError("expected a weights file for '@")
           << op.getWeight() << "' but none was given; give it with --weights";

  std::optional<Dtype> dtype = getDtype(op.getType().getElementType());
  auto type = cast<RankedTensorType>(weight.getType());
  ArrayRef<int64_t> shape = type.getShape();
  FailureOr<Tensor> tensor = evaluator.makeTensor(op, shape);
  if (failed(tensor) || !dtype)
    return failure();
  llvm::Expected<HostTensor> stored =
      evaluator.options.weights->load(weight.getTensor(), *dtype, shape);
  if (!stored)
    return op.emitError("cannot load the weight '@")
           << op.getWeight() << "': " << llvm::toString(stored.takeError());
  Element *target = tensor->mutableData();
  for (int64_t i = 0, e = tensor->getNumElements(); i < e; ++i)
    target[i] = isFloat(*dtype) ? Element::ofFloat(stored->get(i))
                                : Element::ofInt(stored->getInteger(i));
  if (PanelsAttr panels = weight.getPanelsAttr()) {
    tensor = pack(evaluator, op, *tensor, panels);
    if (failed(tensor))
      return failure();
  }
  evaluator.constants[weight] = *tensor;
  evaluator.set(op, std::move(*tensor));
  return success();
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

static LogicalResult evaluateLinear(Evaluator &evaluator, LinearOp op) {
  Tensor input = evaluator.getTensor(op.getInput());
  Tensor weight = evaluator.getTensor(op.getWeight());
  int64_t numRows = input.getDim(0), numIn = input.getDim(1);
  bool isPacked = op.getLayout() == Layout::Panels;
  int64_t width = isPacked ? weight.getDim(2) : 1;
  int64_t numOut =
      isPacked ? op.getType().getDimSize(1) : weight.getDim(op.getOutDim());
  int64_t side = op.getInterleave();
  int64_t lines = isPacked ? llvm::divideCeil(numIn, side) : numIn;
  if (weight.getDim(op.getInDim()) != lines)
    return op.emitError("expected a weight with ")
           << numIn
           << " inputs, as the input has columns, but got one of shape "
           << getShapeText(weight.getShape());
  Tensor bias;
  if (op.getBias()) {
    bias = evaluator.getTensor(op.getBias());
    if (bias.getDim(0) != numOut)
      return op.emitError("expected a bias of ")
             << numOut << " elements but got " << bias.getDim(0);
  }
  FailureOr<Tensor> result = evaluator.makeTensor(op, {numRows, numOut});
  if (failed(result))
    return failure();

  Type type = op.getType().getElementType();
  // Inputs side by side, and the distance between such lines.
  int64_t stepIn = isPacked                          ? width * side
                   : op.getLayout() == Layout::OutIn ? 1
                                                     : numOut;
  Element *target = result->mutableData();
  for (int64_t t = 0; t < numRows; ++t) {
    const Element *row = input.data() + t * numIn;
    for (int64_t o = 0; o < numOut; ++o) {
      const Element *column =
          weight.data() +
          (isPacked ? ((o / width) * lines * width + o % width) * side
           : op.getLayout() == Layout::OutIn ? o * numIn
                                             : o);
      double sum = 0.0;
      for (int64_t i = 0; i < numIn; ++i)
        sum += row[i].f * column[i / side * stepIn + i % side].f;
      if (op.getBias())
        sum += bias.data()[o].f;
      *target++ = Element::ofFloat(roundNarrow(sum, type));
    }
  }
  evaluator.countMultiplyAdds(numRows * numIn * numOut);
  evaluator.set(op, std::move(*result));
  return success();
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// Applies `function` to each element of a tensor, or to the value of each
/// present entry of gates.
static LogicalResult mapNumbers(Evaluator &evaluator, Operation *op,
                                function_ref<double(double)> function) {
  Value result = op->getResult(0);
  if (auto type = dyn_cast<GatesType>(result.getType())) {
    Gates gates = evaluator.getGates(op->getOperand(0));
    Gates::Rows rows = gates.copyRows();
    for (auto &row : rows)
      for (Slot &slot : row)
        if (slot.isPresent())
          slot.value = roundNarrow(function(slot.value), type.getElementType());
    evaluator.set(result, Gates(std::move(rows), gates.getNumExperts(),
                                gates.getDropped()));
    return success();
  }
  Type type = getElementTypeOrSelf(result.getType());
  Tensor tensor = evaluator.getTensor(op->getOperand(0));
  Element *data = tensor.mutableData();
  for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i)
    data[i].f = roundNarrow(function(data[i].f), type);
  evaluator.set(result, std::move(tensor));
  return success();
}

static double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

static double softplus(double x) {
  return maximum(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}

static double silu(double x) { return x / (1.0 + std::exp(-x)); }

static double relu(double x) { return maximum(x, 0.0); }

static double geluErf(double x) {
  return x / 2.0 * (1.0 + std::erf(x / std::sqrt(2.0)));
}

static double geluTanh(double x) {
  double inner = std::sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x);
  return x / 2.0 * (1.0 + std::tanh(inner));
}

static LogicalResult evaluateClamp(Evaluator &evaluator, ClampOp op) {
  Type type;
  if (auto gates = dyn_cast<GatesType>(op.getType()))
    type = gates.getElementType();
  else
    type = getElementTypeOrSelf(op.getType());
  auto round = [&](std::optional<APFloat> bound) -> std::optional<double> {
    if (!bound)
      return std::nullopt;
    return roundToType(bound->convertToDouble(), type);
  };
  std::optional<double> min = round(op.getMin()), max = round(op.getMax());
  return mapNumbers(evaluator, op, [&](double x) {
    if (min)
      x = maximum(x, *min);
    if (max)
      x = minimum(x, *max);
    return x;
  });
}

static void softmax(MutableArrayRef<double> row, Type type) {
  double largest = -std::numeric_limits<double>::infinity(), sum = 0.0;
  for (double x : row)
    largest = maximum(largest, x);
  for (double &x : row)
    sum += x = std::exp(x - largest);
  for (double &x : row)
    x = roundNarrow(x / sum, type);
}

static LogicalResult evaluateSoftmax(Evaluator &evaluator, SoftmaxOp op) {
  SmallVector<double> numbers;
  if (auto type = dyn_cast<GatesType>(op.getType())) {
    Gates gates = evaluator.getGates(op.getInput());
    Gates::Rows rows = gates.copyRows();
    for (auto &row : rows) {
      numbers.clear();
      for (const Slot &slot : row)
        if (slot.isPresent())
          numbers.push_back(slot.value);
      softmax(numbers, type.getElementType());
      const double *next = numbers.begin();
      for (Slot &slot : row)
        if (slot.isPresent())
          slot.value = *next++;
    }
    evaluator.set(
        op, Gates(std::move(rows), gates.getNumExperts(), gates.getDropped()));
    return success();
  }
  Tensor tensor = evaluator.getTensor(op.getInput());
  Element *data = tensor.mutableData();
  int64_t rowSize = tensor.getShape().back();
  for (int64_t i = 0, e = tensor.getNumElements(); i < e; i += rowSize) {
    numbers.clear();
    for (int64_t j = 0; j < rowSize; ++j)
      numbers.push_back(data[i + j].f);
    softmax(numbers, getElementTypeOrSelf(op.getType()));
    for (int64_t j = 0; j < rowSize; ++j)
      data[i + j].f = numbers[j];
  }
  evaluator.set(op, std::move(tensor));
  return success();
}

static LogicalResult evaluateRMSNorm(Evaluator &evaluator, RMSNormOp op) {
  Tensor tensor = evaluator.getTensor(op.getInput());
  Tensor gain;
  if (op.getGain())
    gain = evaluator.getTensor(op.getGain());
  Type type = op.getResult().getType().getElementType();
  double eps = op.getEps().convertToDouble();
  int64_t rowSize = tensor.getShape().back();
  if (op.getGain() && gain.getDim(0) != rowSize)
    return op.emitError("expected a gain of ")
           << rowSize << " elements but got " << gain.getDim(0);
  Element *data = tensor.mutableData();
  for (int64_t row = 0, e = tensor.getNumElements(); row < e; row += rowSize) {
    double sum = 0.0;
    for (int64_t i = 0; i < rowSize; ++i)
      sum += data[row + i].f * data[row + i].f;
    double root = std::sqrt(sum / rowSize + eps);
    for (int64_t i = 0; i < rowSize; ++i) {
      double factor = op.getGain() ? gain.data()[i].f : 1.0;
      data[row + i].f = roundNarrow(data[row + i].f / root * factor, type);
    }
  }
  evaluator.set(op, std::move(tensor));
  return success();
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

static LogicalResult evaluateBroadcast(Evaluator &evaluator, BroadcastOp op) {
  Tensor like = evaluator.getTensor(op.getLike());
  auto type = dyn_cast<RankedTensorType>(op.getSource().getType());
  Tensor source = type ? evaluator.getTensor(op.getSource())
                       : Tensor({}, evaluator.getElement(op.getSource()));
  unsigned missing = like.getRank() - source.getRank();

  // A dimension that is repeated is walked with a step of 0.
  SmallVector<int64_t> steps(like.getRank(), 0);
  SmallVector<int64_t> strides = getStrides(source.getShape());
  for (unsigned dim = 0; dim < strides.size(); ++dim) {
    if (type.getDimSize(dim) == 1)
      continue;
    if (source.getDim(dim) != like.getDim(missing + dim))
      return op.emitError("expected dimension ")
             << dim << " of the source to have size "
             << like.getDim(missing + dim) << " but got " << source.getDim(dim);
    steps[missing + dim] = strides[dim];
  }
  FailureOr<Tensor> result = evaluator.makeTensor(op, like.getShape());
  if (failed(result))
    return failure();
  Element *target = result->mutableData();
  SmallVector<int64_t> index(like.getRank(), 0);
  for (int64_t i = 0, e = result->getNumElements(); i < e; ++i) {
    int64_t position = 0;
    for (unsigned dim = 0; dim < index.size(); ++dim)
      position += index[dim] * steps[dim];
    target[i] = source.data()[position];
    nextIndex(index, like.getShape());
  }
  evaluator.set(op.getResult(), std::move(*result));
  return success();
}

static LogicalResult evaluateSplit(Evaluator &evaluator, SplitOp op) {
  Tensor input = evaluator.getTensor(op.getInput());
  int64_t numParts = op.getParts();
  SmallVector<int64_t> shape(input.getShape());
  int64_t whole = shape.back(), size = whole / numParts;
  shape.back() = size;
  for (int64_t part = 0; part < numParts; ++part) {
    FailureOr<Tensor> result = evaluator.makeTensor(op, shape);
    if (failed(result))
      return failure();
    Element *target = result->mutableData();
    for (int64_t row = 0, e = input.getNumElements(); row < e; row += whole)
      for (int64_t i = 0; i < size; ++i)
        *target++ =
            input.data()[row + (op.getInterleaved() ? i * numParts + part
                                                    : part * size + i)];
    evaluator.set(op.getResult(part), std::move(*result));
  }
  return success();
}

LogicalResult sluice::interpreter::evaluateSluice(Evaluator &evaluator,
                                                  Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](BroadcastOp op) { return evaluateBroadcast(evaluator, op); })
      .Case([&](ClampOp op) { return evaluateClamp(evaluator, op); })
      .Case<DequantizeOp, QuantizeOp>(
          [&](auto) { return evaluateQuant(evaluator, op); })
      .Case([&](QuantizedLinearOp) {
        return evaluateQuantizedLinear(evaluator, op);
      })
      .Case<ExpertsOp, MixedExpertsOp, GroupedOp>(
          [&](auto) { return evaluateExperts(evaluator, op); })
      .Case([&](GeluOp gelu) {
        return mapNumbers(evaluator, op,
                          gelu.getKind() == GeluKind::Erf ? geluErf : geluTanh);
      })
      .Case([&](GetWeightOp op) { return evaluateGetWeight(evaluator, op); })
      .Case([&](LinearOp op) { return evaluateLinear(evaluator, op); })
      .Case([&](RMSNormOp op) { return evaluateRMSNorm(evaluator, op); })
      .Case([&](ReluOp) { return mapNumbers(evaluator, op, relu); })
      .Case([&](SigmoidOp) { return mapNumbers(evaluator, op, sigmoid); })
      .Case([&](SiluOp) { return mapNumbers(evaluator, op, silu); })
      .Case([&](SoftmaxOp op) { return evaluateSoftmax(evaluator, op); })
      .Case([&](SoftplusOp) { return mapNumbers(evaluator, op, softplus); })
      .Case([&](SplitOp op) { return evaluateSplit(evaluator, op); })
      .Default([&](Operation *op) { return evaluateRouter(evaluator, op); });
}
