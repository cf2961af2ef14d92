//===- SafetensorsTest.cpp - Tests of the reader of weight files --*- C++
//-*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestFiles.h"

#include "sluice-c/Runtime.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

using namespace sluice::test;

namespace {

struct Close {
  void operator()(sluice_weights *weights) const {
    sluice_weights_close(weights);
  }
};
using Weights = std::unique_ptr<sluice_weights, Close>;

class Safetensors : public ::testing::Test {
protected:
  Weights open(const std::string &contents) {
    path = dir.write("w.safetensors", contents);
    sluice_weights *weights = nullptr;
    sluice_error error;
    EXPECT_EQ(sluice_weights_open(path.c_str(), &weights, &error), 0)
        << error.message;
    return Weights(weights);
  }

  /// The problem, without the file's name that begins the message.
  std::string openError(const std::string &contents) {
    path = dir.write("bad.safetensors", contents);
    sluice_weights *weights = nullptr;
    sluice_error error = {};
    EXPECT_EQ(sluice_weights_open(path.c_str(), &weights, &error), 1);
    EXPECT_EQ(weights, nullptr);
    return withoutPrefix(error.message, "weight file '" + path + "': ");
  }

  std::string loadError(const Weights &weights, const char *pattern,
                        sluice_dtype dtype, std::vector<int64_t> shape) {
    sluice_tensor tensor = {};
    sluice_error error = {};
    EXPECT_EQ(sluice_weights_load(weights.get(), pattern, dtype,
                                  int32_t(shape.size()), shape.data(), &tensor,
                                  &error),
              1);
    EXPECT_EQ(tensor.data, nullptr);
    return withoutPrefix(error.message, "'" + path + "': ");
  }

  static std::string withoutPrefix(const std::string &message,
                                   const std::string &prefix) {
    EXPECT_EQ(message.substr(0, prefix.size()), prefix);
    return message.substr(std::min(prefix.size(), message.size()));
  }

  /// Loads and copies the elements.
  template <typename T>
  std::vector<T> load(const Weights &weights, const char *pattern,
                      sluice_dtype dtype, std::vector<int64_t> shape) {
    sluice_tensor tensor = {};
    sluice_error error = {};
    EXPECT_EQ(sluice_weights_load(weights.get(), pattern, dtype,
                                  int32_t(shape.size()), shape.data(), &tensor,
                                  &error),
              0)
        << error.message;
    int64_t bytes = 0;
    EXPECT_EQ(sluice_tensor_num_bytes(&tensor, &bytes, nullptr), 0);
    copied = tensor.allocation != nullptr;
    EXPECT_EQ(uintptr_t(tensor.data) % sizeof(T), 0u);
    std::vector<T> values(size_t(bytes) / sizeof(T));
    if (bytes != 0)
      std::memcpy(values.data(), tensor.data, size_t(bytes));
    sluice_tensor_free(&tensor);
    return values;
  }

  TempDir dir;
  std::string path;
  bool copied = false;
};

std::string header(const std::string &dtype, const std::string &shape,
                   const std::string &offsets) {
  return "{\"a\":{\"dtype\":" + dtype + ",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}}";
}

} // namespace

TEST_F(Safetensors, ListsTensors) {
  Weights weights = open(SafetensorsBuilder()
                             .add("b", "F32", "[2,1]", bytesOf<float>({1, 2}))
                             .add("a", "F8_E4M3", "[3]", "xyz")
                             .add("n", "NEW_TYPE", "[1,1,1,1,1,1,1,1,1]", "q")
                             .build());
  EXPECT_EQ(sluice_weights_count(weights.get()), 3);
  sluice_weight_info info;
  ASSERT_EQ(sluice_weights_info(weights.get(), 0, &info, nullptr), 0);
  EXPECT_STREQ(info.name, "b");
  EXPECT_STREQ(info.dtype, "F32");
  EXPECT_EQ(std::vector<int64_t>(info.shape, info.shape + info.rank),
            (std::vector<int64_t>{2, 1}));
  ASSERT_EQ(sluice_weights_find(weights.get(), "a", &info, nullptr), 0);
  EXPECT_EQ(
      std::string(static_cast<const char *>(info.data), size_t(info.num_bytes)),
      "xyz");
  ASSERT_EQ(sluice_weights_find(weights.get(), "n", &info, nullptr), 0);
  EXPECT_EQ(info.rank, 9);
  sluice_error error;
  EXPECT_EQ(sluice_weights_info(weights.get(), 3, &info, &error), 1);
  EXPECT_EQ(sluice_weights_info(weights.get(), -1, &info, &error), 1);
}

TEST_F(Safetensors, EmptyFileOfTensorsAndMetadata) {
  EXPECT_EQ(sluice_weights_count(open(safetensors("{}", "")).get()), 0);
  EXPECT_EQ(
      sluice_weights_count(
          open(safetensors("{\"__metadata__\":{\"format\":\"pt\"}}  ", ""))
              .get()),
      0);
}

TEST_F(Safetensors, MapsWhereAlignedAndCopiesElsewhere) {
  std::vector<float> values{1, NAN, -INFINITY, 4};
  SafetensorsBuilder builder;
  builder.add("a", "F32", "[2,2]", bytesOf(values));
  for (size_t misalign : {0, 1, 4, 7}) {
    Weights weights = open(builder.build(misalign));
    auto loaded = load<float>(weights, "a", SLUICE_F32, {2, 2});
    EXPECT_EQ(copied, misalign % 4 != 0);
    EXPECT_EQ(bytesOf(loaded), bytesOf(values));
  }
}

TEST_F(Safetensors, StacksInOrder) {
  Weights weights = open(SafetensorsBuilder()
                             .add("x.10.w", "I32", "[1]", bytesOf<int>({10}))
                             .add("x.9.w", "I32", "[1]", bytesOf<int>({9}))
                             .add("x.8.w", "I32", "[1]", bytesOf<int>({8}))
                             .add("y.0.0", "I64", "[]", bytesOf<int64_t>({0}))
                             .add("y.0.1", "I64", "[]", bytesOf<int64_t>({1}))
                             .add("y.1.0", "I64", "[]", bytesOf<int64_t>({2}))
                             .add("y.1.1", "I64", "[]", bytesOf<int64_t>({3}))
                             .build(4));
  EXPECT_EQ(load<int>(weights, "x.{e+8}.w", SLUICE_I32, {3, 1}),
            (std::vector<int>{8, 9, 10}));
  EXPECT_TRUE(copied);
  EXPECT_EQ(load<int>(weights, "x.{e+9}.w", SLUICE_I32, {1, 1}),
            (std::vector<int>{9}));
  EXPECT_FALSE(copied) << "one aligned tensor needs no copy";
  EXPECT_EQ(load<int64_t>(weights, "y.{l}.{e}", SLUICE_I64, {2, 2}),
            (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_FALSE(copied) << "the tensors lie in order, and aligned, in the file";
  EXPECT_EQ(load<int64_t>(weights, "y.{l}.1", SLUICE_I64, {2}),
            (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(load<int>(weights, "x.{e}.w", SLUICE_I32, {0, 1}),
            std::vector<int>());
}

TEST_F(Safetensors, ZeroSizesAndEveryType) {
  Weights weights =
      open(SafetensorsBuilder()
               .add("zero", "F64", "[0,7]", "")
               .add("d", "F64", "[1]", bytesOf<double>({2.5}))
               .add("zero2", "F32", "[3,0]", "")
               .add("h", "F16", "[2]", bytesOf<uint16_t>({0x3C00, 0x7E00}))
               .add("b", "BF16", "[1]", bytesOf<uint16_t>({0x3F80}))
               .add("t", "BOOL", "[2]", std::string("\1\0", 2))
               .build());
  EXPECT_TRUE(load<double>(weights, "zero", SLUICE_F64, {0, 7}).empty());
  EXPECT_TRUE(load<float>(weights, "zero2", SLUICE_F32, {3, 0}).empty());
  EXPECT_EQ(load<double>(weights, "d", SLUICE_F64, {1})[0], 2.5);
  EXPECT_EQ(load<uint16_t>(weights, "h", SLUICE_F16, {2})[1], 0x7E00);
  EXPECT_EQ(load<uint16_t>(weights, "b", SLUICE_BF16, {1})[0], 0x3F80);
  EXPECT_EQ(load<uint8_t>(weights, "t", SLUICE_BOOL, {2})[0], 1);
}

TEST_F(Safetensors, FilesThatCannotBeMapped) {
  sluice_weights *weights = nullptr;
  sluice_error error;
  std::string missing = dir.path("missing.safetensors");
  EXPECT_EQ(sluice_weights_open(missing.c_str(), &weights, &error), 1);
  EXPECT_EQ(error.message, "cannot read weight file '" + missing +
                               "': No such file or directory");
  EXPECT_EQ(sluice_weights_open(dir.root.c_str(), &weights, &error), 1);
  EXPECT_EQ(error.message,
            "cannot read weight file '" + dir.root + "': it is a directory");
  std::string empty = dir.write("empty", "");
  EXPECT_EQ(sluice_weights_open(empty.c_str(), &weights, &error), 1);
  EXPECT_EQ(error.message,
            "cannot read weight file '" + empty + "': the file is empty");
  EXPECT_EQ(sluice_weights_open("/dev/null", &weights, &error), 1);
  EXPECT_EQ(sluice_weights_open(nullptr, &weights, &error), 1);
  EXPECT_EQ(sluice_weights_open(missing.c_str(), &weights, nullptr), 1);
}

TEST_F(Safetensors, HeaderLengths) {
  EXPECT_EQ(
      openError("1234567"),
      "expected the 8 bytes of a header's length but the file has 7 bytes");
  EXPECT_EQ(openError(std::string("\x03\0\0\0\0\0\0\0{}", 10)),
            "expected a header of at most 2 bytes but its length is given as 3 "
            "(is this a complete safetensors file?)");
  EXPECT_EQ(openError(std::string(8, '\xFF') + "{}"),
            "expected a header of at most 2 bytes but its length is given as "
            "18446744073709551615 (is this a complete safetensors file?)");
  EXPECT_EQ(openError(std::string(8, '\0')),
            "expected the header to be a JSON object that starts with '{' but "
            "it is empty");
}

TEST_F(Safetensors, HeaderSyntax) {
  const std::string notObject =
      "expected the header to be a JSON object that starts with '{' but got ";
  EXPECT_EQ(openError(safetensors("[]", "")), notObject + "'[]'");
  EXPECT_EQ(openError(safetensors(" {}", "")), notObject + "' {}'");
  EXPECT_EQ(openError(safetensors("{\"a\":", "")),
            "the header is not valid JSON: invalid value at byte 5 of the "
            "header");
  EXPECT_EQ(openError(safetensors("{} {}", "")),
            "the header is not valid JSON: the document root must not be "
            "followed by other values at byte 3 of the header");
  EXPECT_EQ(openError(safetensors(std::string("{}\0 ", 4), "")),
            "the header is not valid JSON: unexpected NUL byte at byte 2 of "
            "the header");
  EXPECT_EQ(openError(safetensors("{\"\xFF\":1}", "")),
            "the header is not valid JSON: invalid encoding in string at byte "
            "2 of the header");
  EXPECT_EQ(openError(safetensors("{\"a\":" + std::string(1000000, '['), "")),
            "the header is not valid JSON: expected at most 32 levels of "
            "nesting at byte 36 of the header");
  EXPECT_EQ(
      openError(safetensors(
          header("\"F32\"", "[18446744073709551615]", "[0,4]"), "1234")),
      "the header is not valid JSON: expected an integer below 2^63 but got "
      "18446744073709551615 at byte 29 of the header");
}

TEST_F(Safetensors, Entries) {
  EXPECT_EQ(openError(safetensors("{\"a\":1}", "")),
            "tensor 'a': expected an object but got an integer");
  EXPECT_EQ(openError(safetensors("{\"a\":{\"shape\":[],\"data_offsets\":[0,"
                                  "4]}}",
                                  "1234")),
            "tensor 'a': expected 'dtype' to be a string but it is missing");
  EXPECT_EQ(openError(safetensors(header("5", "[]", "[0,4]"), "1234")),
            "tensor 'a': expected 'dtype' to be a string but got an integer");
  EXPECT_EQ(openError(safetensors("{\"a\":{\"x\":1}}", "")),
            "tensor 'a': unexpected member 'x'");
  EXPECT_EQ(openError(safetensors("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}"
                                  "}",
                                  "")),
            "tensor 'a': duplicate member 'dtype'");
  const std::string shapes =
      "tensor 'a': expected the dimensions of 'shape' to be integers that are "
      "not negative but got ";
  EXPECT_EQ(openError(safetensors(header("\"F32\"", "[-1]", "[0,4]"), "1234")),
            shapes + "-1");
  EXPECT_EQ(openError(safetensors(header("\"F32\"", "[1.0]", "[0,4]"), "1234")),
            shapes + "a number that is no 64-bit integer");
  const std::string offsets = "tensor 'a': expected 'data_offsets' to be two "
                              "integers [begin, end] with "
                              "0 <= begin <= end but got ";
  const std::pair<const char *, const char *> badOffsets[] = {
      {"[0]", "[0]"},
      {"[4,0]", "[4, 0]"},
      {"[-4,0]", "[-4, 0]"},
      {"[0,4,8]", "[0, 4, 8]"},
      {"[\"0\",4]", "[a string, 4]"},
      {"[1,2,3,4,5]", "5 values"}};
  for (auto [bad, text] : badOffsets)
    EXPECT_EQ(openError(safetensors(header("\"F32\"", "[1]", bad), "1234")),
              offsets + text);
  EXPECT_EQ(openError(safetensors("{\"\\u0000\":{}}", "")),
            "tensor '?': its name contains a NUL")
      << "a message is one line of text";
  EXPECT_EQ(openError(safetensors("{\"__metadata__\":1}", "")),
            "expected one '__metadata__', an object");
}

TEST_F(Safetensors, SizesAndOffsets) {
  EXPECT_EQ(
      openError(safetensors(header("\"F32\"", "[2,2]", "[0,12]"),
                            std::string(12, 'x'))),
      "tensor 'a': tensor<2x2xF32> takes 16 bytes but 'data_offsets' give "
      "it 12");
  EXPECT_EQ(openError(safetensors(header("\"F4\"", "[3]", "[0,2]"), "xx")),
            "tensor 'a': tensor<3xF4> takes 2 bytes but 'data_offsets' give it "
            "2");
  EXPECT_EQ(
      openError(safetensors(
          header("\"F32\"", "[4294967296,4294967296]", "[0,4]"), "1234")),
      "tensor 'a': the size of tensor<4294967296x4294967296xF32> does not "
      "fit in 63 bits");
  EXPECT_EQ(openError(safetensors(header("\"F32\"", "[2]", "[0,8]"), "1234")),
            "tensor 'a' ends at byte 8 of the data, which has only 4 bytes (is "
            "the file complete?)");
  EXPECT_EQ(
      openError(safetensors(header("\"F32\"", "[1]", "[4,8]"), "12345678")),
      "tensor 'a' begins at byte 4 of the data but the start of the data "
      "leaves a gap from byte 0");
  EXPECT_EQ(openError(safetensors(header("\"F32\"", "[1]", "[0,4]"), "12345")),
            "the data has 5 bytes but the tensors end at byte 4");
  std::string entry = "{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":";
  EXPECT_EQ(
      openError(safetensors(
          "{\"a\":" + entry + "[0,2]},\"b\":" + entry + "[1,3]}}", "123")),
      "tensor 'b' begins at byte 1 of the data but 'a' overlaps it up to "
      "byte 2");
  EXPECT_EQ(
      openError(safetensors(
          "{\"a\":" + entry + "[0,2]},\"a\":" + entry + "[2,4]}}", "1234")),
      "duplicate tensor 'a'");
}

TEST_F(Safetensors, LoadErrors) {
  Weights weights =
      open(SafetensorsBuilder()
               .add("e.0.gate_proj", "F32", "[2,3]", std::string(24, '\0'))
               .add("e.1.gate_proj", "F32", "[3,2]", std::string(24, '\0'))
               .add("t", "BOOL", "[2]", std::string("\1\2", 2))
               .build());
  EXPECT_EQ(loadError(weights, "e.0.gate_prj", SLUICE_F32, {2, 3}),
            "no tensor 'e.0.gate_prj' among the 3 tensors of the file; the "
            "closest name is 'e.0.gate_proj'");
  EXPECT_EQ(loadError(weights, "e.{e+1}.gate_proj", SLUICE_F32, {2, 3, 2}),
            "no tensor 'e.2.gate_proj' among the 3 tensors of the file; the "
            "closest name is 'e.0.gate_proj'");
  EXPECT_EQ(loadError(weights, "e.{e}.gate_proj", SLUICE_F32, {2, 2, 3}),
            "tensor 'e.1.gate_proj': expected tensor<2x3xF32> but got "
            "tensor<3x2xF32>; declare the weight with the file's shape");
  EXPECT_EQ(loadError(weights, "e.0.gate_proj", SLUICE_BF16, {2, 3}),
            "tensor 'e.0.gate_proj': expected tensor<2x3xBF16> but got "
            "tensor<2x3xF32>; declare the weight with the file's element type");
  EXPECT_EQ(loadError(weights, "e.0.gate_proj", SLUICE_F32, {6}),
            "tensor 'e.0.gate_proj': expected tensor<6xF32> but got "
            "tensor<2x3xF32>; declare the weight with the file's shape");
  EXPECT_EQ(loadError(weights, "e.{a}.{b}", SLUICE_F32, {6}),
            "pattern 'e.{a}.{b}' has 2 placeholders, so it expects at least as "
            "many dimensions but got tensor<6xf32>");
  EXPECT_EQ(loadError(weights, "e.{", SLUICE_F32, {6}),
            "expected a placeholder such as {e} or {e+8} at offset 2 of 'e.{'");
  EXPECT_EQ(loadError(weights, "t", SLUICE_BOOL, {2}),
            "tensor 't': expected booleans of 0 or 1 but element 1 is 2");

  sluice_tensor tensor;
  sluice_error error;
  int64_t shape[9] = {-1, 1, 1, 1, 1, 1, 1, 1, 1};
  EXPECT_EQ(sluice_weights_load(weights.get(), "t", SLUICE_F32, 1, shape,
                                &tensor, &error),
            1);
  EXPECT_STREQ(error.message,
               "'t': expected a static shape but got tensor<?xf32>");
  EXPECT_EQ(sluice_weights_load(weights.get(), "t", SLUICE_F32, 9, shape,
                                &tensor, &error),
            1);
  EXPECT_STREQ(error.message, "'t': expected a rank of 0 to 8 but got 9");
  EXPECT_EQ(sluice_weights_load(weights.get(), "t", sluice_dtype(77), 1,
                                shape + 1, &tensor, &error),
            1);
  EXPECT_STREQ(error.message, "'t': expected a sluice_dtype but got 77");
  EXPECT_EQ(
      sluice_weights_load(nullptr, "t", SLUICE_F32, 1, shape, &tensor, nullptr),
      1);
}

TEST_F(Safetensors, ANameOfAnyLengthGivesAMessage) {
  Weights weights = open(SafetensorsBuilder()
                             .add(std::string(100000, 'n'), "U8", "[0]", "")
                             .build());
  std::string name(5000, 'n');
  std::string message = loadError(weights, name.c_str(), SLUICE_F32, {1});
  EXPECT_EQ(message, "no tensor '" + name.substr(0, 300) +
                         "...' among the 1 tensors of the file");
}
