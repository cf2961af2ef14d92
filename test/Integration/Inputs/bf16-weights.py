# ===- bf16-weights.py - A model file with weights in bf16 ----------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Rounds the experts' weights of a model file to bf16, in a copy of the file and
of its weights, and compares compiled code

- with the interpreter, which has the same weights: as near as float32 sums of
  these lengths are,
- with the published vectors, which were computed from float32 weights: as near
  as three products with rounded weights allow.

Both bounds are derived here, element by element; docs/WritingModels.md explains
them ("How near is near enough"). The router keeps float32, as published models
keep it, so that the choice must be equal.

    bf16-weights.py MODEL.mlir FOLDER    a gated MLP with silu, softmax and top-k"""

import pathlib
import re
import subprocess
import sys

import numpy

from weight_files import read_safetensors, write_safetensors

U = 2.0**-24  # the unit roundoff of float32, in which sums are taken
U_WEIGHT = 2.0**-8  # that of bf16
SILU_SLOPE = 1.1  # the largest slope of silu


def to_bf16(values):
    """To the nearest, halves to even; as the upper half of a float32's bits."""
    bits = values.view("<u4")
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")


def from_bf16(bits):
    return (bits.astype("<u4") << 16).view("<f4")


def run(*command):
    command = [str(word) for word in command]
    print("+", " ".join(command), flush=True)
    result = subprocess.run(command, check=False)
    if result.returncode:
        sys.exit(f"error: {command[0]} failed with exit status {result.returncode}")


def make_model(source, target):
    """Writes the model with bf16 weights; returns {symbol: name in the file}."""
    text = source.read_text(encoding="utf-8")
    names = {}
    for symbol, name, shape in re.findall(
        r'sluice\.weight @(\w+) "([^"]+)" : tensor<([x\d]+)xf32>', text
    ):
        names[symbol] = name
        if symbol != "router":
            # Stacked, and the part of one expert, as bodies see it.
            for part in (shape, shape.split("x", 1)[1]):
                text = text.replace(f"tensor<{part}xf32>", f"tensor<{part}xbf16>")
    if text.count("xbf16>") < 6:
        sys.exit(f"error: expected three weights of experts in {source}")
    target.write_text(text, encoding="utf-8")
    return names


def stack(tensors, name):
    """A weight, from the tensors that {e} in its name stands for; float64."""
    found, e = [], 0
    while (one := name.replace("{e}", str(e))) in tensors:
        found.append(tensors[one].astype("f8"))
        e += 1
        if "{e}" not in name:
            return found[0]
    return numpy.stack(found)


def bound_errors(x, weights, indices, values, normalized, weight_error):
    """How far an element of the result may be from the exact one, if sums are taken
    in float32 and the experts' weights are off by the share `weight_error`.

    Follows the layer, beside each value a bound of its error: an element of a
    product of n terms is off by n + 2 roundings of the sum of its terms' magnitudes,
    whatever the order; exp and silu by 8 of the result, products and stores by 1."""
    x = x.astype("f8")
    router, gate, up, down = (weights[s] for s in ("router", "gate", "up", "down"))
    k, experts = indices.shape[1], len(router)

    def product(w, v, error):
        """The product with a matrix, and its error if v has that error."""
        share = (w.shape[1] + 2) * U + weight_error
        return w @ v, numpy.abs(w) @ (share * numpy.abs(v) + (1 + share) * error)

    bound = numpy.zeros((len(x), down.shape[1]))
    for t, token in enumerate(x):
        # What is absolute in the logits is relative in exp, and again in the sum.
        logits = (x.shape[1] + 2) * U * (numpy.abs(router) @ numpy.abs(token)).max()
        gates = 2 * logits + (experts + 16) * U
        if normalized:
            gates = 2 * gates + (k + 2) * U
        for e, value in zip(indices[t], values[t].astype("f8")):
            a, a_error = product(gate[e], token, 0)
            b, b_error = product(up[e], token, 0)
            s = a / (1 + numpy.exp(-a))
            s_error = SILU_SLOPE * a_error + 9 * U * numpy.abs(s)
            h_error = (numpy.abs(s) * b_error + numpy.abs(b) * s_error
                       + s_error * b_error + U * numpy.abs(s * b))
            o, o_error = product(down[e], s * b, h_error)
            # Weighed, stored, and one of k terms of a sum.
            share = gates + (k + 2) * U
            bound[t] += abs(value) * ((1 + share) * o_error + share * numpy.abs(o))
    # The weights of the gates are given with an error, too.
    return 1.01 * bound


def check(what, actual, expected, bound):
    error = numpy.abs(actual.astype("f8") - expected)
    scale = numpy.abs(expected).max()
    share = (error / bound).max()
    print(f"{what}: largest error {error.max() / scale:.1e} of the largest magnitude, "
          f"{share:.2g} of its bound; the bound is up to {bound.max() / scale:.1e}")
    if not share <= 1:
        sys.exit(f"error: {what}: expected no error above its bound")
    return share


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    data = source.parent / "Inputs" / source.stem
    model, file = folder / source.name, folder / "bf16.safetensors"
    names = make_model(source, model)

    tensors = read_safetensors(data / "model.safetensors")
    experts = [re.compile(re.escape(name).replace(r"\{e\}", r"\d+"))
               for symbol, name in names.items() if symbol != "router"]
    rounded = {name: to_bf16(tensor) if any(r.fullmatch(name) for r in experts) else tensor
               for name, tensor in tensors.items()}
    write_safetensors(file, rounded)

    common = [model, "--weights", file, "--input", data / "x.npy"]
    run("sluice-run", *common, "--entry=route", "--expect", data / "topk_indices.npy",
        "--expect", data / "topk_weights.npy")
    for target in ("cpu", "interpreter"):
        run("sluice-run", *common, "--entry=moe", f"--target={target}",
            "--output", folder / f"{target}.npy")

    values = {name: from_bf16(t) if t.itemsize == 2 else t for name, t in rounded.items()}
    weights = {symbol: stack(values, name) for symbol, name in names.items()}
    x, indices, gates, published = (
        numpy.load(data / f"{name}.npy") for name in ("x", "topk_indices", "topk_weights", "y"))
    actual, oracle = (numpy.load(folder / f"{name}.npy") for name in ("cpu", "interpreter"))
    arguments = (x, weights, indices, gates, "sluice.normalize" in model.read_text())
    arithmetic = bound_errors(*arguments, 0)
    check("compiled code against the interpreter", actual, oracle, arithmetic)
    # The published code rounds as well; the exact weight is within this of ours.
    check("compiled code against the vectors", actual, published,
          bound_errors(*arguments, U_WEIGHT / (1 - U_WEIGHT)) + arithmetic)
    # A bound within which other weights are as good would not show anything.
    if (numpy.abs(actual.astype("f8") - published) <= 2 * arithmetic).all():
        sys.exit("error: expected that rounded weights exceed the bound of the arithmetic")


if __name__ == "__main__":
    main()
