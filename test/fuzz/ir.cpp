//===- ir.cpp - Any text as a model file ------------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What sluice-run and sluicec do with a file, without running what they
// compiled: parser, verifiers, interpreter on small inputs, the pipeline to
// LLVM's dialect, translation to LLVM's IR.
//
//===----------------------------------------------------------------------===//

#include "FuzzTarget.h"
#include "MutateText.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "sluice/Compiler/Compiler.h"
#include "sluice/InitAll.h"
#include "sluice/Interpreter/Interpreter.h"
#include "llvm/Support/SourceMgr.h"

using namespace sluice;
using namespace sluice::fuzz;

// As many elements as a test has, so that nothing takes long.
static constexpr int64_t maxElements = 1 << 12;

static std::unique_ptr<mlir::MLIRContext> makeContext() {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  return std::make_unique<mlir::MLIRContext>(
      registry, mlir::MLIRContext::Threading::DISABLED);
}

/// Zeros for each argument; nothing if an argument is not a small tensor.
static std::optional<llvm::SmallVector<HostTensor>>
makeInputs(mlir::func::FuncOp function) {
  llvm::SmallVector<HostTensor> inputs;
  for (mlir::Type type : function.getArgumentTypes()) {
    llvm::SmallVector<int64_t> shape;
    if (auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type)) {
      shape.assign(tensor.getShape().begin(), tensor.getShape().end());
      type = tensor.getElementType();
    }
    for (int64_t &size : shape)
      if (mlir::ShapedType::isDynamic(size))
        size = 2;
    std::string name;
    llvm::raw_string_ostream(name) << type;
    std::optional<Dtype> dtype =
        type.isIndex() ? Dtype::I64 : parseDtype(name);
    llvm::Expected<int64_t> count = numElements(shape);
    if (!count)
      llvm::consumeError(count.takeError());
    if (!dtype || !count || *count > maxElements)
      return std::nullopt;
    inputs.push_back(llvm::cantFail(HostTensor::create(*dtype, shape)));
  }
  return inputs;
}

/// Whether all that is written is small: loops, tensors and constants.
static bool isSmall(mlir::ModuleOp module) {
  unsigned ops = 0;
  mlir::WalkResult walk = module.walk([&](mlir::Operation *op) {
    if (++ops > 400 || llvm::isa<mlir::scf::ForOp, mlir::scf::WhileOp,
                                 mlir::scf::ForallOp, mlir::scf::ParallelOp>(
                           op))
      return mlir::WalkResult::interrupt();
    for (mlir::Type type : op->getResultTypes())
      if (auto shaped = llvm::dyn_cast<mlir::ShapedType>(type)) {
        int64_t count = 1;
        if (shaped.hasRank())
          for (int64_t size : shaped.getShape())
            if (size > maxElements || (count *= std::max<int64_t>(size, 1)) >
                                          maxElements)
              return mlir::WalkResult::interrupt();
      }
    return mlir::WalkResult::advance();
  });
  return !walk.wasInterrupted();
}

static void interpret(mlir::ModuleOp module) {
  interpreter::Options options;
  options.maxElements = maxElements;
  interpreter::Interpreter oracle(module, options);
  for (auto function : module.getOps<mlir::func::FuncOp>())
    if (!function.isExternal())
      if (auto inputs = makeInputs(function))
        (void)oracle.run(function.getSymName(), *inputs);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // A context keeps every type that it has seen.
  static std::unique_ptr<mlir::MLIRContext> context;
  static unsigned runs = 0;
  if (runs++ % 500 == 0)
    context = makeContext();
  bool hasError = false;
  mlir::ScopedDiagnosticHandler handler(
      context.get(), [&](mlir::Diagnostic &diagnostic) {
        hasError |= diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error;
        return mlir::success();
      });
  InMemoryFile file(data, size);
  llvm::SourceMgr sourceMgr;
  mlir::OwningOpRef<mlir::ModuleOp> module =
      loadModel(file.path(), sourceMgr, context.get());
  if (!module) {
    require(hasError, "a file that is refused has an error");
    return 0;
  }
  if (!isSmall(*module))
    return 0;
  interpret(*module);
  CompileOptions options;
  options.parallel = size % 2 == 0;
  options.counters = size % 3 == 0;
  options.optLevel = 0;
  hasError = false;
  if (failed(lowerModel(*module, options))) {
    require(hasError, "a model that is refused has an error");
    return 0;
  }
  if (failed(compileModel(*module, options)))
    require(hasError, "a model that is not compiled has an error");
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maxSize, unsigned seed) {
  Random random(seed);
  if (random.chance(0.05))
    return LLVMFuzzerMutate(data, size, maxSize);
  std::string text(reinterpret_cast<const char *>(data), size);
  mutateText(text, random);
  size = std::min(text.size(), maxSize);
  std::copy_n(text.data(), size, data);
  return size;
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t *first,
                                            size_t firstSize,
                                            const uint8_t *second,
                                            size_t secondSize, uint8_t *out,
                                            size_t maxSize, unsigned seed) {
  Random random(seed);
  std::string text = spliceText(
      {reinterpret_cast<const char *>(first), firstSize},
      {reinterpret_cast<const char *>(second), secondSize}, random);
  size_t size = std::min(text.size(), maxSize);
  std::copy_n(text.data(), size, out);
  return size;
}
