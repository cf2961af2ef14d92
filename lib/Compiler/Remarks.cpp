//===- Remarks.cpp - What passes say about their decisions ------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Remarks.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Remarks.h"

using namespace sluice;

namespace {

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

mlir::LogicalResult sluice::reportRemarks(mlir::MLIRContext &context) {
  // `all` alone would only widen the filters of the kinds that have one.
  mlir::remark::RemarkCategories categories;
  categories.passed = categories.missed = ".*";
  categories.analysis = categories.failed = ".*";
  return mlir::remark::enableOptimizationRemarks(
      context, std::make_unique<RemarksAsDiagnostics>(),
      std::make_unique<mlir::remark::RemarkEmittingPolicyAll>(), categories);
}
