//===- Gates.cpp - Generated choices and what becomes of them ---*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Case.h"

#include <cmath>

using namespace sluice;

std::string Gates::typeText(int64_t tokens) const {
  std::string text = "!sluice.gates<" +
                     (tokens < 0 ? "?" : std::to_string(tokens)) + "x" +
                     std::to_string(experts) + "x" + toString(type).str();
  switch (bound) {
  case Bound::PerToken:
    return text + ", " + std::to_string(count) + " per token>";
  case Bound::PerExpert:
    return text + ", ? per expert>";
  case Bound::None:
    return text + ">";
  }
  return text;
}

Value CaseBuilder::keepGroups(const Value &selects, bool &masksNegInf) {
  std::vector<int64_t> divisors;
  for (int64_t g = 2; g <= router.experts; ++g)
    if (router.experts % g == 0)
      divisors.push_back(g);
  if (divisors.empty() || !random.chance(0.3))
    return selects;
  int64_t groups = divisors[random.below(divisors.size())];
  int64_t keep = random.between(1, groups);
  bool top2 = router.experts / groups >= 2 && random.chance(0.5);
  masksNegInf = random.chance(0.6);
  Value masked = score(selects.shape, selects.type);
  routerLine(masked.ref() + " = sluice.keep_groups " + selects.ref() + ", " +
             std::to_string(keep) + " of " + std::to_string(groups) + " by " +
             (top2 ? "top2_sum" : "max") + " masked " +
             (masksNegInf ? "neg_inf" : "zero") + " : " + selects.typeText());
  if (top2 && (router.selectionConstant > 0 || !dyadic))
    router.selectionConstant += 4 * unitRoundoff(selects.type);
  c.summary += " groups";
  return masked;
}

Gates CaseBuilder::chooseAlways(const Value &weighs, int64_t k) {
  std::vector<int64_t> all(router.experts);
  for (int64_t e = 0; e < router.experts; ++e)
    all[e] = e;
  std::string list;
  for (int64_t i = 0; i < k; ++i) {
    int64_t at = random.between(0, int64_t(all.size()) - 1);
    list += (list.empty() ? "" : ", ") + std::to_string(all[at]);
    all.erase(all.begin() + at);
  }
  Gates gates;
  gates.ref = score({}, weighs.type).ref();
  gates.experts = router.experts;
  gates.type = weighs.type;
  gates.count = k;
  routerLine(gates.ref + " = sluice.always " + weighs.ref() + ", [" + list +
             "] : " + weighs.typeText());
  return gates;
}

/// Experts, or places, that do not come from scores.
Gates CaseBuilder::chooseGiven(const Value &weighs) {
  Gates gates;
  gates.ref = score({}, weighs.type).ref();
  gates.experts = router.experts;
  gates.type = weighs.type;
  Fill fill;
  if (random.chance(0.5)) {
    fill.kind = Fill::Kind::Mask;
    Value mask = argument({tokensDim, router.experts}, Dtype::Bool, fill);
    router.arguments.push_back(mask);
    gates.bound =
        random.chance(0.5) ? Gates::Bound::None : Gates::Bound::PerToken;
    gates.count = router.experts;
    routerLine(gates.ref + " = sluice.from_dense " + weighs.ref() + " where " +
               mask.ref() + " : " + weighs.typeText() + ", " + mask.typeText() +
               " -> " + gates.typeText(tokensDim));
    c.summary += " from-dense";
    return gates;
  }
  gates.count = random.between(1, std::min<int64_t>(router.experts, 6));
  fill.kind = Fill::Kind::Indices;
  fill.limit = router.experts;
  Value indices = argument({tokensDim, gates.count},
                           random.pick({Dtype::I64, Dtype::I32}), fill);
  router.arguments.push_back(indices);
  if (random.chance(0.7)) {
    routerLine(gates.ref + " = sluice.from_entries " + indices.ref() +
               " weights " + weighs.ref() + " : (" + indices.typeText() + ", " +
               weighs.typeText() + ") -> " + gates.typeText(tokensDim));
    c.summary += " from-entries";
    return gates;
  }
  Value values = argument({tokensDim, gates.count}, weighs.type, Fill());
  router.arguments.push_back(values);
  // Numbers of both signs, and nothing computed.
  router.isRelative = false;
  router.perLogit = router.constant = 0;
  router.hasGivenValues = true;
  routerLine(gates.ref + " = sluice.from_entries " + indices.ref() +
             " values " + values.ref() + " : (" + indices.typeText() + ", " +
             values.typeText() + ") -> " + gates.typeText(tokensDim));
  c.summary += " from-entries-values";
  return gates;
}

std::string CaseBuilder::capacity(const Value &of) {
  std::string result = score({}, Dtype::I64).ref();
  routerLine(result + " = sluice.capacity of " + of.ref() + " " +
             random.pick({"factor 1.25 ", "factor 2.0 ", "factor 0.5 ",
                          "fraction 0.17 ", "fraction 0.5 "}) +
             random.pick({"floor", "nearest", "ceil"}) + " min " +
             random.pick({"0", "1", "4"}) + " : " + of.typeText());
  return result;
}

/// `sameOperand`: what selects is what weighs, and a number everywhere.
Gates CaseBuilder::choose(const Value &selects, const Value &weighs,
                          bool sameOperand) {
  int64_t experts = router.experts;
  int64_t k = random.chance(0.15)
                  ? experts
                  : random.between(1, std::min<int64_t>(experts, 8));
  if (random.chance(0.25))
    k = 1;
  int64_t kind = 99 - random.between(0, 99);
  if (kind < 8) {
    c.summary += " always";
    return chooseAlways(weighs, k);
  }
  if (kind < 22)
    return chooseGiven(weighs);
  Gates gates;
  gates.experts = experts;
  gates.type = weighs.type;
  gates.count = k;
  if (kind < 32 && sameOperand) {
    std::string room = capacity(weighs);
    gates.ref = score({}, weighs.type).ref();
    gates.bound = Gates::Bound::PerExpert;
    routerLine(gates.ref + " = sluice.choose_tokens " + weighs.ref() + ", " +
               room + " : " + weighs.typeText());
    c.summary += " choose-tokens";
    return gates;
  }
  gates.ref = score({}, weighs.type).ref();
  std::string topk =
      gates.ref + " = sluice.topk " + selects.ref() + ", " + std::to_string(k);
  if (sameOperand)
    routerLine(topk + " : " + selects.typeText());
  else
    routerLine(topk + " weights " + weighs.ref() + " : " + selects.typeText() +
               ", " + weighs.typeText());
  return gates;
}

Gates CaseBuilder::limit(const Gates &gates, const Value &scores) {
  std::string room = capacity(scores);
  Gates result = gates;
  result.ref = score({}, gates.type).ref();
  std::string text = result.ref + " = sluice.limit " + gates.ref + ", " + room +
                     " by " + random.pick({"choice", "token"});
  std::string types = " : " + gates.typeText(tokensDim);
  if (random.chance(0.5)) {
    Fill fill;
    fill.kind = random.chance(0.5) ? Fill::Kind::Special : Fill::Kind::Dyadic;
    Value priority = argument({tokensDim, 1}, Dtype::F32, fill);
    router.arguments.push_back(priority);
    text += " priority " + priority.ref();
    types += ", " + priority.typeText();
  }
  routerLine(text + types);
  c.summary += " limit";
  return result;
}

Gates CaseBuilder::filter(const Gates &gates) {
  Fill fill;
  fill.kind = Fill::Kind::Mask;
  llvm::SmallVector<int64_t, 2> shape;
  switch (random.between(0, 2)) {
  case 0:
    shape = {gates.experts};
    break;
  case 1:
    shape = {tokensDim, 1};
    break;
  default:
    shape = {tokensDim, gates.experts};
    break;
  }
  Value mask = argument(shape, Dtype::Bool, fill);
  router.arguments.push_back(mask);
  Gates result = gates;
  result.ref = score({}, gates.type).ref();
  routerLine(result.ref + " = sluice.filter " + gates.ref + " where " +
             mask.ref() + " : " + gates.typeText(tokensDim) + ", " +
             mask.typeText());
  c.summary += " filter";
  return result;
}

Gates CaseBuilder::columns(const Gates &gates) {
  int64_t from = random.between(0, gates.experts - 1);
  int64_t to = random.between(from + 1, gates.experts);
  Gates result = gates;
  result.ref = score({}, gates.type).ref();
  result.experts = to - from;
  result.count = std::min(gates.count, result.experts);
  routerLine(result.ref + " = sluice.columns " + gates.ref + " from " +
             std::to_string(from) + " to " + std::to_string(to) + " : " +
             gates.typeText(tokensDim));
  c.summary += " columns";
  return result;
}

Gates CaseBuilder::join(const Gates &gates, const Value &weighs) {
  Gates other = chooseAlways(
      weighs, random.between(1, std::min<int64_t>(router.experts, 3)));
  Gates result = gates;
  result.ref = score({}, gates.type).ref();
  result.bound =
      gates.bound == Gates::Bound::PerToken ? gates.bound : Gates::Bound::None;
  result.count = std::min(gates.count + other.count, gates.experts);
  routerLine(result.ref + " = sluice.join " + gates.ref + ", " + other.ref +
             " : " + gates.typeText(tokensDim) + ", " +
             other.typeText(tokensDim));
  c.summary += " join";
  return result;
}

void CaseBuilder::buildGates(const Value &selects, const Value &weighs) {
  bool masksNegInf = false;
  Value chosenBy = keepGroups(selects, masksNegInf);
  // What weighs must be numbers: what selects may be masked, or special.
  bool sameOperand = selects.name == weighs.name &&
                     chosenBy.name == weighs.name && !masksNegInf;
  router.gates = choose(chosenBy, weighs, sameOperand);
  for (int i = 0; i < 2 && random.chance(0.25); ++i)
    switch (random.between(0, 3)) {
    case 0:
      if (router.gates.bound == Gates::Bound::PerToken)
        router.gates = limit(router.gates, weighs);
      break;
    case 1:
      router.gates = filter(router.gates);
      break;
    case 2:
      router.gates = columns(router.gates);
      break;
    default:
      // Of scores for as many experts, whose errors are those of the gates.
      if (router.gates.experts == router.experts && !router.hasGivenValues)
        router.gates = join(router.gates, weighs);
      break;
    }
  buildWeights();
}

void CaseBuilder::buildWeights() {
  double u = computeRoundoff({router.gates.type});
  double r = unitRoundoff(router.gates.type);
  int64_t k = router.gates.most();
  std::string type = router.gates.typeText(tokensDim);
  auto step = [&](const std::string &op, const std::string &attributes) {
    std::string result = score({}, Dtype::F32).ref();
    routerLine(result + " = " + op + " " + router.gates.ref + attributes +
               " : " + type);
    router.gates.ref = result;
  };
  if (random.chance(router.isRelative ? 0.1 : 0.5)) {
    // What is relative becomes absolute: scores are below 8.
    if (router.isRelative) {
      router.perLogit *= 8;
      router.constant *= 8;
    }
    if (random.chance(0.7)) {
      step("sluice.softmax", "");
      // An absolute error of the exponents is a relative one of the result.
      router.perLogit *= 2;
      router.constant = 2 * router.constant + (k + 10) * u + r;
      c.summary += " softmax-after";
    } else {
      step("sluice.sigmoid", "");
      router.constant += 8 * u + r;
      c.summary += " sigmoid-after";
    }
    router.isRelative = true;
  }
  // A f16 probability may be too small to be exact relative to itself.
  bool fine = router.gates.type != Dtype::F16 || router.experts <= 4;
  if (random.chance(0.45) && fine) {
    int kind = random.between(0, 5);
    std::string attributes;
    if (kind == 1)
      attributes = " eps 1.0e-20";
    if (kind >= 2)
      attributes = std::string(" p ") +
                   random.pick({"1.0", "2.0", "3.0", "0x7FF0000000000000"});
    if (kind == 3)
      attributes += " eps 0.125";
    // Sums of both signs come near 0, where nothing is known.
    if (!router.isRelative || kind == 4)
      attributes =
          (kind >= 2 ? attributes : " p 1.0") + std::string(" min 0.5");
    step("sluice.normalize", attributes);
    double growth = router.isRelative ? 2 : 2 * (k + 1);
    router.perLogit *= growth;
    router.constant = growth * router.constant + (k + 16) * u + 2 * r;
    c.summary += " normalize" + attributes;
  }
  if (random.chance(0.15)) {
    llvm::SmallVector<int64_t, 2> shape = {router.gates.experts};
    if (random.chance(0.5))
      shape = {tokensDim, random.chance(0.5) ? 1 : router.gates.experts};
    Value factor = argument(shape, router.gates.type, Fill());
    router.arguments.push_back(factor);
    std::string result = score({}, Dtype::F32).ref();
    routerLine(result + " = sluice.scale_by " + router.gates.ref + ", " +
               factor.ref() + " : " + type + ", " + factor.typeText());
    router.gates.ref = result;
    // Normal numbers are below 6 in magnitude.
    if (!router.isRelative)
      router.perLogit *= 6;
    router.constant += 2 * u + r;
    c.summary += " scale-by";
  }
  if (random.chance(0.3)) {
    double factor = random.pick({2.5, 0.5, 16.0, -1.0, 1.0});
    char text[32];
    snprintf(text, sizeof(text), " by %.2f", factor);
    step("sluice.scale", text);
    if (!router.isRelative)
      router.perLogit *= std::fabs(factor);
    router.constant += u + r;
    c.summary += std::string(" scale") + text;
  }
}
