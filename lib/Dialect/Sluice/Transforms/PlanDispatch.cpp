//===- PlanDispatch.cpp - Experts get a plan --------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "sluice/Dialect/Sluice/IR/Sluice.h"
#include "sluice/Dialect/Sluice/IR/SluiceUtils.h"
#include "sluice/Dialect/Sluice/Transforms/Passes.h"

namespace sluice {
#define GEN_PASS_DEF_SLUICEPLANDISPATCH
#include "sluice/Dialect/Sluice/Transforms/Passes.h.inc"
} // namespace sluice

using namespace mlir;
using namespace sluice;

namespace {
/// Decides whether row r of what a body yields depends on row r of its inputs
/// only, so that the rows may be cut into tasks. Values that have a row for
/// each token are tracked; every op on them must be known to keep rows apart.
class RowLocality {
public:
  /// The op that mixes rows, or may; null if none does.
  Operation *findMixingOp(Block &body, unsigned numInputs) {
    for (unsigned i = 0; i < numInputs; ++i)
      rows.insert(body.getArgument(i));
    for (Operation &op : body) {
      if (!keepsRowsApart(op))
        return &op;
      if (llvm::any_of(op.getOperands(), [&](Value v) { return has(v); }))
        rows.insert(op.result_begin(), op.result_end());
    }
    return nullptr;
  }

private:
  bool has(Value value) const { return rows.contains(value); }

  static int64_t rank(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type ? type.getRank() : 0;
  }

  bool keepsRowsApart(Operation &op) {
    bool touchesRows =
        llvm::any_of(op.getOperands(), [&](Value v) { return has(v); });
    // What is the same for all tokens may be anything that has no effects.
    if (!touchesRows && !isa<YieldOp>(op))
      return isMemoryEffectFree(&op) && op.getNumRegions() == 0;

    if (auto yield = dyn_cast<YieldOp>(op))
      return has(yield.getValue());
    if (auto linear = dyn_cast<LinearOp>(op))
      return !has(linear.getWeight()) &&
             !(linear.getBias() && has(linear.getBias()));
    if (auto broadcast = dyn_cast<BroadcastOp>(op)) {
      Value source = broadcast.getSource();
      if (has(source))
        return rank(source) == rank(broadcast.getLike()) &&
               has(broadcast.getLike());
      auto type = dyn_cast<RankedTensorType>(source.getType());
      return !type || type.hasStaticShape();
    }
    if (auto softmax = dyn_cast<SoftmaxOp>(op))
      return isa<GatesType>(softmax.getType()) || rank(softmax.getInput()) > 1;
    if (isa<SplitOp, tensor::CastOp>(op))
      return rank(op.getOperand(0)) > 1;
    if (auto norm = dyn_cast<RMSNormOp>(op))
      return rank(norm.getInput()) > 1 && has(norm.getInput());
    if (auto quantize = dyn_cast<QuantizeOp>(op))
      return rank(quantize.getInput()) > 1 && quantize.getBlocks()[0] == 1;
    if (auto dequantize = dyn_cast<DequantizeOp>(op))
      return rank(dequantize.getResult()) > 1 &&
             dequantize.getBlocks()[0] == 1 &&
             llvm::all_of(op.getOperands(), [&](Value v) { return has(v); });
    if (isa<FromEntriesOp, FromDenseOp, JoinOp>(op))
      return llvm::all_of(op.getOperands(), [&](Value v) { return has(v); });
    if (isa<FilterOp, ScaleByOp>(op)) {
      // The second operand speaks of these tokens, or of experts only.
      auto type = cast<RankedTensorType>(op.getOperand(1).getType());
      return has(op.getOperand(1)) ? type.getRank() == 2
                                   : type.hasStaticShape();
    }
    if (auto experts = dyn_cast<ExpertsOp>(op)) {
      auto rowOperand = [&](Value v) { return has(v); };
      if (!has(experts.getGates()) ||
          !llvm::all_of(experts.getInputs(), rowOperand) ||
          llvm::any_of(experts.getParams(), rowOperand) ||
          (experts.getBase() && !has(experts.getBase())))
        return false;
      return isClosed(experts) &&
             !RowLocality().findMixingOp(*experts.getBodyBlock(),
                                         experts.getInputs().size());
    }
    if (isa<TopKOp, AlwaysOp, KeepGroupsOp, NormalizeOp, ScaleOp, EntriesOp,
            DenseOp, ColumnsOp, SigmoidOp, SoftplusOp, SiluOp, ReluOp, GeluOp,
            ClampOp>(op))
      return true;
    if (OpTrait::hasElementwiseMappableTraits(&op))
      return llvm::all_of(op.getOperands(), [&](Value v) { return has(v); });
    return false;
  }

  /// True if a nested body reads nothing of this body but its operands.
  bool isClosed(ExpertsOp experts) {
    bool closed = true;
    experts.getBody().walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        closed &= !has(operand);
    });
    return closed;
  }

  llvm::DenseSet<Value> rows;
};

struct PlanDispatch : sluice::impl::SluicePlanDispatchBase<PlanDispatch> {
  using SluicePlanDispatchBase::SluicePlanDispatchBase;

  void runOnOperation() override {
    if (rowsPerTask < 0) {
      getOperation()->emitError("expected rows-per-task to be at least 0 but "
                                "got ")
          << rowsPerTask.getValue();
      return signalPassFailure();
    }
    // Inner experts first: an outer body is judged while it is model level.
    SmallVector<ExpertsOp> outermostFirst;
    getOperation()->walk<WalkOrder::PreOrder>(
        [&](ExpertsOp op) { outermostFirst.push_back(op); });
    SmallVector<int64_t> rows;
    for (ExpertsOp op : outermostFirst) {
      rows.push_back(chooseRows(op));
    }
    for (size_t i = outermostFirst.size(); i-- > 0;)
      plan(outermostFirst[i], rows[i]);
  }

private:
  int64_t chooseRows(ExpertsOp op) {
    // A constant body has no rows to mix.
    Operation *mixing = nullptr;
    if (!op.getInputs().empty())
      mixing =
          RowLocality().findMixingOp(*op.getBodyBlock(), op.getInputs().size());
    auto function = op->getParentOfType<FunctionOpInterface>();
    auto options = remark::RemarkOpts::name("tasks")
                       .category("sluice-plan-dispatch")
                       .function(function ? function.getName() : "");
    if (!mixing && rowsPerTask) {
      remark::passed(op.getLoc(), options)
          << remark::add("an expert's tokens run in tasks of at most {0} rows",
                         static_cast<int64_t>(rowsPerTask));
      return rowsPerTask;
    }
    remark::detail::InFlightRemark missed =
        remark::missed(op.getLoc(), options);
    missed << remark::add("an expert's tokens run as one task");
    if (!mixing)
      missed << remark::reason("rows-per-task is 0");
    else
      missed << remark::reason("a row of '{0}' at {1} may depend on other rows",
                               mixing->getName().getStringRef().str(),
                               getLocationText(mixing->getLoc()));
    return 0;
  }

  void plan(ExpertsOp op, int64_t rowCount) {
    OpBuilder builder(op);
    auto plan = PlanOp::create(builder, op.getLoc(), op.getGates());
    SmallVector<Value> operands = {op.getGates(), plan.getOffsets(),
                                   plan.getOrder(), plan.getPlace()};
    llvm::append_range(operands, op.getInputs());
    llvm::append_range(operands, op.getParams());
    if (op.getBase())
      operands.push_back(op.getBase());
    OperationState state(op.getLoc(), GroupedOp::getOperationName());
    state.addOperands(operands);
    state.addTypes(op.getType());
    state.addAttributes(llvm::to_vector(op->getDiscardableAttrs()));
    state.addAttribute("combine", op.getCombineAttr());
    state.addAttribute("weight", op.getWeightAttr());
    state.addAttribute("rows_per_task", builder.getI64IntegerAttr(rowCount));
    state.addAttribute(
        "operandSegmentSizes",
        builder.getDenseI32ArrayAttr(
            {1, 1, 1, 1, static_cast<int32_t>(op.getInputs().size()),
             static_cast<int32_t>(op.getParams().size()),
             op.getBase() ? 1 : 0}));
    state.addRegion()->takeBody(op.getBody());
    Operation *grouped = builder.create(state);
    op->replaceAllUsesWith(grouped->getResults());
    op->erase();
    ++numPlanned;
  }
};
} // namespace
