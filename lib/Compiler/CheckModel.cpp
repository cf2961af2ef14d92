//===- CheckModel.cpp - What can be compiled --------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CheckModel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace sluice;

/// Larger ones belong into the weight file: they would be part of the code.
static constexpr int64_t maxConstantBytes = int64_t(1) << 28;

static bool isKnownOp(Operation *op) {
  if (isa<func::FuncOp, func::CallOp, func::ReturnOp>(op))
    return true;
  return llvm::is_contained(
      {"arith", "check", "linalg", "math", "scf", "sluice", "tensor"},
      op->getName().getDialectNamespace());
}

/// Whether lowered code may call a C function of this name.
static bool isReservedName(llvm::StringRef name) {
  if (name.starts_with("__sluice_") || name.starts_with("_mlir_"))
    return true;
  static constexpr llvm::StringLiteral functions =
      " malloc calloc free aligned_alloc memcpy memmove memset memrefCopy "
      "abort "
      "acos acosh asin asinh atan atan2 atanh cbrt ceil cos cosh erf erfc exp "
      "exp2 expm1 floor fma fmod log log10 log1p log2 pow round roundeven sin "
      "sinh sqrt tan tanh trunc ";
  auto isListed = [](llvm::StringRef word) {
    return functions.contains((" " + word + " ").str());
  };
  return isListed(name) || (name.consume_back("f") && isListed(name));
}

/// The bytes of a tensor, a dynamic dimension taken to be 1; nothing if they do
/// not fit in 63 bits.
static std::optional<int64_t> getNumBytes(ShapedType type) {
  if (llvm::is_contained(type.getShape(), 0))
    return 0;
  int64_t bytes = 8;
  if (type.getElementType().isIntOrFloat())
    bytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  for (int64_t size : type.getShape())
    if (!ShapedType::isDynamic(size) && llvm::MulOverflow(bytes, size, bytes))
      return std::nullopt;
  return bytes;
}

static LogicalResult checkTypes(Operation *op, TypeRange types) {
  for (Type type : types)
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      if (!getNumBytes(tensor))
        return op->emitError(
                   "expected tensors of less than 2^63 bytes but got ")
               << type;
  return success();
}

static LogicalResult checkOp(Operation *op) {
  if (!isKnownOp(op))
    return op->emitError("compiled code cannot contain '")
           << op->getName()
           << "'; expected functions, calls, and ops of arith, check, linalg, "
              "math, scf, sluice and tensor";
  if (failed(checkTypes(op, op->getResultTypes())))
    return failure();
  for (Region &region : op->getRegions())
    for (Block &block : region)
      if (failed(checkTypes(op, block.getArgumentTypes())))
        return failure();
  auto constant = dyn_cast<arith::ConstantOp>(op);
  if (!constant)
    return success();
  if (auto type = dyn_cast<ShapedType>(constant.getType()))
    if (int64_t bytes = *getNumBytes(type); bytes > maxConstantBytes)
      return op->emitError("expected a constant of at most ")
             << maxConstantBytes << " bytes but got " << bytes
             << "; use a sluice.weight, or linalg.fill on a tensor.empty";
  return success();
}

namespace {
/// Looks for functions that call themselves.
class CallGraph {
public:
  explicit CallGraph(ModuleOp module) : module(module) {}

  LogicalResult visit(func::FuncOp function) {
    if (!done.insert(function.getSymName()).second)
      return success();
    active.insert(function.getSymName());
    WalkResult walk = function.walk([&](func::CallOp call) {
      if (active.contains(call.getCallee())) {
        call.emitError("expected functions that do not call themselves, "
                       "directly or through others, but got a call of '")
            << call.getCallee() << "' within itself";
        return WalkResult::interrupt();
      }
      auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
      return WalkResult(callee ? visit(callee) : success());
    });
    active.erase(function.getSymName());
    return failure(walk.wasInterrupted());
  }

private:
  ModuleOp module;
  llvm::StringSet<> done;
  llvm::StringSet<> active;
};
} // namespace

LogicalResult sluice::checkModel(ModuleOp module) {
  bool anyPublic = false;
  for (auto function : module.getOps<func::FuncOp>()) {
    anyPublic |= function.isPublic();
    if (isReservedName(function.getSymName()))
      return function.emitError("expected a name that compiled code does not "
                                "use itself but got '")
             << function.getSymName() << "'; rename the function";
  }
  if (!anyPublic)
    return emitError(UnknownLoc::get(module.getContext()),
                     "the model has no public function");
  WalkResult walk = module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    return op == module ? WalkResult::advance() : WalkResult(checkOp(op));
  });
  if (walk.wasInterrupted())
    return failure();
  CallGraph calls(module);
  for (auto function : module.getOps<func::FuncOp>())
    if (failed(calls.visit(function)))
      return failure();
  return success();
}
