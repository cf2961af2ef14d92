// Which kernel runs when, as JSON: for each product with packed weights, each
// processor, and any number of rows.
//
// RUN: sluicec %s --print-schedule --cpu=x86-64-v4 > %t.json
// RUN: FileCheck %s < %t.json
// RUN: sluicec %s --print-schedule --cpu=x86-64-v3,znver4 | FileCheck %s --check-prefix=SEVERAL
// RUN: sluicec %s --print-schedule --target=aarch64-linux-gnu --cpu=neoverse-n2 | FileCheck %s --check-prefix=ARM
// It is JSON, has each row once, and what is beside it goes elsewhere.
// RUN: %python %S/Inputs/check-schedule.py %t.json
// RUN: sluicec %s --print-schedule --cpu=x86-64-v4 --timing --remarks --counters 2> %t.txt | cmp - %t.json
// RUN: FileCheck %s --check-prefix=BESIDE < %t.txt
// BESIDE: remark: [sluice-pack-weights] @up is packed
// BESIDE: {{  lower$}}
// BESIDE-NEXT: {{  other$}}

// Without products.
// RUN: echo 'func.func @f() { return }' | sluicec - --print-schedule | FileCheck %s --check-prefix=EMPTY
// EMPTY: {{^}}[]{{$}}

// What it cannot be given.
// RUN: not sluicec %s --print-schedule -o %t.so 2>&1 | FileCheck %s --check-prefix=OUTPUT
// OUTPUT: sluicec: error: expected no -o beside --print-schedule, which compiles nothing
// RUN: not sluicec %s --print-schedule --emit=asm 2>&1 | FileCheck %s --check-prefix=EMIT
// EMIT: sluicec: error: expected no --emit beside --print-schedule, which compiles nothing
// RUN: not sluicec %s --print-schedule --prefix=m 2>&1 | FileCheck %s --check-prefix=PREFIX
// PREFIX: sluicec: error: expected no --prefix beside --print-schedule, which compiles nothing
// RUN: not sluicec %s --print-schedule --weights=%t.none 2>&1 | FileCheck %s --check-prefix=WEIGHTS
// WEIGHTS: sluicec: error: expected no --weights beside --print-schedule, which compiles nothing
// RUN: not sluicec %s --print-schedule --cpu=z9000 2>&1 | FileCheck %s --check-prefix=CPU
// CPU: sluicec: error: unknown processor 'z9000'
// RUN: not sluicec %t.none.mlir --print-schedule 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: sluicec: error: cannot open input file
// RUN: echo 'func.func @f(%%x: memref<2xf32>) { return }' > %t.mlir
// RUN: not sluicec %t.mlir --print-schedule 2>&1 | FileCheck %s --check-prefix=MODEL
// MODEL: error:

sluice.weight @router "router" : tensor<4x64xf32>
sluice.weight @up "up.{e}" : tensor<4x40x64xf32>
sluice.weight @gate "gate.{e}" : tensor<4x40x64xf32>
sluice.weight @first "first.{e}" : tensor<4x40x64xf32> in #sluice.panels<16 of out_in>
sluice.weight @second "second.{e}" : tensor<4x40x64xf32> in #sluice.panels<16 of out_in>
sluice.weight @pairs "pairs" : tensor<32x64xbf16>
sluice.weight @long "long" : tensor<32x5000xf32>
sluice.weight @narrow "narrow" : tensor<32x64xf32> in #sluice.panels<8 of out_in>
sluice.weight @bytes "bytes" : tensor<32x64xi8>
sluice.weight @scales "scales" : tensor<32x2xf32>
sluice.weight @blocks "blocks" : tensor<32x32xi8>
sluice.weight @powers "powers" : tensor<32x2xi8>

// All fields, of a layer whose rows are where kernels read them. The router's
// product is too narrow for panels.
// CHECK: {{^}}[
// CHECK-NEXT: {
// CHECK-NEXT:   "arithmetic": "f32",
// CHECK-NEXT:   "copied_because": null,
// CHECK-NEXT:   "cpu": "x86-64-v4",
// CHECK-NEXT:   "function": "experts",
// CHECK-NEXT:   "input_type": "f32",
// CHECK-NEXT:   "inputs": 64,
// CHECK-NEXT:   "location": "{{.*}}print-schedule.mlir:[[#@LINE+53]]:10",
// CHECK-NEXT:   "machine": "avx512",
// CHECK-NEXT:   "no_kernels_because": null,
// CHECK-NEXT:   "outputs": 40,
// CHECK-NEXT:   "schedule": [
// CHECK-NEXT:     {
// CHECK-NEXT:       "panels": 4,
// CHECK-NEXT:       "prefetch_bytes": 0,
// CHECK-NEXT:       "registers": 29,
// CHECK-NEXT:       "rows": [
// CHECK-NEXT:         1,
// CHECK-NEXT:         6
// CHECK-NEXT:       ],
// CHECK-NEXT:       "rows_copied": false,
// CHECK-NEXT:       "rows_per_block": [
// CHECK-NEXT:         1,
// CHECK-NEXT:         6
// CHECK-NEXT:       ],
// CHECK-NEXT:       "slice_inputs": null,
// CHECK-NEXT:       "step": {
// CHECK-NEXT:         "cycles": 12,
// CHECK-NEXT:         "inputs": 1,
// CHECK-NEXT:         "loads": 10,
// CHECK-NEXT:         "multiply_adds_per_cycle": 32,
// CHECK-NEXT:         "vector_instructions": 24,
// CHECK-NEXT:         "weight_bytes": 256
// CHECK-NEXT:       },
// CHECK-NEXT:       "variant": "stream"
// CHECK-NEXT:     },
// CHECK:            "rows": [
// CHECK-NEXT:         7,
// CHECK-NEXT:         14
// CHECK:            "variant": "block"
// CHECK:            "rows": [
// CHECK-NEXT:         15,
// CHECK-NEXT:         null
// CHECK:            "rows_per_block": [
// CHECK-NEXT:         7,
// CHECK-NEXT:         14
// CHECK:            "variant": "blocked"
// CHECK-NEXT:     }
// CHECK-NEXT:   ],
// CHECK-NEXT:   "weight": "up",
// CHECK-NEXT:   "weight_type": "f32"
// CHECK-NEXT: },
func.func @experts(%x: tensor<?x64xf32>) -> tensor<?x40xf32> {
  %u = sluice.get_weight @up : tensor<4x40x64xf32>
  %r = sluice.get_weight @router : tensor<4x64xf32>
  %l = sluice.linear %x, %r : (tensor<?x64xf32>, tensor<4x64xf32>) -> tensor<?x4xf32>
  %g = sluice.topk %l, 2 : tensor<?x4xf32>
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x64xf32>) with (%w = %u : tensor<4x40x64xf32>)
      combine sum weight output -> tensor<?x40xf32> {
    %o = sluice.linear %t, %w : (tensor<?x64xf32>, tensor<40x64xf32>) -> tensor<?x40xf32>
    sluice.yield %o : tensor<?x40xf32>
  }
  return %y : tensor<?x40xf32>
}

// Products of bf16 where the machine has them; else rows become f32.
// CHECK:      "arithmetic": "f32",
// CHECK-NEXT: "copied_because": "they are converted from bf16 to f32",
// CHECK:      "function": "dots",
// CHECK-NEXT: "input_type": "bf16",
// CHECK:      "rows_copied": true,
// CHECK:      "weight": "pairs",
// CHECK-NEXT: "weight_type": "bf16"
func.func @dots(%x: tensor<?x64xbf16>) -> tensor<?x32xf32> {
  %w = sluice.get_weight @pairs : tensor<32x64xbf16>
  %y = sluice.linear %x, %w : (tensor<?x64xbf16>, tensor<32x64xbf16>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// The weight tells how many inputs there are: more than a slice. One row needs
// no slices.
// CHECK:      "copied_because": "they have 5000 inputs, and a slice has 2048",
// CHECK:      "function": "dynamic",
// CHECK:      "inputs": 5000,
// CHECK:      "rows": [
// CHECK-NEXT:   1,
// CHECK-NEXT:   1
// CHECK-NEXT: ],
// CHECK-NEXT: "rows_copied": false,
// CHECK:      "slice_inputs": null,
// CHECK:      "rows": [
// CHECK-NEXT:   2,
// CHECK-NEXT:   6
// CHECK-NEXT: ],
// CHECK-NEXT: "rows_copied": true,
// CHECK:      "slice_inputs": 2048,
// CHECK:      "weight": "long",
func.func @dynamic(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %w = sluice.get_weight @long : tensor<32x5000xf32>
  %y = sluice.linear %x, %w : (tensor<?x?xf32>, tensor<32x5000xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// No kernel has half a vector of outputs.
// CHECK:      "arithmetic": null,
// CHECK-NEXT: "copied_because": null,
// CHECK:      "function": "none",
// CHECK:      "no_kernels_because": "expected panels of a multiple of 16 outputs but got 8",
// CHECK-NEXT: "outputs": 32,
// CHECK-NEXT: "schedule": [],
// CHECK-NEXT: "weight": "narrow",
func.func @none(%x: tensor<?x64xf32>) -> tensor<?x32xf32> {
  %w = sluice.get_weight @narrow : tensor<4x64x8xf32>
  %y = sluice.linear %x, %w layout panels : (tensor<?x64xf32>, tensor<4x64x8xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// Numbers with scales, and rounded inputs.
// CHECK:      "arithmetic": "int8",
// CHECK-NEXT: "copied_because": "segments lie beside their sums and scales",
// CHECK:      "function": "integers",
// CHECK-NEXT: "input_type": "i8",
// CHECK:      "panels": 1,
// CHECK-NEXT: "prefetch_bytes": 0,
// CHECK:      "rows": [
// CHECK-NEXT:   1,
// CHECK-NEXT:   6
// CHECK:      "variant": "stream"
// CHECK:      "panels": 1,
// CHECK-NEXT: "prefetch_bytes": 16384,
// CHECK:      "rows": [
// CHECK-NEXT:   7,
// CHECK-NEXT:   13
// CHECK:      "variant": "block"
// CHECK:      {{^ *}}14,
// CHECK-NEXT: null
// CHECK:      "weight": "bytes",
// CHECK-NEXT: "weight_type": "i8"
func.func @integers(%x: tensor<?x64xf32>) -> tensor<?x32xf32> {
  %w = sluice.get_weight @bytes : tensor<32x64xi8>
  %s = sluice.get_weight @scales : tensor<32x2xf32>
  %v = sluice.dequantize %w as i8 in blocks [1, 32] by %s : (tensor<32x64xi8>, tensor<32x2xf32>) -> tensor<32x64xf32>
  %q, %qs = sluice.quantize %x to i8 in blocks [1, 32] : tensor<?x64xf32> -> tensor<?x64xi8>, tensor<?x2xf32>
  %r = sluice.dequantize %q as i8 in blocks [1, 32] by %qs : (tensor<?x64xi8>, tensor<?x2xf32>) -> tensor<?x64xf32>
  %y = sluice.linear %r, %v : (tensor<?x64xf32>, tensor<32x64xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
// CHECK:      "arithmetic": "f32",
// CHECK:      "function": "mxfp4",
// CHECK-NEXT: "input_type": "f32",
// CHECK:      "weight": "blocks",
// CHECK-NEXT: "weight_type": "f4E2M1FN"
func.func @mxfp4(%x: tensor<?x64xf32>) -> tensor<?x32xf32> {
  %w = sluice.get_weight @blocks : tensor<32x32xi8>
  %s = sluice.get_weight @powers : tensor<32x2xi8>
  %v = sluice.dequantize %w as f4E2M1FN in blocks [1, 32] by %s as f8E8M0FNU : (tensor<32x32xi8>, tensor<32x2xi8>) -> tensor<32x64xf32>
  %y = sluice.linear %x, %v : (tensor<?x64xf32>, tensor<32x64xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// Functions that several others call: the weight is known if it is always the same;
// else its outputs are those of its panels.
// CHECK: "function": "same",
// CHECK: "weight": "gate",
// CHECK: "function": "different",
// CHECK: "outputs": 48,
// CHECK: "weight": null,
func.func private @same(%x: tensor<?x64xf32>) -> tensor<?x40xf32> {
  %u = sluice.get_weight @gate : tensor<4x40x64xf32>
  %r = sluice.get_weight @router : tensor<4x64xf32>
  %l = sluice.linear %x, %r : (tensor<?x64xf32>, tensor<4x64xf32>) -> tensor<?x4xf32>
  %g = sluice.topk %l, 2 : tensor<?x4xf32>
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x64xf32>) with (%w = %u : tensor<4x40x64xf32>)
      combine sum weight output -> tensor<?x40xf32> {
    %o = sluice.linear %t, %w : (tensor<?x64xf32>, tensor<40x64xf32>) -> tensor<?x40xf32>
    sluice.yield %o : tensor<?x40xf32>
  }
  return %y : tensor<?x40xf32>
}
func.func private @different(%x: tensor<?x64xf32>, %u: tensor<4x3x64x16xf32>) -> tensor<?x40xf32> {
  %r = sluice.get_weight @router : tensor<4x64xf32>
  %l = sluice.linear %x, %r : (tensor<?x64xf32>, tensor<4x64xf32>) -> tensor<?x4xf32>
  %g = sluice.topk %l, 2 : tensor<?x4xf32>
  %y = sluice.experts by %g : !sluice.gates<?x4xf32, 2 per token>
      (%t = %x : tensor<?x64xf32>) with (%w = %u : tensor<4x3x64x16xf32>)
      combine sum weight output -> tensor<?x40xf32> {
    %o = sluice.linear %t, %w layout panels : (tensor<?x64xf32>, tensor<3x64x16xf32>) -> tensor<?x40xf32>
    sluice.yield %o : tensor<?x40xf32>
  }
  return %y : tensor<?x40xf32>
}
func.func @calls(%x: tensor<?x64xf32>) -> (tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x40xf32>) {
  %p = sluice.get_weight @first : tensor<4x3x64x16xf32>
  %q = sluice.get_weight @second : tensor<4x3x64x16xf32>
  %a = call @same(%x) : (tensor<?x64xf32>) -> tensor<?x40xf32>
  %b = call @same(%x) : (tensor<?x64xf32>) -> tensor<?x40xf32>
  %c = call @different(%x, %p) : (tensor<?x64xf32>, tensor<4x3x64x16xf32>) -> tensor<?x40xf32>
  %d = call @different(%x, %q) : (tensor<?x64xf32>, tensor<4x3x64x16xf32>) -> tensor<?x40xf32>
  return %a, %b, %c, %d : tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x40xf32>, tensor<?x40xf32>
}

// Each processor has all products, the best one first.
// SEVERAL: "cpu": "znver4",
// SEVERAL: "machine": "avx512-bf16",
// SEVERAL: "arithmetic": "bf16_dot",
// SEVERAL-NEXT: "copied_because": "only buffers of a task are laid out for kernels",
// SEVERAL-NEXT: "cpu": "znver4",
// SEVERAL-NEXT: "function": "dots",
// SEVERAL: "cpu": "x86-64-v3",
// SEVERAL: "machine": "avx2",
// SEVERAL: "rows": [
// SEVERAL-NEXT: 1,
// SEVERAL-NEXT: 1
// SEVERAL: "variant": "stream"
// SEVERAL: "rows": [
// SEVERAL-NEXT: 2,
// SEVERAL-NEXT: 3
// SEVERAL: "variant": "block"
// SEVERAL: "rows": [
// SEVERAL-NEXT: 4,
// SEVERAL-NEXT: 6
// SEVERAL: "rows": [
// SEVERAL-NEXT: 7,
// SEVERAL-NEXT: null
// SEVERAL: "variant": "blocked"
// ARM: "cpu": "neoverse-n2",
// ARM: "machine": "neon-bf16",
