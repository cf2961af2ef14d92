//===- DiagnosticPrinter.h - Diagnostics for people -------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_COMPILER_DIAGNOSTICPRINTER_H
#define SLUICE_COMPILER_DIAGNOSTICPRINTER_H

#include "mlir/IR/Diagnostics.h"

#include <string>

namespace sluice {

/// Prints a context's diagnostics to the standard error as long as it lives:
/// with the line of `sourceMgr` that they are about, or, where they have no
/// place in a file, as "<tool>: error: ...".
class DiagnosticPrinter {
public:
  /// Remarks, by which passes explain themselves, are shown if `showRemarks`.
  DiagnosticPrinter(llvm::SourceMgr &sourceMgr, mlir::MLIRContext *context,
                    llvm::StringRef tool, bool showRemarks);

private:
  std::string tool;
  bool showRemarks;
  mlir::SourceMgrDiagnosticHandler printer;
  /// Sees diagnostics before `printer` does.
  mlir::ScopedDiagnosticHandler filter;
};

} // namespace sluice

#endif // SLUICE_COMPILER_DIAGNOSTICPRINTER_H
