//===- Panels.h - Weights packed for products -------------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_RUNTIME_CPU_PANELS_H
#define SLUICE_LIB_RUNTIME_CPU_PANELS_H

#include "Model.h"

namespace sluice::rt {

/// The matrices of `stored`, which has the shape of `weight`, in its panels.
/// Throws std::bad_alloc.
OwnedTensor packPanels(const WeightSpec &weight, const sluice_tensor &stored);

} // namespace sluice::rt

#endif // SLUICE_LIB_RUNTIME_CPU_PANELS_H
