"""ONNX models, evaluated by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modelwright.data.openers.lightgbm import MissingLibrary

_KINDS = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}


class OnnxModel:
    """A session; one thread, so that a row alone gets the same numbers as among others."""

    def __init__(self, content: bytes, notes: Mapping[str, Any]) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise MissingLibrary("onnxruntime", "onnx") from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
        self._levels = [c["levels"] for c in notes["columns"]]
        self._output = str(notes["output"])
        self._keys = notes.get("keys")

    def batch(self, matrix: np.ndarray) -> np.ndarray:
        """(rows, inputs) → (rows, outputs)."""
        (answer,) = self._session.run([self._output], given(self._session, self._levels, matrix))
        if self._keys is not None:
            answer = [[row[key] for key in self._keys] for row in answer]
        return np.asarray(answer, dtype=np.float64).reshape(len(matrix), -1)

    def row(self, values: list[float]) -> list[float]:
        """One row of `batch`."""
        answers: list[float] = self.batch(np.array([values], dtype=np.float64))[0].tolist()
        return answers


def given(session: Any, levels: Sequence[Sequence[str] | None], matrix: np.ndarray) -> Any:
    """What a session is fed for rows as numbers: one matrix, or a column for each input by name.

    levels: of each input the texts that its numbers stand for; None for a number.
    """
    inputs = [(i.name, i.type) for i in session.get_inputs()]
    if len(inputs) == 1 and inputs[0][1] in _KINDS:
        name, kind = inputs[0]
        return {name: matrix.astype(_KINDS[kind])}
    fed = {}
    for at, (name, kind) in enumerate(inputs):
        values, known = matrix[:, at : at + 1], levels[at]
        if known is not None:
            texts = np.array([*known, ""], dtype=object)
            places = np.where(np.isnan(values), len(known), values).astype(np.intp)
            fed[name] = texts[places]
        else:
            fed[name] = values.astype(_KINDS[kind])
    return fed


def open_native(content: bytes, notes: Mapping[str, Any]) -> OnnxModel:
    """The session.  notes: `columns` with name and levels, the `output`, and `keys` where it is a map."""
    return OnnxModel(content, notes)
