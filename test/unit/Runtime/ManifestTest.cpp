//===- ManifestTest.cpp - Tests of models' manifests ------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestFiles.h"

#include "sluice-c/Runtime.h"

#include <gtest/gtest.h>

using namespace sluice::test;

static void doNothing(void **) {}

/// The error of creating a model from `manifest`; empty if there is none.
static std::string errorOf(const std::string &manifest,
                           const char *weights = nullptr) {
  sluice_packed_fn functions[] = {doNothing, doNothing};
  sluice_model *model = nullptr;
  sluice_error error = {};
  int result =
      sluice_model_create(manifest.c_str(), functions, weights, &model, &error);
  EXPECT_EQ(result == 0, model != nullptr);
  sluice_model_destroy(model);
  return result == 0 ? "" : error.message;
}

/// A manifest with more members.
static std::string with(const std::string &members) {
  return "{\"sluice_manifest\":1,\"state_size\":16," + members + "}";
}

static std::string function(const std::string &inputs,
                            const std::string &rest = "") {
  return "\"functions\":[{\"name\":\"f\",\"inputs\":[" + inputs +
         "],\"results\":[]" + rest + "}]";
}

static std::string counter(const std::string &at, const std::string &name) {
  return "\"counters\":[{\"function\":\"" + name +
         "\",\"op\":\"o\",\"where\":\"w\",\"at\":" + at +
         ",\"experts\":2,\"multiply_adds_per_entry\":1,"
         "\"weight_bytes_per_expert\":1}]";
}

TEST(Manifest, Minimal) {
  EXPECT_EQ(errorOf(with("\"functions\":[]")), "");
  EXPECT_EQ(errorOf(with(function(""))), "");
  EXPECT_EQ(errorOf(with(function("{\"dtype\":\"i1\",\"shape\":[-1]}"))), "");
}

TEST(Manifest, Syntax) {
  EXPECT_EQ(errorOf("{"), "the model's manifest is not valid JSON: missing a "
                          "name for object member at byte 1");
  EXPECT_EQ(errorOf("[]"), "manifest: expected an object but got an array");
  EXPECT_EQ(errorOf("{}"), "manifest: expected a member 'sluice_manifest'");
  EXPECT_EQ(errorOf("{\"sluice_manifest\":2}"),
            "manifest.sluice_manifest: expected an integer from 1 to 1 but got "
            "2");
  EXPECT_EQ(errorOf("{\"sluice_manifest\":1,\"state_size\":-1}"),
            "manifest.state_size: expected an integer from 0 to 4294967296 but "
            "got -1");
  EXPECT_EQ(errorOf(with("\"name\":3,\"functions\":[]")),
            "manifest.name: expected a string but got an integer");
  EXPECT_EQ(errorOf(with("\"weights\":{},\"functions\":[]")),
            "manifest.weights: expected an array but got an object");
}

TEST(Manifest, Functions) {
  EXPECT_EQ(errorOf(with("\"name\":\"m\"")),
            "manifest: expected a member 'functions'");
  EXPECT_EQ(errorOf(with("\"functions\":[1]")),
            "manifest.functions[0]: expected an object but got an integer");
  EXPECT_EQ(errorOf(with(function("{\"dtype\":\"f8\",\"shape\":[]}"))),
            "manifest.functions[0].inputs[0].dtype: expected f32, f64, f16, "
            "bf16, i8, i32, i64 or bool but got 'f8'");
  EXPECT_EQ(errorOf(with(function("{\"dtype\":\"f32\",\"shape\":[-2]}"))),
            "manifest.functions[0].inputs[0].shape: expected dimensions of at "
            "least -1");
  EXPECT_EQ(
      errorOf(
          with(function("{\"dtype\":\"f32\",\"shape\":[1,1,1,1,1,1,1,1,1]}"))),
      "manifest.functions[0].inputs[0].shape: expected at most 8 dimensions "
      "but got 9");
  EXPECT_EQ(errorOf(with(function("", ",\"weights\":[0]"))),
            "manifest.functions[0].weights: expected indices of the model's 0 "
            "weights");
}

TEST(Manifest, Panels) {
  auto weight = [](const std::string &shape, const std::string &panels) {
    return errorOf(with("\"weights\":[{\"symbol\":\"s\",\"tensor\":\"t\","
                        "\"dtype\":\"f32\",\"shape\":[" +
                        shape + "],\"panels\":" + panels +
                        "}],\"functions\":[]"));
  };
  std::string at = "manifest.weights[0].panels";
  EXPECT_EQ(weight("2,3", "1"), at + ": expected an object but got an integer");
  EXPECT_EQ(weight("2,3", "{\"of\":\"out_in\"}"),
            at + ": expected a member 'width'");
  EXPECT_EQ(weight("2,3", "{\"width\":0,\"of\":\"out_in\"}"),
            at + ".width: expected an integer from 1 to 1024 but got 0");
  EXPECT_EQ(weight("2,3", "{\"width\":16,\"of\":\"panels\"}"),
            at + ".of: expected out_in or in_out but got 'panels'");
  EXPECT_EQ(weight("2", "{\"width\":16,\"of\":\"in_out\"}"),
            at + ": expected a weight of at least 2 dimensions, and of at most "
                 "8 when it is packed, but got 1");
}

TEST(Manifest, PanelsOfSmallNumbers) {
  // A model without its weights is refused after the manifest was read.
  std::string fine = "model '' has 1 weights but no weight file was given; "
                     "name the safetensors file that holds them";
  auto weight = [](const std::string &shape, const std::string &members,
                   const std::string &dtype = "i8",
                   const std::string &of = "out_in") {
    return errorOf(with("\"weights\":[{\"symbol\":\"s\",\"tensor\":\"t\","
                        "\"dtype\":\"" +
                        dtype + "\",\"shape\":[" + shape +
                        "],\"panels\":{\"width\":16,\"of\":\"" + of + "\"" +
                        members + "}}],\"functions\":[]"));
  };
  std::string at = "manifest.weights[0].panels";
  std::string by = ",\"by\":4", halves = by + ",\"bits\":4";
  EXPECT_EQ(weight("24,8", by), fine);
  EXPECT_EQ(weight("24,4", halves), fine);
  EXPECT_EQ(weight("24,3", ",\"bits\":4"), fine);
  EXPECT_EQ(weight("4,24,2,6", halves + ",\"dims\":3"), fine);
  EXPECT_EQ(weight("8,24", by, "f32", "in_out"), fine);
  // What fills up a line of floats is 0.
  EXPECT_EQ(weight("24,7", ",\"by\":2", "bf16"), fine);
  EXPECT_EQ(weight("7,24", ",\"by\":2", "f16", "in_out"), fine);
  // No numbers at all, and more than fit into 64 bits.
  EXPECT_EQ(weight("24,0", halves), fine);
  EXPECT_EQ(weight("24,4611686018427387904,4,4", halves + ",\"dims\":4"), fine);

  EXPECT_EQ(weight("24,8", ",\"by\":0"),
            at + ".by: expected an integer from 1 to 64 but got 0");
  EXPECT_EQ(weight("24,8", ",\"by\":\"4\""),
            at + ".by: expected an integer but got a string");
  EXPECT_EQ(weight("24,8", ",\"bits\":2"),
            at + ".bits: expected an integer from 4 to 4 but got 2");
  EXPECT_EQ(weight("24,8", ",\"dims\":1"),
            at + ".dims: expected an integer from 2 to 8 but got 1");
  EXPECT_EQ(weight("24,8", ",\"dims\":9"),
            at + ".dims: expected an integer from 2 to 8 but got 9");
  std::string order = at +
                      ".of: expected out_in for matrices of several "
                      "dimensions and for numbers of 4 bits but got in_out";
  EXPECT_EQ(weight("8,8", halves, "i8", "in_out"), order);
  EXPECT_EQ(weight("8,8,8", ",\"dims\":3", "i8", "in_out"), order);
  EXPECT_EQ(weight("24,8", halves, "f32"),
            at + ".bits: expected bytes, which hold two numbers each");
  EXPECT_EQ(weight("24,8", ",\"dims\":3"),
            at + ": expected a weight of at least 3 dimensions, and of at most "
                 "8 when it is packed, but got 2");
  EXPECT_EQ(weight("1,1,1,1,1,24,8", by),
            at + ": expected a weight of at least 2 dimensions, and of at most "
                 "8 when it is packed, but got 7");
  std::string four = at + ".by: expected a number of inputs that is a multiple "
                          "of 4, which lie side by side";
  EXPECT_EQ(weight("24,6", by), four);
  EXPECT_EQ(weight("6,24", by, "i8", "in_out"), four);
  EXPECT_EQ(weight("24,2,3", halves + ",\"dims\":3"),
            at + ".by: expected a number of inputs that is a multiple of 8, "
                 "which lie side by side");
}

TEST(Manifest, Counters) {
  EXPECT_EQ(errorOf(with(function("") + "," + counter("9", "f"))), "");
  // A private function, which the manifest does not list.
  EXPECT_EQ(errorOf(with(function("") + "," + counter("9", "g"))), "");
  EXPECT_EQ(errorOf(with(function("") + "," + counter("10", "f"))),
            "manifest.counters[0]: expected the counters to end within the "
            "state of 16 numbers");
  EXPECT_EQ(errorOf(with(function("") + "," + counter("7", "f"))),
            "manifest.counters[0].at: expected an integer from 8 to 16 but got "
            "7");
}

TEST(Manifest, SameSizes) {
  auto same = [](const std::string &numbers) {
    return errorOf(with(function("{\"dtype\":\"f32\",\"shape\":[-1,2]},"
                                 "{\"dtype\":\"f32\",\"shape\":[-1]}",
                                 ",\"same_sizes\":[{" + numbers + "}]")));
  };
  EXPECT_EQ(same("\"input\":1,\"dimension\":0,\"earlier_input\":0,"
                 "\"earlier_dimension\":0"),
            "");
  EXPECT_EQ(same("\"input\":2,\"dimension\":0,\"earlier_input\":0,"
                 "\"earlier_dimension\":0"),
            "manifest.functions[0].same_sizes[0].input: expected an integer "
            "from 0 to 1 but got 2");
  EXPECT_EQ(
      same("\"input\":1,\"dimension\":1,\"earlier_input\":0,"
           "\"earlier_dimension\":0"),
      "manifest.functions[0].same_sizes[0].dimension: expected an integer "
      "from 0 to 0 but got 1");
}

TEST(Manifest, Failures) {
  std::string failure = "\"failures\":[{\"code\":1,\"kind\":\"k\",\"where\":"
                        "\"w\",\"tolerance\":";
  EXPECT_EQ(errorOf(with(function("") + "," + failure + "1}]")), "");
  EXPECT_EQ(errorOf(with(function("") + "," + failure + "null}]")), "");
  EXPECT_EQ(errorOf(with(function("") + "," + failure + "\"1\"}]")),
            "manifest.failures[0].tolerance: expected a number but got a "
            "string");
}

TEST(Manifest, NullPointers) {
  sluice_model *model = nullptr;
  sluice_error error;
  sluice_packed_fn none[] = {nullptr};
  EXPECT_EQ(sluice_model_create(nullptr, none, nullptr, &model, &error), 1);
  EXPECT_EQ(sluice_model_create(with(function("")).c_str(), none, nullptr,
                                &model, &error),
            1);
  EXPECT_STREQ(error.message,
               "expected the code of function 'f' but got a null pointer");
}

TEST(Manifest, Weights) {
  TempDir dir;
  std::string file = dir.write(
      "w.safetensors",
      SafetensorsBuilder().add("a", "F32", "[1]", bytesOf<float>({1})).build());
  auto manifest = [](const char *tensor) {
    return with("\"name\":\"m\",\"weights\":[{\"symbol\":\"s\",\"tensor\":\"" +
                std::string(tensor) + "\",\"dtype\":\"f32\",\"shape\":[1]}]," +
                function(""));
  };
  EXPECT_EQ(errorOf(manifest("a"), file.c_str()), "");
  EXPECT_EQ(errorOf(manifest("a")),
            "model 'm' has 1 weights but no weight file was given; name the "
            "safetensors file that holds them");
  EXPECT_EQ(errorOf(manifest("b"), file.c_str()),
            "weight @s: '" + file +
                "': no tensor 'b' among the 1 tensors of the file; the closest "
                "name is 'a'");
  EXPECT_EQ(errorOf(manifest("a"), "no.safetensors"),
            "cannot read weight file 'no.safetensors': No such file or "
            "directory");
}
