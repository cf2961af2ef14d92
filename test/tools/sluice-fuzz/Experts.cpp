//===- Experts.cpp - Generated layers of experts ----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Case.h"

#include <cmath>
#include <tuple>

using namespace sluice;

// No size is a multiple of what vectors and tiles like, except some.
int64_t CaseBuilder::size() {
  return random.pick<int64_t>({1, 2, 3, 5, 7, 8, 11, 16, 17, 24, 31, 33, 48});
}

/// The body's value, and the bindings of its inputs and of their shadows.
Value CaseBuilder::buildInputs(const Value &x, llvm::StringRef weigh,
                               int64_t out, std::string &inputs,
                               std::string &shadows) {
  // Without inputs a body is a row for each expert.
  if (weigh != "input" && random.chance(0.06)) {
    Value row = vector(out, x.type);
    c.summary += " row";
    return random.chance(0.5) ? program.activate(row, activation()) : row;
  }
  Value t = program.make({-1, x.shape[1]}, x.type, x.error);
  t.gateDegree = x.gateDegree;
  inputs = t.ref() + " = " + x.ref() + " : " + x.typeText();
  // Decisions inside depend on values, which arguments have there.
  isExact = x.isArgument;
  if (isExact)
    shadows = inputs + ", ";
  shadows += t.shadow() + (weigh == "input" ? "raw = " : " = ") + x.shadow() +
             " : " + x.shadowType();
  if (weigh == "input") {
    // The compiled body sees v * x, rounded to its type.
    t.error += computeRoundoff({x.type}) + unitRoundoff(x.type);
    t.gateDegree += 1;
    program.shadowLine(t.shadow() + "w = sluice.broadcast %wmax like " +
                       t.shadow() + "raw : f64, " + t.shadowType());
    program.shadowLine(t.shadow() + " = arith.mulf " + t.shadow() + "raw, " +
                       t.shadow() + "w : " + t.shadowType());
  }
  // Only what is exact in both may be rounded: a number that was computed may
  // be at a tie, and fall on the other side of it.
  if (isExact && t.error == 0 && t.type != Dtype::F64 && random.chance(0.15))
    t = rounded(t);
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

CaseBuilder::Block CaseBuilder::buildBlock(const Value &x,
                                           llvm::StringRef weigh, int64_t out,
                                           int64_t experts) {
  auto before = program.take();
  bindings.clear();
  shadowBindings.clear();
  blockExperts = experts;
  program.indent(1);
  std::string inputs, shadows;
  Value y = buildInputs(x, weigh, out, inputs, shadows);
  // A value of the surroundings, the same for all experts.
  if (random.chance(0.15)) {
    Value outside = constant({out}, x.type, Fill());
    y = program.multiply(y, program.broadcast(outside, y));
    c.summary += " outside";
  }
  program.lines("sluice.yield " + y.ref() + " : " + y.typeText(),
                "sluice.yield " + y.shadow() + " : " + y.shadowType());
  program.indent(-1);
  program.lines("}", "}");
  Block block;
  block.result = y;
  std::tie(block.text, block.shadowText) = program.take();
  program.append(before.first, before.second);
  block.bindings = "(" + inputs + ")";
  block.shadowBindings = "(" + shadows + ")";
  if (!bindings.empty()) {
    block.bindings += " with (" + bindings + ")";
    block.shadowBindings += " with (" + bindings + ", " + shadowBindings + ")";
  }
  return block;
}

Value CaseBuilder::buildExperts(const Value &x) {
  const Gates &gates = router.gates;
  bool replaces = gates.most() == 1 && random.chance(0.5);
  std::string weigh = random.pick({"none", "input", "output", "output"});
  int64_t out = random.chance(0.4) ? x.shape[1] : size();
  c.isWeighed |= weigh != "none";
  c.summary += std::string(replaces ? " replace" : " sum") + " weight-" + weigh;

  // One body for all experts, or one for each range of them, not for all.
  std::vector<Block> blocks;
  std::vector<std::string> ranges;
  bool isMixed = random.chance(0.2);
  if (isMixed) {
    c.summary += " mixed";
    for (int64_t from = 0; from < gates.experts;) {
      int64_t to = random.between(from + 1, gates.experts);
      if (blocks.empty() || !random.chance(0.2)) {
        blocks.push_back(buildBlock(x, weigh, out, to - from));
        ranges.push_back("  experts " + std::to_string(from) + " to " +
                         std::to_string(to) + " ");
      }
      // Each has its parameters: no more than a few.
      from = blocks.size() < 3 ? to : gates.experts;
    }
  } else {
    blocks.push_back(buildBlock(x, weigh, out, gates.experts));
  }

  Dtype elem = blocks.front().result.type;
  Dtype type = isFloat(elem) && random.chance(0.25)
                   ? random.pick({Dtype::F32, Dtype::F64, x.type})
                   : elem;
  Value result = program.make({tokensDim, out}, type);
  for (const Block &block : blocks) {
    result.error = std::max(result.error, block.result.error);
    result.gateDegree = std::max(result.gateDegree, block.result.gateDegree);
  }
  // The sum is taken in the result's type, in at least f32, whatever it adds.
  double roundoff = std::max(computeRoundoff({elem, gates.type}),
                             computeRoundoff({type}));
  result.error +=
      (gates.most() + 2 + int64_t(blocks.size())) * roundoff +
      unitRoundoff(type);
  result.gateDegree += weigh == "output" ? 1 : 0;
  std::string base, shadowBase;
  if (replaces && random.chance(0.5)) {
    Value other = argument({tokensDim, out}, type, Fill());
    base = " else " + other.ref();
    shadowBase = " else " + other.shadow();
    c.summary += " else";
  }
  std::string combine =
      replaces ? " combine replace weight " : " combine sum weight ";
  std::string by = std::string(" = sluice.") +
                   (isMixed ? "mixed_experts by " : "experts by ") + gates.ref +
                   " : " + gates.typeText(tokensDim);
  // What the gates multiply by is bounded by a number for all of them.
  bool onOutput = weigh == "output";
  std::string raw = result.shadow() + (onOutput ? "raw" : "");
  std::string ends = base + combine + weigh + " -> " + result.typeText();
  std::string shadowEnds = shadowBase + combine +
                           (weigh == "input" && x.isArgument ? "input"
                                                             : "none") +
                           " -> " +
                           result.shadowType();
  if (isMixed)
    program.lines(result.ref() + by + ends, raw + by + shadowEnds);
  for (size_t i = 0; i < blocks.size(); ++i) {
    const Block &block = blocks[i];
    if (isMixed)
      program.lines(ranges[i] + block.bindings + " {",
                    ranges[i] + block.shadowBindings + " {");
    else
      program.lines(result.ref() + by + " " + block.bindings + ends + " {",
                    raw + by + " " + block.shadowBindings + shadowEnds + " {");
    program.append(block.text, block.shadowText);
  }
  if (onOutput) {
    program.shadowLine(result.shadow() + "w = sluice.broadcast %wmax like " +
                       raw + " : f64, " + result.shadowType());
    program.shadowLine(result.shadow() + " = arith.mulf " + raw + ", " +
                       result.shadow() + "w : " + result.shadowType());
  }
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

