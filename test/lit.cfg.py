# ===- lit.cfg.py - How Sluice's tests are found and run -------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
#
# Environment: SLUICE_VERIFY_ROUNDTRIP=1 makes every sluice-opt of the suite
# print, parse and compare each module that it reads, and each pass's output.

import ctypes
import os
import re
import shlex
import shutil
import subprocess

import lit.formats

config.name = "Sluice"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
# Inputs and Models hold what tests read; the unit tests are a suite of their own.
config.excludes = ["CMakeLists.txt", "Inputs", "Models", "consumer", "unit", "tools"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.sluice_obj_root, "test")

# FileCheck, not, count and split-file are found in PATH; the tools under test
# are substituted by their full path, so that no other build's can be meant.
path = [config.sluice_tools_dir, config.llvm_tools_dir, os.environ.get("PATH", "")]
config.environment["PATH"] = os.path.pathsep.join(path)
for variable in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "OMP_NUM_THREADS", "HOME"):
    if variable in os.environ:
        config.environment[variable] = os.environ[variable]

opt_flags = ""
if os.environ.get("SLUICE_VERIFY_ROUNDTRIP", "0") not in ("", "0"):
    opt_flags = " --verify-roundtrip --verify-roundtrip-each"
    config.available_features.add("roundtrip")

# A name between other letters, dashes or slashes is part of a path or a word.
for tool in sorted(config.sluice_tools, key=len, reverse=True):
    program = os.path.join(config.sluice_tools_dir, tool)
    if not os.path.exists(program):
        continue
    config.available_features.add(tool)
    flags = opt_flags if tool == "sluice-opt" else ""
    config.substitutions.append(
        (r"(?<![\w./%-])" + re.escape(tool) + r"(?![\w./-])",
         shlex.quote(program) + flags)
    )

config.substitutions.append(("%python", shlex.quote(config.python)))
config.substitutions.append(("%numpy_python", shlex.quote(config.numpy_python)))
config.substitutions.append(("%clang", shlex.quote(config.clang)))
config.substitutions.append(("%sluice_src", config.sluice_src_root))
config.substitutions.append(("%sluice_obj", config.sluice_obj_root))
config.substitutions.append(("%sluice_lib", config.sluice_lib_dir))

# For programs that link a library of the build.
sanitize = f"-fsanitize={config.sanitize}" if config.sanitize else ""
config.substitutions.append(("%sanitize", sanitize))

if config.has_numpy:
    config.available_features.add("numpy")
    # The Python package is built and installed without a network, by a Python
    # that has pip, setuptools, wheel and venv; Debian has them as packages.
    try:
        subprocess.run(
            [config.numpy_python, "-c", "import setuptools, ensurepip, pip, venv, wheel"],
            check=True, capture_output=True)
        config.available_features.add("python-wheel")
    except (OSError, subprocess.CalledProcessError):
        pass
    # sluice-bench --plot.
    if subprocess.run([config.numpy_python, "-c", "import matplotlib"],
                      capture_output=True).returncode == 0:
        config.available_features.add("matplotlib")
# What sluice-bench compares with, where there is any.
try:
    ctypes.CDLL("libopenblas.so.0")
    config.available_features.add("openblas")
except OSError:
    pass
try:
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        if {"avx2", "fma"} <= set(cpuinfo.read().split()):
            config.available_features.add("bench-hand")
except OSError:
    pass
# Code for AArch64 is linked with Debian's cross libraries and run by an emulator.
if "clang" in os.path.basename(config.clang) and shutil.which("qemu-aarch64") and all(
        os.path.exists(os.path.join("/usr/aarch64-linux-gnu", name))
        for name in ("lib/libc.a", "include/c++")):
    config.available_features.add("qemu-aarch64")
if shutil.which("dpkg-deb") and shutil.which("dpkg-shlibdeps"):
    config.available_features.add("dpkg")
if "address" in config.sanitize:
    config.available_features.add("asan")
    # LLVM's own libraries are not instrumented: what they keep until the end of
    # the process is not ours to report.
    # LLVM's allocators poison what they hold back, but the code of LLVM's own
    # libraries, which is not instrumented, does not take that back.
    config.environment.setdefault(
        "ASAN_OPTIONS", "detect_leaks=0:allow_user_poisoning=0")
if config.sanitize:
    config.environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
