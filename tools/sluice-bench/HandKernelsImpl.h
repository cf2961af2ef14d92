//===- HandKernelsImpl.h - The hand-written layer ---------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   y[t] = sum_j w[t,j] * ( silu(x Wg_e) * (x Wu_e) ) Wd_e ,  e = expert (t, j)
//
// in f32: weights packed into panels, gathering fused into the packing of an
// expert's input, register tiles over one, two or four panels, the activation
// and the weighted scatter fused behind. Threads own panels, so that nothing is
// added atomically and results do not depend on the number of threads.
//
// An instruction set is a type `Isa` with its vectors; everything else is
// written once. The types have internal linkage, and so has all code made of
// them: nothing compiled for AVX-512 can be what another file calls.
//
// An expert's m rows are cut into balanced blocks of at most Isa::maxRows,
// whose sizes differ by at most one. Packed, they are slices of `sliceDepth`
// columns in the order in which `multiplyPanels` reads them; in a slice block
// after block; in a block column after column.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TOOLS_SLUICE_BENCH_HANDKERNELSIMPL_H
#define SLUICE_TOOLS_SLUICE_BENCH_HANDKERNELSIMPL_H

#include "HandKernels.h"
#include "Team.h"

#include <cstring>
#include <immintrin.h>

#define UNROLL _Pragma("GCC unroll 16")
#define INLINE __attribute__((always_inline)) inline

namespace sluice::bench {

template <typename Isa> struct HandLayer {
  using Vector = typename Isa::Vector;
  static constexpr int lanes = Isa::lanes;
  static constexpr int maxRows = Isa::maxRows;
  /// Vectors in a row of a panel.
  static constexpr int vectors = Isa::panelVectors;
  /// A cache line in both versions.
  static constexpr int panelWidth = lanes * vectors;
  /// Two panels' share of a slice stays in L1 while row blocks take turns.
  static constexpr int sliceDepth = 256;
  /// Panels of results that the scatter takes at once, so that it touches runs
  /// of cache lines.
  static constexpr int resultPanels = 8;

  static INLINE int min(int a, int b) { return a < b ? a : b; }

  //===--------------------------------------------------------------------===//
  // Packed rows
  //===--------------------------------------------------------------------===//

  struct Block {
    /// The first row, how many, and which packed row the first one is.
    int first, rows, at;
  };

  /// Floats from one packed column to the next.
  static constexpr int stride(int rows) { return Isa::dense ? rows : maxRows; }
  static INLINE int numBlocks(int rows) {
    return (rows + maxRows - 1) / maxRows;
  }
  static int64_t packedRows(int64_t rows) {
    return Isa::dense ? rows : numBlocks(int(rows)) * maxRows;
  }
  static INLINE Block getBlock(int rows, int block) {
    int blocks = numBlocks(rows);
    int first = int(long(rows) * block / blocks);
    int last = int(long(rows) * (block + 1) / blocks);
    return {first, last - first, Isa::dense ? first : block * maxRows};
  }
  /// The place of column `k` of `depth` of a block of `rows` rows.
  static INLINE size_t packedAt(int rows, Block block, int k, int depth) {
    int slice = k - k % sliceDepth;
    return size_t(slice) * packedRows(rows) +
           size_t(block.at) * min(sliceDepth, depth - slice) +
           size_t(k - slice) * stride(block.rows);
  }

  //===--------------------------------------------------------------------===//
  // Register tiles
  //===--------------------------------------------------------------------===//

  using Kernel = void(const float *a, const float *const *b, float *const *c,
                      int depth, bool first, long prefetchAt,
                      int prefetchDepth);

  /// c[q] (Rows x panelWidth) = (first) or += a (`depth` columns of Rows rows)
  /// * b[q] (depth x panelWidth) for `Panels` panels at once: a wider tile, and
  /// as many streams from memory. While k < prefetchDepth, prefetches the line
  /// `prefetchAt` floats ahead in each panel. Depths are multiples of 8.
  template <int Rows, int Panels>
  static void multiply(const float *a, const float *const *b, float *const *c,
                       int depth, bool first, long prefetchAt,
                       int prefetchDepth) {
    // It takes 8 independent accumulators to hide the latency of an FMA.
    constexpr int tile = Rows * Panels * vectors;
    constexpr int sets = tile >= 8 ? 1 : tile >= 4 ? 2 : tile >= 2 ? 4 : 8;
    const float *panel[Panels];
    Vector sums[sets][Panels][Rows][vectors];
    UNROLL for (int q = 0; q < Panels; ++q) {
      panel[q] = b[q];
      UNROLL for (int i = 0; i < Rows; ++i)
          UNROLL for (int v = 0; v < vectors; ++v) {
        sums[0][q][i][v] =
            first ? Isa::set(0) : Isa::load(c[q] + i * panelWidth + v * lanes);
        UNROLL for (int u = 1; u < sets; ++u) sums[u][q][i][v] = Isa::set(0);
      }
    }
    auto step = [&](size_t k, bool prefetch) __attribute__((always_inline)) {
      UNROLL for (int u = 0; u < sets; ++u, a += stride(Rows)) {
        Vector line[Panels][vectors];
        UNROLL for (int q = 0; q < Panels; ++q) {
          const float *p = panel[q] + (k + u) * panelWidth;
          if (prefetch)
            _mm_prefetch(reinterpret_cast<const char *>(p + prefetchAt),
                         _MM_HINT_T0);
          UNROLL for (int v = 0; v < vectors; ++v) line[q][v] =
              Isa::load(p + v * lanes);
        }
        UNROLL for (int i = 0; i < Rows; ++i) {
          Vector x = Isa::set(a[i]);
          UNROLL for (int q = 0; q < Panels; ++q)
              UNROLL for (int v = 0; v < vectors; ++v) sums[u][q][i][v] =
                  Isa::fma(x, line[q][v], sums[u][q][i][v]);
        }
      }
    };
    int k = 0;
    for (; k < prefetchDepth; k += sets)
      step(k, true);
    for (; k < depth; k += sets)
      step(k, false);
    UNROLL for (int q = 0; q < Panels; ++q)
        UNROLL for (int i = 0; i < Rows; ++i)
            UNROLL for (int v = 0; v < vectors; ++v) {
      Vector sum = sums[0][q][i][v];
      UNROLL for (int u = 1; u < sets; ++u) sum = sum + sums[u][q][i][v];
      Isa::store(c[q] + i * panelWidth + v * lanes, sum);
    }
  }

  static constexpr bool fitsTwoPanels(int rows) {
    return rows * 2 * vectors <= Isa::accumulators;
  }
  /// How many panels to take at once for so many rows: a single row leaves
  /// registers for four streams.
  static INLINE int getPanels(int rows) {
    return rows == 1 ? 4 : fitsTwoPanels(min(rows, maxRows)) ? 2 : 1;
  }

  template <int Rows> static Kernel *lookupRows(int rows, int panels) {
    if (rows == Rows)
      return panels == 1 ? multiply<Rows, 1> : multiply < Rows,
             fitsTwoPanels(Rows) ? 2 : 1 > ;
    if constexpr (Rows < maxRows)
      return lookupRows<Rows + 1>(rows, panels);
    return nullptr;
  }
  static INLINE Kernel *lookup(int rows, int panels) {
    return panels == 4 ? multiply<1, 4> : lookupRows<1>(rows, panels);
  }

  /// c[q] (rows x panelWidth) = a (rows x depth, packed) * b[q] (depth x
  /// panelWidth) for so many panels. One block of rows streams the panels;
  /// several share each slice of them in L1 and together prefetch the next one
  /// (after the last the first of the next panels, `next` floats on), so that
  /// memory and arithmetic overlap.
  static void multiplyPanels(const float *a, int depth, int rows, int panels,
                             const float *const *b, float *const *c,
                             long next) {
    int blocks = numBlocks(rows);
    if (blocks == 1) {
      bool prefetch = panels <= Isa::prefetchPanels;
      return lookup(rows,
                    panels)(a, b, c, depth, true,
                            long(Isa::prefetchColumns) * panelWidth / panels,
                            prefetch ? depth : 0);
    }
    for (int at = 0; at < depth; at += sliceDepth) {
      int length = min(sliceDepth, depth - at), left = depth - at - length;
      int ahead = min(length, left ? left : depth);
      int share = (ahead / 8 + blocks - 1) / blocks * 8;
      long prefetch =
          left ? long(length) * panelWidth : next - long(at) * panelWidth;
      for (int i = 0; i < blocks; ++i) {
        Block block = getBlock(rows, i);
        int from = min(i * share, ahead), to = min(from + share, ahead);
        const float *panel[4];
        float *result[4];
        for (int q = 0; q < panels; ++q) {
          panel[q] = b[q] + size_t(at) * panelWidth;
          result[q] = c[q] + size_t(block.first) * panelWidth;
        }
        lookup(block.rows, panels)(
            a + packedAt(rows, block, at, depth), panel, result, length,
            at == 0, prefetch + long(from) * panelWidth, to - from);
      }
    }
  }

  //===--------------------------------------------------------------------===//
  // Activations
  //===--------------------------------------------------------------------===//

  /// As Cephes has it; relative error about 1e-7.
  static INLINE Vector exp(Vector x) {
    x = Isa::min(Isa::max(x, Isa::set(-87.3f)), Isa::set(88.3f));
    Vector n = Isa::round(x * Isa::set(1.44269504f));
    x = Isa::fma(n, Isa::set(-0.693359375f), x);
    x = Isa::fma(n, Isa::set(2.12194440e-4f), x);
    Vector y = Isa::set(1.9875691500e-4f);
    y = Isa::fma(y, x, Isa::set(1.3981999507e-3f));
    y = Isa::fma(y, x, Isa::set(8.3334519073e-3f));
    y = Isa::fma(y, x, Isa::set(4.1665795894e-2f));
    y = Isa::fma(y, x, Isa::set(1.6666665459e-1f));
    y = Isa::fma(y, x, Isa::set(5.0000001201e-1f));
    return Isa::scale(Isa::fma(y, x * x, x) + Isa::set(1), n);
  }
  static INLINE Vector swiglu(Vector gate, Vector up) {
    return gate / (Isa::set(1) + exp(Isa::set(0) - gate)) * up;
  }

  //===--------------------------------------------------------------------===//
  // The layer
  //===--------------------------------------------------------------------===//

  /// Gathers and packs the input of an expert's `rows` slots.
  static void packInput(const HandCall &call, const int32_t *slots, int rows,
                        float *packed) {
    int width = int(call.width);
    for (int b = 0; b < numBlocks(rows); ++b) {
      Block block = getBlock(rows, b);
      const float *row[maxRows];
      for (int i = 0; i < block.rows; ++i)
        row[i] =
            call.input + size_t(slots[block.first + i] / call.perToken) * width;
      for (int k = 0; k < width; k += lanes) {
        Vector x[lanes];
        for (int i = 0; i < lanes; ++i)
          x[i] = i < block.rows ? Isa::loadu(row[i] + k) : Isa::set(0);
        Isa::storeColumns(x, block.rows,
                          packed + packedAt(rows, block, k, width));
      }
    }
  }

  /// Applies the activation to the results of one hidden panel and packs it as
  /// the next product's input. `up` is null for ReLU.
  static INLINE void activate(const float *gate, const float *up, int rows,
                              int column, int inner, float *hidden) {
    for (int v = 0; v < panelWidth; v += lanes)
      for (int b = 0; b < numBlocks(rows); ++b) {
        Block block = getBlock(rows, b);
        Vector h[lanes];
        for (int i = 0; i < lanes; ++i) {
          size_t at = size_t(block.first + i) * panelWidth + v;
          if (i >= block.rows)
            h[i] = Isa::set(0);
          else if (up)
            h[i] = swiglu(Isa::load(gate + at), Isa::load(up + at));
          else
            h[i] = Isa::max(Isa::load(gate + at), Isa::set(0));
        }
        Isa::storeColumns(h, block.rows,
                          hidden + packedAt(rows, block, column + v, inner));
      }
  }

  /// Hidden panels `from` to `to` of one expert.
  static void multiplyGated(const HandCall &call, int64_t expert, int rows,
                            int from, int to, const float *packed,
                            float *const *results) {
    int width = int(call.width), inner = int(call.inner);
    size_t size = size_t(width) * panelWidth;
    size_t base = expert * (inner / panelWidth);
    float *hidden = call.hidden + call.hiddenAt[expert];
    const float *panels[resultPanels];
    for (int q = from, count; q < to; q += count) {
      // So many panels of gate and as many of up.
      int together = getPanels(rows);
      if (together > 1 && q + together / 2 > to)
        together = 2;
      count = together > 1 ? together / 2 : 1;
      for (int z = 0; z < count; ++z) {
        panels[z] = call.gate + (base + q + z) * size;
        panels[count + z] = call.up + (base + q + z) * size;
      }
      if (together > 1) {
        multiplyPanels(packed, width, rows, together, panels, results,
                       count * size);
      } else {
        multiplyPanels(packed, width, rows, 1, panels, results,
                       panels[1] - panels[0]);
        multiplyPanels(packed, width, rows, 1, panels + 1, results + 1,
                       panels[0] + size - panels[1]);
      }
      for (int z = 0; z < count; ++z)
        activate(results[z], results[count + z], rows, (q + z) * panelWidth,
                 inner, hidden);
    }
  }

  /// The same for a body with one matrix and ReLU.
  static void multiplyPlain(const HandCall &call, int64_t expert, int rows,
                            int from, int to, const float *packed,
                            float *const *results) {
    int width = int(call.width), inner = int(call.inner);
    size_t size = size_t(width) * panelWidth;
    size_t base = expert * (inner / panelWidth);
    float *hidden = call.hidden + call.hiddenAt[expert];
    const float *panels[resultPanels];
    for (int q = from, count; q < to; q += count) {
      count = getPanels(rows);
      while (q + count > to)
        count /= 2;
      for (int z = 0; z < count; ++z)
        panels[z] = call.gate + (base + q + z) * size;
      multiplyPanels(packed, width, rows, count, panels, results, count * size);
      for (int z = 0; z < count; ++z)
        activate(results[z], nullptr, rows, (q + z) * panelWidth, inner,
                 hidden);
    }
  }

  /// Output panels `from` to `to` of one expert, added to its tokens' rows.
  static void multiplyDown(const HandCall &call, int64_t expert, int rows,
                           const int32_t *slots, int from, int to,
                           float *const *results) {
    int width = int(call.width), inner = int(call.inner);
    size_t size = size_t(inner) * panelWidth;
    const float *hidden = call.hidden + call.hiddenAt[expert];
    const float *panels[resultPanels];
    for (int q = from, count; q < to; q += count) {
      count = min(resultPanels, to - q);
      for (int z = 0; z < count; ++z)
        panels[z] =
            call.down + (size_t(expert) * (width / panelWidth) + q + z) * size;
      for (int z = 0, together; z < count; z += together) {
        together = getPanels(rows);
        while (z + together > count)
          together /= 2;
        multiplyPanels(hidden, inner, rows, together, panels + z, results + z,
                       together * size);
      }
      for (int i = 0; i < rows; ++i) {
        float *y = call.output + size_t(slots[i] / call.perToken) * width +
                   size_t(q) * panelWidth;
        Vector weight = Isa::set(call.weights[slots[i]]);
        for (int z = 0; z < count; ++z)
          for (int v = 0; v < panelWidth; v += lanes) {
            float *to = y + z * panelWidth + v;
            Vector result = Isa::load(results[z] + size_t(i) * panelWidth + v);
            Isa::storeu(to, Isa::fma(weight, result, Isa::loadu(to)));
          }
      }
    }
  }

  static void run(const HandCall &call, Member &member) {
    int width = int(call.width);
    float *packed = call.packed[member.getThread()];
    float *base = call.results[member.getThread()];
    float *results[resultPanels];
    auto forEachExpert = [&](auto body) __attribute__((always_inline)) {
      for (int64_t e = 0; e < call.experts; ++e) {
        int rows = call.offsets[e + 1] - call.offsets[e];
        if (!rows)
          continue;
        for (int q = 0; q < resultPanels; ++q)
          results[q] = base + size_t(q) * rows * panelWidth;
        body(e, rows, call.slots + call.offsets[e]);
      }
    };

    int panels = int(call.inner / panelWidth);
    int from = int(member.begin(panels)), to = int(member.end(panels));
    forEachExpert([&](int64_t e, int rows, const int32_t *slots) {
      packInput(call, slots, rows, packed);
      if (call.gated)
        multiplyGated(call, e, rows, from, to, packed, results);
      else
        multiplyPlain(call, e, rows, from, to, packed, results);
    });
    member.wait();

    panels = width / panelWidth;
    from = int(member.begin(panels)), to = int(member.end(panels));
    for (int64_t t = 0; t < call.tokens; ++t)
      std::memset(call.output + t * width + size_t(from) * panelWidth, 0,
                  size_t(to - from) * panelWidth * sizeof(float));
    forEachExpert([&](int64_t e, int rows, const int32_t *slots) {
      multiplyDown(call, e, rows, slots, from, to, results);
    });
  }
};

} // namespace sluice::bench

#endif // SLUICE_TOOLS_SLUICE_BENCH_HANDKERNELSIMPL_H
