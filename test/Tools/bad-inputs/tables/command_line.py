#===- command_line.py - Command lines -------------------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#

import os
import pathlib

from .common import ADD, SAME, bad, npy

X = npy([1, 2], [1, 2])
FILES = {"m.mlir": SAME, "x.npy": X}
TWO = {"m.mlir": ADD, "x.npy": X}


def row(name, message, options, files=FILES, **more):
    """Options of a run that is right without them."""
    return bad("run-" + name, "sluice-run m.mlir --input x.npy " + options + " --target={target}",
        message,
               files, **more)


def run(name, message, command, files=FILES, **more):
    return bad("run-" + name, "sluice-run " + command, message, files, **more)


def compile(name, message, options, files=FILES, **more):
    return bad("sluicec-" + name, "sluicec m.mlir " + options, message, files, **more)


RUNS = [
    run("nothing", "sluice-run: error: expected a model file but got none; try --help", ""),
    run("no-model", "sluice-run: error: expected a model file but got none; try --help",
        "--input x.npy"),
    run("model-missing",
        "sluice-run: error: cannot open input file 'none.mlir': No such file or directory",
        "none.mlir --target={target}"),
    run("model-folder", "sluice-run: error: cannot open input file '.': Is a directory",
        ". --target={target}"),
    run("model-empty-name", "sluice-run: error: expected a model file but got none; try --help",
        "'' --target={target}"),
    run("model-through-file",
        "sluice-run: error: cannot open input file 'm.mlir/x': Not a directory",
        "m.mlir/x"),
    run("model-link-loop",
        "sluice-run: error: cannot open input file 'loop.mlir': Too many levels of symbolic "
        "links",
        "loop.mlir", {"loop.mlir": pathlib.Path("loop.mlir")}),
    run("model-is-npy", "x.npy:1:1: error: unexpected character\n{{.*}}", "x.npy"),
    run("two-models",
        "sluice-run: error: too many positional arguments specified; can specify at most 1 "
        "positional arguments; try --help",
        "m.mlir m.mlir --input x.npy"),
    run("unknown-option",
        "sluice-run: error: unknown command line argument '--inputs' (did you mean "
        "'--input'?); try --help",
        "m.mlir --inputs x.npy"),
    run("unknown-short-option",
        "sluice-run: error: unknown command line argument '-x' (did you mean '-h'?); try --help",
        "m.mlir -x"),
    run("target-gpu", "sluice-run: for the --target option: Cannot find option named 'gpu'!",
        "m.mlir --target=gpu"),
    run("target-empty", "sluice-run: for the --target option: Cannot find option named ''!",
        "m.mlir --target="),
    run("target-no-value", "sluice-run: for the --target option: requires a value!",
        "m.mlir --target"),
    run("input-no-value", "sluice-run: for the --input option: requires a value!",
        "m.mlir --input"),
    run("no-input", "sluice-run: error: expected 1 --input, one per argument of @f, but got 0",
        "m.mlir --target={target}"),
    run("check-oracle",
        "sluice-run: error: --check compares compiled code with the interpreter; it goes with "
        "--target=cpu",
        "m.mlir --input x.npy --check --target=interpreter"),
    row("second-input", "sluice-run: error: expected 1 --input, one per argument of @f, but got 2",
        "--input x.npy"),
    row("input-missing", "sluice-run: error: cannot read 'none.npy': No such file or directory",
        "--input none.npy", TWO),
    row("input-folder", "sluice-run: error: cannot read '.': Is a directory", "--input .", TWO),
    row("input-is-model",
        "sluice-run: error: 'm.mlir': it is no .npy file: expected it to begin with "
        "'\\x93NUMPY' and a version",
        "--input m.mlir", TWO),
    row("too-many-outputs",
        "sluice-run: error: expected 1 --output, one per result of @f, but got 2",
        "--output a.npy --output b.npy"),
    row("too-many-expects",
        "sluice-run: error: expected 1 --expect, one per result of @f, but got 2",
        "--expect x.npy --expect x.npy"),
    row("expect-missing", "sluice-run: error: cannot read 'none.npy': No such file or directory",
        "--expect none.npy --output y.npy"),
    row("expect-folder", "sluice-run: error: cannot read '.': Is a directory",
        "--expect . --output y.npy"),
    row("expect-dtype",
        "sluice-run: error: 'd.npy': expected elements of f32 ('<f4') but got '<f8'",
        "--expect d.npy", FILES | {"d.npy": npy([1, 2], [1, 2], "<f8")}),
    row("expect-shape",
        "sluice-run: error: result 0 against d.npy: expected tensor<2x1xf32> but got "
        "tensor<1x2xf32>",
        "--expect d.npy", FILES | {"d.npy": npy([2, 1], [1, 2])}),
    row("expect-is-output", "sluice-run: error: cannot read 'none.npy': No such file or directory",
        "--expect none.npy --output none.npy"),
    row("expect-other",
        "sluice-run: error: result 0 against d.npy: element [0, 1] is 2 but 3 was expected "
        "(tolerance 1e-05; 1 of 2 elements differ, largest error 0.3333 relative to the "
        "largest magnitude 3)",
        "--expect d.npy", FILES | {"d.npy": npy([1, 2], [1, 3])}),
    row("expect-nan",
        "sluice-run: error: result 0 against d.npy: element [0, 1] is 2 but nan was expected "
        "(tolerance 1e-05; 1 of 2 elements differ, largest error inf relative to the largest "
        "magnitude 1)",
        "--expect d.npy", FILES | {"d.npy": npy([1, 2], [1, float("nan")])}),
    row("output-folder-missing",
        "sluice-run: error: cannot write 'none/y.npy': No such file or directory",
        "--output none/y.npy"),
    row("output-is-folder", "sluice-run: error: cannot write 'd': it is a directory", "--output d",
        FILES | {"d": None}),
    row("output-through-file", "sluice-run: error: cannot write 'x.npy/y.npy': Not a directory",
        "--output x.npy/y.npy"),
    row("output-empty-name", "sluice-run: error: cannot write '': No such file or directory",
        "--output ''"),
    row("output-same-twice",
        "sluice-run: error: expected another file for each --output but got 'y.npy' twice",
        "--input x.npy --output y.npy --output y.npy",
        {"m.mlir": "func.func @f(%x: tensor<?x2xf32>, %y: tensor<?x2xf32>) "
                   "-> (tensor<?x2xf32>, tensor<?x2xf32>) {\n"
                   "  return %x, %y : tensor<?x2xf32>, tensor<?x2xf32>\n}\n", "x.npy": X}),
    row("output-is-model",
        "sluice-run: error: the output 'm.mlir' is the model itself; name another file by "
        "--output",
        "--output m.mlir"),
    row("output-is-link-to-model",
        "sluice-run: error: the output 'l.npy' is the model itself; name another file by "
        "--output",
        "--output l.npy", FILES | {"l.npy": pathlib.Path("m.mlir")}),
    row("output-is-weights",
        "sluice-run: error: the output './w' is the weight file itself; name another file by "
        "--output",
        "--weights w --output ./w", FILES | {"w": b"weights"}),
    row("output-full-disk", "sluice-run: error: cannot write '/dev/full': No space left on device",
        "--output /dev/full"),
    row("output-too-large", "sluice-run: error: cannot write 'y.npy': File too large",
        "--output y.npy", file_limit=100),
    row("output-long-name",
        "sluice-run: error: cannot write "
        "'{{y+}}': File name too long",
        "--output " + "y" * 300),
    row("second-output-fails",
        "sluice-run: error: cannot write 'none/z.npy': No such file or directory",
        "--input x.npy --output y.npy --output none/z.npy",
        {"m.mlir": "func.func @f(%x: tensor<?x2xf32>, %y: tensor<?x2xf32>) "
                   "-> (tensor<?x2xf32>, tensor<?x2xf32>) {\n"
                   "  return %x, %y : tensor<?x2xf32>, tensor<?x2xf32>\n}\n", "x.npy": X}),
    row("threads-0", "sluice-run: error: expected at least 1 for --threads but got 0",
        "--threads=0"),
    row("threads-negative", "sluice-run: error: expected at least 1 for --threads but got -1",
        "--threads=-1"),
    row("threads-word",
        "sluice-run: for the --threads option: 'two' value invalid for integer argument!",
        "--threads=two"),
    row("threads-overflow",
        "sluice-run: for the --threads option: '99999999999' value invalid for integer "
        "argument!",
        "--threads=99999999999"),
    row("threads-huge", "sluice-run: error: expected at most 1024 for --threads but got 2147483647",
        "--threads=2147483647"),
    row("threads-many", "sluice-run: error: expected at most 1024 for --threads but got 1025",
        "--threads=1025"),
    row("tolerance-nan",
        "sluice-run: error: expected a finite --tolerance of at least 0 but got nan",
        "--tolerance=nan"),
    row("tolerance-negative",
        "sluice-run: error: expected a finite --tolerance of at least 0 but got -0.001",
        "--tolerance=-1e-3"),
    row("tolerance-infinite",
        "sluice-run: error: expected a finite --tolerance of at least 0 but got inf",
        "--tolerance=inf"),
    row("tolerance-word",
        "sluice-run: for the --tolerance option: 'small' value invalid for floating point "
        "argument!",
        "--tolerance=small"),
    row("time-0",
        "sluice-run: error: expected a number of runs of at least 1 for --time but got '0'",
        "--time=0"),
    row("time-negative",
        "sluice-run: error: expected a number of runs of at least 1 for --time but got '-3'",
        "--time=-3"),
    row("time-word",
        "sluice-run: error: expected a number of runs of at least 1 for --time but got 'x'",
        "--time=x"),
    row("time-overflow",
        "sluice-run: error: expected a number of runs of at least 1 for --time but got "
        "'99999999999'",
        "--time=99999999999"),
    row("counters-xml",
        "sluice-run: error: expected --counters or --counters=json but got --counters=xml",
        "--counters=xml"),
    row("cpu-unknown",
        "sluice-run: error: unknown processor 'z9000' for {{.*}}; the nearest names are {{.*}} "
        "(--cpu=help lists all, native is this machine)",
        "--cpu=z9000"),
    row("cpu-empty",
        "sluice-run: error: unknown processor '' for {{.*}}; the nearest names are {{.*}} "
        "(--cpu=help lists all, native is this machine)",
        "--cpu="),
    row("cpu-32-bit",
        "sluice-run: error: unknown processor 'i386' for {{.*}}; the nearest names are {{.*}} "
        "(--cpu=help lists all, native is this machine)",
        "--cpu=i386"),
    row("entry-missing", "sluice-run: error: the model has no public function 'g'; it has f",
        "--entry=g"),
    row("entry-empty", "sluice-run: error: the model has no public function ''; it has f",
        "--entry="),
]

COMPILES = [
    bad("sluicec-nothing", "sluicec",
        "sluicec: error: expected a model file but got none; try --help"),
    bad("sluicec-missing", "sluicec none.mlir",
        "sluicec: error: cannot open input file 'none.mlir': No such file or directory"),
    bad("sluicec-folder", "sluicec . -o m.so",
        "sluicec: error: cannot open input file '.': Is a directory"),
    bad("sluicec-two-models", "sluicec m.mlir m.mlir",
        "sluicec: error: too many positional arguments specified; can specify at most 1 "
        "positional arguments; try --help",
        FILES),
    compile("unknown-option",
        "sluicec: error: unknown command line argument '--emti=so' (did you mean "
        "'--emit=so'?); try --help",
        "--emti=so"),
    compile("emit-exe", "sluicec: for the --emit option: Cannot find option named 'exe'!",
        "--emit=exe"),
    compile("emit-stdout",
        "sluicec: error: expected a file's name after -o, since --emit=so does not write text",
        "-o -"),
    compile("emit-obj-stdout",
        "sluicec: error: expected a file's name after -o, since --emit=obj does not write text",
        "--emit=obj -o -"),
    compile("output-no-value", "sluicec: for the -o option: requires a value!", "-o"),
    compile("output-folder-missing",
        "sluicec: error: cannot write 'none/m.so': No such file or directory",
        "-o none/m.so"),
    compile("output-is-folder", "sluicec: error: cannot write 'd': it is a directory", "-o d",
        FILES | {"d": None}),
    compile("output-is-header",
        "sluicec: error: the output 'm.h' has the name of its own header; choose another suffix",
        "-o m.h"),
    compile("output-is-model",
        "sluicec: error: the output 'm.mlir' is the model itself; name another file by -o",
        "--emit=mlir -o m.mlir"),
    compile("output-link-to-model",
        "sluicec: error: the output 'l.ll' is the model itself; name another file by -o",
        "--emit=llvm -o l.ll", FILES | {"l.ll": pathlib.Path("m.mlir")}),
    compile("output-header-is-folder", "sluicec: error: cannot write 'm.h': it is a directory",
        "-o m.so", FILES | {"m.h": None}),
    compile("output-full-disk", "sluicec: error: cannot write '/dev/full': No space left on device",
        "--emit=asm -o /dev/full"),
    compile("output-so-full-disk", "sluicec: error: cannot write {{.*}}.o: File too large",
        "-o m.so", file_limit=3000),
    compile("output-obj-full-disk", "sluicec: error: cannot write 'm.o': File too large",
        "--emit=obj -o m.o", file_limit=500),
    compile("stdout-full-disk", "sluicec: error: cannot write '/dev/full': No space left on device",
        "--emit=llvm -o /dev/full"),
    compile("cpu-unknown",
        "sluicec: error: unknown processor 'z9000' for {{.*}}; the nearest names are {{.*}} "
        "(--cpu=help lists all, native is this machine)",
        "-o m.so --cpu=z9000"),
    compile("cpu-empty",
        "sluicec: error: unknown processor '' for {{.*}}; the nearest names are {{.*}} "
        "(--cpu=help lists all, native is this machine)",
        "-o m.so --cpu="),
    compile("prefix-digit",
        "sluicec: error: expected a C identifier as prefix but got '2x'; choose one by --prefix",
        "-o m.so --prefix=2x"),
    compile("prefix-keyword",
        "sluicec: error: expected a C identifier as prefix but got 'int'; choose one by "
        "--prefix",
        "-o m.so --prefix=int"),
    compile("prefix-path",
        "sluicec: error: expected a C identifier as prefix but got 'a/b'; choose one by "
        "--prefix",
        "-o m.so --prefix=a/b"),
    compile("weights-not-there",
        "sluicec: error: cannot read weight file '{{.*}}/none.safetensors': No such file or "
        "directory",
        "-o m.so --weights none.safetensors"),
    compile("weights-are-npy",
        "sluicec: error: weight file '{{.*}}/x.npy': expected a header of at most 70 bytes but "
        "its length is given as 379676406402707 (is this a complete safetensors file?)",
        "-o m.so --weights x.npy"),
]


def unreadable(folder):
    for name in ("m.mlir", "x.npy"):
        os.chmod(folder / name, 0)


def unwritable(folder):
    os.chmod(folder / "d", 0o555)


# Who may do everything is refused nothing.
PERMISSIONS = [] if os.geteuid() == 0 else [
    run("model-unreadable", "sluice-run: error: cannot open input file 'm.mlir': Permission denied",
        "m.mlir",
        prepare=unreadable),
    row("output-unwritable", "sluice-run: error: cannot write 'd/y.npy': Permission denied",
        "--output d/y.npy",
        FILES | {"d": None}, prepare=unwritable),
]

CASES = RUNS + COMPILES + PERMISSIONS
