//===- Utils.h - What lowerings to loops share ------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_CONVERSION_UTILS_H
#define SLUICE_CONVERSION_UTILS_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

namespace sluice {

/// The type in which values of `type` are computed: f32 for f16, bf16 and f32,
/// f64 for f64.
inline mlir::Type getArithmeticType(mlir::Type type) {
  return type.isF64() ? type : mlir::Float32Type::get(type.getContext());
}

/// A builder at a known place with the shorthands that loop bodies need. It
/// builds where the given builder stands.
struct LoopBuilder : mlir::OpBuilder {
  LoopBuilder(mlir::OpBuilder &builder, mlir::Location loc)
      : mlir::OpBuilder(builder), loc(loc) {}

  mlir::Value constant(mlir::Type type, double value) {
    return mlir::arith::ConstantOp::create(*this, loc,
                                           getFloatAttr(type, value));
  }
  mlir::Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(*this, loc, value);
  }
  /// `value` as another float type: extended exactly or rounded once.
  mlir::Value convert(mlir::Value value, mlir::Type type) {
    unsigned from = value.getType().getIntOrFloatBitWidth();
    unsigned to = type.getIntOrFloatBitWidth();
    if (value.getType() == type)
      return value;
    // f16 and bf16 are equally wide and neither holds the other.
    if (from == to)
      return convert(convert(value, getF32Type()), type);
    if (from < to)
      return mlir::arith::ExtFOp::create(*this, loc, type, value);
    return mlir::arith::TruncFOp::create(*this, loc, type, value);
  }
  void yield(mlir::Value value) {
    mlir::linalg::YieldOp::create(*this, loc, value);
  }
  mlir::Value extract(mlir::Value tensor, mlir::ValueRange indices) {
    return mlir::tensor::ExtractOp::create(*this, loc, tensor, indices);
  }
  mlir::Value insert(mlir::Value value, mlir::Value tensor,
                     mlir::ValueRange indices) {
    return mlir::tensor::InsertOp::create(*this, loc, value, tensor, indices);
  }
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value l,
                      mlir::Value r) {
    return mlir::arith::CmpIOp::create(*this, loc, predicate, l, r);
  }
  mlir::Value select(mlir::Value condition, mlir::Value l, mlir::Value r) {
    return mlir::arith::SelectOp::create(*this, loc, condition, l, r);
  }
  mlir::Value add(mlir::Value l, mlir::Value r) {
    return mlir::arith::AddIOp::create(*this, loc, l, r);
  }
  mlir::Value sub(mlir::Value l, mlir::Value r) {
    return mlir::arith::SubIOp::create(*this, loc, l, r);
  }
  mlir::Value mul(mlir::Value l, mlir::Value r) {
    return mlir::arith::MulIOp::create(*this, loc, l, r);
  }
  /// l and r, both i1.
  mlir::Value conjunction(mlir::Value l, mlir::Value r) {
    return mlir::arith::AndIOp::create(*this, loc, l, r);
  }
  /// not value, an i1.
  mlir::Value negation(mlir::Value value) {
    return mlir::arith::XOrIOp::create(
        *this, loc, value,
        mlir::arith::ConstantIntOp::create(*this, loc, 1, 1));
  }
  /// An index as i64, or as f64 for what reports it.
  mlir::Value toInt(mlir::Value index) {
    return mlir::arith::IndexCastOp::create(*this, loc, getI64Type(), index);
  }
  mlir::Value toF64(mlir::Value index) {
    return mlir::arith::SIToFPOp::create(*this, loc, getF64Type(),
                                         toInt(index));
  }

  mlir::Location loc;
};

inline mlir::Value makeEmptyLike(mlir::OpBuilder &builder, mlir::Location loc,
                                 mlir::Value like, mlir::Type elementType) {
  return mlir::tensor::EmptyOp::create(
      builder, loc, mlir::tensor::getMixedSizes(builder, loc, like),
      elementType);
}

/// A tensor of the given sizes, all of it `value`.
inline mlir::Value makeFilled(mlir::OpBuilder &builder, mlir::Location loc,
                              llvm::ArrayRef<mlir::OpFoldResult> sizes,
                              mlir::Type elementType, double value) {
  mlir::Value empty =
      mlir::tensor::EmptyOp::create(builder, loc, sizes, elementType);
  mlir::Value number = mlir::arith::ConstantOp::create(
      builder, loc, builder.getFloatAttr(elementType, value));
  return mlir::linalg::FillOp::create(builder, loc, number, empty).getResult(0);
}

/// `value` with a type that differs at most in which dimensions are static.
inline mlir::Value castTo(mlir::OpBuilder &builder, mlir::Location loc,
                          mlir::Value value, mlir::Type type) {
  if (value.getType() == type)
    return value;
  return mlir::tensor::CastOp::create(builder, loc, type, value);
}

} // namespace sluice

#endif // SLUICE_CONVERSION_UTILS_H
