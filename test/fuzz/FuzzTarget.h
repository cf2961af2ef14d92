//===- FuzzTarget.h - What fuzz targets share -------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A fuzz target is one function that takes any bytes. It is linked twice: with
// libFuzzer and sanitizers (preset `fuzz`, see tools/fuzz), and with
// StandaloneMain.cpp into a program of the normal build, which runs seeds and a
// few mutations of them.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TEST_FUZZ_FUZZTARGET_H
#define SLUICE_TEST_FUZZ_FUZZTARGET_H

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

extern "C" {
/// Runs the target once. Returns 0, or -1 for an input that should not be kept.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/// Changes data[0, size) in place and returns its new size, at most `maxSize`.
/// Targets may define it.
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize,
                               unsigned seed) __attribute__((weak));

/// The engine's own mutation of bytes.
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);
}

namespace sluice::fuzz {

/// Ends the process if something that must hold does not.
inline void require(bool holds, const char *what) {
  if (holds)
    return;
  std::fprintf(stderr, "fuzz target: violated: %s\n", what);
  std::abort();
}

/// A file that has a path, but is on no disk.
class InMemoryFile {
public:
  InMemoryFile(const uint8_t *data, size_t size)
      : descriptor(memfd_create("input", MFD_CLOEXEC)) {
    require(descriptor >= 0, "memfd_create works");
    for (size_t at = 0; at < size;) {
      ssize_t written = write(descriptor, data + at, size - at);
      require(written > 0, "a file in memory can be written");
      at += size_t(written);
    }
  }
  InMemoryFile(const InMemoryFile &) = delete;
  InMemoryFile &operator=(const InMemoryFile &) = delete;
  ~InMemoryFile() { close(descriptor); }

  std::string path() const {
    return "/proc/self/fd/" + std::to_string(descriptor);
  }

private:
  int descriptor;
};

} // namespace sluice::fuzz

#endif // SLUICE_TEST_FUZZ_FUZZTARGET_H
