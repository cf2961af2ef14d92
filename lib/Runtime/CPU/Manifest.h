//===- Manifest.h - What the compiler says about a model --------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_RUNTIME_CPU_MANIFEST_H
#define SLUICE_LIB_RUNTIME_CPU_MANIFEST_H

#include "Internal.h"

namespace sluice::rt {

/// An input or a result; a dimension of -1 is dynamic.
struct ValueSpec {
  std::string name;
  sluice_dtype dtype = SLUICE_F32;
  std::vector<int64_t> shape;
};

struct WeightSpec {
  std::string symbol;
  /// The tensor's name, or the pattern of several names.
  std::string tensor;
  sluice_dtype dtype = SLUICE_F32;
  std::vector<int64_t> shape;
  /// The outputs of a panel; 0: the value is as it is stored.
  int64_t panelWidth = 0;
  /// The order of the matrices that are packed: [out, in] or [in, out].
  bool isOutIn = true;
  /// The inputs of an output that lie side by side in a panel.
  int64_t interleave = 1;
  /// Numbers in an element: 2 of 4 bits in a byte, or the element itself.
  int64_t numbersPerElement = 1;
  /// The dimensions of a matrix; all but the first of [out, ...] are inputs.
  int64_t matrixDims = 2;
};

/// Dimension `dimension` of input `input` must equal that of an earlier input.
struct SameSizeSpec {
  size_t input = 0, dimension = 0;
  size_t earlierInput = 0, earlierDimension = 0;
};

struct FunctionSpec {
  std::string name;
  std::vector<ValueSpec> inputs;
  std::vector<ValueSpec> results;
  /// Indices of the model's weights, in the order of the function's arguments.
  std::vector<size_t> weights;
  std::vector<SameSizeSpec> sameSizes;
};

struct FailureSpec {
  int64_t code = 0;
  std::string kind;
  std::string where;
  std::optional<double> tolerance;
  std::string message;
};

struct CounterSpec {
  /// Where the op stands; a private function may be called from several.
  std::string function;
  std::string op;
  std::string where;
  /// Where in the state the counters begin, and for how many experts.
  size_t at = 0;
  size_t experts = 0;
  int64_t multiplyAddsPerEntry = 0;
  int64_t weightBytesPerExpert = 0;
};

struct Manifest {
  std::string name;
  /// At least stateHeader.
  size_t stateSize = 0;
  std::vector<WeightSpec> weights;
  std::vector<FunctionSpec> functions;
  std::vector<FailureSpec> failures;
  std::vector<CounterSpec> counters;

  /// The state starts with the description of a failure.
  static constexpr size_t stateHeader = 8;
  /// Before the tokens per expert: calls, tokens, entries, dropped entries,
  /// experts that had a token (added up over the calls).
  static constexpr size_t counterHeader = 5;
};

/// Reads and checks the text; the error names the member that is wrong.
std::optional<Manifest> parseManifest(std::string_view text,
                                      sluice_error *error);

} // namespace sluice::rt

#endif // SLUICE_LIB_RUNTIME_CPU_MANIFEST_H
