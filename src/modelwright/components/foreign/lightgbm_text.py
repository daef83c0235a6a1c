"""LightGBM's own text files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from modelwright.components.foreign.described import Answers, Feature, Said, brought_in, features_of
from modelwright.components.foreign.errors import UnreadableModel
from modelwright.components.foreign.lightgbm_trees import check_trees
from modelwright.data.fitted import Model
from modelwright.data.native import Native
from modelwright.data.schema import ColumnType

_NUMBERS = (
    "regression",
    "regression_l1",
    "huber",
    "fair",
    "poisson",
    "quantile",
    "mape",
    "gamma",
    "tweedie",
)
_PANDAS = "pandas_categorical:"


def read_lightgbm(path: Path, said: Said) -> Model:
    """The model in a file that `Booster.save_model` wrote.

    Objectives for a number, two classes or several.  Text columns are those that were of a pandas
    category type in training; their values are in the file.  Raises UnreadableModel.
    """
    content = path.read_bytes()
    try:
        text = content.decode()
        levels = _levels(text)
    except ValueError as error:
        raise UnreadableModel(path.name, f"it is damaged ({error})") from error
    head = dict(
        line.split("=", 1) for line in text.split("\nTree=", 1)[0].splitlines() if "=" in line
    )
    try:
        names, objective = head["feature_names"].split(" "), head["objective"].split(" ")
        infos, outputs = head["feature_infos"].split(" "), int(head["num_class"])
        each = int(head.get("num_tree_per_iteration", outputs))
    except (KeyError, ValueError) as error:
        raise UnreadableModel(path.name, f"its head lacks {error}") from error
    if each != outputs:
        raise UnreadableModel(path.name, f"it has {each} trees at a time for {outputs} answers")
    check_trees(content, len(names), path.name)
    features = _features(names, infos, levels, said, path.name)
    inside = Native("lightgbm", content, {"inputs": len(features)})
    return brought_in(
        inside,
        features,
        _answers(objective[0], outputs, said, path.name),
        said,
        format="LightGBM",
        file=path.name,
        libraries=("lightgbm",),
    )


def _features(
    names: list[str], infos: list[str], levels: list[list[str]], said: Said, file: str
) -> tuple[Feature, ...]:
    plain = all(name == f"Column_{number}" for number, name in enumerate(names))
    known = () if plain and (said.signed or said.sample is not None) else tuple(names)
    # A category's values are listed as 0:1:2, a number's span as [0:2].
    texts = [at for at, info in enumerate(infos) if info != "none" and not info.startswith("[")]
    if not levels:
        return features_of(len(names), said, file=file, known=known)
    if len(texts) != len(levels):
        raise UnreadableModel(
            file,
            "it has categories that training did not use, so that they cannot be told apart",
            "Save it as ONNX.",
        )
    found = features_of(
        len(names), replace(said, sample=None), file=file, known=known or tuple(names)
    )
    by_place = dict(zip(texts, levels, strict=True))
    return tuple(
        Feature(f.name, ColumnType.STRING, tuple(by_place[at])) if at in by_place else f
        for at, f in enumerate(found)
    )


def _levels(text: str) -> list[list[str]]:
    """The values of the columns that were pandas categories, in the order of these columns."""
    line = next((li for li in reversed(text.splitlines()) if li.startswith(_PANDAS)), None)
    found = json.loads(line.removeprefix(_PANDAS)) if line else None
    return [[str(v) for v in values] for values in found or []]


def _answers(objective: str, outputs: int, said: Said, file: str) -> Answers:
    if objective in _NUMBERS:
        return Answers()
    classes = said.classes or tuple(range(max(outputs, 2)))
    if objective in ("binary", "cross_entropy"):
        wanted = 2
    elif objective in ("multiclass", "multiclassova"):
        wanted = outputs
    else:
        raise UnreadableModel(file, f'its objective "{objective}" predicts no number and no class')
    if len(classes) != wanted:
        raise UnreadableModel(
            file,
            f"it has {wanted} classes, and {len(classes)} are named",
            "Name its classes in the order of their numbers.",
        )
    return Answers(classes, only_positive=objective in ("binary", "cross_entropy"))
