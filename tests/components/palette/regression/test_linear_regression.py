from __future__ import annotations

from importlib.resources import files
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from modelwright.components.context import Context
from modelwright.components.learning.errors import Diverged
from modelwright.components.learning.training import train
from modelwright.components.palette.data_transformation.split_data import SplitData
from modelwright.components.palette.model_scoring_and_evaluation.evaluate_model import (
    EvaluateModel,
)
from modelwright.components.palette.model_scoring_and_evaluation.score_model import ScoreModel
from modelwright.components.palette.model_training.train_model import TrainModel
from modelwright.components.palette.regression.linear_regression import LinearRegression
from modelwright.data.fitted import Model
from modelwright.data.table import Table

DESCENT = "Online Gradient Descent"


def cars() -> pl.DataFrame:
    """The tutorial's rows: without normalized-losses, and only those without a gap."""
    path = files("modelwright.samples") / "datasets" / "automobile-price-raw.csv"
    frame = pl.read_csv(str(path), null_values="?", infer_schema_length=None)
    return frame.drop("normalized-losses").drop_nulls()


def line(rows: int = 400) -> pl.DataFrame:
    """y = 2 a - 3 b + 1, with a little noise; b is a hundred times larger than a."""
    chance = np.random.default_rng(5)
    a, b = chance.random(rows), 100 * chance.random(rows)
    return pl.DataFrame({"a": a, "b": b, "y": 2 * a - 3 * b + 1 + chance.normal(0, 0.01, rows)})


def fitted(frame: pl.DataFrame, label: str = "y", **parameters: Any) -> Model:
    return train(LinearRegression(**parameters), Table(frame), label, Context())


def weights(model: Model) -> dict[str, float]:
    return {w["feature"]: w["weight"] for w in model.learnt["weights"]}


def by_hand(train_rows: pl.DataFrame, test_rows: pl.DataFrame) -> np.ndarray:
    """The same model with pandas and scikit-learn alone, on the same split."""
    texts = [n for n, t in train_rows.schema.items() if t == pl.String]
    numbers = [n for n in train_rows.columns if n not in (*texts, "price")]
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    one_hot.fit(train_rows.select(texts).to_pandas())

    scaler = StandardScaler().fit(train_rows.select(numbers).to_numpy())

    def matrix(rows: pl.DataFrame) -> np.ndarray:
        levels = one_hot.transform(rows.select(texts).to_pandas())
        return np.column_stack([scaler.transform(rows.select(numbers).to_numpy()), levels])

    model = Ridge(alpha=1.0, solver="svd")
    model.fit(matrix(train_rows), train_rows["price"].to_numpy().astype(float))
    found: np.ndarray = model.predict(matrix(test_rows))
    return found


def test_the_tutorial_gives_the_numbers_of_a_fit_by_hand_over_ten_seeds() -> None:
    context = Context()
    explained = []
    for seed in range(10):
        split = SplitData(fraction=0.7, seed=seed).run(Table(cars()), context=context)
        model = TrainModel(label_column="price").run(
            LinearRegression().run(), split.results_dataset1, context=context
        )
        scored = ScoreModel().run(model, split.results_dataset2)
        expected = by_hand(split.results_dataset1.frame, split.results_dataset2.frame)
        np.testing.assert_allclose(scored.frame["Scored Labels"].to_numpy(), expected, rtol=1e-9)
        metrics = EvaluateModel().run(scored, context=context).frame
        explained.append(metrics["Coefficient_of_Determination"][0])
    assert min(explained) >= 0.8
    assert max(explained) <= 0.97


def test_a_row_alone_is_scored_to_the_same_bit_as_in_a_table() -> None:
    rows = cars()
    model = fitted(rows, "price")
    program = model.formula.compile_rows(model.features)
    table = ScoreModel().run(model, Table(rows)).frame["Scored Labels"].to_list()
    asked = rows.select(model.features.names).rows(named=True)
    replies: Any = [program.score(row) for row in asked]
    assert [reply["Scored Labels"] for reply in replies] == table


def test_weights_are_recorded_with_their_levels_largest_first() -> None:
    frame = pl.DataFrame(
        {"x": [0.0, 1.0, 2.0, 3.0], "k": ["a", "b", "a", "b"], "y": [1.0, 12.0, 3.0, 14.0]}
    )
    bias, first, second, last = fitted(frame, l2_regularization_weight=1e-9).learnt["weights"]
    assert bias == {"feature": "Bias", "weight": pytest.approx(6, abs=1e-6)}
    assert last == {"feature": "x", "weight": pytest.approx(1, abs=1e-6)}
    levels = {(w["feature"], w["level"]): w["weight"] for w in (first, second)}
    assert levels == pytest.approx({("k", "a"): -5, ("k", "b"): 5}, abs=1e-6)


def test_a_larger_l2_weight_makes_smaller_weights() -> None:
    small, large = fitted(line()), fitted(line(), l2_regularization_weight=1e5)
    assert weights(small)["a"] == pytest.approx(2, abs=0.05)
    assert abs(weights(large)["a"]) < 0.1


def test_without_an_intercept_the_fit_goes_through_the_origin() -> None:
    exact: dict[str, Any] = {"l2_regularization_weight": 0}
    assert weights(fitted(line(), **exact))["Bias"] == pytest.approx(1, abs=0.01)
    assert weights(fitted(line(), include_intercept_term=False, **exact))["Bias"] == 0


def test_the_unit_of_a_number_does_not_change_what_is_predicted() -> None:
    rows = line()
    grams = rows.with_columns(pl.col("b") * 1000)
    first = fitted(rows).score(Table(rows)).frame["Scored Labels"]
    second = fitted(grams).score(Table(grams)).frame["Scored Labels"]
    np.testing.assert_allclose(first.to_numpy(), second.to_numpy(), rtol=1e-9)


def test_chance_has_no_part_in_the_exact_method() -> None:
    first, second = fitted(line(), random_number_seed=1), fitted(line(), random_number_seed=2)
    assert first.formula == second.formula


def descent(**parameters: Any) -> Model:
    settings = {"number_of_training_epochs": 50, "l2_regularization_weight": 0, **parameters}
    return fitted(line(), solution_method=DESCENT, **settings)


def error(model: Model) -> float:
    rows = line()
    found = model.score(Table(rows)).frame["Scored Labels"]
    mean = (found - rows["y"]).pow(2).mean()
    assert isinstance(mean, float)
    return mean


def test_gradient_descent_finds_the_line() -> None:
    found = weights(descent())
    assert found["a"] == pytest.approx(2, abs=0.1)
    assert found["b"] == pytest.approx(-3, abs=0.01)


def test_more_epochs_come_closer() -> None:
    assert error(descent(number_of_training_epochs=1)) > 10 * error(descent())


def test_a_tiny_learning_rate_learns_slowly() -> None:
    assert error(descent(learning_rate=1e-4)) > 10 * error(descent())


def test_without_scaling_the_small_feature_is_learnt_late() -> None:
    scaled, plain = weights(descent()), weights(descent(normalize_features=False))
    assert abs(scaled["a"] - 2) < abs(plain["a"] - 2)


def test_steps_that_do_not_shrink_end_elsewhere() -> None:
    assert error(descent(decrease_learning_rate=False)) != error(descent())


def test_the_l2_weight_shrinks_the_weights_of_the_descent() -> None:
    assert abs(weights(descent(l2_regularization_weight=400))["b"]) < 2.5


def test_the_seed_orders_the_examples() -> None:
    assert descent(random_number_seed=1).formula == descent(random_number_seed=1).formula
    assert descent(random_number_seed=1).formula != descent(random_number_seed=2).formula


def test_ranges_are_tried_from_their_first_value() -> None:
    ranged = fitted(
        line(),
        solution_method=DESCENT,
        create_trainer_mode="ParameterRange",
        number_of_training_epochs_range={"values": [50, 100]},
        learning_rate_range={"values": [0.1, 0.2]},
        l2_regularization_weight_range={"values": [0, 1]},
    )
    assert ranged.formula == descent().formula


def test_steps_too_long_diverge_and_say_so() -> None:
    with pytest.raises(Diverged, match='Lower "Learning rate"'):
        descent(learning_rate=1e4, number_of_training_epochs=100)


def test_the_descent_on_the_tutorial_data_explains_most_of_the_price() -> None:
    rows = cars()
    model = fitted(
        rows, "price", solution_method=DESCENT, number_of_training_epochs=200, learning_rate=0.3
    )
    scored = model.score(Table(rows))
    metrics = EvaluateModel().run(scored, context=Context()).frame
    assert metrics["Coefficient_of_Determination"][0] > 0.85
