// The machine code of kernels of small numbers: dot products in the widest
// registers, sums of a segment in registers. Kernels of some numbers of rows are
// compiled, the others' are between these.
//
// RUN: sluice-opt %s --sluice-cpu-pipeline="machine=avx512-vnni parallel=false" | mlir-translate --mlir-to-llvmir | llvm-extract -S --rfunc="__sluice_quantized_i8_.*_(1x1|5x1|9x1|13x1)$" | opt -O3 -S -mtriple=x86_64-linux-gnu -mcpu=x86-64-v4 -mattr=+avx512vnni | llc -O3 -mtriple=x86_64-linux-gnu -mcpu=x86-64-v4 -mattr=+avx512vnni | %python %S/Inputs/check-quantized-kernels.py avx512-vnni
// RUN: sluice-opt %s --sluice-cpu-pipeline="machine=avx512 parallel=false" | mlir-translate --mlir-to-llvmir | llvm-extract -S --rfunc="__sluice_quantized_i8_.*_(1x1|5x1|9x1)$" | opt -O3 -S -mtriple=x86_64-linux-gnu -mcpu=x86-64-v4 | llc -O3 -mtriple=x86_64-linux-gnu -mcpu=x86-64-v4 | %python %S/Inputs/check-quantized-kernels.py avx512
// RUN: sluice-opt %s --sluice-cpu-pipeline="machine=avx2 parallel=false" | mlir-translate --mlir-to-llvmir | llvm-extract -S --rfunc="__sluice_quantized_i8_.*_(1x1|2x1)$" | opt -O3 -S -mtriple=x86_64-linux-gnu -mcpu=x86-64-v3 | llc -O3 -mtriple=x86_64-linux-gnu -mcpu=x86-64-v3 | %python %S/Inputs/check-quantized-kernels.py avx2
//
// With float inputs:
// RUN: sluice-opt %s --sluice-cpu-pipeline="machine=avx2 parallel=false" | mlir-translate --mlir-to-llvmir | llvm-extract -S --rfunc="__sluice_quantized_f32_.*" | opt -O3 -S -mtriple=x86_64-linux-gnu -mcpu=x86-64-v3 | llc -O3 -mtriple=x86_64-linux-gnu -mcpu=x86-64-v3 | %python %S/Inputs/check-quantized-kernels.py avx2
//
// All of them, but for kernels of floats on Neoverse N1, for which LLVM loads too
// much ahead:
// REQUIRES: sluicec
// RUN: sluicec %s --target=x86_64-linux-gnu --cpu=alderlake --emit=asm -o - | %python %S/Inputs/check-quantized-kernels.py avx2-vnni
// RUN: sluicec %s --target=aarch64-linux-gnu --cpu=neoverse-n1 --emit=asm -o - | %python %S/Inputs/check-quantized-kernels.py neon-dot i8
// RUN: sluicec %s --target=aarch64-linux-gnu --cpu=neoverse-v1 --emit=asm -o - | %python %S/Inputs/check-quantized-kernels.py sve256
// RUN: sluicec %s --target=aarch64-linux-gnu --cpu=a64fx --emit=asm -o - | %python %S/Inputs/check-quantized-kernels.py sve512

sluice.weight @q "q" : tensor<64x512xi8>
sluice.weight @s "s" : tensor<64x16xf32>
sluice.weight @m "m" : tensor<64x16x16xi8>
sluice.weight @e "e" : tensor<64x16xi8>
sluice.weight @z "z" : tensor<64x8xi8>
func.func @moe(%x: tensor<?x512xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %r, %rs = sluice.quantize %x to i8 in blocks [1, 32] : tensor<?x512xf32> -> tensor<?x512xi8>, tensor<?x16xf32>
  %d = sluice.dequantize %r as i8 in blocks [1, 32] by %rs
    : (tensor<?x512xi8>, tensor<?x16xf32>) -> tensor<?x512xf32>
  %q = sluice.get_weight @q : tensor<64x512xi8>
  %s = sluice.get_weight @s : tensor<64x16xf32>
  %w = sluice.dequantize %q as i8 in blocks [1, 32] by %s
    : (tensor<64x512xi8>, tensor<64x16xf32>) -> tensor<64x512xf32>
  %y = sluice.linear %d, %w : (tensor<?x512xf32>, tensor<64x512xf32>) -> tensor<?x64xf32>
  %m = sluice.get_weight @m : tensor<64x16x16xi8>
  %e = sluice.get_weight @e : tensor<64x16xi8>
  %v = sluice.dequantize %m as f4E2M1FN in blocks [1, 32] by %e as f8E8M0FNU
    : (tensor<64x16x16xi8>, tensor<64x16xi8>) -> tensor<64x512xf32>
  %z = sluice.linear %d, %v : (tensor<?x512xf32>, tensor<64x512xf32>) -> tensor<?x64xf32>
  return %y, %z : tensor<?x64xf32>, tensor<?x64xf32>
}
func.func @floats(%x: tensor<?x512xf32>)
    -> (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) {
  %q = sluice.get_weight @q : tensor<64x512xi8>
  %s = sluice.get_weight @s : tensor<64x16xf32>
  %w = sluice.dequantize %q as i8 in blocks [1, 32] by %s
    : (tensor<64x512xi8>, tensor<64x16xf32>) -> tensor<64x512xf32>
  %y = sluice.linear %x, %w : (tensor<?x512xf32>, tensor<64x512xf32>) -> tensor<?x64xf32>
  %m = sluice.get_weight @m : tensor<64x16x16xi8>
  %e = sluice.get_weight @e : tensor<64x16xi8>
  %v = sluice.dequantize %m as f4E2M1FN in blocks [1, 32] by %e as f8E8M0FNU
    : (tensor<64x16x16xi8>, tensor<64x16xi8>) -> tensor<64x512xf32>
  %a = sluice.linear %x, %v : (tensor<?x512xf32>, tensor<64x512xf32>) -> tensor<?x64xf32>
  %z = sluice.get_weight @z : tensor<64x8xi8>
  %u = sluice.dequantize %m as ui4 in blocks [1, 32] by %s minus %z
    : (tensor<64x16x16xi8>, tensor<64x16xf32>, tensor<64x8xi8>) -> tensor<64x512xf32>
  %b = sluice.linear %x, %u : (tensor<?x512xf32>, tensor<64x512xf32>) -> tensor<?x64xf32>
  return %y, %a, %b : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>
}
