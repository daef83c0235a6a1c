"""Tree ensembles in LightGBM's text form, evaluated by its C library.

The library is called directly: importing its Python package would bring in scikit-learn, pandas and
more, which takes seconds that a starting endpoint does not have.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from struct import Struct
from threading import Lock
from typing import Any

import numpy as np

from modelwright.data.errors import ModelwrightError
from modelwright.data.leaf_masks import LeafMasks, leaf_masks

_FLOAT64 = 1
_NORMAL = 0
_ONE_THREAD_ROWS = 4_096
# Where masks of leaves begin to be faster, and by one thread stay so.
_MASKED_ROWS = range(8, _ONE_THREAD_ROWS + 1)
_ROW_MAJOR = 1
_FILES = {"linux": "lib_lightgbm.so", "darwin": "lib_lightgbm.dylib", "win32": "lib_lightgbm.dll"}


class MissingLibrary(ModelwrightError):
    """A library that a stored value needs is not installed."""

    code = "missing-library"

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(
            f'The model needs "{library}", which is not installed.',
            remedy=f'Install it with: pip install "modelwright[{extra}]".',
            library=library,
            extra=extra,
        )


class BrokenTrees(ModelwrightError):
    """The text of a tree ensemble cannot be used."""

    code = "broken-tree-ensemble"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The stored tree ensemble cannot be used: {why}.",
            remedy="Train the model again.",
            why=why,
        )


class TreeEnsemble:
    """A loaded ensemble.  Its answers are what the objective makes of the sum of its trees."""

    steady = True

    def __init__(self, text: bytes, *, inputs: int) -> None:
        self._libraries = _libraries()
        self._text = text
        self._taken = Lock()
        freeing, holding = self._libraries
        self._booster = ctypes.c_void_p()
        rounds = ctypes.c_int()
        _check(
            freeing.LGBM_BoosterLoadModelFromString(
                text, ctypes.byref(rounds), ctypes.byref(self._booster)
            )
        )
        outputs = ctypes.c_int()
        _check(freeing.LGBM_BoosterGetNumClasses(self._booster, ctypes.byref(outputs)))
        self._inputs = inputs
        self._outputs = outputs.value
        self._fast = ctypes.c_void_p()
        _check(
            holding.LGBM_BoosterPredictForMatSingleRowFastInit(
                self._booster, _NORMAL, 0, -1, _FLOAT64, inputs, b"", ctypes.byref(self._fast)
            )
        )
        self._row: ctypes.Array[Any] = (ctypes.c_double * inputs)()
        # Half the time of assigning a slice.
        self._put = Struct(f"={inputs}d").pack_into
        self._answer = (ctypes.c_double * self._outputs)()
        self._answers: Any = memoryview(self._answer).cast("B").cast("d")
        self._length = ctypes.c_int64()
        # Bound once: looking them up costs as much as the answer.
        self._score = holding.LGBM_BoosterPredictForMatSingleRowFast
        self._arguments = (
            self._fast,
            ctypes.byref(self._row),
            ctypes.byref(self._length),
            ctypes.byref(self._answer),
        )

    def __del__(self) -> None:
        if getattr(self, "_fast", None):
            self._libraries[0].LGBM_FastConfigFree(self._fast)
        if getattr(self, "_booster", None):
            self._libraries[0].LGBM_BoosterFree(self._booster)

    @cached_property
    def _masks(self) -> LeafMasks | None:
        return leaf_masks(self._text.decode())

    def batch(self, matrix: np.ndarray) -> np.ndarray:
        """(rows, inputs) of float64, NaN where missing → (rows, outputs)."""
        held = np.ascontiguousarray(matrix, dtype=np.float64)
        if len(held) in _MASKED_ROWS and self._masks is not None:
            return self._masks.batch(held)
        answers = np.empty((len(held), self._outputs))
        if not len(held):
            return answers
        length = ctypes.c_int64()
        _check(
            self._libraries[0].LGBM_BoosterPredictForMat(
                self._booster,
                held.ctypes.data_as(ctypes.c_void_p),
                _FLOAT64,
                len(held),
                self._inputs,
                _ROW_MAJOR,
                _NORMAL,
                0,
                -1,
                b"num_threads=1" if len(held) <= _ONE_THREAD_ROWS else b"",
                ctypes.byref(length),
                answers.ctypes.data_as(ctypes.c_void_p),
            )
        )
        return answers

    def row(self, values: list[float]) -> list[float]:
        """One row of `batch`."""
        # The buffers are shared by all callers, and threads may change between any two of these lines.
        with self._taken:
            self._put(self._row, 0, *values)
            if self._score(*self._arguments):
                raise BrokenTrees(_last_error())
            found: list[float] = self._answers.tolist()
        return found


def open_native(content: bytes, notes: Mapping[str, Any]) -> TreeEnsemble:
    """The ensemble of a LightGBM model text.  notes: "inputs", the number of columns it reads.

    Raises MissingLibrary and BrokenTrees.
    """
    return TreeEnsemble(content, inputs=notes["inputs"])


@cache
def _libraries() -> tuple[ctypes.CDLL, ctypes.PyDLL]:
    """The C library, called with the interpreter's lock released, and with it held."""
    spec = find_spec("lightgbm")
    if spec is None or spec.origin is None:
        raise MissingLibrary("lightgbm", "learn")
    folder = Path(spec.origin).parent
    name = _FILES.get(sys.platform, _FILES["linux"])
    for place in (folder / "lib" / name, folder / name, folder / "bin" / name):
        if place.is_file():
            freeing, holding = ctypes.CDLL(str(place)), ctypes.PyDLL(str(place))
            freeing.LGBM_GetLastError.restype = ctypes.c_char_p
            return freeing, holding
    raise MissingLibrary("lightgbm", "learn")


def _check(status: int) -> None:
    if status:
        raise BrokenTrees(_last_error())


def _last_error() -> str:
    message: bytes = _libraries()[0].LGBM_GetLastError()
    return message.decode(errors="replace").rstrip(".")
