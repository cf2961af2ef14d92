// The machine code of every micro-kernel of every machine: sums in registers,
// nothing on the stack, the widest registers. The code is made, not run, so that
// any machine can check all of them.
//
// RUN: sluice-opt %s --sluice-cpu-pipeline="machine=x86-64 parallel=false" | mlir-translate --mlir-to-llvmir | opt -O3 -S -mtriple=x86_64-linux-gnu -mcpu=x86-64 | llc -O3 -mtriple=x86_64-linux-gnu -mcpu=x86-64 | %python %S/Inputs/check-kernels.py x86-64
// RUN: sluice-opt %s --sluice-cpu-pipeline="machine=avx2 parallel=false" | mlir-translate --mlir-to-llvmir | opt -O3 -S -mtriple=x86_64-linux-gnu -mcpu=x86-64-v3 | llc -O3 -mtriple=x86_64-linux-gnu -mcpu=x86-64-v3 | %python %S/Inputs/check-kernels.py avx2
// RUN: sluice-opt %s --sluice-cpu-pipeline="machine=avx512 parallel=false" | mlir-translate --mlir-to-llvmir | opt -O3 -S -mtriple=x86_64-linux-gnu -mcpu=x86-64-v4 | llc -O3 -mtriple=x86_64-linux-gnu -mcpu=x86-64-v4 | %python %S/Inputs/check-kernels.py avx512
// RUN: sluice-opt %s --sluice-cpu-pipeline="machine=avx512-bf16 parallel=false" | mlir-translate --mlir-to-llvmir | opt -O3 -S -mtriple=x86_64-linux-gnu -mcpu=x86-64-v4 -mattr=+avx512bf16 | llc -O3 -mtriple=x86_64-linux-gnu -mcpu=x86-64-v4 -mattr=+avx512bf16 | %python %S/Inputs/check-kernels.py avx512-bf16
// RUN: sluice-opt %s --sluice-cpu-pipeline="machine=neon parallel=false" | mlir-translate --mlir-to-llvmir | opt -O3 -S -mtriple=aarch64-linux-gnu -mcpu=generic | llc -O3 -mtriple=aarch64-linux-gnu -mcpu=generic | %python %S/Inputs/check-kernels.py neon
// RUN: sluice-opt %s --sluice-cpu-pipeline="machine=neon-bf16 parallel=false" | mlir-translate --mlir-to-llvmir | opt -O3 -S -mtriple=aarch64-linux-gnu -mcpu=generic -mattr=+bf16 | llc -O3 -mtriple=aarch64-linux-gnu -mcpu=generic -mattr=+bf16 | %python %S/Inputs/check-kernels.py neon-bf16
//
// Where SVE's vectors have a size that the compiler knows.
// REQUIRES: sluicec
// RUN: sluicec %s --target=aarch64-linux-gnu --cpu=neoverse-v1 --emit=asm -o - | %python %S/Inputs/check-kernels.py sve256
// RUN: sluicec %s --target=aarch64-linux-gnu --cpu=a64fx --emit=asm -o - | %python %S/Inputs/check-kernels.py sve512

sluice.weight @f "f" : tensor<64x512xf32>
sluice.weight @b "b" : tensor<64x512xbf16>
func.func @moe(%x: tensor<?x512xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) {
  %f = sluice.get_weight @f : tensor<64x512xf32>
  %y = sluice.linear %x, %f : (tensor<?x512xf32>, tensor<64x512xf32>) -> tensor<?x64xf32>
  %b = sluice.get_weight @b : tensor<64x512xbf16>
  %z = sluice.linear %x, %b : (tensor<?x512xf32>, tensor<64x512xbf16>) -> tensor<?x64xf32>
  %r = arith.truncf %x : tensor<?x512xf32> to tensor<?x512xbf16>
  %d = sluice.linear %r, %b : (tensor<?x512xbf16>, tensor<64x512xbf16>) -> tensor<?x64xf32>
  return %y, %z, %d : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>
}
