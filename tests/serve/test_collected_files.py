"""Files that are kept elsewhere come here whole, in parts, and no more than are to stay."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from modelwright.serve import collected_files
from modelwright.serve.collected_files import bring, lacking, take_in, wish


def put(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.glob("*/*")}


@pytest.fixture
def there(tmp_path: Path) -> Path:
    folder = tmp_path / "there"
    put(folder, "1/a.jsonl", b"one\n")
    put(folder, "1/b.jsonl", b"two\nthree\n")
    put(folder, "2/c.parquet", bytes(range(256)))
    put(folder, "2/.d.parquet", b"a draft")
    return folder


def test_what_is_there_is_brought_in_as_many_parts_as_it_takes(
    there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    monkeypatch.setattr(collected_files, "AT_ONCE", 7)
    asked: list[Mapping[str, Any]] = []

    def ask(wished: Mapping[str, Any]) -> Mapping[str, Any]:
        # As it comes over a line.
        asked.append(json.loads(json.dumps(wished)))
        found: Mapping[str, Any] = json.loads(json.dumps(lacking(there, asked[-1])))
        return found

    bring(here, ask, {})
    expected = {k: v for k, v in contents(there).items() if "/." not in k}
    assert contents(here) == expected
    assert len(asked) > 30
    # Later only what is new.
    with (there / "1/b.jsonl").open("ab") as file:
        file.write(b"four\n")
    asked.clear()
    bring(here, ask, {})
    assert contents(here)["1/b.jsonl"] == b"two\nthree\nfour\n"
    assert len(asked) == 2


def test_the_oldest_neither_come_nor_stay(there: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    put(here, "1/0.jsonl", b"of before\n")
    bring(here, lambda wished: lacking(there, wished), {1: 1, 2: 5})
    assert sorted(contents(here)) == ["1/b.jsonl", "2/c.parquet"]


def test_whole_files_take_the_place_of_shorter_ones(there: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    put(here, "1/b.jsonl", b"two\n")
    put(here, "1/a.jsonl", b"one\n")
    take_in(here, iter([(n, c) for n, c in contents(there).items() if "/." not in n]), {})
    assert contents(here)["1/b.jsonl"] == b"two\nthree\n"
    assert wish(here, {1: 3}) == {
        "known": {"1/a.jsonl": 4, "1/b.jsonl": 10, "2/c.parquet": 256},
        "kept": {"1": 3},
    }


@pytest.mark.parametrize("name", ["../x", "1/../../x", "/etc/x", "1/.x", "1/", "x", "a/b"])
def test_a_name_that_leads_elsewhere_is_not_written(tmp_path: Path, name: str) -> None:
    here = tmp_path / "here"
    take_in(here, iter([(name, b"x")]), {})
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
