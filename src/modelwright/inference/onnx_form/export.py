"""Export a serving as ONNX, and prove on its sample rows that it scores alike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.data.native import Native
from modelwright.data.openers.lightgbm import MissingLibrary
from modelwright.data.schema import ColumnType
from modelwright.inference.onnx_form.errors import NotInOnnx, OnnxDiffers
from modelwright.inference.onnx_form.expressions import micros
from modelwright.inference.onnx_form.model import (
    KEPT,
    NO_TIME,
    OnnxModel,
    Place,
    UnsuitableError,
    build,
)
from modelwright.inference.plan import NativePlace
from modelwright.inference.reply import Reply
from modelwright.inference.request import Request, RequestReader, Row
from modelwright.inference.scorer import Scorer
from modelwright.inference.serving import Serving

if TYPE_CHECKING:
    from modelwright.components.library import Library

TOLERANCE = 1e-9
"""Largest difference of a number, relative to its size, that counts as equal."""

TOLERANCE_IN_32_BITS = 1e-5
"""The same for models that compute some of their numbers in 32 bits."""


def export(serving: Serving, *, library: Library | None = None) -> OnnxModel:
    """The serving as an ONNX model.

    Raises NotInOnnx with the step that has no form there, OnnxDiffers when the model does not score
    the sample rows alike, and MissingLibrary without the extra "onnx".
    """
    from modelwright.components.library import library as installed

    known = library or installed()
    require_onnx()
    scorer = Scorer(serving, known)
    model = translate(serving, scorer, known)
    prove(model, scorer, serving)
    return model


def prove(model: OnnxModel, scorer: Scorer, serving: Serving) -> None:
    """Raise OnnxDiffers unless a model scores the sample rows as the serving does."""
    if all(i.samples for i in serving.inputs):
        rows = {i.name: list(i.samples) for i in serving.inputs}
        if why := difference(model, scorer, rows):
            raise OnnxDiffers(serving.name, why)


def require_onnx() -> None:
    """Raise MissingLibrary unless what writes and runs ONNX is installed."""
    for name in ("onnx", "onnxruntime"):
        try:
            __import__(name)
        except ImportError:
            raise MissingLibrary(name, "onnx") from None


def translate(serving: Serving, scorer: Scorer, library: Library) -> OnnxModel:
    """The model, not yet proved.  Raises NotInOnnx."""
    plan = scorer.plan
    if plan.chains is None:
        for step in plan.steps:
            if not step.compiled:
                why = f'"{step.component}" works on whole tables and is no formula'
                raise NotInOnnx(step.node, step.title, why)
        raise NotInOnnx("", serving.name, "an output comes of several inputs")

    def native(place: NativePlace) -> Native:
        artifact: Any = serving.artifacts[place.digest]
        found: Native = artifact.natives[place.name]
        return found

    try:
        return build(serving.name, plan.chains, serving.inputs, native)
    except UnsuitableError as error:
        node = _owner(serving, library, error)
        raise NotInOnnx(node, plan.title(node) if node else serving.name, error.why) from error  # type: ignore[arg-type]  # a node of the plan


def difference(
    model: OnnxModel, scorer: Scorer, requests: Mapping[str, Sequence[Mapping[str, Any]]]
) -> str:
    """How the model's answer to rows differs from the scorer's; empty when it does not.

    Not a number counts as missing, as does empty text, since the model knows no difference.
    """
    reader = RequestReader(scorer.inputs)
    typed = reader.read_values({"Inputs": {n: list(r) for n, r in requests.items()}}).rows
    blurred = {name: [_blurred(row) for row in rows] for name, rows in typed.items()}
    reply = scorer.steps.run(Request(blurred))
    found = run(model, blurred)
    tolerance = TOLERANCE_IN_32_BITS if model.in_32_bits else TOLERANCE
    for place in model.outputs:
        if place.column == KEPT:
            continue
        expected = [_expected(row[place.column], place) for row in reply.results[place.of]]
        if why := _unlike(place, expected, found[place.name], tolerance):
            return why
    return _dropped_unlike(model, reply, found, {n: len(r) for n, r in blurred.items()})


def run(model: OnnxModel, requests: Mapping[str, Sequence[Row]]) -> dict[str, list[Any]]:
    """The model's answer to typed rows, by output tensor; NaN and empty text where a value is missing."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.content, options, providers=["CPUExecutionProvider"]
    )
    feeds = {
        place.name: _tensor(place, [row[place.column] for row in requests[place.of]])
        for place in model.inputs
    }
    names = [p.name for p in model.outputs]
    return {
        name: values.tolist() for name, values in zip(names, session.run(names, feeds), strict=True)
    }


def _owner(serving: Serving, library: Library, error: UnsuitableError) -> str:
    from modelwright.inference.chains import steps_by_node

    if error.expression is None:
        return ""
    for node, expressions in steps_by_node(serving, library):
        if error.expression in expressions:
            return node
    return ""


def _blurred(row: Row) -> Row:
    return {n: None if v == "" or v != v else v for n, v in row.items()}


def _tensor(place: Place, values: list[Any]) -> np.ndarray:
    if place.tensor == "string":
        return np.array(["" if v is None else v for v in values], dtype=object)
    if place.kind is ColumnType.DATETIME:
        return np.array([NO_TIME if v is None else micros(v) for v in values], dtype=np.int64)
    if place.tensor == "double":
        return np.array([math.nan if v is None else v for v in values], dtype=np.float64)
    return np.array(values, dtype=np.bool_ if place.tensor == "bool" else np.int64)


def _expected(value: Any, place: Place) -> Any:
    if isinstance(value, dict):
        return math.nan if value.get("isNan") else math.inf * value["isInfinite"]
    if value is None:
        gaps = {ColumnType.STRING: "", ColumnType.DATETIME: NO_TIME}
        return gaps.get(place.kind, math.nan)
    return micros(value) if isinstance(value, datetime) else value


def _unlike(place: Place, expected: list[Any], found: list[Any], tolerance: float) -> str:
    if len(expected) != len(found):
        return f'"{place.column}" has {len(found)} rows instead of {len(expected)}'
    for row, (wanted, given) in enumerate(zip(expected, found, strict=True)):
        if not _alike(wanted, given, tolerance):
            return f'"{place.column}" is {given!r} instead of {wanted!r} in row {row}'
    return ""


def _alike(wanted: Any, given: Any, tolerance: float) -> bool:
    if wanted == given:
        return True
    if isinstance(wanted, str) or isinstance(given, str):
        return False
    if wanted != wanted or given != given:
        return bool(wanted != wanted and given != given)
    if not (math.isfinite(wanted) and math.isfinite(given)):
        return False
    return bool(abs(wanted - given) <= tolerance * max(abs(wanted), abs(given), 1.0))


def _dropped_unlike(
    model: OnnxModel, reply: Reply, found: Mapping[str, list[Any]], rows: Mapping[str, int]
) -> str:
    for place in model.outputs:
        if place.column == KEPT:
            count = next(iter(rows.values()))
            lost = {d.row for d in reply.dropped}
            kept = [n for n in range(count) if n not in lost]
            # With several outputs one may drop rows that another keeps.
            alone = len({p.of for p in model.outputs}) == 1
            if alone and found[place.name] != kept:
                return "it keeps other rows"
    return ""
