# ===- aarch64.py - Code for AArch64, run by an emulator ------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Compiles small layers of experts for several AArch64 processors, each to one object
with code for all of them, links them with the runtime, and runs them under
qemu-aarch64 against the interpreter of this machine. A token's result must be the
same bytes alone and among others.

    aarch64.py FOLDER SOURCES CLANG
"""

import concurrent.futures
import importlib
import os
import pathlib
import subprocess
import sys

import numpy as np

from weight_files import write_safetensors

quantised = importlib.import_module("quantised-kernels")

# A processor for each machine of the compiler, and the width of SVE's vectors that
# the emulator has for it.
PROCESSORS = {"generic": 128, "neoverse-n1": 128, "neoverse-v2": 128, "neoverse-v1": 256,
              "a64fx": 512}
TOKENS = (0, 1, 7, 30)

# Format, inputs, hidden, group, whether inputs are rounded, type of inputs: as in
# quantised-kernels.py, where "floats" is none of them. Processors.
CASES = [
    (("floats", 72, 40, 0, False, "f32"), PROCESSORS),
    (("i8", 64, 40, 16, True, "f32"), ["neoverse-n1", "neoverse-v1"]),
    (("ui8z", 64, 40, 32, True, "f32"), ["neoverse-v1"]),
    (("ui4z", 64, 40, 16, True, "f32"), ["generic", "neoverse-n1"]),
    (("i4", 64, 40, 32, False, "f32"), ["neoverse-v1"]),
    (("f4E2M1FN", 64, 40, 32, True, "f32"), ["neoverse-n1", "a64fx"]),
    (("f4E2M1FN", 64, 40, 32, False, "f32"), ["generic", "neoverse-v1"]),
]

FLOATS = """sluice.weight @router "router" : tensor<5x{d}xf32>
sluice.weight @gate "gate" : tensor<5x{f}x{d}xbf16>
sluice.weight @up "up" : tensor<5x{f}x{d}xf32>
sluice.weight @down "down" : tensor<5x{d}x{f}xf16>
func.func @layer(%x: tensor<?x{d}xf32>) -> tensor<?x{d}xf32> {{
  %r = sluice.get_weight @router : tensor<5x{d}xf32>
  %gate = sluice.get_weight @gate : tensor<5x{f}x{d}xbf16>
  %up = sluice.get_weight @up : tensor<5x{f}x{d}xf32>
  %down = sluice.get_weight @down : tensor<5x{d}x{f}xf16>
  %l = sluice.linear %x, %r : (tensor<?x{d}xf32>, tensor<5x{d}xf32>) -> tensor<?x5xf32>
  %p = sluice.softmax %l : tensor<?x5xf32>
  %g = sluice.topk %p, 2 : tensor<?x5xf32>
  %y = sluice.experts by %g : !sluice.gates<?x5xf32, 2 per token> (%t = %x : tensor<?x{d}xf32>)
      with (%wg = %gate : tensor<5x{f}x{d}xbf16>, %wu = %up : tensor<5x{f}x{d}xf32>,
            %wd = %down : tensor<5x{d}x{f}xf16>)
      combine sum weight output -> tensor<?x{d}xf32> {{
    %a = sluice.linear %t, %wg : (tensor<?x{d}xf32>, tensor<{f}x{d}xbf16>) -> tensor<?x{f}xf32>
    %c = arith.truncf %t : tensor<?x{d}xf32> to tensor<?x{d}xbf16>
    %e = sluice.linear %c, %wg : (tensor<?x{d}xbf16>, tensor<{f}x{d}xbf16>) -> tensor<?x{f}xf32>
    %b = sluice.linear %t, %wu : (tensor<?x{d}xf32>, tensor<{f}x{d}xf32>) -> tensor<?x{f}xf32>
    %s = sluice.silu %a : tensor<?x{f}xf32>
    %i = arith.addf %s, %e : tensor<?x{f}xf32>
    %h = arith.mulf %i, %b : tensor<?x{f}xf32>
    %o = sluice.linear %h, %wd : (tensor<?x{f}xf32>, tensor<{d}x{f}xf16>) -> tensor<?x{d}xf32>
    sluice.yield %o : tensor<?x{d}xf32>
  }}
  return %y : tensor<?x{d}xf32>
}}
"""


def make_case(folder, case, rng):
    """Writes the model and its weights."""
    fmt, inputs, hidden, group, _, _ = case
    if fmt == "floats":
        text = FLOATS.format(d=inputs, f=hidden)
        gate = rng.standard_normal((5, hidden, inputs)).astype(np.float32)
        tensors = {
            "router": rng.standard_normal((5, inputs)).astype(np.float32),
            "gate": (gate.view(np.uint32) >> 16).astype(np.uint16),
            "up": rng.standard_normal((5, hidden, inputs)).astype(np.float32),
            "down": rng.standard_normal((5, inputs, hidden)).astype(np.float16),
        }
    else:
        tensors = quantised.make_weights(fmt, inputs, hidden, group)
        text = "".join(f'sluice.weight @{name} "{name}" : {quantised.type_of(tensor)}\n'
                       for name, tensor in tensors.items())
        text += quantised.make_layer("@layer", (*case, ""), tensors)
    (folder / "m.mlir").write_text(text)
    write_safetensors(folder / "w.safetensors", tensors)


def call(command, **options):
    result = subprocess.run([str(word) for word in command], check=False,
                            capture_output=True, text=True, **options)
    if result.returncode:
        sys.exit(f"error: {' '.join(map(str, command))}\n{result.stdout}{result.stderr}")
    return result


def build_runtime(folder, sources, compiler):
    """The objects of the runtime, and of OpenMP as far as one thread needs it."""
    includes = [f"-I{sources}/include",
                f"-I{call([compiler[0], '-print-resource-dir']).stdout.strip()}/include"]
    # DsoHandle.c is for links without a compiler.
    files = [file for file in sources.glob("lib/Runtime/*/*.c*")
             if file.suffix in (".c", ".cpp") and file.name != "DsoHandle.c"]
    files.append(pathlib.Path(__file__).parent / "openmp-alone.c")
    objects = [folder / f"{file.name}.o" for file in files]

    def build(file, target):
        standard = ["-std=c++17"] if file.suffix == ".cpp" else []
        call([*compiler, *standard, "-O0", *includes, "-c", file, "-o", target])

    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(build, files, objects))
    return objects


def run(folder, number, case, processors, compiler, runtime):
    folder.mkdir()
    rng = np.random.default_rng(number)
    make_case(folder, case, rng)
    inputs = case[1]
    x = rng.standard_normal((max(TOKENS), inputs)).astype("<f4")
    np.save(folder / "x.npy", x)
    call(["sluice-run", folder / "m.mlir", "--entry=layer", "--target=interpreter",
          "--weights", folder / "w.safetensors", "--input", folder / "x.npy", "--output",
          folder / "y.npy"])
    expected = np.load(folder / "y.npy")

    call(["sluicec", folder / "m.mlir", "--target=aarch64-linux-gnu",
          f"--cpu={','.join(processors)}", "--emit=obj", "--prefix=m", "-o", folder / "m.o"])
    program = folder / "main"
    main_c = pathlib.Path(__file__).parent / "aarch64-main.c"
    call([*compiler, f"-I{folder}", f"-DCOLUMNS={inputs}", "-c", main_c, "-o",
          folder / "main.o"])
    call([*compiler, "-static", "-fuse-ld=lld", folder / "main.o", folder / "m.o", *runtime,
          "-lstdc++", "-lm", "-o", program])

    def emulate(cpu, bits):
        return subprocess.run(
            ["qemu-aarch64", "-cpu", f"max,sve{bits}=on", program,
             folder / "w.safetensors", *map(str, TOKENS)],
            input=x.tobytes(), capture_output=True, check=False,
            env=dict(os.environ, SLUICE_CPU=cpu))

    for cpu in processors:
        result = emulate(cpu, PROCESSORS[cpu])
        if result.returncode:
            sys.exit(f"error: {case} for {cpu}: {result.returncode} {result.stderr.decode()}")
        y = np.frombuffer(result.stdout, "<f4").reshape(-1, inputs)
        begin = len(y) - max(TOKENS)
        error = np.abs(y[begin:] - expected).max() / np.abs(expected).max()
        if not error <= 2e-6:
            sys.exit(f"error: {case} for {cpu}: expected the interpreter's numbers but they "
                     f"differ by {error}")
        start = 0
        for count in TOKENS:
            if y[start:start + count].tobytes() != y[begin:begin + count].tobytes():
                sys.exit(f"error: {case} for {cpu}: expected the same bytes for {count} "
                         f"tokens as among {max(TOKENS)}")
            start += count
    if number == 0:
        # Vectors of another size than the code was made for.
        sys.stdout.write(emulate("neoverse-v1", 512).stderr.decode())


def main():
    folder, sources, clang = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    folder.mkdir(parents=True)
    compiler = [clang, "--target=aarch64-linux-gnu"]
    runtime = build_runtime(folder, sources, compiler)
    for number, (case, processors) in enumerate(CASES):
        run(folder / str(number), number, case, processors, compiler, runtime)
    print(f"{len(CASES)} cases passed for {len(PROCESSORS)} processors")


main()
