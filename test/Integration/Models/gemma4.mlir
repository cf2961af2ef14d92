// Gemma 4, the feed-forward part of a layer (gemma4 of transformers): x is the residual stream; the router, the dense MLP
// and the experts each read it through a norm of their own; softmax, top-3, normalised, a scale for each expert.
// Switches: num_experts = 10; top_k_experts = 3; hidden_activation = gelu_pytorch_tanh; rms_norm_eps = 1e-6.
!tokens = tensor<?x64xf32>  !hidden = tensor<?x48xf32>  !wide = tensor<?x80xf32>     !gain = tensor<64xf32>
!scores = tensor<?x10xf32>  !up = tensor<96x64xf32>     !down = tensor<64x48xf32>    !router = tensor<10x64xf32>
!wup = tensor<80x64xf32>    !wdown = tensor<64x80xf32>  !ups = tensor<10x96x64xf32>  !downs = tensor<10x64x48xf32>
!gates = !sluice.gates<?x10xf32, 3 per token>
sluice.weight @router "model.language_model.layers.0.router.proj.weight" : !router
sluice.weight @router_scale "model.language_model.layers.0.router.scale" : !gain
sluice.weight @expert_scale "model.language_model.layers.0.router.per_expert_scale" : tensor<10xf32>
sluice.weight @gate_up "model.language_model.layers.0.experts.gate_up_proj" : !ups
sluice.weight @down "model.language_model.layers.0.experts.down_proj" : !downs
sluice.weight @mlp_gate "model.language_model.layers.0.mlp.gate_proj.weight" : !wup
sluice.weight @mlp_up "model.language_model.layers.0.mlp.up_proj.weight" : !wup
sluice.weight @mlp_down "model.language_model.layers.0.mlp.down_proj.weight" : !wdown
sluice.weight @mlp_norm "model.language_model.layers.0.pre_feedforward_layernorm.weight" : !gain
sluice.weight @mlp_post "model.language_model.layers.0.post_feedforward_layernorm_1.weight" : !gain
sluice.weight @moe_norm "model.language_model.layers.0.pre_feedforward_layernorm_2.weight" : !gain
sluice.weight @moe_post "model.language_model.layers.0.post_feedforward_layernorm_2.weight" : !gain
sluice.weight @post "model.language_model.layers.0.post_feedforward_layernorm.weight" : !gain
func.func private @choose(%x: !tokens) -> !gates {
  %w = sluice.get_weight @router : !router                %scale = sluice.get_weight @router_scale : !gain
  %each = sluice.get_weight @expert_scale : tensor<10xf32>
  %n = sluice.rms_norm %x eps 1.0e-6 gain %scale : !tokens, !gain
  %root = arith.constant 0.125 : f32                      %roots = sluice.broadcast %root like %n : f32, !tokens // D^-1/2
  %q = arith.mulf %n, %roots : !tokens                    %l = sluice.linear %q, %w : (!tokens, !router) -> !scores
  %p = sluice.softmax %l : !scores                        %g = sluice.topk %p, 3 : !scores
  %m = sluice.normalize %g : !gates                       %s = sluice.scale_by %m, %each : !gates, tensor<10xf32>
  return %s : !gates
}
func.func @moe(%x: !tokens) -> !tokens {
  %w1 = sluice.get_weight @gate_up : !ups                 %w2 = sluice.get_weight @down : !downs
  %v1 = sluice.get_weight @mlp_gate : !wup                %v3 = sluice.get_weight @mlp_up : !wup
  %n1 = sluice.get_weight @mlp_norm : !gain               %n2 = sluice.get_weight @mlp_post : !gain
  %n3 = sluice.get_weight @moe_norm : !gain               %n4 = sluice.get_weight @moe_post : !gain
  %n0 = sluice.get_weight @post : !gain                   %g = call @choose(%x) : (!tokens) -> !gates
  %xe = sluice.rms_norm %x eps 1.0e-6 gain %n3 : !tokens, !gain
  %e = sluice.experts by %g : !gates (%t = %xe : !tokens)
      with (%up = %w1 : !ups, %down = %w2 : !downs) combine sum weight output -> !tokens {
    %ab = sluice.linear %t, %up : (!tokens, !up) -> tensor<?x96xf32>
    %a, %b = sluice.split %ab : tensor<?x96xf32> into 2   %s = sluice.gelu %a tanh : !hidden
    %h = arith.mulf %s, %b : !hidden                      %o = sluice.linear %h, %down : (!hidden, !down) -> !tokens
    sluice.yield %o : !tokens
  }
  %xd = sluice.rms_norm %x eps 1.0e-6 gain %n1 : !tokens, !gain
  %a = sluice.linear %xd, %v1 : (!tokens, !wup) -> !wide  %b = sluice.linear %xd, %v3 : (!tokens, !wup) -> !wide
  %s = sluice.gelu %a tanh : !wide                        %h = arith.mulf %s, %b : !wide
  %v2 = sluice.get_weight @mlp_down : !wdown              %d = sluice.linear %h, %v2 : (!wide, !wdown) -> !tokens
  %d1 = sluice.rms_norm %d eps 1.0e-6 gain %n2 : !tokens, !gain
  %e1 = sluice.rms_norm %e eps 1.0e-6 gain %n4 : !tokens, !gain
  %z = arith.addf %d1, %e1 : !tokens                      %y = sluice.rms_norm %z eps 1.0e-6 gain %n0 : !tokens, !gain
  return %y : !tokens
}
func.func @route(%x: !tokens) -> (tensor<?x3xi64>, tensor<?x3xf32>) {
  %g = call @choose(%x) : (!tokens) -> !gates
  %indices, %weights = sluice.entries %g : !gates
  return %indices, %weights : tensor<?x3xi64>, tensor<?x3xf32>
}
