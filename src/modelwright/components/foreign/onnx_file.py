"""ONNX files, such as skl2onnx and onnxmltools write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from modelwright.components.errors import MissingExtra
from modelwright.components.foreign.described import Answers, Feature, Said, brought_in, features_of
from modelwright.components.foreign.errors import UnreadableModel
from modelwright.components.learning.learner import Class
from modelwright.data.fitted import Model
from modelwright.data.native import Native

_NUMBERS = ("tensor(float)", "tensor(double)")
_TEXT = "tensor(string)"


def read_onnx(path: Path, said: Said) -> Model:
    """The model in an ONNX file: one matrix of features, or an input for each of them.

    A classifier answers with a matrix or a list of maps of probabilities beside its labels; the
    classes of a matrix are those that somebody says, or numbers from 0.
    Raises MissingExtra and UnreadableModel.
    """
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtra("onnxruntime", "onnx") from None
    content = path.read_bytes()
    try:
        session: Any = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library has an exception of its own for each fault
        raise UnreadableModel(path.name, str(error).splitlines()[0]) from error
    features = _features(session, said, path.name)
    output, keys, classes = _output(session, features, said, path.name)
    notes: dict[str, Any] = {"columns": [f.note() for f in features], "output": output}
    if keys is not None:
        notes["keys"] = keys
    return brought_in(
        Native("onnx", content, notes),
        features,
        Answers(classes),
        said,
        format="ONNX",
        file=path.name,
        libraries=("onnxruntime",),
    )


def _features(session: Any, said: Said, file: str) -> tuple[Feature, ...]:
    inputs = session.get_inputs()
    if len(inputs) == 1 and inputs[0].type != _TEXT:
        width = inputs[0].shape[1] if len(inputs[0].shape) == 2 else None
        if not isinstance(width, int):
            sampled = said.sample.schema.names if said.sample is not None else ()
            named = said.names or said.signed or tuple(n for n in sampled if n != said.label)
            if not named:
                raise UnreadableModel(
                    file,
                    "it does not say how many columns it reads",
                    "Name its features in their order, or give a sample.",
                )
            width = len(named)
        return features_of(width, said, file=file)
    names = [i.name for i in inputs]
    texts = [at for at, i in enumerate(inputs) if i.type == _TEXT]
    return features_of(len(names), said, file=file, known=names, texts=texts)


def _output(
    session: Any, features: tuple[Feature, ...], said: Said, file: str
) -> tuple[str, list[Class] | None, tuple[Class, ...]]:
    """The output that is read, the keys of its maps, and the classes; no class of a regressor."""
    outputs = session.get_outputs()
    maps = [o for o in outputs if o.type.startswith("seq(map(")]
    matrices = [o for o in outputs if o.type in _NUMBERS]
    labels = [o for o in outputs if o.type in ("tensor(int64)", _TEXT)]
    if maps:
        keys = list(_answer(session, maps[0].name, features)[0])
        return maps[0].name, keys, tuple(keys)
    if not matrices:
        raise UnreadableModel(file, "it answers with neither numbers nor probabilities")
    chosen = matrices[-1]
    if not labels:
        return chosen.name, None, ()
    width = np.asarray(_answer(session, chosen.name, features)).reshape(1, -1).shape[1]
    classes = said.classes or tuple(range(width))
    if len(classes) != width:
        raise UnreadableModel(
            file,
            f"it answers for {width} classes, and {len(classes)} are named",
            "Name its classes in the order of its answers.",
        )
    return chosen.name, None, classes


def _answer(session: Any, output: str, features: tuple[Feature, ...]) -> Any:
    """What the model answers for a row of zeros."""
    from modelwright.data.openers.onnx import given

    levels = [feature.note()["levels"] for feature in features]
    (answer,) = session.run([output], given(session, levels, np.zeros((1, len(features)))))
    return answer
