from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy import stats

from modelwright.components.errors import (
    ColumnTypeError,
    EmptyTable,
    InvalidParameter,
    MissingColumn,
)
from modelwright.components.learning.errors import LabelAllMissing, NoFeatureColumns
from modelwright.components.outline import TableOutline, TransformOutline
from modelwright.components.palette.feature_selection.filter_based_feature_selection import (
    FilterBasedFeatureSelection,
)
from modelwright.data.fitted import Transform
from modelwright.data.schema import Role
from modelwright.data.table import Table

CHANCE = np.random.default_rng(0)
X = CHANCE.normal(size=300)
Y = CHANCE.normal(size=300)
WORDS = [("a", "b", "c")[i % 3] for i in range(300)]
LINKED = [("p" if w == "a" else "q") if i % 10 else "p" for i, w in enumerate(WORDS)]
NUMBERS = Table(
    pl.DataFrame(
        {
            "noise": Y,
            "target": X,
            "against": -X + 0.1 * Y,
            "constant": [1.0] * 300,
            "word": WORDS,
            "empty": pl.Series([None] * 300, dtype=pl.Float64),
        }
    )
)


def scores(table: Table, **parameters: Any) -> dict[str, float]:
    component = FilterBasedFeatureSelection.model_validate({"target": "target"} | parameters)
    return dict(component.run(table).features.frame.rows())


def test_numbers_are_scored_by_the_size_of_their_correlation() -> None:
    found = scores(NUMBERS)

    assert list(found) == ["against", "noise", "constant", "word", "empty"]
    assert found["against"] == pytest.approx(abs(np.corrcoef(X, -X + 0.1 * Y)[0, 1]))
    assert found["noise"] == pytest.approx(abs(np.corrcoef(X, Y)[0, 1]))
    assert [found[name] for name in ("constant", "word", "empty")] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("count", "kept"),
    [
        (1, ("target", "against")),
        (2, ("noise", "target", "against")),
        (99, ("noise", "target", "against", "constant", "word", "empty")),
    ],
)
def test_the_target_and_the_best_features_stay_in_the_order_of_the_table(
    count: int, kept: tuple[str, ...]
) -> None:
    result = FilterBasedFeatureSelection(target="target", count=count).run(NUMBERS)

    assert result.filtered_dataset.schema.names == kept


def test_missing_values_are_left_out_pair_by_pair() -> None:
    holes = pl.Series(X).set(pl.Series(range(300)) < 50, None)
    nans = pl.Series(-X).set(pl.Series(range(300)) >= 250, float("nan"))
    table = Table(pl.DataFrame({"target": holes, "x": nans}))

    assert scores(table)["x"] == pytest.approx(1.0)


def test_a_text_target_stands_for_the_mean_within_each_of_its_values() -> None:
    values = [{"a": 0.0, "b": 5.0, "c": 9.0}[w] + 0.5 * n for w, n in zip(WORDS, Y, strict=True)]
    table = Table(pl.DataFrame({"target": WORDS, "x": values}))
    means = pl.DataFrame({"w": WORDS, "x": values}).select(pl.col("x").mean().over("w")).to_series()

    assert scores(table)["x"] == pytest.approx(np.corrcoef(values, means)[0, 1])


def test_a_categorical_number_is_a_target_of_groups_and_a_plain_one_is_not() -> None:
    table = Table(pl.DataFrame({"target": [1, 2, 3] * 10, "x": [5.0, 1.0, 5.0] * 10}))

    assert scores(table)["x"] == pytest.approx(0.0, abs=1e-12)
    assert scores(table.mark("target", categorical=True))["x"] == pytest.approx(1.0)


def test_truth_values_count_as_one_and_zero() -> None:
    table = Table(pl.DataFrame({"target": [True, False] * 5, "x": [False, True] * 5}))

    assert scores(table)["x"] == pytest.approx(1.0)


def test_chi_squared_is_the_statistic_of_the_table_of_counts() -> None:
    table = Table(pl.DataFrame({"target": WORDS, "linked": LINKED, "truth": [x > 0 for x in X]}))

    found = scores(table, method="Chi squared", count=2)

    for name in ("linked", "truth"):
        counts = pl.DataFrame({"x": table.frame[name], "y": WORDS}).pivot(
            on="y", index="x", values="x", aggregate_function="len"
        )
        expected = stats.chi2_contingency(
            counts.drop("x").fill_null(0).to_numpy(), correction=False
        )
        assert found[name] == pytest.approx(expected.statistic)


def test_chi_squared_counts_many_different_numbers_in_bins() -> None:
    table = Table(
        pl.DataFrame({"target": (X > 0).tolist(), "x": X, "id": range(300), "few": [1, 2, 3] * 100})
    )

    found = scores(table, method="Chi squared")

    assert found["x"] == pytest.approx(300, rel=0.15)
    # Counted as 300 values of their own, meaningless numbers would go with anything.
    assert found["id"] < 30
    flagged = scores(table.mark("id", categorical=True), method="Chi squared")
    assert flagged["id"] == pytest.approx(300)


def test_only_features_are_scored_unless_that_is_switched_off_and_labels_never() -> None:
    table = (
        Table(pl.DataFrame({"target": X, "f": X, "none": X, "label": X, "score": X}))
        .mark("none", role=Role.NONE)
        .mark("label", role=Role.LABEL)
        .mark("score", role=Role.SCORE)
    )

    assert set(scores(table)) == {"f"}
    assert set(scores(table, features_only=False)) == {"f", "none"}


def test_the_same_columns_are_kept_of_other_tables(tmp_path: Path) -> None:
    result = FilterBasedFeatureSelection(target="target").run(NUMBERS)
    transform = result.selection_transformation
    other = Table(NUMBERS.frame.reverse().with_columns(extra=pl.lit(1)))

    assert transform.apply(other).schema.names == ("target", "against")
    assert transform.learnt["scores"] == scores(NUMBERS)
    transform.save(tmp_path)
    assert_frame_equal(Transform.load(tmp_path).apply(NUMBERS).frame, result.filtered_dataset.frame)


def test_the_target_is_named_or_marked() -> None:
    marked = NUMBERS.mark("target", role=Role.LABEL)

    assert FilterBasedFeatureSelection().run(marked).filtered_dataset.schema.names == (
        "target",
        "against",
    )
    with pytest.raises(InvalidParameter, match="no column is chosen"):
        FilterBasedFeatureSelection().run(NUMBERS)
    with pytest.raises(MissingColumn):
        scores(NUMBERS, target="tarjet")


def test_a_target_without_use_is_refused() -> None:
    with pytest.raises(LabelAllMissing):
        scores(NUMBERS, target="empty")
    with pytest.raises(EmptyTable):
        scores(Table(NUMBERS.frame.clear()))
    with pytest.raises(NoFeatureColumns):
        scores(Table(pl.DataFrame({"target": [1]})))
    days = Table(pl.DataFrame({"target": [datetime(2020, 1, 1)], "x": [1]}))  # noqa: DTZ001
    with pytest.raises(ColumnTypeError):
        scores(days)


def test_dates_score_nothing() -> None:
    days = Table(pl.DataFrame({"target": [1, 2], "day": [datetime(2020, 1, n) for n in (1, 2)]}))  # noqa: DTZ001

    for method in ("Pearson correlation", "Chi squared"):
        assert scores(days, method=method) == {"day": 0.0}


def test_the_outline_knows_the_target_and_that_features_will_come() -> None:
    known = TableOutline(NUMBERS.schema, rows=300)
    some, every = (FilterBasedFeatureSelection(target="target", count=n) for n in (1, 9))
    target = NUMBERS.schema.keep(["target"])

    outline = some.outline(dataset=known)

    assert outline["filtered_dataset"] == TableOutline(target, complete=False, rows=300)
    assert outline["selection_transformation"] == TransformOutline(
        ("target",), TableOutline(target, complete=False, rows=300)
    )
    assert outline["features"] == TableOutline(some.run(NUMBERS).features.schema, rows=5)
    assert every.outline(dataset=known)["filtered_dataset"] == known
