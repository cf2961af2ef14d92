# ===- _model.py - Programs, weights and models ---------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Compiled code, its weights, and calls."""

from __future__ import annotations

import json
import os
from ctypes import byref, c_void_p
from typing import Any, Iterator, Mapping, Sequence

import numpy as np

from ._arrays import as_array, as_output, from_c, to_c
from ._capi import (
    DTYPES,
    CError,
    CNamedTensor,
    CTensor,
    CValueInfo,
    CWeightInfo,
    Owner,
    encode,
    encode_path,
    lib,
    take_text,
)
from ._errors import check


class Weights(Owner):
    """Tensors by name, for `Program.load`.

    Made of the path of a safetensors file, which is mapped and must not change
    while it is in use, or of a mapping from names to arrays (numpy, or with
    __dlpack__). Arrays are borrowed: they must not change as long as a model
    uses them. Those that do not lie in C order are copied.

    Raises:
        Error: the file cannot be read, or is not valid.
        TypeError: an array has an element type that Sluice does not know.
    """

    def __init__(self, source: str | os.PathLike[str] | Mapping[str, Any]) -> None:
        super().__init__(lib.sluice_weights_close)
        self._arrays: list[np.ndarray[Any, Any]] = []
        error = CError()
        if isinstance(source, Mapping):
            tensors = (CNamedTensor * len(source))()
            for tensor, (name, value) in zip(tensors, source.items()):
                where = f"weight {name!r}"
                array = as_array(value, None, where)
                self._arrays.append(array)
                tensor.name = encode(name, "a weight's name")
                to_c(array, tensor.tensor, where)
            status = lib.sluice_weights_create(
                tensors, len(source), byref(self._handle), byref(error)
            )
        else:
            status = lib.sluice_weights_open(
                encode_path(source, "a path"), byref(self._handle), byref(error)
            )
        check(status, error)

    def __len__(self) -> int:
        return int(lib.sluice_weights_count(self._handle))

    def __iter__(self) -> Iterator[str]:
        """The names, in the file's order."""
        return (self._info(i).name.decode() for i in range(len(self)))

    def __repr__(self) -> str:
        return f"<sluice.Weights of {len(self)} tensors>"

    def describe(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Element type, as safetensors files spell it, and shape of each tensor."""
        infos = (self._info(i) for i in range(len(self)))
        return {
            info.name.decode(): (
                info.dtype.decode(),
                tuple(info.shape[d] for d in range(info.rank)),
            )
            for info in infos
        }

    def _info(self, index: int) -> CWeightInfo:
        info, error = CWeightInfo(), CError()
        check(
            lib.sluice_weights_info(self._handle, index, byref(info), byref(error)),
            error,
        )
        return info


class Program(Owner):
    """Compiled code in memory, without weights; made by `Module.compile`. It may be
    used by several threads at once."""

    def __init__(self, handle: c_void_p) -> None:
        super().__init__(lib.sluice_program_destroy)
        self._handle = handle

    @property
    def manifest(self) -> dict[str, Any]:
        """What the code expects and does, as sluice_model_create documents it."""
        manifest: dict[str, Any] = json.loads(lib.sluice_program_manifest(self._handle))
        return manifest

    def load(
        self,
        weights: Weights | str | os.PathLike[str] | Mapping[str, Any] | None = None,
    ) -> Model:
        """Makes a model of the code and weights: Weights, the path of a safetensors
        file, a mapping from names to arrays, or None for a model that has none.
        Any number of models can be made, with the same or other weights.

        Raises:
            Error: a weight is missing, or has another type or shape.
        """
        if weights is not None and not isinstance(weights, Weights):
            weights = Weights(weights)
        handle, error = c_void_p(), CError()
        source = None if weights is None else weights._handle
        check(
            lib.sluice_program_load(self._handle, source, byref(handle), byref(error)),
            error,
        )
        return Model(handle, weights)


class ModelFunction:
    """A function of a loaded model: an attribute of `Model`."""

    def __init__(self, model: Model, index: int, name: str) -> None:
        self._model = model
        self._index = index
        self.__name__ = name
        handle = model._handle
        self._inputs = [
            self._info(lib.sluice_model_input_info, i)
            for i in range(lib.sluice_model_num_inputs(handle, index))
        ]
        self._results = [
            self._info(lib.sluice_model_result_info, i)
            for i in range(lib.sluice_model_num_results(handle, index))
        ]

    def __repr__(self) -> str:
        def text(info: CValueInfo) -> str:
            sizes = ("?" if size < 0 else str(size) for size in info.shape[: info.rank])
            return "x".join([*sizes, DTYPES[info.dtype]])

        inputs = ", ".join(map(text, self._inputs))
        results = ", ".join(map(text, self._results))
        return f"<sluice function {self.__name__}({inputs}) -> ({results})>"

    def __call__(self, *inputs: Any, out: Any = None) -> Any:
        """Runs the function. Several threads may do so at once; Python's lock is
        not held meanwhile.

        Args:
            inputs: arrays: numpy's, or objects with __dlpack__ in main memory.
                Used in place if they lie in C order, else copied. A bfloat16 is
                one of ml_dtypes or DLPack, or its bits as uint16. Other objects
                (lists, numbers) become arrays.
            out: arrays for the results, one or a sequence with one for each, where
                None asks for a new one. They must have the results' types and
                shapes, and lie in C order.

        Returns:
            The result, or a tuple of them if there are several, or None: those in
            `out`, or new arrays, which own what the library allocated.

        Raises:
            TypeError: an array has another element type, or their number is wrong.
            Error: a shape is not the declared one, a check in the model failed, or
                there is not enough memory.
        """
        name = self.__name__
        if len(inputs) != len(self._inputs):
            raise TypeError(
                f"{name}: expected {len(self._inputs)} inputs but got {len(inputs)}"
            )
        buffers = self._buffers(out)
        c_inputs = (CTensor * max(1, len(inputs)))()
        c_results = (CTensor * max(1, len(buffers)))()
        # The arrays must live until the call is over.
        arrays = []
        for i, (value, info) in enumerate(zip(inputs, self._inputs)):
            where = f"{name}: input {_place(i, info)}"
            arrays.append(as_array(value, DTYPES[info.dtype], where))
            to_c(arrays[-1], c_inputs[i], where)
        for i, (buffer, info) in enumerate(zip(buffers, self._results)):
            if buffer is not None:
                where = f"{name}: result {_place(i, info)}"
                arrays.append(as_output(buffer, DTYPES[info.dtype], where))
                to_c(arrays[-1], c_results[i], where)
        error = CError()
        status = lib.sluice_model_call(
            self._model._handle,
            self._index,
            c_inputs,
            len(inputs),
            c_results,
            len(buffers),
            byref(error),
        )
        check(status, error)
        results = tuple(
            from_c(tensor) if buffer is None else buffer
            for tensor, buffer in zip(c_results, buffers)
        )
        if len(results) == 1:
            return results[0]
        return results if results else None

    def _buffers(self, out: Any) -> Sequence[Any]:
        count = len(self._results)
        if out is None:
            return [None] * count
        buffers = list(out) if isinstance(out, (tuple, list)) else [out]
        if len(buffers) != count:
            raise TypeError(
                f"{self.__name__}: expected {count} results in out but got "
                f"{len(buffers)}"
            )
        return buffers

    def _info(self, function: Any, index: int) -> CValueInfo:
        info, error = CValueInfo(), CError()
        check(
            function(
                self._model._handle, self._index, index, byref(info), byref(error)
            ),
            error,
        )
        return info


def _place(index: int, info: CValueInfo) -> str:
    """As the library names an input or a result."""
    name = info.name.decode("utf-8", "replace")
    return f"{index} '{name}'" if name else str(index)


class Model(Owner):
    """Code with weights, ready to run; made by `Program.load`. The functions are
    attributes: `model.moe(x)` is `model.call("moe", x)`. Several threads may call
    one model at once."""

    def __init__(self, handle: c_void_p, weights: Weights | None) -> None:
        super().__init__(lib.sluice_model_destroy)
        self._handle = handle
        # Keeps the arrays that the code reads.
        self._weights = weights
        names = [
            lib.sluice_model_function_name(handle, i).decode()
            for i in range(lib.sluice_model_num_functions(handle))
        ]
        self._indices = {name: i for i, name in enumerate(names)}

    def __repr__(self) -> str:
        return f"<sluice.Model with {', '.join(self._indices) or 'no functions'}>"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._indices]

    def __getattr__(self, name: str) -> ModelFunction:
        if name.startswith("_") and name not in self.__dict__.get("_indices", {}):
            raise AttributeError(name)
        return self.function(name)

    def function(self, name: str) -> ModelFunction:
        """The function called `name`, for names that are no attributes."""
        if name not in self._indices:
            raise AttributeError(
                f"expected one of the functions {', '.join(self._indices)} "
                f"but got {name!r}"
            )
        return ModelFunction(self, self._indices[name], name)

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions' names."""
        return tuple(self._indices)

    def call(self, name: str, *inputs: Any, out: Any = None) -> Any:
        """Runs a function; see `ModelFunction.__call__`."""
        return self.function(name)(*inputs, out=out)

    def set_threads(self, threads: int) -> None:
        """Sets the number of OpenMP threads of later calls; 0 is OpenMP's own
        default. Results do not depend on it."""
        lib.sluice_model_set_threads(self._handle, threads)

    def counters(self) -> list[dict[str, Any]]:
        """What each routed op did since the model was loaded or the counters were
        reset: its "function", "op" and "where" it stands, and its "calls",
        "tokens", "entries", "dropped", "multiply_adds", "weight_bytes" and
        "tokens_per_expert". Empty unless the session has `counters=True`."""
        text = take_text(lib.sluice_model_counters_json(self._handle))
        routed: list[dict[str, Any]] = json.loads(text)["routed"]
        return routed

    def reset_counters(self) -> None:
        """Sets all counters to 0."""
        lib.sluice_model_reset_counters(self._handle)
