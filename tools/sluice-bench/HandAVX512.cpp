//===- HandAVX512.cpp - The hand-written layer with AVX-512 -----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HandKernelsImpl.h"

using namespace sluice::bench;

namespace {

struct AVX512 {
  using Vector = __m512;
  static constexpr int lanes = 16, panelVectors = 1;
  /// 28 accumulators, 2 vectors of weights and 2 broadcasts fill 32 registers.
  static constexpr int maxRows = 14, accumulators = 28;
  /// A stride of 14 would make one row's input larger than L1.
  static constexpr bool dense = true;
  /// How far ahead a single block prefetches, summed over the panels, and up to
  /// how many panels that pays.
  static constexpr int prefetchColumns = 128, prefetchPanels = 2;

  static INLINE Vector load(const float *p) { return _mm512_load_ps(p); }
  static INLINE Vector loadu(const float *p) { return _mm512_loadu_ps(p); }
  static INLINE void store(float *p, Vector v) { _mm512_store_ps(p, v); }
  static INLINE void storeu(float *p, Vector v) { _mm512_storeu_ps(p, v); }
  static INLINE Vector set(float x) { return _mm512_set1_ps(x); }
  static INLINE Vector min(Vector a, Vector b) { return _mm512_min_ps(a, b); }
  static INLINE Vector max(Vector a, Vector b) { return _mm512_max_ps(a, b); }
  static INLINE Vector fma(Vector a, Vector b, Vector c) {
    return _mm512_fmadd_ps(a, b, c);
  }
  static INLINE Vector round(Vector x) {
    return _mm512_roundscale_ps(x,
                                _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  /// x * 2^n.
  static INLINE Vector scale(Vector x, Vector n) {
    return _mm512_scalef_ps(x, n);
  }

  /// Stores 16 packed columns of `rows` rows; `r` has zeros beyond them.
  static INLINE void storeColumns(Vector *r, int rows, float *to) {
    if (rows == 1)
      return storeu(to, r[0]);
    const __m512i low = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18,
                                         2, 17, 1, 16, 0);
    const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
    // Interleaving the halves of the rows, four times, transposes.
    Vector other[lanes];
    UNROLL for (int turn = 0; turn < 4; ++turn) {
      Vector *from = turn & 1 ? other : r, *into = turn & 1 ? r : other;
      UNROLL for (int i = 0; i < 8; ++i) {
        into[2 * i] = _mm512_permutex2var_ps(from[i], low, from[i + 8]);
        into[2 * i + 1] = _mm512_permutex2var_ps(from[i], high, from[i + 8]);
      }
    }
    UNROLL for (int k = 0; k < lanes; ++k)
        _mm512_mask_storeu_ps(to + k * rows, __mmask16((1 << rows) - 1), r[k]);
  }
};

using Layer = HandLayer<AVX512>;

} // namespace

namespace sluice::bench {
extern const HandKernels handAVX512;
const HandKernels handAVX512 = {"AVX-512",         "avx512f",
                                Layer::panelWidth, Layer::resultPanels,
                                Layer::packedRows, Layer::run};
} // namespace sluice::bench
