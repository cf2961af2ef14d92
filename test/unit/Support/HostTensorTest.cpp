//===- HostTensorTest.cpp - Tests of tensors in main memory -----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Support/HostTensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

using namespace llvm;
using namespace sluice;

template <typename T> static std::string errorOf(Expected<T> value) {
  if (value)
    return "";
  return toString(value.takeError());
}

static HostTensor tensor(Dtype dtype, ArrayRef<int64_t> shape,
                         ArrayRef<double> values) {
  return cantFail(HostTensor::fromDoubles(dtype, shape, values));
}

TEST(HostTensor, NamesOfTypes) {
  for (Dtype dtype : {Dtype::F32, Dtype::F64, Dtype::F16, Dtype::BF16,
                      Dtype::I32, Dtype::I64, Dtype::Bool, Dtype::I8})
    EXPECT_EQ(parseDtype(toString(dtype)), dtype);
  EXPECT_EQ(parseDtype("i1"), Dtype::Bool);
  EXPECT_EQ(parseDtype("f8"), std::nullopt);
  EXPECT_EQ(typeText(Dtype::Bool, {-1, 3}), "tensor<?x3xi1>");
  EXPECT_EQ(typeText(Dtype::BF16, {}), "tensor<bf16>");
  EXPECT_TRUE(isFloat(Dtype::BF16));
  EXPECT_FALSE(isFloat(Dtype::I32));
}

TEST(HostTensor, NumberOfElements) {
  EXPECT_EQ(cantFail(numElements({})), 1);
  EXPECT_EQ(cantFail(numElements({3, 0, 5})), 0);
  EXPECT_EQ(errorOf(numElements({2, -1})),
            "expected dimensions that are not negative: 2x-1");
  EXPECT_EQ(errorOf(numElements({INT64_MAX, 2})),
            "the number of elements does not fit in 63 bits: "
            "9223372036854775807x2");
}

TEST(HostTensor, Creation) {
  HostTensor zeros = cantFail(HostTensor::create(Dtype::F32, {2, 3}));
  EXPECT_EQ(zeros.toDoubles(), std::vector<double>(6, 0.0));
  EXPECT_EQ(zeros.numBytes(), 24u);
  EXPECT_EQ(zeros.typeText(), "tensor<2x3xf32>");
  HostTensor empty;
  EXPECT_EQ(empty.numElements(), 0);
  EXPECT_TRUE(empty.bytes().empty());
  EXPECT_EQ(errorOf(HostTensor::fromDoubles(Dtype::F32, {2}, {1, 2, 3})),
            "expected 2 values for tensor<2xf32> but got 3");
  EXPECT_EQ(
      errorOf(HostTensor::create(Dtype::F64, {INT64_MAX})),
      "the size of tensor<9223372036854775807xf64> does not fit in 63 bits");
}

TEST(HostTensor, CloneIsACopy) {
  HostTensor a = tensor(Dtype::F32, {2}, {1, 2});
  HostTensor b = cantFail(a.clone());
  b.set(0, 5);
  EXPECT_EQ(a.get(0), 1);
  EXPECT_EQ(b.get(0), 5);
}

TEST(HostTensor, EveryHalfSurvivesTheWayThroughDouble) {
  for (unsigned bits = 0; bits <= 0xFFFF; ++bits) {
    double f16 = fromF16(uint16_t(bits)), bf16 = fromBF16(uint16_t(bits));
    if (!std::isnan(f16))
      EXPECT_EQ(toF16(f16), bits);
    if (!std::isnan(bf16))
      EXPECT_EQ(toBF16(bf16), bits);
  }
  EXPECT_TRUE(std::isnan(fromF16(toF16(NAN))));
  EXPECT_TRUE(std::isnan(fromBF16(toBF16(NAN))));
}

TEST(HostTensor, HalvesRoundOnceToNearestEven) {
  EXPECT_EQ(toF16(1 + std::ldexp(1, -11)), 0x3C00) << "tie to even, down";
  EXPECT_EQ(toF16(1 + 3 * std::ldexp(1, -11)), 0x3C02) << "tie to even, up";
  // Through float, this would first become the tie and then round down.
  EXPECT_EQ(toF16(1 + std::ldexp(1, -11) + std::ldexp(1, -40)), 0x3C01);
  EXPECT_EQ(toBF16(1 + std::ldexp(1, -8) + std::ldexp(1, -40)), 0x3F81);
  EXPECT_EQ(toF16(65519.99), 0x7BFF);
  EXPECT_EQ(toF16(65520), 0x7C00);
  EXPECT_EQ(toF16(std::ldexp(1, -24)), 1);
  EXPECT_EQ(toF16(std::ldexp(1, -25)), 0);
  EXPECT_EQ(toF16(-0.0), 0x8000);
}

TEST(HostTensor, StoringIntegersTruncatesAndStops) {
  HostTensor i32 = tensor(Dtype::I32, {5}, {-1.9, 1.9, 1e10, -INFINITY, NAN});
  EXPECT_EQ(i32.as<int32_t>(),
            (ArrayRef<int32_t>{-1, 1, INT32_MAX, INT32_MIN, 0}));
  HostTensor i64 = tensor(Dtype::I64, {3}, {9.3e18, -9.3e18, 4});
  EXPECT_EQ(i64.as<int64_t>(), (ArrayRef<int64_t>{INT64_MAX, INT64_MIN, 4}));
  HostTensor bytes = tensor(Dtype::I8, {4}, {-1000, 200, -1.9, NAN});
  EXPECT_EQ(bytes.as<int8_t>(), (ArrayRef<int8_t>{-128, 127, -1, 0}));
  bytes.setInteger(0, 255);
  EXPECT_EQ(bytes.getInteger(0), -1);
  HostTensor flags = tensor(Dtype::Bool, {3}, {0, -0.5, 1});
  EXPECT_EQ(flags.toDoubles(), (std::vector<double>{0, 1, 1}));
  flags.setInteger(0, 256);
  EXPECT_EQ(flags.getInteger(0), 1);
}

TEST(HostTensor, IndicesOfElements) {
  HostTensor a = tensor(Dtype::F32, {2, 1, 3}, {0, 0, 0, 0, 0, 0});
  EXPECT_EQ(a.unflatten(5), (SmallVector<int64_t>{1, 0, 2}));
  EXPECT_EQ(tensor(Dtype::F32, {}, {0}).unflatten(0), SmallVector<int64_t>());
}

TEST(HostTensor, ToAndFromC) {
  HostTensor a = tensor(Dtype::F16, {2, 2}, {1, 2, 3, 4});
  sluice_tensor view = cantFail(a.toC());
  EXPECT_EQ(view.data, a.data());
  EXPECT_EQ(view.allocation, nullptr);
  EXPECT_EQ(view.rank, 2);
  HostTensor b = cantFail(HostTensor::fromC(view));
  EXPECT_EQ(b.toDoubles(), a.toDoubles());
  view.data = nullptr;
  EXPECT_EQ(errorOf(HostTensor::fromC(view)),
            "expected data but got a null pointer");
  view.rank = 9;
  EXPECT_EQ(errorOf(HostTensor::fromC(view)),
            "expected a rank of 0 to 8 but got 9");
  HostTensor rank9 = tensor(Dtype::Bool, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {1});
  EXPECT_EQ(errorOf(rank9.toC()), "expected at most 8 dimensions but got "
                                  "tensor<1x1x1x1x1x1x1x1x1xi1>");
}
