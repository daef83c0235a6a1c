from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelwright.data.file_bundle import FileBundle
from modelwright.data.schema import Column, ColumnType, Role
from modelwright.data.table import Table
from tests.api.servers import Running, fault, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("home")) as server:
        yield server


def rows(server: Running, digest: str, **asked: Any) -> Any:
    return server.post(f"/api/artifacts/{digest}/rows", asked)


def test_values_keep_what_json_cannot_say(server: Running) -> None:
    frame = pl.DataFrame(
        {
            "whole": [1, None, 2**60],
            "real": [1.5, float("nan"), float("-inf")],
            "text": ["x", None, "y" * 3000],
            "truth": [True, False, None],
            "moment": [datetime.fromisoformat("2026-01-02T03:04:05"), None, None],
        }
    )
    columns = [Column("real", ColumnType.DOUBLE, Role.LABEL)]
    digest = server.home.store.put(Table(frame, columns))
    found = rows(server, digest)
    assert found["rows"][0] == [1, 1.5, "x", True, "2026-01-02T03:04:05"]
    assert found["rows"][1] == [None, {"isNan": True}, None, False, None]
    last = found["rows"][2]
    assert last[:2] == [str(2**60), {"isInfinite": -1}]
    assert (len(last[2]), last[2][-1], found["cut"]) == (2000, "…", 1)
    assert [c["role"] for c in found["columns"]][:2] == ["feature", "label"]


def test_rows_come_sorted_and_filtered_with_their_places(server: Running) -> None:
    frame = pl.DataFrame({"n": [3.0, float("nan"), 1.0, 2.0, None], "s": ["b", "a", "B", "c", "b"]})
    digest = server.home.store.put(Table(frame))
    ordered = rows(server, digest, sort=[{"column": "n", "descending": True}])
    assert ordered["numbers"][:3] == [0, 3, 2]
    assert sorted(ordered["numbers"][3:]) == [1, 4]
    found = rows(
        server,
        digest,
        filters=[{"column": "s", "operator": "contains", "value": "b"}],
        sort=[{"column": "n"}],
        columns=["s"],
    )
    assert (found["total"], found["numbers"], found["rows"]) == (
        3,
        [2, 0, 4],
        [["B"], ["b"], ["b"]],
    )
    page = rows(server, digest, offset=1, limit=2)
    assert (page["total"], page["numbers"]) == (5, [1, 2])
    assert rows(server, digest, offset=100)["rows"] == []


@pytest.mark.parametrize(
    ("column", "operator", "value", "numbers"),
    [
        ("n", "equals", 2, [1]),
        ("n", "differs", 2, [0, 2]),
        ("n", "less", 2, [0]),
        ("n", "at-most", 2.0, [0, 1]),
        ("n", "more", 1.5, [1, 2]),
        ("n", "at-least", 3, [2]),
        ("n", "one-of", [1, 3], [0, 2]),
        ("n", "missing", None, [3]),
        ("n", "present", None, [0, 1, 2]),
        ("s", "starts-with", "AB", [0, 1]),
        ("s", "more", "abc", [1, 2]),
        ("t", "at-least", "2026-01-02T00:00:00+00:00", [1, 2]),
        ("z", "less", "2026-01-02T01:30:00+02:00", [0]),
        ("b", "equals", True, [0]),
    ],
)
def test_every_comparison_keeps_the_rows_it_should(
    server: Running, column: str, operator: str, value: Any, numbers: list[int]
) -> None:
    moments = [datetime.fromisoformat(f"2026-01-0{day}") for day in (1, 2, 3)] + [None]
    frame = pl.DataFrame(
        {
            "n": [1, 2, 3, None],
            "s": ["abc", "abd", "b", None],
            "t": moments,
            "z": pl.Series(moments).dt.replace_time_zone("UTC"),
            "b": [True, False, None, None],
        }
    )
    digest = server.home.store.put(Table(frame))
    found = rows(server, digest, filters=[{"column": column, "operator": operator, "value": value}])
    assert found["numbers"] == numbers


def test_a_filter_that_makes_no_sense_says_why(server: Running) -> None:
    frame = pl.DataFrame({"n": [1], "t": [datetime.fromisoformat("2026-01-01")], "list": [[1, 2]]})
    digest = server.home.store.put(Table(frame))
    address = f"/api/artifacts/{digest}/rows"

    def refused(**asked: Any) -> dict[str, Any]:
        return fault(server.client.post(address, json=asked), 422)

    for column, operator, value in (
        ("n", "more", "x"),
        ("n", "equals", True),
        ("t", "less", "yesterday"),
        ("n", "one-of", 3),
        ("list", "equals", 1),
    ):
        wrong = {"column": column, "operator": operator, "value": value}
        assert refused(filters=[wrong])["code"] == "invalid-filter"
    assert refused(sort=[{"column": "list"}])["code"] == "invalid-filter"
    assert refused(sort=[{"column": "nn"}])["code"] == "missing-column"
    assert refused(columns=["n", "nn"])["fields"]["column"] == "nn"


def test_a_column_whose_name_looks_like_a_pattern_is_just_a_column(server: Running) -> None:
    frame = pl.DataFrame({"^.*$": [2, 1], "*": ["x", "y"], "row": [1, 1]})
    digest = server.home.store.put(Table(frame))
    found = rows(
        server,
        digest,
        columns=["^.*$", "row"],
        sort=[{"column": "^.*$"}],
        filters=[{"column": "*", "operator": "present"}, {"column": "row", "operator": "present"}],
    )
    assert found["rows"] == [[1, 1], [2, 1]]


def test_a_page_of_a_million_rows_comes_at_once(server: Running) -> None:
    chance = np.random.default_rng(0)
    count = 1_000_000
    numbers = {f"n{i}": chance.normal(size=count) for i in range(12)}
    levels = np.array([f"level {i}" for i in range(40)])
    texts = {f"s{i}": levels[chance.integers(0, 40, count)] for i in range(8)}
    digest = server.home.store.put(Table(pl.DataFrame({**numbers, **texts})))

    def seconds(**asked: Any) -> float:
        begun = time.perf_counter()
        assert rows(server, digest, limit=200, **asked)["total"] > 0
        return time.perf_counter() - begun

    first = seconds(offset=0)
    pages = [seconds(offset=offset) for offset in (500_000, 999_700, 250_000)]
    sort = {"sort": [{"column": "n3", "descending": True}]}
    seconds(**sort)
    ordered = [seconds(offset=offset, **sort) for offset in (0, 700_000, 400_000)]
    filters = {"filters": [{"column": "s2", "operator": "equals", "value": "level 7"}]}
    # The aim is 300 ms for each; a machine that does other things as well gets more.
    assert min(pages) < 0.3
    assert min(ordered) < 0.3
    assert first < 5
    assert min(seconds(**filters) for _ in range(3)) < 0.3


def test_a_profile_is_figured_once_and_then_kept(server: Running) -> None:
    frame = pl.DataFrame({"n": [1.0, 2.0, 3.0, None], "s": ["x", "x", "y", None]})
    digest = server.home.store.put(Table(frame))
    address = f"/api/artifacts/{digest}/profile"
    (part,) = server.get(address, column="s")["columns"]
    assert [(t["value"], t["count"]) for t in part["top"]] == [("x", 2), ("y", 1)]
    profiles = server.home.folder / "profiles"
    assert not list(profiles.rglob(f"{digest[7:]}*"))
    whole = server.get(address)
    number = whole["columns"][0]
    assert (number["mean"], number["missing"], number["unique"]) == (2.0, 1, 3)
    assert sum(b["count"] for b in number["histogram"]) == 3
    (kept,) = profiles.rglob(f"{digest[7:]}*")
    before = kept.stat().st_mtime_ns
    assert server.get(address) == whole
    assert server.get(address, column="s")["columns"] == [part]
    assert kept.stat().st_mtime_ns == before
    kept.write_text("damaged", encoding="utf-8")
    assert server.get(address) == whole
    assert fault(server.client.get(address, params={"column": "x"}), 422)["fields"]["near"]


def test_the_difference_of_two_tables_is_told_column_by_column(server: Running) -> None:
    put = server.home.store.put
    left = put(
        Table(pl.DataFrame({"same": [1, 2], "n": [1.0, 2.0], "s": ["a", "b"], "gone": [1, 1]}))
    )
    right = put(
        Table(pl.DataFrame({"same": [1, 2], "n": [1.0, None], "s": [1, 2], "new": ["x", "y"]}))
    )
    found = server.get(f"/api/artifacts/{left}/difference", other=right)
    changes = {c["name"]: (c["change"], c["cells"]) for c in found["columns"]}
    assert changes == {
        "same": ("same", 0),
        "n": ("changed", 1),
        "s": ("retyped", None),
        "gone": ("removed", None),
        "new": ("added", None),
    }
    number = next(c for c in found["columns"] if c["name"] == "n")
    assert (number["left_spread"]["missing"], number["right_spread"]["missing"]) == (0, 1)
    shares = number["shares"]
    assert (sum(shares["left"]), sum(shares["right"])) == (2, 1)
    assert len(shares["edges"]) == len(shares["left"]) + 1
    longer = put(Table(pl.DataFrame({"same": [1, 2, 3]})))
    shorter = server.get(f"/api/artifacts/{left}/difference", other=longer)
    assert (shorter["left_rows"], shorter["right_rows"]) == (2, 3)
    assert shorter["columns"][0]["cells"] is None


def test_a_value_that_is_not_a_table_has_content_but_no_rows(server: Running) -> None:
    draft = server.post("/api/drafts", {"sample": "automobile-price"})
    run = server.finished(server.post("/api/runs", {"draft_id": draft["id"]})["id"])
    outputs = {s["node"]: s["outputs"] for s in run["steps"]}
    model = outputs["train-model"]["trained_model"]["digest"]
    content = server.get(f"/api/artifacts/{model}")["content"]
    assert (content["kind"], content["task"], content["made_by"]) == (
        "model",
        "regression",
        "Linear Regression",
    )
    assert content["label"]["name"] == "price"
    assert "price" not in {c["name"] for c in content["features"]}
    assert content["learnt"]
    assert fault(server.client.post(f"/api/artifacts/{model}/rows", json={}), 422)["code"] == (
        "no-rows"
    )
    learner = outputs["linear-regression"]["untrained_model"]["digest"]
    assert server.get(f"/api/artifacts/{learner}")["content"]["component"] == "linear-regression"
    cleaning = outputs["clean-missing-data"]["cleaning_transformation"]["digest"]
    assert server.get(f"/api/artifacts/{cleaning}")["content"]["kind"] == "transform"
    scored = outputs["score-model"]["scored_dataset"]["digest"]
    plots = server.get(f"/api/artifacts/{scored}/evaluation")["plots"]
    assert plots["task"] == "regression"


def test_a_value_that_is_not_there_is_told_so(server: Running) -> None:
    missing = f"/api/artifacts/sha256:{'0' * 64}"
    assert fault(server.client.get(missing), 404)["code"] == "missing-artifact"
    assert fault(server.client.post(f"{missing}/rows", json={}), 404)
    assert fault(server.client.get(f"{missing}/download"), 404)
    assert fault(server.client.get("/api/artifacts/sha256:xyz"), 422)


def test_files_are_listed_and_images_shown(server: Running) -> None:
    png = b"\x89PNG\r\n\x1a\n"
    digest = server.home.store.put(FileBundle({"plot-01.png": png, "a/page.html": b"<script>"}))
    listed = server.get(f"/api/artifacts/{digest}")["content"]["files"]
    assert [(f["name"], f["size"], f["media_type"]) for f in listed] == [
        ("a/page.html", 8, "application/octet-stream"),
        ("plot-01.png", 8, "image/png"),
    ]
    image = server.client.get(f"/api/artifacts/{digest}/files/plot-01.png")
    assert (image.content, image.headers["content-type"]) == (png, "image/png")
    page = server.client.get(f"/api/artifacts/{digest}/files/a/page.html")
    assert page.headers["content-type"] == "application/octet-stream"
    lost = server.client.get(f"/api/artifacts/{digest}/files/plot-1.png")
    assert "plot-01.png" in fault(lost, 404)["remedy"]
