//===- Intrinsics.cpp - Instructions that no op stands for ------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Intrinsics.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"

using namespace mlir;
using namespace sluice;

Value sluice::callIntrinsic(LoopBuilder &b, StringRef name, Type type,
                            ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, b.loc, type, b.getStringAttr(name),
                                       operands)
      .getResult(0);
}

Value sluice::callScalable(LoopBuilder &b, StringRef name, VectorType type,
                           ValueRange operands) {
  // SVE's registers are a number of these, in bits.
  constexpr int64_t granule = 128;
  auto getScalable = [](VectorType fixed) {
    return VectorType::get({granule / fixed.getElementTypeBitWidth()},
                           fixed.getElementType(), /*scalableDims=*/true);
  };
  SmallVector<Value> scalable;
  for (Value operand : operands) {
    VectorType like = getScalable(cast<VectorType>(operand.getType()));
    Value nothing = LLVM::PoisonOp::create(b, b.loc, like);
    scalable.push_back(vector::ScalableInsertOp::create(b, b.loc, operand,
                                                        nothing, /*pos=*/0));
  }
  Value result = callIntrinsic(b, name, getScalable(type), scalable);
  return vector::ScalableExtractOp::create(b, b.loc, type, result, /*pos=*/0);
}

Value sluice::lookUpBytes(LoopBuilder &b, const CPUMachine &machine,
                          Value table, Value indices) {
  auto type = cast<VectorType>(table.getType());
  switch (machine.unit) {
  case VectorUnit::X86:
    return callIntrinsic(b,
                         machine.lanes == 16 ? "llvm.x86.avx512.pshuf.b.512"
                                             : "llvm.x86.avx2.pshuf.b",
                         type, {table, indices});
  case VectorUnit::NEON:
    return callIntrinsic(b, "llvm.aarch64.neon.tbl1.v16i8", type,
                         {table, indices});
  case VectorUnit::SVE:
    return callScalable(b, "llvm.aarch64.sve.tbl.nxv16i8", type,
                        {table, indices});
  }
  llvm_unreachable("no other vector unit");
}

Value sluice::multiplyPairs(LoopBuilder &b, const CPUMachine &machine, Value x,
                            Value y) {
  StringRef name = machine.lanes == 16  ? "llvm.x86.avx512.pmaddw.d.512"
                   : machine.lanes == 8 ? "llvm.x86.avx2.pmadd.wd"
                                        : "llvm.x86.sse2.pmadd.wd";
  auto type = VectorType::get({machine.lanes}, b.getI32Type());
  return callIntrinsic(b, name, type, {x, y});
}

Value sluice::multiplyQuads(LoopBuilder &b, const CPUMachine &machine,
                            Value sum, Value x, Value y) {
  auto type = cast<VectorType>(sum.getType());
  switch (machine.unit) {
  case VectorUnit::X86:
    return callIntrinsic(b,
                         machine.lanes == 16 ? "llvm.x86.avx512.vpdpbusd.512"
                                             : "llvm.x86.avx512.vpdpbusd.256",
                         type, {sum, x, y});
  case VectorUnit::NEON:
    return callIntrinsic(b, "llvm.aarch64.neon.sdot.v4i32.v16i8", type,
                         {sum, x, y});
  case VectorUnit::SVE:
    return callScalable(b, "llvm.aarch64.sve.sdot.nxv4i32", type, {sum, x, y});
  }
  llvm_unreachable("no other vector unit");
}

Value sluice::multiplyBF16Pairs(LoopBuilder &b, const CPUMachine &machine,
                                Value sum, Value x, Value y) {
  if (machine.unit == VectorUnit::X86)
    return x86vector::DotBF16Op::create(b, b.loc, sum, x, y);
  return callIntrinsic(b, "llvm.aarch64.neon.bfdot.v4f32.v8bf16", sum.getType(),
                       {sum, x, y});
}
