/*===-- sluice-c/Runtime.h - What a compiled model needs to run ---*- C -*-===*\
|*                                                                            *|
|* Part of the Sluice project, under the Apache License v2.0 with LLVM        *|
|* Exceptions. See LICENSE for license information.                           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
|*===----------------------------------------------------------------------===*|
|*                                                                            *|
|* Tensors, weight files and models, as a plain C interface without LLVM. The *|
|* archive behind it is linked into sluice-run, which registers just-in-time  *|
|* compiled functions, and into every shared library that sluicec writes,     *|
|* where its symbols stay hidden.                                             *|
|*                                                                            *|
|* Conventions. Functions that can fail return 0 for success and 1 for an     *|
|* error, and describe the error in one line of UTF-8 text; the last argument *|
|* may be NULL if nobody reads the text. Nothing here aborts the process or   *|
|* lets a C++ exception escape. After an error no output has been changed.    *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef SLUICE_C_RUNTIME_H
#define SLUICE_C_RUNTIME_H

#include "sluice-c/Tensor.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*===----------------------------------------------------------------------===*\
|* Tensors
\*===----------------------------------------------------------------------===*/

/** Frees what the runtime allocated for `tensor`, if anything, and sets `data`
    and `allocation` to NULL. NULL, and a second call, do nothing. */
void sluice_tensor_free(sluice_tensor *tensor);

/** Bytes of one element; 0 if `dtype` is none of the enumerators. */
size_t sluice_dtype_size(sluice_dtype dtype);

/** "f32", "f64", "f16", "bf16", "i32", "i64", "bool" or "i8"; "unknown" if `dtype`
    is none of the enumerators. */
const char *sluice_dtype_name(sluice_dtype dtype);

/** Computes the number of bytes of `tensor`'s elements from its type, rank and
    shape, which need not be valid; `data` is not looked at. */
int sluice_tensor_num_bytes(const sluice_tensor *tensor, int64_t *num_bytes,
                            sluice_error *error);

/*===----------------------------------------------------------------------===*\
|* Weights
\*===----------------------------------------------------------------------===*/

/** Tensors by name: a mapped safetensors file, or the caller's memory. Reading
    from several threads is safe. */
typedef struct sluice_weights sluice_weights;

/** One of the tensors. All pointers live as long as the sluice_weights. */
typedef struct sluice_weight_info {
  const char *name;
  /** As safetensors files spell it: "F32", "BF16", "F8_E4M3", ...; also types
      that Sluice cannot load. */
  const char *dtype;
  /** Not limited by SLUICE_MAX_RANK. */
  int32_t rank;
  const int64_t *shape;
  /** Any alignment. */
  const void *data;
  int64_t num_bytes;
} sluice_weight_info;

/** Maps the file at `path` and checks its header: the header's length, JSON
    and UTF-8, unique names, and that the tensors' bytes agree with shape and
    type, lie within the file, and neither overlap nor leave gaps. The file
    must not be changed while it is open; where it is cut short, the system
    raises SIGBUS, which only the program can handle. */
int sluice_weights_open(const char *path, sluice_weights **weights,
                        sluice_error *error);

/** A tensor in the caller's memory, and the name that models know it by. */
typedef struct sluice_named_tensor {
  const char *name;
  /** `allocation` is not looked at. */
  sluice_tensor tensor;
} sluice_named_tensor;

/** Makes weights of `count` tensors in the caller's memory, as if they stood in
    a file: names are unique and not empty, and patterns stack them.

    Names, types and shapes are copied. The tensors' elements are not: they are
    borrowed, must not change, and must stay where they are until the weights
    and every model that was made with them are gone. A tensor that is aligned
    for its element type (for speed: to 64 bytes) is used in place, as is a
    stack whose parts lie one behind the other in order; others are copied when
    a model is made. A tensor without elements may have `data` NULL. */
int sluice_weights_create(const sluice_named_tensor *tensors, int64_t count,
                          sluice_weights **weights, sluice_error *error);

/** Frees the weights, and unmaps the file once no model uses it any more; NULL
    does nothing. */
void sluice_weights_close(sluice_weights *weights);

/** Number of tensors. */
int64_t sluice_weights_count(const sluice_weights *weights);

/** Describes tensor `index`, in the order of the file's header or of the
    caller's array. */
int sluice_weights_info(const sluice_weights *weights, int64_t index,
                        sluice_weight_info *info, sluice_error *error);

/** Describes the tensor called `name`. If there is none, the error says how
    many tensors there are and which name is closest. */
int sluice_weights_find(const sluice_weights *weights, const char *name,
                        sluice_weight_info *info, sluice_error *error);

/** Loads one tensor, or stacks several.

    `pattern` is a name in which each placeholder, `{e}` or `{e+8}`, stands for
    a number and makes one leading dimension of `shape`, from left to right:
    with "layers.{l}.experts.{e+8}.up" and shape [2, 4, 64, 32] element
    [l, e, :, :] is the tensor "layers.<l>.experts.<e + 8>.up" of shape [64,
   32].

    Element type and shape must be exactly the stored ones. The result points
    into the map or the caller's memory (and then must not be written, nor
    outlive `weights`) where its bytes already lie there in order and aligned
    for their type; otherwise it is a copy. Either way it goes to
    sluice_tensor_free. */
int sluice_weights_load(const sluice_weights *weights, const char *pattern,
                        sluice_dtype dtype, int32_t rank, const int64_t *shape,
                        sluice_tensor *tensor, sluice_error *error);

/*===----------------------------------------------------------------------===*\
|* Models
\*===----------------------------------------------------------------------===*/

/** A compiled function behind the packed convention.

    The function is `func(%state: memref<?xi64>, weights..., inputs...) ->
    results...` with MLIR's C interface: args[0] points to the results' memref
    descriptors, one behind the other; args[1] to the descriptor of the state;
    the next ones to the descriptors of the weights that the function uses, in
    the manifest's order; the last ones to those of the inputs. Results are
    allocated with malloc by the function; it may also return an argument. */
typedef void (*sluice_packed_fn)(void **args);

/** A set of compiled functions with their weights and counters. */
typedef struct sluice_model sluice_model;

/** Creates a model from the compiler's manifest.

    `functions` has one entry for each of the manifest's functions. The weights
    are loaded from the safetensors file at `weights_path` now, or mapped where
    that is possible; it is not looked at, and may be NULL, if the model has no
    weights.

    The manifest is a JSON object (`-1` is a dynamic dimension):

        {"sluice_manifest": 1, "name": "model", "state_size": 75,
         "weights": [{"symbol": "gate", "tensor": "experts.{e}.gate.weight",
                      "dtype": "f32", "shape": [64, 1024, 2048]}],
         "functions": [{"name": "moe",
                        "inputs": [{"name": "x", "dtype": "f32",
                                    "shape": [-1, 2048]}],
                        "results": [{"name": "", "dtype": "f32",
                                     "shape": [-1, 2048]}],
                        "weights": [0]}],
         "failures": [{"code": 1, "kind": "expect_close",
                       "where": "f.mlir:12:3", "tolerance": 1e-5}],
         "counters": [{"function": "moe", "op": "experts#0",
                       "where": "f.mlir:9:8", "at": 8, "experts": 64,
                       "multiply_adds_per_entry": 6291456,
                       "weight_bytes_per_expert": 25165824}]}

    The state is a buffer of `state_size` 64-bit integers, zero at the start of
    each call. The compiled code sets state[0] to the code of a failure, or
    leaves it 0; state[1] is then a flat index, state[2] and state[3] are the
    bits of the actual and the expected value as binary64. A failure may have a
    "message", in which `{index}`, `{actual}` and `{expected}` stand for these.
    From state["at"] on lie the counters of a routed op: calls, tokens, entries
    that were present, entries that a capacity dropped, experts that
    had a token, then tokens per expert.

    "name", "weights", "failures" and "counters" may be missing. */
int sluice_model_create(const char *manifest_json,
                        const sluice_packed_fn *functions,
                        const char *weights_path, sluice_model **model,
                        sluice_error *error);

/** The same with the weights from `weights`, which may be NULL if the model has
    none, and may be closed afterwards: the model keeps what it needs of it. */
int sluice_model_create_with(const char *manifest_json,
                             const sluice_packed_fn *functions,
                             const sluice_weights *weights,
                             sluice_model **model, sluice_error *error);

/** Lets the model call `release(owner)` at the end of sluice_model_destroy, so
    that it can own its code. Replaces what was set before, which is not
    called. */
void sluice_model_set_owner(sluice_model *model, void *owner,
                            void (*release)(void *owner));

/** Frees the model and its weights; no call may be running. NULL does
    nothing. Tensors that calls returned stay valid. */
void sluice_model_destroy(sluice_model *model);

/** Sets the number of OpenMP threads of each later call; 0 or less: OpenMP's
    own default (OMP_NUM_THREADS, else the number of processors). */
void sluice_model_set_threads(sluice_model *model, int num_threads);

/** Number of functions, and their names (NULL if there is no such function);
    the index of the function called `name`, or -1. */
int sluice_model_num_functions(const sluice_model *model);
const char *sluice_model_function_name(const sluice_model *model, int function);
int sluice_model_find_function(const sluice_model *model, const char *name);

/** Number of inputs and results of a function; -1 if there is none. */
int sluice_model_num_inputs(const sluice_model *model, int function);
int sluice_model_num_results(const sluice_model *model, int function);

/** An input or a result. `name` lives as long as the model, and is "" if there
    is none; a dimension of -1 fits any size. */
typedef struct sluice_value_info {
  const char *name;
  sluice_dtype dtype;
  int32_t rank;
  int64_t shape[SLUICE_MAX_RANK];
} sluice_value_info;

/** Describes input or result `index` of a function. */
int sluice_model_input_info(const sluice_model *model, int function, int index,
                            sluice_value_info *info, sluice_error *error);
int sluice_model_result_info(const sluice_model *model, int function, int index,
                             sluice_value_info *info, sluice_error *error);

/** Runs a function. Several threads may call one model at once.

    Inputs must have the declared types and shapes, where `-1` fits any size;
    bools must be 0 or 1. An input that is not aligned for its element type is
    copied first.

    For an output whose `data` is NULL, the other fields are set too and the
    caller frees the tensor with sluice_tensor_free. Otherwise `data` is the
    caller's buffer, and type and shape must be exactly the result's: it is
    copied there. If the model checks an expectation that does not hold, the
    call fails and the error says where, which element and both values. */
int sluice_model_call(const sluice_model *model, int function,
                      const sluice_tensor *inputs, int num_inputs,
                      sluice_tensor *outputs, int num_outputs,
                      sluice_error *error);

/** What the routed ops did in all successful calls since the model was created
    or its counters were reset, as a JSON object on one line:

        {"routed": [{"function": "moe", "op": "experts#0",
                     "where": "f.mlir:9:8", "calls": 1, "tokens": 2,
                     "entries": 4, "dropped": 0, "multiply_adds": 512,
                     "weight_bytes": 1024, "tokens_per_expert": [1, 3]}]}

    `weight_bytes` sums, over the calls, the weights of the experts that had at
    least one token. The caller frees the text with free(); NULL if there is no
    memory for it. */
char *sluice_model_counters_json(const sluice_model *model);
void sluice_model_reset_counters(sluice_model *model);

/*===----------------------------------------------------------------------===*\
|* Library calls of compiled code
\*===----------------------------------------------------------------------===*/

/** A function that compiled code may refer to by name. */
typedef struct sluice_runtime_symbol {
  const char *name;
  void *address;
} sluice_runtime_symbol;

/** The functions that generated code calls and that neither the C library nor
    OpenMP has: conversions of half precision types, which older processors
    have no instruction for, and copies of strided memrefs. They are linked into
    shared libraries by name; a JIT has to be told, since they are hidden. */
const sluice_runtime_symbol *sluice_runtime_symbols(size_t *count);

#ifdef __cplusplus
}
#endif

#endif /* SLUICE_C_RUNTIME_H */
