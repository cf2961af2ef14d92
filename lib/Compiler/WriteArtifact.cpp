//===- WriteArtifact.cpp - Files of a compiled model ------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Compiler/Artifact.h"
#include "sluice/Compiler/Compiler.h"
#include "sluice/Compiler/PhaseTimes.h"
#include "sluice/Support/AtomicFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace sluice;

llvm::Expected<ModelInterface> sluice::createInterface(mlir::ModuleOp lowered,
                                                       llvm::StringRef prefix,
                                                       llvm::StringRef weights,
                                                       PhaseTimes *phases) {
  llvm::SmallString<256> path(weights);
  if (!path.empty())
    llvm::sys::fs::make_absolute(path);
  llvm::StringRef manifest;
  if (auto attribute =
          lowered->getAttrOfType<mlir::StringAttr>("sluice.manifest"))
    manifest = attribute.getValue();
  llvm::Expected<ModelInterface> interface =
      ModelInterface::create(manifest, prefix, path);
  if (!interface || path.empty())
    return interface;
  PhaseTimer timer(phases, "weights");
  if (llvm::Error error = checkWeights(*interface, path))
    return std::move(error);
  return interface;
}

static llvm::Error writeCode(const CompiledModel &model,
                             CompiledModel::Format format,
                             llvm::StringRef path) {
  llvm::SmallVector<char, 0> code;
  if (llvm::Error error = model.emit(format, code))
    return error;
  return writeFileAtomically(path, llvm::StringRef(code.data(), code.size()));
}

llvm::Error sluice::writeArtifact(const CompiledModel &model,
                                  const ModelInterface &interface,
                                  ArtifactKind kind, llvm::StringRef path,
                                  const LinkOptions &options) {
  if (kind == ArtifactKind::Assembly)
    return writeCode(model, CompiledModel::Format::Assembly, path);
  if (kind == ArtifactKind::LLVMIR)
    return writeCode(model, CompiledModel::Format::LLVMIR, path);

  llvm::SmallString<256> header(path);
  llvm::sys::path::replace_extension(header, "h");
  if (header == path)
    return llvm::createStringError("the output '" + path +
                                   "' has the name of its own header; choose "
                                   "another suffix");
  bool existed = llvm::sys::fs::exists(path);
  if (llvm::Error error =
          kind == ArtifactKind::Object
              ? writeCode(model, CompiledModel::Format::Object, path)
              : writeSharedLibrary(model, interface, path, options))
    return error;
  llvm::Error error = writeFileAtomically(
      header, generateHeader(interface, llvm::sys::path::filename(path),
                             llvm::sys::path::filename(header)));
  // Code without its header is half of what was asked for.
  if (error && !existed)
    llvm::sys::fs::remove(path);
  return error;
}
