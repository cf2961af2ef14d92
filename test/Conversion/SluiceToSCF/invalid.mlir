// RUN: sluice-opt %s --convert-sluice-to-scf --verify-diagnostics

func.func @unplanned(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %g = sluice.topk %x, 1 : tensor<?x4xf32>
  // expected-error @+1 {{failed to legalize operation 'sluice.experts' that was explicitly marked illegal}}
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 1 per token>
      (%t = %x : tensor<?x4xf32>) combine sum weight none -> tensor<?x4xf32> {
    sluice.yield %t : tensor<?x4xf32>
  }
  return %y : tensor<?x4xf32>
}
