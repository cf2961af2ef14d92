//===- ProductFunctions.cpp - What functions of products share --*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProductFunctions.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace sluice;

MemRefType sluice::getFlatType(Type element) {
  return MemRefType::get({ShapedType::kDynamic}, element);
}

Value sluice::minimum(LoopBuilder &b, Value l, Value r) {
  return arith::MinUIOp::create(b, b.loc, l, r);
}

Value sluice::ceilDiv(LoopBuilder &b, Value l, Value r) {
  return arith::CeilDivUIOp::create(b, b.loc, l, r);
}

void sluice::makeLoop(LoopBuilder &b, Value from, Value to, Value step,
                      llvm::function_ref<void(LoopBuilder &, Value)> body) {
  scf::ForOp::create(
      b, b.loc, from, to, step, ValueRange(),
      [&](OpBuilder &builder, Location loc, Value i, ValueRange) {
        LoopBuilder inner(builder, loc);
        body(inner, i);
        scf::YieldOp::create(inner, loc);
      });
}

void sluice::makeSwitch(LoopBuilder &b, Value number, int64_t first,
                        int64_t last,
                        llvm::function_ref<void(LoopBuilder &, int64_t)> body,
                        llvm::function_ref<void(LoopBuilder &)> otherwise) {
  SmallVector<int64_t> cases =
      llvm::to_vector(llvm::seq<int64_t>(first, last + 1));
  auto choice = scf::IndexSwitchOp::create(b, b.loc, TypeRange(), number, cases,
                                           cases.size());
  auto fill = [&](Region &region, auto build) {
    OpBuilder builder = OpBuilder::atBlockEnd(&region.emplaceBlock());
    LoopBuilder inner(builder, b.loc);
    build(inner);
    scf::YieldOp::create(inner, b.loc);
  };
  for (auto [n, region] : llvm::zip_equal(cases, choice.getCaseRegions()))
    fill(region, [&, n = n](LoopBuilder &inner) { body(inner, n); });
  fill(choice.getDefaultRegion(), [&](LoopBuilder &inner) {
    if (otherwise)
      otherwise(inner);
  });
}

Value sluice::multiplyAdd(LoopBuilder &b, const CPUMachine &machine, Value x,
                          Value y, Value z) {
  if (machine.hasFMA)
    return vector::FMAOp::create(b, b.loc, x, y, z);
  return arith::AddFOp::create(b, b.loc, z,
                               arith::MulFOp::create(b, b.loc, x, y));
}

void sluice::keepOrder(LoopBuilder &b) {
  LLVM::FenceOp::create(b, b.loc, LLVM::AtomicOrdering::seq_cst,
                        "singlethread");
}

static func::FuncOp create(ModuleOp module, StringRef name, TypeRange types,
                           ArrayRef<Attribute> attributes) {
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  auto function = func::FuncOp::create(b, module.getLoc(), name,
                                       b.getFunctionType(types, {}));
  function.setPrivate();
  function->setAttr("passthrough", b.getArrayAttr(attributes));
  function.addEntryBlock();
  return function;
}

func::FuncOp sluice::createApart(ModuleOp module, StringRef name,
                                 TypeRange types) {
  Builder b(module.getContext());
  return create(module, name, types, {b.getStringAttr("noinline")});
}

func::FuncOp sluice::createKernel(ModuleOp module, StringRef name,
                                  TypeRange types) {
  Builder b(module.getContext());
  return create(module, name, types,
                {b.getStringAttr("noinline"),
                 b.getStrArrayAttr({"min-legal-vector-width", "512"})});
}

void sluice::keepRolled(scf::ForOp loop) {
  MLIRContext *context = loop.getContext();
  auto unroll = LLVM::LoopUnrollAttr::get(
      context, /*disable=*/BoolAttr::get(context, true), /*count=*/nullptr,
      /*runtimeDisable=*/nullptr, /*full=*/nullptr,
      /*followupUnrolled=*/nullptr,
      /*followupRemainder=*/nullptr, /*followupAll=*/nullptr);
  loop->setAttr("loop_annotation", LLVM::LoopAnnotationAttr::get(
                                       context, {}, {}, {}, unroll, {}, {}, {},
                                       {}, {}, {}, {}, {}, {}, {}, {}));
}
