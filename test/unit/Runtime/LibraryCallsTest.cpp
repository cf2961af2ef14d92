//===- LibraryCallsTest.cpp - Tests of functions that generated code calls --*-
// C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice-c/Runtime.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

// Half precision numbers are passed as generated code passes them.
using Half = _Float16;

static void *symbol(const std::string &name) {
  size_t count = 0;
  const sluice_runtime_symbol *symbols = sluice_runtime_symbols(&count);
  for (size_t i = 0; i < count; ++i)
    if (symbols[i].name == name)
      return symbols[i].address;
  ADD_FAILURE() << "no symbol " << name;
  return nullptr;
}

template <typename Fn> static Fn *function(const char *name) {
  return reinterpret_cast<Fn *>(symbol(name));
}

template <typename To, typename From> static To bitCast(From from) {
  static_assert(sizeof(To) == sizeof(From), "same size");
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

/// The value of a 16-bit number, from the definition.
static double decode(uint16_t bits, int mantissa) {
  int exponentBits = 15 - mantissa;
  int largest = (1 << exponentBits) - 1;
  int exponent = bits >> mantissa & largest;
  int fraction = bits & ((1 << mantissa) - 1);
  double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == largest)
    return fraction ? NAN : sign * INFINITY;
  int scale = std::max(exponent, 1) - largest / 2 - mantissa;
  return sign * std::ldexp(fraction + (exponent ? 1 << mantissa : 0), scale);
}

static bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) ||
         bitCast<uint64_t>(a) == bitCast<uint64_t>(b);
}

TEST(LibraryCalls, ExtendingIsExact) {
  auto *fromHalf = function<float(Half)>("__extendhfsf2");
  auto *fromBfloat = function<float(Half)>("__extendbfsf2");
  for (int i = 0; i <= 0xFFFF; ++i) {
    Half value = bitCast<Half>(uint16_t(i));
    EXPECT_TRUE(same(double(fromHalf(value)), decode(uint16_t(i), 10))) << i;
    EXPECT_TRUE(same(double(fromBfloat(value)), decode(uint16_t(i), 7))) << i;
  }
}

/// Checks a conversion at each number, between it and the next one, and at both
/// sides of the middle.
template <typename Wide>
static void checkRounding(const char *name, int mantissa) {
  auto *convert = function<Half(Wide)>(name);
  auto bitsOf = [&](Wide value) { return bitCast<uint16_t>(convert(value)); };
  uint16_t infinity = uint16_t(((1 << (15 - mantissa)) - 1) << mantissa);
  for (uint16_t i = 0; i < infinity; ++i) {
    double low = decode(i, mantissa);
    // Past the largest finite number the next one would be the power of two.
    double high = i + 1 == infinity ? 2 * low - decode(i - 1, mantissa)
                                    : decode(i + 1, mantissa);
    Wide middle = Wide(low + (high - low) / 2);
    EXPECT_EQ(bitsOf(Wide(low)), i) << name;
    EXPECT_EQ(bitsOf(Wide(-low)), i | 0x8000) << name;
    EXPECT_EQ(bitsOf(middle), i & 1 ? i + 1 : i) << name << i;
    EXPECT_EQ(bitsOf(std::nextafter(middle, Wide(0))), i) << name << i;
    EXPECT_EQ(bitsOf(std::nextafter(middle, Wide(INFINITY))), i + 1) << name;
  }
  EXPECT_EQ(bitsOf(INFINITY), infinity);
  EXPECT_EQ(bitsOf(-INFINITY), infinity | 0x8000);
  EXPECT_EQ(bitsOf(std::numeric_limits<Wide>::max()), infinity);
  EXPECT_EQ(bitsOf(std::numeric_limits<Wide>::denorm_min()), 0);
  EXPECT_GT(bitsOf(std::numeric_limits<Wide>::quiet_NaN()), infinity);
  // A NaN whose payload would be cut off must not become an infinity.
  EXPECT_GT(bitsOf(std::numeric_limits<Wide>::signaling_NaN()), infinity);
}

TEST(LibraryCalls, TruncatingRoundsToNearestEvenOnce) {
  checkRounding<float>("__truncsfhf2", 10);
  checkRounding<double>("__truncdfhf2", 10);
  checkRounding<double>("__truncdfbf2", 7);
  checkRounding<float>("__truncsfbf2", 7);
}

namespace {
struct Unranked {
  int64_t rank;
  void *descriptor;
};
template <int Rank> struct Memref {
  void *allocated;
  void *aligned;
  int64_t offset;
  int64_t sizes[Rank];
  int64_t strides[Rank];
};
} // namespace

TEST(LibraryCalls, MemrefCopy) {
  auto *copy =
      function<void(int64_t, const void *, const void *)>("memrefCopy");
  std::vector<int32_t> from(24), to(6, -1);
  for (int i = 0; i < 24; ++i)
    from[size_t(i)] = i;
  // Every other row of 4x6, columns 1 to 3, transposed into 3x2.
  Memref<2> source{from.data(), from.data(), 1, {3, 2}, {1, 12}};
  Memref<2> target{to.data(), to.data(), 0, {3, 2}, {2, 1}};
  Unranked a{2, &source}, b{2, &target};
  copy(4, &a, &b);
  EXPECT_EQ(to, (std::vector<int32_t>{1, 13, 2, 14, 3, 15}));

  source.sizes[0] = target.sizes[0] = 0;
  to.assign(6, -1);
  copy(4, &a, &b);
  EXPECT_EQ(to, std::vector<int32_t>(6, -1));

  Unranked scalarFrom{0, &source}, scalarTo{0, &target};
  copy(4, &scalarFrom, &scalarTo);
  EXPECT_EQ(to[0], 1);
}

TEST(LibraryCalls, LargeBlocksAreKeptForTheNextCall) {
  auto *allocate = function<void *(size_t)>("sluice_rt_malloc");
  auto *release = function<void(void *)>("sluice_rt_free");
  for (size_t bytes : {size_t(100) << 10, size_t(6) << 20}) {
    auto *block = static_cast<char *>(allocate(bytes));
    block[0] = block[bytes - 1] = 1;
    release(block);
    // One that fits is used again, one that is far too large is not.
    void *again = allocate(bytes - 1000);
    EXPECT_EQ(again, block);
    void *other = allocate(bytes);
    EXPECT_NE(other, block);
    release(again);
    void *small = allocate(bytes / 3 + (64 << 10));
    EXPECT_TRUE(bytes > (1 << 20) ? small != block : true);
    // Blocks are malloc's: what leaves as a result is the caller's to free.
    std::free(small);
    release(other);
  }
  release(nullptr);
  // More than there are places for.
  std::vector<void *> many;
  for (int i = 0; i < 100; ++i)
    many.push_back(allocate(70000));
  for (void *block : many)
    release(block);
}

extern "C" size_t sluiceTestOffsetOfAllocation(void);

TEST(Header, LayoutsAgreeBetweenCAndCxx) {
  EXPECT_EQ(sluiceTestOffsetOfAllocation(),
            offsetof(sluice_tensor, allocation));
}
