/*===-- sluice-c/Sluice.h - The compiler as a library -------------*- C -*-===*\
|*                                                                            *|
|* Part of the Sluice project, under the Apache License v2.0 with LLVM        *|
|* Exceptions. See LICENSE for license information.                           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
|*===----------------------------------------------------------------------===*|
|*                                                                            *|
|* The C interface of libsluice: from the text of a model to results, without *|
|* a file or another process in between.                                      *|
|*                                                                            *|
|*   sluice_session   options and a handler for diagnostics                   *|
|*     sluice_module  a model as IR: parsed, inspected, changed by passes     *|
|*       sluice_program   code in memory; or sluice_module_write: a file      *|
|*         sluice_model   code with weights, ready to run (see Runtime.h)     *|
|*                                                                            *|
|* Conventions, the same as Runtime.h's. Functions that can fail return 0 for *|
|* success and 1 for an error, and describe the error in one line of UTF-8    *|
|* text; the last argument may be NULL if nobody reads the text. Nothing here *|
|* aborts the process, prints, or lets a C++ exception escape. After an error *|
|* no output has been changed. NULL where an object is expected is an error.  *|
|*                                                                            *|
|* Ownership. What a function creates through its `**` argument is freed by   *|
|* the _destroy of its type, texts by sluice_string_free; for both NULL does  *|
|* nothing. Objects may be destroyed in any order: a module keeps what it     *|
|* needs of its session, a model what it needs of its program and weights.    *|
|* Strings that are arguments are only read during the call.                  *|
|*                                                                            *|
|* Threads. A session with its modules is used by one thread at a time. Two   *|
|* sessions never see each other and may work at the same time. A program and *|
|* a sluice_weights may be read, and a model may be called, from any number   *|
|* of threads at once.                                                        *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef SLUICE_C_SLUICE_H
#define SLUICE_C_SLUICE_H

#include "sluice-c/Runtime.h"
#include "sluice-c/Tensor.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*===----------------------------------------------------------------------===*\
|* Version
\*===----------------------------------------------------------------------===*/

/** The version of this header. */
#define SLUICE_VERSION_MAJOR 0
#define SLUICE_VERSION_MINOR 1
#define SLUICE_VERSION_PATCH 0

/** Changes when a program that was compiled with an older header can no longer
    use the library: a function went or has other arguments, a struct has
    another layout. It is the number in the library's file name. Functions and
    enumerators that are added do not change it. */
#define SLUICE_ABI_VERSION 0

/** The version of the library, e.g. "0.1.0", and its SLUICE_ABI_VERSION, which
    whoever loads it with dlopen should compare with the header's. */
const char *sluice_version(void);
int sluice_abi_version(void);

/** Frees a text that a function here, or sluice_model_counters_json, returned:
    it is the library's own free(). */
void sluice_string_free(char *text);

/*===----------------------------------------------------------------------===*\
|* Sessions
\*===----------------------------------------------------------------------===*/

/** Options, and a handler for what there is to say about models. */
typedef struct sluice_session sluice_session;

/** Creates a session with the default options and without a handler. */
int sluice_session_create(sluice_session **session, sluice_error *error);

/** Frees the session. Its modules stay usable; the handler is not called any
    more. */
void sluice_session_destroy(sluice_session *session);

/** Sets an option for all later calls.

      key                value                          default
      target             "native" (this machine) or a   native
                         triple as clang has it, e.g.
                         "aarch64-linux-gnu": objects,
                         assembly and LLVM IR for it.
                         Sets cpu to its default
      cpu                "native" (this machine) or     native; generic or
                         LLVM's name of a processor of  x86-64 for another
                         the target, e.g. "znver4",     architecture
                         or several, "native,x86-64-v3":
                         a file has code for each and
                         chooses when it is loaded; for
                         this process the best that it
                         can run is compiled
      parallel           "true" or "false": use OpenMP  true
      counters           "true" or "false": count what  false
                         routed ops do
      opt-level          LLVM's level, "0" to "3"       3
      threads            OpenMP threads of models that  0
                         are loaded later; "0" is
                         OpenMP's own default
      compile-threads    threads that compile, "1" to   1
                         "256"; "0" is one for each
                         processor
      remarks            "true" or "false": tell the    false
                         handler what passes decided,
                         and why
      runtime-directory  where libsluice_rt.a and       beside the library
                         libsluice_artifact.a lie,
                         which shared libraries need

    Results do not depend on parallel, threads and compile-threads, bit for
    bit. An unknown key or value is an error that names the nearest ones. */
int sluice_session_set_option(sluice_session *session, const char *key,
                              const char *value, sluice_error *error);

/** The value of an option as text. */
int sluice_session_get_option(const sluice_session *session, const char *key,
                              char **value, sluice_error *error);

/** The key of option `index`, counted from 0; NULL if there are not so many. */
const char *sluice_option_key(int index);

typedef enum sluice_severity
#ifdef __cplusplus
    : int
#endif
{ /** Belongs to the diagnostic before it. */
  SLUICE_NOTE,
  SLUICE_REMARK,
  SLUICE_WARNING,
  SLUICE_ERROR } sluice_severity;

/** Receives one diagnostic. `file` is NULL, and `line` and `column` are 0, if
    it has no place in a file; both count from 1. The strings live during the
    call only. It is called by the thread that called the session, must not
    throw or call longjmp, and must not use the same session. */
typedef void (*sluice_diagnostic_fn)(sluice_severity severity,
                                     const char *message, const char *file,
                                     int line, int column, void *user);

/** Sets who receives the diagnostics of all later calls; `handler` may be NULL.
    Every call with a session or module that fails reports at least one error
    to the handler, and returns the first one's text, with its place in front,
    as its sluice_error; only null pointers are not worth a diagnostic. */
int sluice_session_set_diagnostic_handler(sluice_session *session,
                                          sluice_diagnostic_fn handler,
                                          void *user, sluice_error *error);

/*===----------------------------------------------------------------------===*\
|* Modules
\*===----------------------------------------------------------------------===*/

/** A verified model as IR. */
typedef struct sluice_module sluice_module;

/** Parses and verifies `size` bytes, a model's text or MLIR bytecode. `name`
    stands for the file in diagnostics; NULL is "model.mlir". */
int sluice_module_parse(sluice_session *session, const char *text, size_t size,
                        const char *name, sluice_module **module,
                        sluice_error *error);

/** The same with the contents of a file; "-" is the standard input. */
int sluice_module_parse_file(sluice_session *session, const char *path,
                             sluice_module **module, sluice_error *error);

void sluice_module_destroy(sluice_module *module);

/** A copy, of the same session. */
int sluice_module_clone(const sluice_module *module, sluice_module **copy,
                        sluice_error *error);

/** The module's text. */
int sluice_module_print(const sluice_module *module, char **text,
                        sluice_error *error);

/** Runs passes over the module: one by its name, or several, each with options
    in braces if it has any, as sluice-opt's --pass-pipeline takes them:

      "canonicalize"
      "sluice-plan-dispatch{rows-per-task=8},cse"
      "builtin.module(func.func(sluice-tile-rows))"

    A pass for functions may stand at the top: it runs on each function. If a
    pass fails, the module is what it was before. An option's value of the wrong
    type is an error, which MLIR also writes to the standard error: the only
    thing that is ever printed, unless a pass is asked to print. */
int sluice_module_run_passes(sluice_module *module, const char *pipeline,
                             sluice_error *error);

/** Describes the public functions and the weights as a JSON object on one line
    (a dimension of -1 is dynamic):

        {"functions": [{"name": "moe",
                        "inputs": [{"name": "x", "dtype": "f32",
                                    "shape": [-1, 2048]}],
                        "results": [{"name": "", "dtype": "f32",
                                     "shape": [-1, 2048]}]}],
         "weights": [{"symbol": "gate", "tensor": "experts.{e}.gate.weight",
                      "dtype": "f32", "shape": [64, 1024, 2048]}]}

    "dtype" is sluice_dtype_name's text. A number is a tensor of rank 0. For
    other types, which only lowered modules have, "dtype" is MLIR's text of the
    type, and there is no "shape". */
int sluice_module_describe(const sluice_module *module, char **json,
                           sluice_error *error);

/*===----------------------------------------------------------------------===*\
|* Files
\*===----------------------------------------------------------------------===*/

typedef enum sluice_output
#ifdef __cplusplus
    : int
#endif
{ /** A shared library, and its C header beside it: the same name with .h. */
  SLUICE_OUTPUT_SHARED_LIBRARY,
  /** An object file, and its C header; to be linked with libsluice_artifact.a,
      libsluice_rt.a and libomp. */
  SLUICE_OUTPUT_OBJECT,
  SLUICE_OUTPUT_ASSEMBLY,
  /** Optimised LLVM IR as text. */
  SLUICE_OUTPUT_LLVM_IR } sluice_output;

/** Compiles the module, which stays as it is, and writes it to `path`, as
    sluicec does. The file appears when it is complete; "-" is the standard
    output, for text.

    `prefix` is what the C functions' names begin with; NULL makes one of the
    file's name. If `weights_path` is not NULL, the model's weights are checked
    against this safetensors file, and its absolute path becomes what the
    library's _load opens by default. */
int sluice_module_write(const sluice_module *module, sluice_output output,
                        const char *path, const char *prefix,
                        const char *weights_path, sluice_error *error);

/*===----------------------------------------------------------------------===*\
|* Running in this process
\*===----------------------------------------------------------------------===*/

/** Compiled code in memory, without weights. Independent of its session. */
typedef struct sluice_program sluice_program;

/** Compiles the module, which stays as it is, with the session's options. */
int sluice_module_compile(const sluice_module *module, sluice_program **program,
                          sluice_error *error);

void sluice_program_destroy(sluice_program *program);

/** What sluice_module_describe says, and more, of the compiled code: the
    manifest that sluice_model_create documents. Lives as long as the program;
    NULL if `program` is. */
const char *sluice_program_manifest(const sluice_program *program);

/** Makes a model of the code and the weights that it needs, found by the names
    that the model gives them. `weights` comes from sluice_weights_open (a
    safetensors file) or sluice_weights_create (the caller's memory); it may be
    NULL if the model has none, and may be closed afterwards. Any number of
    models can be made of one program, with the same or other weights.

    The model runs by sluice_model_call of Runtime.h, with inputs and outputs in
    the caller's memory, and goes by sluice_model_destroy. */
int sluice_program_load(const sluice_program *program,
                        const sluice_weights *weights, sluice_model **model,
                        sluice_error *error);

#ifdef __cplusplus
}
#endif

#endif /* SLUICE_C_SLUICE_H */
