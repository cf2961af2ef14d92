//===- TensorOps.cpp - The tensor dialect on values -------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;
using namespace sluice::interpreter;

using Shape = SmallVector<int64_t>;

/// The number at `index`; an error if it lies outside the shape.
static FailureOr<int64_t> getPosition(Operation *op, ArrayRef<int64_t> index,
                                      ArrayRef<int64_t> shape) {
  int64_t position = 0;
  for (auto [dim, pair] : llvm::enumerate(llvm::zip_equal(index, shape))) {
    auto [at, size] = pair;
    if (at < 0 || at >= size)
      return op->emitError("expected an index below ")
             << size << " in dimension " << dim << " but got " << at;
    position = position * size + at;
  }
  return position;
}

/// The shape of `type` with its dynamic dimensions from `sizes`, in order.
static Shape getShape(const Evaluator &evaluator, RankedTensorType type,
                      ValueRange sizes) {
  Shape shape(type.getShape());
  for (int64_t &dim : shape)
    if (ShapedType::isDynamic(dim)) {
      dim = evaluator.getInt(sizes.front());
      sizes = sizes.drop_front();
    }
  return shape;
}

static LogicalResult setOrFail(Evaluator &evaluator, Value result,
                               FailureOr<Tensor> tensor) {
  if (failed(tensor))
    return failure();
  evaluator.set(result, std::move(*tensor));
  return success();
}

//===----------------------------------------------------------------------===//
// Making tensors
//===----------------------------------------------------------------------===//

static LogicalResult evaluateEmpty(Evaluator &evaluator, tensor::EmptyOp op) {
  // Nothing may depend on what an empty tensor holds; NaN shows if it does.
  Element init = Element::ofInt(0);
  if (isa<FloatType>(op.getType().getElementType()))
    init = Element::ofFloat(std::numeric_limits<double>::quiet_NaN());
  return setOrFail(
      evaluator, op,
      evaluator.makeTensor(
          op, getShape(evaluator, op.getType(), op.getDynamicSizes()), init));
}

static LogicalResult evaluateSplat(Evaluator &evaluator, tensor::SplatOp op) {
  return setOrFail(evaluator, op,
                   evaluator.makeTensor(
                       op,
                       getShape(evaluator, op.getType(), op.getDynamicSizes()),
                       evaluator.getElement(op.getInput())));
}

static LogicalResult evaluateFromElements(Evaluator &evaluator,
                                          tensor::FromElementsOp op) {
  FailureOr<Tensor> result = evaluator.makeTensor(op, op.getType().getShape());
  if (failed(result))
    return failure();
  Element *target = result->mutableData();
  for (Value element : op.getElements())
    *target++ = evaluator.getElement(element);
  evaluator.set(op, std::move(*result));
  return success();
}

/// Runs a body that yields an element for each index of `shape`.
static LogicalResult
forEachIndex(Evaluator &evaluator, Block &body, ArrayRef<int64_t> shape,
             function_ref<void(ArrayRef<int64_t>, Element)> use) {
  if (llvm::is_contained(shape, 0))
    return success();
  Shape index(shape.size(), 0);
  do {
    ValueList arguments, yielded;
    for (int64_t at : index)
      arguments.push_back(Element::ofInt(at));
    if (failed(evaluator.runBlock(body, arguments, yielded)))
      return failure();
    use(index, std::get<Element>(yielded.front()));
  } while (nextIndex(index, shape));
  return success();
}

static LogicalResult evaluateGenerate(Evaluator &evaluator,
                                      tensor::GenerateOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  FailureOr<Tensor> result = evaluator.makeTensor(
      op, getShape(evaluator, type, op.getDynamicExtents()));
  if (failed(result))
    return failure();
  Element *target = result->mutableData();
  if (failed(forEachIndex(
          evaluator, op.getBody().front(), result->getShape(),
          [&](ArrayRef<int64_t>, Element value) { *target++ = value; })))
    return failure();
  evaluator.set(op, std::move(*result));
  return success();
}

static LogicalResult evaluatePad(Evaluator &evaluator, tensor::PadOp op) {
  Tensor source = evaluator.getTensor(op.getSource());
  SmallVector<int64_t> low = evaluator.getInts(op.getMixedLowPad());
  SmallVector<int64_t> high = evaluator.getInts(op.getMixedHighPad());
  Shape shape(source.getShape());
  for (unsigned dim = 0; dim < shape.size(); ++dim) {
    if (low[dim] < 0 || high[dim] < 0)
      return op.emitError("expected padding of at least 0 but got ")
             << std::min(low[dim], high[dim]) << " in dimension " << dim;
    if (__builtin_add_overflow(shape[dim], low[dim], &shape[dim]) ||
        __builtin_add_overflow(shape[dim], high[dim], &shape[dim]))
      return op.emitError("padding overflows in dimension ") << dim;
  }
  FailureOr<Tensor> result = evaluator.makeTensor(op, shape);
  if (failed(result))
    return failure();
  Element *target = result->mutableData();
  SmallVector<int64_t> strides = getStrides(source.getShape());
  if (failed(forEachIndex(evaluator, op.getRegion().front(), shape,
                          [&](ArrayRef<int64_t> index, Element padding) {
                            bool isInside = true;
                            int64_t position = 0;
                            for (unsigned dim = 0; dim < index.size(); ++dim) {
                              int64_t at = index[dim] - low[dim];
                              isInside &= at >= 0 && at < source.getDim(dim);
                              position += at * strides[dim];
                            }
                            *target++ =
                                isInside ? source.data()[position] : padding;
                          })))
    return failure();
  evaluator.set(op, std::move(*result));
  return success();
}

//===----------------------------------------------------------------------===//
// Elements and slices
//===----------------------------------------------------------------------===//

static Shape getIndices(const Evaluator &evaluator, ValueRange values) {
  Shape index;
  for (Value value : values)
    index.push_back(evaluator.getInt(value));
  return index;
}

static LogicalResult evaluateExtract(Evaluator &evaluator,
                                     tensor::ExtractOp op) {
  Tensor tensor = evaluator.getTensor(op.getTensor());
  FailureOr<int64_t> position = getPosition(
      op, getIndices(evaluator, op.getIndices()), tensor.getShape());
  if (failed(position))
    return failure();
  evaluator.set(op, tensor.data()[*position]);
  return success();
}

static LogicalResult evaluateInsert(Evaluator &evaluator, tensor::InsertOp op) {
  Tensor tensor = evaluator.getTensor(op.getDest());
  FailureOr<int64_t> position = getPosition(
      op, getIndices(evaluator, op.getIndices()), tensor.getShape());
  if (failed(position))
    return failure();
  tensor.mutableData()[*position] = evaluator.getElement(op.getScalar());
  evaluator.set(op, std::move(tensor));
  return success();
}

namespace {
/// A slice of a tensor, its bounds checked.
struct Slice {
  SmallVector<int64_t> offsets, sizes, strides;

  /// Calls `use` with the position in the whole of each element in order.
  void forEach(ArrayRef<int64_t> whole, function_ref<void(int64_t)> use) const {
    if (llvm::is_contained(sizes, 0))
      return;
    SmallVector<int64_t> steps = getStrides(whole);
    Shape index(sizes.size(), 0);
    do {
      int64_t position = 0;
      for (unsigned dim = 0; dim < index.size(); ++dim)
        position += (offsets[dim] + index[dim] * strides[dim]) * steps[dim];
      use(position);
    } while (nextIndex(index, sizes));
  }
};
} // namespace

static FailureOr<Slice> getSlice(const Evaluator &evaluator,
                                 OffsetSizeAndStrideOpInterface op,
                                 ArrayRef<int64_t> whole) {
  Slice slice{evaluator.getInts(op.getMixedOffsets()),
              evaluator.getInts(op.getMixedSizes()),
              evaluator.getInts(op.getMixedStrides())};
  for (unsigned dim = 0; dim < whole.size(); ++dim) {
    int64_t offset = slice.offsets[dim], size = slice.sizes[dim], last;
    // The first and the last element must lie inside; an empty slice may begin
    // just behind the end.
    bool fits = offset >= 0 && size >= 0 && offset <= whole[dim];
    if (fits && size > 0)
      fits = !__builtin_mul_overflow(size - 1, slice.strides[dim], &last) &&
             !__builtin_add_overflow(last, offset, &last) && last >= 0 &&
             last < whole[dim] && offset < whole[dim];
    if (!fits)
      return op->emitError("expected a slice within the ")
             << whole[dim] << " elements of dimension " << dim
             << " but got offset " << offset << ", size " << size << ", stride "
             << slice.strides[dim];
  }
  return slice;
}

static LogicalResult evaluateExtractSlice(Evaluator &evaluator,
                                          tensor::ExtractSliceOp op) {
  Tensor source = evaluator.getTensor(op.getSource());
  FailureOr<Slice> slice = getSlice(evaluator, op, source.getShape());
  if (failed(slice))
    return failure();
  llvm::SmallBitVector dropped = op.getDroppedDims();
  Shape shape;
  for (auto [dim, size] : llvm::enumerate(slice->sizes))
    if (!dropped.test(dim))
      shape.push_back(size);
  FailureOr<Tensor> result = evaluator.makeTensor(op, shape);
  if (failed(result))
    return failure();
  Element *target = result->mutableData();
  slice->forEach(source.getShape(), [&](int64_t position) {
    *target++ = source.data()[position];
  });
  evaluator.set(op, std::move(*result));
  return success();
}

static LogicalResult evaluateInsertSlice(Evaluator &evaluator,
                                         tensor::InsertSliceOp op) {
  Tensor source = evaluator.getTensor(op.getSource());
  Tensor dest = evaluator.getTensor(op.getDest());
  FailureOr<Slice> slice = getSlice(evaluator, op, dest.getShape());
  if (failed(slice))
    return failure();
  llvm::SmallBitVector dropped = op.getDroppedDims();
  Shape expected;
  for (auto [dim, size] : llvm::enumerate(slice->sizes))
    if (!dropped.test(dim))
      expected.push_back(size);
  if (source.getShape() != ArrayRef(expected))
    return op.emitError("expected a source of shape ")
           << getShapeText(expected) << " for the slice but got "
           << getShapeText(source.getShape());
  const Element *next = source.data();
  Element *target = dest.mutableData();
  slice->forEach(dest.getShape(),
                 [&](int64_t position) { target[position] = *next++; });
  evaluator.set(op, std::move(dest));
  return success();
}

static LogicalResult evaluateConcat(Evaluator &evaluator, tensor::ConcatOp op) {
  unsigned dim = op.getDim();
  SmallVector<Tensor> inputs;
  Shape shape;
  for (Value value : op.getInputs()) {
    Tensor input = evaluator.getTensor(value);
    if (inputs.empty()) {
      shape.assign(input.getShape().begin(), input.getShape().end());
    } else {
      Shape other(input.getShape());
      other[dim] = shape[dim];
      if (failed(checkSameShape(op, shape, other)))
        return failure();
      shape[dim] += input.getDim(dim);
    }
    inputs.push_back(std::move(input));
  }
  FailureOr<Tensor> result = evaluator.makeTensor(op, shape);
  if (failed(result))
    return failure();
  // All before the dimension are the rows of a matrix, of which each input has
  // some columns.
  int64_t numRows = 1;
  for (int64_t size : ArrayRef(shape).take_front(dim))
    numRows *= size;
  Element *target = result->mutableData();
  for (int64_t row = 0; row < numRows; ++row)
    for (const Tensor &input : inputs) {
      int64_t rowSize = input.getNumElements() / numRows;
      target = std::copy_n(input.data() + row * rowSize, rowSize, target);
    }
  evaluator.set(op, std::move(*result));
  return success();
}

static LogicalResult evaluateGather(Evaluator &evaluator, tensor::GatherOp op) {
  Tensor source = evaluator.getTensor(op.getSource());
  Tensor indices = evaluator.getTensor(op.getIndices());
  ArrayRef<int64_t> dims = op.getGatherDims();

  // Coordinates [N, K], slices of the source with the gathered dimensions 1.
  Shape batch(indices.getShape().drop_back()), slice(source.getShape());
  for (int64_t dim : dims)
    slice[dim] = 1;
  bool isReduced = op.getType().getRank() <
                   static_cast<int64_t>(batch.size() + slice.size());
  Shape shape = batch;
  for (auto [dim, size] : llvm::enumerate(slice))
    if (!isReduced || !llvm::is_contained(dims, static_cast<int64_t>(dim)))
      shape.push_back(size);

  FailureOr<Tensor> result = evaluator.makeTensor(op, shape);
  if (failed(result))
    return failure();
  Element *target = result->mutableData();
  const Element *coordinates = indices.data();
  if (result->getNumElements() != 0) {
    Shape outer(batch.size(), 0);
    do {
      Shape inner(slice.size(), 0);
      do {
        Shape at(inner);
        for (auto [i, dim] : llvm::enumerate(dims))
          at[dim] = coordinates[i].i;
        FailureOr<int64_t> position = getPosition(op, at, source.getShape());
        if (failed(position))
          return failure();
        *target++ = source.data()[*position];
      } while (nextIndex(inner, slice));
      coordinates += dims.size();
    } while (nextIndex(outer, batch));
  }
  evaluator.set(op, std::move(*result));
  return success();
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

static LogicalResult evaluateDim(Evaluator &evaluator, tensor::DimOp op) {
  Tensor tensor = evaluator.getTensor(op.getSource());
  int64_t dim = evaluator.getInt(op.getIndex());
  if (dim < 0 || dim >= tensor.getRank())
    return op.emitError("expected a dimension below ")
           << tensor.getRank() << " but got " << dim;
  evaluator.set(op, Element::ofInt(tensor.getDim(dim)));
  return success();
}

/// The source's elements under the shape that `groups` of its dimensions have
/// when they are collapsed.
static LogicalResult evaluateCollapse(Evaluator &evaluator,
                                      tensor::CollapseShapeOp op) {
  Tensor source = evaluator.getTensor(op.getSrc());
  Shape shape;
  for (ArrayRef<int64_t> group : op.getReassociationIndices()) {
    uint64_t size = 1;
    for (int64_t dim : group)
      size *= source.getDim(dim);
    shape.push_back(size);
  }
  evaluator.set(op, source.withShape(shape));
  return success();
}

/// Gives `source` another shape, if it has as many elements.
static LogicalResult reshape(Evaluator &evaluator, Operation *op,
                             const Tensor &source, ArrayRef<int64_t> shape) {
  uint64_t number = 1;
  bool fits = true;
  for (int64_t dim : shape)
    fits &= dim >= 0 && !__builtin_mul_overflow(
                            number, static_cast<uint64_t>(dim), &number);
  if (!fits || number != static_cast<uint64_t>(source.getNumElements()))
    return op->emitError("expected a shape of ")
           << source.getNumElements() << " elements but got "
           << getShapeText(shape);
  evaluator.set(op->getResult(0), source.withShape(shape));
  return success();
}

static LogicalResult evaluateExpand(Evaluator &evaluator,
                                    tensor::ExpandShapeOp op) {
  Tensor source = evaluator.getTensor(op.getSrc());
  SmallVector<int64_t> shape = evaluator.getInts(op.getMixedOutputShape());
  for (auto [dim, group] : llvm::enumerate(op.getReassociationIndices())) {
    uint64_t size = 1;
    for (int64_t part : group)
      size *= shape[part];
    if (size != static_cast<uint64_t>(source.getDim(dim)))
      return op.emitError("expected the sizes of the parts of dimension ")
             << dim << " to multiply to " << source.getDim(dim) << " but got "
             << size;
  }
  return reshape(evaluator, op, source, shape);
}

static LogicalResult evaluateReshape(Evaluator &evaluator,
                                     tensor::ReshapeOp op) {
  Tensor sizes = evaluator.getTensor(op.getShape());
  Shape shape;
  for (int64_t i = 0; i < sizes.getNumElements(); ++i)
    shape.push_back(sizes.data()[i].i);
  return reshape(evaluator, op, evaluator.getTensor(op.getSource()), shape);
}

/// `bitcast` between types of one width.
static LogicalResult evaluateBitcast(Evaluator &evaluator,
                                     tensor::BitcastOp op) {
  if (op.getSource().getType().getElementType() !=
      op.getType().getElementType())
    return op.emitError("the interpreter does not know 'tensor.bitcast' to "
                        "another element type; use arith.bitcast");
  evaluator.set(op, evaluator.get(op.getSource()));
  return success();
}

LogicalResult sluice::interpreter::evaluateTensor(Evaluator &evaluator,
                                                  Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case(
          [&](tensor::BitcastOp op) { return evaluateBitcast(evaluator, op); })
      .Case([&](tensor::CastOp op) {
        // The shape is checked against the result's type after each op.
        if (!isKnownType(op.getSource().getType()))
          return evaluator.emitUnknown(op);
        evaluator.set(op, RuntimeValue(evaluator.get(op.getSource())));
        return success();
      })
      .Case([&](tensor::CollapseShapeOp op) {
        return evaluateCollapse(evaluator, op);
      })
      .Case([&](tensor::ConcatOp op) { return evaluateConcat(evaluator, op); })
      .Case([&](tensor::DimOp op) { return evaluateDim(evaluator, op); })
      .Case([&](tensor::EmptyOp op) { return evaluateEmpty(evaluator, op); })
      .Case([&](tensor::ExpandShapeOp op) {
        return evaluateExpand(evaluator, op);
      })
      .Case(
          [&](tensor::ExtractOp op) { return evaluateExtract(evaluator, op); })
      .Case([&](tensor::ExtractSliceOp op) {
        return evaluateExtractSlice(evaluator, op);
      })
      .Case([&](tensor::FromElementsOp op) {
        return evaluateFromElements(evaluator, op);
      })
      .Case([&](tensor::GatherOp op) { return evaluateGather(evaluator, op); })
      .Case([&](tensor::GenerateOp op) {
        return evaluateGenerate(evaluator, op);
      })
      .Case([&](tensor::InsertOp op) { return evaluateInsert(evaluator, op); })
      .Case([&](tensor::InsertSliceOp op) {
        return evaluateInsertSlice(evaluator, op);
      })
      .Case([&](tensor::PadOp op) { return evaluatePad(evaluator, op); })
      .Case([&](tensor::RankOp op) {
        evaluator.set(
            op, Element::ofInt(evaluator.getTensor(op.getTensor()).getRank()));
        return success();
      })
      .Case(
          [&](tensor::ReshapeOp op) { return evaluateReshape(evaluator, op); })
      .Case([&](tensor::SplatOp op) { return evaluateSplat(evaluator, op); })
      .Default([&](Operation *op) { return evaluator.emitUnknown(op); });
}
