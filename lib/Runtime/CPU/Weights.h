//===- Weights.h - Tensors by name ------------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_RUNTIME_CPU_WEIGHTS_H
#define SLUICE_LIB_RUNTIME_CPU_WEIGHTS_H

#include "Internal.h"

#include <atomic>
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
    /// As safetensors files spell it.
    std::string dtype;
    std::vector<int64_t> shape;
    /// From the start of the file's data.
    int64_t begin = 0;
    int64_t end = 0;
    const char *address = nullptr;

    int64_t numBytes() const { return end - begin; }
  };

  /// The file in quotation marks, or "the given weights", for messages.
  std::string source;
  /// "the file's" or "its", for messages.
  const char *owner = "the file's";
  sluice::rt::MappedFile file;
  std::vector<Entry> entries;
  /// The keys are the entries' names.
  std::unordered_map<std::string_view, size_t> index;
  /// The caller and the models that tensors were loaded for.
  mutable std::atomic<int> references{1};

  /// Fills the index; false if two entries have one name, which is `duplicate`.
  bool buildIndex(std::string_view &duplicate);

  /// The entry called `name`; nullptr and an error if there is none.
  const Entry *find(std::string_view name, sluice_error *error) const;
};

namespace sluice::rt {

/// How safetensors files spell a type.
const char *fileNameOf(sluice_dtype dtype);
/// Whether elements of the safetensors type `name` are loaded as `dtype`: bytes
/// of any meaning are SLUICE_I8.
bool isFileNameOf(std::string_view name, sluice_dtype dtype);

} // namespace sluice::rt

#endif // SLUICE_LIB_RUNTIME_CPU_WEIGHTS_H
