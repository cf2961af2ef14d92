//===- DiagnosticPrinter.cpp - Diagnostics for people -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Compiler/DiagnosticPrinter.h"

#include "Remarks.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"

using namespace sluice;

DiagnosticPrinter::DiagnosticPrinter(llvm::SourceMgr &sourceMgr,
                                     mlir::MLIRContext *context,
                                     llvm::StringRef tool, bool showRemarks)
    : tool(tool), showRemarks(showRemarks), printer(sourceMgr, context),
      filter(context, [this](mlir::Diagnostic &diagnostic) {
        // Success: handled here.
        if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Remark &&
            !this->showRemarks)
          return mlir::success();
        if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error ||
            !mlir::isa<mlir::UnknownLoc>(diagnostic.getLocation()))
          return mlir::failure();
        llvm::WithColor::error(llvm::errs(), this->tool)
            << diagnostic.str() << "\n";
        return mlir::success();
      }) {
  // The line of the file says more than the op in its generic form.
  context->printOpOnDiagnostic(false);
  if (!showRemarks)
    return;
  if (mlir::failed(reportRemarks(*context)))
    llvm::WithColor::warning(llvm::errs(), tool)
        << "the remarks of passes cannot be shown\n";
}
