# ===- _arrays.py - Arrays in and out -------------------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Tensors of the C interface from and to numpy arrays, and DLPack.

An array goes in without a copy if it lies in C order and has the element type
that the model wants. Another order is copied; another element type is an error,
because a conversion that nobody sees is slow and may lose digits. What is no
array (a list, a number) is made one of the right type."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_int32, c_int64, c_uint8, c_uint16, c_uint64, c_void_p
from typing import Any

import numpy as np

from ._capi import DTYPES, MAX_RANK, CTensor, lib

try:
    # Registers bfloat16 with numpy.
    import ml_dtypes

    _BF16 = np.dtype(ml_dtypes.bfloat16)
except ImportError:
    _BF16 = np.dtype(np.uint16)

_NUMPY: dict[str, np.dtype[Any]] = {
    "f32": np.dtype(np.float32),
    "f64": np.dtype(np.float64),
    "f16": np.dtype(np.float16),
    "bf16": _BF16,
    "i32": np.dtype(np.int32),
    "i64": np.dtype(np.int64),
    "bool": np.dtype(np.bool_),
    "i8": np.dtype(np.int8),
}
# The bits of a bfloat16 are what an array of uint16 can only mean.
_SLUICE: dict[np.dtype[Any], str] = {dtype: name for name, dtype in _NUMPY.items()}
_SLUICE[np.dtype(np.uint16)] = "bf16"
# Bytes are what the model says they are.
_SLUICE[np.dtype(np.uint8)] = "i8"


def numpy_dtype(dtype: str) -> np.dtype[Any]:
    """The numpy type of results of the element type `dtype`, e.g. "f32". For
    "bf16" that is ml_dtypes.bfloat16 where the package ml_dtypes is installed, and
    otherwise uint16, with the bits."""
    try:
        return _NUMPY[dtype]
    except KeyError:
        raise ValueError(
            f"expected one of {', '.join(DTYPES)} but got {dtype!r}"
        ) from None


class _DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", c_void_p),
        ("device_type", c_int32),
        ("device_id", c_int32),
        ("ndim", c_int32),
        ("code", c_uint8),
        ("bits", c_uint8),
        ("lanes", c_uint16),
        ("shape", POINTER(c_int64)),
        ("strides", POINTER(c_int64)),
        ("byte_offset", c_uint64),
    ]


_get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_get_pointer.restype = c_void_p
_get_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]

# kDLCPU and kDLCUDAHost, which the processor reads as well.
_HOST_DEVICES = (1, 3)
# (DLDataTypeCode, bits)
_DLPACK = {
    (2, 32): np.dtype(np.float32),
    (2, 64): np.dtype(np.float64),
    (2, 16): np.dtype(np.float16),
    (4, 16): _BF16,
    (0, 8): np.dtype(np.int8),
    (1, 8): np.dtype(np.uint8),
    (0, 32): np.dtype(np.int32),
    (0, 64): np.dtype(np.int64),
    (6, 8): np.dtype(np.bool_),
    (1, 16): np.dtype(np.uint16),
}


class _Memory:
    """Memory that numpy wraps: an array over it keeps this object."""

    def __init__(
        self,
        address: int,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        strides: tuple[int, ...] | None,
        owner: Any,
    ) -> None:
        self._owner = owner
        self._dtype = dtype
        # Types that numpy does not know itself have no typestr: by their bits.
        known = dtype.kind != "V" and dtype is not _BF16
        self.__array_interface__ = {
            "version": 3,
            "data": (address, False),
            "typestr": dtype.str if known else f"<u{dtype.itemsize}",
            "shape": shape,
            "strides": strides,
        }

    def array(self) -> np.ndarray[Any, Any]:
        return np.asarray(self).view(self._dtype)


def _from_dlpack(value: Any, where: str) -> np.ndarray[Any, Any]:
    """A view of what `value.__dlpack__()` describes. numpy's own from_dlpack
    refuses bfloat16. The capsule stays the owner, and frees what it describes
    when the view goes."""
    device = value.__dlpack_device__()
    if int(device[0]) not in _HOST_DEVICES:
        raise ValueError(
            f"{where}: expected a tensor in main memory but it is on device "
            f"{int(device[0])}:{int(device[1])} (DLPack); copy it to the processor"
        )
    capsule = value.__dlpack__()
    tensor = _DLTensor.from_address(_get_pointer(capsule, b"dltensor"))
    dtype = _DLPACK.get((tensor.code, tensor.bits))
    if dtype is None or tensor.lanes != 1:
        raise TypeError(
            f"{where}: expected one of the element types {', '.join(DTYPES)} but got "
            f"DLPack's type code {tensor.code} with {tensor.bits} bits"
        )
    shape = tuple(tensor.shape[i] for i in range(tensor.ndim))
    if 0 in shape:
        return np.empty(shape, dtype)
    strides = None
    if tensor.strides:
        strides = tuple(tensor.strides[i] * dtype.itemsize for i in range(tensor.ndim))
    address = (tensor.data or 0) + tensor.byte_offset
    return _Memory(address, dtype, shape, strides, capsule).array()


def as_array(value: Any, dtype: str | None, where: str) -> np.ndarray[Any, Any]:
    """`value` as an array that lies in C order: itself if possible. `dtype` is the
    element type that is wanted; None takes any that Sluice knows."""
    if isinstance(value, np.ndarray):
        array = value
    elif hasattr(value, "__dlpack__") and hasattr(value, "__dlpack_device__"):
        array = _from_dlpack(value, where)
    else:
        array = np.asarray(value, None if dtype is None else numpy_dtype(dtype))
    found = _SLUICE.get(array.dtype)
    if found is None or (dtype is not None and found != dtype):
        wanted = dtype or "one of " + ", ".join(DTYPES)
        hint = f"; convert it, e.g. with astype({numpy_dtype(dtype).name!r})" if (
            dtype is not None
        ) else ""
        raise TypeError(
            f"{where}: expected the element type {wanted} but got {array.dtype}{hint}"
        )
    return np.require(array, requirements=["C", "A"])


def as_output(value: Any, dtype: str, where: str) -> np.ndarray[Any, Any]:
    """A buffer that a result is written to: never a copy."""
    if not isinstance(value, np.ndarray) and not hasattr(value, "__dlpack__"):
        raise TypeError(
            f"{where}: expected an array to write to but got {type(value).__name__}"
        )
    array = as_array(value, dtype, where)
    if isinstance(value, np.ndarray):
        if array is not value and not np.shares_memory(array, value):
            raise ValueError(f"{where}: expected an array in C order, without gaps")
        if not value.flags.writeable:
            raise ValueError(f"{where}: expected an array that may be written")
    elif array.flags.owndata and array.size:
        raise ValueError(f"{where}: expected a tensor in C order, without gaps")
    return array


def to_c(array: np.ndarray[Any, Any], tensor: CTensor, where: str) -> None:
    """Describes an array, which must live as long as the description."""
    if array.ndim > MAX_RANK:
        raise ValueError(
            f"{where}: expected at most {MAX_RANK} dimensions but got {array.ndim}"
        )
    tensor.data = array.ctypes.data
    tensor.dtype = DTYPES.index(_SLUICE[array.dtype])
    tensor.rank = array.ndim
    tensor.shape[: array.ndim] = array.shape
    tensor.allocation = None


class _Allocation:
    """A tensor that the library allocated."""

    def __init__(self, tensor: CTensor) -> None:
        self._tensor = ctypes.pointer(CTensor.from_buffer_copy(tensor))
        # The module may be gone when the interpreter ends.
        self._free = lib.sluice_tensor_free

    def __del__(self) -> None:
        self._free(self._tensor)


def from_c(tensor: CTensor) -> np.ndarray[Any, Any]:
    """An array over a result, which it owns."""
    dtype = _NUMPY[DTYPES[tensor.dtype]]
    shape = tuple(tensor.shape[: tensor.rank])
    owner = _Allocation(tensor)
    if 0 in shape:
        return np.empty(shape, dtype)
    return _Memory(tensor.data, dtype, shape, None, owner).array()
