# ===- quantised.py - Quantised numbers against numpy ---------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
"""Runs models with quantised numbers by the interpreter and compiled, and compares
with numpy, which reads the same bytes.

    quantised.py ops FOLDER               each type, shape and rounding: all bits
    quantised.py layers FOLDER            layers of experts, within 1e-5
    quantised.py gpt_oss MODEL.mlir PLAIN FOLDER
        the model file with the weights of PLAIN (a folder of published vectors)
        in MXFP4, laid out as gpt-oss is published, within 1e-5"""

import pathlib
import subprocess
import sys

import numpy as np

from weight_files import DTYPES, read_safetensors, write_safetensors

f32 = np.float32


# ===----------------------------------------------------------------------===#
# Runs
# ===----------------------------------------------------------------------===#


def run(folder, entry, weights, inputs, expected, *options):
    """Runs m.mlir of `folder` both ways; `expected` by result."""
    command = ["sluice-run", str(folder / "m.mlir"), f"--entry={entry}", *options]
    if weights:
        write_safetensors(folder / "w.safetensors", weights)
        command += ["--weights", str(folder / "w.safetensors")]
    for option, arrays in (("input", inputs), ("expect", expected)):
        for i, array in enumerate(arrays):
            np.save(folder / f"{option}{i}.npy", array)
            command += [f"--{option}", str(folder / f"{option}{i}.npy")]
    for target in (["--target=interpreter"], ["--check"]):
        print("+", *command, *target, flush=True)
        if subprocess.run(command + target, check=False).returncode:
            sys.exit("error: sluice-run failed")


# ===----------------------------------------------------------------------===#
# What the ops do
# ===----------------------------------------------------------------------===#

def small_float(exponent_bits, fraction_bits, has_infinity, nan_only_last):
    """The numbers of all patterns of a small float."""
    values = []
    bias = 2 ** (exponent_bits - 1) - 1
    bits = exponent_bits + fraction_bits
    for pattern in range(2 ** (bits + 1)):
        sign = -1.0 if pattern >> bits else 1.0
        exponent = pattern >> fraction_bits & (2**exponent_bits - 1)
        fraction = pattern & (2**fraction_bits - 1)
        if exponent == 0:
            value = fraction * 2.0 ** (1 - bias - fraction_bits)
        else:
            value = (1 + fraction / 2**fraction_bits) * 2.0 ** (exponent - bias)
        if has_infinity and exponent == 2**exponent_bits - 1:
            value = np.nan if fraction else np.inf
        if nan_only_last and pattern & (2**bits - 1) == 2**bits - 1:
            value = np.nan
        values.append(sign * value)
    return np.array(values, f32)


NUMBERS = {
    "i8": np.arange(256).astype(np.uint8).view(np.int8).astype(f32),
    "ui8": np.arange(256).astype(f32),
    "i4": np.array([*range(8), *range(-8, 0)], f32),
    "ui4": np.arange(16).astype(f32),
    "f4E2M1FN": small_float(2, 1, False, False),
    "f8E4M3FN": small_float(4, 3, False, True),
    "f8E5M2": small_float(5, 2, True, False),
}
POWERS = np.array([*(2.0 ** (n - 127) for n in range(255)), np.nan]).astype(f32)


def unpack(stored, kind, shape):
    """The numbers of `shape` in bytes."""
    per_byte = 2 if len(NUMBERS[kind]) == 16 else 1
    row = -(-shape[-1] // per_byte)
    stored = stored.view(np.uint8).reshape(*shape[:-1], row)
    if per_byte == 2:
        stored = np.stack([stored & 15, stored >> 4], -1).reshape(*shape[:-1], 2 * row)
    return NUMBERS[kind][stored[..., : shape[-1]]]


def spread(values, blocks, shape):
    """A number of each block to its elements."""
    for axis, block in enumerate(blocks):
        values = np.repeat(values, block, axis)
    return values[tuple(slice(n) for n in shape)]


def dequantize(stored, kind, shape, blocks, scales, zeros=None):
    values = unpack(stored, kind, shape)
    counts = [-(-n // b) for n, b in zip(shape, blocks)]
    if zeros is not None:
        values = values - spread(unpack(zeros, kind, counts), blocks, shape)
    factors = POWERS[scales] if scales.dtype == np.uint8 else scales.astype(f32)
    with np.errstate(all="ignore"):
        return values * spread(factors, blocks, shape)


def quantize(x, blocks, symmetric):
    """As the op is defined, block by block."""
    x = x.astype(f32)
    counts = [-(-n // b) for n, b in zip(x.shape, blocks)]
    q = np.zeros(x.shape, np.int8)
    s, z = np.zeros(counts, f32), np.zeros(counts, np.int8)
    with np.errstate(all="ignore"):
        for index in np.ndindex(*counts):
            at = tuple(slice(i * b, (i + 1) * b) for i, b in zip(index, blocks))
            part = x[at]
            low, high = min(part.min(), f32(0)), max(part.max(), f32(0))
            m = np.abs(part).max() if symmetric else f32(high - low)
            if not np.isfinite(m) or not np.isfinite(part).all():
                s[index] = np.nan
                continue
            step = f32(m) / f32(127 if symmetric else 255)
            r = f32(1) / step
            if not np.isfinite(r):
                continue
            s[index] = step
            numbers = np.rint(part * r)
            if symmetric:
                q[at] = np.clip(numbers, -127, 127)
            else:
                zero = np.rint(-low * r)
                z[index] = np.array(zero).astype(np.uint8).view(np.int8)
                q[at] = np.clip(numbers + zero, 0, 255).astype(np.uint8).view(np.int8)
    return (q, s) if symmetric else (q, s, z)


# ===----------------------------------------------------------------------===#
# Each op by itself
# ===----------------------------------------------------------------------===#

def text(array, element=None, rows=False):
    names = {"float32": "f32", "float16": "f16", "int8": "i8", "uint8": "i8"}
    shape = "".join(f"{'?' if rows and d == 0 else n}x" for d, n in enumerate(array.shape))
    return f"tensor<{shape}{element or names[array.dtype.name]}>"


def round_to_bf16(values):
    """As the numbers that bf16 has."""
    bits = values.astype(f32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return np.where(np.isnan(values), values, rounded.view(f32))


# (type, shape, blocks, scales, zero points, stored dimensions)
DEQUANTIZE = [
    ("i8", (3, 64), (1, 32), "float32", False, None),
    ("i8", (4, 66), (1, 66), "float16", False, None),
    ("i8", (5, 70), (2, 32), "float32", True, None),  # short blocks both ways
    ("ui8", (6, 64), (1, 64), "float16", True, None),
    ("ui8", (256,), (1,), "float32", True, None),
    ("i4", (2, 32), (1, 16), "float32", True, None),
    ("i4", (3, 33), (1, 11), "float32", True, None),  # blocks end within bytes
    ("ui4", (4, 64), (1, 32), "float16", True, None),
    ("ui4", (4, 96), (1, 32), "float32", True, None),  # 3 zero points in 2 bytes
    ("ui4", (2, 3, 32), (1, 3, 4), "float32", True, None),
    ("f4E2M1FN", (4, 64), (1, 32), "uint8", False, (4, 2, 16)),
    ("f4E2M1FN", (300, 32), (1, 32), "uint8", False, None),  # all exponents
    ("f8E4M3FN", (8, 256), (4, 128), "float32", False, None),
    ("f8E4M3FN", (8, 256), (3, 100), "float32", False, (8, 4, 64)),
    ("f8E5M2", (2, 256), (2, 256), "float32", False, None),
    ("i8", (0, 64), (1, 32), "float32", False, None),
    ("i8", (64, 1), (64, 5), "float32", False, None),
]


def test_dequantize(folder, random):
    arguments, body, results, inputs, expected = [], [], [], [], []
    for n, (kind, shape, blocks, scale, has_zeros, stored) in enumerate(DEQUANTIZE):
        counts = [-(-d // b) for d, b in zip(shape, blocks)]
        per_byte = 2 if len(NUMBERS[kind]) == 16 else 1
        sizes = stored or (*shape[:-1], -(-shape[-1] // per_byte))
        count = int(np.prod(sizes))
        # All patterns where there is room for them.
        q = random.permutation(np.resize(np.arange(256), max(count, 256)))[:count]
        q = q.astype(np.uint8).reshape(sizes)
        if scale == "uint8":
            s = np.resize(np.arange(256), counts).astype(np.uint8)
        else:
            s = random.normal(size=counts).astype(scale)
        z = None
        if has_zeros:
            sizes = (*counts[:-1], -(-counts[-1] // per_byte))
            z = random.integers(0, 256, sizes).astype(np.uint8)
        values = dequantize(q, kind, shape, blocks, s, z)
        # Rounded once more, the third way as bf16, which numpy does not have.
        result = ("f32", "f16", "bf16")[n % 3]
        if not np.isfinite(values).all():
            result = "f32"
        with np.errstate(over="ignore"):
            values = {"f32": values, "f16": values.astype(np.float16),
                      "bf16": round_to_bf16(values)}[result]
        operands = [a for a in (q, s, z) if a is not None]
        # Rows are dynamic where they may be.
        rows = blocks[0] == 1
        types = [text(a, rows=rows) for a in operands]
        names = [f"%a{n}_{i}" for i in range(len(operands))]
        arguments += [f"{a}: {t}" for a, t in zip(names, types)]
        inputs += operands
        to = text(values, result, rows)
        body.append(
            f"  %r{n} = sluice.dequantize {names[0]} as {kind} in blocks {list(blocks)} by "
            f"{names[1]}{' as f8E8M0FNU' if scale == 'uint8' else ''}"
            f"{' minus ' + names[2] if has_zeros else ''}\n"
            f"    : ({', '.join(types)}) -> {to}")
        value = f"%r{n}"
        if result == "bf16":
            body.append(f"  %w{n} = arith.extf {value} : {to} to {text(values, 'f32', rows)}")
            value, to = f"%w{n}", text(values, "f32", rows)
        results.append((value, to))
        expected.append(values)
    write_function(folder, arguments, body, results)
    run(folder, "f", None, inputs, expected, "--tolerance", "0")


def hard_numbers(shape, random):
    """Blocks with ties, zeros, infinities, and numbers from the ends."""
    x = random.normal(size=shape).astype(f32)
    if not x.size:
        return x
    rows = x.reshape(len(x), -1)
    rows[3:5] *= f32(1e-37)
    rows[5:6] = 0
    rows[6:7] = np.rint(rows[6:7] * 63.5)
    special = [0.5, 1.5, -2.5, 127.0, 0.0, -0.0, 1e-45, 3e38, -3e38, 1e-38, np.inf,
               -np.inf, np.nan, 126.5, -127.0, 63.5]
    for i, value in enumerate(special):
        x.reshape(-1)[i * 37 % x.size] = value
    return x


# (shape, blocks, element type)
QUANTIZE = [
    ((40, 64), (1, 32), "f32"),
    ((7, 50), (1, 16), "f32"),  # a short last block
    ((6, 48), (1, 48), "f16"),
    ((6, 48), (1, 64), "f32"),
    ((300,), (1,), "f32"),
    ((9, 10, 8), (4, 1, 3), "f32"),
    ((0, 8), (1, 4), "f32"),
    ((3, 0), (1, 4), "f32"),
]


def test_quantize(folder, random):
    for symmetric in (True, False):
        arguments, body, results, inputs, expected = [], [], [], [], []
        for n, (shape, blocks, element) in enumerate(QUANTIZE):
            x = hard_numbers(shape, random)
            with np.errstate(over="ignore"):
                x = x.astype({"f32": f32, "f16": np.float16}[element])
            outputs = quantize(x, blocks, symmetric)
            rows = blocks[0] == 1
            types = [text(a, rows=rows) for a in outputs]
            arguments.append(f"%x{n}: {text(x, rows=rows)}")
            inputs.append(x)
            body.append(
                f"  %q{n}:{len(outputs)} = sluice.quantize %x{n} to "
                f"{'i8' if symmetric else 'ui8'} in blocks {list(blocks)}\n"
                f"    : {text(x, rows=rows)} -> {', '.join(types)}")
            results += [(f"%q{n}#{i}", t) for i, t in enumerate(types)]
            expected += outputs
        write_function(folder, arguments, body, results)
        run(folder, "f", None, inputs, expected, "--tolerance", "0")


def write_function(folder, arguments, body, results):
    values, types = (", ".join(part) for part in zip(*results))
    (folder / "m.mlir").write_text(
        f"func.func @f({', '.join(arguments)}) -> ({types}) {{\n" + "\n".join(body) +
        f"\n  return {values} : {types}\n}}\n")


# ===----------------------------------------------------------------------===#
# Layers
# ===----------------------------------------------------------------------===#

def make_weight(kind, shape, blocks, scale, has_zeros, random):
    """Bytes, scales and zero points of a stack of matrices; the numbers; and the
    clauses of the op."""
    counts = [shape[0], *(-(-n // b) for n, b in zip(shape[1:], blocks))]
    per_byte = 2 if len(NUMBERS[kind]) == 16 else 1
    q = random.integers(0, 256, (*shape[:-1], -(-shape[-1] // per_byte))).astype(np.uint8)
    if kind == "f8E4M3FN":
        q[q & 127 == 127] = 0  # NaN
    step = 0.3 / np.nanstd(NUMBERS[kind]) / np.sqrt(shape[-1])
    if scale == "uint8":
        s = random.integers(120, 124, counts).astype(np.uint8)
    else:
        s = (step * random.uniform(0.5, 2, counts)).astype(scale)
    z = None
    if has_zeros:
        z = random.integers(0, 256, (*counts[:-1], -(-counts[-1] // per_byte))).astype(np.uint8)
    return (q, s, z), dequantize(q, kind, shape, [1, *blocks], s, z)


LAYERS = {
    "int8": ("i8", [1, 32], "float16", False, {"q": "I8"}),
    "int4": ("ui4", [1, 16], "float32", True, {}),
    "fp8": ("f8E4M3FN", [8, 16], "float32", False, {"q": "F8_E4M3"}),
    "mxfp4": ("f4E2M1FN", [1, 32], "uint8", False, {"s": "F8_E8M0"}),
}


def silu(x):
    return x / (1 + np.exp(-x))


def test_layer(folder, name, rounds, random):
    kind, blocks, scale, has_zeros, file_types = LAYERS[name]
    tokens, width, hidden, experts, k = 37, 64, 48, 6, 2
    shapes = {"gate": (experts, hidden, width), "up": (experts, hidden, width),
              "down": (experts, width, hidden)}
    weights, numbers, declared, params, body = {}, {}, [], [], []
    x = random.normal(size=(tokens, width)).astype(f32)
    router = random.normal(size=(experts, width)).astype(f32)
    weights["router"] = router
    for which, shape in shapes.items():
        parts, numbers[which] = make_weight(kind, shape, blocks, scale, has_zeros, random)
        types = []
        for part, array in zip("qsz", parts):
            if array is None:
                continue
            # A tensor for each expert, as checkpoints have them.
            for e in range(experts):
                weights[f"{e}.{which}.{part}"] = (
                    array[e], file_types.get(part) or DTYPES[array.dtype.name])
            declared.append(
                f'sluice.weight @{which}_{part} "{{e}}.{which}.{part}" : {text(array)}')
            types.append((part, text(array[0]), text(array)))
        params += [(f"%{which}_{p}", f"@{which}_{p}", t) for p, _, t in types]
        body.append(
            f"    %{which} = sluice.dequantize %{which}_q as {kind} in blocks {blocks} by "
            f"%{which}_s{' as f8E8M0FNU' if scale == 'uint8' else ''}"
            f"{f' minus %{which}_z' if has_zeros else ''}\n"
            f"      : ({', '.join(t for _, t, _ in types)}) -> "
            f"{text(numbers[which][0])}")
    rounding = "" if not rounds else """
    %xq, %xs = sluice.quantize %t to i8 in blocks [1, 32]
      : !x -> tensor<?x64xi8>, tensor<?x2xf32>
    %r = sluice.dequantize %xq as i8 in blocks [1, 32] by %xs
      : (tensor<?x64xi8>, tensor<?x2xf32>) -> !x"""
    r = "%r" if rounds else "%t"
    gets = "\n".join(f"  %w{i} = sluice.get_weight {symbol} : {t}"
                     for i, (_, symbol, t) in enumerate(params))
    given = ",\n            ".join(f"{arg} = %w{i} : {t}" for i, (arg, _, t) in enumerate(params))
    newline = "\n"
    (folder / "m.mlir").write_text(f"""!x = tensor<?x64xf32>
!h = tensor<?x48xf32>
!g = !sluice.gates<?x6xf32, 2 per token>
sluice.weight @router "router" : tensor<6x64xf32>
{newline.join(declared)}
func.func @moe(%x: !x) -> !x {{
  %w = sluice.get_weight @router : tensor<6x64xf32>
{gets}
  %l = sluice.linear %x, %w : (!x, tensor<6x64xf32>) -> tensor<?x6xf32>
  %p = sluice.softmax %l : tensor<?x6xf32>
  %g = sluice.topk %p, 2 : tensor<?x6xf32>
  %y = sluice.experts by %g : !g (%t = %x : !x)
      with ({given})
      combine sum weight output -> !x {{{rounding}
{newline.join(body)}
    %a = sluice.linear {r}, %gate : (!x, tensor<48x64xf32>) -> !h
    %b = sluice.linear {r}, %up : (!x, tensor<48x64xf32>) -> !h
    %s = sluice.silu %a : !h
    %m = arith.mulf %s, %b : !h
    %o = sluice.linear %m, %down : (!h, tensor<64x48xf32>) -> !x
    sluice.yield %o : !x
  }}
  return %y : !x
}}
""")
    rounded = x
    if rounds:
        q, scales = quantize(x, [1, 32], True)
        rounded = dequantize(q, "i8", x.shape, [1, 32], scales)
    logits = x.astype(float) @ router.T.astype(float)
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    y = np.zeros((tokens, width))
    for t in range(tokens):
        for e in np.argsort(-p[t])[:k]:
            gate, up, down = (numbers[w][e].astype(float) for w in ("gate", "up", "down"))
            row = rounded[t].astype(float)
            y[t] += p[t, e] * (down @ (silu(gate @ row) * (up @ row)))
    run(folder, "moe", weights, [x], [y.astype(f32)], "--tolerance", "1e-5")


# ===----------------------------------------------------------------------===#
# gpt-oss
# ===----------------------------------------------------------------------===#

def to_mxfp4(values):
    """[..., n] to bytes [..., ceil(n / 32), 16] and exponents: the largest power of
    two that keeps the largest magnitude of a block of 32 below 8 (OCP MX v1.0,
    section 6.3), elements to the nearest number."""
    size = values.shape[-1]
    count = -(-size // 32)
    padded = np.zeros((*values.shape[:-1], count * 32), float)
    padded[..., :size] = values
    padded = padded.reshape(*values.shape[:-1], count, 32)
    largest = np.abs(padded).max(-1)
    exponents = np.floor(np.log2(np.maximum(largest, 2.0**-120))) - 2
    scaled = padded / 2.0 ** exponents[..., None]
    nearest = np.abs(scaled[..., None] - NUMBERS["f4E2M1FN"]).argmin(-1).astype(np.uint8)
    packed = nearest[..., 0::2] | nearest[..., 1::2] << 4
    return packed, (exponents + 127).astype(np.uint8)


def test_gpt_oss(model, plain, folder):
    weights = dict(read_safetensors(plain / "model.safetensors"))
    x = np.load(plain / "x.npy")
    prefix = "model.layers.1.mlp.experts."
    numbers = {}
    for name in ("gate_up_proj", "down_proj"):
        # transformers has [E, in, out]; published are bytes of [E, out, in].
        matrix = weights.pop(prefix + name).transpose(0, 2, 1)
        blocks, scales = to_mxfp4(matrix)
        if matrix.shape[-1] % 32:
            # No whole number of blocks, which the published models have.
            blocks = blocks.reshape(*matrix.shape[:-1], -1)[..., : matrix.shape[-1] // 2]
        weights[f"{prefix}{name}_blocks"] = np.ascontiguousarray(blocks)
        weights[f"{prefix}{name}_scales"] = scales
        numbers[name] = dequantize(blocks, "f4E2M1FN", matrix.shape, [1, 1, 32],
                                   scales).astype(float)
    (folder / "m.mlir").write_text(model.read_text())

    logits = (x.astype(float) @ weights["model.layers.1.mlp.router.weight"].T
              + weights["model.layers.1.mlp.router.bias"])
    y = np.zeros(x.shape)
    for t, row in enumerate(x.astype(float)):
        chosen = np.argsort(-logits[t], kind="stable")[:4]
        p = np.exp(logits[t, chosen] - logits[t, chosen].max())
        for e, weight in zip(chosen, p / p.sum()):
            h = numbers["gate_up_proj"][e] @ row + weights[prefix + "gate_up_proj_bias"][e]
            gate, up = np.minimum(h[0::2], 7.0), np.clip(h[1::2], -7.0, 7.0)
            h = (up + 1) * gate / (1 + np.exp(-1.702 * gate))
            y[t] += weight * (numbers["down_proj"][e] @ h + weights[prefix + "down_proj_bias"][e])
    run(folder, "moe", weights, [x], [y.astype(f32)], "--tolerance", "1e-5")
    error = np.abs(y - np.load(plain / "y.npy")).max() / np.abs(y).max()
    print(f"MXFP4 against the published vectors: {error:.2g}")


def main():
    mode, *paths = sys.argv[1:]
    folder = pathlib.Path(paths[-1])
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(5)
    if mode == "ops":
        test_dequantize(folder, random)
        test_quantize(folder, random)
    elif mode == "layers":
        for name in LAYERS:
            for rounds in (False, True):
                test_layer(folder, name, rounds, random)
    else:
        test_gpt_oss(pathlib.Path(paths[0]), pathlib.Path(paths[1]), folder)


if __name__ == "__main__":
    main()
