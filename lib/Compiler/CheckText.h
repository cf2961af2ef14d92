//===- CheckText.h - What MLIR's parser cannot take -------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_COMPILER_CHECKTEXT_H
#define SLUICE_LIB_COMPILER_CHECKTEXT_H

#include "llvm/ADT/StringRef.h"

#include <optional>
#include <string>

namespace sluice {

struct TextProblem {
  const char *at = nullptr;
  std::string message;
};

/// The first place of a model's text at which MLIR's parser would overflow the
/// stack or crash instead of reporting an error. Text that the parser accepts
/// has none, except for nesting that no model needs.
std::optional<TextProblem> findTextProblem(llvm::StringRef text);

} // namespace sluice

#endif // SLUICE_LIB_COMPILER_CHECKTEXT_H
