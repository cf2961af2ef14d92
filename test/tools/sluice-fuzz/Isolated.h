//===- Isolated.h - Work in a process of its own ----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TEST_FUZZ_ISOLATED_H
#define SLUICE_TEST_FUZZ_ISOLATED_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <sys/types.h>

namespace sluice {

/// Calls `work` in a copy of this process. What it writes comes out at read().
/// A process that is copied must have no threads.
class IsolatedWork {
public:
  using Write = llvm::function_ref<void(llvm::StringRef)>;

  /// `seconds`: how long the work may last; 0 for any time.
  IsolatedWork(llvm::function_ref<void(Write)> work, unsigned seconds);
  IsolatedWork(const IsolatedWork &) = delete;
  IsolatedWork(IsolatedWork &&other);
  /// Ends the work.
  ~IsolatedWork();

  /// Appends what there is to `text`, waiting for some; false at the end.
  bool read(std::string &text);
  /// The descriptor that read() reads from.
  int getDescriptor() const { return descriptor; }
  /// At the end: what ended the work, if not the work: "signal 11", or "more
  /// than 30 s"; else empty.
  std::string finish();

private:
  pid_t process = -1;
  int descriptor = -1;
  unsigned seconds;
};

} // namespace sluice

#endif // SLUICE_TEST_FUZZ_ISOLATED_H
