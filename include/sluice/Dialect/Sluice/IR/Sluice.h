//===- Sluice.h - The sluice dialect ----------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_DIALECT_SLUICE_IR_SLUICE_H
#define SLUICE_DIALECT_SLUICE_IR_SLUICE_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "sluice/Dialect/Sluice/IR/SluiceDialect.h.inc"

#include "sluice/Dialect/Sluice/IR/SluiceEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "sluice/Dialect/Sluice/IR/SluiceAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "sluice/Dialect/Sluice/IR/SluiceTypes.h.inc"

#define GET_OP_CLASSES
#include "sluice/Dialect/Sluice/IR/SluiceOps.h.inc"

#endif // SLUICE_DIALECT_SLUICE_IR_SLUICE_H
