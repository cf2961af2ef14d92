// RUN: sluice-opt %s | sluice-opt | FileCheck %s
// RUN: sluice-opt %s --mlir-print-op-generic | sluice-opt | FileCheck %s

// The bound is part of the type.
// CHECK-LABEL: @per_token
// CHECK-SAME: (!sluice.gates<?x64xf32, 8 per token>)
func.func private @per_token(!sluice.gates<?x64xf32, 8 per token>)

// CHECK-LABEL: @per_expert
// CHECK-SAME: (!sluice.gates<?x64xf32, 7 per expert>)
func.func private @per_expert(!sluice.gates<?x64xf32, 7 per expert>)

// A capacity that depends on the number of tokens.
// CHECK-LABEL: @per_expert_dynamic
// CHECK-SAME: (!sluice.gates<?x64xf32, ? per expert>)
func.func private @per_expert_dynamic(!sluice.gates<?x64xf32, ? per expert>)

// CHECK-LABEL: @unbounded
// CHECK-SAME: (!sluice.gates<?x64xf32>)
func.func private @unbounded(!sluice.gates<?x64xf32>)

// CHECK-LABEL: @static_tokens
// CHECK-SAME: (!sluice.gates<37x64xf32, 8 per token>)
func.func private @static_tokens(!sluice.gates<37x64xf32, 8 per token>)

// No token at all, one expert, all experts.
// CHECK-LABEL: @corners
// CHECK-SAME: (!sluice.gates<0x4xf32, 4 per token>, !sluice.gates<?x1xf32, 1 per token>)
func.func private @corners(!sluice.gates<0x4xf32, 4 per token>,
                           !sluice.gates<?x1xf32, 1 per token>)

// CHECK-LABEL: @element_types
// CHECK-SAME: (!sluice.gates<?x4xf16>, !sluice.gates<?x4xbf16>, !sluice.gates<?x4xf32>, !sluice.gates<?x4xf64>)
func.func private @element_types(!sluice.gates<?x4xf16>, !sluice.gates<?x4xbf16>,
                                 !sluice.gates<?x4xf32>, !sluice.gates<?x4xf64>)
