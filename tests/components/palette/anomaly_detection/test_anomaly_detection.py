from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sklearn.decomposition import PCA
from tests.components.learning.trials import scored_one_by_one, with_gaps

from modelwright.components.context import Context
from modelwright.components.errors import EmptyTable, InvalidParameter
from modelwright.components.learning.errors import NoFeatureColumns, NoLabelColumn, WrongLearner
from modelwright.components.outline import LearnerOutline, ModelOutline, outline_of
from modelwright.components.palette.anomaly_detection.pca_based_anomaly_detection import (
    PCABasedAnomalyDetection,
)
from modelwright.components.palette.anomaly_detection.train_anomaly_detection_model import (
    TrainAnomalyDetectionModel,
)
from modelwright.components.palette.model_scoring_and_evaluation.evaluate_model import (
    EvaluateModel,
)
from modelwright.components.palette.model_scoring_and_evaluation.score_model import ScoreModel
from modelwright.components.palette.regression.linear_regression import LinearRegression
from modelwright.data.fitted import Model
from modelwright.data.schema import Role
from modelwright.data.table import Table


def sheet(rows: int = 300, *, thickness: float = 0.05) -> pl.DataFrame:
    """Points near a plane in five dimensions, with a text that goes with the side they are on."""
    chance = np.random.default_rng(rows)
    flat = chance.normal(size=(rows, 2)) * [3, 2]
    directions = np.array([[1.0, 1, 0, 0, 1], [0, 1, 1, -1, 0]])
    points = flat @ directions + chance.normal(0, thickness, (rows, 5)) + 10
    return pl.DataFrame({f"x{at}": points[:, at] for at in range(5)})


def with_strangers() -> Table:
    """Rows of the sheet, labelled 1, and after them some off the sheet, labelled 0."""
    chance = np.random.default_rng(9)
    odd = pl.DataFrame({f"x{at}": chance.normal(10, 4, 30) for at in range(5)})
    frame = pl.concat([sheet(100).with_columns(y=pl.lit(1)), odd.with_columns(y=pl.lit(0))])
    return Table(frame).mark("y", role=Role.LABEL)


def detector(frame: pl.DataFrame | None = None, **parameters: Any) -> Model:
    learner = PCABasedAnomalyDetection(**parameters)
    table = Table(sheet() if frame is None else frame)
    return TrainAnomalyDetectionModel().run(learner.run(), table, context=Context())


def normality(model: Model, frame: pl.DataFrame) -> np.ndarray:
    return model.score(Table(frame)).frame["Scored Probabilities"].to_numpy()


def by_hand(frame: pl.DataFrame, count: int) -> np.ndarray:
    """How the error that 99 of 100 rows of training stay below compares with scikit-learn's error."""
    matrix = sheet().to_numpy()
    pca = PCA(count, svd_solver="full").fit(matrix)

    def error(rows: np.ndarray) -> np.ndarray:
        away = rows - pca.inverse_transform(pca.transform(rows))
        squares: np.ndarray = (away**2).sum(axis=1)
        return squares

    usual = np.quantile(error(matrix), 0.99)
    found: np.ndarray = usual / (usual + error(frame.to_numpy()))
    return found


@pytest.mark.parametrize("count", [1, 2, 3])
def test_normality_is_what_principal_components_leave(count: int) -> None:
    model = detector(number_of_components=count, oversampling=5)
    new = sheet(40)
    np.testing.assert_allclose(normality(model, new), by_hand(new, count), atol=1e-7)


def test_rows_off_the_sheet_are_found() -> None:
    scored = ScoreModel().run(detector(), with_strangers())
    found = EvaluateModel().run(scored, context=Context()).frame
    assert found["AUC"][0] > 0.95
    labels = scored.frame["Scored Labels"].to_list()
    assert sum(labels[:100]) > 95
    assert sum(labels[100:]) < 15


def test_fewer_components_explain_less() -> None:
    one, two = (detector(number_of_components=n).learnt["usual_error"] for n in (1, 2))
    assert one > 10 * two


def test_a_row_far_off_along_and_across_the_sheet_is_an_anomaly() -> None:
    # Measured by the share of its length it would pass for normal: it is far along the sheet, too.
    frame = sheet()
    matrix = frame.to_numpy()
    pca = PCA(5, svd_solver="full").fit(matrix)
    far = matrix.mean(axis=0) + 100 * pca.components_[0] + 3 * pca.components_[4]
    row = pl.DataFrame({f"x{at}": [far[at]] for at in range(5)})
    assert normality(detector(), row)[0] < 0.1
    along = matrix.mean(axis=0) + 100 * pca.components_[0]
    row = pl.DataFrame({f"x{at}": [along[at]] for at in range(5)})
    assert normality(detector(oversampling=3), row)[0] > 0.5


def test_one_in_a_hundred_rows_of_training_counts_as_odd() -> None:
    labels = detector().score(Table(sheet())).frame["Scored Labels"]
    assert labels.to_list().count(0) == 3


def test_more_random_directions_come_closer_to_the_exact_components() -> None:
    chance = np.random.default_rng(1)
    frame = pl.DataFrame({f"x{at}": chance.normal(0, 1.05**at, 200) for at in range(30)})
    exact = PCA(2, svd_solver="full").fit(frame.to_numpy())

    def off(oversampling: int) -> float:
        learnt = detector(frame, oversampling=oversampling).learnt["components"]
        held = np.zeros((2, 30))
        for at, component in enumerate(learnt):
            for line in component:
                held[at, int(line["feature"][1:])] = line["weight"]
        return 2 - float(np.linalg.norm(held @ exact.components_.T) ** 2)

    assert off(28) < 1e-6 < off(1)


def test_without_shifting_directions_go_through_zero() -> None:
    shifted, plain = detector(), detector(enable_input_feature_mean_normalization=False)
    origin = pl.DataFrame({f"x{at}": [0.0] for at in range(5)})
    assert normality(plain, origin).tolist() == [1.0]
    assert normality(shifted, origin)[0] < 1


def test_texts_and_gaps_are_scored_alone_to_the_same_bit_as_in_a_table() -> None:
    frame = sheet(80).with_columns(
        side=pl.when(pl.col("x0") > 10).then(pl.lit("right")).otherwise(pl.lit("left"))
    )
    frame = with_gaps(frame, "x1", "side")
    model = detector(frame, number_of_components=3)
    unseen = frame.with_columns(side=pl.lit("never"))
    for rows in (frame, unseen):
        found = model.score(Table(rows)).frame.select(model.scores.names)
        assert_frame_equal(scored_one_by_one(model, rows), found, check_exact=True)
        assert found["Scored Probabilities"].is_between(0, 1).all()


def test_a_label_is_not_learnt_from() -> None:
    learner = PCABasedAnomalyDetection()
    model = TrainAnomalyDetectionModel().run(learner.run(), with_strangers(), context=Context())
    assert "y" not in model.features


def test_evaluation_needs_the_label_mark() -> None:
    scored = ScoreModel().run(detector(), Table(with_strangers().frame))
    with pytest.raises(NoLabelColumn):
        EvaluateModel().run(scored, context=Context())


def test_ranges_are_used_from_their_first_value() -> None:
    ranged = detector(
        training_mode="ParameterRange",
        number_of_components_range={"values": [3, 4]},
        oversampling_range={"values": [2]},
    )
    assert ranged.formula == detector(number_of_components=3).formula


def test_as_many_components_as_columns_are_refused() -> None:
    with pytest.raises(InvalidParameter, match="make up 5 columns"):
        detector(number_of_components=5)


def test_what_is_known_before_the_run_is_what_the_run_gives() -> None:
    step = TrainAnomalyDetectionModel()
    learner = PCABasedAnomalyDetection().outline()["untrained_model"]
    rows = Table(sheet())
    known = step.outline(untrained_model=learner, dataset=outline_of(rows))["trained_model"]
    assert known == outline_of(detector())
    told = ScoreModel().outline(trained_model=known, dataset=outline_of(rows))
    assert told["scored_dataset"] == outline_of(ScoreModel().run(detector(), rows))
    assert isinstance(known, ModelOutline)


def test_learners_and_data_that_do_not_suit_are_refused() -> None:
    step = TrainAnomalyDetectionModel()
    with pytest.raises(WrongLearner, match="Use Train Model"):
        step.run(LinearRegression().run(), Table(sheet()), context=Context())
    with pytest.raises(WrongLearner):
        step.outline(untrained_model=LearnerOutline(LinearRegression.task, "X"), dataset=None)
    with pytest.raises(EmptyTable):
        detector(sheet().clear())
    table = Table(pl.DataFrame({"y": [1]})).mark("y", role=Role.LABEL)
    with pytest.raises(NoFeatureColumns):
        step.run(PCABasedAnomalyDetection().run(), table, context=Context())
