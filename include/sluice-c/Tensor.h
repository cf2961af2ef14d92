/*===- sluice-c/Tensor.h - Tensors and errors in C ----------------*- C -*-===*\
|*                                                                            *|
|* Part of the Sluice project, under the Apache License v2.0 with LLVM        *|
|* Exceptions. See LICENSE for license information.                           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
|*===----------------------------------------------------------------------===*|
|*                                                                            *|
|* The types of every compiled model's interface. The text between the two    *|
|* marks is copied into the headers that sluicec writes, which need nothing   *|
|* of Sluice; its guard lets any number of them be included together.         *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

/* [sluicec copies from here] */
#ifndef SLUICE_C_TENSOR_H
#define SLUICE_C_TENSOR_H

#include <stdint.h>

/** The largest rank of a tensor that crosses this interface. */
#define SLUICE_MAX_RANK 8

/** Why a call failed: one line, cut at a character's end if it is long. */
typedef struct sluice_error {
  char message[1024];
} sluice_error;

/** Element types. SLUICE_BOOL takes one byte, which is 0 or 1; the floating
    point types are IEEE 754's, SLUICE_BF16 the upper half of a binary32;
    SLUICE_I8 is any byte: also of numbers of 8 or 4 bits whose meaning the
    model says. */
typedef enum sluice_dtype
#ifdef __cplusplus
    : int /* so that C++ may look at a value that is none of these */
#endif
{ SLUICE_F32,
  SLUICE_F64,
  SLUICE_F16,
  SLUICE_BF16,
  SLUICE_I32,
  SLUICE_I64,
  SLUICE_BOOL,
  SLUICE_I8 } sluice_dtype;

/** A dense tensor in C order: the last dimension is contiguous, no gaps.
    A rank of 0 is a single element; dimensions may be 0, and then `data` may
    be NULL where a tensor is read. */
typedef struct sluice_tensor {
  void *data;
  sluice_dtype dtype;
  int32_t rank;
  int64_t shape[SLUICE_MAX_RANK];
  /** What goes to free() with the tensor; NULL if `data` is the caller's. */
  void *allocation;
} sluice_tensor;

#endif /* SLUICE_C_TENSOR_H */
/* [to here] */
