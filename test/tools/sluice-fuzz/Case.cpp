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

CaseBuilder::CaseBuilder(uint64_t seed) : random(seed) { c.seed = seed; }

Value CaseBuilder::argument(llvm::ArrayRef<int64_t> shape, Dtype type,
                            Fill fill) {
  Value value;
  value.name = "a" + std::to_string(c.arguments.size());
  value.shape.assign(shape.begin(), shape.end());
  value.type = type;
  c.arguments.push_back({value, fill});
  return value;
}

Fill CaseBuilder::weightFill(int64_t fanIn) {
  Fill fill;
  fill.kind = dyadic ? Fill::Kind::Dyadic : Fill::Kind::Normal;
  fill.scale = dyadic ? 0.25 : 1 / std::sqrt(double(fanIn));
  return fill;
}

// No size is a multiple of what vectors and tiles like, except some.
int64_t CaseBuilder::size() {
  return random.pick<int64_t>({1, 2, 3, 5, 7, 8, 11, 16, 17, 24, 31, 33, 48});
}

Value CaseBuilder::buildBlock(const Value &x, llvm::StringRef weigh,
                              int64_t out, std::string &inputs,
                              std::string &shadows) {
  // Without inputs a body is a row for each expert.
  if (weigh != "input" && random.chance(0.06)) {
    Value row = vector(out, x.type);
    c.summary += " row";
    return random.chance(0.5) ? program.activate(row, activation()) : row;
  }
  Value t = program.make({-1, x.shape[1]}, x.type);
  inputs = t.ref() + " = " + x.ref() + " : " + x.typeText();
  shadows = inputs + ", " + t.shadow() + (weigh == "input" ? "raw = " : " = ") +
            x.shadow() + " : " + x.shadowType();
  if (weigh == "input") {
    // The compiled body sees v * x, rounded to its type.
    t.error = computeRoundoff({x.type}) + unitRoundoff(x.type);
    t.gateDegree = 1;
    program.shadowLine(t.shadow() + "w = sluice.broadcast %wmax like " +
                       t.shadow() + "raw : f64, " + t.shadowType());
    program.shadowLine(t.shadow() + " = arith.mulf " + t.shadow() + "raw, " +
                       t.shadow() + "w : " + t.shadowType());
  }
  Value y = buildBody(t, out);
  // A second input, aligned with the tokens.
  if (random.chance(0.2)) {
    Value z = argument({tokensDim, out}, x.type, Fill());
    Value u = program.make({-1, out}, x.type);
    std::string more = ", " + u.ref() + " = " + z.ref() + " : " + z.typeText();
    inputs += more;
    shadows +=
        more + ", " + u.shadow() + " = " + z.shadow() + " : " + z.shadowType();
    y = random.chance(0.5) ? program.add(y, u) : program.multiply(y, u);
    c.summary += " two-inputs";
  }
  return y;
}

Value CaseBuilder::buildExperts(const Value &x) {
  const Gates &gates = router.gates;
  bool replaces = gates.most() == 1 && random.chance(0.5);
  std::string weigh = random.pick({"output", "output", "input", "none"});
  int64_t out = random.chance(0.4) ? x.shape[1] : size();
  c.isWeighed = weigh != "none";
  c.summary += std::string(replaces ? " replace" : " sum") + " weight-" + weigh;

  program.take();
  program.indent(1);
  std::string inputs, shadows;
  Value y = buildBlock(x, weigh, out, inputs, shadows);
  // A value of the surroundings, the same for all experts.
  if (random.chance(0.15)) {
    Fill fill;
    Value outside = argument({out}, x.type, fill);
    y = program.multiply(y, program.broadcast(outside, y));
    c.summary += " outside";
  }
  program.lines("sluice.yield " + y.ref() + " : " + y.typeText(),
                "sluice.yield " + y.shadow() + " : " + y.shadowType());
  program.indent(-1);
  auto [body, shadowBody] = program.take();

  Dtype type = isFloat(y.type) && random.chance(0.25)
                   ? random.pick({Dtype::F32, Dtype::F64, x.type})
                   : y.type;
  Value result = program.make({tokensDim, out}, type);
  result.error = y.error +
                 (gates.most() + 2) * computeRoundoff({y.type, gates.type}) +
                 unitRoundoff(type);
  result.gateDegree = y.gateDegree + (weigh == "output" ? 1 : 0);
  std::string base, shadowBase;
  if (replaces && random.chance(0.5)) {
    Value other = argument({tokensDim, out}, type, Fill());
    base = " else " + other.ref();
    shadowBase = " else " + other.shadow();
    c.summary += " else";
  }
  std::string with = bindings.empty() ? "" : " with (" + bindings + ")";
  std::string shadowWith =
      bindings.empty() ? ""
                       : " with (" + bindings + ", " + shadowBindings + ")";
  std::string combine =
      replaces ? " combine replace weight " : " combine sum weight ";
  std::string by = " = sluice.experts by " + router.gates.ref + " : " +
                   router.gates.typeText(tokensDim) + " (";
  // What the gates multiply by is bounded by a number for all of them.
  bool onOutput = weigh == "output";
  std::string raw = result.shadow() + (onOutput ? "raw" : "");
  program.lines(result.ref() + by + inputs + ")" + with + base + combine +
                    weigh + " -> " + result.typeText() + " {",
                raw + by + shadows + ")" + shadowWith + shadowBase + combine +
                    (weigh == "input" ? "input" : "none") + " -> " +
                    result.shadowType() + " {");
  auto [head, shadowHead] = program.take();
  program.lines("}", "}");
  if (onOutput) {
    program.shadowLine(result.shadow() + "w = sluice.broadcast %wmax like " +
                       raw + " : f64, " + result.shadowType());
    program.shadowLine(result.shadow() + " = arith.mulf " + raw + ", " +
                       result.shadow() + "w : " + result.shadowType());
  }
  auto [tail, shadowTail] = program.take();
  program.append(head + body + tail, shadowHead + shadowBody + shadowTail);
  return result;
}

Value CaseBuilder::buildTail(const Value &x, const Value &y) {
  Value result = y;
  if (random.chance(0.25) && x.type == y.type) {
    // A shared expert.
    Fill fill;
    fill.scale = 1 / std::sqrt(double(x.shape[1]));
    Value w = argument({y.shape[1], x.shape[1]}, x.type, fill);
    Value shared = program.linear(x, w, nullptr, /*inOut=*/false, y.type);
    if (random.chance(0.5))
      shared = program.activate(shared, activation());
    result = program.add(result, shared);
    c.summary += " shared";
  }
  if (random.chance(0.15)) {
    Value bias = argument({y.shape[1]}, y.type, Fill());
    result = program.add(result, program.broadcast(bias, result));
    c.summary += " bias-after";
  }
  return result;
}

/// %a : tensor<...>, ...
static std::string parameters(llvm::ArrayRef<Value> values) {
  std::string text;
  for (const Value &value : values)
    text += (text.empty() ? "" : ", ") + value.ref() + ": " + value.typeText();
  return text;
}

void CaseBuilder::assemble(const Value &result) {
  std::vector<Value> values;
  std::string shadows;
  for (const Argument &argument : c.arguments) {
    values.push_back(argument.value);
    shadows +=
        ", " + argument.value.shadow() + ": " + argument.value.shadowType();
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
  std::string weights = typeText(router.gates.type, {tokensDim, columns});
  std::string entries = hasSlots ? "%indices, %weights = sluice.entries "
                                 : "%weights, %indices = sluice.dense ";
  std::string all = parameters(values);
  auto [body, shadowBody] = program.take();
  c.model = choose + "func.func @moe(" + all + ") -> " + result.typeText() +
            " {\n" + (inlined ? router.text : call) + body + "  return " +
            result.ref() + " : " + result.typeText() + "\n}\n" +
            "func.func @route(" + all + ") -> (" + indices + ", " + weights +
            ") {\n" + call + "  " + entries + router.gates.ref + " : " + gates +
            "\n  return %indices, %weights : " + indices + ", " + weights +
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
  width = size();
  Fill fill;
  fill.kind = dyadic ? Fill::Kind::Dyadic : Fill::Kind::Normal;
  fill.scale = dyadic ? 0.5 : 1;
  Value x = argument({tokensDim, width}, type, fill);
  buildRouter(x);
  Value result = buildTail(x, buildExperts(x));
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
  int64_t level = random.between(0, 19);
  c.optLevel = level < 2 ? 3 : level == 2 ? 1 : 0;
  std::string sizes =
      " T" + std::to_string(c.tokens) + (tokensDim < 0 ? "" : "!") + " D" +
      std::to_string(width) + " E" + std::to_string(router.gates.experts) +
      " k" + std::to_string(router.gates.most());
  c.summary =
      toString(type).str() + sizes + (dyadic ? " dyadic" : "") + c.summary;
  return std::move(c);
}

Case sluice::generateCase(uint64_t seed) { return CaseBuilder(seed).build(); }

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
