// Gemma 3n, MLP of its first layers (Gemma3nTextMLP of transformers): of a token's units those run whose gate is over
// mean + z * standard deviation of the token's gates; a unit is a row of the second matrix, weighed by its activation.
// Switches: activation_sparsity_pattern = 0.95 in this layer (z is the normal quantile, 1.6448536);
// hidden_activation = gelu_pytorch_tanh.
!tokens = tensor<?x48xf32>
!units = tensor<?x160xf32>
!column = tensor<?x1xf32>
!gates = !sluice.gates<?x160xf32>
sluice.weight @gate "model.layers.0.mlp.gate_proj.weight" : tensor<160x48xf32>
sluice.weight @up "model.layers.0.mlp.up_proj.weight" : tensor<160x48xf32>
sluice.weight @down "model.layers.0.mlp.down_proj.weight" : tensor<48x160xf32>
func.func private @choose(%x: !tokens) -> !gates {
  %w1 = sluice.get_weight @gate : tensor<160x48xf32>      %w3 = sluice.get_weight @up : tensor<160x48xf32>
  %mean = arith.constant dense<0.00625> : tensor<1x160xf32>
  %z = arith.constant 1.6448536 : f32                     %zero = arith.constant 0.0 : f32
  %a = sluice.linear %x, %w1 : (!tokens, tensor<160x48xf32>) -> !units
  %b = sluice.linear %x, %w3 : (!tokens, tensor<160x48xf32>) -> !units
  %m = sluice.linear %a, %mean : (!units, tensor<1x160xf32>) -> !column
  %ms = sluice.broadcast %m like %a : !column, !units     %d = arith.subf %a, %ms : !units
  %dd = arith.mulf %d, %d : !units
  %var = sluice.linear %dd, %mean : (!units, tensor<1x160xf32>) -> !column
  %std = math.sqrt %var : !column                         %zs = sluice.broadcast %z like %std : f32, !column
  %cut = arith.mulf %std, %zs : !column                   %cuts = sluice.broadcast %cut like %d : !column, !units
  %over = arith.subf %d, %cuts : !units                   %zeros = sluice.broadcast %zero like %over : f32, !units
  %on = arith.cmpf ogt, %over, %zeros : !units            %s = sluice.gelu %over tanh : !units
  %h = arith.mulf %s, %b : !units
  %g = sluice.from_dense %h where %on : !units, tensor<?x160xi1> -> !gates
  return %g : !gates
}
func.func @moe(%x: !tokens) -> !tokens {
  %down = sluice.get_weight @down : tensor<48x160xf32>    %empty = tensor.empty() : tensor<160x48xf32>
  %rows = linalg.transpose ins(%down : tensor<48x160xf32>) outs(%empty : tensor<160x48xf32>) permutation = [1, 0]
  %g = call @choose(%x) : (!tokens) -> !gates
  %y = sluice.experts by %g : !gates () with (%row = %rows : tensor<160x48xf32>) combine sum weight output -> !tokens {
    sluice.yield %row : tensor<48xf32>
  }
  return %y : !tokens
}
func.func @route(%x: !tokens) -> tensor<?x160xi1> {
  %g = call @choose(%x) : (!tokens) -> !gates
  %values, %kept = sluice.dense %g : !gates
  return %kept : tensor<?x160xi1>
}
