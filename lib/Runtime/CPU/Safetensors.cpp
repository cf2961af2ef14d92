//===- Safetensors.cpp - Opening weight files -------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The format: 8 bytes with the little-endian length of the header; the header,
// a JSON object from names to {"dtype", "shape", "data_offsets"}, and possibly
// "__metadata__"; the tensors' bytes, to which the offsets are relative.
//
//===----------------------------------------------------------------------===//

#include "Weights.h"

#include "Json.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace sluice::rt;
using Entry = sluice_weights::Entry;

MappedFile::~MappedFile() {
  if (address)
    munmap(address, size);
}

bool MappedFile::open(const char *path, std::string &problem) {
  // Not blocking: opening a FIFO would wait for a writer.
  int fd = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    problem = std::strerror(errno);
    return false;
  }
  struct stat status;
  if (fstat(fd, &status) != 0) {
    problem = std::strerror(errno);
  } else if (!S_ISREG(status.st_mode)) {
    problem = S_ISDIR(status.st_mode) ? "it is a directory"
                                      : "it is not a regular file";
  } else if (status.st_size == 0) {
    problem = "the file is empty";
  } else {
    void *map =
        mmap(nullptr, size_t(status.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) {
      problem = std::strerror(errno);
    } else {
      address = map;
      size = size_t(status.st_size);
    }
  }
  ::close(fd);
  return address != nullptr;
}

/// Bits per element; 0 for a type that is not known (it can still be listed).
static int bitsOf(std::string_view dtype) {
  static constexpr struct {
    const char *name;
    int bits;
  } table[] = {{"BOOL", 8},    {"U8", 8},      {"I8", 8},   {"F8_E4M3", 8},
               {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F4", 4},   {"F6_E2M3", 6},
               {"F6_E3M2", 6}, {"I16", 16},    {"U16", 16}, {"F16", 16},
               {"BF16", 16},   {"I32", 32},    {"U32", 32}, {"F32", 32},
               {"I64", 64},    {"U64", 64},    {"F64", 64}, {"C64", 64}};
  for (const auto &row : table)
    if (dtype == row.name)
      return row.bits;
  return 0;
}

/// What stands where an integer is expected.
static std::string textOf(const JsonValue &value) {
  if (value.kind == JsonValue::Double)
    return "a number that is no 64-bit integer";
  return value.kind == JsonValue::Integer ? std::to_string(value.integer)
                                          : describe(value.kind);
}

static std::string textOf(const std::vector<JsonValue> &values) {
  if (values.size() > 4)
    return std::to_string(values.size()) + " values";
  std::string text = "[";
  for (const JsonValue &value : values)
    text += (text.size() == 1 ? "" : ", ") + textOf(value);
  return text + "]";
}

/// Reads one member of the header. On failure says what is wrong with it.
static bool readEntry(const JsonValue &value, Entry &entry,
                      std::string &problem) {
  if (value.kind != JsonValue::Object) {
    problem = std::string("expected an object but got ") + describe(value.kind);
    return false;
  }
  const JsonValue *dtype = nullptr, *shape = nullptr, *offsets = nullptr;
  for (const auto &[key, member] : value.members) {
    const JsonValue **slot = key == "dtype"          ? &dtype
                             : key == "shape"        ? &shape
                             : key == "data_offsets" ? &offsets
                                                     : nullptr;
    if (!slot || *slot) {
      problem =
          (slot ? "duplicate member " : "unexpected member ") + quoted(key);
      return false;
    }
    *slot = &member;
  }
  auto expectKind = [&](const JsonValue *member, const char *name,
                        JsonValue::Kind kind) {
    if (member && member->kind == kind)
      return true;
    problem = "expected '" + std::string(name) + "' to be " + describe(kind) +
              " but " +
              (member ? std::string("got ") + describe(member->kind)
                      : std::string("it is missing"));
    return false;
  };
  if (!expectKind(dtype, "dtype", JsonValue::String) ||
      !expectKind(shape, "shape", JsonValue::Array) ||
      !expectKind(offsets, "data_offsets", JsonValue::Array))
    return false;

  entry.dtype = dtype->string;
  if (entry.dtype.size() > 32 || entry.dtype.find('\0') != std::string::npos) {
    problem = "expected 'dtype' to be the name of a type but got " +
              quoted(entry.dtype);
    return false;
  }
  for (const JsonValue &dimension : shape->elements) {
    if (dimension.kind != JsonValue::Integer || dimension.integer < 0) {
      problem = "expected the dimensions of 'shape' to be integers that are "
                "not negative but got " +
                textOf(dimension);
      return false;
    }
    entry.shape.push_back(dimension.integer);
  }
  if (offsets->elements.size() != 2 ||
      offsets->elements[0].kind != JsonValue::Integer ||
      offsets->elements[1].kind != JsonValue::Integer ||
      offsets->elements[0].integer < 0 ||
      offsets->elements[1].integer < offsets->elements[0].integer) {
    problem = "expected 'data_offsets' to be two integers [begin, end] with "
              "0 <= begin <= end but got " +
              textOf(offsets->elements);
    return false;
  }
  entry.begin = offsets->elements[0].integer;
  entry.end = offsets->elements[1].integer;
  return true;
}

/// Checks that shape and type need as many bytes as the offsets say.
static bool checkSize(const Entry &entry, std::string &problem) {
  std::string type =
      typeText(entry.dtype, entry.shape.size(), entry.shape.data());
  std::optional<int64_t> count =
      countElements(entry.shape.size(), entry.shape.data());
  int bits = bitsOf(entry.dtype);
  int64_t totalBits = 0;
  if (!count || __builtin_mul_overflow(*count, int64_t(bits), &totalBits)) {
    problem = "the size of " + type + " does not fit in 63 bits";
    return false;
  }
  if (bits != 0 &&
      (totalBits % 8 != 0 || entry.end - entry.begin != totalBits / 8)) {
    problem = type + " takes " + std::to_string((totalBits + 7) / 8) +
              " bytes but 'data_offsets' give it " +
              std::to_string(entry.end - entry.begin);
    return false;
  }
  return true;
}

/// Checks that the entries cover `dataSize` bytes without overlap or gap, as
/// the format demands.
static bool checkLayout(const std::vector<Entry> &entries, int64_t dataSize,
                        std::string &problem) {
  std::vector<const Entry *> sorted;
  for (const Entry &entry : entries)
    sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](auto *a, auto *b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  int64_t end = 0;
  std::string previous = "the start of the data";
  for (const Entry *entry : sorted) {
    if (entry->end > dataSize) {
      problem = "tensor " + quoted(entry->name) + " ends at byte " +
                std::to_string(entry->end) + " of the data, which has only " +
                std::to_string(dataSize) + " bytes (is the file complete?)";
      return false;
    }
    if (entry->begin != end) {
      problem = "tensor " + quoted(entry->name) + " begins at byte " +
                std::to_string(entry->begin) + " of the data but " + previous +
                (entry->begin < end ? " overlaps it up to byte "
                                    : " leaves a gap from byte ") +
                std::to_string(end);
      return false;
    }
    end = entry->end;
    previous = quoted(entry->name);
  }
  if (end != dataSize) {
    problem = "the data has " + std::to_string(dataSize) +
              " bytes but the tensors end at byte " + std::to_string(end);
    return false;
  }
  return true;
}

/// Fills `weights` from the mapped file. The problem does not name the file.
static bool readHeader(sluice_weights &weights, std::string &problem) {
  std::string_view contents = weights.file.contents();
  constexpr uint64_t maxHeader = 100'000'000;
  if (contents.size() < 8) {
    problem = "expected the 8 bytes of a header's length but the file has " +
              std::to_string(contents.size()) + " bytes";
    return false;
  }
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i)
    length = length << 8 | static_cast<unsigned char>(contents[i]);
  if (length > contents.size() - 8 || length > maxHeader) {
    problem =
        "expected a header of at most " +
        std::to_string(std::min<uint64_t>(contents.size() - 8, maxHeader)) +
        " bytes but its length is given as " + std::to_string(length) +
        " (is this a complete safetensors file?)";
    return false;
  }
  std::string_view data = contents.substr(8 + length);
  std::string_view header = contents.substr(8, length);
  if (header.empty() || header[0] != '{') {
    problem = "expected the header to be a JSON object that starts with '{' "
              "but " +
              (header.empty() ? "it is empty"
                              : "got " + quoted(header.substr(0, 20)));
    return false;
  }
  std::string syntax;
  std::optional<JsonValue> root = parseJson(header, syntax);
  if (!root) {
    problem = "the header is not valid JSON: " + syntax + " of the header";
    return false;
  }

  bool hasMetadata = false;
  weights.entries.reserve(root->members.size());
  for (auto &[name, value] : root->members) {
    if (name == "__metadata__") {
      // Texts for people; nothing here depends on them.
      if (hasMetadata || value.kind != JsonValue::Object) {
        problem = "expected one '__metadata__', an object";
        return false;
      }
      hasMetadata = true;
      continue;
    }
    Entry entry;
    entry.name = name;
    std::string what;
    if (name.find('\0') != std::string::npos) {
      problem = "tensor " + quoted(name) + ": its name contains a NUL";
      return false;
    }
    if (!readEntry(value, entry, what) || !checkSize(entry, what)) {
      problem = "tensor " + quoted(name) + ": " + what;
      return false;
    }
    weights.entries.push_back(std::move(entry));
  }
  if (std::string_view duplicate; !weights.buildIndex(duplicate)) {
    problem = "duplicate tensor " + quoted(duplicate);
    return false;
  }
  if (!checkLayout(weights.entries, int64_t(data.size()), problem))
    return false;
  for (Entry &entry : weights.entries)
    entry.address = data.data() + entry.begin;
  return true;
}

extern "C" {

int sluice_weights_open(const char *path, sluice_weights **weights,
                        sluice_error *error) {
  return guarded(error, [&] {
    if (!path || !weights)
      return setError(error, "expected the path of a weight file but got a "
                             "null pointer");
    auto result = std::make_unique<sluice_weights>();
    result->source = quoted(path);
    std::string problem;
    if (!result->file.open(path, problem))
      return setError(error, "cannot read weight file " + quoted(path) + ": " +
                                 problem);
    if (!readHeader(*result, problem))
      return setError(error, "weight file " + quoted(path) + ": " + problem);
    *weights = result.release();
    return true;
  });
}

} // extern "C"
