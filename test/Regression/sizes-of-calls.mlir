// A function that is called with several sizes got one of them, and @main's
// inputs had to be of one size.
//
// RUN: sluice-run %s --entry=twice
// RUN: sluice-opt %s --sluice-inline-bodies --sluice-plan-dispatch --sluice-externalize-state | FileCheck %s
// What a callee demands holds in its callers; @apart's sizes have nothing to do
// with each other.
// CHECK: name\22:\22layer\22
// CHECK-SAME: same_sizes\22:[{
// CHECK-SAME: name\22:\22apart\22
// CHECK-SAME: same_sizes\22:[]
// CHECK-SAME: name\22:\22together\22
// CHECK-SAME: same_sizes\22:[{

func.func @layer(%x: tensor<?x2xf32>, %u: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %g = sluice.topk %x, 1 : tensor<?x2xf32>
  %y = sluice.experts by %g : !sluice.gates<?x2xf32, 1 per token>
      (%t = %u : tensor<?x2xf32>) combine sum weight none -> tensor<?x2xf32> {
    %s = arith.addf %t, %t : tensor<?x2xf32>
    sluice.yield %s : tensor<?x2xf32>
  }
  return %y : tensor<?x2xf32>
}

func.func @apart(%a: tensor<?x2xf32>, %b: tensor<?x2xf32>)
    -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %y = call @layer(%a, %a) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %z = call @layer(%b, %b) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y, %z : tensor<?x2xf32>, tensor<?x2xf32>
}

func.func @together(%a: tensor<?x2xf32>, %b: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %y = call @layer(%a, %b) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

func.func @twice() {
  %a = arith.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %b = arith.constant dense<[[1.0, 2.0], [3.0, 1.0], [0.5, 5.0]]> : tensor<3x2xf32>
  %ad = tensor.cast %a : tensor<1x2xf32> to tensor<?x2xf32>
  %bd = tensor.cast %b : tensor<3x2xf32> to tensor<?x2xf32>
  %y, %z = call @apart(%ad, %bd) : (tensor<?x2xf32>, tensor<?x2xf32>)
    -> (tensor<?x2xf32>, tensor<?x2xf32>)
  %twice = arith.addf %bd, %bd : tensor<?x2xf32>
  check.expect_close %z, %twice tolerance 0.0 : tensor<?x2xf32>
  return
}
