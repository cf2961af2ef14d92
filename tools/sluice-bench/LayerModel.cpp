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
/// `p` not gated, `r` rounding activations, `f` not rounding them. $D, $F, $E
/// and $K are the sizes, $W the weights' type, $A the activations'.
static constexpr llvm::StringLiteral modelTemplate = R"(
  |!tokens = tensor<?x$Dxf32>
  |!scores = tensor<?x$Exf32>
  |!gates = !sluice.gates<?x$Exf32, $K per token>
  |!ins = tensor<$Ex$Fx$Dx$W>
  |!outs = tensor<$Ex$Dx$Fx$W>
  |!in = tensor<$Fx$Dx$W>
  |!out = tensor<$Dx$Fx$W>
  |!hidden = tensor<?x$Fxf32>
  |!x = tensor<?x$Dx$A>
  |!h = tensor<?x$Fx$A>
  |sluice.weight @router "router" : tensor<$Ex$Dxf32>
  |sluice.weight @gate "gate" : !ins
g |sluice.weight @up "up" : !ins
  |sluice.weight @down "down" : !outs
  |func.func @moe(%x: !tokens) -> !tokens {
  |  %r = sluice.get_weight @router : tensor<$Ex$Dxf32>
  |  %l = sluice.linear %x, %r : (!tokens, tensor<$Ex$Dxf32>) -> !scores
  |  %p = sluice.softmax %l : !scores
  |  %c = sluice.topk %p, $K : !scores
  |  %g = sluice.normalize %c : !gates
  |  %w1 = sluice.get_weight @gate : !ins
g |  %w3 = sluice.get_weight @up : !ins
  |  %w2 = sluice.get_weight @down : !outs
  |  %y = sluice.experts by %g : !gates (%t = %x : !tokens)
g |      with (%wg = %w1 : !ins, %wu = %w3 : !ins, %wd = %w2 : !outs)
p |      with (%wg = %w1 : !ins, %wd = %w2 : !outs)
  |      combine sum weight output -> !tokens {
r |    %tx = arith.truncf %t : !tokens to !x
r |    %a = sluice.linear %tx, %wg : (!x, !in) -> !hidden
f |    %a = sluice.linear %t, %wg : (!x, !in) -> !hidden
gr|    %b = sluice.linear %tx, %wu : (!x, !in) -> !hidden
gf|    %b = sluice.linear %t, %wu : (!x, !in) -> !hidden
g |    %s = sluice.silu %a : !hidden
g |    %h = arith.mulf %s, %b : !hidden
p |    %h = sluice.relu %a : !hidden
r |    %hx = arith.truncf %h : !hidden to !h
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
      return kind == (shape.gated ? 'g' : 'p') ||
             kind == (shape.roundsActivations ? 'r' : 'f');
    });
    if (wanted)
      text += rest.str() + "\n";
  }
  replaceAll(text, "$D", std::to_string(shape.width));
  replaceAll(text, "$F", std::to_string(shape.inner));
  replaceAll(text, "$E", std::to_string(shape.experts));
  replaceAll(text, "$K", std::to_string(shape.perToken));
  replaceAll(text, "$W", sluice::toString(shape.weights));
  replaceAll(text, "$A", shape.roundsActivations ? "bf16" : "f32");
  return text;
}
