//===- StandaloneMain.cpp - A fuzz target without a fuzzer ------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   fuzz-NAME [--mutations=N] FILE|FOLDER...
//
// Runs the target on each file, and on N mutations of each, the same ones every
// time: a smoke test for builds without libFuzzer. A crash says which file, and
// leaves the mutation in the file that the message names.
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"

#include "../tools/sluice-fuzz/Random.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

using sluice::Random;
using Bytes = std::vector<uint8_t>;

static Random random_(1);

/// A few changes of single bytes, numbers and runs.
extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize) {
  auto at = [&] { return size_t(random_.between(0, int64_t(size) - 1)); };
  for (int64_t i = random_.between(1, 3); i > 0; --i) {
    if (size == 0)
      return 0;
    size_t from = at(), to = at();
    switch (random_.between(0, 6)) {
    case 0:
      data[from] = uint8_t(data[from] ^ (1u << random_.between(0, 7)));
      break;
    case 1:
      data[from] = uint8_t(random_.next());
      break;
    case 2:
      data[from] = random_.pick<uint8_t>({0, 255, 127, 128, '0', '9', '"'});
      break;
    case 3: // cut a run out
      if (from > to)
        std::swap(from, to);
      std::memmove(data + from, data + to, size - to);
      size -= to - from;
      break;
    case 4: { // copy a run over another
      size_t length = std::min(size - std::max(from, to),
                               size_t(random_.between(1, 16)));
      std::memmove(data + to, data + from, length);
      break;
    }
    case 5: // insert
      if (size < maxSize) {
        std::memmove(data + from + 1, data + from, size - from);
        data[from] = uint8_t(random_.next());
        ++size;
      }
      break;
    default: // a digit
      for (size_t j = from; j < size; ++j)
        if (data[j] >= '0' && data[j] <= '9') {
          data[j] = uint8_t('0' + random_.between(0, 9));
          break;
        }
      break;
    }
  }
  return size;
}

/// What runs now, for the report of a crash.
static const Bytes *current = nullptr;
static std::string currentName;

static void report(int signal) {
  std::string path = (std::filesystem::temp_directory_path() /
                      ("sluice-crash-" + std::to_string(getpid())))
                         .string();
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char *>(current->data()),
             std::streamsize(current->size()));
  std::fprintf(stderr, "%s: signal %d; the input is in %s\n",
               currentName.c_str(), signal, path.c_str());
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

static void run(const std::string &name, const Bytes &bytes) {
  current = &bytes;
  currentName = name;
  // Of its own, so that reads beyond it are seen by tools that look for them.
  Bytes copy(bytes);
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

static std::vector<std::string> listFiles(const std::string &path) {
  if (!std::filesystem::is_directory(path))
    return {path};
  std::vector<std::string> files;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(path))
    if (entry.is_regular_file())
      files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

int main(int argc, char **argv) {
  int mutations = 0;
  std::vector<std::string> files;
  const std::string option = "--mutations=";
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument.compare(0, option.size(), option) == 0)
      mutations = std::atoi(argument.c_str() + option.size());
    else
      for (const std::string &file : listFiles(argument))
        files.push_back(file);
  }
  if (files.empty()) {
    std::fprintf(stderr, "usage: %s [--mutations=N] FILE|FOLDER...\n", argv[0]);
    return 1;
  }
  for (int signal : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL, SIGALRM})
    std::signal(signal, report);
  size_t runs = 0;
  for (const std::string &file : files) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
      std::fprintf(stderr, "%s: cannot be read\n", file.c_str());
      return 1;
    }
    Bytes seed{std::istreambuf_iterator<char>(stream),
               std::istreambuf_iterator<char>()};
    run(file, seed);
    ++runs;
    for (int i = 0; i < mutations; ++i, ++runs) {
      Bytes bytes(seed);
      size_t maxSize = seed.size() + 64;
      bytes.resize(maxSize);
      size_t size =
          LLVMFuzzerCustomMutator
              ? LLVMFuzzerCustomMutator(bytes.data(), seed.size(), maxSize,
                                        unsigned(random_.next()))
              : LLVMFuzzerMutate(bytes.data(), seed.size(), maxSize);
      bytes.resize(size);
      alarm(10); // as libFuzzer's -timeout
      run(file + ", mutation " + std::to_string(i), bytes);
      alarm(0);
    }
  }
  std::printf("%zu inputs, no crash\n", runs);
  return 0;
}
