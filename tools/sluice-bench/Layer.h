//===- Layer.h - The layer that is measured, when none is given -*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TOOLS_SLUICE_BENCH_LAYER_H
#define SLUICE_TOOLS_SLUICE_BENCH_LAYER_H

#include "sluice/Support/HostTensor.h"

#include <random>

namespace sluice::bench {

enum class Routing { Uniform, Zipf, One };
llvm::StringRef toString(Routing routing);

/// y[t] = sum over the token's experts of w[t,j] * f_e(x[t]), with a router
/// that takes the k largest of a softmax and normalises them.
struct LayerShape {
  int64_t width = 2048;
  int64_t inner = 1024;
  int64_t experts = 64;
  int64_t perToken = 8;
  /// silu(x G) * (x U) before the last product; else ReLU of x G.
  bool gated = true;
  /// Of the experts' weights; the router's are f32.
  Dtype weights = Dtype::F32;
  /// Whether the experts' products take activations rounded to bf16.
  bool roundsActivations = false;

  int64_t numMatrices() const { return gated ? 3 : 2; }
  int64_t matrixElements() const { return width * inner; }
  /// Bytes of one expert's weights.
  double expertBytes() const {
    return double(numMatrices()) * matrixElements() * sizeOf(weights);
  }
  /// Operations of one token at one expert; a multiply-add is two.
  double entryOperations() const {
    return 2.0 * numMatrices() * matrixElements();
  }
};

/// The text of a model file with the function @moe.
std::string makeModel(const LayerShape &shape);

/// The weights by the names that the model has, in the order router, gate
/// (called `first` where there is no other), up, down, all [out, in].
class LayerWeights {
public:
  static llvm::Expected<LayerWeights> create(const LayerShape &shape);

  /// Borrows from this object.
  std::vector<sluice_named_tensor> getTensors() const;

  const HostTensor &getRouter() const { return router; }
  /// [experts, inner, width]; up is of no elements where there is none.
  const HostTensor &getGate() const { return gate; }
  const HostTensor &getUp() const { return up; }
  /// [experts, width, inner].
  const HostTensor &getDown() const { return down; }

private:
  HostTensor router, gate, up, down;
};

/// The input of one run, and what the router makes of it: slots, token by
/// token.
struct Batch {
  int64_t tokens = 0;
  HostTensor input;
  std::vector<int32_t> experts;
  std::vector<float> weights;
  /// How many experts have a token.
  int64_t touched = 0;
};

/// Makes inputs whose tokens choose as `routing` says. All of one maker's have
/// as many tokens at as many experts, but others at others, so that they are
/// the same amount of work.
class BatchMaker {
public:
  /// `weights` outlives the maker. Where inputs cannot be steered, tokens
  /// choose at random, whatever `routing` says, and the amount of work differs
  /// a little.
  BatchMaker(const LayerShape &shape, const LayerWeights &weights,
             Routing routing, int64_t tokens);

  llvm::Expected<Batch> next();

private:
  void steer(float *input);
  /// Whether the router's choice is clear, whatever the order of its sums.
  bool route(const float *row, int32_t *experts, float *weights) const;

  LayerShape shape;
  const HostTensor &router;
  int64_t tokens;
  std::minstd_rand random{1};
  /// Each token's experts, before experts and tokens change places; empty if
  /// inputs are not steered.
  std::vector<int32_t> choice;
};

/// Whether the input's first columns can name the experts.
bool canSteer(const LayerShape &shape);

/// Row `token` of the layer, in binary64 from the definition. Activations are
/// rounded where the model rounds them.
std::vector<double> computeRow(const LayerShape &shape,
                               const LayerWeights &weights, const Batch &batch,
                               int64_t token);

/// Fills a floating point tensor with numbers from -`bound` to `bound`. One
/// seed gives the same numbers for any number of threads.
void fillRandom(HostTensor &tensor, double bound, uint64_t seed);

} // namespace sluice::bench

#endif // SLUICE_TOOLS_SLUICE_BENCH_LAYER_H
