//===- LayerModel.cpp - The layer as a model file ---------------*- C++ -*-===//
//
// Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Layer.h"
#include "llvm/ADT/STLExtras.h"

using namespace sluice;
using namespace sluice::bench;

/// A line is for the layers that the letters before it stand for: `g` gated,
/// `p` not gated; `r` rounding activations, `f` not rounding them, `b` to bf16,
/// `i` to i8; `q` with quantised weights, `n` with others. $D, $F, $E and $K
/// are the sizes, $P and $Q the first two as they are stored, $G and $H as
/// groups of $B; $W is the weights' type, $A the activations', $N the quantised
/// numbers', $S and $M the scales'.
static constexpr llvm::StringLiteral modelTemplate = R"(
  |!tokens = tensor<?x$Dxf32>
  |!scores = tensor<?x$Exf32>
  |!gates = !sluice.gates<?x$Exf32, $K per token>
  |!ins = tensor<$Ex$Fx$Px$W>
  |!outs = tensor<$Ex$Dx$Qx$W>
n |!in = tensor<$Fx$Dx$W>
n |!out = tensor<$Dx$Fx$W>
q |!in = tensor<$Fx$Dxf32>
q |!out = tensor<$Dx$Fxf32>
q |!qin = tensor<$Fx$Px$W>
q |!qout = tensor<$Dx$Qx$W>
q |!sin = tensor<$Fx$Gx$S>
q |!sout = tensor<$Dx$Hx$S>
q |!sins = tensor<$Ex$Fx$Gx$S>
q |!souts = tensor<$Ex$Dx$Hx$S>
i |!xq = tensor<?x$Dxi8>
i |!xs = tensor<?x$Gxf32>
i |!hq = tensor<?x$Fxi8>
i |!hs = tensor<?x$Hxf32>
  |!hidden = tensor<?x$Fxf32>
  |!x = tensor<?x$Dx$A>
  |!h = tensor<?x$Fx$A>
  |sluice.weight @router "router" : tensor<$Ex$Dxf32>
  |sluice.weight @gate "gate" : !ins
g |sluice.weight @up "up" : !ins
  |sluice.weight @down "down" : !outs
q |sluice.weight @gate_scale "gate_scale" : !sins
gq|sluice.weight @up_scale "up_scale" : !sins
q |sluice.weight @down_scale "down_scale" : !souts
  |func.func @moe(%x: !tokens) -> !tokens {
  |  %r = sluice.get_weight @router : tensor<$Ex$Dxf32>
  |  %l = sluice.linear %x, %r : (!tokens, tensor<$Ex$Dxf32>) -> !scores
  |  %p = sluice.softmax %l : !scores
  |  %c = sluice.topk %p, $K : !scores
  |  %g = sluice.normalize %c : !gates
  |  %w1 = sluice.get_weight @gate : !ins
g |  %w3 = sluice.get_weight @up : !ins
  |  %w2 = sluice.get_weight @down : !outs
q |  %s1 = sluice.get_weight @gate_scale : !sins
gq|  %s3 = sluice.get_weight @up_scale : !sins
q |  %s2 = sluice.get_weight @down_scale : !souts
  |  %y = sluice.experts by %g : !gates (%t = %x : !tokens)
gn|      with (%wg = %w1 : !ins, %wu = %w3 : !ins, %wd = %w2 : !outs)
pn|      with (%wg = %w1 : !ins, %wd = %w2 : !outs)
gq|      with (%qg = %w1 : !ins, %sg = %s1 : !sins, %qu = %w3 : !ins, %su = %s3 : !sins,
pq|      with (%qg = %w1 : !ins, %sg = %s1 : !sins,
q |            %qd = %w2 : !outs, %sd = %s2 : !souts)
  |      combine sum weight output -> !tokens {
q |    %wg = sluice.dequantize %qg as $N in blocks [1, $B] by %sg$M : (!qin, !sin) -> !in
gq|    %wu = sluice.dequantize %qu as $N in blocks [1, $B] by %su$M : (!qin, !sin) -> !in
q |    %wd = sluice.dequantize %qd as $N in blocks [1, $B] by %sd$M : (!qout, !sout) -> !out
b |    %tx = arith.truncf %t : !tokens to !x
i |    %tq, %ts = sluice.quantize %t to i8 in blocks [1, $B] : !tokens -> !xq, !xs
i |    %tx = sluice.dequantize %tq as i8 in blocks [1, $B] by %ts : (!xq, !xs) -> !x
r |    %a = sluice.linear %tx, %wg : (!x, !in) -> !hidden
f |    %a = sluice.linear %t, %wg : (!x, !in) -> !hidden
gr|    %b = sluice.linear %tx, %wu : (!x, !in) -> !hidden
gf|    %b = sluice.linear %t, %wu : (!x, !in) -> !hidden
g |    %s = sluice.silu %a : !hidden
g |    %h = arith.mulf %s, %b : !hidden
p |    %h = sluice.relu %a : !hidden
b |    %hx = arith.truncf %h : !hidden to !h
i |    %hn, %hm = sluice.quantize %h to i8 in blocks [1, $B] : !hidden -> !hq, !hs
i |    %hx = sluice.dequantize %hn as i8 in blocks [1, $B] by %hm : (!hq, !hs) -> !h
r |    %o = sluice.linear %hx, %wd : (!h, !out) -> !tokens
f |    %o = sluice.linear %h, %wd : (!h, !out) -> !tokens
  |    sluice.yield %o : !tokens
  |  }
  |  return %y : !tokens
  |}
)";

static void replaceAll(std::string &text, llvm::StringRef from,
                       llvm::StringRef to) {
  for (size_t at = 0; (at = text.find(from.str(), at)) != std::string::npos;
       at += to.size())
    text.replace(at, from.size(), to.str());
}

std::string sluice::bench::makeModel(const LayerShape &shape) {
  std::string text;
  for (llvm::StringRef line :
       llvm::split(llvm::StringRef(modelTemplate).trim('\n'), '\n')) {
    auto [kinds, rest] = line.split('|');
    bool wanted = llvm::all_of(kinds.rtrim(), [&](char kind) {
      switch (kind) {
      case 'g':
        return shape.gated;
      case 'p':
        return !shape.gated;
      case 'r':
        return shape.rounding != Rounding::None;
      case 'f':
        return shape.rounding == Rounding::None;
      case 'b':
        return shape.rounding == Rounding::BF16;
      case 'i':
        return shape.rounding == Rounding::I8;
      case 'q':
        return shape.numbers != Numbers::Plain;
      default:
        return shape.numbers == Numbers::Plain;
      }
    });
    if (wanted)
      text += rest.str() + "\n";
  }
  replaceAll(text, "$D", std::to_string(shape.width));
  replaceAll(text, "$F", std::to_string(shape.inner));
  replaceAll(text, "$E", std::to_string(shape.experts));
  replaceAll(text, "$K", std::to_string(shape.perToken));
  replaceAll(text, "$W", sluice::toString(shape.weights));
  replaceAll(text, "$A", shape.rounding == Rounding::BF16 ? "bf16" : "f32");
  replaceAll(text, "$P", std::to_string(shape.storedSize(shape.width)));
  replaceAll(text, "$Q", std::to_string(shape.storedSize(shape.inner)));
  replaceAll(text, "$G", std::to_string(shape.countGroups(shape.width)));
  replaceAll(text, "$H", std::to_string(shape.countGroups(shape.inner)));
  replaceAll(text, "$B", std::to_string(shape.group));
  bool isMXFP4 = shape.numbers == Numbers::MXFP4;
  replaceAll(text, "$N", isMXFP4 ? "f4E2M1FN" : shape.getWeightType());
  replaceAll(text, "$S", sluice::toString(shape.scaleType()));
  replaceAll(text, "$M", isMXFP4 ? " as f8E8M0FNU" : "");
  return text;
}
