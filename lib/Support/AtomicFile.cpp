//===- AtomicFile.cpp - Writing files whole or not at all -------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Support/AtomicFile.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Signals.h"

using namespace llvm;
using namespace sluice;

static Error cannotWrite(StringRef path, const Twine &why) {
  return createStringError("cannot write '" + path + "': " + why);
}

static Error cannotWrite(StringRef path, std::error_code why) {
  return cannotWrite(path, why.message());
}

static bool isStandardOutput(StringRef path) {
  // /dev/stdout may be a link to a regular file, which must not be replaced.
  return path == "-" || path == "/dev/stdout";
}

/// Flushes, and gives an error of the stream that would otherwise be fatal when
/// it is destroyed.
static Error finish(raw_fd_ostream &os, StringRef path) {
  os.flush();
  if (!os.has_error())
    return Error::success();
  std::error_code why = os.error();
  os.clear_error();
  return cannotWrite(path, why);
}

using Write = function_ref<Error(raw_ostream &)>;

/// Writes to what cannot be replaced: standard output, a device, a pipe.
static Error writeDirectly(StringRef path, Write write) {
  if (isStandardOutput(path)) {
    if (Error error = write(outs()))
      return error;
    return finish(outs(), path);
  }
  std::error_code why;
  raw_fd_ostream os(path, why, sys::fs::CD_OpenExisting);
  if (why)
    return cannotWrite(path, why);
  Error error = write(os);
  Error flushed = finish(os, path);
  return joinErrors(std::move(error), std::move(flushed));
}

namespace {

/// A file in the same folder as the target, removed unless it replaces it.
class Temporary {
public:
  Temporary() = default;
  Temporary(const Temporary &) = delete;
  ~Temporary() {
    if (name.empty())
      return;
    sys::fs::remove(name);
    sys::DontRemoveFileOnSignal(name);
  }

  /// Creates the file; `fd` is open for writing.
  Error create(StringRef path, int &fd);
  /// Renames it to the target.
  Error replaceTarget();

  StringRef path() const { return name; }

private:
  SmallString<128> target;
  SmallString<128> name;
  std::optional<sys::fs::perms> permissions;
};

} // namespace

Error Temporary::create(StringRef path, int &fd) {
  target = path;
  // Replace what a link points to, not the link.
  SmallString<128> resolved;
  if (sys::fs::is_symlink_file(path) && !sys::fs::real_path(path, resolved))
    target = resolved;

  sys::fs::file_status status;
  if (!sys::fs::status(target, status)) {
    if (sys::fs::is_directory(status))
      return cannotWrite(path, "it is a directory");
    // Renaming would not ask for this permission.
    if (std::error_code why =
            sys::fs::access(target, sys::fs::AccessMode::Write))
      return cannotWrite(path, why);
    permissions = status.permissions();
  }

  // The extension stays: tools look at it.
  SmallString<128> model = sys::path::parent_path(target);
  sys::path::append(model, "." + sys::path::stem(target) + ".%%%%%%%%" +
                               sys::path::extension(target));
  if (std::error_code why =
          sys::fs::createUniqueFile(model, fd, name, sys::fs::OF_None,
                                    sys::fs::all_read | sys::fs::all_write)) {
    name.clear();
    return cannotWrite(path, why);
  }
  sys::RemoveFileOnSignal(name);
  return Error::success();
}

Error Temporary::replaceTarget() {
  if (permissions)
    if (std::error_code why = sys::fs::setPermissions(name, *permissions))
      return cannotWrite(target, why);
  if (std::error_code why = sys::fs::rename(name, target))
    return cannotWrite(target, why);
  sys::DontRemoveFileOnSignal(name);
  name.clear();
  return Error::success();
}

/// Whether `path` is written without a temporary file.
static bool isWrittenDirectly(StringRef path) {
  sys::fs::file_status status;
  return isStandardOutput(path) ||
         (!sys::fs::status(path, status) && sys::fs::is_other(status));
}

Error sluice::writeFileAtomically(StringRef path, Write write) {
  if (isWrittenDirectly(path))
    return writeDirectly(path, write);
  Temporary temporary;
  int fd;
  if (Error error = temporary.create(path, fd))
    return error;
  {
    raw_fd_ostream os(fd, /*shouldClose=*/false);
    Error error = write(os);
    Error flushed = finish(os, path);
    // A network's file system may report a full disk only now.
    std::error_code closed = sys::Process::SafelyCloseFileDescriptor(fd);
    if (Error either = joinErrors(std::move(error), std::move(flushed)))
      return either;
    if (closed)
      return cannotWrite(path, closed);
  }
  return temporary.replaceTarget();
}

Error sluice::writeFileAtomically(StringRef path, StringRef contents) {
  return writeFileAtomically(path, [&](raw_ostream &os) {
    os << contents;
    return Error::success();
  });
}

Error sluice::produceFileAtomically(StringRef path,
                                    function_ref<Error(StringRef)> produce) {
  bool direct = isWrittenDirectly(path);
  SmallString<128> where = path;
  if (direct) {
    // A folder in which a file can be created.
    sys::path::system_temp_directory(/*ErasedOnReboot=*/true, where);
    sys::path::append(where, "sluice-output");
  }
  Temporary temporary;
  int fd;
  if (Error error = temporary.create(where, fd))
    return error;
  sys::Process::SafelyCloseFileDescriptor(fd);
  if (Error error = produce(temporary.path()))
    return error;
  if (!direct)
    return temporary.replaceTarget();

  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer =
      MemoryBuffer::getFile(temporary.path(), /*IsText=*/false,
                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return cannotWrite(path, buffer.getError());
  return writeDirectly(path, [&](raw_ostream &os) {
    os << (*buffer)->getBuffer();
    return Error::success();
  });
}
