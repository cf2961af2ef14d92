//===- CommandLine.cpp - A tool's options -----------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Support/CommandLine.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

#include <csignal>
#include <unistd.h>

using namespace llvm;
using namespace sluice;

static std::string lowerFirst(StringRef text) {
  std::string result = text.str();
  if (!result.empty())
    result[0] = toLower(result[0]);
  return result;
}

/// One line out of LLVM's text:
///
///   tool: Unknown command line argument '--inptu'.  Try: '/bin/tool --help'
///   tool: Did you mean '--input'?
static std::string describe(StringRef text, StringRef tool) {
  SmallVector<StringRef> lines;
  text.split(lines, '\n', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  lines.resize(2);
  for (StringRef &line : lines)
    if (line.consume_front(tool))
      line.consume_front(": ");
  auto [first, second] = std::pair(lines[0], lines[1]);
  std::string message = lowerFirst(first.split(".  Try:").first.rtrim("!."));
  if (second.consume_front("Did you mean "))
    message += " (did you mean " + second.str() + ")";
  else if (second.starts_with("Can specify at most "))
    message += "; " + lowerFirst(second.split(": See").first);
  return message + "; try --help";
}

Error sluice::parseCommandLine(int argc, const char *const *argv,
                               StringRef overview) {
  std::string text;
  raw_string_ostream os(text);
  if (cl::ParseCommandLineOptions(argc, argv, overview, &os))
    return Error::success();
  // A value of the wrong kind has been printed, whatever the stream.
  return createStringError(
      text.empty() ? "" : describe(text, sys::path::filename(argv[0])));
}

void sluice::startTool() {
  handleFileSignals();
  cl::ResetCommandLineParser();
  cl::SetVersionPrinter([](raw_ostream &os) {
    os << "Sluice " SLUICE_VERSION " (LLVM " LLVM_VERSION_STRING ")\n";
  });
}

int sluice::endTool(Error error, StringRef tool) {
  if (!error)
    return 0;
  std::string message = toString(std::move(error));
  if (!message.empty())
    WithColor::error(errs(), tool) << message << "\n";
  return 1;
}

/// Calls what a handler may call, and nothing else.
static void endLostFile(int) {
  static constexpr char message[] =
      "sluice: error: expected mapped files to stay as they are but one was cut "
      "short, or its disk failed, while it was used; restore the weight file "
      "and run again\n";
  ssize_t written = ::write(STDERR_FILENO, message, sizeof(message) - 1);
  (void)written;
  ::_exit(1);
}

void sluice::handleFileSignals() {
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGBUS, endLostFile);
}
