//===- HandAVX2.cpp - The hand-written layer with AVX2 ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HandKernelsImpl.h"

using namespace sluice::bench;

namespace {

struct AVX2 {
  using Vector = __m256;
  static constexpr int lanes = 8, panelVectors = 2;
  /// 12 accumulators, 2 vectors of weights and 2 broadcasts fill 16 registers.
  static constexpr int maxRows = 6, accumulators = 12;
  /// All blocks have six floats a column: one layout for the tiles of all
  /// sizes.
  static constexpr bool dense = false;
  /// How far ahead a single block prefetches, summed over the panels, and up to
  /// how many panels that pays.
  static constexpr int prefetchColumns = 32, prefetchPanels = 1;

  static INLINE Vector load(const float *p) { return _mm256_load_ps(p); }
  static INLINE Vector loadu(const float *p) { return _mm256_loadu_ps(p); }
  static INLINE void store(float *p, Vector v) { _mm256_store_ps(p, v); }
  static INLINE void storeu(float *p, Vector v) { _mm256_storeu_ps(p, v); }
  static INLINE Vector set(float x) { return _mm256_set1_ps(x); }
  static INLINE Vector min(Vector a, Vector b) { return _mm256_min_ps(a, b); }
  static INLINE Vector max(Vector a, Vector b) { return _mm256_max_ps(a, b); }
  static INLINE Vector fma(Vector a, Vector b, Vector c) {
    return _mm256_fmadd_ps(a, b, c);
  }
  static INLINE Vector round(Vector x) {
    return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  /// x * 2^n.
  static INLINE Vector scale(Vector x, Vector n) {
    __m256i exponent =
        _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return x * _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
  }

  /// Stores 8 packed columns of six rows.
  static INLINE void storeColumns(Vector *r, int, float *to) {
    Vector pairs[6], fours[8], zero = set(0);
    UNROLL for (int i = 0; i < 6; i += 2) {
      pairs[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
      pairs[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    UNROLL for (int i = 0; i < 2; ++i) {
      fours[2 * i] = _mm256_shuffle_ps(pairs[i], pairs[2 + i], 0x44);
      fours[2 * i + 1] = _mm256_shuffle_ps(pairs[i], pairs[2 + i], 0xEE);
      fours[4 + 2 * i] = _mm256_shuffle_ps(pairs[4 + i], zero, 0x44);
      fours[5 + 2 * i] = _mm256_shuffle_ps(pairs[4 + i], zero, 0xEE);
    }
    // Each store but the last writes eight; the next one replaces the last two.
    UNROLL for (int k = 0; k < 4; ++k) storeu(
        to + k * maxRows, _mm256_permute2f128_ps(fours[k], fours[4 + k], 0x20));
    UNROLL for (int k = 0; k < 3; ++k)
        storeu(to + (4 + k) * maxRows,
               _mm256_permute2f128_ps(fours[k], fours[4 + k], 0x31));
    _mm_storeu_ps(to + 7 * maxRows, _mm256_extractf128_ps(fours[3], 1));
    _mm_storel_pi(reinterpret_cast<__m64 *>(to + 7 * maxRows + 4),
                  _mm256_extractf128_ps(fours[7], 1));
  }
};

using Layer = HandLayer<AVX2>;

} // namespace

namespace sluice::bench {
extern const HandKernels handAVX2;
const HandKernels handAVX2 = {"AVX2",
                              "avx2,fma",
                              Layer::panelWidth,
                              Layer::resultPanels,
                              Layer::packedRows,
                              Layer::run};
} // namespace sluice::bench
