//===- Json.cpp - Reading and writing the runtime's JSON --------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Json.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <limits>

using namespace sluice::rt;

namespace {

/// Builds the tree from RapidJSON's events. (RapidJSON's own tree is not used:
/// the header that distributions have does not compile with current clang.)
class TreeBuilder {
public:
  using Ch = char;

  bool Null() { return add(JsonValue::Null) != nullptr; }
  bool Bool(bool b) {
    JsonValue *value = add(JsonValue::Bool);
    return value && (value->boolean = b, true);
  }
  bool Int(int i) { return Int64(i); }
  bool Uint(unsigned i) { return Int64(i); }
  bool Int64(int64_t i) {
    JsonValue *value = add(JsonValue::Integer);
    return value && (value->integer = i, true);
  }
  bool Uint64(uint64_t i) {
    if (i > uint64_t(std::numeric_limits<int64_t>::max())) {
      problem = "expected an integer below 2^63 but got " + std::to_string(i);
      return false;
    }
    return Int64(int64_t(i));
  }
  bool Double(double d) {
    JsonValue *value = add(JsonValue::Double);
    return value && (value->number = d, true);
  }
  bool RawNumber(const char *, rapidjson::SizeType, bool) { return false; }
  bool String(const char *text, rapidjson::SizeType length, bool) {
    JsonValue *value = add(JsonValue::String);
    return value && (value->string.assign(text, length), true);
  }
  bool Key(const char *text, rapidjson::SizeType length, bool) {
    open.back()->members.emplace_back(std::string(text, length), JsonValue());
    return true;
  }
  bool StartObject() { return start(JsonValue::Object); }
  bool EndObject(rapidjson::SizeType) { return end(); }
  bool StartArray() { return start(JsonValue::Array); }
  bool EndArray(rapidjson::SizeType) { return end(); }

  JsonValue root;
  std::string problem;

private:
  JsonValue *add(JsonValue::Kind kind) {
    JsonValue *value = &root;
    if (!open.empty()) {
      JsonValue &parent = *open.back();
      value = parent.kind == JsonValue::Object
                  ? &parent.members.back().second
                  : &parent.elements.emplace_back();
    }
    value->kind = kind;
    return value;
  }
  bool start(JsonValue::Kind kind) {
    // Freeing the tree recurses, so its depth has to have a limit.
    constexpr size_t maxDepth = 32;
    if (open.size() == maxDepth) {
      problem =
          "expected at most " + std::to_string(maxDepth) + " levels of nesting";
      return false;
    }
    open.push_back(add(kind));
    return true;
  }
  bool end() {
    open.pop_back();
    return true;
  }

  /// Objects and arrays that are not closed yet. A vector of siblings only
  /// grows while none of its elements is open, so the pointers stay valid.
  std::vector<JsonValue *> open;
};

} // namespace

const JsonValue *JsonValue::find(std::string_view key) const {
  for (const auto &[name, value] : members)
    if (name == key)
      return &value;
  return nullptr;
}

const char *sluice::rt::describe(JsonValue::Kind kind) {
  switch (kind) {
  case JsonValue::Null:
    return "null";
  case JsonValue::Bool:
    return "a boolean";
  case JsonValue::Integer:
    return "an integer";
  case JsonValue::Double:
    return "a number with a fraction or an exponent";
  case JsonValue::String:
    return "a string";
  case JsonValue::Array:
    return "an array";
  case JsonValue::Object:
    return "an object";
  }
  return "nothing";
}

std::optional<JsonValue> sluice::rt::parseJson(std::string_view text,
                                               std::string &error) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  TreeBuilder builder;
  // Iterative: nesting in the text must not use the stack.
  auto result =
      reader.Parse<rapidjson::kParseIterativeFlag |
                   rapidjson::kParseValidateEncodingFlag>(stream, builder);
  if (result.IsError()) {
    error = builder.problem;
    if (error.empty()) {
      error = rapidjson::GetParseError_En(result.Code());
      error[0] = char(error[0] >= 'A' && error[0] <= 'Z' ? error[0] - 'A' + 'a'
                                                         : error[0]);
      while (!error.empty() && error.back() == '.')
        error.pop_back();
    }
    error += " at byte " + std::to_string(result.Offset());
    return std::nullopt;
  }
  // A NUL byte ends the text for RapidJSON.
  if (stream.Tell() != text.size()) {
    error = "unexpected NUL byte at byte " + std::to_string(stream.Tell());
    return std::nullopt;
  }
  return std::move(builder.root);
}

std::string sluice::rt::toJsonString(std::string_view text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(text.data(), rapidjson::SizeType(text.size()));
  return std::string(buffer.GetString(), buffer.GetSize());
}
