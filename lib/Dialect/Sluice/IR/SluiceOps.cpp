//===- SluiceOps.cpp - Types that ops infer ---------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"

using namespace mlir;
using namespace sluice;

#define GET_OP_CLASSES
#include "sluice/Dialect/Sluice/IR/SluiceOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Routers. Inference runs before the verifier has seen the operands, hence the
// checks of what it reads; the verifier says the rest.
//===----------------------------------------------------------------------===//

static FailureOr<RankedTensorType> getMatrix(std::optional<Location> loc,
                                             Value value, StringRef what) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() != 2)
    return emitOptionalError(loc, "expected ", what,
                             " to be a matrix (tokens x experts) but got ",
                             value.getType());
  if (type.isDynamicDim(1)) // C1 of topk and always
    return emitOptionalError(loc, "expected ", what,
                             " to have a static number of experts (columns) "
                             "but got ",
                             type);
  return type;
}

static FailureOr<GatesType> inferGates(std::optional<Location> loc, Type scores,
                                       Type elementType, int64_t count) {
  auto matrix = cast<RankedTensorType>(scores);
  auto emit = [&] {
    return mlir::emitError(loc ? *loc : UnknownLoc::get(scores.getContext()));
  };
  auto gates = GatesType::getChecked(emit, scores.getContext(),
                                     matrix.getDimSize(0), matrix.getDimSize(1),
                                     elementType, Bound::PerToken, count);
  if (!gates)
    return failure();
  return gates;
}

LogicalResult TopKOp::inferReturnTypes(MLIRContext *,
                                       std::optional<Location> loc,
                                       Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  FailureOr<RankedTensorType> scores =
      getMatrix(loc, adaptor.getScores(), "the scores");
  if (failed(scores))
    return failure();
  int64_t k = adaptor.getK();
  if (k < 1 || k > scores->getDimSize(1)) // C2
    return emitOptionalError(loc, "expected k between 1 and ",
                             scores->getDimSize(1),
                             ", the number of experts, but got ", k);
  Value weighing =
      adaptor.getWeights() ? adaptor.getWeights() : adaptor.getScores();
  FailureOr<GatesType> gates =
      inferGates(loc, *scores, getElementTypeOrSelf(weighing.getType()), k);
  if (failed(gates))
    return failure();
  types.push_back(*gates);
  return success();
}

LogicalResult AlwaysOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> loc,
                                         Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  FailureOr<RankedTensorType> weights =
      getMatrix(loc, adaptor.getWeights(), "the weights");
  if (failed(weights))
    return failure();
  if (adaptor.getExperts().empty()) // C2
    return emitOptionalError(loc, "expected at least one expert in the list");
  if (static_cast<int64_t>(adaptor.getExperts().size()) >
      weights->getDimSize(1)) // C2
    return emitOptionalError(loc, "expected at most ", weights->getDimSize(1),
                             " experts in the list but got ",
                             adaptor.getExperts().size());
  FailureOr<GatesType> gates = inferGates(
      loc, *weights, weights->getElementType(), adaptor.getExperts().size());
  if (failed(gates))
    return failure();
  types.push_back(*gates);
  return success();
}

LogicalResult EntriesOp::inferReturnTypes(MLIRContext *context,
                                          std::optional<Location> loc,
                                          Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  auto gates = dyn_cast<GatesType>(adaptor.getGates().getType());
  if (!gates || !gates.isPerToken()) // C1
    return emitOptionalError(loc,
                             "expected gates with a bound per token but got ",
                             adaptor.getGates().getType());
  int64_t shape[] = {gates.getTokens(), gates.getCount()};
  types.push_back(RankedTensorType::get(shape, IntegerType::get(context, 64)));
  types.push_back(RankedTensorType::get(shape, gates.getElementType()));
  return success();
}

LogicalResult PlanOp::inferReturnTypes(MLIRContext *context,
                                       std::optional<Location> loc,
                                       Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  auto gates = dyn_cast<GatesType>(adaptor.getGates().getType());
  if (!gates)
    return emitOptionalError(loc, "expected gates but got ",
                             adaptor.getGates().getType());
  Type index = IndexType::get(context);
  int64_t slots = gates.hasDynamicTokens()
                      ? ShapedType::kDynamic
                      : gates.getTokens() * gates.getSlots();
  types.push_back(RankedTensorType::get({gates.getExperts() + 1}, index));
  types.push_back(RankedTensorType::get({slots}, index));
  types.push_back(
      RankedTensorType::get({gates.getTokens(), gates.getSlots()}, index));
  return success();
}

//===----------------------------------------------------------------------===//
// Tensor ops
//===----------------------------------------------------------------------===//

LogicalResult BroadcastOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  auto like = dyn_cast<RankedTensorType>(adaptor.getLike().getType());
  if (!like)
    return emitOptionalError(loc,
                             "expected 'like' to be a ranked tensor but got ",
                             adaptor.getLike().getType());
  types.push_back(RankedTensorType::get(
      like.getShape(), getElementTypeOrSelf(adaptor.getSource().getType())));
  return success();
}

LogicalResult SplitOp::inferReturnTypes(MLIRContext *,
                                        std::optional<Location> loc,
                                        Adaptor adaptor,
                                        SmallVectorImpl<Type> &types) {
  auto type = dyn_cast<RankedTensorType>(adaptor.getInput().getType());
  if (!type || type.getRank() < 1 ||
      type.isDynamicDim(type.getRank() - 1)) // C1
    return emitOptionalError(
        loc, "expected a tensor whose last dimension is static but got ",
        adaptor.getInput().getType());
  int64_t parts = adaptor.getParts();
  int64_t size = type.getShape().back();
  if (parts < 1 || size % parts != 0) // C2
    return emitOptionalError(loc, "expected a number of parts that divides ",
                             size, ", the last dimension of ", type,
                             ", but got ", parts);
  constexpr int64_t maxParts = 1024;
  if (parts > maxParts) // C3
    return emitOptionalError(loc, "expected at most ", maxParts,
                             " parts, each of which is a result, but got ",
                             parts);
  SmallVector<int64_t> shape(type.getShape());
  shape.back() = size / parts;
  types.append(parts, RankedTensorType::get(shape, type.getElementType()));
  return success();
}
