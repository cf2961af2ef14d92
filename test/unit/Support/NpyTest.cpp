//===- NpyTest.cpp - Tests of NumPy's files ---------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Support/Npy.h"

#include "../Runtime/TestFiles.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace llvm;
using namespace sluice;
using namespace sluice::test;

namespace {

/// A file with any header.
std::string npy(const std::string &header, const std::string &data,
                int major = 1) {
  std::string file = "\x93NUMPY";
  file += char(major);
  file += '\0';
  for (size_t i = 0; i < (major == 1 ? 2u : 4u); ++i)
    file += char(header.size() >> 8 * i & 0xFF);
  return file + header + data;
}

std::string dictionary(const std::string &descr, const std::string &shape,
                       const std::string &order = "False") {
  return "{'descr': " + descr + ", 'fortran_order': " + order +
         ", 'shape': " + shape + ", }\n";
}

class Npy : public ::testing::Test {
protected:
  Expected<HostTensor> read(const std::string &contents,
                            std::optional<Dtype> expected = {}) {
    path = dir.write("x.npy", contents);
    return readNpy(path, expected);
  }
  HostTensor readOk(const std::string &contents,
                    std::optional<Dtype> expected = {}) {
    Expected<HostTensor> tensor = read(contents, expected);
    if (tensor)
      return std::move(*tensor);
    ADD_FAILURE() << toString(tensor.takeError());
    return {};
  }
  /// The problem, after the file's name.
  std::string errorOf(const std::string &contents,
                      std::optional<Dtype> expected = {}) {
    Expected<HostTensor> tensor = read(contents, expected);
    if (tensor)
      return "no error";
    std::string message = toString(tensor.takeError());
    std::string prefix = "'" + path + "': ";
    EXPECT_EQ(message.substr(0, prefix.size()), prefix);
    return message.substr(prefix.size());
  }

  TempDir dir;
  std::string path;
};

} // namespace

TEST_F(Npy, WhatIsWrittenIsRead) {
  std::string file = dir.path("out.npy");
  for (Dtype dtype : {Dtype::F32, Dtype::F64, Dtype::F16, Dtype::BF16,
                      Dtype::I32, Dtype::I64, Dtype::Bool, Dtype::I8}) {
    for (const SmallVector<int64_t> &shape :
         {SmallVector<int64_t>{}, {1}, {6}, {2, 3}, {0, 7}, {1, 2, 1, 3}}) {
      HostTensor tensor = cantFail(HostTensor::create(dtype, shape));
      for (int64_t i = 0; i < tensor.numElements(); ++i)
        tensor.set(i, double(i % 2));
      ASSERT_EQ(toString(writeNpy(file, tensor)), "");
      Expected<HostTensor> back = readNpy(file, dtype);
      ASSERT_TRUE(bool(back)) << toString(back.takeError());
      EXPECT_EQ(back->dtype(), dtype);
      EXPECT_EQ(back->shape(), tensor.shape());
      EXPECT_EQ(back->bytes(), tensor.bytes());
      EXPECT_EQ((readFile(file).size() - tensor.numBytes()) % 64, 0u);
    }
  }
  EXPECT_EQ(dir.numFiles(), 1u);
}

TEST_F(Npy, TheHeaderIsNumPys) {
  std::string file = dir.path("out.npy");
  HostTensor tensor = cantFail(HostTensor::create(Dtype::F32, {2}));
  ASSERT_EQ(toString(writeNpy(file, tensor)), "");
  std::string header =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  header.resize(117, ' ');
  EXPECT_EQ(readFile(file), npy(header + "\n", std::string(8, '\0')));
}

TEST_F(Npy, AVeryLongHeaderIsVersion2) {
  std::string file = dir.path("out.npy");
  HostTensor tensor =
      cantFail(HostTensor::create(Dtype::F32, std::vector<int64_t>(30000, 1)));
  ASSERT_EQ(toString(writeNpy(file, tensor)), "");
  EXPECT_EQ(readFile(file)[6], 2);
  EXPECT_EQ(cantFail(readNpy(file)).rank(), 30000);
}

TEST_F(Npy, Versions) {
  std::string data = bytesOf<float>({1, NAN});
  for (int version : {1, 2, 3})
    EXPECT_EQ(readOk(npy(dictionary("'<f4'", "(2,)"), data, version)).get(0),
              1);
  EXPECT_EQ(errorOf(npy(dictionary("'<f4'", "(2,)"), data, 4)),
            "expected version 1.0, 2.0 or 3.0 but got 4.0");
}

TEST_F(Npy, Spellings) {
  std::string data = bytesOf<float>({1, 2});
  for (const char *header :
       {"{'shape':(1,2),'fortran_order':False,'descr':'<f4'}",
        "{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (1L, 2L)}  ",
        " { 'descr' : '=f4' , 'fortran_order' : False , 'shape' : ( 1 , 2 , ) "
        "}"})
    EXPECT_EQ(readOk(npy(header, data)).typeText(), "tensor<1x2xf32>");
  EXPECT_EQ(readOk(npy(dictionary("'|b1'", "(2,)"), std::string("\0\1", 2)))
                .typeText(),
            "tensor<2xi1>");
  EXPECT_EQ(readOk(npy(dictionary("'<f4'", "()"), bytesOf<float>({4}))).rank(),
            0);
}

TEST_F(Npy, Bfloat16OnlyWhereExpected) {
  std::string file =
      npy(dictionary("'<u2'", "(1,)"), bytesOf<uint16_t>({0x3F80}));
  EXPECT_EQ(readOk(file, Dtype::BF16).get(0), 1);
  EXPECT_EQ(readOk(npy(dictionary("'|V2'", "(1,)"), std::string("\x80\x3F")),
                   Dtype::BF16)
                .get(0),
            1);
  EXPECT_EQ(errorOf(file), "'<u2' is read as bf16 where that is expected, but "
                           "here no element type is known");
  EXPECT_EQ(errorOf(file, Dtype::F16),
            "expected elements of f16 ('<f2') but got '<u2'");
}

TEST_F(Npy, ElementTypes) {
  EXPECT_EQ(errorOf(npy(dictionary("'<f8'", "(1,)"), bytesOf<double>({1})),
                    Dtype::F32),
            "expected elements of f32 ('<f4') but got '<f8'");
  EXPECT_EQ(errorOf(npy(dictionary("'>f4'", "(1,)"), "1234")),
            "expected little-endian data but got '>f4'; convert it with "
            "x.astype('<f4')");
  EXPECT_EQ(
      errorOf(npy(dictionary("'<c8'", "(1,)"), "12345678")),
      "expected an element type f32, f64, f16, i8, i32, i64, bool, or bf16 as "
      "'<u2', but got '<c8'");
  EXPECT_EQ(errorOf(npy(dictionary("[('a', '<f4')]", "(1,)"), "1234")),
            "expected a plain element type, not a structured one, but got "
            "'[('a', '<f4')], 'for' in the header");
  EXPECT_EQ(errorOf(npy(dictionary("'|b1'", "(2,)"), std::string("\1\2", 2))),
            "expected booleans of 0 or 1 but element 1 is 2");
}

TEST_F(Npy, FortranOrder) {
  EXPECT_EQ(errorOf(npy(dictionary("'<f4'", "(2, 2)", "True"),
                        std::string(16, '\0'))),
            "expected C order but got Fortran order; save "
            "numpy.ascontiguousarray(x) instead");
  EXPECT_EQ(
      readOk(npy(dictionary("'<f4'", "(1, 2)", "True"), bytesOf<float>({1, 2})))
          .get(1),
      2)
      << "the orders of a vector are the same";
}

TEST_F(Npy, Sizes) {
  EXPECT_EQ(errorOf(npy(dictionary("'<f4'", "(2, 3)"), std::string(23, 'x'))),
            "expected 6 elements of 4 bytes for tensor<2x3xf32> but got 23 "
            "bytes of data");
  EXPECT_EQ(errorOf(npy(dictionary("'<f4'", "(2, 3)"), std::string(28, 'x'))),
            "expected 6 elements of 4 bytes for tensor<2x3xf32> but got 28 "
            "bytes of data");
  EXPECT_EQ(errorOf(npy(dictionary("'<f4'", "(4294967296, 4294967296)"), "")),
            "the number of elements does not fit in 63 bits: "
            "4294967296x4294967296");
  EXPECT_EQ(errorOf(npy(dictionary("'<f8'", "(9223372036854775807,)"), "")),
            "expected 9223372036854775807 elements of 8 bytes for "
            "tensor<9223372036854775807xf64> but got 0 bytes of data");
  EXPECT_EQ(errorOf(npy(dictionary("'<f4'", "(9223372036854775808,)"), "")),
            "expected a dimension of 0 or more and below 2^63 but got "
            "'9223372036854775808,' in the header");
}

TEST_F(Npy, BadHeaders) {
  const char *noNpy = "it is no .npy file: expected it to begin with "
                      "'\\x93NUMPY' and a version";
  EXPECT_EQ(errorOf(""), noNpy);
  EXPECT_EQ(errorOf("\x93NUMPY\x01"), noNpy);
  EXPECT_EQ(errorOf("PK\x03\x04 this is a zip"), noNpy);
  EXPECT_EQ(errorOf(std::string("\x93NUMPY\x02\0\xFF\xFF", 10)),
            "the file ends within the header's length");
  EXPECT_EQ(errorOf(std::string("\x93NUMPY\x01\0\xFF\xFF{}", 12)),
            "expected a header of 65535 bytes but the file has only 2 more");
  EXPECT_EQ(errorOf(npy("", "")),
            "expected a dictionary but got '' in the header");
  EXPECT_EQ(errorOf(npy("{'descr': '<f4'}", "")),
            "expected the keys 'descr', 'fortran_order' and 'shape' in the "
            "header but 'fortran_order' is missing");
  EXPECT_EQ(errorOf(npy("{'\n\xFF': 1}", "")),
            "unexpected key '?\?' in the header");
  EXPECT_EQ(errorOf(npy("{'x': 1}", "")), "unexpected key 'x' in the header");
  EXPECT_EQ(errorOf(npy("{'descr': '<f4', 'descr': '<f4'}", "")),
            "duplicate key 'descr' in the header");
  EXPECT_EQ(errorOf(npy("{'descr': '<f4", "")),
            "expected a string but got '<f4' in the header");
  EXPECT_EQ(errorOf(npy("{'fortran_order': 0}", "")),
            "expected True or False but got '0}' in the header");
  EXPECT_EQ(errorOf(npy("{'shape': 5}", "")),
            "expected a shape such as (3, 4) but got '5}' in the header");
  EXPECT_EQ(errorOf(npy("{'shape': (-1,)}", "")),
            "expected a dimension of 0 or more and below 2^63 but got '-1,)}' "
            "in the header");
  EXPECT_EQ(errorOf(npy("{'shape': (1 2)}", "")),
            "expected ',' or ')' but got '2)}' in the header");
  EXPECT_EQ(errorOf(npy("{'shape': (1", "")),
            "expected ',' or ')' but got '' in the header");
  EXPECT_EQ(errorOf(npy("{'shape' (1)}", "")),
            "expected ':' but got '(1)}' in the header");
  EXPECT_EQ(errorOf(npy(dictionary("'<f4'", "(1,)") + "{}", "1234")),
            "expected the end of the header but got '{}' in the header");
}

TEST_F(Npy, MissingFiles) {
  std::string missing = dir.path("missing.npy");
  EXPECT_EQ(toString(readNpy(missing).takeError()),
            "cannot read '" + missing + "': No such file or directory");
  EXPECT_EQ(toString(writeNpy(dir.path("no/x.npy"), HostTensor())),
            "cannot write '" + dir.path("no/x.npy") +
                "': No such file or directory");
}
