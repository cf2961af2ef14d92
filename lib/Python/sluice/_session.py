# ===- _session.py - Sessions and modules ---------------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""From the text of a model to compiled code."""

from __future__ import annotations

import json
import os
import threading
from ctypes import byref, c_void_p
from dataclasses import dataclass
from typing import Any, Callable, Mapping

from . import _capi
from ._capi import CError, DiagnosticFn, Owner, encode, encode_path, lib, take_text
from ._errors import Diagnostic, Error, check
from ._model import Program


@dataclass(frozen=True)
class Value:
    """An input or a result. In `shape`, -1 fits any size. `shape` is None, and
    `dtype` is MLIR's text of the type, for types that only lowered modules have."""

    name: str
    dtype: str
    shape: tuple[int, ...] | None


@dataclass(frozen=True)
class Function:
    """A public function of a model."""

    name: str
    inputs: tuple[Value, ...]
    results: tuple[Value, ...]


@dataclass(frozen=True)
class Weight:
    """A weight that a model needs: the tensor called `tensor`, in which each
    placeholder, like {e}, stands for a number and makes a leading dimension."""

    symbol: str
    tensor: str
    dtype: str
    shape: tuple[int, ...]


def _value(description: Mapping[str, Any]) -> Value:
    shape = description.get("shape")
    return Value(
        description["name"],
        description["dtype"],
        None if shape is None else tuple(shape),
    )


class Session(Owner):
    """Options, and what was said about models.

    Sessions are independent of each other. A session with its modules may be used
    from several threads: they take turns. To compile at the same time, make a
    session for each thread.

    Args:
        target: "native", this machine, or a triple as clang has it, e.g.
            "aarch64-linux-gnu": objects, assembly and LLVM IR for it.
        cpu: "native", this machine, or LLVM's name of a processor of the target,
            e.g. "znver4" or "x86-64-v3". Or several, separated by commas: a file
            has code for each and chooses when it is loaded; for this process the
            best that this machine can run is compiled. None is "native", or for
            another architecture its least able processor.
        parallel: use OpenMP. Results are the same, bit for bit.
        counters: count what routed ops do, for `Model.counters`.
        opt_level: LLVM's optimisation level, 0 to 3.
        threads: OpenMP threads of models that are loaded; 0 is OpenMP's default.
        compile_threads: threads that compile; 0 is one for each processor.
        remarks: report what passes decided, and why.
        on_diagnostic: is called with each Diagnostic, after the call that caused
            it and before its exception, if it has one, is raised.
        options: other options by the names of the C interface.

    Raises:
        Error: an unknown option or value; the text names the nearest ones.
    """

    def __init__(
        self,
        *,
        target: str = "native",
        cpu: str | None = None,
        parallel: bool = True,
        counters: bool = False,
        opt_level: int = 3,
        threads: int = 0,
        compile_threads: int = 1,
        remarks: bool = False,
        on_diagnostic: Callable[[Diagnostic], object] | None = None,
        options: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(lib.sluice_session_destroy)
        self._lock = threading.Lock()
        self._collected: list[Diagnostic] = []
        # Modules that went while another thread had the session.
        self._dead_modules: list[c_void_p] = []
        self._on_diagnostic = on_diagnostic
        error = CError()
        check(lib.sluice_session_create(byref(self._handle), byref(error)), error)
        # The callback must live as long as the session, and must not keep it.
        self._callback = _collector(self._collected)
        check(
            lib.sluice_session_set_diagnostic_handler(
                self._handle, self._callback, None, byref(error)
            ),
            error,
        )
        self.set_option("target", target)
        if cpu is not None:
            self.set_option("cpu", cpu)
        self.set_option("parallel", parallel)
        self.set_option("counters", counters)
        self.set_option("opt-level", opt_level)
        self.set_option("threads", threads)
        self.set_option("compile-threads", compile_threads)
        self.set_option("remarks", remarks)
        for key, value in (options or {}).items():
            self.set_option(key, value)

    def __del__(self) -> None:
        while getattr(self, "_dead_modules", None):
            lib.sluice_module_destroy(self._dead_modules.pop())
        super().__del__()

    def set_option(self, key: str, value: object) -> None:
        """Sets an option for all later calls, by its name in the C interface, e.g.
        "opt-level"; see sluice_session_set_option."""
        text = str(value).lower() if isinstance(value, bool) else str(value)
        self._call(
            lib.sluice_session_set_option,
            self._handle,
            encode(key, "an option's name"),
            encode(text, "an option's value"),
        )

    def get_option(self, key: str) -> str:
        """The value of an option as text."""
        text = c_void_p()
        self._call(
            lib.sluice_session_get_option,
            self._handle,
            encode(key, "an option's name"),
            byref(text),
        )
        return take_text(text.value)

    def parse(
        self, source: str | bytes | os.PathLike[str], name: str | None = None
    ) -> Module:
        """Parses and verifies a model.

        Args:
            source: the model's text, or MLIR bytecode, or the path of a file as a
                pathlib.Path (a string is always text).
            name: stands for the file in diagnostics.

        Raises:
            Error: with all diagnostics, if the model is not valid.
            TypeError: `source` is none of these.
        """
        handle = c_void_p()
        if isinstance(source, os.PathLike):
            if name is not None:
                raise TypeError("expected no name beside the path of a file")
            return self.parse_file(source)
        if isinstance(source, str):
            data = source.encode("utf-8", "surrogateescape")
        elif isinstance(source, (bytes, bytearray, memoryview)):
            data = bytes(source)
        else:
            raise TypeError(
                "expected a model's text or a pathlib.Path but got "
                f"{type(source).__name__}"
            )
        encoded = None if name is None else encode(name, "a name")
        try:
            self._call(
                lib.sluice_module_parse,
                self._handle,
                data,
                len(data),
                encoded,
                byref(handle),
            )
        except Error as error:
            if len(data) < 4096 and b"\n" not in data and os.path.exists(data or b"-"):
                raise Error(
                    f"{error}; a string is a model's text, and {source!r} is a file: "
                    "use parse_file",
                    error.diagnostics,
                ) from None
            raise
        return Module(self, handle)

    def parse_file(self, path: str | os.PathLike[str]) -> Module:
        """Parses and verifies the model in a file; see `parse`."""
        handle = c_void_p()
        self._call(
            lib.sluice_module_parse_file,
            self._handle,
            encode_path(path, "a path"),
            byref(handle),
        )
        return Module(self, handle)

    def _call(self, function: Callable[..., int], *arguments: Any) -> None:
        """Calls a function that may fail, whose last argument is the error."""
        error = CError()
        with self._lock:
            self._collected.clear()
            status = function(*arguments, byref(error))
            diagnostics = tuple(self._collected)
            while self._dead_modules:
                lib.sluice_module_destroy(self._dead_modules.pop())
        if self._on_diagnostic is not None:
            for diagnostic in diagnostics:
                self._on_diagnostic(diagnostic)
        if status != 0:
            raise Error(error.text(), diagnostics)

    def _destroy_module(self, handle: c_void_p) -> None:
        # The garbage collector may come here in the midst of a call.
        if self._lock.acquire(blocking=False):
            try:
                lib.sluice_module_destroy(handle)
            finally:
                self._lock.release()
        else:
            self._dead_modules.append(handle)


def _collector(diagnostics: list[Diagnostic]) -> Any:
    def collect(
        severity: int,
        message: bytes | None,
        file: bytes | None,
        line: int,
        column: int,
        user: int | None,
    ) -> None:
        diagnostics.append(
            Diagnostic(
                _capi.SEVERITIES[severity],
                (message or b"").decode("utf-8", "replace"),
                None if file is None else file.decode("utf-8", "replace"),
                line,
                column,
            )
        )

    return DiagnosticFn(collect)


class Module(Owner):
    """A verified model as IR, made by `Session.parse`. str() is its text."""

    def __init__(self, session: Session, handle: c_void_p) -> None:
        super().__init__(session._destroy_module)
        self._session = session
        self._handle = handle

    def __str__(self) -> str:
        return self._text(lib.sluice_module_print)

    def __repr__(self) -> str:
        return f"<sluice.Module with {', '.join(self.functions) or 'no functions'}>"

    @property
    def session(self) -> Session:
        """The session that it was parsed in."""
        return self._session

    @property
    def functions(self) -> dict[str, Function]:
        """The public functions by name."""
        description = self._describe()
        return {
            function["name"]: Function(
                function["name"],
                tuple(map(_value, function["inputs"])),
                tuple(map(_value, function["results"])),
            )
            for function in description["functions"]
        }

    @property
    def weights(self) -> tuple[Weight, ...]:
        """The weights that the model needs."""
        return tuple(
            Weight(w["symbol"], w["tensor"], w["dtype"], tuple(w["shape"]))
            for w in self._describe()["weights"]
        )

    def clone(self) -> Module:
        """A copy, of the same session."""
        handle = c_void_p()
        self._session._call(lib.sluice_module_clone, self._handle, byref(handle))
        return Module(self._session, handle)

    def run_passes(self, pipeline: str) -> None:
        """Runs passes over the module, e.g. "canonicalize" or
        "sluice-plan-dispatch{rows-per-task=8},cse"; docs/Passes.md describes them.

        Raises:
            Error: no such pass or option, or a pass failed; then the module is
                what it was before.
        """
        self._session._call(
            lib.sluice_module_run_passes, self._handle, encode(pipeline, "a pipeline")
        )

    def compile(self) -> Program:
        """Compiles in memory. The module stays as it is."""
        handle = c_void_p()
        self._session._call(lib.sluice_module_compile, self._handle, byref(handle))
        return Program(handle)

    def write(
        self,
        path: str | os.PathLike[str],
        *,
        prefix: str | None = None,
        weights: str | os.PathLike[str] | None = None,
        kind: str | None = None,
    ) -> None:
        """Compiles to a file, as sluicec does. The module stays as it is. The file
        appears when it is complete.

        Args:
            path: the file. A C header is written beside shared libraries and
                object files, with the same name and .h.
            prefix: what the C functions' names begin with; by default made of the
                file's name.
            weights: a safetensors file that the weights are checked against, and
                that the library opens by default.
            kind: "shared", "object", "assembly" or "llvm-ir"; by default what the
                file's name ends with says: .so, .o, .s or .ll.

        Raises:
            Error: the model cannot be compiled or the file not be written.
            ValueError: an unknown kind.
        """
        if kind is None:
            suffix = os.path.splitext(os.fspath(path))[1]
            if suffix not in _SUFFIXES:
                raise ValueError(
                    f"expected a name that ends with {_join(_SUFFIXES)}, or a kind, "
                    f"but got {os.fspath(path)!r}"
                )
            kind = _SUFFIXES[suffix]
        elif kind not in _KINDS:
            raise ValueError(f"expected the kind {_join(_KINDS)} but got {kind!r}")
        self._session._call(
            lib.sluice_module_write,
            self._handle,
            _KINDS[kind],
            encode_path(path, "a path"),
            None if prefix is None else encode(prefix, "a prefix"),
            None if weights is None else encode_path(weights, "a path of weights"),
        )

    def _text(self, function: Callable[..., int]) -> str:
        text = c_void_p()
        self._session._call(function, self._handle, byref(text))
        return take_text(text.value)

    def _describe(self) -> Any:
        return json.loads(self._text(lib.sluice_module_describe))


_KINDS = {
    "shared": _capi.SHARED_LIBRARY,
    "object": _capi.OBJECT,
    "assembly": _capi.ASSEMBLY,
    "llvm-ir": _capi.LLVM_IR,
}
_SUFFIXES = {".so": "shared", ".o": "object", ".s": "assembly", ".ll": "llvm-ir"}


def _join(names: Mapping[str, object]) -> str:
    first = list(names)
    return f"{', '.join(first[:-1])} or {first[-1]}"
