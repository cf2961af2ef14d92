//===- HandLayer.cpp - A hand-written fused layer ---------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Baseline.h"
#include "HandKernels.h"
#include "Team.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

using namespace sluice;
using namespace sluice::bench;

void sluice::bench::group(const Batch &batch, int64_t experts, Groups &groups) {
  groups.offsets.assign(experts + 1, 0);
  groups.slots.resize(batch.experts.size());
  for (int32_t e : batch.experts)
    ++groups.offsets[e + 1];
  for (int64_t e = 0; e < experts; ++e)
    groups.offsets[e + 1] += groups.offsets[e];
  std::vector<int32_t> next(groups.offsets.begin(), groups.offsets.end() - 1);
  for (auto [slot, e] : llvm::enumerate(batch.experts))
    groups.slots[next[e]++] = int32_t(slot);
}

void FloatBuffer::Free::operator()(float *memory) const { std::free(memory); }

llvm::Error FloatBuffer::resize(size_t count) {
  if (count <= size && memory)
    return llvm::Error::success();
  constexpr size_t hugePage = size_t(2) << 20;
  size_t bytes =
      llvm::alignTo(std::max<size_t>(count, 1) * sizeof(float), hugePage);
  memory.reset(static_cast<float *>(std::aligned_alloc(hugePage, bytes)));
  if (!memory) {
    size = 0;
    return llvm::createStringError("out of memory for " + llvm::Twine(bytes) +
                                   " bytes of a baseline");
  }
  madvise(memory.get(), bytes, MADV_HUGEPAGE);
  std::memset(memory.get(), 0, bytes);
  size = count;
  return llvm::Error::success();
}

namespace sluice::bench {
#ifdef __x86_64__
extern const HandKernels handAVX512, handAVX2;
const HandKernels *const handKernels[] = {&handAVX512, &handAVX2, nullptr};
#else
const HandKernels *const handKernels[] = {nullptr};
#endif
} // namespace sluice::bench

namespace {

class HandBaseline : public Baseline {
public:
  HandBaseline(const LayerShape &shape, const HandKernels &kernels, int threads)
      : shape(shape), kernels(kernels), threads(threads),
        width(llvm::alignTo(shape.width, kernels.panelWidth)),
        inner(llvm::alignTo(shape.inner, kernels.panelWidth)) {}

  llvm::Error pack(const FloatWeights &weights);

  llvm::StringRef getName() const override { return "hand"; }
  std::string describe() const override { return kernels.name; }
  llvm::Error prepare(const Batch &batch) override;
  void run(const Batch &batch) override;
  float get(int64_t token, int64_t column) const override {
    return output.data()[token * width + column];
  }

private:
  llvm::Error packStack(const float *stack, int64_t out, int64_t in,
                        int64_t paddedOut, int64_t paddedIn,
                        FloatBuffer &packed);

  LayerShape shape;
  const HandKernels &kernels;
  int threads;
  /// Padded to whole panels.
  int64_t width, inner;
  FloatBuffer gate, up, down, input, output, hidden;
  std::vector<FloatBuffer> packed, results;
  std::vector<float *> packedData, resultData;
  Groups groups;
  std::vector<int64_t> hiddenAt;
};

} // namespace

/// [experts, out, in] to panels [experts, out / panelWidth, in, panelWidth].
llvm::Error HandBaseline::packStack(const float *stack, int64_t out, int64_t in,
                                    int64_t paddedOut, int64_t paddedIn,
                                    FloatBuffer &packed) {
  int64_t experts = shape.experts, columns = kernels.panelWidth;
  if (llvm::Error error = packed.resize(experts * paddedOut * paddedIn))
    return error;
  int64_t panels = paddedOut / columns;
  runTeam(threads, [&](Member &member) {
    for (int64_t p = member.begin(experts * panels),
                 end = member.end(experts * panels);
         p < end; ++p) {
      int64_t e = p / panels, first = p % panels * columns;
      float *panel = packed.data() + p * paddedIn * columns;
      const float *rows = stack + (e * out + first) * in;
      for (int64_t i = 0; i < in; ++i)
        for (int64_t c = 0; c < std::min(columns, out - first); ++c)
          panel[i * columns + c] = rows[c * in + i];
    }
  });
  return llvm::Error::success();
}

llvm::Error HandBaseline::pack(const FloatWeights &weights) {
  int64_t d = shape.width, f = shape.inner;
  if (llvm::Error error = packStack(weights.gate, f, d, inner, width, gate))
    return error;
  if (shape.gated)
    if (llvm::Error error = packStack(weights.up, f, d, inner, width, up))
      return error;
  return packStack(weights.down, d, f, width, inner, down);
}

llvm::Error HandBaseline::prepare(const Batch &batch) {
  group(batch, shape.experts, groups);
  int64_t most = 0, hiddenRows = 0;
  for (int64_t e = 0; e < shape.experts; ++e) {
    most = std::max(most, groups.getRows(e));
    hiddenRows += kernels.packedRows(groups.getRows(e));
  }
  packed.resize(threads);
  results.resize(threads);
  packedData.resize(threads);
  resultData.resize(threads);
  llvm::Error error = input.resize(batch.tokens * width);
  auto also = [&](FloatBuffer &buffer, size_t count) {
    if (!error)
      error = buffer.resize(count);
  };
  also(output, batch.tokens * width);
  also(hidden, hiddenRows * inner);
  for (int i = 0; i < threads; ++i) {
    also(packed[i], kernels.packedRows(most) * width);
    also(results[i], kernels.resultPanels * most * kernels.panelWidth);
    packedData[i] = packed[i].data();
    resultData[i] = results[i].data();
  }
  if (error)
    return error;
  const float *from = batch.input.as<float>().data();
  for (int64_t t = 0; t < batch.tokens; ++t)
    std::memcpy(input.data() + t * width, from + t * shape.width,
                shape.width * sizeof(float));
  return llvm::Error::success();
}

void HandBaseline::run(const Batch &batch) {
  group(batch, shape.experts, groups);
  hiddenAt.assign(shape.experts, 0);
  for (int64_t e = 1; e < shape.experts; ++e)
    hiddenAt[e] =
        hiddenAt[e - 1] + kernels.packedRows(groups.getRows(e - 1)) * inner;
  HandCall call;
  call.width = width;
  call.inner = inner;
  call.tokens = batch.tokens;
  call.experts = shape.experts;
  call.perToken = shape.perToken;
  call.gated = shape.gated;
  call.input = input.data();
  call.output = output.data();
  call.weights = batch.weights.data();
  call.slots = groups.slots.data();
  call.offsets = groups.offsets.data();
  call.gate = gate.data();
  call.up = up.data();
  call.down = down.data();
  call.hidden = hidden.data();
  call.hiddenAt = hiddenAt.data();
  call.packed = packedData.data();
  call.results = resultData.data();
  runTeam(threads, [&](Member &member) { kernels.run(call, member); });
}

static const HandKernels *lookupKernels(const llvm::StringMap<bool> &features) {
  for (const HandKernels *const *kernels = handKernels; *kernels; ++kernels)
    if (llvm::all_of(
            llvm::split((*kernels)->features, ','),
            [&](llvm::StringRef name) { return features.lookup(name); }))
      return *kernels;
  return nullptr;
}

llvm::Error
sluice::bench::checkHandLayer(const llvm::StringMap<bool> &features) {
  if (lookupKernels(features))
    return llvm::Error::success();
  return llvm::createStringError(
      "the hand-written layer needs AVX2 with FMA, or AVX-512, which the "
      "processor that is compiled for lacks");
}

llvm::Expected<std::unique_ptr<Baseline>> sluice::bench::createHandLayer(
    const LayerShape &shape, const FloatWeights &weights,
    const llvm::StringMap<bool> &features, int threads) {
  if (llvm::Error error = checkHandLayer(features))
    return std::move(error);
  auto layer =
      std::make_unique<HandBaseline>(shape, *lookupKernels(features), threads);
  if (llvm::Error error = layer->pack(weights))
    return std::move(error);
  return std::unique_ptr<Baseline>(std::move(layer));
}
