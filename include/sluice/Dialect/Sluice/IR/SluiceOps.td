//===- SluiceOps.td - All ops of the dialect ---*- tablegen -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_OPS_TD
#define SLUICE_OPS_TD

include "sluice/Dialect/Sluice/IR/SluiceWeightOps.td"
include "sluice/Dialect/Sluice/IR/SluiceTensorOps.td"
include "sluice/Dialect/Sluice/IR/SluiceQuantOps.td"
include "sluice/Dialect/Sluice/IR/SluiceRouterOps.td"
include "sluice/Dialect/Sluice/IR/SluiceGatesOps.td"
include "sluice/Dialect/Sluice/IR/SluiceExpertOps.td"
include "sluice/Dialect/Sluice/IR/SluicePlanOps.td"

#endif // SLUICE_OPS_TD
