//===- Program.h - A model and a bound of its rounding errors ---*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How far may compiled code be from the exact result? A Program writes two
// modules at once. The *model* is what is tested. Its *majorant* computes
// beside each value v, in binary64, a shadow V with |v| <= V, from the
// magnitudes of the inputs: sums have no cancellation, activations are replaced
// by something larger. And for each value the program keeps a number `error`
// such that any sensible evaluation of the model in its types is off by at most
// error * V, element by element:
//
//   input                      0
//   linear, sum of n           error(input) + (n + 1) u + r
//   a * b                      error(a) + error(b) + r
//   a + b                      max(error(a), error(b)) + r
//   f(a), |f'| <= L            error(a) + 8 u + r    with |f(a)| <= V, L A <= V
//
// u is the unit roundoff of what is computed in (binary32, or binary64 if a
// type is f64) and r that of the result's type, which stores it: 2^-24, 2^-53,
// 2^-11 for f16, 2^-8 for bf16. Terms of second order are covered by a factor
// of 2 where results are compared.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_TEST_FUZZ_PROGRAM_H
#define SLUICE_TEST_FUZZ_PROGRAM_H

#include "sluice/Support/HostTensor.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace sluice {

/// The unit roundoff of a type.
double unitRoundoff(Dtype type);
/// That of a sum of such operands: at least binary32 is computed in.
double computeRoundoff(std::initializer_list<Dtype> types);

/// A value of the model. In the text it is %name, its shadow %name_.
struct Value {
  std::string name;
  llvm::SmallVector<int64_t, 3> shape;
  Dtype type = Dtype::F32;
  double error = 0;
  /// How often the error of the gates comes in, on top of `error`: where a gate
  /// weighs an expert's input, its square has it twice.
  int gateDegree = 0;
  /// The majorant has it under its own name, too.
  bool isArgument = false;

  /// tensor<?x3xf32>.
  std::string typeText() const { return sluice::typeText(type, shape); }
  std::string shadowType() const { return sluice::typeText(Dtype::F64, shape); }
  std::string ref() const { return "%" + name; }
  std::string shadow() const { return "%" + name + "_"; }
};

enum class Activation {
  Silu,
  GeluErf,
  GeluTanh,
  Relu,
  Sigmoid,
  Softplus,
  Tanh,
  Abs,
  Negate,
  Sine,
  Arctangent,
  Erf,
};

/// Text that grows op by op.
class Program {
public:
  Value make(llvm::ArrayRef<int64_t> shape, Dtype type, double error = 0);

  /// A line of the model, and a line of the majorant.
  void line(const std::string &text);
  void shadowLine(const std::string &text);
  /// Whether the majorant has the model's lines as well: where a decision
  /// depends on them.
  void setKeepsValues(bool keeps) { keepsValues = keeps; }
  /// Different lines for the two.
  void lines(const std::string &model, const std::string &majorant);
  void indent(int by) { depth += by; }

  Value linear(const Value &input, const Value &weight, const Value *bias,
               bool inOut, Dtype result);
  Value activate(const Value &input, Activation kind);
  Value multiply(const Value &a, const Value &b);
  Value add(const Value &a, const Value &b);
  /// arith.subf, arith.maximumf or arith.minimumf.
  Value combine(const char *op, const Value &a, const Value &b);
  /// The smaller one, by a comparison.
  Value selectSmaller(const Value &a, const Value &b);
  /// a * b + c.
  Value multiplyAdd(const Value &a, const Value &b, const Value &c);
  /// Limits of either sign of 0, so that nothing grows; infinite: none.
  Value clamp(const Value &input, double min, double max);
  /// Of a value without an error.
  Value rmsNorm(const Value &input, const Value &gain);
  Value broadcast(const Value &source, const Value &like);
  std::vector<Value> split(const Value &input, int64_t parts, bool interleaved);
  /// The upstream op on destinations, `a` [?, n] and `b` [n, m].
  Value matmul(const Value &a, const Value &b);
  Value convert(const Value &input, Dtype type);
  /// `text` computes, from values that the majorant has as well, floats that
  /// any evaluation has in the same bits.
  Value makeExact(llvm::ArrayRef<int64_t> shape, Dtype type,
                  const std::string &text);

  /// The text so far, which starts anew.
  std::pair<std::string, std::string> take();
  void append(const std::string &modelText, const std::string &majorantText);

private:
  std::string model, majorant;
  bool keepsValues = false;
  int depth = 1;
  int counter = 0;
};

} // namespace sluice

#endif // SLUICE_TEST_FUZZ_PROGRAM_H
