// Routing of more tokens than one chunk has; see routing-at-size.test.

!few = !sluice.gates<?x40xf32, 3 per token>
!most = !sluice.gates<?x700xf32, 20 per token>
!any = !sluice.gates<?x24xf32>
!rows = tensor<?x4xf32>

// Ties, zeros of both signs, infinities and NaN; experts without a token.
func.func @few(%s: tensor<?x40xf32>, %w: tensor<?x40xf32>, %x: !rows)
    -> (tensor<?x3xi64>, tensor<?x3xf32>, !rows) {
  %g = sluice.topk %s, 3 weights %w : tensor<?x40xf32>, tensor<?x40xf32>
  %i, %v = sluice.entries %g : !few
  %y = sluice.experts by %g : !few (%t = %x : !rows)
      combine sum weight output -> !rows {
    sluice.yield %t : !rows
  }
  return %i, %v, %y : tensor<?x3xi64>, tensor<?x3xf32>, !rows
}

// The same in binary64: other keys.
func.func @few64(%s: tensor<?x40xf64>, %x: !rows) -> tensor<?x3xi64> {
  %g = sluice.topk %s, 3 : tensor<?x40xf64>
  %i, %v = sluice.entries %g : !sluice.gates<?x40xf64, 3 per token>
  return %i : tensor<?x3xi64>
}

// Enough experts that scores are ranked in blocks, enough choices that no
// network sorts a token's positions.
func.func @most(%s: tensor<?x700xf32>, %x: !rows, %p: tensor<700x4xf32>)
    -> (tensor<?x20xi64>, !rows) {
  %g = sluice.topk %s, 20 : tensor<?x700xf32>
  %n = sluice.normalize %g : !most
  %i, %v = sluice.entries %g : !most
  %y = sluice.experts by %n : !most (%t = %x : !rows)
      with (%row = %p : tensor<700x4xf32>)
      combine sum weight input -> !rows {
    %all = sluice.broadcast %row like %t : tensor<4xf32>, !rows
    %o = arith.mulf %t, %all : !rows
    sluice.yield %o : !rows
  }
  return %i, %y : tensor<?x20xi64>, !rows
}

// A slot for each expert; absent ones are in between.
func.func @any(%v: tensor<?x24xf32>, %m: tensor<?x24xi1>, %x: !rows) -> !rows {
  %g = sluice.from_dense %v where %m : tensor<?x24xf32>, tensor<?x24xi1> -> !any
  %y = sluice.experts by %g : !any (%t = %x : !rows)
      combine sum weight output -> !rows {
    sluice.yield %t : !rows
  }
  return %y : !rows
}

// Experts choose tokens, among equals the first.
func.func @choose(%s: tensor<?x24xf32>, %n: tensor<1xi64>, %x: !rows)
    -> (tensor<?x24xi1>, !rows) {
  %zero = arith.constant 0 : index
  %number = tensor.extract %n[%zero] : tensor<1xi64>
  %c = arith.index_cast %number : i64 to index
  %g = sluice.choose_tokens %s, %c : tensor<?x24xf32>
  %v, %m = sluice.dense %g : !sluice.gates<?x24xf32, ? per expert>
  %f = sluice.from_dense %v where %m : tensor<?x24xf32>, tensor<?x24xi1> -> !any
  %y = sluice.experts by %f : !any (%t = %x : !rows)
      combine sum weight none -> !rows {
    sluice.yield %t : !rows
  }
  return %m, %y : tensor<?x24xi1>, !rows
}

// Tokens in order of their priority, among equals the first.
func.func @limit(%e: tensor<?x3xi64>, %p: tensor<?x1xf32>, %n: tensor<1xi64>)
    -> tensor<?x3xi64> {
  %g = sluice.from_entries %e : (tensor<?x3xi64>) -> !few
  %zero = arith.constant 0 : index
  %number = tensor.extract %n[%zero] : tensor<1xi64>
  %c = arith.index_cast %number : i64 to index
  %k = sluice.limit %g, %c by token priority %p : !few, tensor<?x1xf32>
  %i, %v = sluice.entries %k : !few
  return %i : tensor<?x3xi64>
}
