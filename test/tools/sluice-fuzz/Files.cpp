//===- Files.cpp - A case as files ------------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Files.h"

#include "sluice/Support/Npy.h"
#include "llvm/Support/EndianStream.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace sluice;

static llvm::Error writeFile(llvm::StringRef path, llvm::StringRef contents) {
  std::error_code code;
  llvm::raw_fd_ostream os(path, code);
  if (code)
    return llvm::createStringError(code, "cannot write " + path);
  os << contents;
  return llvm::Error::success();
}

llvm::Error sluice::writeWeights(const Case &c,
                                 llvm::ArrayRef<HostTensor> values,
                                 llvm::StringRef path) {
  llvm::json::Object header;
  std::string data;
  auto add = [&](const std::string &name, Dtype type,
                 llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<char> bytes) {
    int64_t begin = int64_t(data.size());
    data.append(bytes.data(), bytes.size());
    header[name] = llvm::json::Object{
        {"dtype", llvm::StringRef(toString(type)).upper()},
        {"shape", llvm::json::Array(shape)},
        {"data_offsets",
         llvm::json::Array{begin, begin + int64_t(bytes.size())}}};
  };
  for (auto [argument, value] : llvm::zip_equal(c.arguments, values)) {
    if (!argument.isWeight)
      continue;
    const std::string &name = argument.value.name;
    if (!argument.isStacked) {
      add(name, value.dtype(), value.shape(), value.bytes());
      continue;
    }
    size_t count = size_t(value.shape()[0]);
    size_t each = value.numBytes() / count;
    for (size_t e = 0; e < count; ++e)
      add(name + "." + std::to_string(e), value.dtype(),
          value.shape().drop_front(), value.bytes().slice(e * each, each));
  }
  std::string text, contents;
  llvm::raw_string_ostream(text) << llvm::json::Value(std::move(header));
  llvm::raw_string_ostream os(contents);
  llvm::support::endian::write(os, uint64_t(text.size()),
                               llvm::endianness::little);
  os << text << data;
  return writeFile(path, contents);
}

llvm::Error sluice::dumpCase(const Case &c, llvm::ArrayRef<HostTensor> values,
                             llvm::StringRef folder, llvm::StringRef why) {
  if (std::error_code code = llvm::sys::fs::create_directories(folder))
    return llvm::createStringError(code, "cannot make the folder " + folder);
  auto place = [&](const llvm::Twine &name) {
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, name);
    return std::string(path);
  };
  std::string run = "sluice-run model.mlir --entry=moe --check";
  bool anyWeight = false;
  unsigned number = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (c.arguments[i].isWeight) {
      anyWeight = true;
      continue;
    }
    std::string name = "input" + std::to_string(number++) + ".npy";
    run += " --input " + name;
    if (llvm::Error error = writeNpy(place(name), values[i]))
      return error;
  }
  if (anyWeight) {
    run += " --weights weights.safetensors";
    if (llvm::Error error =
            writeWeights(c, values, place("weights.safetensors")))
      return error;
  }
  std::string model;
  llvm::StringRef rest = why;
  while (!rest.empty()) {
    auto [line, more] = rest.split('\n');
    model += "// " + line.str() + "\n";
    rest = more;
  }
  model += "// Case: " + c.summary + "\n// With the inputs beside: " + run +
           "\n" + c.model;
  if (llvm::Error error = writeFile(place("model.mlir"), model))
    return error;
  return writeFile(place("majorant.mlir"), c.majorant);
}
