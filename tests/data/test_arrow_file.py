"""Arrow files: rows come back as they were, and equal rows give equal bytes however they were made."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.data import arrow_file

ROWS = pl.DataFrame(
    {
        "number": [1.5, None, float("nan"), float("-inf")],
        "whole": [1, 2, None, -(2**63)],
        "text": ["short", None, "a text of more than twelve characters", ""],
        "truth": [True, None, False, True],
        "moment": [
            datetime.fromisoformat("2020-01-02T03:04:05.000006"),
            None,
            datetime.fromisoformat("0001-01-01"),
            datetime.fromisoformat("9999-12-31"),
        ],
        "zoned": pl.Series([datetime(2020, 1, 1, tzinfo=UTC)] * 4, dtype=pl.Datetime("us", "UTC")),
        "nothing": pl.Series([None] * 4, dtype=pl.String),
    }
)


def many(rows: int, levels: int) -> pl.DataFrame:
    """Rows whose text has that many different values, the last of them late."""
    place = pl.int_range(rows, eager=True)
    codes = pl.Series([i % (levels - 1) for i in range(rows - 1)] + [levels - 1])
    text = pl.select(pl.when(place % 7 != 3).then("level " + codes.cast(pl.String))).to_series()
    return pl.DataFrame({"text": text, "number": place.cast(pl.Float64)})


def written(frame: pl.DataFrame, folder: Path) -> bytes:
    path = folder / "frame.arrow"
    arrow_file.write(frame, path)
    found = arrow_file.read(path)
    assert found.schema == frame.schema
    assert found.equals(frame)
    return path.read_bytes()


@pytest.mark.parametrize(
    "frame",
    [
        ROWS,
        ROWS.clear(),
        pl.DataFrame(),
        pl.DataFrame({"a": [[1, 2], None]}),
        pl.DataFrame({"a": [{"b": 1, "c": "x"}, {"b": None, "c": None}]}),
        pl.DataFrame({"a": [timedelta(1), None], "b": [time(1, 2, 3), None], "c": [b"x", None]}),
        pl.DataFrame({"a": [date(2020, 1, 1), None]}),
    ],
    ids=["every type", "no rows", "no columns", "lists", "structures", "other types", "dates"],
)
def test_every_type_comes_back(frame: pl.DataFrame, tmp_path: Path) -> None:
    assert written(frame, tmp_path)


@pytest.mark.parametrize("levels", [2, 250, 300, 2_400, 20_000])
def test_text_of_few_and_of_many_values_comes_back(levels: int, tmp_path: Path) -> None:
    written(many(50_000, levels), tmp_path)
    kind = pa.ipc.open_file(tmp_path / "frame.arrow").schema.field("text").type
    assert pa.types.is_dictionary(kind) == (levels <= 2_400)


def test_text_whose_many_values_only_come_late_comes_back(tmp_path: Path) -> None:
    late = [f"value {i}" for i in range(20_000)]
    written(pl.DataFrame({"late": ["a"] * 20_000 + late, "few": ["b"] * 40_000}), tmp_path)
    kinds = pa.ipc.open_file(tmp_path / "frame.arrow").schema
    assert not pa.types.is_dictionary(kinds.field("late").type)
    assert pa.types.is_dictionary(kinds.field("few").type)


def test_text_of_few_values_takes_a_fraction_of_the_room(tmp_path: Path) -> None:
    frame = pl.DataFrame({"text": [f"a rather long level {i % 5}" for i in range(100_000)]})
    # One byte a row; written out it would be 21.
    assert len(written(frame, tmp_path)) < 110_000


def test_rows_beyond_a_batch_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = written(many(50_000, 100), tmp_path)
    monkeypatch.setattr(arrow_file, "BATCH", 17_000)
    parted = written(many(50_000, 100), tmp_path)
    assert pa.ipc.open_file(tmp_path / "frame.arrow").num_record_batches == 3
    assert parted != whole


def ways_to_make(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Frames equal to the one given, whose memory is laid out otherwise."""
    half = frame.height // 2 + 1
    indexed = frame.with_row_index("i")
    parquet = io.BytesIO()
    frame.write_parquet(parquet)
    filler = frame.select(pl.all().fill_null(strategy="backward").fill_null(strategy="forward"))
    masks = frame.select(pl.all().is_not_null())
    return {
        "from parts": pl.concat([frame[:half], frame[half:]], rechunk=False),
        "the end of a longer one": pl.concat([frame[1:], frame])[frame.height - 1 :],
        "the start of a longer one": pl.concat([frame, frame[1:]])[: frame.height],
        "sorted back": indexed.sample(fraction=1, shuffle=True, seed=1).sort("i").drop("i"),
        "filtered": pl.concat([indexed, indexed.with_columns(pl.col("i") + 1_000_000)])
        .filter(pl.col("i") < 1_000_000)
        .drop("i"),
        "read from Parquet": pl.read_parquet(parquet.getvalue()),
        "values under nulls": filler.select(
            pl.when(masks[name]).then(pl.col(name)).alias(name) for name in frame.columns
        ),
        "by way of rows": pl.DataFrame(frame.rows(), schema=frame.schema, orient="row"),
    }


@pytest.mark.parametrize(
    "frame", [ROWS, many(20_000, 50), many(20_000, 9_000)], ids=["few", "codes", "text"]
)
@pytest.mark.parametrize("way", list(ways_to_make(ROWS)))
def test_equal_rows_give_equal_bytes(way: str, frame: pl.DataFrame, tmp_path: Path) -> None:
    other = ways_to_make(frame)[way]
    assert other.equals(frame)
    assert written(other, tmp_path) == written(frame, tmp_path)


@pytest.mark.parametrize(
    "frame",
    [
        ROWS,
        ROWS.clear(),
        many(50_000, 300),
        many(50_000, 20_000),
        pl.DataFrame({"a": [[1, 2], None], "b": ["", ""], "c": [b"x", None]}),
        pl.DataFrame({"late": ["a"] * 20_000 + [f"value {i}" for i in range(20_000)]}),
    ],
    ids=["every type", "no rows", "codes", "text", "lists", "too many values late"],
)
def test_a_table_larger_than_memory_gives_the_same_bytes_and_comes_back(
    frame: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrow_file, "BATCH", 17_000)
    expected = written(frame, tmp_path)
    monkeypatch.setattr(arrow_file, "is_large", lambda frame: True)
    monkeypatch.setattr(arrow_file, "would_be_large", lambda size: size > 0)
    monkeypatch.setattr(arrow_file, "_SMALL", 0)
    monkeypatch.setattr(arrow_file, "_TURNED", 1 << 16)
    monkeypatch.setattr(arrow_file, "_TEXTS", 1000)
    assert written(frame, tmp_path) == expected


def test_a_mask_that_masks_nothing_changes_no_byte(tmp_path: Path) -> None:
    masked = pl.DataFrame({"a": [1.0, None], "t": ["x", None]}).fill_null(2.0).fill_null("y")
    assert written(masked, tmp_path) == written(
        pl.DataFrame({"a": [1.0, 2.0], "t": ["x", "y"]}), tmp_path
    )


cells = st.lists(
    st.tuples(
        st.none() | st.floats(),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.text(max_size=20),
        st.none() | st.booleans(),
    ),
    max_size=30,
)
TYPES: dict[str, Any] = {"a": pl.Float64, "b": pl.Int64, "c": pl.String, "d": pl.Boolean}


@given(rows=cells, cut=st.integers(0, 30))
@settings(max_examples=40, deadline=None)
def test_random_rows_come_back_and_a_cut_changes_no_byte(
    rows: list[tuple[Any, ...]], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("frames")
    frame = pl.DataFrame(rows, schema=TYPES, orient="row")
    parted = pl.concat([frame[:cut], frame[cut:]], rechunk=False)
    assert written(parted, folder) == written(frame, folder)


def test_codes_are_turned_to_text_for_some_rows_only(tmp_path: Path) -> None:
    frame = many(200_000, 20)
    arrow_file.write(frame, tmp_path / "f")
    assert (tmp_path / "f").stat().st_size > 1 << 20
    coded = arrow_file.read_coded(tmp_path / "f")
    assert coded.frame.schema["text"] == pl.UInt8
    assert coded.decode(coded.frame[150_000:150_010]).equals(frame[150_000:150_010])


def test_other_programs_read_the_file(tmp_path: Path) -> None:
    frame = many(20_000, 20)
    written(frame, tmp_path)
    path = tmp_path / "frame.arrow"
    assert pl.read_ipc(path).with_columns(pl.col("text").cast(pl.String)).equals(frame)
    assert pa.ipc.open_file(path).read_all().to_pydict() == frame.to_dict(as_series=False)
