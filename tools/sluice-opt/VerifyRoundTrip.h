//===- VerifyRoundTrip.h - Prints and parses after passes -------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TOOLS_SLUICE_OPT_VERIFYROUNDTRIP_H
#define SLUICE_TOOLS_SLUICE_OPT_VERIFYROUNDTRIP_H

#include <atomic>

namespace mlir {
class PassManager;
} // namespace mlir

namespace sluice {

/// After each pass: what it was run on is printed and written as bytecode, read
/// again, and compared. What does not survive is reported as an error at the op,
/// with the pass's name, and sets `failed`, which must outlive `pm`.
void verifyRoundTripOfEachPass(mlir::PassManager &pm,
                               std::atomic<bool> &failed);

} // namespace sluice

#endif // SLUICE_TOOLS_SLUICE_OPT_VERIFYROUNDTRIP_H
