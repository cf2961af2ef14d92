//===- Slots.h - Gates slot by slot -----------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_CONVERSION_SLUICETOSCF_SLOTS_H
#define SLUICE_LIB_CONVERSION_SLUICETOSCF_SLOTS_H

#include "SluiceToSCF.h"

namespace sluice {

inline mlir::Value isEntry(LoopBuilder &b, mlir::Value expert) {
  return b.compare(mlir::arith::CmpIPredicate::sge, expert, b.index(0));
}

/// New experts or values of all slots: `body` gets a slot's token, expert and
/// value.
mlir::Value mapSlots(LoopBuilder &b, GatesValue gates, mlir::Type elementType,
                     llvm::function_ref<mlir::Value(LoopBuilder &, mlir::Value,
                                                    mlir::Value, mlir::Value)>
                         body);

/// The rows of gates while they are filled, token by token in parallel: each
/// token's slots are filled in order, what is left over is absent.
class RowFiller {
public:
  /// The state of one row: experts and values, [1, slots], and how many are
  /// filled.
  using Row = llvm::SmallVector<mlir::Value>;

  RowFiller(LoopBuilder &b, GatesType type, mlir::OpFoldResult tokens)
      : type(type), tokens(tokens), slots(b.index(type.getSlots())) {}

  /// `fill` appends one token's entries to its row. Returns experts and values.
  llvm::SmallVector<mlir::Value>
  run(LoopBuilder &b,
      llvm::function_ref<Row(LoopBuilder &, mlir::Value token, Row)> fill);

  /// Appends an entry where `condition` holds and a slot is left.
  Row append(LoopBuilder &b, mlir::ValueRange row, mlir::Value condition,
             mlir::Value expert, mlir::Value value);

  /// Puts an entry where `condition` holds into the slot of its expert.
  Row place(LoopBuilder &b, mlir::ValueRange row, mlir::Value condition,
            mlir::Value expert, mlir::Value value);

  /// What the gates' layout asks for: `append` where tokens are bounded,
  /// `place` where there is a slot for each expert.
  Row put(LoopBuilder &b, mlir::ValueRange row, mlir::Value condition,
          mlir::Value expert, mlir::Value value) {
    return type.isPerToken() ? append(b, row, condition, expert, value)
                             : place(b, row, condition, expert, value);
  }

private:
  Row fill(LoopBuilder &b, mlir::ValueRange row, mlir::Value slot,
           mlir::Value expert, mlir::Value value);

  GatesType type;
  mlir::OpFoldResult tokens;
  mlir::Value slots;
};

} // namespace sluice

#endif // SLUICE_LIB_CONVERSION_SLUICETOSCF_SLOTS_H
