# ===- setup.py - The wheel's platform ------------------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""The part of the package's description that pyproject.toml has no words for: the
wheel is for this platform, because the library in it is, and for every Python 3,
because ctypes calls it. tools/build-wheel calls this."""

from pathlib import Path

from setuptools import setup
from setuptools.dist import Distribution

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:
    from wheel.bdist_wheel import bdist_wheel

if not any(Path(__file__).parent.glob("sluice/_native/libsluice.so.*")):
    raise SystemExit(
        "expected libsluice.so in sluice/_native; build the wheel with tools/build-wheel"
    )


class NativeDistribution(Distribution):
    def has_ext_modules(self):
        return True


class NativeWheel(bdist_wheel):
    def get_tag(self):
        return ("py3", "none", super().get_tag()[2])


setup(distclass=NativeDistribution, cmdclass={"bdist_wheel": NativeWheel})
