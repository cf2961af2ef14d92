//===- InitAll.h - Everything that Sluice's tools register ------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_INITALL_H
#define SLUICE_INITALL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace sluice {

/// Sluice's dialects and every upstream dialect and extension that model files
/// and Sluice's pipelines use.
void registerAllDialects(mlir::DialectRegistry &registry);

/// Sluice's passes and pipelines, and upstream's, for tools that take their
/// names on the command line.
void registerAllPasses();

} // namespace sluice

#endif // SLUICE_INITALL_H
