"""Fitted values: applied, scored, and the same after the store."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from modelwright.data.artifact import Artifact, CorruptArtifact
from modelwright.data.expression import Compute, Drop, Formula, Rename, column, dot, lookup
from modelwright.data.fitted import Model, Transform, UntrainedModel
from modelwright.data.native import Native
from modelwright.data.schema import Column, ColumnType, MissingColumn, Role, Schema, Score, Task
from modelwright.data.store import Store
from modelwright.data.table import Table

WIDTH = Column("width", ColumnType.DOUBLE)
MAKE = Column("make", ColumnType.STRING, categorical=True)
PRICE = Column("price", ColumnType.DOUBLE, Role.LABEL)
SCORED = Column(
    "Scored Labels",
    ColumnType.DOUBLE,
    Role.SCORE,
    score=Score(Task.REGRESSION, "label", label="price"),
)


def cars() -> Table:
    frame = pl.DataFrame({"make": ["bmw", None], "width": [60.0, 70.0], "price": [9.0, 5.0]})
    return Table(frame, [MAKE, PRICE])


def halved() -> Transform:
    return Transform(
        Formula(Compute({"width": column("width") / 2.0}), Rename({"make": "maker"})),
        cars().schema,
        Schema((replace(WIDTH, role=Role.NONE),)),
        {"halved": ["width"]},
        "Halve",
        {"extra": Native("lightgbm", b"\x00\xff", {"n": 1})},
    )


def model() -> Model:
    terms = [(lookup(column("make"), {"bmw": 100.0}, 0.0), 1.0), (column("width"), 2.0)]
    return Model(
        Task.REGRESSION,
        Formula(Compute({"Scored Labels": dot(terms, 1.0)})),
        Schema((MAKE, WIDTH)),
        Schema((SCORED,)),
        PRICE,
        (),
        {},
        {"weights": {"width": 2.0}},
        "Linear Regression",
    )


ALL: list[Artifact] = [
    halved(),
    model(),
    replace(model(), label=None, classes=("no", "yes"), task=Task.TWO_CLASS),
    replace(model(), classes=(1, 2.5, True)),
    UntrainedModel(Task.TWO_CLASS, "two-class-boosted-decision-tree", 2, {"trees": 3, "rate": 0.1}),
]


def test_a_transform_changes_columns_and_marks_and_leaves_the_rest() -> None:
    changed = halved().apply(cars())
    assert changed.frame.to_dict(as_series=False) == {
        "maker": ["bmw", None],
        "width": [30.0, 35.0],
        "price": [9.0, 5.0],
    }
    assert changed.schema == Schema(
        (replace(MAKE, name="maker"), replace(WIDTH, role=Role.NONE), PRICE)
    )


def test_a_transform_names_a_column_it_misses() -> None:
    with pytest.raises(MissingColumn, match='"width"'):
        halved().apply(Table(cars().frame.drop("width")))


def test_a_model_adds_its_score_last_with_its_mark() -> None:
    scored = model().score(cars())
    assert scored.frame["Scored Labels"].to_list() == [221.0, 141.0]
    assert scored.schema.columns == (MAKE, WIDTH, PRICE, SCORED)


def test_a_second_score_replaces_the_first_and_is_last() -> None:
    earlier = Table(cars().frame.select(pl.lit(0.0).alias("Scored Labels"), pl.all()), [MAKE])
    assert model().score(earlier).schema.names == ("make", "width", "price", "Scored Labels")


def test_a_model_names_a_feature_it_misses() -> None:
    with pytest.raises(MissingColumn, match='"make"'):
        model().score(Table(cars().frame.drop("make")))


@pytest.mark.parametrize("fitted", ALL, ids=lambda a: f"{a.kind}")
def test_a_fitted_value_is_the_same_after_the_store(fitted: Artifact, tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    digest = store.put(fitted)
    found = store.get(digest)
    assert type(found) is type(fitted)
    assert {name: as_compared(value) for name, value in vars(found).items()} == {
        name: as_compared(value) for name, value in vars(fitted).items()
    }
    assert store.put(found) == digest
    assert found.summary() == fitted.summary()


def test_what_comes_back_computes_the_same(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    back, trained = store.get(store.put(halved())), store.get(store.put(model()))
    assert isinstance(back, Transform)
    assert isinstance(trained, Model)
    assert back.apply(cars()).frame.equals(halved().apply(cars()).frame)
    assert trained.score(cars()).frame.equals(model().score(cars()).frame)


def test_different_fitted_values_have_different_digests(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    others: list[Artifact] = [
        replace(halved(), formula=Formula(Drop(["width"]))),
        replace(halved(), natives={"extra": Native("lightgbm", b"\x00\xfe", {"n": 1})}),
        replace(halved(), natives={"extra": Native("lightgbm", b"\x00\xff", {"n": 2})}),
        replace(halved(), marks=Schema()),
        replace(model(), learnt={"weights": {"width": 2.5}}),
        replace(model(), label=None),
    ]
    assert len({store.put(a) for a in [*ALL, *others]}) == len(ALL) + len(others)


def test_the_order_of_what_was_learnt_changes_no_digest(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    one = replace(model(), learnt={"a": 1, "b": {"c": 2, "d": 3}})
    other = replace(model(), learnt={"b": {"d": 3, "c": 2}, "a": 1})
    assert store.put(one) == store.put(other)


def test_marks_follow_a_rename_to_a_name_that_was_dropped_before() -> None:
    table = Table(pl.DataFrame({"a": ["x"], "b": ["y"]})).mark("b", categorical=True)
    transform = Transform(Formula(Drop(["a"]), Rename({"b": "a"})), table.schema)

    after = transform.apply(table)

    assert after.schema.columns == (Column("a", ColumnType.STRING, categorical=True),)


@pytest.mark.parametrize("kind", [Transform, Model, UntrainedModel])
@pytest.mark.parametrize("content", ["", "nonsense", "{}", "[]", '{"natives": 3}'])
def test_a_damaged_fitted_value_is_told(kind: type[Artifact], content: str, tmp_path: Path) -> None:
    (tmp_path / "fitted.json").write_text(content)
    with pytest.raises(CorruptArtifact):
        kind.load(tmp_path)


def test_a_lost_native_value_is_told(tmp_path: Path) -> None:
    halved().save(tmp_path)
    (tmp_path / "extra.native").unlink()
    with pytest.raises(CorruptArtifact):
        Transform.load(tmp_path)


def test_what_was_learnt_is_readable_in_the_file(tmp_path: Path) -> None:
    model().save(tmp_path)
    assert json.loads((tmp_path / "fitted.json").read_text())["learnt"] == {
        "weights": {"width": 2.0}
    }


def as_compared(value: object) -> object:
    """Formulas and native values as what they hold; the rest as it is."""
    if isinstance(value, Formula):
        return value.to_json()
    if isinstance(value, dict) and value and all(isinstance(v, Native) for v in value.values()):
        return {name: (n.kind, n.content, n.notes) for name, n in value.items()}
    return value
