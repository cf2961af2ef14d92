//===- Case.cpp - A generated model with inputs -----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Case.h"

#include <cmath>
#include <limits>

using namespace sluice;

CaseBuilder::CaseBuilder(uint64_t seed, Random choices)
    : random(std::move(choices)) {
  c.seed = seed;
  random.record();
}

Value CaseBuilder::argument(llvm::ArrayRef<int64_t> shape, Dtype type,
                            Fill fill) {
  Value value;
  value.name = "a" + std::to_string(c.arguments.size());
  value.shape.assign(shape.begin(), shape.end());
  value.type = type;
  value.isArgument = true;
  c.arguments.push_back({value, fill});
  return value;
}

Value CaseBuilder::constant(llvm::ArrayRef<int64_t> shape, Dtype type,
                            Fill fill, bool mayStack) {
  Value value = argument(shape, type, fill);
  c.arguments.back().isWeight = hasWeights;
  c.arguments.back().isStacked =
      hasWeights && mayStack && random.chance(0.5);
  return value;
}

Fill CaseBuilder::weightFill(int64_t fanIn) {
  Fill fill;
  fill.kind = dyadic ? Fill::Kind::Dyadic : Fill::Kind::Normal;
  fill.scale = dyadic ? 0.25 : 1 / std::sqrt(double(fanIn));
  return fill;
}

/// %a : tensor<...>, ...
static std::string parameters(llvm::ArrayRef<Value> values) {
  std::string text;
  for (const Value &value : values)
    text += (text.empty() ? "" : ", ") + value.ref() + ": " + value.typeText();
  return text;
}

void CaseBuilder::assemble(const Value &result) {
  std::vector<Value> inputs, values;
  std::string shadows, weights, loads;
  for (const Argument &argument : c.arguments) {
    const Value &value = argument.value;
    values.push_back(value);
    if (argument.isWeight) {
      weights += "sluice.weight @" + value.name + " \"" + value.name +
                 (argument.isStacked ? ".{e}" : "") +
                 "\" : " + value.typeText() + "\n";
      loads += "  " + value.ref() + " = sluice.get_weight @" + value.name +
               " : " + value.typeText() + "\n";
    } else {
      inputs.push_back(value);
    }
    shadows +=
        ", " + value.shadow() + ": " + value.shadowType();
  }
  std::string gates = router.gates.typeText(tokensDim);
  std::string choose = "func.func private @choose(" +
                       parameters(router.arguments) + ") -> " + gates + " {\n" +
                       router.text + "  return " + router.gates.ref + " : " +
                       gates + "\n}\n";
  std::string call = "  " + router.gates.ref + " = call @choose(";
  std::string types;
  for (const Value &value : router.arguments) {
    call += (types.empty() ? "" : ", ") + value.ref();
    types += (types.empty() ? "" : ", ") + value.typeText();
  }
  call += ") : (" + types + ") -> " + gates + "\n";
  // Canonicalization sees through a router that stands beside its experts.
  bool inlined = random.chance(0.5);
  c.summary += inlined ? " inlined" : "";

  // Slots in order; or where an entry is, if there are no slots.
  bool hasSlots = router.gates.bound == Gates::Bound::PerToken;
  int64_t columns = router.gates.most();
  std::string indices =
      typeText(hasSlots ? Dtype::I64 : Dtype::Bool, {tokensDim, columns});
  std::string gateWeights =
      typeText(router.gates.type, {tokensDim, columns});
  std::string entries = hasSlots ? "%indices, %weights = sluice.entries "
                                 : "%weights, %indices = sluice.dense ";
  std::string all = parameters(values);
  auto [body, shadowBody] = program.take();
  std::string given = parameters(inputs);
  c.model = weights + choose + "func.func @moe(" + given + ") -> " +
            result.typeText() + " {\n" + loads + (inlined ? router.text : call) + body + "  return " +
            result.ref() + " : " + result.typeText() + "\n}\n" +
            "func.func @route(" + given + ") -> (" + indices + ", " +
            gateWeights + ") {\n" + loads + call + "  " + entries + router.gates.ref + " : " + gates +
            "\n  return %indices, %weights : " + indices + ", " + gateWeights +
            "\n}\n";
  c.majorant = choose + "func.func @majorant(" + all + shadows +
               ", %wmax: f64) -> " + result.shadowType() + " {\n" + call +
               shadowBody + "  return " + result.shadow() + " : " +
               result.shadowType() + "\n}\n";
}

Case CaseBuilder::build() {
  c.tokens = random.pick<int64_t>({0, 1, 2, 3, 5, 17, 17, 33, 64, 70});
  tokensDim = random.chance(0.2) ? c.tokens : -1;
  type = random.pick({Dtype::F32, Dtype::F32, Dtype::F32, Dtype::F32,
                      Dtype::F64, Dtype::BF16, Dtype::BF16, Dtype::F16});
  dyadic = random.chance(0.3);
  hasWeights = random.chance(0.3);
  width = size();
  Fill fill;
  fill.kind = dyadic ? Fill::Kind::Dyadic : Fill::Kind::Normal;
  fill.scale = dyadic ? 0.5 : 1;
  Value x = argument({tokensDim, width}, type, fill);
  buildRouter(x);
  Value result = buildExperts(x);
  // A layer behind another, by the same gates: f16 is too small for both.
  if (random.chance(0.15) && result.type != Dtype::F16) {
    c.summary += " then";
    result = buildExperts(result);
  }
  result = buildTail(x, result);
  assemble(result);
  c.router = router;
  c.error = result.error;
  c.gateDegree = result.gateDegree;
  for (const Argument &argument : c.arguments)
    if (argument.value.type == Dtype::F16)
      c.tiny = 0x1p-20;
  c.tiny = std::max(c.tiny, 1e-37);
  c.parallel = random.chance(0.7);
  // What linalg's products do is not counted by compiled code.
  c.counters =
      random.chance(0.2) && c.summary.find(" linalg") == std::string::npos;
  // LLVM takes most of the time; what it does at -O3 is tried often enough.
  int64_t level = random.between(0, 24);
  c.optLevel = level == 24 ? 3 : level == 23 ? 1 : 0;
  std::string sizes =
      " T" + std::to_string(c.tokens) + (tokensDim < 0 ? "" : "!") + " D" +
      std::to_string(width) + " E" + std::to_string(router.gates.experts) +
      " k" + std::to_string(router.gates.most());
  c.summary =
      toString(type).str() + sizes + (dyadic ? " dyadic" : "") +
              (hasWeights ? " weights" : "") + c.summary;
  c.choices = random.getChoices();
  return std::move(c);
}

Case sluice::generateCase(uint64_t seed) {
  return CaseBuilder(seed, Random(seed)).build();
}

Case sluice::generateCase(uint64_t seed, std::vector<uint64_t> choices) {
  return CaseBuilder(seed, Random(std::move(choices))).build();
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

static double draw(const Fill &fill, Random &random) {
  double inf = std::numeric_limits<double>::infinity();
  switch (fill.kind) {
  case Fill::Kind::Normal:
    return fill.scale * random.normal();
  case Fill::Kind::Dyadic:
    return fill.scale * double(random.between(-4, 4));
  case Fill::Kind::Mask:
    return random.chance(0.7);
  case Fill::Kind::Special:
    switch (random.between(0, 11)) {
    case 0:
      return std::numeric_limits<double>::quiet_NaN();
    case 1:
      return inf;
    case 2:
      return -inf;
    case 3:
      return 0.0;
    case 4:
      return -0.0;
    default:
      return double(random.between(-8, 8)) / 4;
    }
  case Fill::Kind::Bytes: {
    int64_t magnitude = random.between(0, fill.limit);
    return double(random.chance(0.5) ? magnitude - 128 : magnitude);
  }
  case Fill::Kind::Exponents:
    return double(random.between(fill.limit - 4, fill.limit));
  case Fill::Kind::Indices:
    break; // drawn row by row
  }
  return 0;
}

/// Different experts in each row.
static void drawIndices(HostTensor &tensor, int64_t limit, Random &random) {
  int64_t columns = tensor.shape().back();
  for (int64_t i = 0; i < tensor.numElements(); ++i) {
    int64_t row = i / columns * columns, expert;
    bool taken;
    do {
      expert = random.between(0, limit - 1);
      taken = false;
      for (int64_t j = row; j < i; ++j)
        taken |= tensor.getInteger(j) == expert;
    } while (taken);
    tensor.setInteger(i, random.chance(0.15) ? -1 : expert);
  }
}

std::vector<HostTensor> sluice::drawInputs(const Case &c, uint64_t seed) {
  Random random(seed);
  std::vector<HostTensor> inputs;
  for (const Argument &argument : c.arguments) {
    llvm::SmallVector<int64_t, 3> shape(argument.value.shape);
    for (int64_t &size : shape)
      if (size < 0)
        size = c.tokens;
    HostTensor tensor =
        llvm::cantFail(HostTensor::create(argument.value.type, shape));
    const Fill &fill = argument.fill;
    if (fill.kind == Fill::Kind::Indices)
      drawIndices(tensor, fill.limit, random);
    else
      for (int64_t i = 0; i < tensor.numElements(); ++i) {
        double value = draw(fill, random);
        if (fill.column >= 0 && i % shape.back() == fill.column)
          value += fill.shift;
        tensor.set(i, value);
      }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}
