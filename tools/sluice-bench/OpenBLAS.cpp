//===- OpenBLAS.cpp - A matrix product for each expert ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What one gets without a compiler: the tokens of each expert are gathered, its
// matrices multiplied by OpenBLAS, and the results added to the tokens' rows.
// Threads share each product by columns (rows of a matrix [out, in]), so that
// all of them have work whatever the routing; OpenBLAS itself uses one.
//
//===----------------------------------------------------------------------===//

#include "Baseline.h"
#include "Team.h"
#include "llvm/ADT/STLExtras.h"

#include <cstring>
#include <dlfcn.h>

using namespace sluice;
using namespace sluice::bench;

namespace {

/// The library's functions, by its C interface; integers are 32 bits wide.
struct Library {
  void (*sgemm)(int order, int transposeA, int transposeB, int m, int n, int k,
                float alpha, const float *a, int lda, const float *b, int ldb,
                float beta, float *c, int ldc);
  void (*sgemv)(int order, int transpose, int m, int n, float alpha,
                const float *a, int lda, const float *x, int stepX, float beta,
                float *y, int stepY);
  void (*setThreads)(int threads);
  char *(*getCoreName)();
};
constexpr int rowMajor = 101, plain = 111, transposed = 112;

class OpenBLASBaseline : public Baseline {
public:
  OpenBLASBaseline(const Library &library, const LayerShape &shape,
                   const FloatWeights &weights, int threads)
      : library(library), shape(shape), weights(weights), threads(threads) {}

  llvm::StringRef getName() const override { return "openblas"; }
  std::string describe() const override { return library.getCoreName(); }
  llvm::Error prepare(const Batch &batch) override;
  void run(const Batch &batch) override;
  float get(int64_t token, int64_t column) const override {
    return output.data()[token * shape.width + column];
  }

private:
  void multiply(const float *a, int64_t rows, int64_t in, const float *matrix,
                int64_t out, int64_t from, int64_t to, float *c) const;
  void runMember(const Batch &batch, Member &member);

  Library library;
  LayerShape shape;
  FloatWeights weights;
  int threads;
  Groups groups;
  /// By position, the slots in the groups' order.
  FloatBuffer gathered, gate, up, results;
  FloatBuffer output;
};

} // namespace

llvm::Error OpenBLASBaseline::prepare(const Batch &batch) {
  size_t slots = batch.experts.size();
  for (auto [buffer, columns] :
       {std::pair(&gathered, shape.width), std::pair(&gate, shape.inner),
        std::pair(&up, shape.inner), std::pair(&results, shape.width)})
    if (llvm::Error error = buffer->resize(slots * columns))
      return error;
  return output.resize(batch.tokens * shape.width);
}

/// Columns `from` to `to` of c (rows x out) = a (rows x in) * matrix^T.
void OpenBLASBaseline::multiply(const float *a, int64_t rows, int64_t in,
                                const float *matrix, int64_t out, int64_t from,
                                int64_t to, float *c) const {
  if (from == to)
    return;
  matrix += from * in;
  if (rows == 1)
    library.sgemv(rowMajor, plain, int(to - from), int(in), 1, matrix, int(in),
                  a, 1, 0, c + from, 1);
  else
    library.sgemm(rowMajor, plain, transposed, int(rows), int(to - from),
                  int(in), 1, a, int(in), matrix, int(in), 0, c + from,
                  int(out));
}

/// Written so that compilers vectorise it; relative error about 1e-7.
static inline float expOf(float x) {
  x = std::min(std::max(x, -87.3f), 88.0f);
  // Adding and subtracting 1.5 * 2^23 rounds to an integer.
  float n = x * 1.44269504f + 12582912.0f - 12582912.0f;
  x = x - n * 0.693359375f;
  x = x + n * 2.12194440e-4f;
  float y = 1.9875691500e-4f;
  y = y * x + 1.3981999507e-3f;
  y = y * x + 8.3334519073e-3f;
  y = y * x + 4.1665795894e-2f;
  y = y * x + 1.6666665459e-1f;
  y = y * x + 5.0000001201e-1f;
  y = y * (x * x) + x + 1;
  int32_t bits = (int32_t(n) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return y * power;
}

void OpenBLASBaseline::runMember(const Batch &batch, Member &member) {
  int64_t d = shape.width, f = shape.inner, k = shape.perToken;
  const float *x = batch.input.as<float>().data();
  int64_t slots = batch.experts.size();
  for (int64_t i = member.begin(slots); i < member.end(slots); ++i)
    std::memcpy(gathered.data() + i * d, x + groups.slots[i] / k * d,
                d * sizeof(float));
  member.wait();

  int64_t from = member.begin(f), to = member.end(f);
  for (int64_t e = 0; e < shape.experts; ++e) {
    int64_t rows = groups.getRows(e), at = groups.offsets[e];
    if (!rows)
      continue;
    const float *a = gathered.data() + at * d;
    float *h = gate.data() + at * f;
    multiply(a, rows, d, weights.gate + e * f * d, f, from, to, h);
    if (shape.gated)
      multiply(a, rows, d, weights.up + e * f * d, f, from, to,
               up.data() + at * f);
    for (int64_t i = 0; i < rows; ++i) {
      float *row = h + i * f;
      const float *factor = up.data() + (at + i) * f;
      if (shape.gated)
        for (int64_t j = from; j < to; ++j)
          row[j] = row[j] / (1 + expOf(-row[j])) * factor[j];
      else
        for (int64_t j = from; j < to; ++j)
          row[j] = std::max(row[j], 0.0f);
    }
  }
  member.wait();

  from = member.begin(d), to = member.end(d);
  for (int64_t t = 0; t < batch.tokens; ++t)
    std::memset(output.data() + t * d + from, 0, (to - from) * sizeof(float));
  for (int64_t e = 0; e < shape.experts; ++e) {
    int64_t rows = groups.getRows(e), at = groups.offsets[e];
    if (!rows)
      continue;
    float *o = results.data() + at * d;
    multiply(gate.data() + at * f, rows, f, weights.down + e * d * f, d, from,
             to, o);
    for (int64_t i = 0; i < rows; ++i) {
      int32_t slot = groups.slots[at + i];
      float weight = batch.weights[slot];
      float *y = output.data() + slot / k * d;
      const float *row = o + i * d;
      for (int64_t j = from; j < to; ++j)
        y[j] += weight * row[j];
    }
  }
}

void OpenBLASBaseline::run(const Batch &batch) {
  group(batch, shape.experts, groups);
  runTeam(threads, [&](Member &member) { runMember(batch, member); });
}

/// Processors that are newer than the library are taken for old ones: it is
/// told which kernels can be used, unless the user has done so. Takes effect
/// when the library is first opened.
static void chooseKernels(const llvm::StringMap<bool> &features) {
  auto has = [&](llvm::ArrayRef<llvm::StringRef> names) {
    return llvm::all_of(
        names, [&](llvm::StringRef name) { return features.lookup(name); });
  };
  const char *core = "Prescott";
  if (has({"avx512f", "avx512vl", "avx512bw", "avx512dq", "avx512cd"}))
    core = "SkylakeX";
  else if (has({"avx2", "fma"}))
    core = "Haswell";
  else if (has({"avx"}))
    core = "Sandybridge";
  else if (has({"sse4.2"}))
    core = "Nehalem";
#ifdef __x86_64__
  setenv("OPENBLAS_CORETYPE", core, /*overwrite=*/0);
#endif
}

static llvm::Expected<Library>
openLibrary(const llvm::StringMap<bool> &features) {
  chooseKernels(features);
  constexpr const char *name = "libopenblas.so.0";
  // Stays open: its threads and memory are of the process.
  void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char *reason = dlerror();
    return llvm::createStringError(
        llvm::Twine("cannot open OpenBLAS: ") + (reason ? reason : name) +
        "; install it (Debian: libopenblas0), or leave it out of --baselines");
  }
  Library library;
  auto find = [&](auto &function, const char *symbol) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(
        dlsym(handle, symbol));
    return function != nullptr;
  };
  if (!find(library.sgemm, "cblas_sgemm") ||
      !find(library.sgemv, "cblas_sgemv") ||
      !find(library.setThreads, "openblas_set_num_threads") ||
      !find(library.getCoreName, "openblas_get_corename"))
    return llvm::createStringError(
        llvm::Twine("expected OpenBLAS with its C interface but ") + name +
        " lacks cblas_sgemm or its like; leave it out of --baselines");
  library.setThreads(1);
  return library;
}

llvm::Error
sluice::bench::checkOpenBLAS(const llvm::StringMap<bool> &features) {
  llvm::Expected<Library> library = openLibrary(features);
  return library ? llvm::Error::success() : library.takeError();
}

llvm::Expected<std::unique_ptr<Baseline>> sluice::bench::createOpenBLAS(
    const LayerShape &shape, const FloatWeights &weights,
    const llvm::StringMap<bool> &features, int threads) {
  llvm::Expected<Library> library = openLibrary(features);
  if (!library)
    return library.takeError();
  return std::make_unique<OpenBLASBaseline>(*library, shape, weights, threads);
}
