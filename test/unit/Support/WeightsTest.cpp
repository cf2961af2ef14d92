//===- WeightsTest.cpp - Tests of weight files from C++ ---------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Support/Weights.h"

#include "../Runtime/TestFiles.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace llvm;
using namespace sluice;
using namespace sluice::test;

namespace {

class WeightsTest : public ::testing::Test {
protected:
  WeightsTest()
      : path(dir.write(
            "w.safetensors",
            SafetensorsBuilder()
                .add("e.0", "BF16", "[2]", bytesOf<uint16_t>({0x3F80, 0x7FC0}))
                .add("e.1", "BF16", "[2]", bytesOf<uint16_t>({0xC000, 0x0001}))
                .add("h", "F16", "[]", bytesOf<uint16_t>({0x3C00}))
                .build(1))) {}

  TempDir dir;
  std::string path;
};

} // namespace

TEST_F(WeightsTest, LoadsAndExtends) {
  WeightsFile file = cantFail(WeightsFile::open(path));
  EXPECT_EQ(file.size(), 3);
  EXPECT_EQ(file.info(0).name, "e.0");
  EXPECT_EQ(file.info(2).shape.size(), 0u);
  EXPECT_TRUE(file.info(3).name.empty());
  WeightsFile::Info info = cantFail(file.find("e.1"));
  EXPECT_EQ(info.dtype, "BF16");
  EXPECT_EQ(info.bytes.size(), 4u);

  HostTensor stacked = cantFail(file.load("e.{e}", Dtype::BF16, {2, 2}));
  EXPECT_EQ(stacked.typeText(), "tensor<2x2xbf16>");
  EXPECT_TRUE(std::isnan(stacked.get(1)));
  std::vector<double> values =
      cantFail(file.loadAsDoubles("e.{e+1}", Dtype::BF16, {1, 2}));
  EXPECT_EQ(values, (std::vector<double>{-2, std::ldexp(1, -133)}));
  EXPECT_EQ(cantFail(file.loadAsDoubles("h", Dtype::F16, {}))[0], 1);
}

TEST_F(WeightsTest, Errors) {
  EXPECT_EQ(toString(WeightsFile::open(dir.path("no")).takeError()),
            "cannot read weight file '" + dir.path("no") +
                "': No such file or directory");
  WeightsFile file = cantFail(WeightsFile::open(path));
  EXPECT_EQ(toString(file.find("e.2").takeError()),
            "'" + path +
                "': no tensor 'e.2' among the 3 tensors of the file; the "
                "closest name is 'e.0'");
  EXPECT_EQ(toString(file.load("h", Dtype::F16, {3}).takeError()),
            "'" + path +
                "': tensor 'h': expected tensor<3xF16> but got tensor<F16>; "
                "declare the weight with the file's shape");
  EXPECT_EQ(
      toString(
          file.load("h", Dtype::F16, {1, 1, 1, 1, 1, 1, 1, 1, 1}).takeError()),
      "'h': expected at most 8 dimensions but got "
      "tensor<1x1x1x1x1x1x1x1x1xf16>");
}
