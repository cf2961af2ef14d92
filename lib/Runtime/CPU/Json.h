//===- Json.h - Reading and writing the runtime's JSON ----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_RUNTIME_CPU_JSON_H
#define SLUICE_LIB_RUNTIME_CPU_JSON_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::rt {

/// A JSON value. Members keep the order, and the repetitions, of the text.
struct JsonValue {
  enum Kind { Null, Bool, Integer, Double, String, Array, Object };

  Kind kind = Null;
  bool boolean = false;
  int64_t integer = 0;
  double number = 0;
  std::string string;
  std::vector<JsonValue> elements;
  std::vector<std::pair<std::string, JsonValue>> members;

  /// The first member called `key`; nullptr too if this is not an object.
  const JsonValue *find(std::string_view key) const;
};

/// "an object", "an integer" ... for messages.
const char *describe(JsonValue::Kind kind);

/// Parses all of `text`, strictly: valid UTF-8, one value, nothing after it
/// but white space, integers of 64 bits with sign, at most 32 levels deep. On
/// failure returns nothing and says in `error` what is wrong, with the offset.
std::optional<JsonValue> parseJson(std::string_view text, std::string &error);

/// `text` as a JSON string with its quotation marks.
std::string toJsonString(std::string_view text);

} // namespace sluice::rt

#endif // SLUICE_LIB_RUNTIME_CPU_JSON_H
