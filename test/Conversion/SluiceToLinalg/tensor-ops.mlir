// RUN: sluice-opt %s --convert-sluice-to-linalg --split-input-file | FileCheck %s

// An [out, in] weight: each of its rows is read once, for all tokens.
// CHECK: #[[IN:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK: #[[W:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK: #[[OUT:.*]] = affine_map<(d0, d1, d2) -> (d1, d0)>
// CHECK-LABEL: @out_in(
// CHECK: linalg.generic {indexing_maps = [#[[IN]], #[[W]], #[[OUT]]], iterator_types = ["parallel", "parallel", "reduction"]}
// Accumulation in f32, which a bf16 result is rounded from once.
// CHECK: arith.extf {{.*}} : bf16 to f32
// CHECK: arith.extf {{.*}} : bf16 to f32
// CHECK: arith.mulf {{.*}} fastmath<reassoc,contract> : f32
// CHECK: arith.addf {{.*}} fastmath<reassoc,contract> : f32
// CHECK: linalg.generic
// CHECK: arith.truncf {{.*}} : f32 to bf16
// CHECK-NOT: sluice.
func.func @out_in(%x: tensor<?x8xbf16>, %w: tensor<4x8xbf16>) -> tensor<?x4xbf16> {
  %y = sluice.linear %x, %w : (tensor<?x8xbf16>, tensor<4x8xbf16>) -> tensor<?x4xbf16>
  return %y : tensor<?x4xbf16>
}

// -----

// An [in, out] weight: the innermost loop still walks along its rows.
// CHECK: #[[IN:.*]] = affine_map<(d0, d1, d2) -> (d1, d0)>
// CHECK: #[[W:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-LABEL: @in_out(
// CHECK: linalg.generic {indexing_maps = [#[[IN]], #[[W]], {{.*}}], iterator_types = ["reduction", "parallel", "parallel"]}
// The bias is added to the sum, in one sweep.
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["parallel", "parallel"]
// CHECK: arith.addf
func.func @in_out(%x: tensor<?x8xf32>, %w: tensor<8x4xf32>, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  %y = sluice.linear %x, %w bias %b layout in_out
    : (tensor<?x8xf32>, tensor<8x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// Halves are views, alternating columns are strided ones.
// CHECK-LABEL: @split(
// CHECK: tensor.extract_slice %{{.*}}[0, 0] [%{{.*}}, 4] [1, 1]
// CHECK: tensor.extract_slice %{{.*}}[0, 4] [%{{.*}}, 4] [1, 1]
// CHECK: tensor.extract_slice %{{.*}}[0, 0] [%{{.*}}, 4] [1, 2]
// CHECK: tensor.extract_slice %{{.*}}[0, 1] [%{{.*}}, 4] [1, 2]
func.func @split(%x: tensor<?x8xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) {
  %a, %b = sluice.split %x : tensor<?x8xf32> into 2
  %c, %d = sluice.split %x interleaved : tensor<?x8xf32> into 2
  return %a, %b, %c, %d : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
}

// -----

// The bounds are those of the element type.
// CHECK-LABEL: @clamp(
// CHECK: arith.constant 6.968750e+00 : bf16
// CHECK: arith.minimumf
func.func @clamp(%x: tensor<?x8xbf16>) -> tensor<?x8xbf16> {
  %y = sluice.clamp %x max 6.97 : tensor<?x8xbf16>
  return %y : tensor<?x8xbf16>
}

// -----

// Gates are not tensors yet: left alone.
// CHECK-LABEL: @gates(
// CHECK: sluice.softmax
func.func private @gates(%g: !sluice.gates<?x4xf32, 2 per token>) -> !sluice.gates<?x4xf32, 2 per token> {
  %s = sluice.softmax %g : !sluice.gates<?x4xf32, 2 per token>
  return %s : !sluice.gates<?x4xf32, 2 per token>
}
