//===- HeaderTest.c - The public header is C11 --------------------*- C -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sluice-c/Runtime.h"

_Static_assert(SLUICE_F32 == 0 && SLUICE_BOOL == 6 && SLUICE_I8 == 7,
               "compiled models store these numbers");
_Static_assert(sizeof(sluice_dtype) == sizeof(int),
               "C and C++ agree on the layout of sluice_tensor");
_Static_assert(sizeof(sluice_error) == 1024, "the size is part of the ABI");

/// Called from C++ to see that the layouts agree.
size_t sluiceTestOffsetOfAllocation(void);
size_t sluiceTestOffsetOfAllocation(void) {
  return offsetof(sluice_tensor, allocation);
}
