//===- SluiceGatesOps.cpp - Gates from tensors, and gates as sets --*- C++
//-*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Builders.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"

#include <cmath>

using namespace mlir;
using namespace sluice;

/// Two sizes that can be equal at run time.
static bool compatible(int64_t a, int64_t b) {
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b;
}

static std::string dim(int64_t size) {
  return ShapedType::isDynamic(size) ? "?" : std::to_string(size);
}

static GatesType getGatesType(Value value) {
  return dyn_cast<GatesType>(value.getType());
}

//===----------------------------------------------------------------------===//
// Between gates and tensors
//===----------------------------------------------------------------------===//

LogicalResult FromEntriesOp::verify() {
  auto gates = cast<GatesType>(getGates().getType());
  auto indices = cast<RankedTensorType>(getIndices().getType());
  if (!gates.isPerToken() || indices.getDimSize(1) != gates.getCount()) // C1
    return emitOpError("expected gates with ")
           << dim(indices.getDimSize(1))
           << " entries per token, one for each column of the indices, but got "
           << gates;
  if (getValues() && getWeights()) // C4
    return emitOpError("expected 'values' or 'weights' but got both");
  if (getValues()) {
    auto values = cast<RankedTensorType>(getValues().getType());
    if (failed(verifyCompatibleShape(values, indices))) // C2
      return emitOpError("expected values of the shape of the indices, ")
             << indices << ", but got " << values;
  }
  if (getWeights()) {
    auto weights = cast<RankedTensorType>(getWeights().getType());
    if (weights.getDimSize(1) != gates.getExperts()) // C3
      return emitOpError("expected weights with ")
             << gates.getExperts() << " columns, one for each expert, but got "
             << weights;
  }
  if (Value given = getValues() ? getValues() : getWeights()) {
    auto type = cast<RankedTensorType>(given.getType());
    if (type.getElementType() != gates.getElementType()) // C4
      return emitOpError("expected gates of ")
             << type.getElementType() << ", the element type of "
             << (getValues() ? "the values" : "the weights") << ", but got "
             << gates;
    if (!compatible(type.getDimSize(0), indices.getDimSize(0))) // C5
      return emitOpError("expected ")
             << dim(indices.getDimSize(0))
             << " rows, as the indices have, but got " << type;
  }
  if (!compatible(gates.getTokens(), indices.getDimSize(0))) // C5
    return emitOpError("expected gates of ")
           << dim(indices.getDimSize(0))
           << " tokens, one for each row of the indices, but got " << gates;
  return success();
}

LogicalResult FromDenseOp::verify() {
  auto gates = cast<GatesType>(getGates().getType());
  auto values = cast<RankedTensorType>(getValues().getType());
  auto mask = cast<RankedTensorType>(getMask().getType());
  if (failed(verifyCompatibleShape(values, mask)) ||
      values.getDimSize(1) != gates.getExperts() ||
      !compatible(values.getDimSize(0), gates.getTokens())) // C1
    return emitOpError("expected values and mask of ")
           << dim(gates.getTokens()) << " x " << gates.getExperts()
           << ", tokens x experts of the result, but got " << values << " and "
           << mask;
  if (values.getElementType() != gates.getElementType()) // C2
    return emitOpError("expected gates of ")
           << values.getElementType()
           << ", the element type of the values, but got " << gates;
  if (gates.getBound() == Bound::PerExpert) // C3
    return emitOpError("expected gates that are bounded per token or not at "
                       "all but got ")
           << gates;
  return success();
}

LogicalResult DenseOp::inferReturnTypes(MLIRContext *context,
                                        std::optional<Location> loc,
                                        Adaptor adaptor,
                                        SmallVectorImpl<Type> &types) {
  GatesType gates = getGatesType(adaptor.getGates());
  if (!gates)
    return emitOptionalError(loc, "expected gates but got ",
                             adaptor.getGates().getType());
  int64_t shape[] = {gates.getTokens(), gates.getExperts()};
  types.push_back(RankedTensorType::get(shape, gates.getElementType()));
  types.push_back(RankedTensorType::get(shape, IntegerType::get(context, 1)));
  return success();
}

LogicalResult ChooseTokensOp::inferReturnTypes(MLIRContext *context,
                                               std::optional<Location> loc,
                                               Adaptor adaptor,
                                               SmallVectorImpl<Type> &types) {
  auto scores = dyn_cast<RankedTensorType>(adaptor.getScores().getType());
  if (!scores || scores.getRank() != 2 || scores.isDynamicDim(1) ||
      scores.getDimSize(1) < 1 ||
      !isa<FloatType>(scores.getElementType())) // C1
    return emitOptionalError(loc,
                             "expected the scores to be a matrix of floats "
                             "(tokens x experts) with a static number of "
                             "experts but got ",
                             adaptor.getScores().getType());
  types.push_back(GatesType::get(context, scores.getDimSize(0),
                                 scores.getDimSize(1), scores.getElementType(),
                                 Bound::PerExpert, ShapedType::kDynamic));
  return success();
}

//===----------------------------------------------------------------------===//
// Gates as sets of entries
//===----------------------------------------------------------------------===//

LogicalResult ColumnsOp::inferReturnTypes(MLIRContext *context,
                                          std::optional<Location> loc,
                                          Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  GatesType gates = getGatesType(adaptor.getInput());
  if (!gates)
    return emitOptionalError(loc, "expected gates but got ",
                             adaptor.getInput().getType());
  int64_t from = adaptor.getFrom(), to = adaptor.getTo();
  if (from < 0 || from >= to || to > gates.getExperts()) // C1
    return emitOptionalError(
        loc, "expected 0 <= from < to <= ", gates.getExperts(),
        ", the number of experts, but got from ", from, " to ", to);
  int64_t count = gates.isPerToken() ? std::min(gates.getCount(), to - from)
                                     : gates.getCount();
  types.push_back(GatesType::get(context, gates.getTokens(), to - from,
                                 gates.getElementType(), gates.getBound(),
                                 count));
  return success();
}

OpFoldResult ColumnsOp::fold(FoldAdaptor) {
  // Order and slots stay the same only if nothing moves up.
  return getType() == getInput().getType() &&
                 !cast<GatesType>(getType()).isPerToken()
             ? getInput()
             : Value();
}

LogicalResult JoinOp::inferReturnTypes(MLIRContext *context,
                                       std::optional<Location> loc,
                                       Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  GatesType a = getGatesType(adaptor.getA()), b = getGatesType(adaptor.getB());
  if (!a || !b || a.getExperts() != b.getExperts() ||
      a.getElementType() != b.getElementType() ||
      !compatible(a.getTokens(), b.getTokens())) // C1
    return emitOptionalError(loc,
                             "expected gates of the same experts, tokens and "
                             "element type but got ",
                             adaptor.getA().getType(), " and ",
                             adaptor.getB().getType());
  bool perToken = a.isPerToken() && b.isPerToken();
  int64_t tokens =
      ShapedType::isDynamic(a.getTokens()) ? b.getTokens() : a.getTokens();
  types.push_back(GatesType::get(
      context, tokens, a.getExperts(), a.getElementType(),
      perToken ? Bound::PerToken : Bound::None,
      perToken ? std::min(a.getCount() + b.getCount(), a.getExperts()) : 0));
  return success();
}

/// `tensor` can be repeated to tokens x experts.
static LogicalResult verifySpread(Operation *op, GatesType gates, Value tensor,
                                  StringRef what) {
  auto type = cast<RankedTensorType>(tensor.getType());
  int64_t shape[] = {gates.getTokens(), gates.getExperts()};
  int64_t missing = 2 - type.getRank();
  for (int64_t i = 0; i < type.getRank(); ++i) {
    int64_t size = type.getDimSize(i), target = shape[i + missing];
    bool fits = size == 1 ||
                (i + missing == 0 ? compatible(size, target) : size == target);
    if (!fits)
      return op->emitOpError("expected dimension ")
             << i << " of " << what << " to be 1 or " << dim(target) << ", the "
             << (i + missing == 0 ? "tokens" : "experts") << " of " << gates
             << ", but got " << type;
  }
  return success();
}

LogicalResult FilterOp::verify() { // C1
  return verifySpread(*this, cast<GatesType>(getType()), getMask(), "the mask");
}

LogicalResult ScaleByOp::verify() { // C1
  return verifySpread(*this, cast<GatesType>(getType()), getFactor(),
                      "the factors");
}

LogicalResult LimitOp::verify() {
  if (!getPriority())
    return success();
  auto gates = cast<GatesType>(getType());
  auto priority = cast<RankedTensorType>(getPriority().getType());
  if (priority.getDimSize(1) != 1 ||
      !compatible(priority.getDimSize(0), gates.getTokens())) // C2
    return emitOpError("expected the priority to be a column of ")
           << dim(gates.getTokens()) << " rows, one for each token of " << gates
           << ", but got " << priority;
  return success();
}

LogicalResult CapacityOp::verify() {
  auto type = cast<RankedTensorType>(getTokens().getType());
  if (type.isDynamicDim(1) || type.getDimSize(1) < 1) // C1
    return emitOpError("expected a static number of columns, one for each "
                       "expert, but got ")
           << type;
  double number = getNumber().convertToDouble();
  if (!std::isfinite(number) || number < 0) // C2
    return emitOpError("expected a ")
           << stringifyCapacityKind(getKind())
           << " that is finite and not negative but got " << number;
  if (static_cast<int64_t>(getMin()) < 0) // C3
    return emitOpError("expected min to be at least 0 but got ")
           << static_cast<int64_t>(getMin());
  return success();
}
