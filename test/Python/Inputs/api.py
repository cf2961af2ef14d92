# ===- api.py - The Python package's interface ----------------------------===#
#
# Part of the Sluice project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===------------------------------------------------------------------------===#
"""Run by a Python in which the package is installed; see api.test."""

import copy
import ctypes
import gc
import json
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import numpy as np

import sluice

LAYER = """
sluice.weight @w "experts.{e}" : tensor<2x1x2xf32>
func.func @moe(%x: tensor<?x2xf32>) -> tensor<?x1xf32> {
  %w = sluice.get_weight @w : tensor<2x1x2xf32>
  %g = sluice.topk %x, 1 : tensor<?x2xf32>
  %y = sluice.experts by %g : !sluice.gates<?x2xf32, 1 per token>
      (%t = %x : tensor<?x2xf32>) with (%v = %w : tensor<2x1x2xf32>)
      combine sum weight none -> tensor<?x1xf32> {
    %o = sluice.linear %t, %v : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x1xf32>
    sluice.yield %o : tensor<?x1xf32>
  }
  return %y : tensor<?x1xf32>
}
"""
WEIGHTS = {
    "experts.0": np.array([[1, 1]], np.float32),
    "experts.1": np.array([[1, -1]], np.float32),
}
X = np.array([[2, 1], [3, 4], [6, 5]], np.float32)
Y = [[3], [-1], [11]]

# One function for each element type, and one with several results.
TYPES = "".join(
    f"""
func.func @{name}(%x: tensor<?x3x{type}>) -> tensor<?x3x{type}> {{
  return %x : tensor<?x3x{type}>
}}"""
    for name, type in [("f32", "f32"), ("f64", "f64"), ("f16", "f16"), ("bf16", "bf16"),
                       ("i32", "i32"), ("i64", "i64"), ("bool", "i1")]
) + """
func.func @swap(%a: tensor<2xf32>, %b: tensor<2xi32>) -> (tensor<2xi32>, tensor<2xf32>) {
  return %b, %a : tensor<2xi32>, tensor<2xf32>
}
func.func @nothing() { return }
"""


class Tensor:
    """What another library's tensor looks like: DLPack and nothing else."""

    class Description(ctypes.Structure):
        _fields_ = [
            ("data", ctypes.c_void_p), ("device_type", ctypes.c_int32),
            ("device_id", ctypes.c_int32), ("ndim", ctypes.c_int32),
            ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
            ("lanes", ctypes.c_uint16), ("shape", ctypes.POINTER(ctypes.c_int64)),
            ("strides", ctypes.POINTER(ctypes.c_int64)),
            ("byte_offset", ctypes.c_uint64), ("context", ctypes.c_void_p),
            ("deleter", ctypes.c_void_p),
        ]

    def __init__(self, array, code, device=1, strides=True):
        self.array, self.device = array, device
        self.shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        steps = (s // array.itemsize for s in array.strides)
        self.strides = (ctypes.c_int64 * array.ndim)(*steps)
        self.description = self.Description(
            array.ctypes.data, device, 0, array.ndim, code, 8 * array.itemsize, 1,
            self.shape, self.strides if strides else None, 0, None, None)

    def __dlpack_device__(self):
        return (self.device, 0)

    def __dlpack__(self, stream=None):
        new = ctypes.pythonapi.PyCapsule_New
        new.restype = ctypes.py_object
        new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return new(ctypes.addressof(self.description), b"dltensor", None)


class Base(unittest.TestCase):
    def assertFails(self, error, text, function, *arguments, **keywords):
        with self.assertRaises(error) as caught:
            function(*arguments, **keywords)
        self.assertEqual(str(caught.exception), text)
        return caught.exception


class Sessions(Base):
    def test_from_text_to_result(self):
        module = sluice.Session().parse(LAYER)
        model = module.compile().load(WEIGHTS)
        np.testing.assert_array_equal(model.moe(X), Y)
        self.assertEqual(model.functions, ("moe",))
        self.assertIn("moe", dir(model))
        self.assertEqual(repr(model.moe), "<sluice function moe(?x2xf32) -> (?x1xf32)>")

    def test_describes_a_module(self):
        module = sluice.Session().parse(LAYER)
        self.assertEqual(list(module.functions), ["moe"])
        moe = module.functions["moe"]
        self.assertEqual((moe.inputs[0].dtype, moe.inputs[0].shape), ("f32", (-1, 2)))
        self.assertEqual((moe.results[0].dtype, moe.results[0].shape), ("f32", (-1, 1)))
        self.assertEqual(
            module.weights, (sluice.Weight("w", "experts.{e}", "f32", (2, 1, 2)),))
        self.assertIn("sluice.topk", str(module))

    def test_passes_change_a_module_and_not_its_copy(self):
        module = sluice.Session().parse(LAYER)
        copy = module.clone()
        module.run_passes("sluice-plan-pipeline")
        self.assertIn("sluice.plan", str(module))
        self.assertNotIn("sluice.plan", str(copy))
        before = str(module)
        with self.assertRaises(sluice.Error):
            module.run_passes("no-such-pass")
        self.assertEqual(str(module), before)
        np.testing.assert_array_equal(module.compile().load(WEIGHTS).moe(X), Y)

    def test_errors_have_their_place(self):
        seen = []
        session = sluice.Session(on_diagnostic=seen.append)
        text = LAYER.replace("topk %x, 1", "topk %x, 3")
        with self.assertRaises(sluice.Error) as caught:
            session.parse(text, name="layer.mlir")
        message = "expected k between 1 and 2, the number of experts, but got 3"
        self.assertEqual(str(caught.exception), f"layer.mlir:5:8: {message}")
        first = caught.exception.diagnostics[0]
        self.assertEqual(
            first, sluice.Diagnostic("error", message, "layer.mlir", 5, 8))
        self.assertEqual(str(first), f"layer.mlir:5:8: error: {message}")
        self.assertEqual(seen, list(caught.exception.diagnostics))

    def test_options(self):
        session = sluice.Session(cpu="x86-64-v2", parallel=False, options={"threads": 2})
        self.assertEqual(session.get_option("cpu"), "x86-64-v2")
        self.assertEqual(session.get_option("parallel"), "false")
        self.assertEqual(session.get_option("threads"), "2")
        session = sluice.Session(target="aarch64-linux-gnu", cpu="generic,neoverse-v1")
        self.assertEqual(session.get_option("cpu"), "generic,neoverse-v1")
        with tempfile.TemporaryDirectory() as folder:
            session.parse(LAYER).write(Path(folder, "layer.s"))
            self.assertIn("neoverse-v1", Path(folder, "layer.s").read_text())
        with self.assertRaises(sluice.Error) as caught:
            session.parse(LAYER).compile()
        self.assertIn("but got aarch64-unknown-linux-gnu", str(caught.exception))
        for keywords in ({"cpu": "z80"}, {"target": "z80"}, {"opt_level": 4},
                         {"options": {"speed": 1}}):
            with self.assertRaises(sluice.Error):
                sluice.Session(**keywords)

    def test_sources(self):
        session = sluice.Session()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "layer.mlir")
            path.write_text(LAYER)
            for module in (session.parse(path), session.parse_file(str(path)),
                           session.parse(LAYER.encode())):
                self.assertEqual(list(module.functions), ["moe"])
            with self.assertRaises(sluice.Error) as caught:
                session.parse(str(path))
            self.assertTrue(str(caught.exception).endswith("use parse_file"))
        with self.assertRaises(sluice.Error):
            session.parse_file(Path(folder, "gone.mlir"))
        self.assertFails(
            TypeError, "expected a model's text or a pathlib.Path but got int",
            session.parse, 1)
        self.assertFails(
            ValueError, "expected a pipeline without a null character",
            session.parse(LAYER).run_passes, "cse\0")

    def test_objects_go_in_any_order(self):
        module = sluice.Session().parse(LAYER)
        program = module.compile()
        del module
        model = program.load(dict(WEIGHTS))
        del program
        gc.collect()
        y = model.moe(X)
        del model
        gc.collect()
        np.testing.assert_array_equal(y, Y)

    def test_objects_cannot_be_copied(self):
        session = sluice.Session()
        module = session.parse(LAYER)
        program = module.compile()
        weights = sluice.Weights(WEIGHTS)
        for value in (session, module, program, weights, program.load(weights)):
            for way in (copy.copy, copy.deepcopy, pickle.dumps):
                self.assertFails(
                    TypeError,
                    f"cannot copy or pickle a sluice.{type(value).__name__}",
                    way, value)

    def test_threads_share_a_session_and_a_model(self):
        session = sluice.Session(parallel=False)
        models, failures = [], []

        def compile_one():
            try:
                module = session.parse(LAYER)
                models.append(module.compile().load(WEIGHTS))
                for _ in range(50):
                    np.testing.assert_array_equal(models[0].moe(X), Y)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=compile_one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_counters(self):
        model = sluice.Session(counters=True).parse(LAYER).compile().load(WEIGHTS)
        model.moe(X)
        (counters,) = model.counters()
        self.assertEqual(counters["tokens_per_expert"], [2, 1])
        model.reset_counters()
        self.assertEqual(model.counters()[0]["calls"], 0)
        model.set_threads(1)
        np.testing.assert_array_equal(model.moe(X), Y)


class Files(Base):
    def test_writes_what_other_programs_load(self):
        module = sluice.Session().parse(LAYER)
        with tempfile.TemporaryDirectory() as folder:
            for name in ("a.so", "b.o", "c.s", "d.ll"):
                module.write(Path(folder, name), prefix="layer")
            self.assertEqual(
                sorted(os.listdir(folder)), ["a.h", "a.so", "b.h", "b.o", "c.s", "d.ll"])
            self.assertTrue(hasattr(ctypes.CDLL(f"{folder}/a.so"), "layer_moe"))
            with self.assertRaises(sluice.Error):
                module.write(f"{folder}/no/a.so")
            self.assertFails(
                ValueError, "expected a name that ends with .so, .o, .s or .ll, or a "
                "kind, but got 'a.dll'", module.write, "a.dll")
            self.assertFails(
                ValueError, "expected the kind shared, object, assembly or llvm-ir but "
                "got 'exe'", module.write, "a.so", kind="exe")


class Arrays(Base):
    @classmethod
    def setUpClass(cls):
        cls.model = sluice.Session(parallel=False).parse(TYPES).compile().load()
        cls.layer = sluice.Session().parse(LAYER).compile().load(WEIGHTS)

    def test_element_types(self):
        for name in ("f32", "f64", "f16", "bf16", "i32", "i64", "bool"):
            dtype = sluice.numpy_dtype(name)
            x = np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype)
            y = self.model.call(name, x)
            self.assertEqual(y.dtype, dtype)
            np.testing.assert_array_equal(y, x)
            self.assertFalse(np.shares_memory(x, y))
        with self.assertRaises(ValueError):
            sluice.numpy_dtype("f8")

    def test_other_element_types_are_errors(self):
        self.assertFails(
            TypeError, "f32: input 0: expected the element type f32 but got float64; "
            "convert it, e.g. with astype('float32')", self.model.f32, np.zeros((2, 3)))
        with self.assertRaises(TypeError):
            self.model.f32(np.zeros((2, 3), ">f4"))
        with self.assertRaises(TypeError):
            self.model.f32(np.array([["a", "b", "c"]]))

    def test_other_layouts_are_copied(self):
        x = np.arange(12, dtype=np.float32).reshape(3, 4).T[:, ::-1]
        np.testing.assert_array_equal(self.model.f32(x), x)
        odd = np.frombuffer(bytearray(25), np.uint8)[1:].view(np.float32).reshape(2, 3)
        np.testing.assert_array_equal(self.model.f32(odd), odd)

    def test_lists_become_arrays(self):
        np.testing.assert_array_equal(self.model.f32([[1, 2, 3]]), [[1, 2, 3]])

    def test_shapes(self):
        self.assertFails(
            sluice.Error, "f32: input 0: expected tensor<?x3xf32> but got "
            "tensor<2x4xf32>; dimension 1 must be 3",
            self.model.f32, np.zeros((2, 4), np.float32))
        self.assertFails(
            ValueError, "f32: input 0: expected at most 8 dimensions but got 9",
            self.model.f32, np.zeros((1,) * 9, np.float32))
        self.assertEqual(self.model.f32(np.zeros((0, 3), np.float32)).shape, (0, 3))
        self.assertEqual(self.layer.moe(np.zeros((0, 2), np.float32)).shape, (0, 1))

    def test_numbers_of_arguments(self):
        a, b = np.array([1, 2], np.float32), np.array([3, 4], np.int32)
        c, d = self.model.swap(a, b)
        np.testing.assert_array_equal(c, b)
        np.testing.assert_array_equal(d, a)
        self.assertIsNone(self.model.nothing())
        self.assertFails(
            TypeError, "swap: expected 2 inputs but got 1", self.model.swap, a)
        self.assertFails(
            TypeError, "swap: expected 2 results in out but got 1",
            self.model.swap, a, b, out=a)
        self.assertFails(
            AttributeError, "expected one of the functions f32, f64, f16, bf16, i32, "
            "i64, bool, swap, nothing but got 'mow'", self.model.call, "mow")
        self.assertFalse(hasattr(self.model, "mow"))

    def test_results_in_the_callers_memory(self):
        y = np.empty((3, 1), np.float32)
        self.assertIs(self.layer.moe(X, out=y), y)
        np.testing.assert_array_equal(y, Y)
        other = np.empty(2, np.int32)
        swapped = self.model.swap(
            np.array([1, 2], np.float32), np.array([3, 4], np.int32), out=(other, None))
        self.assertIs(swapped[0], other)
        np.testing.assert_array_equal(swapped[1], [1, 2])

        with self.assertRaises(sluice.Error):
            self.layer.moe(X, out=np.empty((2, 1), np.float32))
        where = "moe: result 0: expected "
        self.assertFails(TypeError, where + "the element type f32 but got float64; "
                         "convert it, e.g. with astype('float32')",
                         self.layer.moe, X, out=np.empty((3, 1)))
        self.assertFails(ValueError, where + "an array in C order, without gaps",
                         self.layer.moe, X, out=np.empty((3, 2), np.float32)[:, :1])
        self.assertFails(TypeError, where + "an array to write to but got int",
                         self.layer.moe, X, out=3)
        y.flags.writeable = False
        self.assertFails(ValueError, where + "an array that may be written",
                         self.layer.moe, X, out=y)

    def test_dlpack_in(self):
        for strides in (True, False):
            x = Tensor(X, 2, strides=strides)
            np.testing.assert_array_equal(self.layer.moe(x), Y)
        np.testing.assert_array_equal(self.layer.moe(Tensor(X[::-1], 2)), Y[::-1])
        bits = np.array([[0x3F80, 0x4000, 0x4040]], np.uint16)
        y = self.model.bf16(Tensor(bits, 4))
        np.testing.assert_array_equal(y.view(np.uint16), bits)
        np.testing.assert_array_equal(self.model.bf16(bits).view(np.uint16), bits)
        y = np.zeros((3, 1), np.float32)
        self.layer.moe(X, out=Tensor(y, 2))
        np.testing.assert_array_equal(y, Y)
        self.assertFails(ValueError, "moe: result 0: expected a tensor in C order, "
                         "without gaps", self.layer.moe, X,
                         out=Tensor(np.zeros((3, 2), np.float32)[:, :1], 2))
        self.assertFails(
            ValueError, "moe: input 0: expected a tensor in main memory but it is on "
            "device 2:0 (DLPack); copy it to the processor",
            self.layer.moe, Tensor(X, 2, device=2))
        self.assertFails(
            TypeError, "moe: input 0: expected one of the element types f32, f64, f16, "
            "bf16, i32, i64, bool, i8 but got DLPack's type code 5 with 64 bits",
            self.layer.moe, Tensor(np.zeros((2, 2), np.complex64), 5))

    def test_dlpack_out(self):
        y = np.from_dlpack(self.layer.moe(X))
        gc.collect()
        np.testing.assert_array_equal(y, Y)


class Weights(Base):
    def test_arrays_are_used_in_place(self):
        program = sluice.Session().parse(LAYER).compile()
        model = program.load({f"experts.{e}": Tensor(WEIGHTS[f"experts.{e}"], 2)
                              for e in range(2)})
        np.testing.assert_array_equal(model.moe(X), Y)
        self.assertFails(
            TypeError, "weight 'experts.0': expected the element type one of f32, f64, "
            "f16, bf16, i32, i64, bool, i8 but got complex64", program.load,
            {"experts.0": np.zeros(2, np.complex64)})
        self.assertFails(TypeError, "expected a weight's name as a string but got int",
                         program.load, {0: X})

    def test_file(self):
        header, data = {}, b""
        for name, array in WEIGHTS.items():
            end = len(data) + array.nbytes
            header[name] = {"dtype": "F32", "shape": array.shape,
                            "data_offsets": [len(data), end]}
            data += array.tobytes()
        text = json.dumps(header).encode()
        program = sluice.Session().parse(LAYER).compile()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "layer.safetensors")
            path.write_bytes(struct.pack("<Q", len(text)) + text + data)
            for source in (path, str(path), sluice.Weights(path)):
                np.testing.assert_array_equal(program.load(source).moe(X), Y)
            path.write_bytes(b"short")
            with self.assertRaises(sluice.Error):
                sluice.Weights(path)

    def test_models_share_weights(self):
        program = sluice.Session().parse(LAYER).compile()
        weights = sluice.Weights(WEIGHTS)
        self.assertEqual(list(weights), ["experts.0", "experts.1"])
        self.assertEqual(weights.describe()["experts.1"], ("F32", (1, 2)))
        for _ in range(2):
            np.testing.assert_array_equal(program.load(weights).moe(X), Y)

    def test_missing_weights(self):
        program = sluice.Session().parse(LAYER).compile()
        with self.assertRaises(sluice.Error):
            program.load()
        with self.assertRaises(sluice.Error):
            program.load({"experts.0": WEIGHTS["experts.0"]})
        with self.assertRaises(sluice.Error):
            program.load("no-such.safetensors")


class Import(unittest.TestCase):
    def test_no_library(self):
        done = subprocess.run(
            [sys.executable, "-c", "import sluice"], capture_output=True, text=True,
            env={**os.environ, "SLUICE_LIBRARY": "/nowhere/libsluice.so"})
        self.assertIn("ImportError: cannot load Sluice's library: ", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=1)
