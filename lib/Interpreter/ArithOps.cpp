//===- ArithOps.cpp - The arith dialect on values ---------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace sluice::interpreter;

double sluice::interpreter::maximum(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return std::numeric_limits<double>::quiet_NaN();
  if (a == b)
    return std::signbit(a) ? b : a;
  return a > b ? a : b;
}

double sluice::interpreter::minimum(double a, double b) {
  return -maximum(-a, -b);
}

//===----------------------------------------------------------------------===//
// Makers of element functions
//===----------------------------------------------------------------------===//

template <typename Fn> static ElementFunction onFloats(Fn fn) {
  return [fn](const Element *operands, Element *results) {
    results[0].f = fn(operands[0].f, operands[1].f);
    return success();
  };
}

static unsigned getOperandWidth(Operation *op) {
  return getIntWidth(getElementTypeOrSelf(op->getOperand(0).getType()));
}

/// `fn` takes its operands as signed numbers.
template <typename Fn> static ElementFunction onSigned(Operation *op, Fn fn) {
  return [fn, width = getOperandWidth(op)](const Element *operands,
                                           Element *results) {
    results[0].i =
        fn(asSigned(operands[0].i, width), asSigned(operands[1].i, width));
    return success();
  };
}

/// `fn` takes its operands as unsigned numbers.
template <typename Fn> static ElementFunction onUnsigned(Operation *op, Fn fn) {
  return [fn, width = getOperandWidth(op)](const Element *operands,
                                           Element *results) {
    results[0].i = static_cast<int64_t>(
        fn(asUnsigned(operands[0].i, width), asUnsigned(operands[1].i, width)));
    return success();
  };
}

/// As `function`, but an error if the second operand is 0, or -1 and the first
/// the smallest number.
static ElementFunction checkDivisor(Operation *op, ElementFunction function) {
  bool isSigned = isa<arith::DivSIOp, arith::RemSIOp, arith::CeilDivSIOp,
                      arith::FloorDivSIOp>(op);
  return [op, isSigned, width = getOperandWidth(op),
          function = std::move(function)](const Element *operands,
                                          Element *results) {
    if (asUnsigned(operands[1].i, width) == 0)
      return LogicalResult(op->emitError("division by zero"));
    int64_t dividend = asSigned(operands[0].i, width);
    if (isSigned && asSigned(operands[1].i, width) == -1 &&
        dividend == llvm::minIntN(width))
      return LogicalResult(op->emitError("expected a quotient that fits in ")
                           << width << " bits but divided " << dividend
                           << " by -1");
    return function(operands, results);
  };
}

/// As `function`, but an error if the second operand does not shift within the
/// bits of the first.
static ElementFunction checkShift(Operation *op, ElementFunction function) {
  return [op, width = getOperandWidth(op), function = std::move(function)](
             const Element *operands, Element *results) {
    uint64_t amount = asUnsigned(operands[1].i, width);
    if (amount >= width)
      return LogicalResult(op->emitError("expected to shift by less than ")
                           << width << " bits but got " << amount);
    return function(operands, results);
  };
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

enum class Rounding { Zero, Up, Down };

/// a / b for a b other than 0; the quotient that does not fit wraps.
static int64_t divide(int64_t a, int64_t b, Rounding rounding) {
  if (b == -1)
    return static_cast<int64_t>(-static_cast<uint64_t>(a));
  int64_t quotient = a / b;
  bool isExact = a % b == 0, isNegative = (a < 0) != (b < 0);
  if (!isExact && rounding == Rounding::Up && !isNegative)
    ++quotient;
  if (!isExact && rounding == Rounding::Down && isNegative)
    --quotient;
  return quotient;
}

static ElementFunction getDivision(Operation *op) {
  return TypeSwitch<Operation *, ElementFunction>(op)
      .Case([&](arith::DivSIOp) {
        return onSigned(op, [](int64_t a, int64_t b) {
          return divide(a, b, Rounding::Zero);
        });
      })
      .Case([&](arith::CeilDivSIOp) {
        return onSigned(op, [](int64_t a, int64_t b) {
          return divide(a, b, Rounding::Up);
        });
      })
      .Case([&](arith::FloorDivSIOp) {
        return onSigned(op, [](int64_t a, int64_t b) {
          return divide(a, b, Rounding::Down);
        });
      })
      .Case([&](arith::RemSIOp) {
        return onSigned(
            op, [](int64_t a, int64_t b) { return b == -1 ? 0 : a % b; });
      })
      .Case([&](arith::DivUIOp) {
        return onUnsigned(op, [](uint64_t a, uint64_t b) { return a / b; });
      })
      .Case([&](arith::CeilDivUIOp) {
        return onUnsigned(
            op, [](uint64_t a, uint64_t b) { return a / b + (a % b != 0); });
      })
      .Case([&](arith::RemUIOp) {
        return onUnsigned(op, [](uint64_t a, uint64_t b) { return a % b; });
      })
      .Default(ElementFunction());
}

static ElementFunction getShift(Operation *op) {
  // The amount is below the width, see checkShift.
  return TypeSwitch<Operation *, ElementFunction>(op)
      .Case([&](arith::ShLIOp) {
        return onUnsigned(op, [](uint64_t a, uint64_t b) { return a << b; });
      })
      .Case([&](arith::ShRUIOp) {
        return onUnsigned(op, [](uint64_t a, uint64_t b) { return a >> b; });
      })
      .Case([&](arith::ShRSIOp) {
        return onSigned(op, [](int64_t a, int64_t b) { return a >> b; });
      })
      .Default(ElementFunction());
}

static bool compareInts(arith::CmpIPredicate predicate, int64_t a, int64_t b,
                        unsigned width) {
  int64_t sa = asSigned(a, width), sb = asSigned(b, width);
  uint64_t ua = asUnsigned(a, width), ub = asUnsigned(b, width);
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return a == b;
  case arith::CmpIPredicate::ne:
    return a != b;
  case arith::CmpIPredicate::slt:
    return sa < sb;
  case arith::CmpIPredicate::sle:
    return sa <= sb;
  case arith::CmpIPredicate::sgt:
    return sa > sb;
  case arith::CmpIPredicate::sge:
    return sa >= sb;
  case arith::CmpIPredicate::ult:
    return ua < ub;
  case arith::CmpIPredicate::ule:
    return ua <= ub;
  case arith::CmpIPredicate::ugt:
    return ua > ub;
  case arith::CmpIPredicate::uge:
    return ua >= ub;
  }
  llvm_unreachable("all predicates have been handled");
}

/// The two halves of a double-width result.
static ElementFunction getExtended(Operation *op) {
  unsigned width = getOperandWidth(op);
  return TypeSwitch<Operation *, ElementFunction>(op)
      .Case([&](arith::AddUIExtendedOp) {
        return [width](const Element *operands, Element *results) {
          uint64_t a = asUnsigned(operands[0].i, width);
          uint64_t sum = a + asUnsigned(operands[1].i, width);
          results[0].i = static_cast<int64_t>(sum);
          results[1].i = asUnsigned(results[0].i, width) < a;
          return success();
        };
      })
      .Case([&](arith::MulSIExtendedOp) {
        return [width](const Element *operands, Element *results) {
          __int128 product =
              static_cast<__int128>(asSigned(operands[0].i, width)) *
              asSigned(operands[1].i, width);
          results[0].i = static_cast<int64_t>(product);
          results[1].i = static_cast<int64_t>(product >> width);
          return success();
        };
      })
      .Case([&](arith::MulUIExtendedOp) {
        return [width](const Element *operands, Element *results) {
          unsigned __int128 product =
              static_cast<unsigned __int128>(asUnsigned(operands[0].i, width)) *
              asUnsigned(operands[1].i, width);
          results[0].i = static_cast<int64_t>(product);
          results[1].i = static_cast<int64_t>(product >> width);
          return success();
        };
      })
      .Default(ElementFunction());
}

static ElementFunction getIntFunction(Operation *op) {
  if (ElementFunction division = getDivision(op))
    return checkDivisor(op, std::move(division));
  if (ElementFunction shift = getShift(op))
    return checkShift(op, std::move(shift));
  if (ElementFunction extended = getExtended(op))
    return extended;
  return TypeSwitch<Operation *, ElementFunction>(op)
      .Case([&](arith::AddIOp) {
        return onUnsigned(op, [](uint64_t a, uint64_t b) { return a + b; });
      })
      .Case([&](arith::SubIOp) {
        return onUnsigned(op, [](uint64_t a, uint64_t b) { return a - b; });
      })
      .Case([&](arith::MulIOp) {
        return onUnsigned(op, [](uint64_t a, uint64_t b) { return a * b; });
      })
      .Case([&](arith::AndIOp) {
        return onUnsigned(op, [](uint64_t a, uint64_t b) { return a & b; });
      })
      .Case([&](arith::OrIOp) {
        return onUnsigned(op, [](uint64_t a, uint64_t b) { return a | b; });
      })
      .Case([&](arith::XOrIOp) {
        return onUnsigned(op, [](uint64_t a, uint64_t b) { return a ^ b; });
      })
      .Case([&](arith::MaxSIOp) {
        return onSigned(op, [](int64_t a, int64_t b) { return a > b ? a : b; });
      })
      .Case([&](arith::MinSIOp) {
        return onSigned(op, [](int64_t a, int64_t b) { return a < b ? a : b; });
      })
      .Case([&](arith::MaxUIOp) {
        return onUnsigned(op,
                          [](uint64_t a, uint64_t b) { return a > b ? a : b; });
      })
      .Case([&](arith::MinUIOp) {
        return onUnsigned(op,
                          [](uint64_t a, uint64_t b) { return a < b ? a : b; });
      })
      .Case([&](arith::CmpIOp compare) {
        return [predicate = compare.getPredicate(),
                width = getOperandWidth(op)](const Element *operands,
                                             Element *results) {
          results[0].i =
              compareInts(predicate, operands[0].i, operands[1].i, width);
          return success();
        };
      })
      .Default(ElementFunction());
}

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

static bool compareFloats(arith::CmpFPredicate predicate, double a, double b) {
  bool isUnordered = std::isnan(a) || std::isnan(b);
  switch (predicate) {
  case arith::CmpFPredicate::AlwaysFalse:
    return false;
  case arith::CmpFPredicate::AlwaysTrue:
    return true;
  case arith::CmpFPredicate::ORD:
    return !isUnordered;
  case arith::CmpFPredicate::UNO:
    return isUnordered;
  case arith::CmpFPredicate::OEQ:
    return a == b;
  case arith::CmpFPredicate::OGT:
    return a > b;
  case arith::CmpFPredicate::OGE:
    return a >= b;
  case arith::CmpFPredicate::OLT:
    return a < b;
  case arith::CmpFPredicate::OLE:
    return a <= b;
  case arith::CmpFPredicate::ONE:
    return !isUnordered && a != b;
  case arith::CmpFPredicate::UEQ:
    return isUnordered || a == b;
  case arith::CmpFPredicate::UGT:
    return isUnordered || a > b;
  case arith::CmpFPredicate::UGE:
    return isUnordered || a >= b;
  case arith::CmpFPredicate::ULT:
    return isUnordered || a < b;
  case arith::CmpFPredicate::ULE:
    return isUnordered || a <= b;
  case arith::CmpFPredicate::UNE:
    return isUnordered || a != b;
  }
  llvm_unreachable("all predicates have been handled");
}

/// maxnum and minnum: the other operand if one is NaN.
static double maxNum(double a, double b) {
  return std::isnan(a) ? b : std::isnan(b) ? a : maximum(a, b);
}

static ElementFunction getFloatFunction(Operation *op) {
  return TypeSwitch<Operation *, ElementFunction>(op)
      .Case([](arith::AddFOp) {
        return onFloats([](double a, double b) { return a + b; });
      })
      .Case([](arith::SubFOp) {
        return onFloats([](double a, double b) { return a - b; });
      })
      .Case([](arith::MulFOp) {
        return onFloats([](double a, double b) { return a * b; });
      })
      .Case([](arith::DivFOp) {
        return onFloats([](double a, double b) { return a / b; });
      })
      .Case([](arith::RemFOp) {
        return onFloats([](double a, double b) { return std::fmod(a, b); });
      })
      .Case([](arith::MaximumFOp) { return onFloats(maximum); })
      .Case([](arith::MinimumFOp) { return onFloats(minimum); })
      .Case([](arith::MaxNumFOp) { return onFloats(maxNum); })
      .Case([](arith::MinNumFOp) {
        return onFloats([](double a, double b) { return -maxNum(-a, -b); });
      })
      .Case([](arith::NegFOp) {
        return [](const Element *operands, Element *results) {
          results[0].f = -operands[0].f;
          return success();
        };
      })
      .Case([](arith::CmpFOp compare) {
        return [predicate = compare.getPredicate()](const Element *operands,
                                                    Element *results) {
          results[0].i = compareFloats(predicate, operands[0].f, operands[1].f);
          return success();
        };
      })
      .Default(ElementFunction());
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

/// The integer part of `value`, limited to [lowest, 2^bits); NaN gives 0. What
/// does not fit is poison in MLIR, so any number is allowed.
static int64_t toSigned(double value, unsigned bits) {
  double bound = std::ldexp(1.0, bits);
  if (std::isnan(value))
    return 0;
  if (value >= bound)
    return static_cast<int64_t>((uint64_t(1) << bits) - 1);
  if (value < -bound)
    value = -bound;
  return static_cast<int64_t>(value);
}

static uint64_t toUnsigned(double value, unsigned bits) {
  if (std::isnan(value) || value <= 0.0)
    return 0;
  if (value >= std::ldexp(1.0, bits))
    return bits >= 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
  return static_cast<uint64_t>(value);
}

static Element bitcast(Element value, Type from, Type to) {
  APInt bits;
  if (auto type = dyn_cast<FloatType>(from)) {
    APFloat number(value.f);
    bool losesInfo;
    number.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                   &losesInfo);
    bits = number.bitcastToAPInt();
  } else {
    unsigned width = getIntWidth(from);
    bits = APInt(width, asUnsigned(value.i, width));
  }
  if (auto type = dyn_cast<FloatType>(to))
    return Element::ofFloat(
        APFloat(type.getFloatSemantics(), bits).convertToDouble());
  return Element::ofInt(wrapInt(bits.getSExtValue(), bits.getBitWidth()));
}

static ElementFunction getConversion(Operation *op) {
  if (op->getNumOperands() != 1 || op->getNumResults() != 1)
    return {};
  Type from = getElementTypeOrSelf(op->getOperand(0).getType());
  Type to = getElementTypeOrSelf(op->getResult(0).getType());
  // The caller wraps and rounds to the result's type.
  ElementFunction asItIs = [](const Element *operands, Element *results) {
    results[0] = operands[0];
    return success();
  };
  auto signExtend = [from](const Element *operands, Element *results) {
    results[0].i = asSigned(operands[0].i, getIntWidth(from));
    return success();
  };
  auto zeroExtend = [from](const Element *operands, Element *results) {
    results[0].i =
        static_cast<int64_t>(asUnsigned(operands[0].i, getIntWidth(from)));
    return success();
  };
  return TypeSwitch<Operation *, ElementFunction>(op)
      .Case<arith::ExtFOp, arith::TruncIOp>([&](auto) { return asItIs; })
      .Case([&](arith::TruncFOp truncate) {
        arith::RoundingMode mode = truncate.getRoundingmode().value_or(
            arith::RoundingMode::to_nearest_even);
        if (mode == arith::RoundingMode::to_nearest_even)
          return asItIs;
        return ElementFunction([op](const Element *, Element *) {
          return LogicalResult(op->emitError(
              "the interpreter rounds to nearest even and in no other way"));
        });
      })
      .Case<arith::ExtSIOp, arith::IndexCastOp>(
          [&](auto) { return signExtend; })
      .Case<arith::ExtUIOp, arith::IndexCastUIOp>(
          [&](auto) { return zeroExtend; })
      .Case([&](arith::SIToFPOp) {
        return [from](const Element *operands, Element *results) {
          results[0].f =
              static_cast<double>(asSigned(operands[0].i, getIntWidth(from)));
          return success();
        };
      })
      .Case([&](arith::UIToFPOp) {
        return [from](const Element *operands, Element *results) {
          results[0].f =
              static_cast<double>(asUnsigned(operands[0].i, getIntWidth(from)));
          return success();
        };
      })
      .Case([&](arith::FPToSIOp) {
        return [to](const Element *operands, Element *results) {
          results[0].i = toSigned(operands[0].f, getIntWidth(to) - 1);
          return success();
        };
      })
      .Case([&](arith::FPToUIOp) {
        return [to](const Element *operands, Element *results) {
          results[0].i =
              static_cast<int64_t>(toUnsigned(operands[0].f, getIntWidth(to)));
          return success();
        };
      })
      .Case([&](arith::BitcastOp) {
        return [from, to](const Element *operands, Element *results) {
          results[0] = bitcast(operands[0], from, to);
          return success();
        };
      })
      .Default(ElementFunction());
}

ElementFunction sluice::interpreter::getArithFunction(Operation *op) {
  if (isa<arith::SelectOp>(op))
    return [](const Element *operands, Element *results) {
      results[0] = operands[0].i ? operands[1] : operands[2];
      return success();
    };
  for (auto getFunction : {getFloatFunction, getConversion})
    if (ElementFunction function = getFunction(op))
      return function;
  // What is left works on integers, or is not elementwise.
  if (op->getNumOperands() == 2 &&
      getElementTypeOrSelf(op->getOperand(0).getType()).isIntOrIndex())
    return getIntFunction(op);
  return {};
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

static Element toElement(const APFloat &value) {
  return Element::ofFloat(value.convertToDouble());
}
static Element toElement(const APInt &value) {
  return Element::ofInt(wrapInt(value.getSExtValue(), value.getBitWidth()));
}

template <typename T>
static FailureOr<Tensor> readElements(Evaluator &evaluator, Operation *op,
                                      DenseElementsAttr attr) {
  ArrayRef<int64_t> shape = attr.getType().getShape();
  if (attr.isSplat())
    return evaluator.makeTensor(op, shape, toElement(attr.getSplatValue<T>()));
  FailureOr<Tensor> tensor = evaluator.makeTensor(op, shape);
  if (failed(tensor))
    return failure();
  Element *target = tensor->mutableData();
  for (T value : attr.getValues<T>())
    *target++ = toElement(value);
  return tensor;
}

static LogicalResult evaluateConstant(Evaluator &evaluator,
                                      arith::ConstantOp op) {
  if (auto it = evaluator.constants.find(op); it != evaluator.constants.end()) {
    evaluator.set(op, it->second);
    return success();
  }
  Attribute attr = op.getValue();
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    bool isSplat;
    if (!blob || !DenseElementsAttr::isValidRawBuffer(resource.getType(),
                                                      blob->getData(), isSplat))
      return op.emitError("expected the data of the resource '")
             << resource.getRawHandle().getKey() << "' for a tensor of type "
             << resource.getType();
    attr = DenseElementsAttr::getFromRawBuffer(resource.getType(),
                                               blob->getData());
  }

  RuntimeValue value;
  if (auto number = dyn_cast<FloatAttr>(attr)) {
    value = toElement(number.getValue());
  } else if (auto number = dyn_cast<IntegerAttr>(attr)) {
    value = toElement(number.getValue());
  } else if (auto elements = dyn_cast<DenseElementsAttr>(attr)) {
    FailureOr<Tensor> tensor =
        isa<FloatType>(elements.getElementType())
            ? readElements<APFloat>(evaluator, op, elements)
            : readElements<APInt>(evaluator, op, elements);
    if (failed(tensor))
      return failure();
    value = std::move(*tensor);
  } else {
    return op.emitError(
               "the interpreter does not know constants of this kind: ")
           << attr;
  }
  evaluator.constants[op] = value;
  evaluator.set(op, std::move(value));
  return success();
}

LogicalResult sluice::interpreter::evaluateArith(Evaluator &evaluator,
                                                 Operation *op) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return evaluateConstant(evaluator, constant);
  // One condition for whole values, which may be gates too.
  if (auto select = dyn_cast<arith::SelectOp>(op);
      select && select.getCondition().getType().isInteger(1)) {
    Value chosen = evaluator.getInt(select.getCondition())
                       ? select.getTrueValue()
                       : select.getFalseValue();
    evaluator.set(select.getResult(), evaluator.get(chosen));
    return success();
  }
  return evaluator.evaluateElementwise(op);
}
