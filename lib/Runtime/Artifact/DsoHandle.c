//===- DsoHandle.c - A library's own name for itself --------------*- C -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// C++ refers to __dso_handle where something is destroyed when a library is
// unloaded. It usually comes from a development package's start files, which a
// link by ld alone does without. In an object of its own, so that it is only
// taken from the archive if nobody else defines it.
//
//===----------------------------------------------------------------------===//

extern void *const __dso_handle;
void *const __dso_handle = (void *)&__dso_handle;
