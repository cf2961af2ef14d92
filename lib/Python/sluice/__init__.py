# ===- __init__.py - The compiler as a Python package ---------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Compiles and runs networks in which a router decides, per token, which experts
run.

    import sluice

    session = sluice.Session()
    module = session.parse_file("layer.mlir")
    model = module.compile().load("weights.safetensors")
    y = model.moe(x)                    # numpy arrays, or anything with __dlpack__

What is wrong with a model is a sluice.Error. docs/Embedding.md has a complete
program."""

from ._arrays import numpy_dtype
from ._capi import lib as _lib
from ._errors import Diagnostic, Error
from ._model import Model, ModelFunction, Program, Weights
from ._session import Function, Module, Session, Value, Weight

__version__: str = _lib.sluice_version().decode()

__all__ = [
    "Diagnostic",
    "Error",
    "Function",
    "Model",
    "ModelFunction",
    "Module",
    "Program",
    "Session",
    "Value",
    "Weight",
    "Weights",
    "numpy_dtype",
]
