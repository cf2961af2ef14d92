//===- Safetensors.h - The map and the table of a weight file ---*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_RUNTIME_CPU_SAFETENSORS_H
#define SLUICE_LIB_RUNTIME_CPU_SAFETENSORS_H

#include "Internal.h"

#include <memory>
#include <unordered_map>

namespace sluice::rt {

/// A file mapped for reading.
class MappedFile {
public:
  MappedFile() = default;
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;
  ~MappedFile();

  /// Maps all of the file, or says why not, without the file's name.
  bool open(const char *path, std::string &problem);

  std::string_view contents() const {
    return {static_cast<const char *>(address), size};
  }

private:
  void *address = nullptr;
  size_t size = 0;
};

} // namespace sluice::rt

/// Behind the C interface's opaque type.
struct sluice_weights {
  struct Entry {
    std::string name;
    std::string dtype;
    std::vector<int64_t> shape;
    /// From the start of the file's data.
    int64_t begin = 0;
    int64_t end = 0;
  };

  std::string path;
  sluice::rt::MappedFile file;
  std::string_view data;
  std::vector<Entry> entries;
  /// The keys are the entries' names.
  std::unordered_map<std::string_view, size_t> index;

  const void *address(const Entry &entry) const {
    return data.data() + entry.begin;
  }

  /// The entry called `name`; nullptr and an error if there is none.
  const Entry *find(std::string_view name, sluice_error *error) const;
};

#endif // SLUICE_LIB_RUNTIME_CPU_SAFETENSORS_H
