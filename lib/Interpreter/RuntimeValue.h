//===- RuntimeValue.h - What an SSA value is at run time --------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information. SPDX-License-Identifier:
// Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Numbers are carried as the oracle wants them, not as the machine would store
// them:
//
//   f32, f64      a double that is never rounded
//   f16, bf16     a double that has been rounded to the type: narrow storage is
//                 something that the model means
//   i1            0 or 1
//   iN, N <= 64   sign-extended to 64 bits
//   index         64 bits
//
// No other element type is known to the interpreter.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_INTERPRETER_RUNTIMEVALUE_H
#define SLUICE_LIB_INTERPRETER_RUNTIMEVALUE_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

namespace sluice::interpreter {

/// One number. Which member is meant is known from the type of the IR.
union Element {
  double f;
  int64_t i;

  static Element ofFloat(double value) {
    Element element;
    element.f = value;
    return element;
  }
  static Element ofInt(int64_t value) {
    Element element;
    element.i = value;
    return element;
  }
};

/// A dense tensor in C order. Copies share their elements until one of them is
/// written to, and a part of a stacked tensor shares those of the whole, so
/// that an expert's parameters are never copied.
class Tensor {
public:
  Tensor() = default;
  /// All elements are `init`. The product of `shape` must have been checked.
  Tensor(llvm::ArrayRef<int64_t> shape, Element init);

  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  int64_t getRank() const { return shape.size(); }
  int64_t getDim(unsigned dim) const { return shape[dim]; }
  int64_t getNumElements() const { return numElements; }
  /// Elements behind one index of the first dimension.
  int64_t getRowSize() const;

  const Element *data() const {
    return buffer ? buffer->data() + offset : nullptr;
  }
  /// The elements for writing; copied first if another tensor has them too.
  Element *mutableData();

  /// The same elements in the same order under another shape.
  Tensor withShape(llvm::ArrayRef<int64_t> newShape) const;
  /// The part at `index` of the first dimension, which the result lacks.
  Tensor getPart(int64_t index) const;

private:
  llvm::SmallVector<int64_t, 4> shape;
  int64_t numElements = 0;
  std::shared_ptr<std::vector<Element>> buffer;
  int64_t offset = 0;
};

/// One place for an entry of a token.
struct Slot {
  /// -1 if the entry is absent; `value` means nothing then.
  int64_t expert;
  double value;

  bool isPresent() const { return expert >= 0; }
};

/// What one run of a `sluice.limit` took out of the gates that other gates were
/// made of.
struct Dropped {
  /// How many entries of each of the limit's experts.
  std::shared_ptr<const std::vector<int64_t>> perExpert;
  /// The limit's number of the gates' expert 0.
  int64_t from;

  bool operator==(const Dropped &other) const {
    return perExpert == other.perExpert && from == other.from;
  }
};

/// A routing decision: the ordered slots of each token. With a bound per token
/// each has exactly that many slots; otherwise as many as it has entries.
class Gates {
public:
  using Rows = std::vector<llvm::SmallVector<Slot, 4>>;
  /// Each run of a limit once, though gates may be joined that share it.
  using DroppedList = llvm::SmallVector<Dropped, 1>;

  Gates() = default;
  Gates(Rows rows, int64_t numExperts, DroppedList dropped = {})
      : rows(std::make_shared<const Rows>(std::move(rows))),
        numExperts(numExperts), dropped(std::move(dropped)) {}

  int64_t getNumTokens() const { return rows ? rows->size() : 0; }
  int64_t getNumExperts() const { return numExperts; }
  llvm::ArrayRef<Slot> getSlots(int64_t token) const { return (*rows)[token]; }
  /// For making changed gates.
  Rows copyRows() const { return rows ? *rows : Rows(); }

  const DroppedList &getDropped() const { return dropped; }
  /// How many entries of the experts `from` <= e < `to` a limit took out before
  /// the gates became what they are.
  int64_t countDropped(int64_t from, int64_t to) const;

private:
  std::shared_ptr<const Rows> rows;
  int64_t numExperts = 0;
  DroppedList dropped;
};

using RuntimeValue = std::variant<Element, Tensor, Gates>;

/// True if numbers of this type can be carried (see the head of this file).
bool isKnownElementType(mlir::Type type);

/// `value` as a number of the float `type`: rounded to nearest, ties to even,
/// if the type is f16 or bf16, and unchanged otherwise.
double roundNarrow(double value, mlir::Type type);

/// `value` rounded to the float `type`, f32 included.
double roundToType(double value, mlir::Type type);

/// Bits of an integer or index type.
unsigned getIntWidth(mlir::Type type);
/// The low `width` bits of `value` as they are carried.
int64_t wrapInt(int64_t value, unsigned width);
/// A carried integer read as signed (an i1 of 1 is -1) and as unsigned.
int64_t asSigned(int64_t value, unsigned width);
uint64_t asUnsigned(int64_t value, unsigned width);

} // namespace sluice::interpreter

#endif // SLUICE_LIB_INTERPRETER_RUNTIMEVALUE_H
