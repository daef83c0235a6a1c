"""scikit-learn estimators saved with skops; only types that are known to be harmless are loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from modelwright.data.openers.lightgbm import MissingLibrary

TRUSTED = (
    "sklearn._loss.loss.HalfTweedieLoss",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels.CompoundKernel",
    "sklearn.gaussian_process.kernels.ConstantKernel",
    "sklearn.gaussian_process.kernels.DotProduct",
    "sklearn.gaussian_process.kernels.ExpSineSquared",
    "sklearn.gaussian_process.kernels.Exponentiation",
    "sklearn.gaussian_process.kernels.Matern",
    "sklearn.gaussian_process.kernels.Product",
    "sklearn.gaussian_process.kernels.RBF",
    "sklearn.gaussian_process.kernels.RationalQuadratic",
    "sklearn.gaussian_process.kernels.Sum",
    "sklearn.gaussian_process.kernels.WhiteKernel",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.metrics._dist_metrics.MinkowskiDistance64",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
)
"""Types that skops is not sure of and that run no program; a forged one may end the process."""


class Estimator:
    """A classifier, which answers with a probability per class, or a regressor with a number.

    A classifier without probabilities answers 1 for the class it predicts.
    """

    def __init__(self, content: bytes, notes: Mapping[str, Any]) -> None:
        try:
            import skops.io
        except ImportError:
            raise MissingLibrary("skops", "exchange") from None
        self._estimator: Any = skops.io.loads(content, trusted=list(TRUSTED))
        self._columns = [(c["name"], c["levels"]) for c in notes["columns"]]
        self._named = notes["named"] or any(levels is not None for _, levels in self._columns)
        self._classes = int(notes["classes"])

    def batch(self, matrix: np.ndarray) -> np.ndarray:
        """(rows, inputs) → (rows, classes), or (rows, 1) of a regressor."""
        rows = self._frame(matrix) if self._named else matrix
        if not self._classes:
            numbers = np.asarray(self._estimator.predict(rows), dtype=np.float64)
            return numbers.reshape(len(matrix), 1)
        if hasattr(self._estimator, "predict_proba"):
            return np.asarray(self._estimator.predict_proba(rows), dtype=np.float64)
        predicted = np.asarray(self._estimator.predict(rows))
        found: np.ndarray = (predicted[:, None] == self._estimator.classes_[None, :]).astype(float)
        return found

    def row(self, values: list[float]) -> list[float]:
        """One row of `batch`."""
        answers: list[float] = self.batch(np.array([values], dtype=np.float64))[0].tolist()
        return answers

    def _frame(self, matrix: np.ndarray) -> Any:
        """The rows with the names and texts that the estimator knows."""
        import pandas as pd

        columns = {}
        for at, (name, levels) in enumerate(self._columns):
            values: Any = matrix[:, at]
            if levels is not None:
                texts = np.array([*levels, None], dtype=object)
                known = ~np.isnan(values)
                places = np.where(known, values, len(levels)).astype(np.intp)
                values = texts[places]
            columns[name] = values
        return pd.DataFrame(columns)


def open_native(content: bytes, notes: Mapping[str, Any]) -> Estimator:
    """The estimator.  notes: `columns` with name and levels, whether they are `named`, `classes`."""
    return Estimator(content, notes)
