//===- Case.h - A generated model with inputs -------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TEST_FUZZ_CASE_H
#define SLUICE_TEST_FUZZ_CASE_H

#include "Program.h"
#include "Random.h"

namespace sluice {

/// How an argument's elements are drawn.
struct Fill {
  enum class Kind {
    /// Normal, times `scale`.
    Normal,
    /// A small integer times `scale`, a power of two: sums are exact, and ties
    /// are frequent.
    Dyadic,
    /// Scores: dyadic with NaN, infinities and zeros of both signs.
    Special,
    /// Bools, mostly true.
    Mask,
    /// Rows of different experts below `limit`, some absent (-1).
    Indices,
    /// Any byte whose low seven bits are at most `limit`.
    Bytes,
    /// Powers of two up to 2^(limit - 127), as f8E8M0FNU.
    Exponents,
  };
  Kind kind = Kind::Normal;
  double scale = 1;
  /// Added along the last dimension at `column`, if that is not negative: sends
  /// all tokens to one expert, or none.
  int64_t column = -1;
  double shift = 0;
  int64_t limit = 0;
};

/// An argument of the model's functions. A dimension of -1 is the number of
/// tokens.
struct Argument {
  Value value;
  Fill fill;
  /// A sluice.weight of this name; `isStacked`: of one tensor per expert.
  bool isWeight = false, isStacked = false;
};

/// A value that is gates.
struct Gates {
  enum class Bound { PerToken, PerExpert, None };

  std::string ref;
  int64_t experts = 1;
  Dtype type = Dtype::F32;
  Bound bound = Bound::PerToken;
  /// Entries per token.
  int64_t count = 1;

  std::string typeText(int64_t tokens) const;
  /// Most entries of a token.
  int64_t most() const { return bound == Bound::PerToken ? count : experts; }
};

/// Gates, and how exactly they can be known.
struct Router {
  /// Columns of the scores.
  int64_t experts = 1;
  /// The lines that make the gates.
  std::string text;
  Gates gates;
  /// The arguments of @choose.
  std::vector<Value> arguments;
  Dtype scoreType = Dtype::F32;
  /// The scores are computed by more than exact steps, in a type so narrow, or
  /// so near their limit, that different scores may round to the same one.
  bool mayRoundToTies = false;
  /// A column of the logits is so large that probabilities come near 1.
  bool isSaturated = false;
  /// The gates' values are given, and not computed from the scores.
  bool hasGivenValues = false;

  /// The logits are a product of `in` terms, of these arguments; or given.
  bool isProduct = false;
  Value input, weight;
  bool hasBias = false;
  Value bias;
  bool inOut = false;

  /// The error of the weights is perLogit * L + constant, L a bound of the
  /// logits' magnitude: relative to each weight, or absolute.
  bool isRelative = false;
  double perLogit = 0, constant = 0;
  /// The same for what selects, as a rule and not as a bound, relative.
  double selectionPerLogit = 0, selectionConstant = 0;
};

struct Case {
  uint64_t seed = 0;
  /// What the generator chose.
  std::vector<uint64_t> choices;
  /// What is special about it, for people.
  std::string summary;
  int64_t tokens = 0;
  std::vector<Argument> arguments;
  Router router;
  /// The modules: @moe, @route, and @majorant with a shadow of each argument
  /// and a bound of the gates' magnitude behind the arguments.
  std::string model, majorant;
  /// The errors of @moe's result relative to @majorant's, without and with the
  /// relative error of the gates.
  double error = 0;
  int gateDegree = 0;
  bool isWeighed = false;
  /// By how much a router inside a body must decide.
  double innerMargin = 0;
  /// The finest number of the narrowest type on the way: results below have no
  /// relative precision.
  double tiny = 0;

  bool parallel = true, counters = false;
  unsigned optLevel = 2;
};

/// The case of a seed.
Case generateCase(uint64_t seed);
/// The case of these choices; `seed` is that of its inputs.
Case generateCase(uint64_t seed, std::vector<uint64_t> choices);

/// Inputs for `c`, one for each argument.
std::vector<HostTensor> drawInputs(const Case &c, uint64_t seed);

//===----------------------------------------------------------------------===//
// Parts of generateCase
//===----------------------------------------------------------------------===//

class CaseBuilder {
public:
  CaseBuilder(uint64_t seed, Random choices);
  Case build();

private:
  /// Adds an argument of all functions.
  Value argument(llvm::ArrayRef<int64_t> shape, Dtype type, Fill fill);
  /// The same of static shape: in some cases a weight of the model.
  Value constant(llvm::ArrayRef<int64_t> shape, Dtype type, Fill fill,
                 bool mayStack = false);
  Fill weightFill(int64_t fanIn);

  // Router.cpp
  void buildRouter(const Value &x);
  Value buildLogits(const Value &x);
  void buildScores(const Value &logits, Value &selects, Value &weighs);
  void routerLine(const std::string &text);
  Value score(llvm::ArrayRef<int64_t> shape, Dtype type);

  // Gates.cpp
  void buildGates(const Value &selects, const Value &weighs);
  Value keepGroups(const Value &selects, bool &masksNegInf);
  Gates choose(const Value &selects, const Value &weighs, bool sameOperand);
  Gates chooseAlways(const Value &weighs, int64_t k);
  Gates chooseGiven(const Value &weighs);
  std::string capacity(const Value &of);
  Gates limit(const Gates &gates, const Value &scores);
  Gates filter(const Gates &gates);
  Gates columns(const Gates &gates);
  Gates join(const Gates &gates, const Value &weighs);
  /// Softmax, normalisation and scale of what was chosen.
  void buildWeights();

  // Quantised.cpp
  /// The numbers of a matrix that is stored in bytes.
  Value quantisedWeight(llvm::ArrayRef<int64_t> shape, Dtype type);
  /// The numbers that a quantised `t` stands for.
  Value rounded(const Value &t);

  // Body.cpp
  /// A parameter, stacked over experts; the value that the body sees.
  Value parameter(llvm::ArrayRef<int64_t> shape, Dtype type, Fill fill);
  Value weight(int64_t in, int64_t out, bool inOut, Dtype type);
  Value vector(int64_t size, Dtype type);
  /// A product with a parameter, with or without a bias.
  Value linear(Value t, int64_t out, Dtype result);
  Activation activation();
  Value buildBody(const Value &t, int64_t out);
  Value buildMlp(const Value &t, int64_t out);
  Value buildGated(const Value &t, int64_t out);
  Value buildMerged(const Value &t, int64_t out);
  Value buildAffine(const Value &t);
  Value buildNested(const Value &t, int64_t out);
  Value buildMatmul(const Value &t, int64_t out);
  Value buildConstant(const Value &t, int64_t out);
  Value buildNorm(const Value &t, int64_t out);
  Value buildElementwise(const Value &t, int64_t out);

  // Experts.cpp
  int64_t size();
  Value buildExperts(const Value &x);
  /// The body of `experts` experts, from its inputs to its end.
  struct Block {
    Value result;
    /// `(%t = %x : type) with (%w = %a3 : type) `, and the same with shadows.
    std::string bindings, shadowBindings;
    std::string text, shadowText;
  };
  Block buildBlock(const Value &x, llvm::StringRef weigh, int64_t out,
                   int64_t experts);
  Value buildInputs(const Value &x, llvm::StringRef weigh, int64_t out,
                    std::string &inputs, std::string &shadows);
  Value buildTail(const Value &x, const Value &y);

  // Case.cpp
  void assemble(const Value &result);

  Random random;
  Case c;
  Program program;
  Router router;
  /// -1 or the number of tokens, as types say it.
  int64_t tokensDim = -1;
  int64_t width = 1;
  /// All numbers of the router are small integers times a power of two.
  bool dyadic = false;
  Dtype type = Dtype::F32;
  /// Whether what does not depend on the tokens is a sluice.weight.
  bool hasWeights = false;
  int names = 0;
  /// Of the block that is being built: experts, inputs that are exact.
  int64_t blockExperts = 1;
  bool isExact = true;
  /// `%v1 = %a2 : type` for each parameter, and the same for its shadow.
  std::string bindings, shadowBindings;
};

} // namespace sluice

#endif // SLUICE_TEST_FUZZ_CASE_H
