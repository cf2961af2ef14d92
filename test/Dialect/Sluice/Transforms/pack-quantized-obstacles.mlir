// What is in the way of putting small numbers in panels: all that the product
// reads stays as it is in the file, and the remark says why.
//
// RUN: sluice-opt %s --sluice-pack-weights --split-input-file | FileCheck %s --implicit-check-not=#sluice.panels --implicit-check-not=sluice.quantized_linear
// RUN: sluice-opt %s --sluice-pack-weights --split-input-file --remarks-filter=sluice-pack-weights -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK --implicit-check-not=[Passed]

// No kernels multiply them.
// CHECK-LABEL: @float8(
// CHECK: sluice.dequantize
// CHECK: sluice.linear
// REMARK: [Missed] weight {{.*}}numbers are floats of 8 bits{{.*}}@q stays as it is in the file, and is dequantized for each task
// REMARK: [Missed] weight {{.*}}numbers are floats of 8 bits{{.*}}@s stays as it is in the file, and is dequantized for each task
sluice.weight @q "q" : tensor<24x64xi8>
sluice.weight @s "s" : tensor<24x2xf32>
func.func @float8(%x: tensor<?x64xf32>) -> tensor<?x24xf32> {
  %q = sluice.get_weight @q : tensor<24x64xi8>
  %s = sluice.get_weight @s : tensor<24x2xf32>
  %w = sluice.dequantize %q as f8E4M3FN in blocks [1, 32] by %s
    : (tensor<24x64xi8>, tensor<24x2xf32>) -> tensor<24x64xf32>
  %y = sluice.linear %x, %w : (tensor<?x64xf32>, tensor<24x64xf32>) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

// -----

// Lines hold 8 numbers of 4 bits.
// CHECK-LABEL: @odd(
// CHECK: sluice.dequantize
// CHECK: sluice.linear
// REMARK: [Missed] weight {{.*}}expected a multiple of 8 inputs, which lie side by side, but got 60{{.*}}@q stays as it is in the file, and is dequantized for each task
// REMARK: [Missed] weight {{.*}}60 inputs are no multiple of 8{{.*}}@s stays as it is in the file, and is dequantized for each task
sluice.weight @q "q" : tensor<24x30xi8>
sluice.weight @s "s" : tensor<24x2xf32>
func.func @odd(%x: tensor<?x60xf32>) -> tensor<?x24xf32> {
  %q = sluice.get_weight @q : tensor<24x30xi8>
  %s = sluice.get_weight @s : tensor<24x2xf32>
  %w = sluice.dequantize %q as i4 in blocks [1, 32] by %s
    : (tensor<24x30xi8>, tensor<24x2xf32>) -> tensor<24x60xf32>
  %y = sluice.linear %x, %w : (tensor<?x60xf32>, tensor<24x60xf32>) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

// -----

// Lines hold 4 bytes.
// CHECK-LABEL: @bytes(
// CHECK: sluice.dequantize
// CHECK: sluice.linear
// REMARK: [Missed] weight {{.*}}expected a multiple of 4 inputs, which lie side by side, but got 62{{.*}}@q stays as it is in the file, and is dequantized for each task
// REMARK: [Missed] weight {{.*}}62 inputs are no multiple of 4{{.*}}@s stays as it is in the file, and is dequantized for each task
sluice.weight @q "q" : tensor<24x62xi8>
sluice.weight @s "s" : tensor<24x2xf32>
func.func @bytes(%x: tensor<?x62xf32>) -> tensor<?x24xf32> {
  %q = sluice.get_weight @q : tensor<24x62xi8>
  %s = sluice.get_weight @s : tensor<24x2xf32>
  %w = sluice.dequantize %q as i8 in blocks [1, 32] by %s
    : (tensor<24x62xi8>, tensor<24x2xf32>) -> tensor<24x62xf32>
  %y = sluice.linear %x, %w : (tensor<?x62xf32>, tensor<24x62xf32>) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

// -----

// Several rows have one scale.
// CHECK-LABEL: @square(
// CHECK: sluice.dequantize
// CHECK: sluice.linear
// REMARK: [Missed] weight {{.*}}blocks are not rows of a multiple of 8 inputs{{.*}}@q stays as it is in the file, and is dequantized for each task
// REMARK: [Missed] weight {{.*}}blocks are not rows of a multiple of 8 inputs{{.*}}@s stays as it is in the file, and is dequantized for each task
sluice.weight @q "q" : tensor<24x32xi8>
sluice.weight @s "s" : tensor<6x2xf32>
func.func @square(%x: tensor<?x64xf32>) -> tensor<?x24xf32> {
  %q = sluice.get_weight @q : tensor<24x32xi8>
  %s = sluice.get_weight @s : tensor<6x2xf32>
  %w = sluice.dequantize %q as i4 in blocks [4, 32] by %s
    : (tensor<24x32xi8>, tensor<6x2xf32>) -> tensor<24x64xf32>
  %y = sluice.linear %x, %w : (tensor<?x64xf32>, tensor<24x64xf32>) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

// -----

// Two blocks in a line.
// CHECK-LABEL: @narrow(
// CHECK: sluice.dequantize
// CHECK: sluice.linear
// REMARK: [Missed] weight {{.*}}blocks are not rows of a multiple of 8 inputs{{.*}}@q stays as it is in the file, and is dequantized for each task
// REMARK: [Missed] weight {{.*}}blocks are not rows of a multiple of 8 inputs{{.*}}@s stays as it is in the file, and is dequantized for each task
sluice.weight @q "q" : tensor<24x32xi8>
sluice.weight @s "s" : tensor<24x16xf32>
func.func @narrow(%x: tensor<?x64xf32>) -> tensor<?x24xf32> {
  %q = sluice.get_weight @q : tensor<24x32xi8>
  %s = sluice.get_weight @s : tensor<24x16xf32>
  %w = sluice.dequantize %q as i4 in blocks [1, 4] by %s
    : (tensor<24x32xi8>, tensor<24x16xf32>) -> tensor<24x64xf32>
  %y = sluice.linear %x, %w : (tensor<?x64xf32>, tensor<24x64xf32>) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

// -----

// In f32 the product would be another.
// CHECK-LABEL: @bf16(
// CHECK: sluice.dequantize
// CHECK: sluice.linear
// REMARK: [Missed] weight {{.*}}numbers are rounded before they are multiplied{{.*}}@q stays as it is in the file, and is dequantized for each task
// REMARK: [Missed] weight {{.*}}numbers are rounded before they are multiplied{{.*}}@s stays as it is in the file, and is dequantized for each task
sluice.weight @q "q" : tensor<24x32xi8>
sluice.weight @s "s" : tensor<24x2xf32>
func.func @bf16(%x: tensor<?x64xf32>) -> tensor<?x24xf32> {
  %q = sluice.get_weight @q : tensor<24x32xi8>
  %s = sluice.get_weight @s : tensor<24x2xf32>
  %w = sluice.dequantize %q as i4 in blocks [1, 32] by %s
    : (tensor<24x32xi8>, tensor<24x2xf32>) -> tensor<24x64xbf16>
  %y = sluice.linear %x, %w : (tensor<?x64xf32>, tensor<24x64xbf16>) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

// -----

// Most of the panel would be empty.
// CHECK-LABEL: @few(
// CHECK: sluice.dequantize
// CHECK: sluice.linear
// REMARK: [Missed] weight {{.*}}it has fewer outputs than half a panel{{.*}}@q stays as it is in the file, and is dequantized for each task
// REMARK: [Missed] weight {{.*}}it has fewer outputs than half a panel{{.*}}@s stays as it is in the file, and is dequantized for each task
sluice.weight @q "q" : tensor<7x32xi8>
sluice.weight @s "s" : tensor<7x2xf32>
func.func @few(%x: tensor<?x64xf32>) -> tensor<?x7xf32> {
  %q = sluice.get_weight @q : tensor<7x32xi8>
  %s = sluice.get_weight @s : tensor<7x2xf32>
  %w = sluice.dequantize %q as i4 in blocks [1, 32] by %s
    : (tensor<7x32xi8>, tensor<7x2xf32>) -> tensor<7x64xf32>
  %y = sluice.linear %x, %w : (tensor<?x64xf32>, tensor<7x64xf32>) -> tensor<?x7xf32>
  return %y : tensor<?x7xf32>
}

// -----

// Panels are of rows.
// CHECK-LABEL: @in_out(
// CHECK: sluice.dequantize
// CHECK: sluice.linear
// REMARK: [Missed] weight {{.*}}'sluice.linear' at {{.*}} does not read it as products do{{.*}}@q stays as it is in the file, and is dequantized for each task
// REMARK: [Missed] weight {{.*}}'sluice.linear' at {{.*}} does not read it as products do{{.*}}@s stays as it is in the file, and is dequantized for each task
sluice.weight @q "q" : tensor<24x32xi8>
sluice.weight @s "s" : tensor<24x2xf32>
func.func @in_out(%x: tensor<?x24xf32>) -> tensor<?x64xf32> {
  %q = sluice.get_weight @q : tensor<24x32xi8>
  %s = sluice.get_weight @s : tensor<24x2xf32>
  %w = sluice.dequantize %q as i4 in blocks [1, 32] by %s
    : (tensor<24x32xi8>, tensor<24x2xf32>) -> tensor<24x64xf32>
  %y = sluice.linear %x, %w layout in_out : (tensor<?x24xf32>, tensor<24x64xf32>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// -----

// The numbers themselves are needed.
// CHECK-LABEL: @returned(
// CHECK: sluice.dequantize
// CHECK: sluice.linear
// REMARK: [Missed] weight {{.*}}'func.return' at {{.*}} does not read it as products do{{.*}}@q stays as it is in the file, and is dequantized for each task
// REMARK: [Missed] weight {{.*}}'func.return' at {{.*}} does not read it as products do{{.*}}@s stays as it is in the file, and is dequantized for each task
sluice.weight @q "q" : tensor<24x32xi8>
sluice.weight @s "s" : tensor<24x2xf32>
func.func @returned(%x: tensor<?x64xf32>) -> (tensor<?x24xf32>, tensor<24x64xf32>) {
  %q = sluice.get_weight @q : tensor<24x32xi8>
  %s = sluice.get_weight @s : tensor<24x2xf32>
  %w = sluice.dequantize %q as i4 in blocks [1, 32] by %s
    : (tensor<24x32xi8>, tensor<24x2xf32>) -> tensor<24x64xf32>
  %y = sluice.linear %x, %w : (tensor<?x64xf32>, tensor<24x64xf32>) -> tensor<?x24xf32>
  return %y, %w : tensor<?x24xf32>, tensor<24x64xf32>
}

// -----

// Sums in f64.
// CHECK-LABEL: @wide(
// CHECK: sluice.dequantize
// CHECK: sluice.linear
// REMARK: [Missed] weight {{.*}}a product is in f64{{.*}}@q stays as it is in the file, and is dequantized for each task
// REMARK: [Missed] weight {{.*}}a product is in f64{{.*}}@s stays as it is in the file, and is dequantized for each task
sluice.weight @q "q" : tensor<24x32xi8>
sluice.weight @s "s" : tensor<24x2xf32>
func.func @wide(%x: tensor<?x64xf64>) -> tensor<?x24xf64> {
  %q = sluice.get_weight @q : tensor<24x32xi8>
  %s = sluice.get_weight @s : tensor<24x2xf32>
  %w = sluice.dequantize %q as i4 in blocks [1, 32] by %s
    : (tensor<24x32xi8>, tensor<24x2xf32>) -> tensor<24x64xf32>
  %y = sluice.linear %x, %w : (tensor<?x64xf64>, tensor<24x64xf32>) -> tensor<?x24xf64>
  return %y : tensor<?x24xf64>
}

// -----

// The other operands are not packed.
// CHECK-LABEL: @argument(
// CHECK: sluice.dequantize
// CHECK: sluice.linear
// REMARK: [Missed] weight {{.*}}not all of its operands are weights or equal constants{{.*}}@q stays as it is in the file, and is dequantized for each task
// REMARK: [Missed] weight {{.*}}not all of its operands are weights or equal constants{{.*}}@s stays as it is in the file, and is dequantized for each task
sluice.weight @q "q" : tensor<24x32xi8>
sluice.weight @s "s" : tensor<24x2xf32>
func.func @argument(%x: tensor<?x64xf32>, %z: tensor<24x1xi8>) -> tensor<?x24xf32> {
  %q = sluice.get_weight @q : tensor<24x32xi8>
  %s = sluice.get_weight @s : tensor<24x2xf32>
  %w = sluice.dequantize %q as ui4 in blocks [1, 32] by %s minus %z
    : (tensor<24x32xi8>, tensor<24x2xf32>, tensor<24x1xi8>) -> tensor<24x64xf32>
  %y = sluice.linear %x, %w : (tensor<?x64xf32>, tensor<24x64xf32>) -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}

// -----

// The weight itself is read.
// CHECK-LABEL: @bytes_read(
// CHECK: sluice.dequantize
// CHECK: sluice.linear
// REMARK: [Missed] weight {{.*}}'func.return' at {{.*}} does not read it as the products do{{.*}}@q stays as it is in the file, and is dequantized for each task
// REMARK: [Missed] weight {{.*}}'func.return' at {{.*}} does not read it as the products do{{.*}}@s stays as it is in the file, and is dequantized for each task
sluice.weight @q "q" : tensor<24x32xi8>
sluice.weight @s "s" : tensor<24x2xf32>
func.func @bytes_read(%x: tensor<?x64xf32>) -> (tensor<?x24xf32>, tensor<24x32xi8>) {
  %q = sluice.get_weight @q : tensor<24x32xi8>
  %s = sluice.get_weight @s : tensor<24x2xf32>
  %w = sluice.dequantize %q as i4 in blocks [1, 32] by %s
    : (tensor<24x32xi8>, tensor<24x2xf32>) -> tensor<24x64xf32>
  %y = sluice.linear %x, %w : (tensor<?x64xf32>, tensor<24x64xf32>) -> tensor<?x24xf32>
  return %y, %q : tensor<?x24xf32>, tensor<24x32xi8>
}

// -----

// What its products read is left alone with it.
// CHECK-LABEL: @scales_read(
// CHECK: sluice.dequantize
// CHECK: sluice.linear
// REMARK: [Missed] weight {{.*}}'func.return' at {{.*}} does not read it as the products do{{.*}}@q stays as it is in the file, and is dequantized for each task
// REMARK: [Missed] weight {{.*}}'func.return' at {{.*}} does not read it as the products do{{.*}}@s stays as it is in the file, and is dequantized for each task
sluice.weight @q "q" : tensor<24x32xi8>
sluice.weight @s "s" : tensor<24x2xf32>
func.func @scales_read(%x: tensor<?x64xf32>) -> (tensor<?x24xf32>, tensor<24x2xf32>) {
  %q = sluice.get_weight @q : tensor<24x32xi8>
  %s = sluice.get_weight @s : tensor<24x2xf32>
  %w = sluice.dequantize %q as i4 in blocks [1, 32] by %s
    : (tensor<24x32xi8>, tensor<24x2xf32>) -> tensor<24x64xf32>
  %y = sluice.linear %x, %w : (tensor<?x64xf32>, tensor<24x64xf32>) -> tensor<?x24xf32>
  return %y, %s : tensor<?x24xf32>, tensor<24x2xf32>
}

// -----

// As bytes and as numbers of 4 bits.
// CHECK-LABEL: @both(
// CHECK: sluice.dequantize
// CHECK: sluice.linear
// REMARK: [Missed] weight {{.*}}'sluice.dequantize' at {{.*}} does not read it as the products do{{.*}}@q stays as it is in the file, and is dequantized for each task
// REMARK: [Missed] weight {{.*}}'sluice.dequantize' at {{.*}} does not read it as the products do{{.*}}@s stays as it is in the file, and is dequantized for each task
sluice.weight @q "q" : tensor<24x32xi8>
sluice.weight @s "s" : tensor<24x2xf32>
sluice.weight @t "t" : tensor<24x1xf32>
func.func @both(%x: tensor<?x64xf32>, %u: tensor<?x32xf32>) -> (tensor<?x24xf32>, tensor<?x24xf32>) {
  %q = sluice.get_weight @q : tensor<24x32xi8>
  %s = sluice.get_weight @s : tensor<24x2xf32>
  %w = sluice.dequantize %q as i4 in blocks [1, 32] by %s
    : (tensor<24x32xi8>, tensor<24x2xf32>) -> tensor<24x64xf32>
  %y = sluice.linear %x, %w : (tensor<?x64xf32>, tensor<24x64xf32>) -> tensor<?x24xf32>
  %t = sluice.get_weight @t : tensor<24x1xf32>
  %v = sluice.dequantize %q as i8 in blocks [1, 32] by %t
    : (tensor<24x32xi8>, tensor<24x1xf32>) -> tensor<24x32xf32>
  %z = sluice.linear %u, %v : (tensor<?x32xf32>, tensor<24x32xf32>) -> tensor<?x24xf32>
  return %y, %z : tensor<?x24xf32>, tensor<?x24xf32>
}
