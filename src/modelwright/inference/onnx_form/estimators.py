"""scikit-learn estimators in ONNX, by the converter of their own makers; it computes in 32 bits at places."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelwright.data.native import Native
from modelwright.data.openers.lightgbm import MissingLibrary
from modelwright.inference.onnx_form.errors import NotInOnnxError
from modelwright.inference.onnx_form.writer import OLDER_ML_OPSET, OPSET, GraphWriter


def estimator(writer: GraphWriter, native: Native, matrix: str) -> str:
    """(rows, classes) of a classifier, (rows, 1) of a regressor.  Raises NotInOnnxError, MissingLibrary."""
    notes = native.notes
    if notes["named"] or any(c["levels"] is not None for c in notes["columns"]):
        raise NotInOnnxError("its estimator reads columns by name or as text")
    model = _converted(native, len(notes["columns"]), classes=int(notes["classes"]))
    writer.in_32_bits = True
    if _reads_32_bits(native):
        matrix = writer.as_double(writer.as_short(matrix))
    return _merged(writer, model, matrix)


def _reads_32_bits(native: Native) -> bool:
    """Whether it is made of trees that compare numbers as they are in 32 bits."""
    evaluator: Any = native.evaluator
    found = evaluator._estimator
    return any(hasattr(t, "tree_") for t in np.ravel(getattr(found, "estimators_", [found])))


def _converted(native: Native, width: int, *, classes: int) -> Any:
    try:
        import skl2onnx
        from skl2onnx.common.data_types import DoubleTensorType
    except ImportError:
        raise MissingLibrary("skl2onnx", "onnx") from None
    evaluator: Any = native.evaluator
    found = evaluator._estimator
    if classes and not hasattr(found, "predict_proba"):
        raise NotInOnnxError("its classifier has no probabilities")
    options = {id(found): {"zipmap": False}} if classes else None
    try:
        return skl2onnx.to_onnx(
            found,
            initial_types=[("X", DoubleTensorType([None, width]))],
            options=options,
            target_opset={"": OPSET, "ai.onnx.ml": OLDER_ML_OPSET},
        )
    except (RuntimeError, NotImplementedError, NameError) as error:
        why = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise NotInOnnxError(f"skl2onnx cannot convert {type(found).__name__} ({why})") from None


def _merged(writer: GraphWriter, model: Any, matrix: str) -> str:
    """The operations of another graph as a part of this one; the name of its last output as numbers."""
    from onnx import compose

    # Names are made up there as well.
    inner = compose.add_prefix(model, f"{writer.fresh()} ").graph
    writer.name_output(matrix, inner.input[0].name)
    writer.constants += inner.initializer
    writer.nodes += inner.node
    return writer.as_double(inner.output[-1].name)
