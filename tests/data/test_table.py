"""Tables: canonical types, and marks that follow their columns and survive saving."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from modelwright.data.artifact import Artifact, CorruptArtifact
from modelwright.data.schema import Column, ColumnType, Role, Schema, Score, Task
from modelwright.data.table import Table, column_type

PROBABILITY = Score(Task.TWO_CLASS, "probability", label="y", of="yes")


def marked() -> Table:
    frame = pl.DataFrame({"x": [1.0, None], "y": ["yes", "no"], "w": [1, 2], "p": [0.5, 0.25]})
    return Table(
        frame,
        [
            Column("y", ColumnType.STRING, Role.LABEL, categorical=True),
            Column("w", ColumnType.INTEGER, Role.WEIGHT),
            Column("p", ColumnType.DOUBLE, Role.SCORE, score=PROBABILITY),
        ],
    )


@pytest.mark.parametrize(
    ("given", "held", "kind"),
    [
        (pl.Int8, pl.Int64, ColumnType.INTEGER),
        (pl.UInt32, pl.Int64, ColumnType.INTEGER),
        (pl.Float32, pl.Float64, ColumnType.DOUBLE),
        (pl.Decimal(10, 2), pl.Float64, ColumnType.DOUBLE),
        (pl.Boolean, pl.Boolean, ColumnType.BOOLEAN),
        (pl.String, pl.String, ColumnType.STRING),
        (pl.Null, pl.String, ColumnType.STRING),
        (pl.Date, pl.Datetime("us"), ColumnType.DATETIME),
        (pl.Datetime("ms"), pl.Datetime("us"), ColumnType.DATETIME),
        (pl.Datetime("ns", "UTC"), pl.Datetime("us", "UTC"), ColumnType.DATETIME),
        (pl.List(pl.Int64), pl.List(pl.Int64), ColumnType.OTHER),
    ],
)
def test_every_type_is_brought_to_a_canonical_one(
    given: pl.DataType, held: pl.DataType, kind: ColumnType
) -> None:
    table = Table(pl.DataFrame({"a": pl.Series([None], dtype=given)}))
    assert table.frame.schema["a"] == held
    assert table.schema.column("a").type is kind
    assert column_type(table.frame.schema["a"]) is kind


def test_values_keep_their_meaning_when_their_type_changes() -> None:
    frame = pl.DataFrame(
        {
            "i": pl.Series([1, None], dtype=pl.Int8),
            "d": [date(2020, 1, 2), None],
            "z": pl.Series([datetime(2020, 1, 1, tzinfo=UTC)] * 2, dtype=pl.Datetime("ms", "UTC")),
        }
    )
    assert Table(frame).frame.rows() == [
        (1, datetime.fromisoformat("2020-01-02"), datetime(2020, 1, 1, tzinfo=UTC)),
        (None, None, datetime(2020, 1, 1, tzinfo=UTC)),
    ]


def test_categories_become_text_with_the_mark() -> None:
    colours = pl.Series("c", ["red", None, "blue"], dtype=pl.Enum(["blue", "red"]))
    kinds = colours.cast(pl.String).cast(pl.Categorical).alias("k")
    table = Table(pl.DataFrame([colours, kinds]), [Column("c", ColumnType.STRING, Role.LABEL)])
    assert table.schema == Schema(
        (
            Column("c", ColumnType.STRING, Role.LABEL, categorical=True),
            Column("k", ColumnType.STRING, categorical=True),
        )
    )
    assert table.frame["c"].to_list() == ["red", None, "blue"]


def test_types_come_from_the_frame_and_marks_from_the_columns() -> None:
    table = Table(
        pl.DataFrame({"a": [1.5]}),
        [Column("a", ColumnType.STRING, Role.LABEL), Column("gone", ColumnType.STRING, Role.LABEL)],
    )
    assert table.schema.columns == (Column("a", ColumnType.DOUBLE, Role.LABEL),)


def test_the_label_is_the_only_column_marked_so() -> None:
    assert marked().label() == Column("y", ColumnType.STRING, Role.LABEL, categorical=True)
    assert Table(pl.DataFrame({"a": [1]})).label() is None
    assert marked().mark("x", role=Role.LABEL).label() is None


def test_marks_are_handed_on_and_follow_a_rename() -> None:
    shorter = marked().of(pl.DataFrame({"target": ["no"], "x": [2.0]}), {"y": "target"})
    assert shorter.schema == Schema(
        (
            Column("target", ColumnType.STRING, Role.LABEL, categorical=True),
            Column("x", ColumnType.DOUBLE),
        )
    )


def test_marking_leaves_the_table_it_was_made_of() -> None:
    before = marked()
    after = before.mark("x", "w", role=Role.NONE)
    assert [c.role for c in after.schema][:3] == [Role.NONE, Role.LABEL, Role.NONE]
    assert before.schema == marked().schema


def test_rows_roles_flags_and_scores_survive_saving(tmp_path: Path) -> None:
    marked().save(tmp_path)
    found = Table.load(tmp_path)
    assert found.frame.equals(marked().frame)
    assert found.schema == marked().schema
    assert found.schema.column("p").score == PROBABILITY


def test_equal_tables_save_equal_bytes_and_others_do_not(tmp_path: Path) -> None:
    def saved(table: Table, name: str) -> dict[str, bytes]:
        (tmp_path / name).mkdir()
        table.save(tmp_path / name)
        return {p.name: p.read_bytes() for p in (tmp_path / name).iterdir()}

    same = Table(marked().frame[::-1][::-1], marked().schema)
    assert saved(same, "same") == saved(marked(), "one")
    for name, other in {
        "value": marked().of(marked().frame.with_columns(pl.lit(9.0).alias("x"))),
        "role": marked().mark("x", role=Role.NONE),
        "flag": marked().mark("y", categorical=False),
        "score": marked().mark("p", score=None),
        "order": marked().of(marked().frame.select("y", "x", "w", "p")),
        "name": marked().of(marked().frame.rename({"x": "z"})),
        "type": marked().of(marked().frame.with_columns(pl.col("w").cast(pl.Float64))),
    }.items():
        assert saved(other, name) != saved(marked(), f"not {name}"), name


@pytest.mark.parametrize("name", ["frame.arrow", "columns.json"])
@pytest.mark.parametrize("content", [b"", b"nonsense", b'{"a": 1}', b"[{}]", None])
def test_a_damaged_file_is_told(name: str, content: bytes | None, tmp_path: Path) -> None:
    marked().save(tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CorruptArtifact) as caught:
        Table.load(tmp_path)
    assert caught.value.code == "corrupt-artifact"
    assert caught.value.fields["what"] == "table"


@pytest.mark.parametrize("size", [100, 1_500_000])
def test_a_truncated_file_is_told(size: int, tmp_path: Path) -> None:
    Table(pl.DataFrame({"x": range(size // 8)})).save(tmp_path)
    path = tmp_path / "frame.arrow"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(CorruptArtifact):
        Table.load(tmp_path)


def test_a_table_says_what_it_is() -> None:
    assert marked().summary() == {"rows": 2, "columns": 4}
    assert repr(marked()) == "Table(2 rows x 4 columns)"
    assert marked().size > 0
    assert Artifact.kinds["table"] is Table


def test_the_saved_columns_are_readable(tmp_path: Path) -> None:
    marked().save(tmp_path)
    assert json.loads((tmp_path / "columns.json").read_text())[1] == {
        "name": "y",
        "type": "String",
        "role": "label",
        "categorical": True,
    }
