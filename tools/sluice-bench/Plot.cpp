//===- Plot.cpp - The roofline, drawn by plot.py ----------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"
#include "sluice/Support/AtomicFile.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

#include <cstdlib>

using namespace sluice;
using namespace sluice::bench;

/// Beside the program's folder, in a build as in an installation.
static std::string getScript(llvm::StringRef executable) {
  llvm::SmallString<128> path(
      llvm::sys::path::parent_path(llvm::sys::path::parent_path(executable)));
  llvm::sys::path::append(path, "share", "sluice", "sluice-bench", "plot.py");
  return path.str().str();
}

/// Runs a program; an error has what it printed last.
static llvm::Error execute(llvm::ArrayRef<llvm::StringRef> command) {
  llvm::SmallString<128> log;
  if (std::error_code code =
          llvm::sys::fs::createTemporaryFile("sluice-bench", "log", log))
    return llvm::createStringError("cannot make a temporary file: " +
                                   code.message());
  llvm::FileRemover remover(log);
  std::string problem;
  int status = llvm::sys::ExecuteAndWait(
      command.front(), command, /*Env=*/std::nullopt,
      {llvm::StringRef(""), llvm::StringRef(log), llvm::StringRef(log)},
      /*SecondsToWait=*/0, /*MemoryLimit=*/0, &problem);
  if (status == 0)
    return llvm::Error::success();
  if (problem.empty())
    if (auto buffer = llvm::MemoryBuffer::getFile(log))
      problem = (*buffer)->getBuffer().rtrim().rsplit('\n').second.empty()
                    ? (*buffer)->getBuffer().trim().str()
                    : (*buffer)->getBuffer().rtrim().rsplit('\n').second.str();
  return llvm::createStringError(problem);
}

llvm::Expected<std::string>
sluice::bench::findPlotPython(llvm::StringRef executable) {
  std::string script = getScript(executable);
  if (!llvm::sys::fs::exists(script))
    return llvm::createStringError("cannot plot: expected '" + script +
                                   "', which is a part of the installation");
  llvm::SmallVector<std::string> candidates;
  if (const char *chosen = std::getenv("SLUICE_PYTHON"))
    candidates = {chosen};
  else
    candidates = {"python3", "/usr/bin/python3"};
  std::string problem = "there is no python3 in PATH";
  for (const std::string &candidate : candidates) {
    llvm::ErrorOr<std::string> python = llvm::sys::findProgramByName(candidate);
    if (!python) {
      if (candidates.size() == 1)
        problem = "cannot run '" + candidate + "', which SLUICE_PYTHON names";
      continue;
    }
    llvm::Error error = execute({*python, "-c", "import matplotlib"});
    if (!error)
      return *python;
    problem = *python + ": " + llvm::toString(std::move(error));
  }
  return llvm::createStringError(
      "--plot needs a Python 3 with matplotlib: " + problem +
      "; install it (Debian: python3-matplotlib), or name another Python by "
      "SLUICE_PYTHON");
}

llvm::Error sluice::bench::writePlot(llvm::StringRef path,
                                     llvm::StringRef python,
                                     llvm::StringRef executable,
                                     const Report &report) {
  llvm::SmallString<128> data;
  if (std::error_code code =
          llvm::sys::fs::createTemporaryFile("sluice-bench", "json", data))
    return llvm::createStringError("cannot make a temporary file: " +
                                   code.message());
  llvm::FileRemover remover(data);
  if (llvm::Error error = writeJSON(data, report, /*withWork=*/true))
    return error;
  return produceFileAtomically(path, [&](llvm::StringRef temporaryPath) {
    llvm::Error error =
        execute({python, getScript(executable), data, temporaryPath});
    if (!error)
      return error;
    return llvm::createStringError("cannot plot: " +
                                   llvm::toString(std::move(error)));
  });
}
