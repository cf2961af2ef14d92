//===- Pipelines.h - From a model to what a machine runs --------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_PIPELINES_PIPELINES_H
#define SLUICE_PIPELINES_PIPELINES_H

#include <cstdint>
#include <string>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace sluice {

/// What can be chosen about the CPU pipeline. Each field is also an option of
/// the pass pipeline `sluice-cpu-pipeline`, spelled in kebab-case.
struct CPUOptions {
  /// Use OpenMP. Results are the same bit for bit with and without.
  bool parallel = true;
  /// Count what routed ops do; see sluice-externalize-state.
  bool counters = false;
  /// Most tokens that a task runs through its expert; see sluice-plan-dispatch.
  int64_t rowsPerTask = 64;
  /// Whose schedule products with weights have; see
  /// sluice/Target/CPU/Machine.h. Empty: plain loops, and weights as they are
  /// stored.
  std::string machine = "x86-64";
};

/// What happens before loops are made: one experts op for each body, calls
/// inlined, canonicalisation, then a plan for all experts.
void buildPlanPipeline(mlir::OpPassManager &pm, const CPUOptions &options);

/// Behind the plan pipeline: weights packed, loops and buffers, the same for
/// every machine (but with none, weights stay as they are stored).
void buildCPUBufferPipeline(mlir::OpPassManager &pm, const CPUOptions &options);

/// Behind the buffer pipeline: everything that depends on the machine, down to
/// the LLVM dialect.
void buildCPUMachinePipeline(mlir::OpPassManager &pm,
                             const CPUOptions &options);

/// All three: model level to the LLVM dialect for a CPU. Leaves the module
/// attribute `sluice.manifest` and, for each public function f,
/// `_mlir_ciface_f`.
void buildCPUPipeline(mlir::OpPassManager &pm, const CPUOptions &options);

/// Registers `sluice-plan-pipeline` and `sluice-cpu-pipeline` by name.
void registerPipelines();

} // namespace sluice

#endif // SLUICE_PIPELINES_PIPELINES_H
