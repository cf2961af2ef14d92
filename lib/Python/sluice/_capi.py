# ===- _capi.py - The functions of libsluice ------------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""The C interface, include/sluice-c, declared for ctypes."""

from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, c_char_p, c_int, c_int32, c_int64, c_size_t, c_void_p
from pathlib import Path
from typing import Any, Sequence

ABI_VERSION = 0
MAX_RANK = 8

# sluice_dtype, in its order.
DTYPES = ("f32", "f64", "f16", "bf16", "i32", "i64", "bool", "i8")
# sluice_severity, in its order.
SEVERITIES = ("note", "remark", "warning", "error")
# sluice_output.
SHARED_LIBRARY, OBJECT, ASSEMBLY, LLVM_IR = range(4)


class CError(ctypes.Structure):
    """sluice_error"""

    _fields_ = [("message", ctypes.c_char * 1024)]

    def text(self) -> str:
        message: bytes = self.message
        return message.decode("utf-8", "replace")


class CTensor(ctypes.Structure):
    """sluice_tensor"""

    _fields_ = [
        ("data", c_void_p),
        ("dtype", c_int),
        ("rank", c_int32),
        ("shape", c_int64 * MAX_RANK),
        ("allocation", c_void_p),
    ]


class CNamedTensor(ctypes.Structure):
    """sluice_named_tensor"""

    _fields_ = [("name", c_char_p), ("tensor", CTensor)]


class CWeightInfo(ctypes.Structure):
    """sluice_weight_info"""

    _fields_ = [
        ("name", c_char_p),
        ("dtype", c_char_p),
        ("rank", c_int32),
        ("shape", POINTER(c_int64)),
        ("data", c_void_p),
        ("num_bytes", c_int64),
    ]


class CValueInfo(ctypes.Structure):
    """sluice_value_info"""

    _fields_ = [
        ("name", c_char_p),
        ("dtype", c_int),
        ("rank", c_int32),
        ("shape", c_int64 * MAX_RANK),
    ]


DiagnosticFn = ctypes.CFUNCTYPE(
    None, c_int, c_char_p, c_char_p, c_int, c_int, c_void_p
)

_error = POINTER(CError)
# Texts that the caller frees are void pointers here: ctypes would copy a char
# pointer and forget the original.
_text = POINTER(c_void_p)
_new = POINTER(c_void_p)

# name: (result, arguments)
_FUNCTIONS: dict[str, tuple[Any, Sequence[Any]]] = {
    "sluice_version": (c_char_p, []),
    "sluice_abi_version": (c_int, []),
    "sluice_string_free": (None, [c_void_p]),
    "sluice_session_create": (c_int, [_new, _error]),
    "sluice_session_destroy": (None, [c_void_p]),
    "sluice_session_set_option": (c_int, [c_void_p, c_char_p, c_char_p, _error]),
    "sluice_session_get_option": (c_int, [c_void_p, c_char_p, _text, _error]),
    "sluice_session_set_diagnostic_handler": (
        c_int,
        [c_void_p, DiagnosticFn, c_void_p, _error],
    ),
    "sluice_module_parse": (
        c_int,
        [c_void_p, c_char_p, c_size_t, c_char_p, _new, _error],
    ),
    "sluice_module_parse_file": (c_int, [c_void_p, c_char_p, _new, _error]),
    "sluice_module_destroy": (None, [c_void_p]),
    "sluice_module_clone": (c_int, [c_void_p, _new, _error]),
    "sluice_module_print": (c_int, [c_void_p, _text, _error]),
    "sluice_module_run_passes": (c_int, [c_void_p, c_char_p, _error]),
    "sluice_module_describe": (c_int, [c_void_p, _text, _error]),
    "sluice_module_write": (
        c_int,
        [c_void_p, c_int, c_char_p, c_char_p, c_char_p, _error],
    ),
    "sluice_module_compile": (c_int, [c_void_p, _new, _error]),
    "sluice_program_destroy": (None, [c_void_p]),
    "sluice_program_manifest": (c_char_p, [c_void_p]),
    "sluice_program_load": (c_int, [c_void_p, c_void_p, _new, _error]),
    "sluice_weights_open": (c_int, [c_char_p, _new, _error]),
    "sluice_weights_create": (c_int, [POINTER(CNamedTensor), c_int64, _new, _error]),
    "sluice_weights_close": (None, [c_void_p]),
    "sluice_weights_count": (c_int64, [c_void_p]),
    "sluice_weights_info": (c_int, [c_void_p, c_int64, POINTER(CWeightInfo), _error]),
    "sluice_model_destroy": (None, [c_void_p]),
    "sluice_model_set_threads": (None, [c_void_p, c_int]),
    "sluice_model_num_functions": (c_int, [c_void_p]),
    "sluice_model_function_name": (c_char_p, [c_void_p, c_int]),
    "sluice_model_num_inputs": (c_int, [c_void_p, c_int]),
    "sluice_model_num_results": (c_int, [c_void_p, c_int]),
    "sluice_model_input_info": (
        c_int,
        [c_void_p, c_int, c_int, POINTER(CValueInfo), _error],
    ),
    "sluice_model_result_info": (
        c_int,
        [c_void_p, c_int, c_int, POINTER(CValueInfo), _error],
    ),
    "sluice_model_call": (
        c_int,
        [c_void_p, c_int, POINTER(CTensor), c_int, POINTER(CTensor), c_int, _error],
    ),
    "sluice_model_counters_json": (c_void_p, [c_void_p]),
    "sluice_model_reset_counters": (None, [c_void_p]),
    "sluice_tensor_free": (None, [POINTER(CTensor)]),
}


def _find_library() -> str:
    """The library that SLUICE_LIBRARY names, else the wheel's own, else the one
    that the system's loader finds."""
    if path := os.environ.get("SLUICE_LIBRARY"):
        return path
    name = f"libsluice.so.{ABI_VERSION}"
    own = Path(__file__).with_name("_native") / name
    return str(own) if own.exists() else name


def _load() -> Any:
    path = _find_library()
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(
            f"cannot load Sluice's library: {error}; expected it in the package, "
            "at the path in SLUICE_LIBRARY, or where the system's loader looks, and "
            "the libraries of LLVM and MLIR 22 that it was built with beside them"
        ) from None
    for name, (result, arguments) in _FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise ImportError(f"expected a function {name} in {path}") from None
        function.restype = result
        function.argtypes = arguments
    version = library.sluice_abi_version()
    if version != ABI_VERSION:
        raise ImportError(
            f"expected interface version {ABI_VERSION} of {path} but got {version}"
        )
    return library


lib = _load()


class Owner:
    """Has an object of the library, and destroys it."""

    _handle: c_void_p
    _destroy: Any

    def __init__(self, destroy: Any) -> None:
        self._handle = c_void_p()
        # The module may be gone when the interpreter ends.
        self._destroy = destroy

    def __del__(self) -> None:
        # Empty if the constructor failed.
        if getattr(self, "_handle", None):
            self._destroy(self._handle)

    def __reduce__(self) -> Any:
        # A copy would destroy the object, too.
        raise TypeError(f"cannot copy or pickle a sluice.{type(self).__name__}")


def take_text(pointer: int | None) -> str:
    """A text that the library gave away."""
    if pointer is None:
        raise MemoryError("cannot allocate a text")
    try:
        return ctypes.string_at(pointer).decode("utf-8", "replace")
    finally:
        lib.sluice_string_free(pointer)


def encode(text: str, what: str) -> bytes:
    """Text for a C function, which would end at a null character."""
    if not isinstance(text, str):
        raise TypeError(f"expected {what} as a string but got {type(text).__name__}")
    if "\0" in text:
        raise ValueError(f"expected {what} without a null character")
    return text.encode("utf-8", "surrogateescape")


def encode_path(path: str | os.PathLike[str], what: str) -> bytes:
    data = os.fsencode(path)
    if b"\0" in data:
        raise ValueError(f"expected {what} without a null character")
    return data
