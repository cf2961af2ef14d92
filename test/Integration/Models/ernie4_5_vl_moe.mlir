// Ernie 4.5 VL (ernie4_5_vl_moe of transformers): two routers, two sets of experts of different width, chosen by the token's
// type (0 text, 1 image, 2 video), each as Ernie 4.5; routers are stored [in, out]; shared experts for all tokens.
// Switches: moe_num_experts = 8 of each kind; moe_norm_min = 1e-12; moe_num_shared_experts = 2; use_bias = false.
!tokens = tensor<?x64xf32>  !scores = tensor<?x8xf32>    !router = tensor<64x8xf32>  !both = tensor<?x16xf32>
!hidden = tensor<?x48xf32>  !in = tensor<48x64xf32>      !out = tensor<64x48xf32>    !row = tensor<16xf32>
!narrow = tensor<?x24xf32>  !nin = tensor<24x64xf32>     !nout = tensor<64x24xf32>   !mask = tensor<?x16xi1>
!wide = tensor<?x96xf32>    !win = tensor<96x64xf32>     !wout = tensor<64x96xf32>   !ids = tensor<?xi64>
!ins = tensor<8x48x64xf32>  !outs = tensor<8x64x48xf32>  !all = !sluice.gates<?x16xf32, 3 per token>
!nins = tensor<8x24x64xf32> !nouts = tensor<8x64x24xf32> !gates = !sluice.gates<?x8xf32, 3 per token>
sluice.weight @text_router "model.layers.1.mlp.gate.weight" : !router
sluice.weight @vision_router "model.layers.1.mlp.gate.weight_1" : !router
sluice.weight @bias "model.layers.1.mlp.moe_statics.e_score_correction_bias" : tensor<2x8xf32>
sluice.weight @text_gate "model.layers.1.mlp.experts.{e}.gate_proj.weight" : !ins
sluice.weight @text_up "model.layers.1.mlp.experts.{e}.up_proj.weight" : !ins
sluice.weight @text_down "model.layers.1.mlp.experts.{e}.down_proj.weight" : !outs
sluice.weight @vision_gate "model.layers.1.mlp.experts.{e+8}.gate_proj.weight" : !nins
sluice.weight @vision_up "model.layers.1.mlp.experts.{e+8}.up_proj.weight" : !nins
sluice.weight @vision_down "model.layers.1.mlp.experts.{e+8}.down_proj.weight" : !nouts
sluice.weight @shared_gate "model.layers.1.mlp.shared_experts.gate_proj.weight" : !win
sluice.weight @shared_up "model.layers.1.mlp.shared_experts.up_proj.weight" : !win
sluice.weight @shared_down "model.layers.1.mlp.shared_experts.down_proj.weight" : !wout
// 16 columns, text and visual experts; those of the other kind are never among the best.
func.func private @choose(%x: !tokens, %types: !ids) -> !all {
  %w1 = sluice.get_weight @text_router : !router         %w2 = sluice.get_weight @vision_router : !router
  %l1 = sluice.linear %x, %w1 layout in_out : (!tokens, !router) -> !scores  %p1 = sluice.softmax %l1 : !scores
  %l2 = sluice.linear %x, %w2 layout in_out : (!tokens, !router) -> !scores  %p2 = sluice.softmax %l2 : !scores
  %p = tensor.concat dim(1) %p1, %p2 : (!scores, !scores) -> !both
  %bias = sluice.get_weight @bias : tensor<2x8xf32>      %bs = tensor.collapse_shape %bias [[0, 1]] : tensor<2x8xf32> into !row
  %b = sluice.broadcast %bs like %p : !row, !both        %c = arith.addf %p, %b : !both
  %zero = arith.constant 0 : i64                         %zeros = sluice.broadcast %zero like %types : i64, !ids
  %text = arith.cmpi eq, %types, %zeros : !ids           %c0 = arith.constant 0 : index
  %n = tensor.dim %types, %c0 : !ids
  %column = tensor.expand_shape %text [[0, 1]] output_shape [%n, 1] : tensor<?xi1> into tensor<?x1xi1>
  %kind = arith.constant dense<[1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]> : tensor<16xi1>
  %t = sluice.broadcast %column like %c : tensor<?x1xi1>, !both  %k = sluice.broadcast %kind like %c : tensor<16xi1>, !both
  %other = arith.xori %t, %k : !mask                     %low = arith.constant 0xFF800000 : f32
  %lows = sluice.broadcast %low like %c : f32, !both     %m = arith.select %other, %lows, %c : !mask, !both
  %g = sluice.topk %m, 3 weights %p : !both, !both       %v = sluice.normalize %g min 1.0e-12 : !all
  return %v : !all
}
func.func @moe(%x: !tokens, %types: !ids) -> !tokens {
  %w1 = sluice.get_weight @text_gate : !ins                    %v1 = sluice.get_weight @vision_gate : !nins
  %w3 = sluice.get_weight @text_up : !ins                      %v3 = sluice.get_weight @vision_up : !nins
  %w2 = sluice.get_weight @text_down : !outs                   %v2 = sluice.get_weight @vision_down : !nouts
  %g = call @choose(%x, %types) : (!tokens, !ids) -> !all
  %gt = sluice.columns %g from 0 to 8 : !all                   %gv = sluice.columns %g from 8 to 16 : !all
  %yt = sluice.experts by %gt : !gates (%t = %x : !tokens)
      with (%gate = %w1 : !ins, %up = %w3 : !ins, %down = %w2 : !outs) combine sum weight output -> !tokens {
    %a = sluice.linear %t, %gate : (!tokens, !in) -> !hidden   %b = sluice.linear %t, %up : (!tokens, !in) -> !hidden
    %s = sluice.silu %a : !hidden                              %h = arith.mulf %s, %b : !hidden
    %o = sluice.linear %h, %down : (!hidden, !out) -> !tokens
    sluice.yield %o : !tokens
  }
  %yv = sluice.experts by %gv : !gates (%t = %x : !tokens)
      with (%gate = %v1 : !nins, %up = %v3 : !nins, %down = %v2 : !nouts) combine sum weight output -> !tokens {
    %a = sluice.linear %t, %gate : (!tokens, !nin) -> !narrow  %b = sluice.linear %t, %up : (!tokens, !nin) -> !narrow
    %s = sluice.silu %a : !narrow                              %h = arith.mulf %s, %b : !narrow
    %o = sluice.linear %h, %down : (!narrow, !nout) -> !tokens
    sluice.yield %o : !tokens
  }
  %u1 = sluice.get_weight @shared_gate : !win                  %u3 = sluice.get_weight @shared_up : !win
  %a = sluice.linear %x, %u1 : (!tokens, !win) -> !wide        %b = sluice.linear %x, %u3 : (!tokens, !win) -> !wide
  %s = sluice.silu %a : !wide                                  %h = arith.mulf %s, %b : !wide
  %u2 = sluice.get_weight @shared_down : !wout                 %o = sluice.linear %h, %u2 : (!wide, !wout) -> !tokens
  %y0 = arith.addf %yt, %yv : !tokens                          %y = arith.addf %y0, %o : !tokens
  return %y : !tokens
}
func.func @route(%x: !tokens, %types: !ids) -> (tensor<?x3xi64>, tensor<?x3xf32>) {
  %g = call @choose(%x, %types) : (!tokens, !ids) -> !all
  %indices, %weights = sluice.entries %g : !all
  return %indices, %weights : tensor<?x3xi64>, tensor<?x3xf32>
}
