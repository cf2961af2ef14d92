# ===- _errors.py - What there is to say about models ---------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Errors and diagnostics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from ._capi import CError


@dataclass(frozen=True)
class Diagnostic:
    """One thing that there is to say about a model.

    `severity` is "error", "warning", "remark" or, for what belongs to the
    diagnostic before it, "note". `file` is None, and `line` and `column` are 0, if
    it has no place in a file; both count from 1."""

    severity: str
    message: str
    file: str | None = None
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.file else ""
        return f"{place}{self.severity}: {self.message}"


class Error(Exception):
    """What is wrong with a model, a weight file, an argument or an output file.

    The text is one line. `diagnostics` has everything that was reported, in
    order; it is empty where no model's IR is involved."""

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic] = ()) -> None:
        super().__init__(message)
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)


def check(status: int, error: CError) -> None:
    """Raises what a function of the library reported."""
    if status != 0:
        raise Error(error.text())
