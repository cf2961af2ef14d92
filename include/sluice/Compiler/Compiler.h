//===- Compiler.h - From a model file to native code ------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Embedding in four steps, each of which can be used alone:
//
//   loadModel      a file (parseModel: memory) to a verified module
//   lowerModel     model level to the LLVM dialect
//   compileModel   the LLVM dialect to optimised LLVM IR
//   then           CompiledModel::emit, writeSharedLibrary (Artifact.h) or
//                  JitModel (Jit.h)
//
// A Session (Session.h) has all of them, with options and a handler.
//
// Nothing here has global state but LLVM's table of targets, which is filled
// once. What is wrong with a model is reported through the MLIRContext's
// diagnostic handlers; errors that have no place in a model (files, links) are
// llvm::Errors with one line of text.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_COMPILER_COMPILER_H
#define SLUICE_COMPILER_COMPILER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "sluice/Support/HostTensor.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace llvm {
class LLVMContext;
class MemoryBuffer;
class Module;
class raw_ostream;
class SourceMgr;
class TargetMachine;
class ThreadPoolInterface;
} // namespace llvm

namespace sluice {

class ModelInterface;
class PhaseTimes;
struct Processor;

/// What can be chosen about a compilation.
struct CompileOptions {
  /// "native" (this machine) or a triple as clang has it, whose architecture is
  /// x86_64 or aarch64 and whose system is Linux, e.g. "aarch64-linux-gnu". For
  /// another architecture or system than this machine's everything but shared
  /// libraries and code in memory can be made, and `cpu` must be a name.
  std::string target = "native";
  /// "native" (this machine, with all that it can do) or LLVM's name of a
  /// processor of the target's architecture, e.g. "znver4", "x86-64-v3". Or
  /// several, separated by commas: a file then has code for each, and chooses
  /// when it is loaded; in memory the best that this machine has is compiled.
  std::string cpu = "native";
  /// Use OpenMP. Results are the same bit for bit with and without.
  bool parallel = true;
  /// Count what routed ops do.
  bool counters = false;
  /// LLVM's optimisation level, 0 to 3.
  unsigned optLevel = 3;
  /// Adds up what each step takes; null: nothing does. The caller's, and
  /// outlives what is compiled.
  PhaseTimes *phases = nullptr;
};

/// Parses and verifies a model file; "-" is the standard input. The text is
/// handed to `sourceMgr`, so that a DiagnosticPrinter on it shows the lines
/// that diagnostics are about. Null after an error.
mlir::OwningOpRef<mlir::ModuleOp> loadModel(llvm::StringRef path,
                                            llvm::SourceMgr &sourceMgr,
                                            mlir::MLIRContext *context);

/// The same with contents in memory, whose identifier is the file's name in
/// diagnostics: text or MLIR bytecode.
mlir::OwningOpRef<mlir::ModuleOp>
parseModel(std::unique_ptr<llvm::MemoryBuffer> contents,
           llvm::SourceMgr &sourceMgr, mlir::MLIRContext *context);

/// The element type by which a number or a tensor of the model is passed; index
/// is i64. Nothing if it has none.
std::optional<Dtype> getDtype(mlir::Type type);

/// The public functions and the weights of a module, as a JSON object of the
/// shape that sluice_module_describe in sluice-c/Sluice.h documents, which
/// ModelInterface::create reads, too.
std::string describeModel(mlir::ModuleOp module);

/// Lowers a model in place to the LLVM dialect, with `sluice.manifest` on the
/// module and one `__sluice_packed_<name>(args: !llvm.ptr)` for each of the
/// manifest's functions, which is a sluice_packed_fn of the runtime. For
/// several processors the module then holds such a module for each, called as
/// CompileOptions::cpu calls the processor, the best first.
mlir::LogicalResult lowerModel(mlir::ModuleOp module,
                               const CompileOptions &options);

/// How each product with packed weights runs on each of the options'
/// processors, for any number of rows (tokens of an expert): a JSON list, empty
/// if there are no products. docs/Performance.md, "Which kernel runs when", has
/// its fields. `module` is a model, as for lowerModel, and is lowered to
/// buffers. On failure, the context's handlers have the error.
mlir::FailureOr<std::string> describeSchedule(mlir::ModuleOp module,
                                              const CompileOptions &options);

/// The name of the packed function of the function called `name`.
std::string getPackedName(llvm::StringRef name);

/// Fails if there is no code for `target`, one of CompileOptions::target.
llvm::Error checkTarget(llvm::StringRef target);

/// Fails unless `target` is this machine's architecture and system, for which
/// alone there are a linker, libraries and the runtime.
llvm::Error checkHostTarget(llvm::StringRef target);

/// What CompileOptions::cpu is where nobody chose: "native", or for another
/// architecture the name of its least able processor.
std::string getDefaultCPU(llvm::StringRef target);

/// Fails, with the nearest names, if `cpu` is not the name of a processor of
/// the target's architecture.
llvm::Error checkCPU(llvm::StringRef cpu, llvm::StringRef target = "native");

/// The same for names separated by commas, none of which may be there twice.
llvm::Error checkCPUs(llvm::StringRef list, llvm::StringRef target = "native");

/// The best of the processors in `list` that this machine can run code for.
/// Fails, with what it lacks, if there is none.
llvm::Expected<std::string> chooseCPU(llvm::StringRef list,
                                      llvm::StringRef target = "native");

/// Prints the names that CompileOptions::cpu may have.
void printCPUs(llvm::raw_ostream &os, llvm::StringRef target = "native");

/// Optimised LLVM IR and the processors it is for.
class CompiledModel {
public:
  enum class Format { LLVMIR, Assembly, Object };

  CompiledModel(CompiledModel &&);
  CompiledModel &operator=(CompiledModel &&);
  ~CompiledModel();

  /// Writes the code. May be called repeatedly, in any order.
  llvm::Error emit(Format format, llvm::SmallVectorImpl<char> &output) const;

  /// Writes object code as one object, or, of a large model, as several that
  /// belong together, for a link. They are made in the threads of
  /// `pool`, or, if that is null, in the thread that calls; which does not
  /// change them.
  llvm::Error
  emitObjects(llvm::ThreadPoolInterface *pool,
              llvm::SmallVectorImpl<llvm::SmallVector<char, 0>> &objects) const;

  /// Fails if this machine can run the code for none of the processors.
  llvm::Error checkHost() const;

  /// The triple that the code is for.
  std::string getTarget() const;

  /// The manifest as JSON; see sluice-c/Runtime.h.
  const std::string &getManifest() const { return manifest; }

  /// See CompileOptions::phases.
  PhaseTimes *getPhases() const { return phases; }

private:
  friend mlir::FailureOr<CompiledModel>
  compileModel(mlir::ModuleOp, const CompileOptions &, const ModelInterface *);
  CompiledModel();

  // In this order: the module must go before its context, and that before what
  // it reports to.
  /// The first error that LLVM reported.
  std::unique_ptr<std::string> problem;
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::Module> module;
  std::string manifest;
  /// The best first.
  std::vector<Processor> processors;
  PhaseTimes *phases = nullptr;
};

/// Translates what lowerModel made to LLVM IR and optimises it. With an
/// `interface` the result has its C functions and nothing else is visible;
/// without, the packed functions are visible, and of several processors only
/// the best that this machine has is compiled.
mlir::FailureOr<CompiledModel>
compileModel(mlir::ModuleOp lowered, const CompileOptions &options,
             const ModelInterface *interface = nullptr);

} // namespace sluice

#endif // SLUICE_COMPILER_COMPILER_H
