// RUN: rm -rf %t && mkdir %t && split-file %s %t

// The only public function.
// RUN: sluice-run %t/one.mlir
// main, else moe, of several.
// RUN: sluice-run %t/main.mlir
// RUN: sluice-run %t/moe.mlir
// RUN: not sluice-run %t/several.mlir 2>&1 | FileCheck %s --check-prefix=SEVERAL
// SEVERAL: sluice-run: error: the model has several public functions; choose one by --entry: a, b
// RUN: sluice-run %t/several.mlir --entry=b
// RUN: not sluice-run %t/several.mlir --entry=helper 2>&1 | FileCheck %s --check-prefix=PRIVATE
// PRIVATE: sluice-run: error: the model has no public function 'helper'; it has a, b
// RUN: not sluice-run %t/none.mlir 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: sluice-run: error: the model has no public function{{$}}

//--- one.mlir
func.func @whatever() { return }
func.func private @helper() { return }

//--- main.mlir
func.func @moe(%x: tensor<2xf32>) { return }
func.func @main() { return }

//--- moe.mlir
func.func @route(%x: tensor<2xf32>) { return }
func.func @moe() { return }

//--- several.mlir
func.func @a() { return }
func.func @b() { return }
func.func private @helper() { return }

//--- none.mlir
func.func private @helper() { return }
