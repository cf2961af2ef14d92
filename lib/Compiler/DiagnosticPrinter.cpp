//===- DiagnosticPrinter.cpp - Diagnostics for people -----------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Compiler/DiagnosticPrinter.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"

using namespace sluice;

namespace {

/// Turns what passes report to MLIR's remark engine into diagnostics:
/// "[pass] what was decided: why".
class RemarksAsDiagnostics
    : public mlir::remark::detail::MLIRRemarkStreamerBase {
public:
  void streamOptimizationRemark(
      const mlir::remark::detail::Remark &remark) override {
    std::string text, reasons;
    for (const mlir::remark::detail::Remark::Arg &arg : remark.getArgs()) {
      std::string &part = arg.key == "Remark" ? text : reasons;
      part += (part.empty() ? "" : "; ") + arg.val;
    }
    mlir::emitRemark(remark.getLocation())
        << "[" << remark.getCombinedCategoryName() << "] " << text
        << (text.empty() || reasons.empty() ? "" : ": ") << reasons;
  }
};

} // namespace

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
  // `all` alone would only widen the filters of the kinds that have one.
  mlir::remark::RemarkCategories categories;
  categories.passed = categories.missed = ".*";
  categories.analysis = categories.failed = ".*";
  if (mlir::failed(mlir::remark::enableOptimizationRemarks(
          *context, std::make_unique<RemarksAsDiagnostics>(),
          std::make_unique<mlir::remark::RemarkEmittingPolicyAll>(),
          categories)))
    llvm::WithColor::warning(llvm::errs(), tool)
        << "the remarks of passes cannot be shown\n";
}
