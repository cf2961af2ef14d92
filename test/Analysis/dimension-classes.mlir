// Which sizes of arguments must be equal, as the manifest says them: argument,
// dimension, earlier argument, its dimension.
//
// RUN: sluice-opt %s --sluice-externalize-state --split-input-file | FileCheck %s

// Through an addition in a function that is called, and through a broadcast.
// CHECK: \22same_sizes\22:[{\22dimension\22:0,\22earlier_dimension\22:0,\22earlier_input\22:0,\22input\22:1},{\22dimension\22:0,\22earlier_dimension\22:1,\22earlier_input\22:2,\22input\22:3}]
func.func private @add(%a: tensor<?x4xf32>, %b: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = arith.addf %a, %b : tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
func.func @calls(%a: tensor<?x4xf32>, %b: tensor<?x4xf32>, %c: tensor<3x?xf32>,
                 %d: tensor<?xf32>) -> (tensor<?x4xf32>, tensor<3x?xf32>) {
  %0 = call @add(%a, %b) : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = sluice.broadcast %d like %c : tensor<?xf32>, tensor<3x?xf32>
  return %0, %1 : tensor<?x4xf32>, tensor<3x?xf32>
}

// -----

// The tokens of gates are those of what the experts read.
// CHECK: \22same_sizes\22:[{\22dimension\22:0,\22earlier_dimension\22:0,\22earlier_input\22:0,\22input\22:1}]
func.func @experts(%x: tensor<?x4xf32>, %s: tensor<?x2xf32>) -> tensor<?x4xf32> {
  %g = sluice.topk %s, 1 : tensor<?x2xf32>
  %o, %r, %p = sluice.plan %g : !sluice.gates<?x2xf32, 1 per token>
  %y = sluice.grouped by %g : !sluice.gates<?x2xf32, 1 per token>
      plan %o, %r, %p : tensor<3xindex>, tensor<?xindex>, tensor<?x1xindex>
      (%t = %x : tensor<?x4xf32>)
      combine sum weight output rows_per_task 32 -> tensor<?x4xf32> {
    %h = sluice.relu %t : tensor<?x4xf32>
    sluice.yield %h : tensor<?x4xf32>
  }
  return %y : tensor<?x4xf32>
}

// -----

// A size that an op fixes is asked for in the argument's shape.
// CHECK: \22inputs\22:[{\22dtype\22:\22f32\22,\22name\22:\22\22,\22shape\22:[3,4]},{\22dtype\22:\22f32\22,\22name\22:\22\22,\22shape\22:[3,4]}]
func.func @fixed(%a: tensor<?x4xf32>, %b: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %c = tensor.cast %a : tensor<?x4xf32> to tensor<3x4xf32>
  %0 = arith.addf %c, %b : tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// -----

// Nothing ties what no op brings together.
// CHECK: \22same_sizes\22:[]
func.func @apart(%a: tensor<?x4xf32>, %b: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  return %a, %b : tensor<?x4xf32>, tensor<?x4xf32>
}
