//===- CheckToSCF.cpp - Expectations to comparisons -------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "sluice/Conversion/Passes.h"
#include "sluice/Conversion/RunTimeState.h"
#include "sluice/Dialect/Check/IR/Check.h"

namespace sluice {
#define GEN_PASS_DEF_CONVERTCHECKTOSCF
#include "sluice/Conversion/Passes.h.inc"
} // namespace sluice

using namespace mlir;
using namespace sluice;

namespace {
/// Lowers one expectation. The state's words are: code, index, actual, expected
/// (as the bits of f64).
class CheckLowering {
public:
  CheckLowering(Operation *op, Value state)
      : op(op), state(state), actual(op->getOperand(0)),
        expected(op->getOperand(1)) {}

  void lower() {
    OpBuilder builder(op);
    LoopBuilder b(builder, op->getLoc());
    int64_t rank = cast<RankedTensorType>(actual.getType()).getRank();
    // A shape that differs is reported at index -1.
    Value same = arith::ConstantIntOp::create(b, b.loc, 1, 1);
    for (int64_t d = 0; d < rank; ++d) {
      Value l = tensor::DimOp::create(b, b.loc, actual, d);
      Value r = tensor::DimOp::create(b, b.loc, expected, d);
      Value equal =
          arith::CmpIOp::create(b, b.loc, arith::CmpIPredicate::eq, l, r);
      same = arith::AndIOp::create(b, b.loc, same, equal);
      sizes.push_back(l);
    }
    auto branch = scf::IfOp::create(b, b.loc, same, /*withElse=*/true);
    {
      OpBuilder then = branch.getThenBodyBuilder();
      LoopBuilder inner(then, b.loc);
      compare(inner);
    }
    OpBuilder other = branch.getElseBodyBuilder();
    LoopBuilder inner(other, b.loc);
    Value zero = inner.constant(b.getF64Type(), 0.0);
    record(inner, arith::ConstantIntOp::create(inner, b.loc, -1, 64), zero,
           zero);
  }

private:
  /// Loops over all indices in row-major order that carry `init`, if there is
  /// one.
  Value forAll(LoopBuilder &b, Value init,
               llvm::function_ref<Value(LoopBuilder &, ValueRange indices,
                                        Value carried)>
                   body) {
    SmallVector<Value> zeros(sizes.size(), b.index(0));
    SmallVector<Value> ones(sizes.size(), b.index(1));
    scf::LoopNest loops = scf::buildLoopNest(
        b, b.loc, zeros, sizes, ones, init ? ValueRange(init) : ValueRange(),
        [&](OpBuilder &builder, Location loc, ValueRange indices,
            ValueRange carried) -> scf::ValueVector {
          LoopBuilder inner(builder, loc);
          Value next = body(inner, indices, init ? carried[0] : Value());
          return next ? scf::ValueVector{next} : scf::ValueVector();
        });
    return init ? loops.results.front() : Value();
  }

  Value toF64(LoopBuilder &b, Value value) {
    if (isa<FloatType>(value.getType()))
      return b.convert(value, b.getF64Type());
    if (value.getType().isIndex())
      value = arith::IndexCastOp::create(b, b.loc, b.getI64Type(), value);
    if (value.getType().isInteger(1))
      return arith::UIToFPOp::create(b, b.loc, b.getF64Type(), value);
    return arith::SIToFPOp::create(b, b.loc, b.getF64Type(), value);
  }

  Value compareFloats(LoopBuilder &b, arith::CmpFPredicate predicate, Value l,
                      Value r) {
    return arith::CmpFOp::create(b, b.loc, predicate, l, r);
  }

  void compare(LoopBuilder &b) {
    auto close = dyn_cast<check::ExpectCloseOp>(op);
    Value limit;
    if (close) {
      // tolerance * (largest finite magnitude).
      Value zero = b.constant(b.getF64Type(), 0.0);
      Value largest = forAll(
          b, zero,
          [&](LoopBuilder &b, ValueRange indices, Value before) -> Value {
            Value value = toF64(
                b, tensor::ExtractOp::create(b, b.loc, expected, indices));
            Value magnitude = math::AbsFOp::create(b, b.loc, value);
            Value infinity = b.constant(
                b.getF64Type(), std::numeric_limits<double>::infinity());
            Value finite = compareFloats(b, arith::CmpFPredicate::OLT,
                                         magnitude, infinity);
            Value larger =
                compareFloats(b, arith::CmpFPredicate::OGT, magnitude, before);
            Value take = arith::AndIOp::create(b, b.loc, finite, larger);
            return arith::SelectOp::create(b, b.loc, take, magnitude, before);
          });
      limit = arith::MulFOp::create(
          b, b.loc, largest,
          b.constant(b.getF64Type(), close.getTolerance().convertToDouble()));
    }
    forAll(b, {}, [&](LoopBuilder &b, ValueRange indices, Value) -> Value {
      Value l = tensor::ExtractOp::create(b, b.loc, actual, indices);
      Value r = tensor::ExtractOp::create(b, b.loc, expected, indices);
      Value differs =
          close
              ? areFar(b, toF64(b, l), toF64(b, r), limit)
              : arith::CmpIOp::create(b, b.loc, arith::CmpIPredicate::ne, l, r)
                    .getResult();
      auto branch = scf::IfOp::create(b, b.loc, differs, /*withElse=*/false);
      OpBuilder then = branch.getThenBodyBuilder();
      LoopBuilder inner(then, b.loc);
      Value flat = inner.index(0);
      for (auto [index, size] : llvm::zip_equal(indices, sizes))
        flat = arith::AddIOp::create(
            inner, b.loc, arith::MulIOp::create(inner, b.loc, flat, size),
            index);
      record(inner,
             arith::IndexCastOp::create(inner, b.loc, b.getI64Type(), flat),
             toF64(inner, l), toF64(inner, r));
      return {};
    });
  }

  /// Not equal, not both NaN, and not within `limit` of each other.
  Value areFar(LoopBuilder &b, Value l, Value r, Value limit) {
    Value gap =
        math::AbsFOp::create(b, b.loc, arith::SubFOp::create(b, b.loc, l, r));
    Value infinity =
        b.constant(b.getF64Type(), std::numeric_limits<double>::infinity());
    Value within = compareFloats(b, arith::CmpFPredicate::OLE, gap, limit);
    // An infinite limit cannot be: magnitudes are finite. An infinite gap is
    // never within one.
    Value finite = compareFloats(b, arith::CmpFPredicate::OLT, gap, infinity);
    within = arith::AndIOp::create(b, b.loc, within, finite);
    Value equal = compareFloats(b, arith::CmpFPredicate::OEQ, l, r);
    Value lNaN = compareFloats(b, arith::CmpFPredicate::UNO, l, l);
    Value rNaN = compareFloats(b, arith::CmpFPredicate::UNO, r, r);
    Value bothNaN = arith::AndIOp::create(b, b.loc, lNaN, rNaN);
    Value fine = arith::OrIOp::create(
        b, b.loc, within, arith::OrIOp::create(b, b.loc, equal, bothNaN));
    return arith::XOrIOp::create(b, b.loc, fine,
                                 arith::ConstantIntOp::create(b, b.loc, 1, 1));
  }

  void record(LoopBuilder &b, Value index, Value l, Value r) {
    recordFailure(b, state,
                  op->getAttrOfType<IntegerAttr>("sluice.code").getInt(), index,
                  l, r);
  }

  Operation *op;
  Value state, actual, expected;
  SmallVector<Value> sizes;
};

struct ConvertCheckToSCF
    : sluice::impl::ConvertCheckToSCFBase<ConvertCheckToSCF> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<check::ExpectCloseOp, check::ExpectEqualOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      if (!op->hasAttr("sluice.code")) {
        op->emitError("expected a failure code; run sluice-externalize-state "
                      "before convert-check-to-scf");
        return signalPassFailure();
      }
      CheckLowering(op, getOperation().getArgument(0)).lower();
      op->erase();
    }
  }
};
} // namespace
