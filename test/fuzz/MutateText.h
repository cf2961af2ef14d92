//===- MutateText.h - Changes of model files that often parse ---*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Text with a byte changed hardly ever parses. These change lines and words, so
// that names still resolve and types are still types.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TEST_FUZZ_MUTATETEXT_H
#define SLUICE_TEST_FUZZ_MUTATETEXT_H

#include "../tools/sluice-fuzz/Random.h"

#include <string>
#include <string_view>

namespace sluice::fuzz {

/// Makes one to three changes.
void mutateText(std::string &text, Random &random);

/// Lines of `second` in the midst of `first`.
std::string spliceText(std::string_view first, std::string_view second,
                       Random &random);

} // namespace sluice::fuzz

#endif // SLUICE_TEST_FUZZ_MUTATETEXT_H
