//===- Program.cpp - A model and a bound of its rounding errors -*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include <algorithm>
#include <cmath>
#include <utility>

using namespace sluice;

double sluice::unitRoundoff(Dtype type) {
  switch (type) {
  case Dtype::F64:
    return 0x1p-53;
  case Dtype::F16:
    return 0x1p-11;
  case Dtype::BF16:
    return 0x1p-8;
  default:
    return 0x1p-24;
  }
}

double sluice::computeRoundoff(std::initializer_list<Dtype> types) {
  bool allF64 = llvm::all_of(types, [](Dtype t) { return t == Dtype::F64; });
  return allF64 ? 0x1p-53 : 0x1p-24;
}

static std::string number(double value) {
  char text[40];
  snprintf(text, sizeof(text), "%.17e", value);
  return text;
}

Value Program::make(llvm::ArrayRef<int64_t> shape, Dtype type, double error) {
  Value value;
  value.name = "v" + std::to_string(counter++);
  value.shape.assign(shape.begin(), shape.end());
  value.type = type;
  value.error = error;
  return value;
}

void Program::lines(const std::string &modelLine,
                    const std::string &majorantLine) {
  model += std::string(2 * depth, ' ') + modelLine + "\n";
  majorant += std::string(2 * depth, ' ') + majorantLine + "\n";
}
void Program::line(const std::string &text) {
  model += std::string(2 * depth, ' ') + text + "\n";
  if (keepsValues)
    shadowLine(text);
}

std::pair<std::string, std::string> Program::take() {
  std::pair<std::string, std::string> texts(std::move(model),
                                            std::move(majorant));
  model.clear();
  majorant.clear();
  return texts;
}

void Program::append(const std::string &modelText,
                     const std::string &majorantText) {
  model += modelText;
  majorant += majorantText;
}

void Program::shadowLine(const std::string &text) {
  majorant += std::string(2 * depth, ' ') + text + "\n";
}

Value Program::linear(const Value &input, const Value &weight,
                      const Value *bias, bool inOut, Dtype result) {
  int64_t in = weight.shape[inOut ? 0 : 1], out = weight.shape[inOut ? 1 : 0];
  double u = computeRoundoff({input.type, weight.type, result});
  Value y =
      make({input.shape[0], out}, result,
           input.error + weight.error + (in + 1) * u + unitRoundoff(result));
  y.gateDegree = input.gateDegree;
  auto text = [&](bool shadow) {
    auto ref = [&](const Value &v) { return shadow ? v.shadow() : v.ref(); };
    auto type = [&](const Value &v) {
      return shadow ? v.shadowType() : v.typeText();
    };
    return ref(y) + " = sluice.linear " + ref(input) + ", " + ref(weight) +
           (bias ? " bias " + ref(*bias) : "") +
           (inOut ? " layout in_out" : "") + " : (" + type(input) + ", " +
           type(weight) + (bias ? ", " + type(*bias) : "") + ") -> " + type(y);
  };
  line(text(false));
  shadowLine(text(true));
  return y;
}

Value Program::activate(const Value &input, Activation kind) {
  Value y = make(input.shape, input.type,
                 input.error + 8 * computeRoundoff({input.type}) +
                     unitRoundoff(input.type));
  y.gateDegree = input.gateDegree;
  const char *op = nullptr, *suffix = "";
  // The shadow is factor * input + offset: above |f|, and not flatter than f.
  double factor = 1, offset = 0;
  switch (kind) {
  case Activation::Silu:
    op = "sluice.silu", factor = 1.2; // |silu'| < 1.1
    break;
  case Activation::GeluErf:
    op = "sluice.gelu", suffix = " erf", factor = 1.2; // |gelu'| < 1.13
    break;
  case Activation::GeluTanh:
    op = "sluice.gelu", suffix = " tanh", factor = 1.2;
    break;
  case Activation::Relu:
    op = "sluice.relu";
    break;
  case Activation::Sigmoid:
    op = "sluice.sigmoid", offset = 1;
    break;
  case Activation::Softplus:
    op = "sluice.softplus", offset = 0.7; // log 2 at 0, slope at most 1
    break;
  case Activation::Tanh:
    op = "math.tanh";
    break;
  case Activation::Abs:
    op = "math.absf";
    break;
  case Activation::Negate:
    op = "arith.negf";
    break;
  case Activation::Sine:
    op = "math.sin";
    break;
  case Activation::Arctangent:
    op = "math.atan";
    break;
  case Activation::Erf:
    op = "math.erf", factor = 1.2; // slope 2 / sqrt(pi) at 0
    break;
  }
  line(y.ref() + " = " + op + " " + input.ref() + suffix + " : " +
       y.typeText());
  Value f = make({}, Dtype::F64), fb = make({}, Dtype::F64),
        o = make({}, Dtype::F64), ob = make({}, Dtype::F64),
        scaled = make({}, Dtype::F64);
  std::string type = y.shadowType();
  auto constant = [&](const Value &c, const Value &spread, double value) {
    shadowLine(c.ref() + " = arith.constant " + number(value) + " : f64");
    shadowLine(spread.ref() + " = sluice.broadcast " + c.ref() + " like " +
               input.shadow() + " : f64, " + type);
  };
  constant(f, fb, factor);
  constant(o, ob, offset);
  shadowLine(scaled.ref() + " = arith.mulf " + input.shadow() + ", " +
             fb.ref() + " : " + type);
  shadowLine(y.shadow() + " = arith.addf " + scaled.ref() + ", " + ob.ref() +
             " : " + type);
  return y;
}

Value Program::multiply(const Value &a, const Value &b) {
  Value y = make(a.shape, a.type, a.error + b.error + unitRoundoff(a.type));
  y.gateDegree = a.gateDegree + b.gateDegree;
  line(y.ref() + " = arith.mulf " + a.ref() + ", " + b.ref() + " : " +
       y.typeText());
  shadowLine(y.shadow() + " = arith.mulf " + a.shadow() + ", " + b.shadow() +
             " : " + y.shadowType());
  return y;
}

Value Program::add(const Value &a, const Value &b) {
  Value y =
      make(a.shape, a.type, std::max(a.error, b.error) + unitRoundoff(a.type));
  y.gateDegree = std::max(a.gateDegree, b.gateDegree);
  line(y.ref() + " = arith.addf " + a.ref() + ", " + b.ref() + " : " +
       y.typeText());
  shadowLine(y.shadow() + " = arith.addf " + a.shadow() + ", " + b.shadow() +
             " : " + y.shadowType());
  return y;
}

Value Program::combine(const char *op, const Value &a, const Value &b) {
  Value y =
      make(a.shape, a.type, std::max(a.error, b.error) + unitRoundoff(a.type));
  y.gateDegree = std::max(a.gateDegree, b.gateDegree);
  line(y.ref() + " = " + op + " " + a.ref() + ", " + b.ref() + " : " +
       y.typeText());
  shadowLine(y.shadow() + " = arith.addf " + a.shadow() + ", " + b.shadow() +
             " : " + y.shadowType());
  return y;
}

Value Program::selectSmaller(const Value &a, const Value &b) {
  Value isLess = make(a.shape, Dtype::Bool);
  Value y = make(a.shape, a.type, std::max(a.error, b.error));
  y.gateDegree = std::max(a.gateDegree, b.gateDegree);
  line(isLess.ref() + " = arith.cmpf olt, " + a.ref() + ", " + b.ref() + " : " +
       a.typeText());
  line(y.ref() + " = arith.select " + isLess.ref() + ", " + a.ref() + ", " +
       b.ref() + " : " + isLess.typeText() + ", " + y.typeText());
  shadowLine(y.shadow() + " = arith.addf " + a.shadow() + ", " + b.shadow() +
             " : " + y.shadowType());
  return y;
}

Value Program::multiplyAdd(const Value &a, const Value &b, const Value &c) {
  Value y =
      make(a.shape, a.type,
           std::max(a.error + b.error, c.error) + 2 * unitRoundoff(a.type));
  y.gateDegree = std::max(a.gateDegree + b.gateDegree, c.gateDegree);
  line(y.ref() + " = math.fma " + a.ref() + ", " + b.ref() + ", " + c.ref() +
       " : " + y.typeText());
  shadowLine(y.shadow() + " = math.fma " + a.shadow() + ", " + b.shadow() +
             ", " + c.shadow() + " : " + y.shadowType());
  return y;
}

Value Program::clamp(const Value &input, double min, double max) {
  Value y =
      make(input.shape, input.type, input.error + unitRoundoff(input.type));
  y.gateDegree = input.gateDegree;
  std::string limits;
  if (std::isfinite(min))
    limits += " min " + number(min);
  if (std::isfinite(max))
    limits += " max " + number(max);
  line(y.ref() + " = sluice.clamp " + input.ref() + limits + " : " +
       y.typeText());
  // 0 lies within the limits: clamping makes nothing larger.
  shadowLine(y.shadow() + " = sluice.clamp " + input.shadow() +
             " min 0.0 : " + y.shadowType());
  return y;
}

Value Program::rmsNorm(const Value &input, const Value &gain) {
  double u = computeRoundoff({input.type});
  Value y = make(input.shape, input.type,
                 (input.shape.back() + 8) * u + unitRoundoff(input.type));
  // The magnitudes of a row have the row's norm.
  std::string eps = " eps 1.0e-5 gain ";
  line(y.ref() + " = sluice.rms_norm " + input.ref() + eps + gain.ref() +
       " : " + y.typeText() + ", " + gain.typeText());
  shadowLine(y.shadow() + " = sluice.rms_norm " + input.shadow() + eps +
             gain.shadow() + " : " + y.shadowType() + ", " + gain.shadowType());
  return y;
}

Value Program::broadcast(const Value &source, const Value &like) {
  Value y = make(like.shape, source.type, source.error);
  y.gateDegree = source.gateDegree;
  line(y.ref() + " = sluice.broadcast " + source.ref() + " like " + like.ref() +
       " : " + source.typeText() + ", " + like.typeText());
  shadowLine(y.shadow() + " = sluice.broadcast " + source.shadow() + " like " +
             like.shadow() + " : " + source.shadowType() + ", " +
             like.shadowType());
  return y;
}

std::vector<Value> Program::split(const Value &input, int64_t parts,
                                  bool interleaved) {
  llvm::SmallVector<int64_t, 3> shape(input.shape);
  shape.back() /= parts;
  std::vector<Value> results;
  std::string refs, shadows;
  for (int64_t i = 0; i < parts; ++i) {
    results.push_back(make(shape, input.type, input.error));
    results.back().gateDegree = input.gateDegree;
    refs += (i ? ", " : "") + results.back().ref();
    shadows += (i ? ", " : "") + results.back().shadow();
  }
  std::string how = interleaved ? " interleaved : " : " : ";
  std::string into = " into " + std::to_string(parts);
  line(refs + " = sluice.split " + input.ref() + how + input.typeText() + into);
  shadowLine(shadows + " = sluice.split " + input.shadow() + how +
             input.shadowType() + into);
  return results;
}

Value Program::matmul(const Value &a, const Value &b) {
  double u = unitRoundoff(a.type);
  int64_t n = b.shape[0];
  // The op adds in the type of its result.
  Value y = make({a.shape[0], b.shape[1]}, a.type, a.error + (n + 1) * u);
  y.gateDegree = a.gateDegree;
  auto text = [&](bool shadow) {
    Dtype elem = shadow ? Dtype::F64 : a.type;
    std::string suffix = shadow ? "_" : "", p = "%" + y.name;
    std::string type = sluice::typeText(elem, y.shape);
    auto emit = [&](const std::string &t) {
      if (shadow)
        shadowLine(t);
      else
        line(t);
    };
    auto ref = [&](const Value &v) { return shadow ? v.shadow() : v.ref(); };
    auto typeOf = [&](const Value &v) {
      return shadow ? v.shadowType() : v.typeText();
    };
    emit(p + "i" + suffix + " = arith.constant 0 : index");
    emit(p + "z" + suffix + " = arith.constant 0.0 : " + toString(elem).str());
    emit(p + "n" + suffix + " = tensor.dim " + ref(a) + ", " + p + "i" +
         suffix + " : " + typeOf(a));
    emit(p + "e" + suffix + " = tensor.empty(" + p + "n" + suffix +
         ") : " + type);
    emit(p + "f" + suffix + " = linalg.fill ins(" + p + "z" + suffix + " : " +
         toString(elem).str() + ") outs(" + p + "e" + suffix + " : " + type +
         ") -> " + type);
    emit(ref(y) + " = linalg.matmul ins(" + ref(a) + ", " + ref(b) + " : " +
         typeOf(a) + ", " + typeOf(b) + ") outs(" + p + "f" + suffix + " : " +
         type + ") -> " + type);
  };
  text(false);
  text(true);
  return y;
}

Value Program::convert(const Value &input, Dtype type) {
  if (input.type == type)
    return input;
  Value y = make(input.shape, type, input.error + unitRoundoff(type));
  y.gateDegree = input.gateDegree;
  bool extends = sizeOf(type) > sizeOf(input.type);
  line(y.ref() + (extends ? " = arith.extf " : " = arith.truncf ") +
       input.ref() + " : " + input.typeText() + " to " + y.typeText());
  shadowLine(y.shadow() + " = sluice.clamp " + input.shadow() +
             " min 0.0 : " + y.shadowType());
  return y;
}

Value Program::makeExact(llvm::ArrayRef<int64_t> shape, Dtype type,
                         const std::string &text) {
  Value y = make(shape, type);
  bool kept = std::exchange(keepsValues, true);
  line(y.ref() + " = " + text + y.typeText());
  keepsValues = kept;
  std::string wide = y.ref();
  if (type != Dtype::F64) {
    wide += "wide";
    shadowLine(wide + " = arith.extf " + y.ref() + " : " + y.typeText() +
               " to " + y.shadowType());
  }
  shadowLine(y.shadow() + " = math.absf " + wide + " : " + y.shadowType());
  return y;
}
