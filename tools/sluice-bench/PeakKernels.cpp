//===- PeakKernels.cpp - Arithmetic in registers ----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One instruction, repeated on more accumulators than latency times units of
// any known core, in assembly so that no compiler merges, spills or drops them.
// The operands are ordinary numbers in every type: zeros would draw less power
// and let the clock rise.
//
//===----------------------------------------------------------------------===//

#include "PeakKernels.h"

#include <cstdint>

using namespace sluice::bench;

#if defined(__x86_64__)

#define LOW "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7"
#define LOW_16                                                                 \
  LOW, "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
#define HIGH_16                                                                \
  "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",      \
      "xmm24", "xmm25"

/// BODY stands for the work on the accumulator \r; registers from 12 (xmm, ymm)
/// or 24 (zmm) on are operands and scratch.
#define KERNEL(NAME, TARGET, SETUP, ACCUMULATORS, CLEAR, BODY, ...)            \
  __attribute__((target(TARGET))) static void NAME(long turns) {               \
    asm volatile("movd %1, %%xmm12\n" SETUP "\n.irp r," ACCUMULATORS           \
                 "\n" CLEAR "\n.endr\n"                                        \
                 "1:\n.irp r," ACCUMULATORS "\n" BODY "\n.endr\n"              \
                 "dec %0\njnz 1b\n"                                            \
                 : "+r"(turns)                                                 \
                 : "r"(0x3f7d3f7d)                                             \
                 : "cc", __VA_ARGS__);                                         \
  }
#define XMM_KERNEL(NAME, TARGET, BODY)                                         \
  KERNEL(NAME, TARGET, "pshufd $0, %%xmm12, %%xmm12\nmovdqa %%xmm12, %%xmm13", \
         "xmm0,xmm1,xmm2,xmm3,xmm4,xmm5,xmm6,xmm7", "pxor %%\\r, %%\\r", BODY, \
         LOW_16)
#define YMM_KERNEL(NAME, TARGET, BODY)                                         \
  KERNEL(NAME, TARGET,                                                         \
         "vpbroadcastd %%xmm12, %%ymm12\nvmovdqa %%ymm12, %%ymm13",            \
         "ymm0,ymm1,ymm2,ymm3,ymm4,ymm5,ymm6,ymm7,ymm8,ymm9,ymm10,ymm11",      \
         "vpxor %%\\r, %%\\r, %%\\r", BODY, LOW_16)
#define ZMM_KERNEL(NAME, TARGET, BODY)                                         \
  KERNEL(NAME, TARGET,                                                         \
         "vpbroadcastd %%xmm12, %%zmm24\nvmovdqa64 %%zmm24, %%zmm25",          \
         "zmm0,zmm1,zmm2,zmm3,zmm4,zmm5,zmm6,zmm7,zmm8,zmm9,zmm10,zmm11,"      \
         "zmm12,zmm13,zmm14,zmm15,zmm16,zmm17,zmm18,zmm19,zmm20,zmm21,"        \
         "zmm22,zmm23",                                                        \
         "vpxord %%\\r, %%\\r, %%\\r", BODY, LOW_16, HIGH_16)

// Without FMA a product needs a register of its own, renamed each time.
XMM_KERNEL(f32Sse2, "sse2",
           "movaps %%xmm12, %%xmm14\nmulps %%xmm13, %%xmm14\n"
           "addps %%xmm14, %%\\r")
YMM_KERNEL(f32Ymm, "avx2,fma", "vfmadd231ps %%ymm12, %%ymm13, %%\\r")
ZMM_KERNEL(f32Zmm, "avx512f", "vfmadd231ps %%zmm24, %%zmm25, %%\\r")
ZMM_KERNEL(bf16Zmm, "avx512f,avx512bf16", "vdpbf16ps %%zmm24, %%zmm25, %%\\r")
YMM_KERNEL(int8Ymm, "avx2",
           "vpmaddubsw %%ymm12, %%ymm13, %%ymm14\n"
           "vpmaddwd %%ymm13, %%ymm14, %%ymm14\n"
           "vpaddd %%ymm14, %%\\r, %%\\r")
YMM_KERNEL(int8YmmVnni, "avx2,avxvnni",
           "%{vex%} vpdpbusd %%ymm12, %%ymm13, %%\\r")
ZMM_KERNEL(int8Zmm, "avx512f,avx512vnni", "vpdpbusd %%zmm24, %%zmm25, %%\\r")

// Accumulators, lanes, terms a lane, and two operations for each.
static constexpr PeakKernel kernels[] = {
    {PeakKind::F32, "sse2", f32Sse2, 8 * 4 * 1 * 2},
    {PeakKind::F32, "avx2,fma", f32Ymm, 12 * 8 * 1 * 2},
    {PeakKind::F32, "avx512f", f32Zmm, 24 * 16 * 1 * 2},
    {PeakKind::BF16, "avx512f,avx512bf16", bf16Zmm, 24 * 16 * 2 * 2},
    {PeakKind::Int8, "avx2", int8Ymm, 12 * 8 * 4 * 2},
    {PeakKind::Int8, "avx2,avxvnni", int8YmmVnni, 12 * 8 * 4 * 2},
    {PeakKind::Int8, "avx512f,avx512vnni", int8Zmm, 24 * 16 * 4 * 2},
};
const PeakKernel *const sluice::bench::peakKernels[] = {
    &kernels[0], &kernels[1], &kernels[2], &kernels[3],
    &kernels[4], &kernels[5], &kernels[6], nullptr};

#elif defined(__aarch64__)

/// BODY stands for the work on accumulator \r; 24 and 25 are the operands.
#define KERNEL(NAME, EXTENSION, BODY)                                          \
  static void NAME(long turns) {                                               \
    asm volatile(                                                              \
        EXTENSION "dup v24.4s, %w1\ndup v25.4s, %w1\n"                         \
                  ".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,"  \
                  "20,21,22,23\nmovi v\\r\\().4s, #0\n.endr\n"                 \
                  "1:\n.irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18," \
                  "19,20,21,22,23\n" BODY "\n.endr\n"                          \
                  "subs %0, %0, #1\nb.ne 1b\n"                                 \
        : "+r"(turns)                                                          \
        : "r"(0x3f7d3f7d)                                                      \
        : "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9",    \
          "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18",       \
          "v19", "v20", "v21", "v22", "v23", "v24", "v25");                    \
  }

KERNEL(f32Neon, "", "fmla v\\r\\().4s, v24.4s, v25.4s")
KERNEL(bf16Dot, ".arch_extension bf16\n", "bfdot v\\r\\().4s, v24.8h, v25.8h")
KERNEL(bf16Matrix, ".arch_extension bf16\n",
       "bfmmla v\\r\\().4s, v24.8h, v25.8h")
KERNEL(int8Dot, ".arch_extension dotprod\n",
       "sdot v\\r\\().4s, v24.16b, v25.16b")
KERNEL(int8Matrix, ".arch_extension i8mm\n",
       "smmla v\\r\\().4s, v24.16b, v25.16b")

// Accumulators, lanes, terms a lane, and two operations for each.
static constexpr PeakKernel kernels[] = {
    {PeakKind::F32, "neon", f32Neon, 24 * 4 * 1 * 2},
    {PeakKind::BF16, "bf16", bf16Dot, 24 * 4 * 2 * 2},
    {PeakKind::BF16, "bf16", bf16Matrix, 24 * 4 * 4 * 2},
    {PeakKind::Int8, "dotprod", int8Dot, 24 * 4 * 4 * 2},
    {PeakKind::Int8, "i8mm", int8Matrix, 24 * 4 * 8 * 2},
};
const PeakKernel *const sluice::bench::peakKernels[] = {
    &kernels[0], &kernels[1], &kernels[2], &kernels[3], &kernels[4], nullptr};

#else
#error "sluice-bench knows the peaks of x86-64 and AArch64"
#endif

/// A cache line of each stream in turn.
template <int Streams>
static void readWith(const char *memory, size_t numBytes) {
  // As wide as the compiler's target has registers for: memory is slower.
  typedef uint64_t Vector __attribute__((vector_size(16)));
  constexpr size_t step = 128, vectors = step / sizeof(Vector);
  const size_t length = numBytes / Streams / step * step;
  Vector sums[Streams] = {};
  for (size_t at = 0; at < length; at += step)
    for (int s = 0; s < Streams; ++s) {
      const Vector *line =
          reinterpret_cast<const Vector *>(memory + s * length + at);
      for (size_t v = 0; v < vectors; ++v)
        sums[s] ^= line[v];
    }
  for (Vector &sum : sums)
    asm volatile("" ::"m"(sum));
}

void sluice::bench::readStreams(int streams, const char *memory,
                                size_t numBytes) {
  static constexpr void (*functions[maxStreams])(const char *, size_t) = {
      readWith<1>, readWith<2>, readWith<3>, readWith<4>,
      readWith<5>, readWith<6>, readWith<7>, readWith<8>};
  functions[streams - 1](memory, numBytes);
}
