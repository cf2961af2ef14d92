//===- Router.cpp - Generated routers ---------------------------*- C++ -*-===//
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

void CaseBuilder::routerLine(const std::string &text) {
  router.text += "  " + text + "\n";
}

Value CaseBuilder::score(llvm::ArrayRef<int64_t> shape, Dtype type) {
  Value value;
  value.name = "r" + std::to_string(names++);
  value.shape.assign(shape.begin(), shape.end());
  value.type = type;
  return value;
}

Value CaseBuilder::buildLogits(const Value &x) {
  int64_t experts = router.experts;
  bool oneForAll = random.chance(0.08), oneForNone = random.chance(0.08);
  Fill fill;
  if (oneForAll || oneForNone) {
    fill.column = random.between(0, experts - 1);
    fill.shift = oneForAll ? 24 : -24;
    router.isSaturated = oneForAll;
    c.summary += oneForAll ? " all-to-one" : " one-without";
  }

  // Logits that are given: any scores at all, with nothing rounded.
  if (random.chance(0.25)) {
    router.scoreType = random.chance(0.6)
                           ? Dtype::F32
                           : random.pick({Dtype::F64, Dtype::F16, Dtype::BF16});
    fill.kind = dyadic ? Fill::Kind::Dyadic : Fill::Kind::Normal;
    fill.scale = dyadic ? 0.25 : 1.5;
    Value logits = argument({tokensDim, experts}, router.scoreType, fill);
    router.arguments.push_back(logits);
    c.summary += " given";
    return logits;
  }

  Dtype weightType =
      isNarrow(x.type) && random.chance(0.5) ? Dtype::F32 : x.type;
  router.scoreType = x.type == Dtype::F64 ? Dtype::F64 : Dtype::F32;
  if (isNarrow(x.type) && random.chance(0.3))
    router.scoreType = x.type;
  router.isProduct = true;
  router.input = x;
  router.inOut = random.chance(0.3);
  Fill weights = weightFill(width);
  weights.scale *= dyadic ? 1 : 2;
  router.weight =
      constant(router.inOut ? llvm::ArrayRef<int64_t>({width, experts})
                            : llvm::ArrayRef<int64_t>({experts, width}),
               weightType, weights);
  router.arguments = {x, router.weight};
  router.hasBias = fill.column >= 0 || random.chance(0.3);
  if (router.hasBias) {
    fill.kind = dyadic ? Fill::Kind::Dyadic : Fill::Kind::Normal;
    fill.scale = 0.25;
    router.bias = constant({experts}, weightType, fill);
    router.arguments.push_back(router.bias);
  }
  Value logits = score({tokensDim, experts}, router.scoreType);
  routerLine(logits.ref() + " = sluice.linear " + x.ref() + ", " +
             router.weight.ref() +
             (router.hasBias ? " bias " + router.bias.ref() : "") +
             (router.inOut ? " layout in_out" : "") + " : (" + x.typeText() +
             ", " + router.weight.typeText() +
             (router.hasBias ? ", " + router.bias.typeText() : "") + ") -> " +
             logits.typeText());
  double u = computeRoundoff({x.type, weightType, router.scoreType});
  if (!dyadic) {
    router.perLogit = (width + 2) * u + unitRoundoff(router.scoreType);
    // Rounding errors of a sum grow as a random walk does.
    router.selectionPerLogit =
        2 * (std::sqrt(double(width)) + 4) * u +
        (isNarrow(router.scoreType) ? 2 * unitRoundoff(router.scoreType) : 0);
  }
  return logits;
}

void CaseBuilder::buildScores(const Value &logits, Value &selects,
                              Value &weighs) {
  Dtype type = router.scoreType;
  double u = computeRoundoff({type}), r = unitRoundoff(type);
  llvm::SmallVector<int64_t, 3> shape = logits.shape;
  auto unary = [&](const char *op, const Value &input) {
    Value y = score(shape, type);
    routerLine(y.ref() + " = " + op + " " + input.ref() + " : " + y.typeText());
    return y;
  };
  Value s = logits;
  // In a narrow type most functions round different scores to the same one.
  int kind = isNarrow(type) && (dyadic || router.experts > 4)
                 ? 3
                 : (random.between(0, 3) + 3) % 4; // identity is the simplest
  switch (kind) {
  case 0:
    s = unary("sluice.softmax", logits);
    router.perLogit = 2 * router.perLogit;
    router.constant = (router.experts + 10) * u + r;
    c.summary += " softmax";
    break;
  case 1:
    s = unary("sluice.sigmoid", logits);
    router.constant = 8 * u + r;
    c.summary += " sigmoid";
    break;
  case 2:
    s = unary("math.sqrt", unary("sluice.softplus", logits));
    router.constant = 16 * u + 2 * r;
    c.summary += " sqrt-softplus";
    break;
  case 3:
    c.summary += " identity";
    break;
  }
  router.isRelative = kind != 3;
  bool exact = kind == 3 && (dyadic || !router.isProduct);
  if (!exact) {
    router.mayRoundToTies = isNarrow(type) || (router.isSaturated && kind < 2);
    router.selectionConstant = 16 * u + (isNarrow(type) ? 4 * r : 0);
  }
  selects = weighs = s;

  if (random.chance(0.35)) {
    Fill fill;
    fill.kind = dyadic ? Fill::Kind::Dyadic : Fill::Kind::Normal;
    fill.scale = dyadic ? 0.0625 : 0.125;
    Value bias = constant({router.experts}, type, fill);
    router.arguments.push_back(bias);
    Value b = score(shape, type), sum = score(shape, type);
    routerLine(b.ref() + " = sluice.broadcast " + bias.ref() + " like " +
               s.ref() + " : " + bias.typeText() + ", " + s.typeText());
    routerLine(sum.ref() + " = arith.addf " + s.ref() + ", " + b.ref() + " : " +
               sum.typeText());
    selects = sum;
    router.selectionConstant += 16 * u;
    // What a sum of exact numbers is rounded to, both round alike.
    if (isNarrow(type) && !exact)
      router.selectionConstant += 4 * r;
    c.summary += " biased";
  }

  // Selection by anything, NaN included; the weights stay numbers.
  if (!router.isProduct && random.chance(0.25)) {
    Fill fill;
    fill.kind = Fill::Kind::Special;
    selects = argument({tokensDim, router.experts},
                       random.pick({Dtype::F32, Dtype::F16, Dtype::F64}), fill);
    router.arguments.push_back(selects);
    router.selectionConstant = router.selectionPerLogit = 0;
    router.mayRoundToTies = false;
    c.summary += " special";
  }
}

void CaseBuilder::buildRouter(const Value &x) {
  router.experts = random.chance(0.7)
                       ? random.pick<int64_t>({4, 5, 6, 7, 8, 12, 16, 31, 64})
                       : random.pick<int64_t>({1, 2, 3});
  Value selects, weighs;
  buildScores(buildLogits(x), selects, weighs);
  buildGates(selects, weighs);
}
