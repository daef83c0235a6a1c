from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Command

SAMPLE = "Automobile price data (Raw)"


@pytest.fixture
def cars(tmp_path: Path) -> Path:
    path = tmp_path / "cars.csv"
    path.write_text("make,price\nvolvo,13415\nsaab,?\n", encoding="utf-8")
    return path


def test_a_file_becomes_a_dataset_that_is_listed_and_shown(
    modelwright: Command, cars: Path
) -> None:
    done = modelwright("dataset", "add", cars)
    assert (done.status, done.out) == (0, "cars, version 1: 2 rows x 2 columns\n")
    again = modelwright("dataset", "add", cars, "--json").json
    assert (again["version"], again["is_new"], again["rows"]) == (1, False, 2)

    listed = modelwright("dataset", "list", "--json").json
    assert [d["name"] for d in listed] == [SAMPLE, "cars"]
    text = modelwright("dataset", "list").out
    assert all(d["name"] in text for d in listed)
    assert [
        d["name"] for d in modelwright("dataset", "list", "--search", "1985", "--json").json
    ] == [SAMPLE]

    shown = modelwright("dataset", "show", "cars", "--json").json
    make, price = shown["profile"]["columns"]
    assert (make["name"], make["type"], make["unique"]) == ("make", "String", 2)
    assert (price["missing"], price["mean"]) == (1, 13415.0)
    text = modelwright("dataset", "show", "cars", "--version", "1").out
    assert "cars, version 1: 2 rows x 2 columns" in text
    assert "13415" in text

    assert modelwright("dataset", "delete", "cars").out == "cars is deleted.\n"
    assert modelwright("dataset", "show", "cars").status == 2


def test_the_sample_dataset_is_shown_with_its_licence(modelwright: Command) -> None:
    text = modelwright("dataset", "show", SAMPLE).out
    assert "205 rows x 26 columns" in text
    assert "Licence: CC BY 4.0" in text


def test_a_file_is_read_as_it_is_said_to_be(modelwright: Command, tmp_path: Path) -> None:
    path = tmp_path / "odd.txt"
    path.write_bytes("preface\n1,5;é;none\n2,5;b\n".encode("latin-1"))
    done = modelwright(
        "dataset", "add", path, "--name", "odd", "--separator", ";", "--no-header",
        "--decimal", ",", "--encoding", "latin-1", "--missing", "none", "--missing", "", "--skip-rows", "1",
        "--ragged", "pad", "--description", "Odd.", "--json",
    )  # fmt: skip
    assert done.status == 0
    assert done.err.startswith("Note: ")
    shown = modelwright("dataset", "show", "odd", "--json").json
    assert shown["description"] == "Odd."
    first, second, third = shown["profile"]["columns"]
    assert first["mean"] == 2.0
    assert {t["value"] for t in second["top"]} == {"é", "b"}
    assert third["missing"] == 2


@pytest.mark.parametrize(
    ("content", "words", "code"),
    [
        (None, [], "file-not-found"),
        (b"", [], "empty-file"),
        (b"a,b\n1,2,3\n", [], "ragged-rows"),
        (b"a\n\xe9\n", [], "wrong-encoding"),
        (b"PK\x03\x04", [], "unknown-file-format"),
        (b"a\n1\n", ["--format", "xlsx"], "invalid-read-option"),
        (b"a\n1\n", ["--separator", ",,"], "invalid-read-option"),
        (b"a\n1\n", ["--name", "\n"], "invalid-name"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(
    modelwright: Command, tmp_path: Path, content: bytes | None, words: list[str], code: str
) -> None:
    path = tmp_path / "rows.csv"
    if content is not None:
        path.write_bytes(content)
    done = modelwright("dataset", "add", path, *words)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"error [{code}]: ")


@pytest.mark.parametrize(
    "words", [["show", "Automobile price data"], ["delete", "Automobile price data"]]
)
def test_a_dataset_that_is_not_there_is_told_with_the_nearest(
    modelwright: Command, words: list[str]
) -> None:
    done = modelwright("dataset", *words)
    assert done.status == 2
    assert done.err.startswith("error [not-found]: ")
    assert SAMPLE in done.err
    assert modelwright("dataset", "show", SAMPLE, "--version", "7").status == 2
