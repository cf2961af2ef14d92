//===- QuantOps.cpp - Quantised numbers -------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where a number is rounded is what these ops define, so unlike elsewhere in
// the interpreter arithmetic is that of f32 here.
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include "sluice/Dialect/Sluice/IR/Sluice.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace sluice;
using namespace sluice::interpreter;

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

/// How many blocks there are along each dimension.
static SmallVector<int64_t> countBlocks(ArrayRef<int64_t> shape,
                                        ArrayRef<int64_t> blocks) {
  SmallVector<int64_t> counts;
  for (auto [size, block] : llvm::zip_equal(shape, blocks))
    counts.push_back(llvm::divideCeil(size, block));
  return counts;
}

/// Calls `visit` with the number of each element in C order, and with the
/// numbers of its block.
static void
forEachElement(ArrayRef<int64_t> shape, ArrayRef<int64_t> blocks,
               llvm::function_ref<void(int64_t element, int64_t block)> visit) {
  SmallVector<int64_t> strides = getStrides(countBlocks(shape, blocks));
  SmallVector<int64_t> index(shape.size(), 0);
  if (llvm::is_contained(shape, 0))
    return;
  int64_t element = 0;
  do {
    int64_t block = 0;
    for (unsigned d = 0; d < index.size(); ++d)
      block += index[d] / blocks[d] * strides[d];
    visit(element++, block);
  } while (nextIndex(index, shape));
}

//===----------------------------------------------------------------------===//
// dequantize
//===----------------------------------------------------------------------===//

SmallVector<float> sluice::interpreter::getNumbers(Type type) {
  unsigned width = type.getIntOrFloatBitWidth();
  SmallVector<float> numbers;
  for (unsigned bits = 0; bits < (1u << width); ++bits) {
    APInt pattern(width, bits);
    if (auto floatType = dyn_cast<FloatType>(type)) {
      APFloat number(floatType.getFloatSemantics(), pattern);
      bool losesInfo;
      number.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                     &losesInfo);
      numbers.push_back(number.convertToFloat());
    } else {
      numbers.push_back(type.isUnsignedInteger()
                            ? float(pattern.getZExtValue())
                            : float(pattern.getSExtValue()));
    }
  }
  return numbers;
}

/// f8E8M0FNU.
static float getPower(uint8_t byte) {
  return byte == 255 ? std::numeric_limits<float>::quiet_NaN()
                     : std::ldexp(1.0f, byte - 127);
}

namespace {
/// Reads numbers of which one or two are in a byte; the last dimension begins
/// in a new byte.
class StoredNumbers {
public:
  StoredNumbers(Tensor tensor, Type type, int64_t rowSize)
      : tensor(std::move(tensor)), numbers(getNumbers(type)),
        isPacked(numbers.size() == 16), rowSize(rowSize) {}

  /// The number at a position in C order, rows of `rowSize`.
  float get(int64_t position) const {
    if (!isPacked)
      return numbers[getByte(position)];
    int64_t row = position / rowSize, column = position % rowSize;
    uint8_t pair = getByte(row * llvm::divideCeil(rowSize, 2) + column / 2);
    return numbers[column % 2 ? pair >> 4 : pair & 15];
  }

private:
  uint8_t getByte(int64_t i) const {
    return static_cast<uint8_t>(tensor.data()[i].i);
  }

  Tensor tensor;
  SmallVector<float> numbers;
  bool isPacked;
  int64_t rowSize;
};
} // namespace

/// Emits an error unless `tensor` has the sizes that `type` has where `shape`
/// says nothing: dynamic dimensions are those of the result.
static LogicalResult checkRows(Operation *op, StringRef what,
                               const Tensor &tensor, RankedTensorType type,
                               ArrayRef<int64_t> shape) {
  for (int64_t d = 0; d < type.getRank(); ++d)
    if (type.isDynamicDim(d) && tensor.getDim(d) != shape[d])
      return op->emitError("expected ")
             << what << " with " << shape[d] << " elements along dimension "
             << d << ", as the input has, but got shape "
             << getShapeText(tensor.getShape());
  return success();
}

static LogicalResult evaluateDequantize(Evaluator &evaluator, DequantizeOp op) {
  Tensor input = evaluator.getTensor(op.getInput());
  Tensor scales = evaluator.getTensor(op.getScales());
  SmallVector<int64_t> shape(op.getType().getShape());
  for (auto [d, size] : llvm::enumerate(shape))
    if (ShapedType::isDynamic(size))
      size = input.getDim(d);
  if (failed(checkRows(op, "scales", scales, op.getScales().getType(), shape)))
    return failure();
  StoredNumbers numbers(input, op.getElementType(), shape.back());
  std::optional<StoredNumbers> zeros;
  if (op.getZeros()) {
    Tensor stored = evaluator.getTensor(op.getZeros());
    if (failed(checkRows(op, "zero points", stored,
                         cast<RankedTensorType>(op.getZeros().getType()),
                         shape)))
      return failure();
    zeros.emplace(stored, op.getElementType(),
                  countBlocks(shape, op.getBlocks()).back());
  }
  FailureOr<Tensor> result = evaluator.makeTensor(op, shape);
  if (failed(result))
    return failure();

  Type scaleType = op.getScales().getType().getElementType();
  Element *target = result->mutableData();
  forEachElement(shape, op.getBlocks(), [&](int64_t element, int64_t block) {
    Element stored = scales.data()[block];
    float scale = op.getScaleType()
                      ? getPower(static_cast<uint8_t>(stored.i))
                      : static_cast<float>(roundToType(stored.f, scaleType));
    float number = numbers.get(element) - (zeros ? zeros->get(block) : 0.0f);
    target[element].f =
        roundNarrow(number * scale, op.getType().getElementType());
  });
  evaluator.set(op, std::move(*result));
  return success();
}

//===----------------------------------------------------------------------===//
// quantize
//===----------------------------------------------------------------------===//

namespace {
/// What the numbers of one block are rounded to.
struct BlockScale {
  double low = 0.0, high = 0.0, magnitude = 0.0;
  float scale = 0.0f, reciprocal = 0.0f, zero = 0.0f;

  void add(double x) {
    low = minimum(low, x);
    high = maximum(high, x);
    magnitude = maximum(magnitude, std::fabs(x));
  }

  /// After all have been added.
  void choose(bool isSymmetric) {
    float width = isSymmetric
                      ? static_cast<float>(magnitude)
                      : static_cast<float>(high) - static_cast<float>(low);
    if (!std::isfinite(width)) {
      scale = std::numeric_limits<float>::quiet_NaN();
      return;
    }
    float step = width / (isSymmetric ? 127.0f : 255.0f);
    float inverse = 1.0f / step;
    if (!std::isfinite(inverse))
      return;
    scale = step;
    reciprocal = inverse;
    if (!isSymmetric)
      zero = std::nearbyint(-static_cast<float>(low) * inverse);
  }

  /// The number that stands for x.
  int64_t round(float x, bool isSymmetric) const {
    if (reciprocal == 0.0f)
      return 0;
    float number = std::nearbyint(x * reciprocal) + zero;
    return static_cast<int64_t>(
        std::min(std::max(number, isSymmetric ? -127.0f : 0.0f),
                 isSymmetric ? 127.0f : 255.0f));
  }
};
} // namespace

static LogicalResult evaluateQuantize(Evaluator &evaluator, QuantizeOp op) {
  Tensor input = evaluator.getTensor(op.getInput());
  ArrayRef<int64_t> shape = input.getShape();
  SmallVector<int64_t> counts = countBlocks(shape, op.getBlocks());
  FailureOr<Tensor> quantized = evaluator.makeTensor(op, shape);
  FailureOr<Tensor> scales = evaluator.makeTensor(op, counts);
  if (failed(quantized) || failed(scales))
    return failure();

  bool isSymmetric = op.isSymmetric();
  auto getNumber = [&](int64_t element) {
    return static_cast<float>(input.data()[element].f);
  };
  std::vector<BlockScale> blocks(scales->getNumElements());
  forEachElement(shape, op.getBlocks(), [&](int64_t element, int64_t block) {
    blocks[block].add(getNumber(element));
  });
  Element *scale = scales->mutableData();
  for (auto [i, block] : llvm::enumerate(blocks)) {
    block.choose(isSymmetric);
    scale[i].f = block.scale;
  }
  Element *target = quantized->mutableData();
  forEachElement(shape, op.getBlocks(), [&](int64_t element, int64_t block) {
    target[element].i =
        wrapInt(blocks[block].round(getNumber(element), isSymmetric), 8);
  });
  if (op.getZeros()) {
    Tensor zeros(counts, Element::ofInt(0));
    Element *zero = zeros.mutableData();
    for (auto [i, block] : llvm::enumerate(blocks))
      zero[i].i = wrapInt(static_cast<int64_t>(block.zero), 8);
    evaluator.set(op.getZeros(), std::move(zeros));
  }
  evaluator.set(op.getQuantized(), std::move(*quantized));
  evaluator.set(op.getScales(), std::move(*scales));
  return success();
}

LogicalResult sluice::interpreter::evaluateQuant(Evaluator &evaluator,
                                                 Operation *op) {
  if (auto dequantize = dyn_cast<DequantizeOp>(op))
    return evaluateDequantize(evaluator, dequantize);
  return evaluateQuantize(evaluator, cast<QuantizeOp>(op));
}
