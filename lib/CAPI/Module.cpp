//===- Module.cpp - Modules and programs in C -------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Internal.h"

#include "sluice/Support/Weights.h"
#include "llvm/Support/raw_ostream.h"

using namespace sluice;
using namespace sluice::capi;
using mlir::ModuleOp;
using mlir::OwningOpRef;
using rt::guarded;

using SharedState = std::shared_ptr<SessionState>;

static bool finish(const SharedState &state,
                   llvm::Expected<OwningOpRef<ModuleOp>> parsed,
                   sluice_module **module, sluice_error *error) {
  if (!parsed)
    return fail(parsed.takeError(), error);
  *module = new sluice_module{state, std::move(*parsed)};
  return true;
}

int sluice_module_parse(sluice_session *session, const char *text, size_t size,
                        const char *name, sluice_module **module,
                        sluice_error *error) {
  return guarded(error, [&] {
    if (!checkPointers(error, "a session, a text and a place for the module",
                       session, text, module))
      return false;
    return finish(session->state,
                  session->state->session.parse(llvm::StringRef(text, size),
                                                name ? name : "model.mlir"),
                  module, error);
  });
}

int sluice_module_parse_file(sluice_session *session, const char *path,
                             sluice_module **module, sluice_error *error) {
  return guarded(error, [&] {
    if (!checkPointers(error, "a session, a path and a place for the module",
                       session, path, module))
      return false;
    return finish(session->state, session->state->session.parseFile(path),
                  module, error);
  });
}

void sluice_module_destroy(sluice_module *module) { delete module; }

int sluice_module_clone(const sluice_module *module, sluice_module **copy,
                        sluice_error *error) {
  return guarded(error, [&] {
    if (!checkPointers(error, "a module and a place for the copy", module,
                       copy))
      return false;
    *copy = new sluice_module{module->state, module->module.get().clone()};
    return true;
  });
}

int sluice_module_print(const sluice_module *module, char **text,
                        sluice_error *error) {
  return guarded(error, [&] {
    if (!checkPointers(error, "a module and a place for the text", module,
                       text))
      return false;
    std::string printed;
    llvm::raw_string_ostream os(printed);
    module->module.get().print(os);
    os << "\n";
    *text = copyText(printed);
    return true;
  });
}

int sluice_module_run_passes(sluice_module *module, const char *pipeline,
                             sluice_error *error) {
  return guarded(error, [&] {
    if (!checkPointers(error, "a module and a pipeline", module, pipeline))
      return false;
    llvm::Error problem = module->state->session.runPasses(
        module->module.get(), llvm::StringRef(pipeline));
    return !problem || fail(std::move(problem), error);
  });
}

int sluice_module_describe(const sluice_module *module, char **json,
                           sluice_error *error) {
  return guarded(error, [&] {
    if (!checkPointers(error, "a module and a place for the text", module,
                       json))
      return false;
    *json = copyText(describeModel(module->module.get()));
    return true;
  });
}

static std::optional<ArtifactKind> toKind(sluice_output output) {
  switch (output) {
  case SLUICE_OUTPUT_SHARED_LIBRARY:
    return ArtifactKind::SharedLibrary;
  case SLUICE_OUTPUT_OBJECT:
    return ArtifactKind::Object;
  case SLUICE_OUTPUT_ASSEMBLY:
    return ArtifactKind::Assembly;
  case SLUICE_OUTPUT_LLVM_IR:
    return ArtifactKind::LLVMIR;
  }
  return std::nullopt;
}

int sluice_module_write(const sluice_module *module, sluice_output output,
                        const char *path, const char *prefix,
                        const char *weightsPath, sluice_error *error) {
  return guarded(error, [&] {
    if (!checkPointers(error, "a module and a path", module, path))
      return false;
    Session &session = module->state->session;
    std::optional<ArtifactKind> kind = toKind(output);
    if (!kind)
      return fail(
          session.report(llvm::createStringError(
              "expected a sluice_output but got " + llvm::Twine(int(output)))),
          error);
    llvm::Error problem = session.write(
        module->module.get(), path,
        {*kind, prefix ? prefix : "", weightsPath ? weightsPath : ""});
    return !problem || fail(std::move(problem), error);
  });
}

int sluice_module_compile(const sluice_module *module, sluice_program **program,
                          sluice_error *error) {
  return guarded(error, [&] {
    if (!checkPointers(error, "a module and a place for the program", module,
                       program))
      return false;
    llvm::Expected<JitProgram> compiled =
        module->state->session.compile(module->module.get());
    if (!compiled)
      return fail(compiled.takeError(), error);
    *program = new sluice_program{std::move(*compiled), module->state->threads};
    return true;
  });
}

void sluice_program_destroy(sluice_program *program) { delete program; }

const char *sluice_program_manifest(const sluice_program *program) {
  return program ? program->program.getManifest().c_str() : nullptr;
}

int sluice_program_load(const sluice_program *program,
                        const sluice_weights *weights, sluice_model **model,
                        sluice_error *error) {
  return guarded(error, [&] {
    if (!checkPointers(error, "a program and a place for the model", program,
                       model))
      return false;
    llvm::Expected<JitModel> loaded = program->program.load(weights);
    if (!loaded)
      return fail(loaded.takeError(), error);
    loaded->setThreads(int(program->threads));
    *model = loaded->release();
    return true;
  });
}
