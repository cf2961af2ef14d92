//===- Link.cpp - Shared libraries ------------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A link needs neither a compiler nor development packages: the libraries that
// a model uses are those that this very process has loaded, by their full
// names.
//
//===----------------------------------------------------------------------===//

#include "EntryPoints.h"

#include "sluice/Compiler/Artifact.h"
#include "sluice/Compiler/Compiler.h"
#include "sluice/Compiler/PhaseTimes.h"
#include "sluice/Support/AtomicFile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

#include <dlfcn.h>
#include <link.h>

using namespace sluice;

std::string sluice::getRuntimeDirectory(llvm::StringRef executable) {
  llvm::SmallString<256> path(
      llvm::sys::path::parent_path(llvm::sys::path::parent_path(executable)));
  llvm::sys::path::append(path, "lib");
  return std::string(path);
}

std::string sluice::findRuntimeDirectory() {
  static const char anchor = 0;
  Dl_info info;
  std::string self =
      dladdr(&anchor, &info) && info.dli_fname ? info.dli_fname : "";
  // A program is known by the name that it was called by.
  if (self.find('/') == std::string::npos)
    self = llvm::sys::fs::getMainExecutable(self.c_str(), nullptr);
  llvm::SmallString<256> archive(llvm::sys::path::parent_path(self));
  llvm::sys::path::append(archive, "libsluice_rt.a");
  if (llvm::sys::fs::exists(archive))
    return llvm::sys::path::parent_path(archive).str();
  return getRuntimeDirectory(self);
}

/// The full path of the library whose file name starts with `prefix`, among
/// those that this process has loaded; empty if there is none.
static std::string findLoadedLibrary(llvm::StringRef prefix) {
  struct Search {
    llvm::StringRef prefix;
    std::string path;
  } search{prefix, ""};
  dl_iterate_phdr(
      [](dl_phdr_info *info, size_t, void *data) {
        auto &search = *static_cast<Search *>(data);
        llvm::StringRef path = info->dlpi_name;
        if (!llvm::sys::path::filename(path).starts_with(search.prefix))
          return 0;
        search.path = path.str();
        return 1;
      },
      &search);
  // Links are not resolved: which version a name leads to is the system's to
  // say when the model is loaded, too.
  return search.path;
}

/// Everything that models may call. OpenMP's is loaded first if it is not.
static llvm::Expected<std::vector<std::string>> findLibraries() {
  std::vector<std::string> paths;
  for (const char *name : {"libomp.so", "libstdc++.so", "libgcc_s.so",
                           "libm.so", "libc.so", "ld-linux"}) {
    std::string path = findLoadedLibrary(name);
    if (path.empty() && dlopen((std::string(name) + ".5").c_str(), RTLD_LAZY))
      path = findLoadedLibrary(name);
    if (path.empty())
      return llvm::createStringError(
          "cannot link: expected the library " + llvm::Twine(name) +
          " among those that this process has loaded but found none");
    paths.push_back(path);
  }
  return paths;
}

namespace {

struct Linker {
  std::string path;
  /// A compiler, which hands options on.
  bool isDriver = false;
};

} // namespace

static llvm::Expected<Linker> findLinker() {
  if (auto path =
          llvm::sys::findProgramByName("ld.lld", {SLUICE_LLVM_TOOLS_DIRECTORY}))
    return Linker{*path, false};
  for (const char *name : {"ld.lld-22", "ld.lld", "ld"})
    if (auto path = llvm::sys::findProgramByName(name))
      return Linker{*path, false};
  if (auto path = llvm::sys::findProgramByName("cc"))
    return Linker{*path, true};
  return llvm::createStringError(
      "cannot link: expected ld.lld, ld or cc in PATH but found none; install "
      "the package lld-22, or use --emit=obj");
}

/// A temporary file with `contents`, which goes with `remover`.
static llvm::Error writeTemporary(llvm::StringRef suffix,
                                  llvm::StringRef contents,
                                  llvm::FileRemover &remover,
                                  std::string &path) {
  int descriptor = -1;
  llvm::SmallString<128> name;
  if (std::error_code code = llvm::sys::fs::createTemporaryFile(
          "sluice", suffix, descriptor, name))
    return llvm::createStringError(code, "cannot create a temporary file: " +
                                             code.message());
  remover.setFile(name);
  path = std::string(name);
  llvm::raw_fd_ostream os(descriptor, /*shouldClose=*/true);
  os << contents;
  os.close();
  if (os.has_error()) {
    std::error_code code = os.error();
    os.clear_error();
    return llvm::createStringError(code, "cannot write " + path + ": " +
                                             code.message());
  }
  return llvm::Error::success();
}

static std::string getVersionScript(const ModelInterface &interface) {
  std::string script = "{\n  global:\n";
  for (const std::string &name : getExportedNames(interface))
    script += "    " + name + ";\n";
  return script + "  local:\n    *;\n};\n";
}

/// Runs the linker; the first line that it prints becomes the error.
static llvm::Error runLinker(const Linker &linker,
                             llvm::ArrayRef<std::string> arguments) {
  llvm::FileRemover remover;
  std::string log;
  if (llvm::Error error = writeTemporary("log", "", remover, log))
    return error;
  std::vector<llvm::StringRef> references{linker.path};
  references.insert(references.end(), arguments.begin(), arguments.end());
  std::optional<llvm::StringRef> redirects[] = {"", log, log};
  std::string message;
  int status = llvm::sys::ExecuteAndWait(linker.path, references, std::nullopt,
                                         redirects, 0, 0, &message);
  if (status == 0)
    return llvm::Error::success();
  if (auto text = llvm::MemoryBuffer::getFile(log); message.empty() && text)
    message = (*text)->getBuffer().trim().split('\n').first.str();
  return llvm::createStringError("cannot link: " + linker.path + " failed" +
                                 (message.empty() ? "" : ": ") + message);
}

/// The arguments for a link of `objects` into `output`.
static std::vector<std::string>
getArguments(const Linker &linker, llvm::ArrayRef<std::string> objects,
             llvm::StringRef output, llvm::StringRef soname,
             llvm::StringRef versionScript,
             llvm::ArrayRef<std::string> archives,
             llvm::ArrayRef<std::string> libraries) {
  std::vector<std::string> arguments = {"-shared", "-o", output.str()};
  auto addOption = [&](llvm::ArrayRef<std::string> words) {
    if (!linker.isDriver) {
      arguments.insert(arguments.end(), words.begin(), words.end());
      return;
    }
    for (const std::string &word : words) {
      arguments.push_back("-Xlinker");
      arguments.push_back(word);
    }
  };
  addOption({"-soname", soname.str()});
  addOption({"--version-script", versionScript.str()});
  addOption({"--gc-sections", "--eh-frame-hdr", "--build-id"});
  addOption({"-z", "relro"});
  addOption({"-z", "now"});
  addOption({"-z", "noexecstack"});
  // What is missing must be found here and not by the program that loads it.
  addOption({"-z", "defs"});
  arguments.insert(arguments.end(), objects.begin(), objects.end());
  arguments.insert(arguments.end(), archives.begin(), archives.end());
  addOption({"--as-needed"});
  arguments.insert(arguments.end(), libraries.begin(), libraries.end());
  // OpenMP's library may lie in a folder of its own.
  addOption({"-rpath", llvm::sys::path::parent_path(libraries.front()).str()});
  return arguments;
}

llvm::Error sluice::writeSharedLibrary(const CompiledModel &model,
                                       const ModelInterface &interface,
                                       llvm::StringRef path,
                                       const LinkOptions &options) {
  if (llvm::Error error = checkHostTarget(model.getTarget()))
    return llvm::createStringError("cannot link: " +
                                   llvm::toString(std::move(error)));
  std::vector<std::string> archives;
  for (const char *name : {"libsluice_artifact.a", "libsluice_rt.a"}) {
    llvm::SmallString<256> archive(options.runtimeDirectory);
    llvm::sys::path::append(archive, name);
    if (!llvm::sys::fs::exists(archive))
      return llvm::createStringError(
          "cannot link: expected Sluice's runtime at " + archive +
          " but there is no such file");
    archives.push_back(std::string(archive));
  }
  llvm::Expected<Linker> linker = findLinker();
  if (!linker)
    return linker.takeError();
  llvm::Expected<std::vector<std::string>> libraries = findLibraries();
  if (!libraries)
    return libraries.takeError();

  llvm::SmallVector<llvm::SmallVector<char, 0>> code;
  if (llvm::Error error = model.emitObjects(options.threadPool, code))
    return error;
  PhaseTimer timer(model.getPhases(), "link");
  llvm::FileRemover removeScript;
  std::vector<llvm::FileRemover> removeObjects(code.size());
  std::vector<std::string> objects(code.size());
  for (size_t i = 0; i < code.size(); ++i)
    if (llvm::Error error =
            writeTemporary("o", llvm::StringRef(code[i].data(), code[i].size()),
                           removeObjects[i], objects[i]))
      return error;
  std::string script;
  if (llvm::Error error = writeTemporary("map", getVersionScript(interface),
                                         removeScript, script))
    return error;
  return produceFileAtomically(path, [&](llvm::StringRef temporary) {
    return runLinker(*linker, getArguments(*linker, objects, temporary,
                                           llvm::sys::path::filename(path),
                                           script, archives, *libraries));
  });
}
