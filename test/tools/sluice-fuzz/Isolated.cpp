//===- Isolated.cpp - Work in a process of its own --------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Isolated.h"

#include "llvm/Support/raw_ostream.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

using namespace sluice;

static void writeAll(int descriptor, llvm::StringRef text) {
  while (!text.empty()) {
    ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno != EINTR)
      _exit(2); // nobody reads
    if (written > 0)
      text = text.drop_front(size_t(written));
  }
}

IsolatedWork::IsolatedWork(llvm::function_ref<void(Write)> work,
                           unsigned seconds)
    : seconds(seconds) {
  llvm::outs().flush();
  int ends[2];
  if (pipe(ends) != 0 || (process = fork()) < 0) {
    llvm::errs() << "sluice-fuzz: error: cannot start a process\n";
    exit(1);
  }
  if (process == 0) {
    close(ends[0]);
    // Handlers and their stack traces are for people.
    for (int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGALRM})
      std::signal(signal, SIG_DFL);
    alarm(seconds);
    work([&](llvm::StringRef text) { writeAll(ends[1], text); });
    // Without the destructors of what the parent has, too.
    _exit(0);
  }
  close(ends[1]);
  descriptor = ends[0];
}

IsolatedWork::IsolatedWork(IsolatedWork &&other)
    : process(std::exchange(other.process, -1)),
      descriptor(std::exchange(other.descriptor, -1)), seconds(other.seconds) {}

IsolatedWork::~IsolatedWork() {
  if (process > 0)
    kill(process, SIGKILL);
  finish();
}

bool IsolatedWork::read(std::string &text) {
  char buffer[4096];
  ssize_t size;
  do
    size = ::read(descriptor, buffer, sizeof(buffer));
  while (size < 0 && errno == EINTR);
  if (size > 0)
    text.append(buffer, size_t(size));
  return size > 0;
}

std::string IsolatedWork::finish() {
  int status = 0;
  if (process > 0)
    while (waitpid(process, &status, 0) < 0 && errno == EINTR)
      ;
  process = -1;
  if (descriptor >= 0)
    close(descriptor);
  descriptor = -1;
  if (!WIFSIGNALED(status))
    return WEXITSTATUS(status) == 0
               ? ""
               : "exit status " + std::to_string(WEXITSTATUS(status));
  if (WTERMSIG(status) == SIGALRM)
    return "more than " + std::to_string(seconds) + " s";
  return "signal " + std::to_string(WTERMSIG(status));
}
