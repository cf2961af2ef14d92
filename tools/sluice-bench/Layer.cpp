//===- Layer.cpp - The layer that is measured -------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Layer.h"

#include "Team.h"
#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <numeric>

using namespace sluice;
using namespace sluice::bench;

llvm::StringRef sluice::bench::toString(Routing routing) {
  switch (routing) {
  case Routing::Uniform:
    return "uniform";
  case Routing::Zipf:
    return "zipf";
  case Routing::One:
    return "one";
  }
  return "";
}

llvm::StringRef LayerShape::getWeightType() const {
  switch (numbers) {
  case Numbers::Plain:
    return sluice::toString(weights);
  case Numbers::I8:
    return "i8";
  case Numbers::I4:
    return "i4";
  case Numbers::MXFP4:
    return "mxfp4";
  }
  return "";
}

llvm::StringRef LayerShape::getActivationType() const {
  return rounding == Rounding::None   ? "f32"
         : rounding == Rounding::BF16 ? "bf16"
                                      : "i8";
}

/// Where the input's column e says how much expert e is wanted, the router
/// reads it there, with a little of everything else.
static constexpr float steering = 4;

bool sluice::bench::canSteer(const LayerShape &shape) {
  return shape.width >= shape.experts;
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

void sluice::bench::fillRandom(HostTensor &tensor, double bound,
                               uint64_t seed) {
  constexpr int64_t block = 4096;
  int64_t count = tensor.numElements(), blocks = (count + block - 1) / block;
  runTeam(/*threads=*/0, [&](Member &member) {
    for (int64_t b = member.begin(blocks); b < member.end(blocks); ++b) {
      // A generator for each block, so that threads do not matter.
      uint64_t state = (seed << 40) ^ (uint64_t(b) * 0x9e3779b97f4a7c15);
      auto draw = [&] {
        state = state * 6364136223846793005 + 1442695040888963407;
        return double(int64_t(state) >> 40) * (bound / (1 << 23));
      };
      int64_t end = std::min(count, (b + 1) * block);
      if (tensor.dtype() == Dtype::F32) {
        float *data = tensor.as<float>().data();
        for (int64_t i = b * block; i < end; ++i)
          data[i] = float(draw());
      } else {
        for (int64_t i = b * block; i < end; ++i)
          tensor.set(i, draw());
      }
    }
  });
}

llvm::Expected<LayerWeights> LayerWeights::create(const LayerShape &shape) {
  LayerWeights weights;
  uint64_t seed = 0;
  auto make = [&](HostTensor &tensor, Dtype dtype, llvm::ArrayRef<int64_t> dims,
                  double bound) -> llvm::Error {
    llvm::Expected<HostTensor> created = HostTensor::create(dtype, dims);
    if (!created)
      return created.takeError();
    tensor = std::move(*created);
    fillRandom(tensor, bound, ++seed);
    return llvm::Error::success();
  };
  // Random bytes, and scales that bring them to that magnitude.
  auto makeMatrices = [&](Matrices &matrices, int64_t out,
                          int64_t in) -> llvm::Error {
    bool isPlain = shape.numbers == Numbers::Plain;
    if (llvm::Error error = make(matrices.values, shape.weights,
                                 {shape.experts, out, shape.storedSize(in)},
                                 isPlain ? std::sqrt(3.0 / in) : 128))
      return error;
    if (isPlain)
      return llvm::Error::success();
    if (llvm::Error error =
            make(matrices.scales, shape.scaleType(),
                 {shape.experts, out, shape.countGroups(in)}, 1))
      return error;
    // The root of the mean square of the type's numbers.
    double spread = shape.numbers == Numbers::I8   ? 74
                    : shape.numbers == Numbers::I4 ? 4.6
                                                   : 2.9;
    double scale = 1 / (spread * std::sqrt(double(in)));
    for (int64_t i = 0; i < matrices.scales.numElements(); ++i) {
      if (shape.numbers == Numbers::MXFP4)
        matrices.scales.setInteger(i, 127 + std::ilogb(scale) + i % 2);
      else
        matrices.scales.set(i, scale * (1 + matrices.scales.get(i) / 2));
    }
    return llvm::Error::success();
  };
  int64_t d = shape.width, f = shape.inner, e = shape.experts;
  // A product of numbers of magnitude 1 is of that magnitude again.
  double in = std::sqrt(3.0 / d);
  bool steers = canSteer(shape);
  if (llvm::Error error = make(weights.router, Dtype::F32, {e, d},
                               steers ? 0.1 / std::sqrt(d) : in))
    return std::move(error);
  if (steers)
    for (int64_t i = 0; i < e; ++i)
      weights.router.as<float>()[i * d + i] = steering;
  if (llvm::Error error = makeMatrices(weights.gate, f, d))
    return std::move(error);
  if (shape.gated)
    if (llvm::Error error = makeMatrices(weights.up, f, d))
      return std::move(error);
  if (llvm::Error error = makeMatrices(weights.down, d, f))
    return std::move(error);
  return weights;
}

std::vector<sluice_named_tensor> LayerWeights::getTensors() const {
  std::vector<sluice_named_tensor> tensors;
  auto add = [&](const char *name, const HostTensor &tensor) {
    // Of rank 3 at most.
    if (tensor.numElements())
      tensors.push_back({name, llvm::cantFail(tensor.toC())});
  };
  add("router", router);
  add("gate", gate.values);
  add("gate_scale", gate.scales);
  add("up", up.values);
  add("up_scale", up.scales);
  add("down", down.values);
  add("down_scale", down.scales);
  return tensors;
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

BatchMaker::BatchMaker(const LayerShape &shape, const LayerWeights &weights,
                       Routing routing, int64_t tokens)
    : shape(shape), router(weights.getRouter()), tokens(tokens) {
  if (!canSteer(shape))
    return;
  // Each token's experts without repetition: the k smallest of random times,
  // where experts come at their rates.
  int64_t experts = shape.experts, k = shape.perToken;
  std::exponential_distribution<double> time;
  std::vector<std::pair<double, int32_t>> times(experts);
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t e = 0; e < experts; ++e) {
      double rate = routing == Routing::Zipf ? 1.0 / (e + 1) : 1;
      double when = routing == Routing::One ? e : time(random) / rate;
      times[e] = {when, int32_t(e)};
    }
    std::partial_sort(times.begin(), times.begin() + k, times.end());
    for (int64_t j = 0; j < k; ++j)
      choice.push_back(times[j].second);
  }
}

bool BatchMaker::route(const float *row, int32_t *experts,
                       float *weights) const {
  int64_t width = shape.width, k = shape.perToken;
  std::vector<std::pair<double, int32_t>> logits(shape.experts);
  for (int64_t e = 0; e < shape.experts; ++e) {
    const float *column = router.as<float>().data() + e * width;
    // Several sums, so that they are added side by side.
    double sums[8] = {};
    int64_t i = 0;
    for (; i + 8 <= width; i += 8)
      for (int s = 0; s < 8; ++s)
        sums[s] += double(row[i + s]) * column[i + s];
    for (; i < width; ++i)
      sums[0] += double(row[i]) * column[i];
    logits[e] = {std::accumulate(sums, sums + 8, 0.0), int32_t(e)};
  }
  int64_t compared = std::min(k + 1, shape.experts);
  std::partial_sort(logits.begin(), logits.begin() + compared, logits.end(),
                    std::greater<>());
  for (int64_t j = 1; j < compared; ++j)
    if (logits[j - 1].first - logits[j].first < 1e-5)
      return false;
  double sum = 0;
  for (int64_t j = 0; j < k; ++j)
    sum += std::exp(logits[j].first - logits[0].first);
  for (int64_t j = 0; j < k; ++j) {
    experts[j] = logits[j].second;
    weights[j] = float(std::exp(logits[j].first - logits[0].first) / sum);
  }
  return true;
}

/// Makes the tokens' columns that steer say what `choice` has, with other names
/// for the experts and in another order.
void BatchMaker::steer(float *input) {
  std::vector<int64_t> order(tokens), names(shape.experts);
  std::iota(order.begin(), order.end(), 0);
  std::iota(names.begin(), names.end(), 0);
  std::shuffle(order.begin(), order.end(), random);
  std::shuffle(names.begin(), names.end(), random);
  std::uniform_real_distribution<float> unwanted(-1, 0.4f);
  int64_t k = shape.perToken;
  for (int64_t t = 0; t < tokens; ++t) {
    float *row = input + t * shape.width;
    for (int64_t e = 0; e < shape.experts; ++e)
      row[e] = unwanted(random);
    // From 1 down to above 0.6, in the order of the choice.
    for (int64_t j = 0; j < k; ++j)
      row[names[choice[order[t] * k + j]]] = 1 - 0.4f * (j / float(k));
  }
}

llvm::Expected<Batch> BatchMaker::next() {
  int64_t width = shape.width, k = shape.perToken;
  Batch batch;
  batch.tokens = tokens;
  llvm::Expected<HostTensor> input =
      HostTensor::create(Dtype::F32, {tokens, width});
  if (!input)
    return input.takeError();
  batch.input = std::move(*input);
  batch.experts.resize(tokens * k);
  batch.weights.resize(tokens * k);
  fillRandom(batch.input, 1, random());
  float *data = batch.input.as<float>().data();
  if (!choice.empty())
    steer(data);

  // Nearly equal logits would be a matter of the order of sums: such tokens are
  // drawn again, but for the columns that steer. Some attempts are enough.
  constexpr int attempts = 100;
  int64_t first = choice.empty() ? 0 : shape.experts;
  std::vector<uint32_t> seeds(tokens);
  std::generate(seeds.begin(), seeds.end(), std::ref(random));
  std::atomic<bool> clear{true};
  runTeam(/*threads=*/0, [&](Member &member) {
    for (int64_t t = member.begin(tokens); t < member.end(tokens); ++t) {
      std::minstd_rand own(seeds[t]);
      std::uniform_real_distribution<float> any(-1, 1);
      float *row = data + t * width;
      int left = attempts;
      while (!route(row, &batch.experts[t * k], &batch.weights[t * k])) {
        if (--left == 0) {
          clear = false;
          break;
        }
        for (int64_t i = first; i < width; ++i)
          row[i] = any(own);
      }
    }
  });
  if (!clear)
    return llvm::createStringError(
        "expected inputs by which a router can choose but the logits of " +
        llvm::Twine(shape.experts) + " experts are nearly equal with --d " +
        llvm::Twine(width) + " and --k " + llvm::Twine(k) +
        "; choose a larger --d or fewer --experts");
  llvm::SmallVector<bool> seen(shape.experts, false);
  for (int32_t e : batch.experts) {
    batch.touched += !seen[e];
    seen[e] = true;
  }
  return batch;
}

//===----------------------------------------------------------------------===//
// The definition
//===----------------------------------------------------------------------===//

/// A row of a weight as binary64.
static void readRow(const HostTensor &tensor, int64_t at,
                    llvm::MutableArrayRef<double> row) {
  if (tensor.dtype() == Dtype::F32) {
    llvm::copy(tensor.as<float>().slice(at, row.size()), row.begin());
    return;
  }
  for (size_t i = 0; i < row.size(); ++i)
    row[i] = tensor.get(at + int64_t(i));
}

void Matrices::readRow(const LayerShape &shape, int64_t index,
                       llvm::MutableArrayRef<double> row) const {
  int64_t size = values.shape()[2];
  if (shape.numbers == Numbers::Plain)
    return ::readRow(values, index * size, row);
  static constexpr float fp4[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
  llvm::ArrayRef<int8_t> bytes = values.as<int8_t>().slice(index * size, size);
  int64_t groups = scales.shape()[2];
  for (size_t i = 0; i < row.size(); ++i) {
    int64_t at = index * groups + int64_t(i) / shape.group;
    float number;
    if (shape.numbers == Numbers::I8) {
      number = bytes[i];
    } else {
      int half = uint8_t(bytes[i / 2]) >> (i % 2 * 4) & 15;
      number = shape.numbers == Numbers::I4 ? float((half ^ 8) - 8)
               : half & 8                   ? -fp4[half & 7]
                                            : fp4[half];
    }
    row[i] =
        number * (shape.numbers == Numbers::MXFP4
                      ? std::ldexp(1.0f, uint8_t(scales.getInteger(at)) - 127)
                      : float(scales.get(at)));
  }
}

/// What `sluice.quantize` to i8 and `sluice.dequantize` make of a row.
static void roundToI8(const LayerShape &shape, std::vector<double> &values) {
  for (size_t begin = 0; begin < values.size(); begin += shape.group) {
    auto group = llvm::MutableArrayRef(values).slice(
        begin, std::min<size_t>(shape.group, values.size() - begin));
    float largest = 0;
    for (double value : group)
      largest = std::max(largest, std::fabs(float(value)));
    float scale = largest / 127, inverse = 1 / scale;
    for (double &value : group)
      value = std::isfinite(inverse)
                  ? std::nearbyint(float(value) * inverse) * scale
                  : 0.0f;
  }
}

/// Matrix `index` of a stack of [out, in] matrices times x.
static std::vector<double> multiply(const LayerShape &shape,
                                    const Matrices &stack, int64_t index,
                                    llvm::ArrayRef<double> x) {
  int64_t out = stack.values.shape()[1], in = x.size();
  std::vector<double> result(out);
  runTeam(/*threads=*/0, [&](Member &member) {
    std::vector<double> row(in);
    for (int64_t o = member.begin(out); o < member.end(out); ++o) {
      stack.readRow(shape, index * out + o, row);
      result[o] = std::inner_product(row.begin(), row.end(), x.begin(), 0.0);
    }
  });
  return result;
}

std::vector<double> sluice::bench::computeRow(const LayerShape &shape,
                                              const LayerWeights &weights,
                                              const Batch &batch,
                                              int64_t token) {
  int64_t k = shape.perToken;
  auto round = [&](std::vector<double> &values) {
    if (shape.rounding == Rounding::I8)
      roundToI8(shape, values);
    if (shape.rounding == Rounding::BF16)
      for (double &value : values)
        value = fromBF16(toBF16(value));
  };
  std::vector<double> x(shape.width), y(shape.width);
  readRow(batch.input, token * shape.width, x);
  round(x);
  for (int64_t j = token * k; j < (token + 1) * k; ++j) {
    int64_t e = batch.experts[j];
    std::vector<double> h = multiply(shape, weights.getGate(), e, x);
    if (shape.gated) {
      std::vector<double> up = multiply(shape, weights.getUp(), e, x);
      for (auto [gate, factor] : llvm::zip(h, up))
        gate *= factor / (1 + std::exp(-gate));
    } else {
      for (double &value : h)
        value = std::max(value, 0.0);
    }
    round(h);
    std::vector<double> o = multiply(shape, weights.getDown(), e, h);
    for (auto [sum, term] : llvm::zip(y, o))
      sum += batch.weights[j] * term;
  }
  return y;
}
