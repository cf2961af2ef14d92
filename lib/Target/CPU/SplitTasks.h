//===- SplitTasks.h - Few tasks share their products ------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_TARGET_CPU_SPLITTASKS_H
#define SLUICE_LIB_TARGET_CPU_SPLITTASKS_H

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "sluice/Conversion/Utils.h"

namespace sluice {

/// How many threads a parallel loop has, as an index.
mlir::Value getNumThreads(LoopBuilder &b);

/// Gives `loop`, a parallel loop over tasks on buffers, company: where its
/// tasks would leave an eighth of the threads' time unused, as the one task of
/// a token that one expert takes does, a loop that runs them one after the
/// other, outside of parallel loops, whose products are for all threads to
/// share.
void splitFewTasks(mlir::scf::ForallOp loop);

} // namespace sluice

#endif // SLUICE_LIB_TARGET_CPU_SPLITTASKS_H
