//===- NumberBuilder.h - Small numbers in scalar code -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_CONVERSION_SLUICETOLINALG_NUMBERBUILDER_H
#define SLUICE_LIB_CONVERSION_SLUICETOLINALG_NUMBERBUILDER_H

#include "sluice/Conversion/Utils.h"

namespace llvm {
struct fltSemantics;
} // namespace llvm

namespace sluice {

/// Arithmetic on numbers of an element's loop: f32 and i32.
struct NumberBuilder : LoopBuilder {
  using LoopBuilder::LoopBuilder;

  mlir::Value integer(int64_t value) {
    return mlir::arith::ConstantOp::create(*this, loc,
                                           getI32IntegerAttr(value));
  }
  mlir::Value number(double value) { return constant(getF32Type(), value); }
  mlir::Value bitsToFloat(mlir::Value bits) {
    return mlir::arith::BitcastOp::create(*this, loc, getF32Type(), bits);
  }
  mlir::Value toFloat(mlir::Value integer) {
    return mlir::arith::SIToFPOp::create(*this, loc, getF32Type(), integer);
  }
  mlir::Value bitAnd(mlir::Value bits, int64_t mask) {
    return mlir::arith::AndIOp::create(*this, loc, bits, integer(mask));
  }
  mlir::Value shiftLeft(mlir::Value bits, int64_t amount) {
    return mlir::arith::ShLIOp::create(*this, loc, bits, integer(amount));
  }
  mlir::Value equals(mlir::Value bits, int64_t value) {
    return compare(mlir::arith::CmpIPredicate::eq, bits, integer(value));
  }
  /// A byte as 0 to 255.
  mlir::Value widen(mlir::Value byte) {
    return mlir::arith::ExtUIOp::create(*this, loc, getI32Type(), byte);
  }

  /// The f32 value of a number of `type`, whose bits are the low ones of an i32
  /// that is 0 otherwise.
  mlir::Value decode(mlir::Value bits, mlir::Type type);
  /// 2^(byte - 127), NaN for 255: the byte is the exponent of an f32, except
  /// for the ends.
  mlir::Value decodePower(mlir::Value byte);

private:
  mlir::Value decodeFloat(mlir::Value bits, const llvm::fltSemantics &format);
};

} // namespace sluice

#endif // SLUICE_LIB_CONVERSION_SLUICETOLINALG_NUMBERBUILDER_H
