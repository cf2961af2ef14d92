//===- Check.cpp - The check dialect ----------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice/Dialect/Check/IR/Check.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

#include <cmath>

using namespace mlir;
using namespace sluice::check;

#include "sluice/Dialect/Check/IR/CheckDialect.cpp.inc"

#define GET_OP_CLASSES
#include "sluice/Dialect/Check/IR/CheckOps.cpp.inc"

void CheckDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "sluice/Dialect/Check/IR/CheckOps.cpp.inc"
      >();
}

LogicalResult ExpectCloseOp::verify() {
  double tolerance = getTolerance().convertToDouble();
  if (!std::isfinite(tolerance) || tolerance < 0) // C1
    return emitOpError("expected a tolerance that is finite and not negative "
                       "but got ")
           << tolerance;
  return success();
}
