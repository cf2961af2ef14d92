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

/// How numbers of weights are stored: as they are, or in 8 or 4 bits with a
/// scale for each group along their rows (f16, and powers of two for MXFP4).
enum class Numbers { Plain, I8, I4, MXFP4 };
/// To what activations are rounded before each product of the experts.
enum class Rounding { None, BF16, I8 };

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
  Numbers numbers = Numbers::Plain;
  /// Numbers that share a scale, of weights and of activations of i8.
  int64_t group = 32;
  Rounding rounding = Rounding::None;

  int64_t numMatrices() const { return gated ? 3 : 2; }
  int64_t matrixElements() const { return width * inner; }
  int64_t countGroups(int64_t in) const { return (in + group - 1) / group; }
  /// Elements of the stored tensor for `in` numbers.
  int64_t storedSize(int64_t in) const {
    bool isPacked = numbers == Numbers::I4 || numbers == Numbers::MXFP4;
    return isPacked ? (in + 1) / 2 : in;
  }
  /// The type of stored scales.
  Dtype scaleType() const {
    return numbers == Numbers::MXFP4 ? Dtype::I8 : Dtype::F16;
  }
  /// Bytes of a row of `in` numbers, with its scales.
  double rowBytes(int64_t in) const {
    double bytes = double(storedSize(in)) * sizeOf(weights);
    return numbers == Numbers::Plain
               ? bytes
               : bytes + double(countGroups(in)) * sizeOf(scaleType());
  }
  /// Bytes of one expert's weights.
  double expertBytes() const {
    return (numMatrices() - 1) * inner * rowBytes(width) +
           width * rowBytes(inner);
  }
  /// As the options have them: "f32", "i4"; "f32", "i8".
  llvm::StringRef getWeightType() const;
  llvm::StringRef getActivationType() const;
  /// Operations of one token at one expert; a multiply-add is two.
  double entryOperations() const {
    return 2.0 * numMatrices() * matrixElements();
  }
};

/// The text of a model file with the function @moe.
std::string makeModel(const LayerShape &shape);

/// [experts, out, in], stored as the shape says.
struct Matrices {
  HostTensor values, scales;

  bool isEmpty() const { return values.numElements() == 0; }
  /// Row `index` of all rows, in order, as the model has it.
  void readRow(const LayerShape &shape, int64_t index,
               llvm::MutableArrayRef<double> row) const;
};

/// The weights by the names that the model has, in the order router, gate
/// (called `first` where there is no other), up, down, each with its scales if
/// it has any.
class LayerWeights {
public:
  static llvm::Expected<LayerWeights> create(const LayerShape &shape);

  /// Borrows from this object.
  std::vector<sluice_named_tensor> getTensors() const;

  const HostTensor &getRouter() const { return router; }
  /// [experts, inner, width]; up is empty where there is none.
  const Matrices &getGate() const { return gate; }
  const Matrices &getUp() const { return up; }
  /// [experts, width, inner].
  const Matrices &getDown() const { return down; }

private:
  HostTensor router;
  Matrices gate, up, down;
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
