//===- TestFiles.h - Files for tests ----------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TEST_UNIT_RUNTIME_TESTFILES_H
#define SLUICE_TEST_UNIT_RUNTIME_TESTFILES_H

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace sluice::test {

/// A folder that is removed with its contents.
class TempDir {
public:
  TempDir() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "sluice-test-XXXXXX");
    root = mkdtemp(pattern.data());
  }
  TempDir(const TempDir &) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(root, ignored);
  }

  std::string path(const std::string &name) const { return root + "/" + name; }
  /// Writes a file and returns its path.
  std::string write(const std::string &name,
                    const std::string &contents) const {
    std::ofstream(path(name), std::ios::binary) << contents;
    return path(name);
  }
  size_t numFiles() const {
    return size_t(std::distance(std::filesystem::directory_iterator(root),
                                std::filesystem::directory_iterator()));
  }

  std::string root;
};

inline std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The bytes of numbers.
template <typename T> std::string bytesOf(const std::vector<T> &values) {
  return {reinterpret_cast<const char *>(values.data()),
          values.size() * sizeof(T)};
}

/// A safetensors file from its header's text and its data.
inline std::string safetensors(const std::string &header,
                               const std::string &data) {
  uint64_t length = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file + header + data;
}

/// Collects tensors into a correct safetensors file.
class SafetensorsBuilder {
public:
  SafetensorsBuilder &add(const std::string &name, const std::string &dtype,
                          const std::string &shape, const std::string &bytes) {
    header += (header.empty() ? "{\"" : ",\"") + name + "\":{\"dtype\":\"" +
              dtype + "\",\"shape\":" + shape + ",\"data_offsets\":[" +
              std::to_string(data.size()) + "," +
              std::to_string(data.size() + bytes.size()) + "]}";
    data += bytes;
    return *this;
  }
  /// `misalign` shifts the data from an alignment of 8 by padding the header.
  std::string build(size_t misalign = 0) const {
    std::string text = header.empty() ? "{}" : header + "}";
    while (text.size() % 8 != misalign)
      text += ' ';
    return safetensors(text, data);
  }

private:
  std::string header;
  std::string data;
};

} // namespace sluice::test

#endif // SLUICE_TEST_UNIT_RUNTIME_TESTFILES_H
