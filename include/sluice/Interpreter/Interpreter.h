//===- Interpreter.h - The oracle: runs models in binary64 ------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The interpreter executes a model from the definitions of its ops, as simply
// as they can be written down, and shares no code with the lowerings. What
// compiled code does is right if it agrees with the interpreter.
//
// Numbers. All floating point arithmetic is that of binary64. A value of type
// f32 or f64 is never rounded further, so that it is (nearly) the number that
// the model means; what f32 arithmetic makes of it lies within a tolerance. A
// value of type f16 or bf16 is rounded to its type, to nearest with ties to
// even, by each op that makes one: narrow storage is part of the model.
// Constants, weights and inputs are exactly the numbers that they store.
//
// Ops. The sluice and check dialects at both levels; func; arith; math; tensor
// (without scatter and parallel_insert_slice); scf (execute_region, for, if,
// index_switch, while); all structured ops of linalg on tensors, named and
// generic. Numbers are f16, bf16, f32, f64, index and signless integers of up
// to 64 bits, alone or in ranked tensors.
//
// Errors. Every failure is one diagnostic of the context, at the op that
// failed: an op or a type that is not known (it is named), an index outside a
// tensor, dynamic shapes that do not fit, a division of integers by zero, an
// expectation that does not hold, a weight that cannot be loaded, a tensor that
// is too large.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_INTERPRETER_INTERPRETER_H
#define SLUICE_INTERPRETER_INTERPRETER_H

#include "mlir/IR/BuiltinOps.h"
#include "sluice/Support/HostTensor.h"
#include "sluice/Support/RoutedCounters.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace sluice {
class WeightsFile;
} // namespace sluice

namespace sluice::interpreter {

class Evaluator;

struct Options {
  /// Where `sluice.weight`s are read from, each at its first use. May be null
  /// if no weight is used. Must outlive the interpreter.
  const WeightsFile *weights = nullptr;

  /// A tensor with more elements is an error. Each takes 8 bytes.
  uint64_t maxElements = uint64_t(1) << 30;
};

/// Runs the functions of one module, which must not change meanwhile. Counters
/// add up over the runs. Not thread-safe; two interpreters never see each
/// other.
class Interpreter {
public:
  /// `module` has been verified, and outlives the interpreter.
  explicit Interpreter(mlir::ModuleOp module, Options options = Options());
  ~Interpreter();
  Interpreter(const Interpreter &) = delete;
  Interpreter &operator=(const Interpreter &) = delete;

  /// Runs the function `entry`, public or private. There is one input for each
  /// argument, with exactly its element type (i1 is a bool, index an i64) and
  /// with a shape that fits; a number is a tensor of rank 0. Returns one tensor
  /// for each result, floats rounded to the result's type.
  mlir::FailureOr<llvm::SmallVector<HostTensor>>
  run(llvm::StringRef entry, llvm::ArrayRef<HostTensor> inputs);

  /// The same with all floats as f64 and unrounded: what others are compared
  /// with. Integers and bools keep their types.
  mlir::FailureOr<llvm::SmallVector<HostTensor>>
  runExact(llvm::StringRef entry, llvm::ArrayRef<HostTensor> inputs);

  /// What each routed op of the module did in all runs, in the order in which
  /// the ops are written; see sluice/Support/RoutedCounters.h. A multiply-add
  /// counts for the innermost routed op whose body it was executed in: by
  /// sluice.linear and by linalg's contractions and convolutions.
  const std::vector<RoutedCounters> &getCounters() const;
  /// The same as one JSON object on one line, without a line end.
  void printCountersJSON(llvm::raw_ostream &os) const;

  /// The smallest relative gap |a - b| / max(|a|, |b|, 1e-30), other than 0,
  /// by which a selection (topk, keep_groups, choose_tokens, limit with
  /// priority) decided in all runs: between neighbours among a token's k
  /// chosen, between the last chosen and the best that was not, between the
  /// last group kept and the first masked, and between the priorities of the
  /// last token that an expert kept and the first that it dropped. Infinity if
  /// there was none. Where it is as small as a rounding error, an
  /// implementation in another precision may rightly choose otherwise.
  double getSmallestMargin() const;
  /// How often a selection found two neighbours equal, and took the lower index
  /// first.
  uint64_t getExactTies() const;

  /// Sets counters, margin and ties back to those of a new interpreter.
  void resetCounters();

private:
  mlir::FailureOr<llvm::SmallVector<HostTensor>>
  run(llvm::StringRef entry, llvm::ArrayRef<HostTensor> inputs, bool isExact);

  std::unique_ptr<Evaluator> evaluator;
};

} // namespace sluice::interpreter

#endif // SLUICE_INTERPRETER_INTERPRETER_H
