//===- SluiceFolds.cpp - Folders and canonicalizations ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"

using namespace mlir;
using namespace sluice;

//===----------------------------------------------------------------------===//
// Tensor ops
//===----------------------------------------------------------------------===//

OpFoldResult BroadcastOp::fold(FoldAdaptor) {
  // Repeating to the same static shape repeats nothing.
  if (getSource().getType() == getType() &&
      cast<RankedTensorType>(getType()).hasStaticShape())
    return getSource();
  return {};
}

namespace {
/// clamp(clamp(x)): one range, if the two overlap.
struct MergeClamps : OpRewritePattern<ClampOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ClampOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getInput().getDefiningOp<ClampOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "the input is no clamp");
    FloatAttr min = op.getMinAttr(), max = op.getMaxAttr();
    FloatAttr innerMin = inner.getMinAttr(), innerMax = inner.getMaxAttr();
    if (!min || (innerMin && innerMin.getValue() > min.getValue()))
      min = innerMin;
    if (!max || (innerMax && innerMax.getValue() < max.getValue()))
      max = innerMax;
    if (min && max && min.getValue() > max.getValue())
      return rewriter.notifyMatchFailure(op, "the ranges do not overlap");
    rewriter.replaceOpWithNewOp<ClampOp>(op, op.getType(), inner.getInput(),
                                         min, max);
    return success();
  }
};
} // namespace

void ClampOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                          MLIRContext *context) {
  patterns.add<MergeClamps>(context);
}

//===----------------------------------------------------------------------===//
// Routers
//===----------------------------------------------------------------------===//

OpFoldResult KeepGroupsOp::fold(FoldAdaptor) {
  return getKeep() == getGroups() ? getScores() : Value();
}

OpFoldResult ScaleOp::fold(FoldAdaptor) {
  return getFactor().isExactlyValue(1.0) ? getInput() : Value();
}

/// True if the order of a token's entries can be seen behind `gates`: only
/// `sluice.entries` shows it.
static bool isOrderObserved(Value gates) {
  return llvm::any_of(gates.getUsers(), [](Operation *user) {
    if (isa<ExpertsOp, MixedExpertsOp>(user))
      return false;
    // Value by value maps pass the order on.
    if (isa<NormalizeOp, ScaleOp, ScaleByOp, SoftmaxOp, SigmoidOp, SoftplusOp,
            SiluOp, ReluOp, GeluOp, ClampOp>(user))
      return isOrderObserved(user->getResult(0));
    return true;
  });
}

namespace {
/// A choice of all experts needs no comparison.
struct ChooseAll : OpRewritePattern<TopKOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TopKOp op,
                                PatternRewriter &rewriter) const override {
    int64_t experts = op.getGates().getType().getExperts();
    if (static_cast<int64_t>(op.getK()) != experts)
      return rewriter.notifyMatchFailure(op, "not all experts are chosen");
    if (experts > 1 && isOrderObserved(op.getGates()))
      return rewriter.notifyMatchFailure(op, "the order of entries is used");
    auto all = llvm::to_vector(llvm::seq<int64_t>(0, experts));
    rewriter.replaceOpWithNewOp<AlwaysOp>(op, op.getWeighing(), all);
    return success();
  }
};

/// If all tokens have the same, known scores, all choose the same experts.
struct ChooseByConstant : OpRewritePattern<TopKOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TopKOp op,
                                PatternRewriter &rewriter) const override {
    int64_t experts = op.getGates().getType().getExperts();
    Value scores = op.getScores();
    if (auto broadcast = scores.getDefiningOp<BroadcastOp>())
      scores = broadcast.getSource();
    Attribute constant;
    if (!matchPattern(scores, m_Constant(&constant)))
      return rewriter.notifyMatchFailure(op, "the scores are not constant");
    SmallVector<APFloat> row;
    if (auto number = dyn_cast<FloatAttr>(constant)) {
      row.assign(experts, number.getValue());
    } else if (auto elements = dyn_cast<DenseFPElementsAttr>(constant)) {
      if (elements.isSplat())
        row.assign(experts, elements.getSplatValue<APFloat>());
      else if (elements.getNumElements() == experts &&
               elements.getType().getShape().back() == experts)
        row.append(elements.value_begin<APFloat>(),
                   elements.value_end<APFloat>());
    }
    if (static_cast<int64_t>(row.size()) != experts)
      return rewriter.notifyMatchFailure(op, "rows differ");
    auto chosen = llvm::to_vector(llvm::seq<int64_t>(0, experts));
    llvm::sort(chosen, [&](int64_t a, int64_t b) {
      bool aNaN = row[a].isNaN(), bNaN = row[b].isNaN();
      if (aNaN != bNaN)
        return aNaN;
      if (aNaN || row[a] == row[b])
        return a < b;
      return row[a] > row[b];
    });
    chosen.truncate(op.getK());
    rewriter.replaceOpWithNewOp<AlwaysOp>(op, op.getWeighing(), chosen);
    return success();
  }
};

/// scale(scale(g)) is one scale.
struct MergeScales : OpRewritePattern<ScaleOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ScaleOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getInput().getDefiningOp<ScaleOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "the input is not scaled");
    double factor =
        op.getFactor().convertToDouble() * inner.getFactor().convertToDouble();
    if (!std::isfinite(factor))
      return rewriter.notifyMatchFailure(op, "the product is not finite");
    rewriter.replaceOpWithNewOp<ScaleOp>(op, op.getType(), inner.getInput(),
                                         rewriter.getF64FloatAttr(factor));
    return success();
  }
};

/// What an exact normalisation divides out again need not be applied.
struct SkipBeforeNormalize : OpRewritePattern<NormalizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(NormalizeOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.isExactSum())
      return rewriter.notifyMatchFailure(
          op, "p, eps or min make the result depend on the scale");
    Operation *def = op.getInput().getDefiningOp();
    if (auto scale = dyn_cast_or_null<ScaleOp>(def)) {
      double factor = std::abs(scale.getFactor().convertToDouble());
      // Far factors may have been there to keep clear of underflow.
      if (factor < 0x1p-20 || factor > 0x1p20)
        return rewriter.notifyMatchFailure(op, "the factor is extreme");
      rewriter.modifyOpInPlace(
          op, [&] { op.getInputMutable().assign(scale.getInput()); });
      return success();
    }
    auto inner = dyn_cast_or_null<NormalizeOp>(def);
    if (isa_and_nonnull<SoftmaxOp>(def) || (inner && inner.isExactSum())) {
      rewriter.replaceOp(op, op.getInput());
      return success();
    }
    return rewriter.notifyMatchFailure(op, "the input is not normalised");
  }
};
} // namespace

void TopKOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                         MLIRContext *context) {
  patterns.add<ChooseByConstant>(context, /*benefit=*/2);
  patterns.add<ChooseAll>(context);
}

void ScaleOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                          MLIRContext *context) {
  patterns.add<MergeScales>(context);
}

void NormalizeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *context) {
  patterns.add<SkipBeforeNormalize>(context);
}

//===----------------------------------------------------------------------===//
// Experts
//===----------------------------------------------------------------------===//

/// The static routing behind `gates`, if ops in between only change values.
static AlwaysOp getStaticRouting(Value gates) {
  Operation *def = gates.getDefiningOp();
  while (isa_and_nonnull<NormalizeOp, ScaleOp, ScaleByOp, SoftmaxOp, SigmoidOp,
                         SoftplusOp, SiluOp, ReluOp, GeluOp, ClampOp>(def))
    def = def->getOperand(0).getDefiningOp();
  return dyn_cast_or_null<AlwaysOp>(def);
}

/// Multiplies each row of `tensor` by the number in the column `weights`.
static Value scaleRows(OpBuilder &builder, Location loc, Value tensor,
                       Value weights) {
  auto type = cast<RankedTensorType>(tensor.getType());
  auto from = cast<RankedTensorType>(weights.getType());
  Type f = type.getElementType();
  auto as = RankedTensorType::get(from.getShape(), f);
  if (f.getIntOrFloatBitWidth() > from.getElementTypeBitWidth())
    weights = arith::ExtFOp::create(builder, loc, as, weights);
  Value column = BroadcastOp::create(builder, loc, weights, tensor);
  return arith::MulFOp::create(builder, loc, tensor, column);
}

namespace {
/// All tokens go to one expert: its body in place, no routing left.
struct InlineOnlyExpert : OpRewritePattern<ExpertsOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ExpertsOp op,
                                PatternRewriter &rewriter) const override {
    auto always = getStaticRouting(op.getGates());
    if (!always || always.getExperts().size() != 1)
      return rewriter.notifyMatchFailure(op, "not one expert for all tokens");
    if (op.getInputs().empty())
      return rewriter.notifyMatchFailure(op, "a constant body");
    if (op->hasAttr("sluice.counter"))
      return rewriter.notifyMatchFailure(op, "the op's work is counted");
    auto result = cast<RankedTensorType>(op.getType());
    auto yielded = cast<RankedTensorType>(op.getYielded().getType());
    Type valueType = cast<GatesType>(op.getGates().getType()).getElementType();
    // Which tensor is weighed, and whether that can be said without rounding
    // more often than `experts` does: the product must be at least as wide as
    // both factors.
    RankedTensorType weighed =
        op.getWeight() == WeightOn::Input
            ? cast<RankedTensorType>(op.getInputs()[0].getType())
            : yielded;
    bool isWeighed = op.getWeight() != WeightOn::Nothing;
    if (yielded.getElementType() != result.getElementType())
      return rewriter.notifyMatchFailure(op, "the result is rounded");
    if (isWeighed &&
        (weighed.getElementTypeBitWidth() < 32 ||
         valueType.getIntOrFloatBitWidth() > weighed.getElementTypeBitWidth() ||
         weighed.getRank() != 2))
      return rewriter.notifyMatchFailure(op, "weighing would round");
    int64_t expert = always.getExperts().front();
    Location loc = op.getLoc();
    Value weights;
    if (isWeighed)
      weights = EntriesOp::create(rewriter, loc, op.getGates()).getValues();

    IRMapping mapping;
    for (auto [i, arg, input] :
         llvm::enumerate(op.getInputArgs(), op.getInputs())) {
      Value value = input;
      if (op.getWeight() == WeightOn::Input && i == 0)
        value = scaleRows(rewriter, loc, value, weights);
      mapping.map(arg,
                  tensor::CastOp::create(rewriter, loc, arg.getType(), value));
    }
    for (auto [arg, param] :
         llvm::zip_equal(op.getParamArgs(), op.getParams())) {
      auto type = cast<RankedTensorType>(param.getType());
      SmallVector<OpFoldResult> offsets(type.getRank(),
                                        rewriter.getIndexAttr(0));
      SmallVector<OpFoldResult> strides(type.getRank(),
                                        rewriter.getIndexAttr(1));
      SmallVector<OpFoldResult> sizes;
      for (int64_t size : type.getShape())
        sizes.push_back(rewriter.getIndexAttr(size));
      offsets[0] = rewriter.getIndexAttr(expert);
      sizes[0] = rewriter.getIndexAttr(1);
      mapping.map(arg, tensor::ExtractSliceOp::create(
                           rewriter, loc, cast<RankedTensorType>(arg.getType()),
                           param, offsets, sizes, strides));
    }
    for (Operation &inner : op.getBodyBlock()->without_terminator())
      rewriter.clone(inner, mapping);
    Value value = mapping.lookupOrDefault(op.getYielded());
    value = tensor::CastOp::create(rewriter, loc, result, value);
    if (op.getWeight() == WeightOn::Output)
      value = scaleRows(rewriter, loc, value, weights);
    rewriter.replaceOp(op, value);
    return success();
  }
};

/// A parameter that the body does not read need not be sliced.
struct DropUnusedParams : OpRewritePattern<ExpertsOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ExpertsOp op,
                                PatternRewriter &rewriter) const override {
    BitVector unused(op.getBody().getNumArguments());
    SmallVector<Value> kept;
    for (auto [arg, param] :
         llvm::zip_equal(op.getParamArgs(), op.getParams())) {
      if (arg.use_empty())
        unused.set(arg.getArgNumber());
      else
        kept.push_back(param);
    }
    if (unused.none())
      return rewriter.notifyMatchFailure(op, "all parameters are read");
    rewriter.modifyOpInPlace(op, [&] {
      op.getBodyBlock()->eraseArguments(unused);
      op.getParamsMutable().assign(kept);
    });
    return success();
  }
};
} // namespace

void ExpertsOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                            MLIRContext *context) {
  patterns.add<InlineOnlyExpert, DropUnusedParams>(context);
}
