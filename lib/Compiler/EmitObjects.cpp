//===- EmitObjects.cpp - Code generation in several threads -----*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The code generator works on one function at a time, so that parts of an
// optimised module can be compiled beside each other, each in a context of its
// own, without a difference in any function. llvm::SplitModule shares out by a
// hash of the names, which can leave all of the work to one thread.
//
//===----------------------------------------------------------------------===//

#include "sluice/Compiler/Compiler.h"

#include "Target.h"

#include "sluice/Compiler/PhaseTimes.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace sluice;

namespace {

struct Part {
  llvm::SmallVector<char, 0> bitcode;
  llvm::SmallVector<char, 0> object;
  /// Set when it was compiled.
  std::optional<llvm::Error> error;
};

} // namespace

/// What a part has to be worth: each needs a context and a code generator.
static constexpr size_t instructionsPerPart = 4000;
static constexpr size_t maxParts = 16;

/// Lets parts see what was visible within the module only.
static void exposeLocals(llvm::Module &module) {
  for (llvm::GlobalValue &value : module.global_values()) {
    if (!value.hasLocalLinkage())
      continue;
    // Names of private values need not suit a linker.
    if (value.hasPrivateLinkage() || !value.hasName())
      value.setName("__sluice_private" + value.getName());
    value.setLinkage(llvm::GlobalValue::ExternalLinkage);
    value.setVisibility(llvm::GlobalValue::HiddenVisibility);
  }
}

/// The part of each function: the largest first, each to the part that has the
/// least. What is no function is in part 0.
static llvm::DenseMap<const llvm::GlobalValue *, size_t>
assignParts(const llvm::Module &module, size_t numParts) {
  struct Entry {
    const llvm::Function *function;
    size_t size;
  };
  std::vector<Entry> entries;
  for (const llvm::Function &function : module)
    if (!function.isDeclaration()) {
      // Where sizes are equal, the module's order decides.
      Entry entry{&function, function.getInstructionCount()};
      auto place =
          llvm::upper_bound(entries, entry, [](const Entry &a, const Entry &b) {
            return a.size > b.size;
          });
      entries.insert(place, entry);
    }
  std::vector<size_t> sizes(numParts);
  llvm::DenseMap<const llvm::GlobalValue *, size_t> parts;
  for (auto [function, size] : entries) {
    auto least = llvm::min_element(sizes);
    *least += size;
    parts[function] = least - sizes.begin();
  }
  return parts;
}

static void
writePart(const llvm::Module &module,
          const llvm::DenseMap<const llvm::GlobalValue *, size_t> &parts,
          size_t index, Part &part) {
  llvm::ValueToValueMapTy map;
  std::unique_ptr<llvm::Module> copy =
      llvm::CloneModule(module, map, [&](const llvm::GlobalValue *value) {
        return parts.lookup(value) == index;
      });
  llvm::raw_svector_ostream os(part.bitcode);
  llvm::WriteBitcodeToFile(*copy, os);
}

/// Compiles what writePart wrote, in a context of its own.
static llvm::Error compilePart(const llvm::TargetMachine &original,
                               Part &part) {
  std::string problem;
  llvm::LLVMContext context;
  redirectDiagnostics(context, problem);
  llvm::Expected<std::unique_ptr<llvm::Module>> module = llvm::parseBitcodeFile(
      llvm::MemoryBufferRef(
          llvm::StringRef(part.bitcode.data(), part.bitcode.size()),
          "sluice-model"),
      context);
  if (!module)
    return module.takeError();
  std::unique_ptr<llvm::TargetMachine> machine(
      original.getTarget().createTargetMachine(
          original.getTargetTriple(), original.getTargetCPU(),
          original.getTargetFeatureString(), original.Options,
          original.getRelocationModel(), original.getCodeModel(),
          original.getOptLevel()));
  if (!machine)
    return llvm::createStringError("LLVM has no code generator for " +
                                   original.getTargetTriple().str());
  if (llvm::Error error = generateCode(
          **module, *machine, llvm::CodeGenFileType::ObjectFile, part.object))
    return error;
  if (!problem.empty())
    return llvm::createStringError(problem);
  return llvm::Error::success();
}

llvm::Error CompiledModel::emitObjects(
    llvm::ThreadPoolInterface *pool,
    llvm::SmallVectorImpl<llvm::SmallVector<char, 0>> &objects) const {
  // By the model alone, not by the threads: a file has the same bytes wherever
  // it was compiled.
  size_t numParts = std::min<size_t>(
      module->getInstructionCount() / instructionsPerPart, maxParts);
  if (numParts < 2)
    return emit(Format::Object, objects.emplace_back());

  PhaseTimer timer(phases, "generate code");
  std::unique_ptr<llvm::Module> copy = llvm::CloneModule(*module);
  exposeLocals(*copy);
  auto assignment = assignParts(*copy, numParts);
  std::vector<Part> parts(numParts);
  for (auto [index, part] : llvm::enumerate(parts))
    writePart(*copy, assignment, index, part);
  copy.reset();
  auto compile = [&](Part &part) {
    part.error.emplace(compilePart(*machine, part));
  };
  if (pool) {
    llvm::ThreadPoolTaskGroup group(*pool);
    for (Part &part : parts)
      group.async([&] { compile(part); });
    group.wait();
  } else {
    llvm::for_each(parts, compile);
  }

  llvm::Error error = llvm::Error::success();
  for (Part &part : parts) {
    error = llvm::joinErrors(std::move(error), std::move(*part.error));
    objects.push_back(std::move(part.object));
  }
  return error;
}
