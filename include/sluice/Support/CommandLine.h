//===- CommandLine.h - A tool's options -------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_SUPPORT_COMMANDLINE_H
#define SLUICE_SUPPORT_COMMANDLINE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace sluice {

/// Reads the command line into the llvm::cl options that exist. LLVM prints
/// each mistake in its own way, on several lines; this gives the first one as
/// an error of one line, for the tool to print as its other errors. The error
/// has no text if LLVM has printed it: that an option's value is of the wrong
/// kind, on one line. `--help` and `--version` print and end the process, as in
/// LLVM.
llvm::Error parseCommandLine(int argc, const char *const *argv,
                             llvm::StringRef overview);

/// What each tool does before it declares its options, behind llvm::InitLLVM:
/// handleFileSignals, a command line without the hundreds of options that LLVM's
/// libraries register, and what `--version` prints.
void startTool();

/// A tool's exit code; prints the error, if there is one and it has not been
/// printed (it has no text then), as "<tool>: error: ...".
int endTool(llvm::Error error, llvm::StringRef tool);

/// Makes errors of what the system tells a program about its files by signals,
/// to be called after llvm::InitLLVM, which installs handlers of its own. A
/// write beyond the limit of a file's size (`ulimit -f`) fails as one on a full
/// disk does, instead of ending the process. Reading a part of a mapped file
/// that is no longer there, because somebody cut the file short, prints one line
/// and ends the process with exit code 1. A library must leave that to its
/// program.
void handleFileSignals();

} // namespace sluice

#endif // SLUICE_SUPPORT_COMMANDLINE_H
