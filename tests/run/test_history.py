from __future__ import annotations

from pathlib import Path

import pytest

from modelwright.graph.graph import NodeId
from modelwright.run.history import FolderHistory, History, MemoryHistory, Past, PastInput

A, B = NodeId("a"), NodeId("b")
PAST = Past("add", 2, {"amount": 1}, {"m": "digest"}, {"dataset": PastInput("a.t", "x")}, "key")


@pytest.fixture(params=["memory", "folder"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> History:
    return MemoryHistory() if request.param == "memory" else FolderHistory(tmp_path / "deep" / "er")


def test_what_is_remembered_is_found_again_by_pipeline_and_node(history: History) -> None:
    history.remember("one", {A: PAST})
    assert history.last("one") == {A: PAST}
    assert history.last("another") == {}


def test_a_later_run_of_one_node_leaves_the_others(history: History) -> None:
    later = Past("add", 2, {"amount": 5})
    history.remember("one", {A: PAST, B: PAST})
    history.remember("one", {B: later})
    assert history.last("one") == {A: PAST, B: later}


def test_pipelines_may_have_any_name(history: History) -> None:
    for name in ("", "a/b", "../x", "naïve 名"):
        history.remember(name, {A: PAST})
        assert history.last(name) == {A: PAST}


def test_another_process_finds_what_is_in_the_folder(tmp_path: Path) -> None:
    FolderHistory(tmp_path).remember("one", {A: PAST})
    assert FolderHistory(tmp_path).last("one") == {A: PAST}
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"nodes": 1}', '{"nodes": {"a": {"x": 1}}}'])
def test_a_damaged_file_counts_as_empty_and_is_replaced(tmp_path: Path, content: str) -> None:
    history = FolderHistory(tmp_path)
    history.remember("one", {A: PAST})
    (file,) = tmp_path.iterdir()
    file.write_text(content)
    assert history.last("one") == {}
    history.remember("one", {B: PAST})
    assert history.last("one")[B] == PAST


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history = FolderHistory(tmp_path / "file")
    history.remember("one", {A: PAST})
    assert history.last("one") == {}
