//===- Internal.h - What is behind the opaque types -------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_CAPI_INTERNAL_H
#define SLUICE_LIB_CAPI_INTERNAL_H

#include "../Runtime/CPU/Internal.h"

#include "sluice-c/Sluice.h"
#include "sluice/Compiler/Session.h"
#include "llvm/Support/ThreadPool.h"

namespace sluice::capi {

/// A session and what C sets one by one. Modules share it.
struct SessionState {
  // In this order: the session works with the pool.
  std::unique_ptr<llvm::ThreadPoolInterface> pool;
  unsigned compileThreads = 1;
  /// OpenMP threads of models.
  unsigned threads = 0;
  Session session;
};

/// Copies the text of `error`. Returns false, also for no error, so that the
/// end of a function is one statement.
bool fail(llvm::Error problem, sluice_error *error);

/// Whether no argument is null; `what` says what was expected.
template <typename... Pointers>
bool checkPointers(sluice_error *error, const char *what,
                   const Pointers *...pointers) {
  if ((pointers && ...))
    return true;
  return rt::setError(error, std::string("expected ") + what +
                                 " but got a null pointer");
}

/// A copy that sluice_string_free frees.
char *copyText(llvm::StringRef text);

llvm::Error setOption(SessionState &state, llvm::StringRef key,
                      llvm::StringRef value);
llvm::Expected<std::string> getOption(const SessionState &state,
                                      llvm::StringRef key);

} // namespace sluice::capi

struct sluice_session {
  std::shared_ptr<sluice::capi::SessionState> state =
      std::make_shared<sluice::capi::SessionState>();
};

struct sluice_module {
  // In this order: the module lies in the session's context.
  std::shared_ptr<sluice::capi::SessionState> state;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

struct sluice_program {
  sluice::JitProgram program;
  unsigned threads;
};

#endif // SLUICE_LIB_CAPI_INTERNAL_H
