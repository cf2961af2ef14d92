//===- MathOps.cpp - The math dialect on values -----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elementwise.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/ADT/bit.h"

#include <cmath>

using namespace mlir;
using namespace sluice::interpreter;

template <typename Fn> static ElementFunction unary(Fn fn) {
  return [fn](const Element *operands, Element *results) {
    results[0].f = fn(operands[0].f);
    return success();
  };
}

template <typename Fn> static ElementFunction binary(Fn fn) {
  return [fn](const Element *operands, Element *results) {
    results[0].f = fn(operands[0].f, operands[1].f);
    return success();
  };
}

/// Questions about the class of a number, asked about it as it would be stored:
/// what overflows in f32 is infinite.
template <typename Fn> static ElementFunction classify(Operation *op, Fn fn) {
  Type type = getElementTypeOrSelf(op->getOperand(0).getType());
  return [fn, type](const Element *operands, Element *results) {
    results[0].i = fn(roundToType(operands[0].f, type));
    return success();
  };
}

static ElementFunction getUnaryFloat(Operation *op) {
  using Function = double (*)(double);
  auto function =
      TypeSwitch<Operation *, Function>(op)
          .Case([](math::AbsFOp) -> Function { return std::fabs; })
          .Case([](math::AcosOp) -> Function { return std::acos; })
          .Case([](math::AcoshOp) -> Function { return std::acosh; })
          .Case([](math::AsinOp) -> Function { return std::asin; })
          .Case([](math::AsinhOp) -> Function { return std::asinh; })
          .Case([](math::AtanOp) -> Function { return std::atan; })
          .Case([](math::AtanhOp) -> Function { return std::atanh; })
          .Case([](math::CbrtOp) -> Function { return std::cbrt; })
          .Case([](math::CeilOp) -> Function { return std::ceil; })
          .Case([](math::CosOp) -> Function { return std::cos; })
          .Case([](math::CoshOp) -> Function { return std::cosh; })
          .Case([](math::ErfOp) -> Function { return std::erf; })
          .Case([](math::ErfcOp) -> Function { return std::erfc; })
          .Case([](math::ExpOp) -> Function { return std::exp; })
          .Case([](math::Exp2Op) -> Function { return std::exp2; })
          .Case([](math::ExpM1Op) -> Function { return std::expm1; })
          .Case([](math::FloorOp) -> Function { return std::floor; })
          .Case([](math::LogOp) -> Function { return std::log; })
          .Case([](math::Log10Op) -> Function { return std::log10; })
          .Case([](math::Log1pOp) -> Function { return std::log1p; })
          .Case([](math::Log2Op) -> Function { return std::log2; })
          .Case([](math::RoundOp) -> Function { return std::round; })
          .Case([](math::RoundEvenOp) -> Function { return std::nearbyint; })
          .Case([](math::RsqrtOp) -> Function {
            return [](double x) { return 1.0 / std::sqrt(x); };
          })
          .Case([](math::SinOp) -> Function { return std::sin; })
          .Case([](math::SinhOp) -> Function { return std::sinh; })
          .Case([](math::SqrtOp) -> Function { return std::sqrt; })
          .Case([](math::TanOp) -> Function { return std::tan; })
          .Case([](math::TanhOp) -> Function { return std::tanh; })
          .Case([](math::TruncOp) -> Function { return std::trunc; })
          .Default(static_cast<Function>(nullptr));
  return function ? unary(function) : ElementFunction();
}

static ElementFunction getOtherFloat(Operation *op) {
  return TypeSwitch<Operation *, ElementFunction>(op)
      .Case([](math::Atan2Op) {
        return binary([](double y, double x) { return std::atan2(y, x); });
      })
      .Case([](math::CopySignOp) {
        return binary([](double a, double b) { return std::copysign(a, b); });
      })
      .Case([](math::PowFOp) {
        return binary([](double a, double b) { return std::pow(a, b); });
      })
      .Case([](math::FPowIOp) {
        return [](const Element *operands, Element *results) {
          results[0].f =
              std::pow(operands[0].f, static_cast<double>(operands[1].i));
          return success();
        };
      })
      .Case([](math::FmaOp) {
        return [](const Element *operands, Element *results) {
          results[0].f = std::fma(operands[0].f, operands[1].f, operands[2].f);
          return success();
        };
      })
      .Case([](math::ClampFOp) {
        return [](const Element *operands, Element *results) {
          results[0].f =
              minimum(maximum(operands[0].f, operands[1].f), operands[2].f);
          return success();
        };
      })
      .Case([](math::SincosOp) {
        return [](const Element *operands, Element *results) {
          results[0].f = std::sin(operands[0].f);
          results[1].f = std::cos(operands[0].f);
          return success();
        };
      })
      .Case([&](math::IsFiniteOp) {
        return classify(op, [](double x) { return std::isfinite(x); });
      })
      .Case([&](math::IsInfOp) {
        return classify(op, [](double x) { return std::isinf(x); });
      })
      .Case([&](math::IsNaNOp) {
        return classify(op, [](double x) { return std::isnan(x); });
      })
      .Case([&](math::IsNormalOp) {
        auto type =
            cast<FloatType>(getElementTypeOrSelf(op->getOperand(0).getType()));
        double smallest =
            APFloat::getSmallestNormalized(type.getFloatSemantics())
                .convertToDouble();
        return classify(op, [smallest](double x) {
          return std::isfinite(x) && std::fabs(x) >= smallest;
        });
      })
      .Default(ElementFunction());
}

/// a^b, wrapping around; 0 to a negative power is an error.
static LogicalResult powerOfInts(Operation *op, uint64_t base, int64_t exponent,
                                 int64_t &result) {
  if (exponent < 0) {
    if (base == 0)
      return op->emitError("division by zero: 0 to a negative power");
    bool isMinusOne = base == ~uint64_t(0);
    result = base == 1 || isMinusOne ? 1 : 0;
    if (isMinusOne && exponent % 2 != 0)
      result = -1;
    return success();
  }
  uint64_t power = 1;
  for (; exponent > 0; exponent >>= 1, base *= base)
    if (exponent & 1)
      power *= base;
  result = static_cast<int64_t>(power);
  return success();
}

static ElementFunction getIntFunction(Operation *op) {
  if (!isa<math::AbsIOp, math::CountLeadingZerosOp, math::CountTrailingZerosOp,
           math::CtPopOp, math::IPowIOp>(op))
    return {};
  unsigned width =
      getIntWidth(getElementTypeOrSelf(op->getOperand(0).getType()));
  if (isa<math::IPowIOp>(op))
    return [op, width](const Element *operands, Element *results) {
      return powerOfInts(op, asSigned(operands[0].i, width),
                         asSigned(operands[1].i, width), results[0].i);
    };
  return [op, width](const Element *operands, Element *results) {
    uint64_t bits = asUnsigned(operands[0].i, width);
    if (isa<math::AbsIOp>(op))
      results[0].i = asSigned(operands[0].i, width) < 0
                         ? static_cast<int64_t>(-bits)
                         : operands[0].i;
    else if (isa<math::CtPopOp>(op))
      results[0].i = llvm::popcount(bits);
    else if (isa<math::CountLeadingZerosOp>(op))
      results[0].i = llvm::countl_zero(bits) - (64 - static_cast<int>(width));
    else
      results[0].i = bits == 0 ? width : llvm::countr_zero(bits);
    return success();
  };
}

ElementFunction sluice::interpreter::getMathFunction(Operation *op) {
  for (auto getFunction : {getUnaryFloat, getOtherFloat, getIntFunction})
    if (ElementFunction function = getFunction(op))
      return function;
  return {};
}
