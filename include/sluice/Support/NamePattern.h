//===- NamePattern.h - Names of checkpoint tensors with numbers -*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Published checkpoints store each expert's matrices under a name of its own.
// A pattern such as "layers.3.experts.{e}.up.weight" names all of them; the
// tensors are stacked along one new leading dimension per placeholder, in the
// order of the placeholders. "{e+8}" counts from 8.
//
// The runtime and the compiler read patterns with this same code, so it uses
// the standard library only. It is compiled into the archive SluiceRuntime.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_SUPPORT_NAMEPATTERN_H
#define SLUICE_SUPPORT_NAMEPATTERN_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

class NamePattern {
public:
  struct Placeholder {
    /// An identifier; no two placeholders of a pattern share it.
    std::string name;
    /// The number that index 0 stands for.
    int64_t first = 0;
  };

  /// Parses `text`. Braces only occur in placeholders: a name, then possibly
  /// "+" and a decimal number below 10^15. On failure returns nothing and says
  /// in `error` what was expected.
  static std::optional<NamePattern> parse(std::string_view text,
                                          std::string &error);

  /// The pattern as it was written.
  const std::string &text() const { return source; }
  const std::vector<Placeholder> &placeholders() const { return holders; }

  /// The name for `indices`, one per placeholder, each counted from 0.
  std::string substitute(const std::vector<int64_t> &indices) const;

private:
  std::string source;
  /// The text before, between and after the placeholders.
  std::vector<std::string> texts;
  std::vector<Placeholder> holders;
};

} // namespace sluice

#endif // SLUICE_SUPPORT_NAMEPATTERN_H
