//===- Reduce.h - Makes a failing case smaller ------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TEST_FUZZ_REDUCE_H
#define SLUICE_TEST_FUZZ_REDUCE_H

#include "llvm/ADT/STLFunctionalExtras.h"

#include <cstdint>
#include <vector>

namespace sluice {

using Choices = std::vector<uint64_t>;

/// Choices with which `stillFails`, fewer and smaller than `choices`, with which
/// it does. Runs are cut out and choices made smaller until nothing more can be
/// done or `attempts` calls are used up.
Choices reduceChoices(Choices choices, unsigned attempts,
                      llvm::function_ref<bool(Choices &)> stillFails);

} // namespace sluice

#endif // SLUICE_TEST_FUZZ_REDUCE_H
