//===- LibraryCalls.c - Functions that generated code calls -------*- C -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In C: a half precision type as parameter and result needs no extension there.
// The functions are weak, so that a compiler's own library may have them too.
//
//===----------------------------------------------------------------------===//

#include "Memory.h"

#include "sluice-c/Runtime.h"

#include <stdlib.h>
#include <string.h>

#define LIBRARY_CALL __attribute__((weak, visibility("hidden")))

// Without a prototype in any header.
LIBRARY_CALL float __extendhfsf2(_Float16 value);
LIBRARY_CALL _Float16 __truncsfhf2(float value);
LIBRARY_CALL _Float16 __truncdfhf2(double value);
LIBRARY_CALL float __extendbfsf2(_Float16 value);
LIBRARY_CALL _Float16 __truncsfbf2(float value);
LIBRARY_CALL _Float16 __truncdfbf2(double value);

// bf16 travels in the same registers as f16 (x86-64 and AArch64), and not every
// C compiler has a name for it, so _Float16 carries the bits of either.
static _Float16 carry(uint16_t bits) {
  _Float16 value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

static uint16_t bitsOf(_Float16 value) {
  uint16_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

static float floatOf(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

/// Rounds to the nearest 16-bit number with `mantissa` stored bits of
/// significand, ties to even. One rounding, whatever the distance: a float is
/// first extended to double, which is exact.
static uint16_t narrow(double value, int mantissa) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  const int exponentBits = 15 - mantissa;
  const int64_t largest = (1 << exponentBits) - 1;
  const int64_t bias = largest >> 1;
  const uint16_t sign = (uint16_t)(bits >> 48 & 0x8000);
  const int64_t exponent = (int64_t)(bits >> 52 & 0x7FF);
  const uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
  const uint16_t infinity = (uint16_t)(largest << mantissa);

  int shift = 52 - mantissa;
  if (exponent == 0x7FF) {
    if (fraction == 0)
      return sign | infinity;
    // A quiet NaN that keeps the upper bits of its payload.
    return (uint16_t)(sign | infinity | 1 << (mantissa - 1) |
                      (uint16_t)(fraction >> shift));
  }

  int64_t rebiased = exponent - 1023 + bias;
  if (rebiased >= largest)
    return sign | infinity;
  // The exponent stands above the fraction, so that a carry out of the
  // fraction increments it, up to infinity.
  uint64_t number;
  if (rebiased > 0) {
    number = (uint64_t)rebiased << 52 | fraction;
  } else {
    // Subnormal: the leading bit becomes explicit and moves down.
    if (rebiased < -mantissa)
      return sign;
    number = UINT64_C(1) << 52 | fraction;
    shift += (int)(1 - rebiased);
  }
  const uint64_t half = UINT64_C(1) << (shift - 1);
  const uint64_t rest = number & ((half << 1) - 1);
  uint64_t result = number >> shift;
  if (rest > half || (rest == half && (result & 1)))
    ++result;
  return (uint16_t)(sign | result);
}

float __extendhfsf2(_Float16 value) {
  const uint32_t bits = bitsOf(value);
  const uint32_t sign = (bits & 0x8000) << 16;
  uint32_t exponent = bits >> 10 & 0x1F;
  uint32_t fraction = bits & 0x3FF;
  if (exponent == 0x1F) // infinity, or NaN made quiet
    return floatOf(sign | 0x7F800000 | fraction << 13 |
                   (fraction ? 0x00400000 : 0));
  if (exponent == 0) {
    if (fraction == 0)
      return floatOf(sign);
    exponent = 1;
    while (!(fraction & 0x400)) {
      fraction <<= 1;
      --exponent; // may pass zero; unsigned arithmetic comes back below
    }
    fraction &= 0x3FF;
  }
  return floatOf(sign | (exponent + (127 - 15)) << 23 | fraction << 13);
}

_Float16 __truncsfhf2(float value) { return carry(narrow((double)value, 10)); }
_Float16 __truncdfhf2(double value) { return carry(narrow(value, 10)); }

float __extendbfsf2(_Float16 value) {
  return floatOf((uint32_t)bitsOf(value) << 16);
}

_Float16 __truncsfbf2(float value) { return carry(narrow((double)value, 7)); }
_Float16 __truncdfbf2(double value) { return carry(narrow(value, 7)); }

/// MLIR's descriptor of a memref of any rank: `descriptor` points to
/// {allocated, aligned, offset, sizes[rank], strides[rank]}.
typedef struct unranked_memref {
  int64_t rank;
  void *descriptor;
} unranked_memref;

typedef struct memref_header {
  char *allocated;
  char *aligned;
  int64_t offset;
  int64_t sizes_and_strides[];
} memref_header;

static void copyStrided(size_t elementBytes, int64_t rank, const int64_t *sizes,
                        const char *from, const int64_t *fromStrides, char *to,
                        const int64_t *toStrides) {
  if (rank == 0) {
    memcpy(to, from, elementBytes);
    return;
  }
  if (rank == 1 && (*sizes <= 1 || (*fromStrides == 1 && *toStrides == 1))) {
    if (*sizes > 0)
      memcpy(to, from, (size_t)*sizes * elementBytes);
    return;
  }
  for (int64_t i = 0; i < *sizes; ++i)
    copyStrided(elementBytes, rank - 1, sizes + 1,
                from + i * *fromStrides * (int64_t)elementBytes,
                fromStrides + 1, to + i * *toStrides * (int64_t)elementBytes,
                toStrides + 1);
}

/// What memref.copy becomes where the memrefs are not contiguous: both have the
/// same shape and do not overlap.
LIBRARY_CALL void memrefCopy(int64_t elementBytes, const void *source,
                             const void *target);
void memrefCopy(int64_t elementBytes, const void *source, const void *target) {
  const unranked_memref *unrankedFrom = (const unranked_memref *)source;
  const unranked_memref *unrankedTo = (const unranked_memref *)target;
  const memref_header *from = (const memref_header *)unrankedFrom->descriptor;
  const memref_header *to = (const memref_header *)unrankedTo->descriptor;
  const int64_t rank = unrankedFrom->rank;
  const int64_t *sizes = from->sizes_and_strides;
  for (int64_t i = 0; i < rank; ++i)
    if (sizes[i] == 0)
      return;
  copyStrided((size_t)elementBytes, rank, sizes,
              from->aligned + from->offset * elementBytes, sizes + rank,
              to->aligned + to->offset * elementBytes,
              to->sizes_and_strides + rank);
}

const sluice_runtime_symbol *sluice_runtime_symbols(size_t *count) {
  static const sluice_runtime_symbol symbols[] = {
      {"__extendhfsf2", (void *)__extendhfsf2},
      {"__truncsfhf2", (void *)__truncsfhf2},
      {"__truncdfhf2", (void *)__truncdfhf2},
      {"__extendbfsf2", (void *)__extendbfsf2},
      {"__truncsfbf2", (void *)__truncsfbf2},
      {"__truncdfbf2", (void *)__truncdfbf2},
      {"memrefCopy", (void *)memrefCopy},
      {"sluice_rt_malloc", (void *)sluice_rt_malloc},
      {"sluice_rt_calloc", (void *)sluice_rt_calloc},
      {"sluice_rt_free", (void *)sluice_rt_free},
  };
  if (count)
    *count = sizeof(symbols) / sizeof(symbols[0]);
  return symbols;
}
