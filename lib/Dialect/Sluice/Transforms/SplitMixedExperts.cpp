//===- SplitMixedExperts.cpp - One experts op for each case -----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Remarks.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"
#include "sluice/Dialect/Sluice/IR/SluiceUtils.h"
#include "sluice/Dialect/Sluice/Transforms/Passes.h"

namespace sluice {
#define GEN_PASS_DEF_SLUICESPLITMIXEDEXPERTS
#include "sluice/Dialect/Sluice/Transforms/Passes.h.inc"
} // namespace sluice

using namespace mlir;
using namespace sluice;

namespace {
struct SplitMixedExperts
    : sluice::impl::SluiceSplitMixedExpertsBase<SplitMixedExperts> {
  void runOnOperation() override {
    SmallVector<MixedExpertsOp> ops;
    getOperation()->walk([&](MixedExpertsOp op) { ops.push_back(op); });
    for (MixedExpertsOp op : ops)
      split(op);
    numSplit += ops.size();
  }

private:
  /// The experts op of one case.
  ExpertsOp makeExperts(OpBuilder &builder, MixedExpertsOp op,
                        const MixedExpertsOp::Case &part, Type result,
                        Value base) {
    Location loc = op.getLoc();
    Value gates =
        ColumnsOp::create(builder, loc, op.getGates(), part.from, part.to);
    auto experts =
        ExpertsOp::create(builder, loc, result, gates, part.inputs, part.params,
                          base, op.getCombine(), op.getWeight());
    experts->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    if (op->hasAttr("sluice.label"))
      experts->setAttr("sluice.label",
                       builder.getStringAttr(getRoutedBodyName(*part.body)));
    experts.getBody().takeBody(*part.body);
    return experts;
  }

  void split(MixedExpertsOp op) {
    OpBuilder builder(op);
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    SmallVector<MixedExpertsOp::Case> cases = op.getCases();
    std::string function = getFunctionName(op);
    remark::passed(loc, remark::RemarkOpts::name("split")
                            .category("sluice-split-mixed-experts")
                            .function(function))
        << remark::add("experts that differ run as {0} experts ops",
                       static_cast<int64_t>(cases.size()));
    if (op.getCombine() == Combine::Replace) {
      Value result = op.getBase();
      for (const MixedExpertsOp::Case &part : cases)
        result = makeExperts(builder, op, part, type, result);
      op.replaceAllUsesWith(result);
      op.erase();
      return;
    }

    // One rounding, after the last addition.
    auto sumType = type;
    if (cases.size() > 1 && type.getElementTypeBitWidth() < 32)
      sumType = type.clone(builder.getF32Type());
    Value sum;
    for (const MixedExpertsOp::Case &part : cases) {
      Value result = makeExperts(builder, op, part, sumType, /*base=*/{});
      sum = sum ? arith::AddFOp::create(builder, loc, sum, result) : result;
    }
    if (sumType != type)
      sum = arith::TruncFOp::create(builder, loc, type, sum);
    op.replaceAllUsesWith(sum);
    op.erase();
  }
};
} // namespace
