//===- SluiceVerify.cpp - What ops demand of their operands -----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Builders.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"
#include "sluice/Support/NamePattern.h"
#include "llvm/ADT/SmallSet.h"

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

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

LogicalResult WeightOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  if (!type.hasStaticShape()) // C1
    return emitOpError("expected a static shape, that of the stored tensor, "
                       "but got ")
           << type;
  if (getTensor().empty()) // C2
    return emitOpError("expected the name of a tensor in the weights file but "
                       "got an empty name");
  std::string error;
  std::optional<NamePattern> name =
      NamePattern::parse(std::string_view(getTensor()), error);
  if (!name) // C3
    return emitOpError(error);
  int64_t placeholders = name->placeholders().size();
  if (placeholders > type.getRank()) // C4
    return emitOpError("expected at most ")
           << type.getRank() << " placeholders, one for each dimension of "
           << type << ", but '" << getTensor() << "' has " << placeholders;
  std::string obstacle;
  if (PanelsAttr panels = getPanelsAttr())
    obstacle = panels.findObstacle(type);
  return obstacle.empty() ? success() : emitOpError(obstacle); // C5
}

RankedTensorType WeightOp::getValueType() {
  auto type = cast<RankedTensorType>(getType());
  return getPanelsAttr() ? getPanelsAttr().getPackedType(type) : type;
}

LogicalResult
GetWeightOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  auto weight =
      symbolTable.lookupNearestSymbolFrom<WeightOp>(*this, getWeightAttr());
  if (!weight) // C1
    return emitOpError("expected '@")
           << getWeight() << "' to name a sluice.weight of this module";
  if (weight.getValueType() != getType()) { // C2
    InFlightDiagnostic diag = emitOpError("expected the type of '@")
                              << getWeight() << "', " << weight.getValueType()
                              << ", but got " << getType();
    diag.attachNote(weight.getLoc()) << "the weight is declared here";
    return diag;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Tensor ops
//===----------------------------------------------------------------------===//

LogicalResult LinearOp::verify() {
  auto input = cast<RankedTensorType>(getInput().getType());
  auto weight = cast<RankedTensorType>(getWeight().getType());
  auto result = cast<RankedTensorType>(getType());
  bool isPacked = getLayout() == Layout::Panels;
  bool hasGoodRank = isPacked ? weight.getRank() >= 3 && weight.hasStaticShape()
                              : weight.getRank() == 2;
  if (!hasGoodRank) // C5
    return emitOpError("expected a weight of ")
           << (isPacked ? "three static dimensions, or of four with inputs "
                          "side by side,"
                        : "two dimensions")
           << " for layout " << stringifyLayout(getLayout()) << " but got "
           << weight;
  if (isPacked && (weight.getDimSize(2) < 1 || getInterleave() < 1)) // C5
    return emitOpError("expected panels of at least one output, and lines of "
                       "at least one input, but got ")
           << weight;
  int64_t in = weight.getDimSize(getInDim());
  int64_t out =
      isPacked ? result.getDimSize(1) : weight.getDimSize(getOutDim());
  bool hasLines = isPacked && weight.getRank() == 4;
  int64_t columns = input.getDimSize(1);
  if (hasLines && input.isDynamicDim(1)) // C1
    return emitOpError("expected an input of a static number of columns, of "
                       "which ")
           << getInterleave() << " lie side by side in the weight, but got "
           << input;
  if (hasLines)
    columns = llvm::divideCeil(columns, getInterleave());
  if (!compatible(columns, in)) // C1
    return emitOpError("expected a weight of ")
           << (hasLines                       ? "[panel, in / n, width, n]"
               : isPacked                     ? "[panel, in, width]"
               : getLayout() == Layout::OutIn ? "[out, in]"
                                              : "[in, out]")
           << " with in = " << dim(input.getDimSize(1))
           << ", the last dimension of the input, but got " << weight
           << " (layout " << stringifyLayout(getLayout()) << ")";
  if (isPacked && (result.isDynamicDim(1) ||
                   llvm::divideCeil(out, weight.getDimSize(2)) !=
                       static_cast<uint64_t>(weight.getDimSize(0)))) // C2
    return emitOpError("expected a result whose columns take ")
           << weight.getDimSize(0) << " panels of " << weight.getDimSize(2)
           << " but got " << result;
  if (!compatible(result.getDimSize(1), out)) // C2
    return emitOpError("expected a result of ")
           << dim(out) << " columns, the weight's out dimension, but got "
           << result;
  if (!compatible(result.getDimSize(0), input.getDimSize(0))) // C3
    return emitOpError("expected a result of ")
           << dim(input.getDimSize(0)) << " rows, as the input has, but got "
           << result;
  if (getBias()) {
    auto bias = cast<RankedTensorType>(getBias().getType());
    if (!compatible(bias.getDimSize(0), out)) // C4
      return emitOpError("expected a bias of ")
             << dim(out) << " elements, the weight's out dimension, but got "
             << bias;
  }
  return success();
}

LogicalResult ClampOp::verify() {
  if (!getMin() && !getMax()) // C1
    return emitOpError("expected 'min', 'max' or both");
  for (std::optional<APFloat> bound : {getMin(), getMax()})
    if (bound && bound->isNaN()) // C2
      return emitOpError("expected bounds that are numbers but got NaN");
  if (getMin() && getMax() && *getMin() > *getMax()) // C2
    return emitOpError("expected min <= max but got min ")
           << getMin()->convertToDouble() << " and max "
           << getMax()->convertToDouble();
  return success();
}

LogicalResult SoftmaxOp::verify() {
  auto tensor = dyn_cast<RankedTensorType>(getType());
  if (tensor && tensor.getRank() < 1) // C1
    return emitOpError("expected at least one dimension but got ") << tensor;
  return success();
}

LogicalResult BroadcastOp::verify() {
  auto source = dyn_cast<RankedTensorType>(getSource().getType());
  if (!source)
    return success();
  auto like = cast<RankedTensorType>(getLike().getType());
  if (source.getRank() > like.getRank()) // C1
    return emitOpError("expected a source of at most ")
           << like.getRank() << " dimensions, as 'like' has, but got "
           << source;
  for (int64_t i = 1; i <= source.getRank(); ++i) { // C2
    int64_t from = source.getDimSize(source.getRank() - i);
    int64_t to = like.getDimSize(like.getRank() - i);
    if (from != 1 && from != to)
      return emitOpError("expected dimension ")
             << source.getRank() - i << " of the source to be 1 or " << dim(to)
             << ", as in 'like', but got " << dim(from);
  }
  return success();
}

LogicalResult RMSNormOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  if (type.getRank() < 1 || type.isDynamicDim(type.getRank() - 1) ||
      type.getShape().back() == 0) // C1
    return emitOpError("expected a tensor whose last dimension is static and "
                       "not 0 but got ")
           << type;
  if (getGain()) {
    auto gain = cast<RankedTensorType>(getGain().getType());
    if (gain.getDimSize(0) != type.getShape().back()) // C2
      return emitOpError("expected a gain of ")
             << type.getShape().back() << " elements, as the last dimension of "
             << type << ", but got " << gain;
  }
  double eps = getEps().convertToDouble();
  if (!std::isfinite(eps) || eps < 0) // C3
    return emitOpError("expected eps to be finite and not negative but got ")
           << eps;
  return success();
}

LogicalResult SplitOp::verify() {
  if (getNumResults() != getParts()) // C2
    return emitOpError("expected ")
           << getParts() << " results, one for each part, but got "
           << getNumResults();
  return success();
}

//===----------------------------------------------------------------------===//
// Routers
//===----------------------------------------------------------------------===//

LogicalResult TopKOp::verify() {
  if (!getWeights())
    return success();
  auto scores = cast<RankedTensorType>(getScores().getType());
  auto weights = cast<RankedTensorType>(getWeights().getType());
  if (failed(verifyCompatibleShape(scores, weights))) // C3
    return emitOpError("expected weights of the shape of the scores, ")
           << scores << ", but got " << weights;
  return success();
}

LogicalResult AlwaysOp::verify() {
  int64_t experts = getGates().getType().getExperts();
  llvm::SmallSet<int64_t, 8> seen;
  for (int64_t expert : getExperts()) { // C2
    if (expert < 0 || expert >= experts)
      return emitOpError("expected experts between 0 and ")
             << experts - 1 << " but got " << expert;
    if (!seen.insert(expert).second)
      return emitOpError("expected each expert at most once but ")
             << expert << " is listed twice";
  }
  return success();
}

LogicalResult KeepGroupsOp::verify() {
  auto type = cast<RankedTensorType>(getScores().getType());
  int64_t experts = type.getDimSize(1);
  int64_t groups = getGroups(), keep = getKeep();
  if (ShapedType::isDynamic(experts)) // C1
    return emitOpError("expected a static number of experts (columns) but got ")
           << type;
  if (experts % groups != 0) // C1
    return emitOpError("expected a number of groups that divides ")
           << experts << ", the number of experts, but got " << groups;
  if (keep > groups) // C2
    return emitOpError("expected to keep at most ")
           << groups << ", the number of groups, but got " << getKeep();
  if (getGroupScore() == GroupScore::Top2Sum && experts / groups < 2) // C3
    return emitOpError("expected groups of at least 2 experts for top2_sum but "
                       "got groups of ")
           << experts / groups;
  return success();
}

LogicalResult NormalizeOp::verify() {
  auto bad = [&](StringRef what, double value) {
    return emitOpError("expected ") << what << " but got " << value;
  };
  if (getP() && !(getP()->convertToDouble() >= 1)) // C1
    return bad("p to be at least 1", getP()->convertToDouble());
  if (getEps()) { // C2
    double eps = getEps()->convertToDouble();
    if (!std::isfinite(eps) || eps < 0)
      return bad("eps to be finite and not negative", eps);
  }
  if (getMin()) { // C3
    double min = getMin()->convertToDouble();
    if (!std::isfinite(min) || min <= 0)
      return bad("min to be finite and positive", min);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Experts, at both levels
//===----------------------------------------------------------------------===//

namespace {
/// A body and what it is given, of any op that runs experts.
struct ExpertsPart {
  Operation *op;
  /// Says which part in messages; empty if there is one.
  std::string name;
  GatesType gates;
  int64_t numExperts;
  ValueRange inputs;
  ValueRange params;
  Block *body;
  WeightOn weight;
  RankedTensorType result;

  InFlightDiagnostic emitError() const {
    InFlightDiagnostic error = op->emitOpError();
    error << name;
    return error;
  }
  LogicalResult verify() const;
  LogicalResult verifyInputs() const;
  LogicalResult verifyParams() const;
  LogicalResult verifyYield() const;
};
} // namespace

LogicalResult ExpertsPart::verify() const {
  if (inputs.empty() && weight == WeightOn::Input) // C1
    return emitError() << "expected at least one input for weight input";
  if (body->getNumArguments() != inputs.size() + params.size()) // C3
    return emitError() << "expected a body with "
                       << inputs.size() + params.size()
                       << " arguments, one for each input and parameter, but "
                          "got "
                       << body->getNumArguments();
  if (failed(verifyInputs()) || failed(verifyParams()))
    return failure();
  return verifyYield();
}

LogicalResult ExpertsPart::verifyInputs() const {
  for (auto [i, input] : llvm::enumerate(inputs)) {
    auto type = cast<RankedTensorType>(input.getType());
    if (type.getRank() < 1 ||
        !compatible(type.getDimSize(0), gates.getTokens())) // C1
      return emitError() << "expected input " << i << " to have "
                         << dim(gates.getTokens())
                         << " rows, one for each token of " << gates
                         << ", but got " << type;
    SmallVector<int64_t> shape(type.getShape());
    shape[0] = ShapedType::kDynamic;
    auto expected = RankedTensorType::get(shape, type.getElementType());
    if (body->getArgument(i).getType() != expected) // C3
      return emitError()
             << "expected argument " << i << " of the body to be " << expected
             << " (the input's type with a dynamic number of rows) but got "
             << body->getArgument(i).getType();
  }
  return success();
}

LogicalResult ExpertsPart::verifyParams() const {
  for (auto [i, param] : llvm::enumerate(params)) {
    auto type = cast<RankedTensorType>(param.getType());
    if (!type.hasStaticShape() || type.getRank() < 1 ||
        type.getDimSize(0) != numExperts) // C2
      return emitError() << "expected parameter " << i
                         << " to have a static shape with first dimension "
                         << numExperts << ", the number of experts of " << gates
                         << (numExperts == gates.getExperts()
                                 ? ""
                                 : " that have this body")
                         << ", but got " << type;
    auto expected = RankedTensorType::get(type.getShape().drop_front(),
                                          type.getElementType());
    Type actual = body->getArgument(inputs.size() + i).getType();
    if (actual != expected) // C3
      return emitError()
             << "expected argument " << inputs.size() + i
             << " of the body to be " << expected
             << " (the parameter's type without its first dimension) but got "
             << actual;
  }
  return success();
}

LogicalResult ExpertsPart::verifyYield() const {
  auto yield = dyn_cast<YieldOp>(body->getTerminator());
  if (!yield)
    return emitError() << "expected a body that ends with sluice.yield";
  auto yielded = cast<RankedTensorType>(yield.getValue().getType());
  auto sameRow = [](RankedTensorType a, RankedTensorType b) {
    return a.getRank() == b.getRank() &&
           a.getShape().drop_front() == b.getShape().drop_front();
  };
  if (inputs.empty()) { // C4
    if (!yielded.hasStaticShape())
      return emitError() << "expected a body without inputs to yield a tensor "
                            "of static shape, every row of its expert's "
                            "output, but got "
                         << yielded;
    SmallVector<int64_t> shape = {ShapedType::kDynamic};
    llvm::append_range(shape, yielded.getShape());
    yielded = RankedTensorType::get(shape, yielded.getElementType());
  }
  if (yielded.getRank() < 1 || !yielded.isDynamicDim(0) ||
      !llvm::all_of(yielded.getShape().drop_front(),
                    [](int64_t d) { return !ShapedType::isDynamic(d); })) // C4
    return emitError() << "expected the body to yield a tensor with a dynamic "
                          "number of rows, the others static, but got "
                       << yielded;
  if (result.getRank() < 1 || !sameRow(yielded, result) ||
      !compatible(result.getDimSize(0), gates.getTokens())) // C4
    return emitError() << "expected a result with " << dim(gates.getTokens())
                       << " rows, one for each token, of the shape that the "
                          "body yields, "
                       << yielded << ", but got " << result;
  return success();
}

template <typename OpTy> static LogicalResult verifyCombine(OpTy op) {
  auto gates = cast<GatesType>(op.getGates().getType());
  if (op.getCombine() == Combine::Replace &&
      !(gates.isPerToken() && gates.getCount() == 1) &&
      gates.getExperts() != 1) // C5; C3 of mixed_experts
    return op.emitOpError("expected gates with at most 1 entry per token for "
                          "combine replace but got ")
           << gates;
  if (op.getBase()) { // C6; C4 of mixed_experts
    if (op.getCombine() != Combine::Replace)
      return op.emitOpError("expected 'else' with combine replace only");
    if (op.getBase().getType() != op.getType())
      return op.emitOpError("expected 'else' to have the result's type, ")
             << op.getType() << ", but got " << op.getBase().getType();
  }
  return success();
}

template <typename OpTy> static LogicalResult verifyExperts(OpTy op) {
  auto gates = cast<GatesType>(op.getGates().getType());
  ExpertsPart part{op,
                   /*name=*/"",
                   gates,
                   gates.getExperts(),
                   op.getInputs(),
                   op.getParams(),
                   op.getBodyBlock(),
                   op.getWeight(),
                   cast<RankedTensorType>(op.getType())};
  if (failed(part.verify()))
    return failure();
  return verifyCombine(op);
}

LogicalResult ExpertsOp::verify() { return verifyExperts(*this); }

LogicalResult MixedExpertsOp::verify() {
  auto gates = cast<GatesType>(getGates().getType());
  size_t numCases = getBodies().size();
  if (numCases == 0) // C1
    return emitOpError("expected at least one case");
  auto countsAre = [&](ArrayRef<int32_t> counts, size_t sum) {
    for (int32_t count : counts) {
      if (count < 0 || static_cast<size_t>(count) > sum)
        return false;
      sum -= count;
    }
    return counts.size() == numCases && sum == 0;
  };
  if (!countsAre(getInputCounts(), getInputs().size()) ||
      !countsAre(getParamCounts(), getParams().size())) // C5
    return emitOpError("expected input_counts and param_counts with an entry "
                       "for each of ")
           << numCases << " cases that add up to " << getInputs().size()
           << " inputs and " << getParams().size() << " parameters";
  if (getFrom().size() != numCases || getTo().size() != numCases) // C1
    return emitOpError("expected 'from' and 'to' with an entry for each of ")
           << numCases << " cases";

  int64_t end = 0;
  for (const Case &part : getCases()) {
    if (part.from < end || part.from >= part.to ||
        part.to > gates.getExperts()) // C1
      return emitOpError("expected a range of experts that begins at ")
             << end << " or later, is not empty and ends at "
             << gates.getExperts() << " or before but got " << part.from
             << " to " << part.to;
    end = part.to;
    std::string name =
        ("experts " + Twine(part.from) + " to " + Twine(part.to) + ": ").str();
    ExpertsPart verified{*this,
                         name,
                         gates,
                         part.to - part.from,
                         part.inputs,
                         part.params,
                         &part.body->front(),
                         getWeight(),
                         cast<RankedTensorType>(getType())};
    if (failed(verified.verify())) // C2
      return failure();
  }
  return verifyCombine(*this);
}

LogicalResult GroupedOp::verify() {
  if (failed(verifyExperts(*this)))
    return failure();
  SmallVector<Type> expected;
  PlanOp::Adaptor plan(getGates());
  if (failed(PlanOp::inferReturnTypes(getContext(), getLoc(), plan, expected)))
    return failure();
  StringRef names[] = {"offsets", "order", "place"};
  for (auto [name, type, value] : llvm::zip_equal(
           names, expected, ValueRange{getOffsets(), getOrder(), getPlace()}))
    if (value.getType() != type) // C7
      return emitOpError("expected ")
             << name << " of type " << type << ", as sluice.plan makes for "
             << getGates().getType() << ", but got " << value.getType();
  return success();
}
