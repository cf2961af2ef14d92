//===- Body.cpp - Generated experts -----------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Case.h"

#include <cmath>

using namespace sluice;

static bool isNarrow(Dtype type) {
  return type == Dtype::F16 || type == Dtype::BF16;
}

Value CaseBuilder::parameter(llvm::ArrayRef<int64_t> shape, Dtype type,
                             Fill fill) {
  llvm::SmallVector<int64_t, 4> stacked = {blockExperts};
  stacked.append(shape.begin(), shape.end());
  Value stack = constant(stacked, type, fill, /*mayStack=*/true);
  Value slice = program.make(shape, type);
  const char *comma = bindings.empty() ? "" : ", ";
  bindings +=
      comma + slice.ref() + " = " + stack.ref() + " : " + stack.typeText();
  shadowBindings += comma + slice.shadow() + " = " + stack.shadow() + " : " +
                    stack.shadowType();
  return slice;
}

Value CaseBuilder::weight(int64_t in, int64_t out, bool inOut, Dtype type) {
  Fill fill;
  fill.scale = 1 / std::sqrt(double(in));
  llvm::SmallVector<int64_t, 2> shape = {out, in};
  if (inOut)
    std::swap(shape[0], shape[1]);
  if (type != Dtype::F64 && random.chance(0.2))
    return quantisedWeight(shape, type);
  return parameter(shape, type, fill);
}

Value CaseBuilder::vector(int64_t size, Dtype type) {
  Fill fill;
  fill.scale = 0.5;
  return parameter({size}, type, fill);
}

Value CaseBuilder::linear(Value t, int64_t out, Dtype result) {
  bool inOut = random.chance(0.4);
  // Weights of another type than the activations.
  Dtype type = isNarrow(t.type) && random.chance(0.3) ? Dtype::F32 : t.type;
  if (t.type == Dtype::F32 && random.chance(0.15))
    type = Dtype::BF16;
  // Rounded for dot products of bf16.
  if (t.type == Dtype::F32 && type == Dtype::BF16 && random.chance(0.5)) {
    t = program.convert(t, Dtype::BF16);
    c.summary += " rounded";
  }
  Value w = weight(t.shape[1], out, inOut, type);
  if (!random.chance(0.3))
    return program.linear(t, w, nullptr, inOut, result);
  Value bias = vector(out, type);
  return program.linear(t, w, &bias, inOut, result);
}

Activation CaseBuilder::activation() {
  return random.pick({Activation::Silu, Activation::GeluErf,
                      Activation::GeluTanh, Activation::Relu,
                      Activation::Sigmoid, Activation::Softplus,
                      Activation::Tanh});
}

Value CaseBuilder::buildMlp(const Value &t, int64_t out) {
  Value h = linear(t, size(), t.type);
  if (random.chance(0.3)) {
    // Nemotron's squared relu.
    Value r = program.activate(h, Activation::Relu);
    h = program.multiply(r, r);
    c.summary += " relu^2";
  } else {
    h = program.activate(h, activation());
    c.summary += " mlp";
  }
  return linear(h, out, t.type);
}

Value CaseBuilder::buildGated(const Value &t, int64_t out) {
  int64_t hidden = size();
  // Activation and product in f32, as some models have it.
  Dtype wide = isNarrow(t.type) && random.chance(0.3) ? Dtype::F32 : t.type;
  Value a = linear(t, hidden, wide), b = linear(t, hidden, wide);
  Value h = program.multiply(program.activate(a, activation()), b);
  c.summary += " gated";
  return linear(program.convert(h, t.type), out, t.type);
}

Value CaseBuilder::buildMerged(const Value &t, int64_t out) {
  Value both = linear(t, 2 * size(), t.type);
  std::vector<Value> parts = program.split(both, 2, random.chance(0.5));
  double inf = INFINITY;
  Value a = program.clamp(parts[0], random.chance(0.5) ? -inf : -1.5, 1.5);
  Value b = program.clamp(parts[1], -2, random.chance(0.5) ? inf : 2);
  Value s = program.activate(a, activation());
  c.summary += " merged";
  return linear(program.multiply(s, b), out, t.type);
}

Value CaseBuilder::buildAffine(const Value &t) {
  Value scale = program.broadcast(vector(t.shape[1], t.type), t);
  Value shift = program.broadcast(vector(t.shape[1], t.type), t);
  c.summary += " affine";
  return program.add(program.multiply(t, scale), shift);
}

Value CaseBuilder::buildConstant(const Value &t, int64_t out) {
  // A row that does not depend on the token.
  Value like = linear(t, out, t.type);
  c.summary += " constant";
  return program.broadcast(vector(out, t.type), like);
}

Value CaseBuilder::buildNorm(const Value &t, int64_t out) {
  c.summary += " norm";
  Fill fill;
  Value gain = parameter({t.shape[1]}, t.type, fill);
  return linear(program.rmsNorm(t, gain), out, t.type);
}

Value CaseBuilder::buildMatmul(const Value &t, int64_t out) {
  Value w = weight(t.shape[1], out, /*inOut=*/true, t.type);
  c.summary += " linalg";
  return program.matmul(t, w);
}

Value CaseBuilder::buildNested(const Value &t, int64_t out) {
  int64_t in = t.shape[1], experts = random.between(1, 4);
  int64_t k = random.between(1, experts);
  Fill routing;
  routing.scale = 2 / std::sqrt(double(in));
  Fill stack;
  stack.scale = 1 / std::sqrt(double(in));
  Dtype scores = t.type == Dtype::F64 ? Dtype::F64 : Dtype::F32;
  Value choose = parameter({experts, in}, t.type, routing);
  Value weights = parameter({experts, out, in}, t.type, stack);

  program.setKeepsValues(true);
  Value logits = program.linear(t, choose, nullptr, false, scores);
  std::string gates = "!sluice.gates<?x" + std::to_string(experts) + "x" +
                      toString(scores).str() + ", " + std::to_string(k) +
                      " per token>";
  std::string shadowGates = "!sluice.gates<?x" + std::to_string(experts) +
                            "xf64, " + std::to_string(k) + " per token>";
  Value g = program.make({}, scores), h = program.make({}, scores);
  std::string topk =
      g.ref() + " = sluice.topk " + logits.ref() + ", " + std::to_string(k);
  program.line(topk + " : " + logits.typeText());
  // The same choice, weighed by a bound of the logits: above the sigmoid's
  // value if 1 is added to it, and not flatter than the sigmoid.
  Value one = program.activate(logits, Activation::Sigmoid);
  program.shadowLine(g.shadow() + " = sluice.topk " + logits.ref() + ", " +
                     std::to_string(k) + " weights " + one.shadow() + " : " +
                     logits.typeText() + ", " + logits.shadowType());
  program.setKeepsValues(false);
  program.line(h.ref() + " = sluice.sigmoid " + g.ref() + " : " + gates);

  Value u = program.make(t.shape, t.type, t.error);
  u.gateDegree = t.gateDegree;
  Value w = program.make({out, in}, t.type);
  Value y = program.make({-1, out}, t.type);
  program.lines(
      y.ref() + " = sluice.experts by " + h.ref() + " : " + gates + " (" +
          u.ref() + " = " + t.ref() + " : " + t.typeText() + ") with (" +
          w.ref() + " = " + weights.ref() + " : " + weights.typeText() +
          ") combine sum weight output -> " + y.typeText() + " {",
      y.shadow() + " = sluice.experts by " + g.shadow() + " : " + shadowGates +
          " (" + u.ref() + " = " + t.ref() + " : " + t.typeText() + ", " +
          u.shadow() + " = " + t.shadow() + " : " + t.shadowType() +
          ") with (" + w.ref() + " = " + weights.ref() + " : " +
          weights.typeText() + ", " + w.shadow() + " = " + weights.shadow() +
          " : " + weights.shadowType() + ") combine sum weight output -> " +
          y.shadowType() + " {");
  program.indent(1);
  Value o = program.linear(u, w, nullptr, false, t.type);
  program.lines("sluice.yield " + o.ref() + " : " + o.typeText(),
                "sluice.yield " + o.shadow() + " : " + o.shadowType());
  program.indent(-1);
  program.lines("}", "}");
  y.error = o.error + one.error + (k + 2) * computeRoundoff({t.type}) +
            unitRoundoff(t.type);
  y.gateDegree = o.gateDegree + one.gateDegree;
  c.innerMargin = 256 * unitRoundoff(scores);
  c.summary += " nested";
  return y;
}

Value CaseBuilder::buildElementwise(const Value &t, int64_t out) {
  Value h = t;
  int64_t steps = random.between(1, 4);
  for (int64_t i = 0; i < steps; ++i) {
    int64_t kind = random.between(0, 5);
    if (kind <= 1) {
      h = program.activate(h, random.pick({Activation::Abs, Activation::Negate,
                                           Activation::Sine, Activation::Erf,
                                           Activation::Arctangent}));
      continue;
    }
    Value other = program.broadcast(vector(h.shape[1], h.type), h);
    switch (kind) {
    case 2:
      h = program.combine(random.pick({"arith.subf", "arith.maximumf",
                                       "arith.minimumf"}),
                          h, other);
      break;
    case 3:
      h = program.selectSmaller(h, other);
      break;
    case 4:
      h = program.multiplyAdd(h, other, t);
      break;
    default:
      h = program.combine("arith.subf", other, h);
      break;
    }
  }
  c.summary += " elementwise";
  return linear(h, out, t.type);
}

Value CaseBuilder::buildBody(const Value &t, int64_t out) {
  switch (random.between(0, 14)) {
  case 0:
    if (out == t.shape[1]) {
      c.summary += " identity";
      return t;
    }
    [[fallthrough]];
  case 1:
    c.summary += " linear";
    return linear(t, out, t.type);
  case 2:
  case 3:
  case 4:
    return buildGated(t, out);
  case 5:
  case 6:
    return buildMlp(t, out);
  case 7:
    return buildMerged(t, out);
  case 8:
    // Inner decisions must not depend on how the weighed input was rounded.
    if (isExact && (!isNarrow(t.type) || t.gateDegree == 0))
      return buildNested(t, out);
    return buildGated(t, out);
  case 9:
    return buildMatmul(t, out);
  case 10:
    return buildConstant(t, out);
  case 11:
    // A norm of what was weighed forgets the weight, and how small it was.
    if (isExact && t.gateDegree == 0)
      return buildNorm(t, out);
    return buildGated(t, out);
  case 12:
  case 13:
    return buildElementwise(t, out);
  default:
    return linear(buildAffine(t), out, t.type);
  }
}
