//===- QuantToLinalg.h - Quantised numbers to linalg ------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_LIB_CONVERSION_SLUICETOLINALG_QUANTTOLINALG_H
#define SLUICE_LIB_CONVERSION_SLUICETOLINALG_QUANTTOLINALG_H

#include "mlir/IR/PatternMatch.h"

namespace sluice {

/// The part of populateSluiceToLinalgPatterns for `sluice.dequantize` and
/// `sluice.quantize`. What it makes has integers and f16, bf16 and f32 only: no
/// type of fewer bits.
void populateQuantToLinalgPatterns(mlir::RewritePatternSet &patterns);

/// The part for `sluice.quantized_linear`: a `linalg.generic` that is marked as a
/// QuantizedProduct.
void populateQuantizedLinearPatterns(mlir::RewritePatternSet &patterns);

} // namespace sluice

#endif // SLUICE_LIB_CONVERSION_SLUICETOLINALG_QUANTTOLINALG_H
