//===- Check.h - The check dialect ------------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_DIALECT_CHECK_IR_CHECK_H
#define SLUICE_DIALECT_CHECK_IR_CHECK_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"

#include "sluice/Dialect/Check/IR/CheckDialect.h.inc"

#define GET_OP_CLASSES
#include "sluice/Dialect/Check/IR/CheckOps.h.inc"

#endif // SLUICE_DIALECT_CHECK_IR_CHECK_H
