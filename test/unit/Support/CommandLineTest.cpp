//===- CommandLineTest.cpp - A tool's signals -------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Support/CommandLine.h"

#include "llvm/Support/FileSystem.h"
#include "gtest/gtest.h"

#include <csignal>
#include <cstdio>

using namespace sluice;

/// Maps a file, cuts it short and reads what was there.
static void readLostFile() {
  handleFileSignals();
  llvm::SmallString<128> path;
  int file;
  if (llvm::sys::fs::createTemporaryFile("sluice", "bin", file, path) ||
      llvm::sys::fs::resize_file(file, 1 << 20))
    return;
  std::error_code error;
  llvm::sys::fs::mapped_file_region map(
      file, llvm::sys::fs::mapped_file_region::readonly, 1 << 20, 0, error);
  if (error || llvm::sys::fs::resize_file(file, 0))
    return;
  llvm::sys::fs::remove(path);
  std::fprintf(stderr, "%d", map.const_data()[1 << 19]);
}

TEST(CommandLineDeathTest, FileCutShortWhileMapped) {
  EXPECT_EXIT(readLostFile(), testing::ExitedWithCode(1),
              "sluice: error: expected mapped files to stay as they are but "
              "one was cut short");
}

TEST(CommandLineDeathTest, WriteBeyondTheLimitIsAnError) {
  EXPECT_EXIT(
      {
        handleFileSignals();
        std::raise(SIGXFSZ);
        std::exit(7);
      },
      testing::ExitedWithCode(7), "");
}
