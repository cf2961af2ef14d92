//===- Session.cpp - Sessions in C ------------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

#include <cstdlib>
#include <cstring>

using namespace sluice;
using namespace sluice::capi;
using rt::guarded;

bool sluice::capi::fail(llvm::Error problem, sluice_error *error) {
  return rt::setError(error, llvm::toString(std::move(problem)));
}

char *sluice::capi::copyText(llvm::StringRef text) {
  char *copy = static_cast<char *>(std::malloc(text.size() + 1));
  if (!copy)
    throw std::bad_alloc();
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = 0;
  return copy;
}

static sluice_severity toC(Diagnostic::Severity severity) {
  switch (severity) {
  case Diagnostic::Severity::Note:
    return SLUICE_NOTE;
  case Diagnostic::Severity::Remark:
    return SLUICE_REMARK;
  case Diagnostic::Severity::Warning:
    return SLUICE_WARNING;
  case Diagnostic::Severity::Error:
    break;
  }
  return SLUICE_ERROR;
}

const char *sluice_version() { return SLUICE_VERSION; }

int sluice_abi_version() { return SLUICE_ABI_VERSION; }

void sluice_string_free(char *text) { std::free(text); }

int sluice_session_create(sluice_session **session, sluice_error *error) {
  return guarded(error, [&] {
    if (!checkPointers(error, "a place for the session", session))
      return false;
    *session = std::make_unique<sluice_session>().release();
    return true;
  });
}

void sluice_session_destroy(sluice_session *session) {
  if (!session)
    return;
  session->state->session.setDiagnosticHandler(nullptr);
  delete session;
}

int sluice_session_set_option(sluice_session *session, const char *key,
                              const char *value, sluice_error *error) {
  return guarded(error, [&] {
    if (!checkPointers(error, "a session, a key and a value", session, key,
                       value))
      return false;
    SessionState &state = *session->state;
    llvm::Error problem = setOption(state, key, value);
    return !problem || fail(state.session.report(std::move(problem)), error);
  });
}

int sluice_session_get_option(const sluice_session *session, const char *key,
                              char **value, sluice_error *error) {
  return guarded(error, [&] {
    if (!checkPointers(error, "a session, a key and a place for the value",
                       session, key, value))
      return false;
    SessionState &state = *session->state;
    llvm::Expected<std::string> text = getOption(state, key);
    if (!text)
      return fail(state.session.report(text.takeError()), error);
    *value = copyText(*text);
    return true;
  });
}

int sluice_session_set_diagnostic_handler(sluice_session *session,
                                          sluice_diagnostic_fn handler,
                                          void *user, sluice_error *error) {
  return guarded(error, [&] {
    if (!checkPointers(error, "a session", session))
      return false;
    DiagnosticHandler function;
    if (handler)
      function = [handler, user](const Diagnostic &diagnostic) {
        const std::string &file = diagnostic.file;
        handler(toC(diagnostic.severity), diagnostic.message.c_str(),
                file.empty() ? nullptr : file.c_str(), int(diagnostic.line),
                int(diagnostic.column), user);
      };
    session->state->session.setDiagnosticHandler(std::move(function));
    return true;
  });
}
