//===- AtomicFile.h - Writing files whole or not at all ---------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_SUPPORT_ATOMICFILE_H
#define SLUICE_SUPPORT_ATOMICFILE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace sluice {

/// Writes what `write` prints to the file at `path`.
///
/// The text goes to a temporary file in the same folder, which replaces `path`
/// after all of it was written: on an error, a full disk or a signal the old
/// file, if there was one, stays as it was, and nothing else is left behind. A
/// symbolic link is followed; permissions of an existing file are kept.
///
/// `-` and /dev/stdout are standard output. Other things that are no regular
/// files (devices, pipes) are written directly.
llvm::Error
writeFileAtomically(llvm::StringRef path,
                    llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write);
llvm::Error writeFileAtomically(llvm::StringRef path, llvm::StringRef contents);

/// The same for a producer that wants a file's name, such as a linker, and may
/// replace that file. `produce` is given the temporary file's path. What is no
/// regular file, and standard output, get a copy of its contents.
llvm::Error produceFileAtomically(
    llvm::StringRef path,
    llvm::function_ref<llvm::Error(llvm::StringRef temporaryPath)> produce);

} // namespace sluice

#endif // SLUICE_SUPPORT_ATOMICFILE_H
