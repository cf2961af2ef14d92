//===- Target.h - The processor that code is made for -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_COMPILER_TARGET_H
#define SLUICE_LIB_COMPILER_TARGET_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/CodeGen.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>
#include <vector>

namespace llvm {
class LLVMContext;
class Module;
class TargetMachine;
} // namespace llvm

namespace sluice {

/// What code for a processor is made like, and what it needs.
struct Processor {
  /// As the user named it: one name of CompileOptions::cpu.
  std::string cpu;
  /// The triple of CompileOptions::target, in full.
  std::string target;
  /// The machine (sluice/Target/CPU/Machine.h) whose schedule fits best.
  std::string machine;
  /// How many bits AArch64's scalable vectors have, if code is made for that
  /// many; else 0.
  unsigned vectorBits;
  /// The names, separated by commas, of what the code needs beyond the
  /// architecture's baseline, as far as it can be checked at load time.
  std::string features;
};

/// The processor called `cpu`, e.g. "native", of CompileOptions::target.
llvm::Expected<Processor> lookupProcessor(llvm::StringRef cpu,
                                          llvm::StringRef target);

/// The processors of a list (CompileOptions::cpu), at least one, the best
/// first: those whose products have the widest schedule, then those with the
/// most features, then as in the list. Fails if a name is unknown or there
/// twice.
llvm::Expected<std::vector<Processor>> parseCPUs(llvm::StringRef list,
                                                 llvm::StringRef target);

/// The index of the first that this process's machine can run code for. Fails,
/// with what it lacks for each, if there is none.
llvm::Expected<size_t> findRunnable(llvm::ArrayRef<Processor> processors);

/// A machine of CompileOptions::target: position-independent code for `cpu`,
/// one name of CompileOptions::cpu.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(llvm::StringRef cpu, llvm::StringRef target,
                    unsigned optLevel);

/// Sets triple and layout of `module`, and on each of its functions processor
/// and features, on kernels also the size of vectors, so that tools that read
/// its text choose the same ones.
void setTarget(llvm::Module &module, const llvm::TargetMachine &machine,
               const Processor &processor);

/// Runs LLVM's pipeline for `optLevel`, vectorisers included.
llvm::Error optimize(llvm::Module &module, llvm::TargetMachine &machine,
                     unsigned optLevel);

/// Lets `context` report its first error to `problem`, which outlives it, and
/// nothing to the standard error: what else LLVM has to say is not about the
/// model.
void redirectDiagnostics(llvm::LLVMContext &context, std::string &problem);

/// Runs the code generator, which changes the module. Errors may also have gone
/// to the module's context.
llvm::Error generateCode(llvm::Module &module, llvm::TargetMachine &machine,
                         llvm::CodeGenFileType type,
                         llvm::SmallVectorImpl<char> &output);

/// Makes one of constants that are equal.
void mergeConstants(llvm::Module &module);

} // namespace sluice

#endif // SLUICE_LIB_COMPILER_TARGET_H
