//===- Session.h - The compiler as a library --------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A Session is what another program embeds: an MLIR context with everything
// registered, options, and a handler for what there is to say about models.
//
//   Session session(options, handler);
//   auto module = session.parse(text, "layer.mlir");   // or built by OpBuilder
//   auto program = session.compile(**module);          // or write, to a file
//   auto model = program->load(weights.getHandle());
//   model->call("moe", inputs, outputs);
//
// Errors. Everything that fails returns an llvm::Error whose text is one line.
// What a session's function returns has been reported to the handler, too, with
// its place and its notes; the text is that of the first error, with the place
// in front. Nothing is printed: but for MLIR's parser of pass options, which
// writes a value of the wrong type to the standard error before it fails.
//
// Threads. A session is used by one thread at a time. Sessions share nothing
// but LLVM's table of targets and MLIR's table of passes, which are filled
// once: a program that registers passes itself does so before it uses sessions.
// The programs and models that come out of a session are independent of it, and
// may be used by any number of threads.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_COMPILER_SESSION_H
#define SLUICE_COMPILER_SESSION_H

#include "sluice/Compiler/Artifact.h"
#include "sluice/Compiler/Compiler.h"
#include "sluice/Compiler/Jit.h"
#include "sluice/Compiler/PhaseTimes.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <functional>

namespace llvm {
class ThreadPoolInterface;
} // namespace llvm

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace sluice {

/// Something to say about a model.
struct Diagnostic {
  enum class Severity { Note, Remark, Warning, Error };

  Severity severity = Severity::Error;
  std::string message;
  /// Empty, and line and column 0, if it has no place in a file. Lines and
  /// columns count from 1.
  std::string file;
  unsigned line = 0;
  unsigned column = 0;

  /// "file:line:column: message", on one line.
  std::string describe() const;
};

/// Receives diagnostics, each with its notes behind it. Called by the thread
/// that called the session, which it must not use.
using DiagnosticHandler = std::function<void(const Diagnostic &)>;

/// What can be chosen about a session.
struct SessionOptions {
  CompileOptions compile;
  /// Where passes run and code is generated; the caller's, and outlives the
  /// session. Null: in the thread that calls.
  llvm::ThreadPoolInterface *threadPool = nullptr;
  /// Tell the handler what passes decided, and why.
  bool remarks = false;
  /// Where libsluice_rt.a and libsluice_artifact.a lie, for shared libraries.
  /// Empty: looked for beside the library or program that this code is in.
  std::string runtimeDirectory;
};

/// What Session::write writes.
struct WriteOptions {
  ArtifactKind kind = ArtifactKind::SharedLibrary;
  /// What the C functions' names begin with; empty: made of the file's name.
  std::string prefix;
  /// Checked against the model's weights, and what <prefix>_load opens if it is
  /// given NULL. May be empty.
  std::string weights;
};

class Session {
public:
  explicit Session(SessionOptions options = SessionOptions(),
                   DiagnosticHandler handler = nullptr);
  ~Session();
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;

  /// For modules that the caller builds: all dialects are registered, and
  /// loaded on demand. Diagnostics of the context go to the handler.
  mlir::MLIRContext *getContext() { return &context; }

  const SessionOptions &getOptions() const { return options; }
  /// Takes effect for all later calls.
  void setOptions(SessionOptions newOptions);
  void setDiagnosticHandler(DiagnosticHandler newHandler) {
    handler = std::move(newHandler);
  }

  /// Parses and verifies text or MLIR bytecode; `name` stands for the file in
  /// diagnostics.
  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
  parse(llvm::StringRef text, llvm::StringRef name = "model.mlir");
  /// The same with a file; "-" is the standard input.
  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
  parseFile(llvm::StringRef path);

  /// Runs passes by their names, as sluice-opt's --pass-pipeline takes them:
  /// "canonicalize", "sluice-plan-dispatch{rows-per-task=8},cse",
  /// "builtin.module(func.func(sluice-tile-rows))". A pass for functions may
  /// stand at the top. After an error the module is what it was before.
  llvm::Error runPasses(mlir::ModuleOp module, llvm::StringRef pipeline);
  /// The same with what `build` adds, e.g. buildPlanPipeline.
  llvm::Error runPasses(mlir::ModuleOp module,
                        llvm::function_ref<void(mlir::OpPassManager &)> build);

  /// The public functions with their inputs and results, and the weights.
  llvm::Expected<ModelInterface> inspect(mlir::ModuleOp module);

  /// Compiles for this process. The module, which may have been built in
  /// memory, is verified first and stays as it is.
  llvm::Expected<JitProgram> compile(mlir::ModuleOp module);
  /// Compiles to a file, with a C header beside it where there are C functions.
  llvm::Error write(mlir::ModuleOp module, llvm::StringRef path,
                    const WriteOptions &writeOptions = WriteOptions());

  /// Reports what happened outside of a model to the handler, and hands it
  /// back.
  llvm::Error report(llvm::Error error);

private:
  /// Runs `body` and returns the first error that it reports; one that it
  /// returns is reported.
  llvm::Error collect(llvm::function_ref<llvm::Error()> body);
  void receive(mlir::Diagnostic &diagnostic);
  void send(const mlir::Diagnostic &diagnostic, Diagnostic::Severity severity);
  llvm::Error check(mlir::ModuleOp module);

  SessionOptions options;
  DiagnosticHandler handler;
  bool remarksEnabled = false;
  /// The first error since collect began.
  std::string firstError;
  mlir::MLIRContext context;
};

} // namespace sluice

#endif // SLUICE_COMPILER_SESSION_H
