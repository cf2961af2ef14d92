//===- AtomicFileTest.cpp - Tests of writing files whole or not at all --*- C++
//-*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Support/AtomicFile.h"

#include "../Runtime/TestFiles.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <unistd.h>

using namespace llvm;
using namespace sluice;
using namespace sluice::test;
namespace fs = std::filesystem;

static std::string textOf(Error error) { return toString(std::move(error)); }

TEST(AtomicFile, WritesAndReplaces) {
  TempDir dir;
  std::string path = dir.path("a.txt");
  EXPECT_EQ(textOf(writeFileAtomically(path, "one")), "");
  EXPECT_EQ(readFile(path), "one");
  EXPECT_EQ(textOf(writeFileAtomically(path, "two")), "");
  EXPECT_EQ(readFile(path), "two");
  EXPECT_EQ(dir.numFiles(), 1u);
}

TEST(AtomicFile, RelativePathWithoutFolder) {
  TempDir dir;
  fs::path before = fs::current_path();
  fs::current_path(dir.root);
  EXPECT_EQ(textOf(writeFileAtomically("plain", "x")), "");
  fs::current_path(before);
  EXPECT_EQ(readFile(dir.path("plain")), "x");
}

TEST(AtomicFile, AnErrorLeavesTheOldFileAlone) {
  TempDir dir;
  std::string path = dir.write("a.txt", "old");
  EXPECT_EQ(textOf(writeFileAtomically(path,
                                       [](raw_ostream &os) {
                                         os << "half of it";
                                         return createStringError("no more");
                                       })),
            "no more");
  EXPECT_EQ(readFile(path), "old");
  EXPECT_EQ(dir.numFiles(), 1u);
}

TEST(AtomicFile, FoldersAndMissingFolders) {
  TempDir dir;
  EXPECT_EQ(textOf(writeFileAtomically(dir.root, "x")),
            "cannot write '" + dir.root + "': it is a directory");
  std::string path = dir.path("none/a.txt");
  EXPECT_EQ(textOf(writeFileAtomically(path, "x")),
            "cannot write '" + path + "': No such file or directory");
  EXPECT_EQ(dir.numFiles(), 0u);
}

TEST(AtomicFile, DevicesAreWrittenDirectly) {
  EXPECT_EQ(textOf(writeFileAtomically("/dev/null", "x")), "");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  if (fs::exists("/dev/full"))
    EXPECT_EQ(textOf(writeFileAtomically("/dev/full", "x")),
              "cannot write '/dev/full': No space left on device");
}

TEST(AtomicFile, StandardOutput) {
  for (const char *path : {"-", "/dev/stdout"}) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(textOf(writeFileAtomically(path, "to stdout\n")), "");
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "to stdout\n");
  }
}

TEST(AtomicFile, LinksAndPermissionsStay) {
  TempDir dir;
  std::string target = dir.write("target", "old");
  fs::permissions(target, fs::perms(0640));
  std::string link = dir.path("link");
  fs::create_symlink(target, link);
  EXPECT_EQ(textOf(writeFileAtomically(link, "new")), "");
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(readFile(target), "new");
  EXPECT_EQ(fs::status(target).permissions(), fs::perms(0640));
}

TEST(AtomicFile, ReadOnlyFilesAreNotReplaced) {
  TempDir dir;
  std::string path = dir.write("a.txt", "old");
  fs::permissions(path, fs::perms(0444));
  if (access(path.c_str(), W_OK) == 0)
    GTEST_SKIP() << "root may write everything";
  EXPECT_EQ(textOf(writeFileAtomically(path, "new")),
            "cannot write '" + path + "': Permission denied");
  EXPECT_EQ(readFile(path), "old");
}

TEST(AtomicFile, ProducerThatReplacesTheTemporaryFile) {
  TempDir dir;
  std::string path = dir.path("model.so");
  auto produce = [&](StringRef temporary) {
    EXPECT_EQ(fs::path(temporary.str()).parent_path(), dir.root);
    EXPECT_TRUE(temporary.ends_with(".so"));
    fs::remove(temporary.str());
    std::ofstream(temporary.str()) << "linked";
    return Error::success();
  };
  EXPECT_EQ(textOf(produceFileAtomically(path, produce)), "");
  EXPECT_EQ(readFile(path), "linked");
  EXPECT_EQ(textOf(produceFileAtomically(
                path, [](StringRef) { return createStringError("ld"); })),
            "ld");
  EXPECT_EQ(readFile(path), "linked");
  EXPECT_EQ(dir.numFiles(), 1u);
}

TEST(AtomicFile, ProducerForStandardOutput) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(textOf(produceFileAtomically("-",
                                         [](StringRef temporary) {
                                           std::ofstream(temporary.str())
                                               << "bytes";
                                           return Error::success();
                                         })),
            "");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "bytes");
}
