"""scikit-learn models saved with skops, which holds what a model is without being able to run programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from modelwright.components.errors import MissingExtra
from modelwright.components.foreign.described import Answers, Said, brought_in, features_of
from modelwright.components.foreign.errors import UnreadableModel, UntrustedModel
from modelwright.data.fitted import Model
from modelwright.data.native import Native
from modelwright.data.openers.skops import TRUSTED


def read_skops(path: Path, said: Said) -> Model:
    """The classifier or regressor in a file that `skops.io.dump` wrote.

    Raises MissingExtra, UntrustedModel and UnreadableModel.
    """
    try:
        import skops.io
    except ImportError:
        raise MissingExtra("skops", "exchange") from None
    untrusted = [t for t in skops.io.get_untrusted_types(file=path) if t not in TRUSTED]
    if untrusted:
        raise UntrustedModel(path.name, untrusted)
    try:
        estimator: Any = skops.io.load(path, trusted=list(TRUSTED))
    except Exception as error:  # whatever a damaged file leads to
        raise UnreadableModel(path.name, str(error)) from error
    if not hasattr(estimator, "predict"):
        raise UnreadableModel(path.name, f"a {type(estimator).__name__} predicts nothing")
    found = getattr(estimator, "classes_", None)
    if found is None and not _is_regressor(estimator):
        what = f"{type(estimator).__name__} is neither a classifier nor a regressor"
        raise UnreadableModel(path.name, what, "Give a model that predicts a class or a number.")
    if not hasattr(estimator, "n_features_in_"):
        raise UnreadableModel(path.name, "it is not fitted", "Fit the model, then save it.")
    known = [str(n) for n in getattr(estimator, "feature_names_in_", ())]
    features = features_of(int(estimator.n_features_in_), said, file=path.name, known=known)
    classes = tuple(found.tolist()) if found is not None else ()
    columns = [f.note() for f in features]
    for column, name in zip(columns, known, strict=False):
        column["name"] = name
    inside = Native(
        "skops",
        path.read_bytes(),
        {"columns": columns, "named": bool(known), "classes": len(classes)},
    )
    return brought_in(
        inside,
        features,
        Answers(classes),
        said,
        format="scikit-learn",
        file=path.name,
        libraries=("scikit-learn", "skops"),
    )


def _is_regressor(estimator: Any) -> bool:
    from sklearn.base import is_classifier, is_regressor

    # A classifier without classes is one that was not fitted, which is told apart.
    return bool(is_regressor(estimator) or is_classifier(estimator))
