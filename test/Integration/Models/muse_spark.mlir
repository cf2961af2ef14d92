// Muse Spark (muse_spark of transformers): sigmoid of scaled logits; a bias that chooses but does not weigh; normalised;
// experts read a normalised projection of the tokens, and a norm stands between an expert's output and its weight.
// Switches: output_multiplier = 0.5; routed_scaling_factor = 1.0; rms_norm_eps = 1e-5; post_norm_eps = 1e-8.
!tokens = tensor<?x64xf32>  !scores = tensor<?x10xf32>  !gates = !sluice.gates<?x10xf32, 3 per token>  !gain = tensor<40xf32>
!latent = tensor<?x40xf32>  !in = tensor<40x64xf32>     !out = tensor<64x40xf32>      !ups = tensor<10x96x40xf32>
!hidden = tensor<?x48xf32>  !up = tensor<96x40xf32>     !down = tensor<40x48xf32>     !downs = tensor<10x40x48xf32>
sluice.weight @router "model.language_model.layers.0.mlp.gate.weight" : tensor<10x64xf32>
sluice.weight @bias "model.language_model.layers.0.mlp.gate.e_score_correction_bias" : tensor<10xf32>
sluice.weight @latent_in "model.language_model.layers.0.mlp.pre_expert_proj.weight" : !in
sluice.weight @norm "model.language_model.layers.0.mlp.pre_expert_norm.weight" : !gain
sluice.weight @gate_up "model.language_model.layers.0.mlp.experts.gate_up_proj" : !ups
sluice.weight @down "model.language_model.layers.0.mlp.experts.down_proj" : !downs
sluice.weight @expert_norm "model.language_model.layers.0.mlp.experts.post_expert_norm.weight" : !gain
sluice.weight @latent_out "model.language_model.layers.0.mlp.post_expert_proj.weight" : !out
func.func private @choose(%x: !tokens) -> !gates {
  %w = sluice.get_weight @router : tensor<10x64xf32>       %bias = sluice.get_weight @bias : tensor<10xf32>
  %l0 = sluice.linear %x, %w : (!tokens, tensor<10x64xf32>) -> !scores
  %half = arith.constant 0.5 : f32                         %f = sluice.broadcast %half like %l0 : f32, !scores
  %l = arith.mulf %l0, %f : !scores                        %s = sluice.sigmoid %l : !scores
  %b = sluice.broadcast %bias like %s : tensor<10xf32>, !scores
  %c = arith.addf %s, %b : !scores                         %g = sluice.topk %c, 3 weights %s : !scores, !scores
  %n = sluice.normalize %g eps 1.0e-15 : !gates            %v = sluice.scale %n by 1.0 : !gates
  return %v : !gates
}
func.func @moe(%x: !tokens) -> !tokens {
  %w1 = sluice.get_weight @gate_up : !ups                  %w2 = sluice.get_weight @down : !downs
  %n1 = sluice.get_weight @norm : !gain                    %n2 = sluice.get_weight @expert_norm : !gain
  %one = arith.constant dense<1.0> : !gain                 %in = sluice.get_weight @latent_in : !in
  %g1 = arith.addf %n1, %one : !gain                       %g2 = arith.addf %n2, %one : !gain // gains are stored minus 1
  %z0 = sluice.linear %x, %in : (!tokens, !in) -> !latent  %z = sluice.rms_norm %z0 eps 1.0e-5 gain %g1 : !latent, !gain
  %out = sluice.get_weight @latent_out : !out              %g = call @choose(%x) : (!tokens) -> !gates
  %r = sluice.experts by %g : !gates (%t = %z : !latent)
      with (%up = %w1 : !ups, %down = %w2 : !downs) combine sum weight output -> !latent {
    %ab = sluice.linear %t, %up : (!latent, !up) -> tensor<?x96xf32>
    %a, %b = sluice.split %ab : tensor<?x96xf32> into 2    %s = sluice.silu %a : !hidden
    %h = arith.mulf %s, %b : !hidden                       %o = sluice.linear %h, %down : (!hidden, !down) -> !latent
    %gs = sluice.broadcast %g2 like %o : !gain, !latent    %m = arith.mulf %o, %gs : !latent
    %e = sluice.rms_norm %m eps 1.0e-8 : !latent
    sluice.yield %e : !latent
  }
  %y = sluice.linear %r, %out : (!latent, !out) -> !tokens
  return %y : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x3xi64>, tensor<?x3xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x3xi64>, tensor<?x3xf32>
}
