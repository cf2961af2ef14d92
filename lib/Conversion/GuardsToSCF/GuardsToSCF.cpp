//===- GuardsToSCF.cpp - Checks of computed numbers -------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sluice/Analysis/Guards.h"
#include "sluice/Conversion/Passes.h"
#include "sluice/Conversion/RunTimeState.h"
#include "llvm/ADT/TypeSwitch.h"

namespace sluice {
#define GEN_PASS_DEF_CONVERTGUARDSTOSCF
#include "sluice/Conversion/Passes.h.inc"
} // namespace sluice

using namespace mlir;
using namespace sluice;

namespace {
/// Guards one op: its failure, if there is one, is recorded, and the op runs
/// with numbers that are right, or not at all.
class Guard {
public:
  Guard(Operation *op, Value state)
      : builder(op), b(builder, op->getLoc()), op(op), state(state),
        code(op->getAttrOfType<IntegerAttr>("sluice.code").getInt()) {
    op->removeAttr("sluice.code");
  }

  void lower() {
    TypeSwitch<Operation *>(op)
        .Case<tensor::ExtractOp>([&](tensor::ExtractOp extract) {
          checkIndices(extract.getTensor(), extract.getIndices());
          runIfGood(b.constantZero(extract.getType()));
        })
        .Case<tensor::InsertOp>([&](tensor::InsertOp insert) {
          checkIndices(insert.getDest(), insert.getIndices());
          runIfGood(insert.getDest());
        })
        .Case<tensor::ExtractSliceOp>([&](tensor::ExtractSliceOp slice) {
          checkSlice(slice, slice.getSource());
          SmallVector<OpFoldResult> sizes;
          llvm::SmallBitVector dropped = slice.getDroppedDims();
          for (auto [d, size] : llvm::enumerate(slice.getMixedSizes()))
            if (!dropped.test(d))
              sizes.push_back(atLeastZero(size));
          runIfGood(makeZeros(sizes, slice.getType()));
        })
        .Case<tensor::InsertSliceOp>([&](tensor::InsertSliceOp slice) {
          checkSlice(slice, slice.getDest());
          runIfGood(slice.getDest());
        })
        .Case<tensor::EmptyOp, tensor::GenerateOp, tensor::SplatOp>(
            [&](Operation *) { clampSizes(); })
        .Case<tensor::ExpandShapeOp>(
            [&](tensor::ExpandShapeOp expand) { checkParts(expand); })
        .Case<arith::ShLIOp, arith::ShRUIOp, arith::ShRSIOp>(
            [&](Operation *) { checkShift(); })
        .Default([&](Operation *) { checkDivision(); });
  }

private:
  struct ZeroBuilder : LoopBuilder {
    using LoopBuilder::LoopBuilder;
    Value constantZero(Type type) {
      return arith::ConstantOp::create(*this, loc, getZeroAttr(type));
    }
  };

  /// Requires `good`; otherwise what is wrong is recorded.
  void require(Value good, int64_t where, Value actual, Value expected) {
    Value wrong = b.negation(good);
    auto branch = scf::IfOp::create(b, b.loc, wrong, /*withElse=*/false);
    OpBuilder then = branch.getThenBodyBuilder();
    LoopBuilder inner(then, b.loc);
    recordFailure(inner, state, code,
                  arith::ConstantIntOp::create(inner, b.loc, where, 64),
                  toF64(inner, actual), toF64(inner, expected));
    allGood = allGood ? b.conjunction(allGood, good) : good;
  }

  static Value toF64(LoopBuilder &b, Value number) {
    if (number.getType().isIndex())
      return b.toF64(number);
    return arith::SIToFPOp::create(b, b.loc, b.getF64Type(), number);
  }

  void checkIndices(Value tensor, ValueRange indices) {
    for (auto [d, index] : llvm::enumerate(indices)) {
      Value size = tensor::DimOp::create(b, b.loc, tensor, d);
      // As an unsigned number a negative index is a large one.
      require(b.compare(arith::CmpIPredicate::ult, index, size), d, index,
              size);
    }
  }

  Value toValue(OpFoldResult number) {
    return getValueOrCreateConstantIndexOp(b, b.loc, number);
  }
  OpFoldResult atLeastZero(OpFoldResult size) {
    if (isa<Attribute>(size))
      return size;
    return arith::MaxSIOp::create(b, b.loc, cast<Value>(size), b.index(0))
        .getResult();
  }

  void checkSlice(OffsetSizeAndStrideOpInterface slice, Value whole) {
    auto source = dyn_cast<tensor::InsertSliceOp>(*slice);
    unsigned sourceDim = 0;
    llvm::SmallBitVector dropped =
        source ? source.getDroppedDims() : llvm::SmallBitVector();
    for (unsigned d = 0, e = slice.getMixedOffsets().size(); d < e; ++d) {
      Value offset = toValue(slice.getMixedOffsets()[d]);
      Value size = toValue(slice.getMixedSizes()[d]);
      Value stride = toValue(slice.getMixedStrides()[d]);
      Value extent = tensor::DimOp::create(b, b.loc, whole, d);
      Value last = b.add(offset, b.mul(b.sub(size, b.index(1)), stride));
      auto fits = [&](Value number, Value limit) {
        return b.compare(arith::CmpIPredicate::ule, number, limit);
      };
      Value within =
          b.conjunction(b.compare(arith::CmpIPredicate::ult, offset, extent),
                        b.compare(arith::CmpIPredicate::ult, last, extent));
      Value isEmpty = b.compare(arith::CmpIPredicate::eq, size, b.index(0));
      Value good = b.select(isEmpty, fits(offset, extent), within);
      // More elements than the whole has would overflow `last`.
      good = b.conjunction(good, fits(size, extent));
      require(good, d, last, extent);
      if (source && !dropped.test(d)) {
        Value given =
            tensor::DimOp::create(b, b.loc, source.getSource(), sourceDim++);
        require(b.compare(arith::CmpIPredicate::eq, given, size), d, given,
                size);
      }
    }
  }

  Value makeZeros(ArrayRef<OpFoldResult> sizes, RankedTensorType type) {
    Value empty =
        tensor::EmptyOp::create(b, b.loc, sizes, type.getElementType());
    Value zero = b.constantZero(type.getElementType());
    Value zeros = linalg::FillOp::create(b, b.loc, zero, empty).getResult(0);
    return castTo(b, b.loc, zeros, type);
  }

  /// The op's result if all is good, else `fallback`.
  void runIfGood(Value fallback) {
    auto branch = scf::IfOp::create(b, b.loc, op->getResultTypes(), allGood,
                                    /*addThenBlock=*/true,
                                    /*addElseBlock=*/true);
    OpBuilder then = branch.getThenBodyBuilder();
    Operation *clone = then.clone(*op);
    scf::YieldOp::create(then, b.loc, clone->getResults());
    OpBuilder otherwise = branch.getElseBodyBuilder();
    scf::YieldOp::create(otherwise, b.loc, fallback);
    op->replaceAllUsesWith(branch.getResults());
    op->erase();
  }

  void clampSizes() {
    unsigned dimension = 0;
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    for (OpOperand &operand : op->getOpOperands()) {
      Value size = operand.get();
      if (!size.getType().isIndex())
        continue;
      while (!type.isDynamicDim(dimension))
        ++dimension;
      require(b.compare(arith::CmpIPredicate::sge, size, b.index(0)),
              dimension++, size, b.index(0));
      operand.set(cast<Value>(atLeastZero(size)));
    }
  }

  /// Parts that do not fit make an empty tensor.
  void checkParts(tensor::ExpandShapeOp expand) {
    SmallVector<OpFoldResult> sizes = expand.getMixedOutputShape();
    unsigned next = 0;
    for (auto [d, group] : llvm::enumerate(expand.getReassociationIndices())) {
      Value product = b.index(1);
      Value extent = tensor::DimOp::create(b, b.loc, expand.getSrc(), d);
      Value good = arith::ConstantIntOp::create(b, b.loc, 1, 1);
      unsigned numDynamic = 0;
      for (int64_t part : group) {
        Value size = toValue(sizes[part]);
        product = b.mul(product, size);
        good = b.conjunction(
            good, b.compare(arith::CmpIPredicate::sge, size, b.index(0)));
        numDynamic += isa<Value>(sizes[part]);
      }
      if (numDynamic == 0)
        continue;
      good = b.conjunction(
          good, b.compare(arith::CmpIPredicate::eq, product, extent));
      require(good, d, product, extent);
      for (unsigned i = 0; i < numDynamic; ++i, ++next) {
        OpOperand &size = expand.getOutputShapeMutable()[next];
        size.set(b.select(good, size.get(), b.index(0)));
      }
    }
  }

  void checkShift() {
    Value amount = op->getOperand(1);
    Type type = amount.getType();
    unsigned width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
    Value limit =
        arith::ConstantOp::create(b, b.loc, b.getIntegerAttr(type, width));
    Value good = b.compare(arith::CmpIPredicate::ult, amount, limit);
    require(good, 0, amount, limit);
    op->setOperand(1, b.select(good, amount, b.constantZero(type)));
  }

  void checkDivision() {
    Value dividend = op->getOperand(0), divisor = op->getOperand(1);
    Type type = divisor.getType();
    auto integer = [&](const APInt &number) -> Value {
      return arith::ConstantOp::create(b, b.loc,
                                       b.getIntegerAttr(type, number));
    };
    unsigned width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
    Value good = b.compare(arith::CmpIPredicate::ne, divisor,
                           integer(APInt::getZero(width)));
    if (isa<arith::DivSIOp, arith::RemSIOp, arith::CeilDivSIOp,
            arith::FloorDivSIOp>(op)) {
      Value overflows =
          b.conjunction(b.compare(arith::CmpIPredicate::eq, divisor,
                                  integer(APInt::getAllOnes(width))),
                        b.compare(arith::CmpIPredicate::eq, dividend,
                                  integer(APInt::getSignedMinValue(width))));
      good = b.conjunction(good, b.negation(overflows));
    }
    require(good, 0, dividend, divisor);
    op->setOperand(1, b.select(good, divisor, integer(APInt(width, 1))));
  }

  OpBuilder builder;
  ZeroBuilder b;
  Operation *op;
  Value state;
  int64_t code;
  Value allGood;
};

struct ConvertGuardsToSCF
    : sluice::impl::ConvertGuardsToSCFBase<ConvertGuardsToSCF> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (op->hasAttr("sluice.code") && !getGuardMessage(op).empty())
        ops.push_back(op);
    });
    for (Operation *op : ops)
      Guard(op, getOperation().getArgument(0)).lower();
  }
};
} // namespace
