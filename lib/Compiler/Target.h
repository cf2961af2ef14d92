//===- Target.h - The processor that code is made for -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_COMPILER_TARGET_H
#define SLUICE_LIB_COMPILER_TARGET_H

#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace sluice {

/// A machine of this host's architecture: position-independent code for `cpu`,
/// see CompileOptions::cpu.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(llvm::StringRef cpu, unsigned optLevel);

/// The machine (sluice/Target/CPU/Machine.h) whose schedule fits `cpu` best.
llvm::Expected<std::string> getMachineName(llvm::StringRef cpu);

/// The names, separated by commas, of what code for `machine` needs beyond the
/// architecture's baseline, as far as an artifact can check it at load time.
std::string getRequiredFeatures(const llvm::TargetMachine &machine);

/// Fails if this process's machine cannot run code for `machine`.
llvm::Error checkHostRuns(const llvm::TargetMachine &machine);

/// Sets triple and layout of `module`, and processor and features on each of
/// its functions, so that tools that read its text choose the same ones.
void setTarget(llvm::Module &module, const llvm::TargetMachine &machine);

/// Runs LLVM's pipeline for `optLevel`, vectorisers included.
llvm::Error optimize(llvm::Module &module, llvm::TargetMachine &machine,
                     unsigned optLevel);

} // namespace sluice

#endif // SLUICE_LIB_COMPILER_TARGET_H
