//===- Options.cpp - Options by key -----------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace sluice;
using namespace sluice::capi;

namespace {

/// One row of the table in sluice-c/Sluice.h.
struct Option {
  const char *key;
  llvm::Error (*set)(SessionState &state, llvm::StringRef value);
  std::string (*get)(const SessionState &state);
};

} // namespace

/// Changes a copy of the session's options, which take effect as a whole.
template <typename Change>
static llvm::Error update(SessionState &state, Change change) {
  SessionOptions options = state.session.getOptions();
  if (llvm::Error error = change(options))
    return error;
  state.session.setOptions(std::move(options));
  return llvm::Error::success();
}

static llvm::Error readBool(llvm::StringRef value, bool &result) {
  if (value != "true" && value != "false")
    return llvm::createStringError("expected true or false but got '" + value +
                                   "'");
  result = value == "true";
  return llvm::Error::success();
}

static llvm::Error readNumber(llvm::StringRef value, unsigned maximum,
                              unsigned &result) {
  unsigned number = 0;
  if (value.getAsInteger(10, number) || number > maximum)
    return llvm::createStringError("expected a number from 0 to " +
                                   llvm::Twine(maximum) + " but got '" + value +
                                   "'");
  result = number;
  return llvm::Error::success();
}

static std::string toText(bool value) { return value ? "true" : "false"; }

static llvm::Error setCompileThreads(SessionState &state,
                                     llvm::StringRef value) {
  unsigned number = 0;
  if (llvm::Error error = readNumber(value, 256, number))
    return error;
  std::unique_ptr<llvm::ThreadPoolInterface> pool;
  if (number != 1)
    pool = std::make_unique<llvm::DefaultThreadPool>(
        llvm::hardware_concurrency(number));
  if (llvm::Error error =
          update(state, [&](SessionOptions &options) -> llvm::Error {
            options.threadPool = pool.get();
            return llvm::Error::success();
          }))
    return error;
  state.pool = std::move(pool);
  state.compileThreads = number;
  return llvm::Error::success();
}

static constexpr Option table[] = {
    {"target",
     [](SessionState &state, llvm::StringRef value) {
       return update(state, [&](SessionOptions &options) -> llvm::Error {
         options.compile.target = value.str();
         options.compile.cpu = getDefaultCPU(value);
         return checkTarget(value);
       });
     },
     [](const SessionState &state) {
       return state.session.getOptions().compile.target;
     }},
    {"cpu",
     [](SessionState &state, llvm::StringRef value) {
       return update(state, [&](SessionOptions &options) -> llvm::Error {
         options.compile.cpu = value.str();
         return checkCPUs(value, options.compile.target);
       });
     },
     [](const SessionState &state) {
       return state.session.getOptions().compile.cpu;
     }},
    {"parallel",
     [](SessionState &state, llvm::StringRef value) {
       return update(state, [&](SessionOptions &options) {
         return readBool(value, options.compile.parallel);
       });
     },
     [](const SessionState &state) {
       return toText(state.session.getOptions().compile.parallel);
     }},
    {"counters",
     [](SessionState &state, llvm::StringRef value) {
       return update(state, [&](SessionOptions &options) {
         return readBool(value, options.compile.counters);
       });
     },
     [](const SessionState &state) {
       return toText(state.session.getOptions().compile.counters);
     }},
    {"opt-level",
     [](SessionState &state, llvm::StringRef value) {
       return update(state, [&](SessionOptions &options) {
         return readNumber(value, 3, options.compile.optLevel);
       });
     },
     [](const SessionState &state) {
       return std::to_string(state.session.getOptions().compile.optLevel);
     }},
    {"threads",
     [](SessionState &state, llvm::StringRef value) {
       return readNumber(value, 65536, state.threads);
     },
     [](const SessionState &state) { return std::to_string(state.threads); }},
    {"compile-threads", setCompileThreads,
     [](const SessionState &state) {
       return std::to_string(state.compileThreads);
     }},
    {"remarks",
     [](SessionState &state, llvm::StringRef value) {
       return update(state, [&](SessionOptions &options) {
         return readBool(value, options.remarks);
       });
     },
     [](const SessionState &state) {
       return toText(state.session.getOptions().remarks);
     }},
    {"runtime-directory",
     [](SessionState &state, llvm::StringRef value) {
       return update(state, [&](SessionOptions &options) -> llvm::Error {
         options.runtimeDirectory = value.str();
         return llvm::Error::success();
       });
     },
     [](const SessionState &state) {
       const std::string &chosen = state.session.getOptions().runtimeDirectory;
       return chosen.empty() ? findRuntimeDirectory() : chosen;
     }}};

static llvm::Expected<const Option *> find(llvm::StringRef key) {
  std::vector<llvm::StringRef> names;
  for (const Option &option : table) {
    if (key == option.key)
      return &option;
    names.push_back(option.key);
  }
  llvm::sort(names, [&](llvm::StringRef a, llvm::StringRef b) {
    return std::pair(key.edit_distance(a), a) <
           std::pair(key.edit_distance(b), b);
  });
  names.resize(3);
  return llvm::createStringError("unknown option '" + key +
                                 "'; the nearest names are " +
                                 llvm::join(names, ", "));
}

llvm::Error sluice::capi::setOption(SessionState &state, llvm::StringRef key,
                                    llvm::StringRef value) {
  llvm::Expected<const Option *> option = find(key);
  if (!option)
    return option.takeError();
  if (llvm::Error error = (*option)->set(state, value))
    return llvm::createStringError("option '" + key +
                                   "': " + llvm::toString(std::move(error)));
  return llvm::Error::success();
}

llvm::Expected<std::string> sluice::capi::getOption(const SessionState &state,
                                                    llvm::StringRef key) {
  llvm::Expected<const Option *> option = find(key);
  if (!option)
    return option.takeError();
  return (*option)->get(state);
}

const char *sluice_option_key(int index) {
  return index >= 0 && size_t(index) < std::size(table) ? table[index].key
                                                        : nullptr;
}
